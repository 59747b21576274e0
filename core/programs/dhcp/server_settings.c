#include "programs/dhcp/server_settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "dhcp/pool.h"

enum { LEASE_SECONDS_DEFAULT = 3600 };

static int accept_text(char **text, const struct option_value *value, struct error *error)
{
	if (!*value->text)
		return error_set(error, -EINVAL, "--%s is empty", value->name);
	char *copy = strdup(value->text);
	if (!copy)
		return error_set(error, -ENOMEM, "out of memory");
	free(*text);
	*text = copy;
	return 0;
}

static int accept_interface(void *target, const struct option_value *value, struct error *error)
{
	struct server_settings *settings = target;
	return accept_text(&settings->interface, value, error);
}

static int accept_database(void *target, const struct option_value *value, struct error *error)
{
	struct server_settings *settings = target;
	return accept_text(&settings->database, value, error);
}

static int accept_subnet(void *target, const struct option_value *value, struct error *error)
{
	struct server_settings *settings = target;
	if (!prefix_parse(value->text, &settings->subnet))
		return error_set(error, -EINVAL,
			"--subnet '%s' is no subnet; one looks like 10.0.2.0/24", value->text);
	settings->subnet.address = prefix_network(settings->subnet);
	settings->has_subnet = true;
	return 0;
}

static int accept_pool(void *target, const struct option_value *value, struct error *error)
{
	struct server_settings *settings = target;
	if (!ipv4_range_parse(value->text, &settings->first, &settings->last))
		return error_set(error, -EINVAL,
			"--pool '%s' is no range of addresses; one looks like "
			"10.0.2.100-10.0.2.119",
			value->text);
	settings->has_pool = true;
	return 0;
}

static int accept_router(void *target, const struct option_value *value, struct error *error)
{
	struct server_settings *settings = target;
	if (!ipv4_parse(value->text, &settings->router))
		return error_set(error, -EINVAL, "--router '%s' is no IPv4 address", value->text);
	return 0;
}

static int accept_lease(void *target, const struct option_value *value, struct error *error)
{
	struct server_settings *settings = target;
	uint64_t seconds;
	if (!text_parse_number(value->text, 1, DHCP_LEASE_INFINITE, &seconds))
		return error_set(error, -EINVAL,
			"--lease '%s' is no number of seconds from 1 to %u (which is for ever)",
			value->text, DHCP_LEASE_INFINITE);
	settings->lease_seconds = (uint32_t)seconds;
	return 0;
}

static int binding_parse(
	const struct option_value *value, struct server_binding *ret_binding, struct error *error)
{
	char mac[MAC_TEXT_SIZE] = "";
	const char *equals = strchr(value->text, '=');
	if (equals && (size_t)(equals - value->text) < sizeof(mac))
		memcpy(mac, value->text, (size_t)(equals - value->text));
	if (!equals || !mac_parse(mac, &ret_binding->mac) ||
		!ipv4_parse(equals + 1, &ret_binding->address))
		return error_set(error, -EINVAL,
			"--bind '%s' is no binding; one looks like 02:00:00:00:00:01=10.0.2.50",
			value->text);
	return 0;
}

static int accept_bind(void *target, const struct option_value *value, struct error *error)
{
	struct server_settings *settings = target;
	struct server_binding binding = {0};
	int status = binding_parse(value, &binding, error);
	if (status < 0)
		return status;
	CLEANUP(free_pointer) char *origin = strdup(value->origin);
	struct server_binding *added =
		origin ? array_add(&settings->bindings, &settings->binding_count) : NULL;
	if (!added)
		return error_set(error, -ENOMEM, "out of memory");
	binding.origin = TAKE(origin);
	*added = binding;
	return 0;
}

static const struct option options[] = {
	{"interface", "IF", "serve this interface alone; default: all", accept_interface},
	{"subnet", "CIDR", "the subnet whose clients are served", accept_subnet},
	{"pool", "FIRST-LAST", "the addresses to give away", accept_pool},
	{"router", "ADDR", "the default router to tell clients", accept_router},
	{"lease", "SECONDS", "the longest lease, and the usual one; default: 3600", accept_lease},
	{"bind", "MAC=ADDR", "an address for one client alone; may be repeated", accept_bind},
	{"database", "FILE", "where leases are kept (SQLite); default: in memory", accept_database},
};

const struct program server_program = {
	.name = "dhcp-server",
	.synopsis = "--subnet CIDR --pool FIRST-LAST [--router ADDR] [options]",
	.purpose = "Lease IPv4 addresses by DHCP (RFC 2131), in the foreground.",
	.options = options,
	.option_count = ARRAY_LENGTH(options),
};

