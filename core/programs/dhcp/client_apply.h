/*
 * A lease put into effect on the node: address, routes, MTU and resolver file; and taken away
 * again. What fails beside the address is logged, and the rest is done.
 */
#ifndef PROGRAMS_DHCP_CLIENT_APPLY_H
#define PROGRAMS_DHCP_CLIENT_APPLY_H

#include <stdbool.h>

#include "base/error.h"
#include "dhcp/client_lease.h"
#include "programs/dhcp/interface.h"
#include "programs/dhcp/resolver_file.h"

struct client_apply {
	struct interface *interface; /* borrowed */
	struct resolver_file resolver; /* path NULL: the resolver file is not touched */
	bool only_hook; /* --no-configure: nothing is touched */
	/* Private. */
	unsigned mtu; /* that a lease has set; 0: none has */
};

/* Put it into effect, or refresh it. Fails where the address cannot be set. */
int client_apply_lease(struct client_apply *apply, const struct dhcp_client_lease *lease,
	uint64_t now_ns, struct error *error);

/* Of a DHCPINFORM: what does not touch the interface. */
void client_apply_options(struct client_apply *apply, const struct dhcp_client_lease *lease);

void client_apply_remove(struct client_apply *apply, const struct dhcp_client_lease *lease);

#endif
