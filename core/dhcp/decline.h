/*
 * Who declined how many addresses that are still set aside: so that one client does not drain a pool
 * by declining whatever it gets. Counted by hardware address, in a table of fixed size.
 */
#ifndef DHCP_DECLINE_H
#define DHCP_DECLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dhcp/protocol.h"

enum {
	DHCP_DECLINE_MOST = 3, /* addresses set aside for one client at once */
	DHCP_DECLINERS_MAX = 1024,
};

struct dhcp_decliner {
	struct dhcp_hardware hardware;
	uint8_t count;
};

/* `= {0}` is an empty one. */
struct dhcp_decliners {
	struct dhcp_decliner list[DHCP_DECLINERS_MAX];
	size_t count;
};

/* Count one more; false, and nothing counted, where it has its share or the table is full. */
bool dhcp_decliners_add(struct dhcp_decliners *decliners, const struct dhcp_hardware *hardware);

/* One of its addresses is no longer set aside. No effect where none was counted. */
void dhcp_decliners_remove(struct dhcp_decliners *decliners, const struct dhcp_hardware *hardware);

#endif
