#include "programs/dhcp/relay_status.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

static json_t *count(uint64_t number)
{
	return json_integer((json_int_t)number);
}

static json_t *types_status(const uint64_t counters[static DHCP_RELAY_TYPES], const char *bootp)
{
	json_t *types = json_object();
	uint64_t all = 0;
	for (unsigned i = 0; i < DHCP_RELAY_TYPES; i++) {
		const char *name = i == 0 ? bootp : dhcp_message_type_name(i);
		if (i == DHCP_RELAY_TYPES - 1)
			name = "other";
		all += counters[i];
		if (counters[i] > 0)
			json_object_set_new(types, name, count(counters[i]));
	}
	return json_pack("{s:o, s:o}", "passed", count(all), "types", types);
}

static json_t *dropped_status(const struct dhcp_relay *relay)
{
	json_t *dropped = json_object();
	for (unsigned i = 0; i < DHCP_RELAY_REASONS; i++)
		json_object_set_new(dropped, dhcp_relay_reason_name(i), count(relay->reasons[i]));
	return dropped;
}

static json_t *interfaces_status(const struct dhcp_relay *relay, const struct relay_links *links)
{
	json_t *list = json_array();
	for (size_t i = 0; i < relay->settings.interface_count; i++) {
		const struct dhcp_relay_interface *interface = &relay->settings.interfaces[i];
		char *name = text_sanitize(links->settings->interfaces[i].name,
			strlen(links->settings->interfaces[i].name));
		json_array_append_new(
			list, json_pack("{s:s*, s:s, s:s, s:b, s:o, s:o}", "name", name, "state",
				      relay_link_state_name(links->states[i]), "address",
				      ipv4_is_none(interface->address.address)
					      ? "none"
					      : PREFIX_TEXT(interface->address),
				      "trusted", interface->trusted, "requests",
				      count(relay->interface_requests[i]), "replies",
				      count(relay->interface_replies[i])));
		free(name);
	}
	return list;
}

static json_t *servers_status(const struct dhcp_relay *relay)
{
	json_t *list = json_array();
	for (size_t i = 0; i < relay->settings.server_count; i++)
		json_array_append_new(list, json_pack("{s:s, s:o, s:o}", "address",
						    IPV4_TEXT(relay->settings.servers[i]),
						    "requests", count(relay->server_requests[i]),
						    "replies", count(relay->server_replies[i])));
	return list;
}

json_t *relay_status(
	const struct dhcp_relay *relay, const struct relay_links *links, uint64_t uptime_seconds)
{
	const struct dhcp_relay_agent_counters *agent = &relay->agent;
	json_t *option_82 = json_pack("{s:o, s:o, s:o, s:o, s:o}", "added", count(agent->added),
		"replaced", count(agent->replaced), "kept", count(agent->kept), "left_out",
		count(agent->left_out), "removed", count(agent->removed));
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "program",
		relay_program.name, "version", SIM_VERSION, "uptime_seconds", count(uptime_seconds),
		"interfaces", interfaces_status(relay, links), "servers", servers_status(relay),
		"requests", types_status(relay->requests, "BOOTREQUEST"), "replies",
		types_status(relay->replies, "BOOTREPLY"), "dropped", dropped_status(relay),
		"option_82", option_82);
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "?";
}

static long long number_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static void print_counters(const char *title, const json_t *counters)
{
	const char *name;
	json_t *value;
	bool any = false;
	json_object_foreach((json_t *)counters, name, value)
	{
		if (json_integer_value(value) == 0)
			continue;
		printf("%-10s %-24s %10lld\n", any ? "" : title, name,
			(long long)json_integer_value(value));
		any = true;
	}
	if (!any)
		printf("%-10s %-24s %10d\n", title, "-", 0);
}

static void print_table(const json_t *status)
{
	size_t i;
	json_t *row;
	printf("dhcp-relay %s, up %lld s\n\n", text_of(status, "version"),
		number_of(status, "uptime_seconds"));
	printf("%-16s %-11s %-18s %10s %10s\n", "interface", "state", "address", "requests",
		"replies");
	json_array_foreach(json_object_get(status, "interfaces"), i, row) printf(
		"%-16s %-11s %-18s %10lld %10lld\n", text_of(row, "name"), text_of(row, "state"),
		text_of(row, "address"), number_of(row, "requests"), number_of(row, "replies"));
	printf("\n%-16s %-11s %-18s %10s %10s\n", "server", "", "", "requests", "replies");
	json_array_foreach(json_object_get(status, "servers"), i, row)
		printf("%-16s %-11s %-18s %10lld %10lld\n", text_of(row, "address"), "", "",
			number_of(row, "requests"), number_of(row, "replies"));
	putchar('\n');
	print_counters("requests", json_object_get(json_object_get(status, "requests"), "types"));
	print_counters("replies", json_object_get(json_object_get(status, "replies"), "types"));
	print_counters("dropped", json_object_get(status, "dropped"));
	print_counters("option 82", json_object_get(status, "option_82"));
}

static const struct operator_command commands[] = {
	{.name = "status", .print = print_table},
};

const struct operator_program relay_operator = {
	.program = &relay_program,
	.commands = commands,
	.command_count = ARRAY_LENGTH(commands),
};
