/*
 * The static bindings of one subnet, found by client or by address in O(1).
 */
#ifndef DHCP_BINDING_H
#define DHCP_BINDING_H

#include "dhcp/settings.h"

/* `= {0}` is an empty one. */
struct dhcp_bindings {
	struct dhcp_binding *list; /* owned with their options, in the order given */
	size_t count;
	/* Private: open addressing; numbers plus one. */
	uint32_t *by_client, *by_address;
	size_t mask;
	uint64_t hash_key[2];
};

/*
 * Copy `list`, in which no client and no address occurs twice. False when memory is gone. Release
 * with dhcp_bindings_finish().
 */
bool dhcp_bindings_init(struct dhcp_bindings *bindings, const struct dhcp_binding *list,
	size_t count, uint64_t seed);
void dhcp_bindings_finish(struct dhcp_bindings *bindings);

/* NULL where there is none. */
const struct dhcp_binding *dhcp_bindings_of_client(
	const struct dhcp_bindings *bindings, const struct dhcp_identity *client);
const struct dhcp_binding *dhcp_bindings_of_address(
	const struct dhcp_bindings *bindings, struct ipv4 address);

/* Whether both give the same addresses to the same clients, in the same order. */
bool dhcp_bindings_equal(const struct dhcp_bindings *a, const struct dhcp_bindings *b);

#endif
