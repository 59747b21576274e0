#include "dhcp/identity.h"

#include <string.h>

enum { FROM_CLIENT_ID = 0, FROM_HARDWARE = 1, CLIENT_ID_MIN = 2 };

bool dhcp_identity_make(const void *client_id, size_t length, const struct dhcp_hardware *hardware,
	struct dhcp_identity *ret_identity)
{
	if (length > 0) {
		if (length < CLIENT_ID_MIN || length > DHCP_CLIENT_ID_MAX)
			return false;
		ret_identity->bytes[0] = FROM_CLIENT_ID;
		memcpy(ret_identity->bytes + 1, client_id, length);
		ret_identity->length = (uint16_t)(1 + length);
		return true;
	}
	if (hardware->length == 0 || hardware->length > DHCP_CHADDR_SIZE)
		return false;
	ret_identity->bytes[0] = FROM_HARDWARE;
	ret_identity->bytes[1] = hardware->type;
	memcpy(ret_identity->bytes + 2, hardware->bytes, hardware->length);
	ret_identity->length = (uint16_t)(2 + hardware->length);
	return true;
}

bool dhcp_identity_of(const struct dhcp_message *message, struct dhcp_identity *ret_identity)
{
	struct dhcp_field id = {0};
	if (dhcp_message_bytes(message, DHCP_OPTION_CLIENT_ID, &id) == DHCP_MALFORMED)
		return false;
	return dhcp_identity_make(id.bytes, id.length, &message->header.chaddr, ret_identity);
}

bool dhcp_identity_client_id(const uint8_t *identity, size_t length, struct dhcp_field *ret_id)
{
	if (length == 0 || identity[0] != FROM_CLIENT_ID)
		return false;
	*ret_id = (struct dhcp_field){.bytes = identity + 1, .length = (uint16_t)(length - 1)};
	return true;
}

bool dhcp_identity_hardware(
	const struct dhcp_identity *identity, struct dhcp_hardware *ret_hardware)
{
	if (identity->length < 2 || identity->bytes[0] != FROM_HARDWARE)
		return false;
	*ret_hardware = (struct dhcp_hardware){
		.type = identity->bytes[1],
		.length = (uint8_t)(identity->length - 2),
	};
	memcpy(ret_hardware->bytes, identity->bytes + 2, ret_hardware->length);
	return true;
}

bool dhcp_identity_equal(const struct dhcp_identity *a, const struct dhcp_identity *b)
{
	return a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}

static uint64_t rotate(uint64_t value, unsigned bits)
{
	return value << bits | value >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

uint64_t dhcp_hash(const uint64_t key[2], const void *bytes, size_t length)
{
	const uint8_t *at = bytes;
	uint64_t v[4] = {
		key[0] ^ UINT64_C(0x736f6d6570736575),
		key[1] ^ UINT64_C(0x646f72616e646f6d),
		key[0] ^ UINT64_C(0x6c7967656e657261),
		key[1] ^ UINT64_C(0x7465646279746573),
	};
	uint64_t last = (uint64_t)length << 56;
	for (size_t left = length; left >= 8; at += 8, left -= 8) {
		uint64_t word;
		memcpy(&word, at, sizeof(word)); /* the machine's order: hashes are never stored */
		v[3] ^= word;
		sip_round(v);
		v[0] ^= word;
	}
	for (size_t i = 0; i < length % 8; i++)
		last |= (uint64_t)at[i] << (8 * i);
	v[3] ^= last;
	sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}
