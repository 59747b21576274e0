/* What the DHCP targets ask of two messages. */
#ifndef TESTS_FUZZ_DHCP_H
#define TESTS_FUZZ_DHCP_H

#include "dhcp/message.h"
#include "fuzz.h"

/* All fields but those that a relay or a server changes on the way. */
static inline bool same_client(const struct dhcp_header *a, const struct dhcp_header *b)
{
	return a->xid == b->xid && dhcp_hardware_equal(&a->chaddr, &b->chaddr);
}

/* All fields of the header. */
static inline bool same_header(const struct dhcp_header *a, const struct dhcp_header *b)
{
	return same_client(a, b) && a->op == b->op && a->hops == b->hops && a->secs == b->secs &&
	       a->broadcast == b->broadcast && ipv4_equal(a->ciaddr, b->ciaddr) &&
	       ipv4_equal(a->yiaddr, b->yiaddr) && ipv4_equal(a->siaddr, b->siaddr) &&
	       ipv4_equal(a->giaddr, b->giaddr) && strcmp(a->sname, b->sname) == 0 &&
	       strcmp(a->file, b->file) == 0;
}

/* The bytes of an option, whether they fit its type or not; NULL where there is none. */
static inline const struct dhcp_field *field_of(const struct dhcp_message *message, unsigned code)
{
	unsigned index = message->field_of[code];
	return index ? &message->fields[index - 1] : NULL;
}

/* Whether both messages have the same options, but for `except` (0: none). */
static inline bool same_options(
	const struct dhcp_message *a, const struct dhcp_message *b, uint8_t except)
{
	for (unsigned code = 1; code < DHCP_OPTION_END; code++) {
		const struct dhcp_field *one = field_of(a, code), *other = field_of(b, code);
		if (code == except || code == DHCP_OPTION_OVERLOAD)
			continue;
		if (!one != !other)
			return false;
		if (one && (one->length != other->length ||
				   memcmp(one->bytes, other->bytes, one->length) != 0))
			return false;
	}
	return true;
}

#endif