static int compare_macs(const void *a, const void *b)
{
	const struct server_binding *const *left = a, *const *right = b;
	return memcmp((*left)->mac.bytes, (*right)->mac.bytes, sizeof(struct mac));
}

static int compare_addresses(const void *a, const void *b)
{
	const struct server_binding *const *left = a, *const *right = b;
	uint32_t x = (*left)->address.host, y = (*right)->address.host;
	return (x > y) - (x < y);
}

static int duplicate_error(const struct server_binding *a, const struct server_binding *b,
	const char *what, struct error *error)
{
	const struct server_binding *first = a < b ? a : b, *second = a < b ? b : a;
	return error_set(error, -EINVAL, "%s is bound twice: %s=%s (%s) and %s=%s (%s)", what,
		MAC_TEXT(first->mac), IPV4_TEXT(first->address), first->origin,
		MAC_TEXT(second->mac), IPV4_TEXT(second->address), second->origin);
}

static int check_duplicates(const struct server_settings *settings, struct error *error)
{
	static const struct {
		int (*compare)(const void *a, const void *b);
		const char *what;
	} kinds[] = {
		{compare_macs, "a hardware address"},
		{compare_addresses, "an address"},
	};
	CLEANUP(free_pointer)
	const struct server_binding **sorted =
		calloc(settings->binding_count + 1, sizeof(const struct server_binding *));
	if (!sorted)
		return error_set(error, -ENOMEM, "out of memory");
	for (size_t i = 0; i < settings->binding_count; i++)
		sorted[i] = &settings->bindings[i];
	for (size_t kind = 0; kind < ARRAY_LENGTH(kinds); kind++) {
		qsort(sorted, settings->binding_count, sizeof(*sorted), kinds[kind].compare);
		for (size_t i = 1; i < settings->binding_count; i++)
			if (kinds[kind].compare(&sorted[i - 1], &sorted[i]) == 0)
				return duplicate_error(
					sorted[i - 1], sorted[i], kinds[kind].what, error);
	}
	return 0;
}

/* An address that a host of the subnet can have. */
static bool is_host(struct prefix subnet, struct ipv4 address)
{
	if (!prefix_contains(subnet, address))
		return false;
	return subnet.length >= 31 || (!ipv4_equal(address, prefix_network(subnet)) &&
					      !ipv4_equal(address, prefix_broadcast(subnet)));
}

static int check_bindings(const struct server_settings *settings, struct error *error)
{
	for (size_t i = 0; i < settings->binding_count; i++) {
		const struct server_binding *at = &settings->bindings[i];
		if (!is_host(settings->subnet, at->address))
			return error_set(error, -EINVAL,
				"the bound address %s (%s) is no host's address in the subnet %s",
				IPV4_TEXT(at->address), at->origin, PREFIX_TEXT(settings->subnet));
		if (ipv4_equal(at->address, settings->router))
			return error_set(error, -EINVAL,
				"the bound address %s (%s) is the router's", IPV4_TEXT(at->address),
				at->origin);
	}
	return check_duplicates(settings, error);
}

int server_settings_check(struct server_settings *settings, struct error *error)
{
	if (settings->lease_seconds == 0)
		settings->lease_seconds = LEASE_SECONDS_DEFAULT;
	if (!settings->has_subnet)
		return error_set(error, -EINVAL, "--subnet CIDR is missing");
	if (!settings->has_pool)
		return error_set(error, -EINVAL, "--pool FIRST-LAST is missing");
	if (!prefix_contains(settings->subnet, settings->first) ||
		!prefix_contains(settings->subnet, settings->last))
		return error_set(error, -EINVAL, "the pool %s-%s does not lie in the subnet %s",
			IPV4_TEXT(settings->first), IPV4_TEXT(settings->last),
			PREFIX_TEXT(settings->subnet));
	if (settings->last.host - settings->first.host >= DHCP_POOL_MOST)
		return error_set(error, -EINVAL,
			"the pool %s-%s is too large: at most %u addresses",
			IPV4_TEXT(settings->first), IPV4_TEXT(settings->last), DHCP_POOL_MOST);
	if (!ipv4_is_none(settings->router) && !is_host(settings->subnet, settings->router))
		return error_set(error, -EINVAL,
			"the router %s is no host's address in the subnet %s",
			IPV4_TEXT(settings->router), PREFIX_TEXT(settings->subnet));
	return check_bindings(settings, error);
}

void server_settings_finish(struct server_settings *settings)
{
	for (size_t i = 0; i < settings->binding_count; i++)
		free(settings->bindings[i].origin);
	free(settings->bindings);
	free(settings->interface);
	free(settings->database);
	*settings = (struct server_settings){0};
}
