/*
 * The DHCP message (RFC 2131 section 2) as a value: bytes to message, message to bytes.
 *
 * Parsing walks the options once, joins split ones (RFC 3396) and follows an overload of `file` and
 * `sname`; after that each lookup is O(1), and "absent" and "malformed" are different answers.
 * Building knows its maximum and always has room left for the END option.
 * Addresses are in host order on our side. Not covered: option 52 when building (nothing we send is
 * that long).
 */
#ifndef DHCP_MESSAGE_H
#define DHCP_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/error.h"
#include "base/writer.h"
#include "dhcp/protocol.h"

/* The fixed fields but `sname` and `file`, which nothing of ours uses as names. */
struct dhcp_header {
	uint8_t op; /* enum dhcp_op */
	uint8_t hops;
	uint16_t secs; /* since the client began */
	uint32_t xid;
	bool broadcast; /* the flag: the client cannot yet receive unicast */
	struct ipv4 ciaddr, yiaddr, siaddr, giaddr;
	struct dhcp_hardware chaddr;
};

struct dhcp_field {
	const uint8_t *bytes;
	uint16_t length;
};

/*
 * A parsed message. It borrows the bytes it was parsed from, and points into itself where options
 * had to be joined: pass it by pointer, never copy it.
 */
struct dhcp_message {
	struct dhcp_header header;
	unsigned type; /* enum dhcp_message_type; DHCP_BOOTREQUEST, DHCP_BOOTREPLY without 53 */
	/* Private: use the accessors. field_of[code] is 1 + its index in `fields`, 0 for none. */
	uint8_t field_of[256];
	struct dhcp_field fields[254];
	uint8_t joined[DHCP_MESSAGE_SIZE_MAX];
};

/*
 * Parse `length` bytes of UDP payload.
 * Fails with -EBADMSG, and the reason in `error`, where they are no DHCP or BOOTP message: too
 * short, an op other than 1 and 2, hlen over 16, another magic cookie, an option that reaches
 * beyond its area, a message type that is no single byte, more split options than fit a message.
 * Malformed values of other options do not fail here: their accessors say so. On failure the
 * contents of ret_message mean nothing.
 */
int dhcp_message_parse(
	const void *bytes, size_t length, struct dhcp_message *ret_message, struct error *error);

enum dhcp_answer {
	DHCP_MALFORMED = -1, /* there, but its length is wrong for its type */
	DHCP_ABSENT = 0,
	DHCP_PRESENT = 1,
};

/* The option's value; ret_value is set only where the answer is DHCP_PRESENT. */
enum dhcp_answer dhcp_message_bytes(
	const struct dhcp_message *message, uint8_t code, struct dhcp_field *ret_value);
enum dhcp_answer dhcp_message_u8(
	const struct dhcp_message *message, uint8_t code, uint8_t *ret_value);
enum dhcp_answer dhcp_message_u16(
	const struct dhcp_message *message, uint8_t code, uint16_t *ret_value);
enum dhcp_answer dhcp_message_u32(
	const struct dhcp_message *message, uint8_t code, uint32_t *ret_value);
/* The first, where the option holds several. */
enum dhcp_answer dhcp_message_address(
	const struct dhcp_message *message, uint8_t code, struct ipv4 *ret_address);

/* A message under construction in the caller's buffer. */
struct dhcp_builder {
	struct writer writer; /* ends one byte early: END always fits */
	bool omitted; /* an option did not fit and was left out, whole */
};

/*
 * Begin a message of at most `size` bytes (at least DHCP_MESSAGE_SIZE_MIN, at most what `buffer`
 * holds): fixed fields, cookie, and option 53 where `type` is one that goes on the wire.
 */
void dhcp_builder_init(struct dhcp_builder *builder, void *buffer, size_t size,
	const struct dhcp_header *header, unsigned type);

/* Append an option; one that does not fit sets `omitted`. Values over 255 bytes are split. */
void dhcp_builder_bytes(
	struct dhcp_builder *builder, uint8_t code, const void *bytes, size_t length);
void dhcp_builder_u8(struct dhcp_builder *builder, uint8_t code, uint8_t value);
void dhcp_builder_u16(struct dhcp_builder *builder, uint8_t code, uint16_t value);
void dhcp_builder_u32(struct dhcp_builder *builder, uint8_t code, uint32_t value);
void dhcp_builder_address(struct dhcp_builder *builder, uint8_t code, struct ipv4 address);

/* END, and zeros up to BOOTP's minimum. Returns the message's length in bytes. */
size_t dhcp_builder_finish(struct dhcp_builder *builder);

/*
 * What a relay changes in a message that it otherwise forwards as it is (RFC 1542 section 4.1):
 * `bytes` are those of a message that dhcp_message_parse() took.
 */
void dhcp_message_set_relay(void *bytes, uint8_t hops, struct ipv4 giaddr);

#endif
