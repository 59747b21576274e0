/*
 * Who a client is: its client identifier (option 61), else its hardware address (RFC 2131 section
 * 4.2). Two clients are the same exactly when these bytes are.
 */
#ifndef DHCP_IDENTITY_H
#define DHCP_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dhcp/message.h"
#include "dhcp/protocol.h"

enum { DHCP_IDENTITY_MAX = 1 + DHCP_CLIENT_ID_MAX };

/*
 * The first byte says which it is, so that an identifier never equals a hardware address: 0 then
 * option 61's bytes, or 1 then htype and chaddr.
 */
struct dhcp_identity {
	uint16_t length;
	uint8_t bytes[DHCP_IDENTITY_MAX];
};

/*
 * The identity of the client that sent `message`; false where it has none: a malformed client
 * identifier, or neither identifier nor hardware address (hlen 0).
 */
bool dhcp_identity_of(const struct dhcp_message *message, struct dhcp_identity *ret_identity);

/* From an identifier of 2..255 bytes, or from a hardware address where the length is 0. */
bool dhcp_identity_make(const void *client_id, size_t length, const struct dhcp_hardware *hardware,
	struct dhcp_identity *ret_identity);

/*
 * The client identifier within an identity's bytes; false where it is a hardware address, or none.
 */
bool dhcp_identity_client_id(const uint8_t *identity, size_t length, struct dhcp_field *ret_id);

/* The hardware address that an identity is; false where it is a client identifier, or none. */
bool dhcp_identity_hardware(
	const struct dhcp_identity *identity, struct dhcp_hardware *ret_hardware);

bool dhcp_identity_equal(const struct dhcp_identity *a, const struct dhcp_identity *b);

/*
 * SipHash-1-3 of `length` bytes under `key`: a peer who does not know the key cannot fill one
 * bucket.
 */
uint64_t dhcp_hash(const uint64_t key[2], const void *bytes, size_t length);

#endif
