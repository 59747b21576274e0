/*
 * The suboptions of option 82, relay agent information (RFC 3046): what a relay tells a server about
 * a client's place, code, length and value each. They have neither pad nor END.
 *
 * A server returns option 82 as it came, last (section 2.2), and so keeps suboptions that it does
 * not know; what it reads are the ones below. Not covered: authentication (RFC 4030).
 */
#ifndef DHCP_RELAY_AGENT_H
#define DHCP_RELAY_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/writer.h"
#include "dhcp/message.h"

enum {
	DHCP_RELAY_AGENT_MAX = 255, /* of an option 82 that we make: it stays in one piece */
};

enum dhcp_relay_agent_code {
	DHCP_RELAY_AGENT_CIRCUIT_ID = 1, /* the port that the client hangs on: opaque */
	DHCP_RELAY_AGENT_REMOTE_ID = 2, /* the relay's far end of it: opaque */
	DHCP_RELAY_AGENT_LINK_SELECTION = 5, /* RFC 3527: an address of the client's subnet */
	DHCP_RELAY_AGENT_SERVER_ID = 11, /* RFC 5107: what the server calls itself */
	DHCP_RELAY_AGENT_SOURCE_PORT = 19, /* RFC 8357: answers go to the port it wrote from */
};

/*
 * The suboption's value, borrowed from `option`; the first where there are several. Any suboption
 * that reaches beyond the option makes all of it DHCP_MALFORMED: its borders are not to be trusted.
 * A value may be empty (section 2.0).
 */
enum dhcp_answer dhcp_relay_agent_find(
	const struct dhcp_field *option, uint8_t code, struct dhcp_field *ret_value);

/* The same for a value that is one address; DHCP_MALFORMED too where it has not 4 bytes. */
enum dhcp_answer dhcp_relay_agent_address(
	const struct dhcp_field *option, uint8_t code, struct ipv4 *ret_address);

/*
 * Append a suboption to an option 82 in the making: a writer over the caller's bytes, best of
 * DHCP_RELAY_AGENT_MAX. False, and nothing written, where it does not fit or is over 255 bytes.
 */
bool dhcp_relay_agent_append(struct writer *option, uint8_t code, const void *bytes, size_t length);

#endif
