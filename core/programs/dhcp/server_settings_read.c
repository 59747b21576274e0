/* The first half of server_settings.h: the options, line by line. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "dhcp/text.h"
#include "programs/dhcp/binding_text.h"
#include "programs/dhcp/server_settings.h"
#include "programs/dhcp/server_settings_parts.h"

#define PROBE_NS_DEFAULT UINT64_C(500000000)
#define PROBE_NS_MOST	 UINT64_C(10000000000)
#define SET_ASIDE_S_MOST UINT64_C(2592000) /* 30 days */

static int no_memory(struct error *error)
{
	return error_set(error, -ENOMEM, "out of memory");
}

static int copy_text(char **text, const char *from, struct error *error)
{
	char *copy = strdup(from);
	if (!copy)
		return no_memory(error);
	free(*text);
	*text = copy;
	return 0;
}

/* The section that is open where the value stands: the command line and each file have their own. */
static struct server_section *section_of(
	struct server_settings *settings, const struct option_value *value)
{
	size_t open = settings->open_section;
	if (value->file)
		open = settings->open_file && strcmp(settings->open_file, value->file) == 0
			       ? settings->open_file_section
			       : 0;
	return open ? &settings->subnets[open - 1] : &settings->everywhere;
}

/* Whether two places are lines of one file: then the second is a slip, not an amendment. */
static bool same_file(const char *origin, const struct option_value *value)
{
	return value->file && text_starts_with(origin, value->file) &&
	       origin[strlen(value->file)] == ':';
}

/* Note that the option was given in that section. A later one amends it, but not within one file. */
static int note(
	struct server_section *section, const struct option_value *value, struct error *error)
{
	for (size_t i = 0; i < section->given_count; i++) {
		struct server_given *given = &section->given[i];
		if (strcmp(given->name, value->name) != 0)
			continue;
		if (same_file(given->origin, value))
			return error_set(error, -EINVAL, "'%s' stands already at %s", value->name,
				given->origin);
		return copy_text(&given->origin, value->origin, error);
	}
	struct server_given *given =
		ADD_WRITTEN(&section->given, &section->given_count, value->origin);
	if (!given)
		return no_memory(error);
	given->name = value->name;
	return 0;
}

static int accept_interface(void *target, const struct option_value *value, struct error *error)
{
	struct server_settings *settings = target;
	char found[IF_NAMESIZE];
	if (option_interface(found, value, error) < 0)
		return error->code;
	for (size_t i = 0; i < settings->interface_count; i++)
		if (strcmp(settings->interfaces[i], found) == 0)
			return 0;
	CLEANUP(free_pointer) char *name = strdup(found);
	char **added = name ? array_add(&settings->interfaces, &settings->interface_count) : NULL;
	if (!added)
		return no_memory(error);
	*added = TAKE(name);
	return 0;
}

static int accept_path(char **path, struct server_settings *settings,
	const struct option_value *value, struct error *error)
{
	if (!*value->text)
		return error_set(error, -EINVAL, "%s '' is empty", value->name);
	int status = note(&settings->everywhere, value, error);
	return status < 0 ? status : copy_text(path, value->text, error);
}

static int accept_database(void *target, const struct option_value *value, struct error *error)
{
	struct server_settings *settings = target;
	return accept_path(&settings->database, settings, value, error);
}

static int accept_control(void *target, const struct option_value *value, struct error *error)
{
	struct server_settings *settings = target;
	return accept_path(&settings->control, settings, value, error);
}

static int accept_subnet(void *target, const struct option_value *value, struct error *error)
{
	struct server_settings *settings = target;
	struct prefix prefix;
	if (!prefix_parse(value->text, &prefix) || prefix.length == 0)
		return error_set(error, -EINVAL,
			"subnet '%s' is no subnet; one looks like 10.0.2.0/24", value->text);
	if (value->file &&
		(!settings->open_file || strcmp(settings->open_file, value->file) != 0) &&
		copy_text(&settings->open_file, value->file, error) < 0)
		return error->code;
	struct server_section *section =
		ADD_WRITTEN(&settings->subnets, &settings->subnet_count, value->origin);
	if (!section)
		return no_memory(error);
	section->prefix = prefix;
	section->prefix.address = prefix_network(prefix);
	*(value->file ? &settings->open_file_section : &settings->open_section) =
		settings->subnet_count;
	return 0;
}

