/*
 * The relay's interfaces as the machine has them now: kept in its dhcp/relay.h machine, told in the
 * log when they change. One that has vanished or lost its address is waited for.
 */
#ifndef PROGRAMS_DHCP_RELAY_LINKS_H
#define PROGRAMS_DHCP_RELAY_LINKS_H

#include "dhcp/relay.h"
#include "programs/dhcp/local_interfaces.h"
#include "programs/dhcp/relay_settings.h"

enum relay_link_state {
	RELAY_LINK_UNKNOWN, /* not looked yet */
	RELAY_LINK_READY,
	RELAY_LINK_DOWN, /* or without carrier */
	RELAY_LINK_NO_ADDRESS,
	RELAY_LINK_GONE,
};

/* For status and JSON: "ready", "no-address". */
const char *relay_link_state_name(enum relay_link_state state);

struct relay_links {
	const struct relay_settings *settings;
	enum relay_link_state states[DHCP_RELAY_INTERFACES_MAX];
	enum relay_link_state uplink;
};

/* Bring `relay` to what `interfaces` say, and tell what is new. */
void relay_links_update(struct relay_links *links, const struct local_interfaces *interfaces,
	struct dhcp_relay *relay);

/*
 * At start each interface must be there and have an address: else its name is most likely wrong.
 * And no --server may be an address of this machine, where the relay itself would answer.
 */
int relay_links_check(const struct relay_links *links, const struct local_interfaces *interfaces,
	struct error *error);

#endif
