#include "programs/dhcp/client_apply.h"

#include "base/log.h"
#include "base/reader.h"

enum { MTU_LEAST = 576 /* what every IPv4 host takes: RFC 791; below, nothing works well */ };

static void tell(const struct client_apply *apply, const struct error *error)
{
	log_line("interface '%s': %s", apply->interface->name, error->text);
}

static void apply_mtu(struct client_apply *apply, const struct dhcp_client_lease *lease)
{
	struct dhcp_field value;
	struct error error;
	unsigned mtu = 0;
	if (lease && dhcp_client_lease_option(lease, DHCP_OPTION_MTU, &value)) {
		struct reader reader = reader_over(value.bytes, value.length);
		mtu = read_be16(&reader);
	}
	if (mtu > 0 && mtu < MTU_LEAST) {
		log_line("interface '%s': the server's MTU of %u is not used: it is below %d",
			apply->interface->name, mtu, MTU_LEAST);
		mtu = 0;
	}
	if (mtu == apply->mtu)
		return;
	if (interface_set_mtu(apply->interface, mtu, &error) < 0)
		tell(apply, &error);
	else
		apply->mtu = mtu;
}

void client_apply_options(struct client_apply *apply, const struct dhcp_client_lease *lease)
{
	struct error error;
	if (!apply->only_hook && apply->resolver.path &&
		resolver_file_write(&apply->resolver, lease, &error) < 0)
		log_line("%s", error.text);
}

int client_apply_lease(struct client_apply *apply, const struct dhcp_client_lease *lease,
	uint64_t now_ns, struct error *error)
{
	struct dhcp_route routes[DHCP_CLIENT_ROUTES_MAX];
	if (apply->only_hook)
		return 0;
	if (interface_set_address(apply->interface, lease->address,
		    dhcp_client_lease_left(lease, now_ns), error) < 0)
		return error_prefix(error, "interface '%s': ", apply->interface->name);
	apply_mtu(apply, lease);
	struct error soft;
	size_t count = dhcp_client_lease_routes(lease, routes);
	if (interface_set_routes(apply->interface, lease->address.address, routes, count, &soft) <
		0)
		tell(apply, &soft);
	client_apply_options(apply, lease);
	return 0;
}

void client_apply_remove(struct client_apply *apply, const struct dhcp_client_lease *lease)
{
	struct error error;
	if (apply->only_hook)
		return;
	if (apply->resolver.path && resolver_file_restore(&apply->resolver, &error) < 0)
		log_line("%s", error.text);
	apply_mtu(apply, NULL);
	if (interface_clear(apply->interface, lease->address, &error) < 0)
		tell(apply, &error);
}