static int add_range(struct server_range **list, size_t *count, struct dhcp_range range,
	const struct option_value *value, struct error *error)
{
	struct server_range *added = ADD_WRITTEN(list, count, value->origin);
	if (!added)
		return no_memory(error);
	added->range = range;
	return 0;
}

static int accept_pool(void *target, const struct option_value *value, struct error *error)
{
	struct server_settings *settings = target;
	struct dhcp_range range;
	if (!ipv4_range_parse(value->text, &range.first, &range.last))
		return error_set(error, -EINVAL,
			"pool '%s' is no range of addresses; one looks like "
			"10.0.2.100-10.0.2.119",
			value->text);
	return add_range(&settings->pools, &settings->pool_count, range, value, error);
}

static int accept_router(void *target, const struct option_value *value, struct error *error)
{
	struct server_settings *settings = target;
	struct dhcp_range range;
	if (!ipv4_parse(value->text, &range.first))
		return error_set(error, -EINVAL,
			"router '%s' is no IPv4 address; one looks like 10.0.2.1", value->text);
	range.last = range.first;
	return add_range(&settings->routers, &settings->router_count, range, value, error);
}

static int accept_bind(void *target, const struct option_value *value, struct error *error)
{
	struct server_settings *settings = target;
	struct dhcp_binding binding;
	int status = binding_text_parse(value->text, &binding, error);
	struct server_binding *added = NULL;
	if (status == 0)
		added = ADD_WRITTEN(&settings->bindings, &settings->binding_count, value->origin);
	if (added) {
		added->binding = binding;
		return 0;
	}
	dhcp_option_list_finish(&binding.options);
	return status < 0 ? error_prefix(error, "bind: ") : no_memory(error);
}

static int accept_option(void *target, const struct option_value *value, struct error *error)
{
	struct server_section *section = section_of(target, value);
	uint8_t code;
	int status = binding_text_option(&section->values, value->text, &code, error);
	if (status < 0)
		return status;
	for (size_t i = 0; i < section->option_count; i++) {
		struct server_option *at = &section->options[i];
		if (at->code != code)
			continue;
		if (same_file(at->origin, value))
			return error_set(error, -EINVAL,
				"option '%s' stands already at %s; a list has commas", value->text,
				at->origin);
		return copy_text(&at->origin, value->origin, error);
	}
	struct server_option *added =
		ADD_WRITTEN(&section->options, &section->option_count, value->origin);
	if (!added)
		return no_memory(error);
	added->code = code;
	return 0;
}

/* "lease", "lease-least", "lease-most". */
static int accept_lease(void *target, const struct option_value *value, struct error *error)
{
	struct server_section *section = section_of(target, value);
	uint32_t seconds;
	if (!binding_text_lease(value->text, &seconds))
		return error_set(error, -EINVAL,
			"%s '%s' is no number of seconds from 1 to %u, nor 'infinite'", value->name,
			value->text, DHCP_LEASE_INFINITE - 1);
	if (strcmp(value->name, "lease") == 0)
		section->lease.usual = seconds;
	else if (strcmp(value->name, "lease-least") == 0)
		section->lease.least = seconds;
	else
		section->lease.most = seconds;
	return note(section, value, error);
}

static int accept_refuse_renewal(
	void *target, const struct option_value *value, struct error *error)
{
	struct server_section *section = section_of(target, value);
	section->refuse_renewal = true;
	return note(section, value, error);
}

static int accept_bootp(void *target, const struct option_value *value, struct error *error)
{
	struct server_section *section = section_of(target, value);
	section->bootp = true;
	return note(section, value, error);
}

