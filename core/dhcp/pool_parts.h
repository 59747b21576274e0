/*
 * What the pool's files share and nobody else needs: pool.c (what there is), pool_choose.c (who gets
 * what).
 */
#ifndef DHCP_POOL_PARTS_H
#define DHCP_POOL_PARTS_H

#include "dhcp/pool.h"

/* The address's number within the ranges; the pool's size where it is in none. */
size_t dhcp_pool_number(const struct dhcp_pool *pool, struct ipv4 address);

/* The address with that number. */
struct ipv4 dhcp_pool_address(const struct dhcp_pool *pool, size_t number);

/* Whether the address is not for everybody: bound, kept, or in no range. */
bool dhcp_pool_reserves(const struct dhcp_pool *pool, struct ipv4 address);

/* The lease of an address, made if need be; NULL when memory is gone. */
struct dhcp_lease *dhcp_pool_lease(struct dhcp_pool *pool, struct ipv4 address);

/* Set state and end, seen at `port` (number plus one), and keep what depends on it true. */
void dhcp_pool_change(struct dhcp_pool *pool, struct dhcp_lease *lease,
	const struct dhcp_term *term, uint32_t port);

#endif
