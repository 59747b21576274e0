#include "programs/dhcp/relay_links.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"

const char *relay_link_state_name(enum relay_link_state state)
{
	static const char *const names[] = {
		[RELAY_LINK_UNKNOWN] = "unknown",
		[RELAY_LINK_READY] = "ready",
		[RELAY_LINK_DOWN] = "down",
		[RELAY_LINK_NO_ADDRESS] = "no-address",
		[RELAY_LINK_GONE] = "gone",
	};
	return names[state];
}

static enum relay_link_state state_of(unsigned index, const struct local_interface *row)
{
	if (index == 0)
		return RELAY_LINK_GONE;
	if (!row)
		return RELAY_LINK_NO_ADDRESS;
	return row->up ? RELAY_LINK_READY : RELAY_LINK_DOWN;
}

/* The row of `name` with the address it had, while it has it; else its first; NULL for none. */
static const struct local_interface *row_of(
	const struct local_interfaces *interfaces, unsigned index, struct ipv4 address)
{
	struct prefix had = {.address = address, .length = 32};
	return index ? local_interfaces_find(interfaces, index, had) : NULL;
}

static void tell(const char *name, enum relay_link_state state, struct ipv4 address)
{
	static const char *const losses[] = {
		[RELAY_LINK_DOWN] = "is down",
		[RELAY_LINK_NO_ADDRESS] = "has no IPv4 address now",
		[RELAY_LINK_GONE] = "is gone",
	};
	if (state == RELAY_LINK_READY)
		log_line("relaying from %s (%s)", name, IPV4_TEXT(address));
	else
		log_line("%s %s: nothing is relayed there until it is back", name, losses[state]);
}

static void update_interface(struct relay_links *links, size_t which,
	const struct local_interfaces *interfaces, struct dhcp_relay *relay)
{
	const struct relay_interface_settings *said = &links->settings->interfaces[which];
	struct dhcp_relay_interface now = relay->settings.interfaces[which];
	struct ipv4 had = now.address.address;
	now.index = if_nametoindex(said->name);
	const struct local_interface *row = row_of(interfaces, now.index, had);
	now.address = row ? row->address : (struct prefix){0};
	now.trusted = said->trusted;
	now.circuit = said->circuit;
	now.remote = said->remote;
	if (!said->circuit_said) {
		now.circuit.length = (uint8_t)strlen(said->name);
		memcpy(now.circuit.bytes, said->name, now.circuit.length);
	}
	if (said->remote_mac && row) {
		now.remote.length = sizeof(row->mac.bytes);
		memcpy(now.remote.bytes, row->mac.bytes, sizeof(row->mac.bytes));
	}
	dhcp_relay_set_interface(relay, which, &now);

	enum relay_link_state state = state_of(now.index, row);
	if (state != links->states[which] || !ipv4_equal(had, now.address.address))
		tell(said->name, state, now.address.address);
	links->states[which] = state;
}

static void update_uplink(struct relay_links *links, const struct local_interfaces *interfaces,
	struct dhcp_relay *relay)
{
	const char *name = links->settings->uplink;
	unsigned index = if_nametoindex(name);
	const struct local_interface *row = row_of(interfaces, index, relay->uplink);
	struct ipv4 address = row ? row->address.address : (struct ipv4){0};
	enum relay_link_state state = state_of(index, row);
	bool told = state == links->uplink && ipv4_equal(address, relay->uplink);
	if (!told && state == RELAY_LINK_READY)
		log_line("servers answer to %s (%s)", name, IPV4_TEXT(address));
	else if (!told)
		tell(name, state, address);
	links->uplink = state;
	dhcp_relay_set_uplink(relay, address);
}

void relay_links_update(struct relay_links *links, const struct local_interfaces *interfaces,
	struct dhcp_relay *relay)
{
	for (size_t i = 0; i < relay->settings.interface_count; i++)
		update_interface(links, i, interfaces, relay);
	if (relay->settings.link_selection)
		update_uplink(links, interfaces, relay);
}

static int check_name(
	const char *name, const struct local_interfaces *interfaces, struct error *error)
{
	unsigned index = if_nametoindex(name);
	if (index == 0)
		return error_set(error, -ENODEV, "there is no interface '%s'", name);
	if (!local_interfaces_find(interfaces, index, (struct prefix){.length = 0}))
		return error_set(error, -EADDRNOTAVAIL,
			"the interface '%s' has no IPv4 address to relay from", name);
	return 0;
}

int relay_links_check(const struct relay_links *links, const struct local_interfaces *interfaces,
	struct error *error)
{
	const struct dhcp_relay_settings *relay = &links->settings->relay;
	for (size_t i = 0; i < relay->interface_count; i++)
		if (check_name(links->settings->interfaces[i].name, interfaces, error) < 0)
			return error->code;
	if (relay->link_selection && check_name(links->settings->uplink, interfaces, error) < 0)
		return error->code;
	for (size_t i = 0; i < relay->server_count; i++)
		if (local_interfaces_has_address(interfaces, relay->servers[i]))
			return error_set(error, -EINVAL,
				"--server %s is this machine's own address: no other server is "
				"reached there",
				IPV4_TEXT(relay->servers[i]));
	return 0;
}
