/*
 * The routes of option 121 (RFC 3442) and of its double 249: a prefix length, the significant bytes
 * of the destination, and the router.
 */
#ifndef DHCP_CLASSLESS_ROUTE_H
#define DHCP_CLASSLESS_ROUTE_H

#include <stdbool.h>

#include "base/address.h"
#include "base/reader.h"
#include "base/writer.h"

struct dhcp_route {
	struct prefix destination; /* length 0: the default route */
	struct ipv4 router; /* none: the destination is on the link */
};

/*
 * The next route of an option's value; bits behind the prefix are cleared. False at the end;
 * `value->truncated` is then set where the rest is no route.
 */
bool dhcp_route_next(struct reader *value, struct dhcp_route *ret_route);

/* Append a route; what does not fit sets `value->overflow`. */
void dhcp_route_put(struct writer *value, const struct dhcp_route *route);

#endif