static int accept_rapid_commit(void *target, const struct option_value *value, struct error *error)
{
	struct server_section *section = section_of(target, value);
	section->rapid_commit = true;
	return note(section, value, error);
}

static int accept_allocate(void *target, const struct option_value *value, struct error *error)
{
	static const char *const names[] = {
		[DHCP_ALLOCATE_LEAST_RECENT] = "least-recent",
		[DHCP_ALLOCATE_FIRST_FREE] = "first-free",
	};
	struct server_settings *settings = target;
	unsigned choice;
	if (option_choice(names, ARRAY_LENGTH(names), &choice, value, error) < 0)
		return error->code;
	settings->machine.allocation = (enum dhcp_allocation)choice;
	return note(&settings->everywhere, value, error);
}

static int accept_protocol(void *target, const struct option_value *value, struct error *error)
{
	struct server_settings *settings = target;
	int status = option_protocol(&settings->text, "dhcp", value, error);
	return status < 0 ? status : note(&settings->everywhere, value, error);
}

static int accept_listen(void *target, const struct option_value *value, struct error *error)
{
	struct server_settings *settings = target;
	int status = option_endpoint(&settings->listen, DHCP_TEXT_PORT, value, error);
	return status < 0 ? status : note(&settings->everywhere, value, error);
}

static int accept_ignore_client_id(
	void *target, const struct option_value *value, struct error *error)
{
	struct server_settings *settings = target;
	settings->machine.ignore_client_id = true;
	return note(&settings->everywhere, value, error);
}

static int accept_not_authoritative(
	void *target, const struct option_value *value, struct error *error)
{
	struct server_settings *settings = target;
	settings->machine.not_authoritative = true;
	return note(&settings->everywhere, value, error);
}

static int accept_probe(void *target, const struct option_value *value, struct error *error)
{
	struct server_settings *settings = target;
	uint64_t ns = PROBE_NS_DEFAULT;
	if (value->text && (!text_parse_seconds(value->text, &ns) || ns == 0 || ns > PROBE_NS_MOST))
		return error_set(error, -EINVAL,
			"probe '%s' is no number of seconds up to 10; one looks like 0.5",
			value->text);
	settings->machine.probe_ns = ns;
	return note(&settings->everywhere, value, error);
}

/* "offer-time", "decline-time". */
static int accept_set_aside(void *target, const struct option_value *value, struct error *error)
{
	struct server_settings *settings = target;
	uint64_t ns;
	if (!text_parse_seconds(value->text, &ns) || ns == 0 ||
		ns / UINT64_C(1000000000) > SET_ASIDE_S_MOST)
		return error_set(error, -EINVAL,
			"%s '%s' is no number of seconds up to %llu (30 days); one looks like 10",
			value->name, value->text, (unsigned long long)SET_ASIDE_S_MOST);
	if (strcmp(value->name, "offer-time") == 0)
		settings->machine.offer_ns = ns;
	else
		settings->machine.decline_ns = ns;
	return note(&settings->everywhere, value, error);
}

/* "port-leases", "port-offers". */
static int accept_port_limit(void *target, const struct option_value *value, struct error *error)
{
	struct server_settings *settings = target;
	uint64_t count;
	if (!text_parse_number(value->text, 1, UINT32_MAX, &count))
		return error_set(
			error, -EINVAL, "%s '%s' is no number from 1 on", value->name, value->text);
	if (strcmp(value->name, "port-leases") == 0)
		settings->machine.port_leases = (uint32_t)count;
	else
		settings->machine.port_offers = (uint32_t)count;
	return note(&settings->everywhere, value, error);
}

