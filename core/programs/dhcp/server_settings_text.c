/* The part of server_settings.h that is about the report's text protocol. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "dhcp/client_lease.h"
#include "dhcp/text.h"
#include "programs/dhcp/server_settings.h"
#include "programs/dhcp/server_settings_parts.h"

#define DEFAULT_POOL UINT32_C(0x0a000001) /* 10.0.0.1 */

enum { DEFAULT_PREFIX = 24 };

static int refuse(const char *name, const char *origin, struct error *error)
{
	return error_set(error, -EINVAL,
		"'%s' (%s) is DHCP's: the text protocol goes with listen, subnet, pool, allocate, "
		"database and control alone",
		name, origin);
}

static int refuse_given(const struct server_section *section, struct error *error)
{
	static const char *const known[] = {
		"allocate", "control", "database", "listen", "protocol"};
	for (size_t i = 0; i < section->given_count; i++) {
		bool is_known = false;
		for (size_t j = 0; j < ARRAY_LENGTH(known); j++)
			is_known |= strcmp(section->given[i].name, known[j]) == 0;
		if (!is_known)
			return refuse(section->given[i].name, section->given[i].origin, error);
	}
	if (section->option_count > 0)
		return refuse("option", section->options[0].origin, error);
	return 0;
}

static int refuse_others(const struct server_settings *settings, struct error *error)
{
	int status = refuse_given(&settings->everywhere, error);
	if (status == 0 && settings->subnet_count > 0)
		status = refuse_given(&settings->subnets[0], error);
	if (status < 0)
		return status;
	if (settings->subnet_count > 1)
		return error_set(error, -EINVAL,
			"the text protocol has one subnet: %s (%s) is a second one",
			PREFIX_TEXT(settings->subnets[1].prefix), settings->subnets[1].origin);
	if (settings->binding_count > 0)
		return refuse("bind", settings->bindings[0].origin, error);
	if (settings->router_count > 0)
		return refuse("router", settings->routers[0].origin, error);
	if (settings->interface_count > 0)
		return error_set(error, -EINVAL,
			"'interface' is DHCP's: with the text protocol --listen ADDR:PORT says "
			"where");
	return 0;
}

static bool add_pool(struct server_settings *settings, struct dhcp_range range)
{
	struct server_range *pool = ADD_WRITTEN(&settings->pools, &settings->pool_count, "default");
	if (pool)
		pool->range = range;
	return pool != NULL;
}

/* The first of the subnet's hosts. */
static struct dhcp_range default_range(struct prefix subnet)
{
	bool small = subnet.length >= 31;
	struct dhcp_range range = {
		.first = {prefix_network(subnet).host + !small},
		.last = {prefix_broadcast(subnet).host - !small},
	};
	if (range.last.host - range.first.host >= DHCP_TEXT_POOL)
		range.last.host = range.first.host + DHCP_TEXT_POOL - 1;
	return range;
}

/* The smallest subnet of at most 24 bits in which the pools' addresses lie. */
static struct prefix enclosing_subnet(const struct server_settings *settings)
{
	struct ipv4 first = settings->pools[0].range.first, last = settings->pools[0].range.last;
	for (size_t i = 1; i < settings->pool_count; i++) {
		struct dhcp_range range = settings->pools[i].range;
		first = range.first.host < first.host ? range.first : first;
		last = range.last.host > last.host ? range.last : last;
	}
	struct prefix subnet = {first, DEFAULT_PREFIX};
	while (subnet.length > 1 && !prefix_contains(subnet, last))
		subnet.length--;
	subnet.address = prefix_network(subnet);
	return subnet;
}

static bool add_subnet(struct server_settings *settings)
{
	struct prefix subnet = enclosing_subnet(settings);
	struct server_section *section =
		ADD_WRITTEN(&settings->subnets, &settings->subnet_count, "default");
	if (section)
		section->prefix = subnet;
	return section != NULL;
}

/* Random addresses could be multicast in the report's own server. */
static int check_addresses(const struct server_settings *settings, struct error *error)
{
	for (size_t i = 0; i < settings->pool_count; i++) {
		const struct server_range *pool = &settings->pools[i];
		/* What is not a host's lies in blocks of a whole first byte. */
		for (uint32_t net = pool->range.first.host >> 24;
			net <= pool->range.last.host >> 24; net++)
			if (!dhcp_client_address_usable((struct ipv4){net << 24 | 1}))
				return error_set(error, -EINVAL,
					"the pool (%s) has addresses of %u.0.0.0/8, which no host "
					"can "
					"have",
					pool->origin, (unsigned)net);
	}
	return 0;
}

static int complete(struct server_settings *settings, struct error *error)
{
	struct prefix subnet = {{DEFAULT_POOL}, DEFAULT_PREFIX};
	if (settings->subnet_count > 0)
		subnet = settings->subnets[0].prefix;
	if ((settings->pool_count == 0 && !add_pool(settings, default_range(subnet))) ||
		(settings->subnet_count == 0 && !add_subnet(settings)))
		return error_set(error, -ENOMEM, "out of memory");
	settings->subnets[0].lease = (struct dhcp_lease_times){
		DHCP_LEASE_INFINITE, DHCP_LEASE_INFINITE, DHCP_LEASE_INFINITE};
	if (!server_settings_given(&settings->everywhere, "allocate"))
		settings->machine.allocation = DHCP_ALLOCATE_FIRST_FREE;
	if (!server_settings_given(&settings->everywhere, "listen"))
		settings->listen =
			(struct endpoint){.family = ENDPOINT_IPV4, .port = DHCP_TEXT_PORT};
	return check_addresses(settings, error);
}

int server_settings_check_protocol(struct server_settings *settings, struct error *error)
{
	const char *listen = server_settings_given(&settings->everywhere, "listen");
	if (!settings->text && listen)
		return error_set(error, -EINVAL,
			"'listen' (%s) goes with --protocol text: DHCP has its own port", listen);
	if (!settings->text)
		return 0;
	int status = refuse_others(settings, error);
	return status < 0 ? status : complete(settings, error);
}
