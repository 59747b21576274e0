#include "programs/dhcp/relay_settings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

/* Where what is said of an interface goes now: to the last one, or to what is usual. */
static struct relay_interface_settings *section(struct relay_settings *settings)
{
	size_t count = settings->relay.interface_count;
	return count ? &settings->interfaces[count - 1] : &settings->usual;
}

static int accept_interface(void *target, const struct option_value *value, struct error *error)
{
	struct relay_settings *settings = target;
	size_t *count = &settings->relay.interface_count;
	char name[IF_NAMESIZE];
	if (option_interface(name, value, error) < 0)
		return error->code;
	for (size_t i = 0; i < *count; i++)
		if (strcmp(settings->interfaces[i].name, name) == 0)
			return error_set(
				error, -EINVAL, "--interface '%s' is there twice", value->text);
	if (*count == DHCP_RELAY_INTERFACES_MAX)
		return error_set(error, -EINVAL, "--interface: at most %d interfaces",
			DHCP_RELAY_INTERFACES_MAX);
	struct relay_interface_settings *interface = &settings->interfaces[*count];
	*interface = settings->usual;
	memcpy(interface->name, name, sizeof(name));
	(*count)++;
	return 0;
}

static int accept_server(void *target, const struct option_value *value, struct error *error)
{
	struct relay_settings *settings = target;
	size_t *count = &settings->relay.server_count;
	struct ipv4 address;
	if (!ipv4_parse(value->text, &address) || ipv4_is_none(address) ||
		address.host == UINT32_MAX)
		return error_set(error, -EINVAL,
			"--server '%s' is no address of a server, such as 10.0.1.10", value->text);
	for (size_t i = 0; i < *count; i++)
		if (ipv4_equal(settings->relay.servers[i], address))
			return error_set(
				error, -EINVAL, "--server '%s' is there twice", value->text);
	if (*count == DHCP_RELAY_SERVERS_MAX)
		return error_set(
			error, -EINVAL, "--server: at most %d servers", DHCP_RELAY_SERVERS_MAX);
	settings->relay.servers[(*count)++] = address;
	return 0;
}

static int accept_agent(void *target, const struct option_value *value, struct error *error)
{
	struct relay_settings *settings = target;
	(void)value, (void)error;
	settings->relay.agent = true;
	return 0;
}

static int accept_id(
	struct dhcp_relay_id *id, const struct option_value *value, struct error *error)
{
	size_t length = strlen(value->text);
	if (length == 0 || length > DHCP_RELAY_ID_MAX)
		return error_set(error, -EINVAL, "--%s '%s' is no id: 1 to %d bytes", value->name,
			value->text, DHCP_RELAY_ID_MAX);
	id->length = (uint8_t)length;
	memcpy(id->bytes, value->text, length);
	return 0;
}

static int accept_circuit_id(void *target, const struct option_value *value, struct error *error)
{
	struct relay_settings *settings = target;
	settings->relay.agent = true;
	section(settings)->circuit_said = true;
	section(settings)->circuit = (struct dhcp_relay_id){0};
	return strcmp(value->text, "none") == 0
		       ? 0
		       : accept_id(&section(settings)->circuit, value, error);
}

static int accept_remote_id(void *target, const struct option_value *value, struct error *error)
{
	struct relay_settings *settings = target;
	settings->relay.agent = true;
	section(settings)->remote_mac = strcmp(value->text, "mac") == 0;
	section(settings)->remote = (struct dhcp_relay_id){0};
	return section(settings)->remote_mac ? 0
					     : accept_id(&section(settings)->remote, value, error);
}

static int accept_trust(void *target, const struct option_value *value, struct error *error)
{
	(void)value, (void)error;
	section(target)->trusted = true;
	return 0;
}

static int accept_policy(void *target, const struct option_value *value, struct error *error)
{
	struct relay_settings *settings = target;
	settings->policy_said = true;
	if (!dhcp_relay_policy_parse(value->text, &settings->relay.policy))
		return error_set(error, -EINVAL,
			"--policy '%s' is none of forward, replace and drop", value->text);
	return 0;
}

static int accept_link_selection(
	void *target, const struct option_value *value, struct error *error)
{
	struct relay_settings *settings = target;
	settings->relay.agent = settings->relay.link_selection = true;
	return option_interface(settings->uplink, value, error);
}

static int accept_downstream(void *target, const struct option_value *value, struct error *error)
{
	struct relay_settings *settings = target;
	size_t *count = &settings->relay.downstream_count;
	struct prefix *prefix = &settings->relay.downstream[*count];
	if (*count == DHCP_RELAY_DOWNSTREAM_MAX)
		return error_set(error, -EINVAL, "--downstream: at most %d subnets",
			DHCP_RELAY_DOWNSTREAM_MAX);
	*prefix = (struct prefix){.length = 32};
	if (!ipv4_parse(value->text, &prefix->address) && !prefix_parse(value->text, prefix))
		return error_set(error, -EINVAL,
			"--downstream '%s' is neither an address nor a subnet such as 10.0.3.0/24",
			value->text);
	(*count)++;
	return 0;
}

