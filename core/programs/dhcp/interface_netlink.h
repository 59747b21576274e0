/* What the interface*.c files share of libnl: cleanups, errors, address objects. For them alone. */
#ifndef PROGRAMS_DHCP_INTERFACE_NETLINK_H
#define PROGRAMS_DHCP_INTERFACE_NETLINK_H

#include <errno.h>
#include <netlink/errno.h>
#include <netlink/netlink.h>

#include "base/address.h"
#include "base/error.h"

static inline void put_nl_addr(struct nl_addr **address)
{
	nl_addr_put(*address);
}

static inline void free_cache(struct nl_cache **cache)
{
	nl_cache_free(*cache);
}

static inline int no_memory(struct error *error)
{
	return error_set(error, -ENOMEM, "out of memory");
}

/* libnl's error as an errno, for the few that callers tell apart. */
static inline int netlink_error(const char *what, int status, struct error *error)
{
	int code = status == -NLE_EXIST	  ? -EEXIST
		   : status == -NLE_PERM  ? -EPERM
		   : status == -NLE_NODEV ? -ENODEV
		   : status == -NLE_NOMEM ? -ENOMEM
					  : -EIO;
	return error_set(error, code, "%s: %s", what, nl_geterror(status));
}

/* Owned by the caller; NULL when memory is gone. */
static inline struct nl_addr *ipv4_object(struct ipv4 address, unsigned length)
{
	struct in_addr in = ipv4_to_in(address);
	struct nl_addr *object = nl_addr_build(AF_INET, &in, sizeof(in));
	if (object)
		nl_addr_set_prefixlen(object, (int)length);
	return object;
}

#endif
