/*
 * Option values in wire form, as a configuration holds them: one value an option code, owned.
 */
#ifndef DHCP_OPTION_LIST_H
#define DHCP_OPTION_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dhcp_option_value {
	uint8_t code;
	uint16_t length; /* of `bytes`; over 255 it goes on the wire in pieces (RFC 3396) */
	uint8_t *bytes; /* owned */
};

/* Sorted by code; `= {0}` is an empty list. */
struct dhcp_option_list {
	struct dhcp_option_value *list;
	size_t count;
};

/* Set the value of `code` (copied), in place of one that it has. False when memory is gone. */
bool dhcp_option_list_set(
	struct dhcp_option_list *options, uint8_t code, const void *bytes, size_t length);

/* NULL where the list has none. */
const struct dhcp_option_value *dhcp_option_list_find(
	const struct dhcp_option_list *options, uint8_t code);

/* Set in `options` each value of `more` whose code it does not have yet. False when memory is gone. */
bool dhcp_option_list_complete(
	struct dhcp_option_list *options, const struct dhcp_option_list *more);

void dhcp_option_list_finish(struct dhcp_option_list *options);

#endif