static const struct option options[] = {
	{.help = "subnets, repeatable"},
	{"subnet", "CIDR",
		"a subnet to serve; the options of the next part that follow are\nits own, before "
		"the first --subnet they are every subnet's",
		accept_subnet},
	{"pool", "FIRST-LAST", "addresses to give away, in the subnet they lie in", accept_pool},
	{"router", "ADDR", "its default router; several in order of preference", accept_router},
	{"bind", "WHO=ADDR ...",
		"an address for one client alone. WHO is 02:00:00:00:00:01,\nid:HEX or "
		"id:\"text\"; lease=SECONDS and NAME=VALUE may follow",
		accept_bind},
	{.help = "what clients of a subnet get"},
	{"lease", "SECONDS",
		"a lease for who asks for no time; default: 3600. Here and\nbelow 'infinite' is "
		"for "
		"ever",
		accept_lease},
	{"lease-least", "SECONDS", "the shortest that is granted; default: 1", accept_lease},
	{"lease-most", "SECONDS", "the longest; default: that of --lease", accept_lease},
	{"option", "NAME=VALUE",
		"a DHCP option by name or number, such as dns=10.0.2.1,10.0.2.2;\nhex:0a0b is a "
		"value of any kind. Repeatable",
		accept_option},
	{"rapid-commit", NULL, "an ACK at once to who asks for it (RFC 4039)", accept_rapid_commit},
	{"bootp", NULL, "BOOTP clients without a binding get an address too, for ever",
		accept_bootp},
	{"refuse-renewal", NULL, "no lease is renewed", accept_refuse_renewal},
	{.help = "habits"},
	{"allocate", "ORDER",
		"which free address: least-recent or first-free; default: least-recent",
		accept_allocate},
	{"ignore-client-id", NULL, "a client is its hardware address, whatever it says",
		accept_ignore_client_id},
	{"not-authoritative", NULL, "silent where another server may know the client",
		accept_not_authoritative},
	{"probe", "[SECONDS]",
		"see whether an address is in use before it is offered: wait\nso long for an "
		"answer; default: 0.5",
		accept_probe},
	{"offer-time", "SECONDS", "how long an offer holds its address; default: 10",
		accept_set_aside},
	{"decline-time", "SECONDS", "how long a declined address is set aside; default: 600",
		accept_set_aside},
	{"port-leases", "N",
		"at most so many leases of one port: a relay's circuit\nidentifier (option 82), "
		"else the interface",
		accept_port_limit},
	{"port-offers", "N", "at most so many offers that its clients have not taken",
		accept_port_limit},
	{.help = "this server"},
	{"interface", "IF", "serve this interface; repeatable; default: all", accept_interface},
	{"database", "FILE", "where leases are kept (SQLite); default: in memory", accept_database},
	{"control", "PATH", "the socket for the commands above; default:\n/run/dhcp-server.sock",
		accept_control},
	{.help = "the report's text protocol instead of DHCP"},
	{"protocol", "PROTOCOL",
		"dhcp, or text: the report's. That one goes with --listen,\n--subnet, --pool "
		"(default: "
		"10.0.0.1-10.0.0.20), --allocate\n(default: first-free), --database and --control "
		"alone",
		accept_protocol},
	{"listen", "ADDR:PORT", "where to listen, by UDP; default: 0.0.0.0:20001", accept_listen},
};

static const struct option commands[] = {
	{"status", NULL, "what it serves, its leases and counters (--leases [N], --json)", NULL},
	{"refuse-renewal", "ADDR|CIDR",
		"the next renewal of that lease, or all of that subnet's, get a\nDHCPNAK", NULL},
	{"allow-renewal", "ADDR|CIDR", "take that back", NULL},
};

const struct program server_program = {
	.name = "dhcp-server",
	.synopsis = "--subnet CIDR --pool FIRST-LAST [options]\n"
		    "       dhcp-server --protocol text [--listen ADDR:PORT] [--pool FIRST-LAST]\n"
		    "       dhcp-server COMMAND [--control PATH]",
	.purpose = "Lease IPv4 addresses by DHCP (RFC 2131), in the foreground; a command asks the "
		   "one\nthat runs. SIGHUP reads all options again.",
	.options = options,
	.option_count = ARRAY_LENGTH(options),
	.commands = commands,
	.command_count = ARRAY_LENGTH(commands),
};
