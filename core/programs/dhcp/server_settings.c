#include "programs/dhcp/server_settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"

bool server_settings_serve(const struct server_settings *settings, const char *interface)
{
	for (size_t i = 0; i < settings->interface_count; i++)
		if (strcmp(settings->interfaces[i], interface) == 0)
			return true;
	return settings->interface_count == 0;
}

static void log_subnet(const struct dhcp_subnet_settings *subnet)
{
	uint64_t addresses = 0;
	for (size_t i = 0; i < subnet->range_count; i++)
		addresses +=
			(uint64_t)subnet->ranges[i].last.host - subnet->ranges[i].first.host + 1;
	size_t bindings = subnet->binding_count, options = subnet->options.count;
	char most[32] = "endless ones";
	if (subnet->lease.most != DHCP_LEASE_INFINITE)
		snprintf(most, sizeof(most), "%u s", subnet->lease.most);
	log_line("serving %s: %llu address%s, %zu binding%s, %zu option%s, leases of %u s to %s",
		PREFIX_TEXT(subnet->prefix), (unsigned long long)addresses,
		addresses == 1 ? "" : "es", bindings, TEXT_PLURAL(bindings), options,
		TEXT_PLURAL(options), subnet->lease.least, most);
}

void server_settings_log(const struct server_settings *settings)
{
	enum { TOLD = 20 };
	const struct dhcp_server_settings *machine = &settings->machine;
	for (size_t i = 0; i < machine->subnet_count && i < TOLD; i++)
		log_subnet(&machine->subnets[i]);
	if (machine->subnet_count > TOLD)
		log_line("serving %zu more subnets", machine->subnet_count - TOLD);
	for (size_t i = 0; i < settings->complaint_count; i++)
		log_line("error: %s", settings->complaints[i]);
}

static void section_finish(struct server_section *section)
{
	for (size_t i = 0; i < section->given_count; i++)
		free(section->given[i].origin);
	for (size_t i = 0; i < section->option_count; i++)
		free(section->options[i].origin);
	free(section->given);
	free(section->options);
	free(section->origin);
	dhcp_option_list_finish(&section->values);
}

static void ranges_finish(struct server_range *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(list[i].origin);
	free(list);
}

static void texts_finish(char **list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(list[i]);
	free(list);
}

void server_settings_finish(struct server_settings *settings)
{
	for (size_t i = 0; i < settings->binding_count; i++) {
		dhcp_option_list_finish(&settings->bindings[i].binding.options);
		free(settings->bindings[i].origin);
	}
	free(settings->bindings);
	for (size_t i = 0; i < settings->subnet_count; i++) {
		section_finish(&settings->subnets[i]);
		if (settings->machine_subnets)
			dhcp_option_list_finish(&settings->machine_subnets[i].options);
	}
	free(settings->subnets);
	section_finish(&settings->everywhere);
	ranges_finish(settings->pools, settings->pool_count);
	ranges_finish(settings->routers, settings->router_count);
	texts_finish(settings->interfaces, settings->interface_count);
	texts_finish(settings->complaints, settings->complaint_count);
	free(settings->database);
	free(settings->control);
	free(settings->open_file);
	free(settings->machine_subnets);
	free(settings->machine_ranges);
	free(settings->machine_bindings);
	*settings = (struct server_settings){0};
}