static int accept_number(const struct option_value *value, uint64_t least, uint64_t most,
	uint64_t *ret_number, struct error *error)
{
	if (!text_parse_number(value->text, least, most, ret_number))
		return error_set(error, -EINVAL, "--%s '%s' is no number from %llu to %llu",
			value->name, value->text, (unsigned long long)least,
			(unsigned long long)most);
	return 0;
}

static int accept_hops(void *target, const struct option_value *value, struct error *error)
{
	struct relay_settings *settings = target;
	uint64_t number = 0;
	int status = accept_number(value, 0, DHCP_HOPS_MAX, &number, error);
	settings->relay.hops_most = (unsigned)number;
	return status;
}

static int accept_secs(void *target, const struct option_value *value, struct error *error)
{
	struct relay_settings *settings = target;
	uint64_t number = 0;
	int status = accept_number(value, 0, UINT16_MAX, &number, error);
	settings->relay.secs_least = (unsigned)number;
	return status;
}

static int accept_size(void *target, const struct option_value *value, struct error *error)
{
	struct relay_settings *settings = target;
	uint64_t number = 0;
	int status =
		accept_number(value, DHCP_MESSAGE_SIZE_MIN, DHCP_MESSAGE_SIZE_MAX, &number, error);
	settings->relay.size_most = number;
	return status;
}

static int accept_control(void *target, const struct option_value *value, struct error *error)
{
	struct relay_settings *settings = target;
	if (!*value->text || strlen(value->text) >= sizeof(settings->control))
		return error_set(error, -EINVAL, "--control '%s' is no path: 1 to %zu bytes",
			value->text, sizeof(settings->control) - 1);
	snprintf(settings->control, sizeof(settings->control), "%s", value->text);
	return 0;
}

static const struct option options[] = {
	{.help = "between whom"},
	{"interface", "IF", "where clients are; repeatable", accept_interface},
	{"server", "ADDR", "a DHCP server to pass requests to; repeatable", accept_server},
	{.help = "what is passed on"},
	{"max-hops", "N", "drop what has passed more relays; 0 to 16; default: 4", accept_hops},
	{"min-secs", "N", "leave younger clients to the servers on their own link; default: 0",
		accept_secs},
	{"downstream", "SUBNET",
		"where relays behind us have their addresses; repeatable; default:\n"
		"anywhere",
		accept_downstream},
	{.help = "option 82: telling servers where a client is (RFC 3046)"},
	{"option-82", NULL, "add it, with the circuit id alone", accept_agent},
	{"circuit-id", "TEXT", "add it with this one, or `none`; default: the interface's name",
		accept_circuit_id},
	{"remote-id", "TEXT", "add it with this one too, or with `mac`: the interface's own",
		accept_remote_id},
	{"link-selection", "IF",
		"add the client's subnet to it (RFC 3527): giaddr is then IF's\n"
		"address, for servers that reach only that one",
		accept_link_selection},
	{"max-size", "BYTES", "leave it out where a request would become longer; default: 1472",
		accept_size},
	{"trust", NULL, "clients' requests may have it already: a switch has added it",
		accept_trust},
	{"policy", "WORD",
		"where it rightly stands already: `forward` the request as it is,\n"
		"`replace` it by ours, or `drop` the request; default: forward",
		accept_policy},
	{.help = "this relay"},
	{"control", "PATH", "the socket for the command above; default:\n/run/dhcp-relay.sock",
		accept_control},
};

static const struct option commands[] = {
	{"status", NULL, "what it has passed on and dropped, and why (--json)", NULL},
};

const struct program relay_program = {
	.name = "dhcp-relay",
	.synopsis = "--interface IF --server ADDR [options]\n       dhcp-relay COMMAND [--control "
		    "PATH]",
	.purpose = "Pass DHCP between clients and servers in other subnets (RFC 1542), in the "
		   "foreground;\na command asks the one that runs. --circuit-id, --remote-id and "
		   "--trust are of the\n--interface before them; before the first one, of every "
		   "interface that follows.",
	.options = options,
	.option_count = ARRAY_LENGTH(options),
	.commands = commands,
	.command_count = ARRAY_LENGTH(commands),
};

void relay_settings_init(struct relay_settings *settings)
{
	*settings = (struct relay_settings){
		.relay.hops_most = DHCP_RELAY_HOPS_USUAL,
		.relay.size_most = DHCP_MESSAGE_SIZE_MAX,
	};
}

int relay_settings_read(int argc, char **argv, struct relay_settings *settings, struct error *error)
{
	relay_settings_init(settings);
	int status = options_read(&relay_program, argc, argv, settings, NULL, error);
	if (status < 0)
		return status;
	if (settings->relay.interface_count == 0)
		return error_set(error, -EINVAL, "--interface IF is missing");
	if (settings->relay.server_count == 0)
		return error_set(error, -EINVAL, "--server ADDR is missing");
	if (settings->relay.policy == DHCP_RELAY_REPLACE && !settings->relay.agent)
		return error_set(error, -EINVAL,
			"--policy replace needs --option-82: there is nothing to replace it by");
	for (size_t i = 0; i < settings->relay.interface_count; i++)
		if (strcmp(settings->interfaces[i].name, settings->uplink) == 0)
			return error_set(error, -EINVAL,
				"--link-selection '%s' is where clients are: name the interface "
				"towards the servers",
				settings->uplink);
	return 0;
}
