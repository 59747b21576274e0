/* The end of server_settings.h: what was checked, in the form that the machine takes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "programs/dhcp/server_settings.h"
#include "programs/dhcp/server_settings_parts.h"

enum { LEASE_SECONDS_DEFAULT = 3600 };

const char *server_settings_given(const struct server_section *section, const char *name)
{
	for (size_t i = 0; i < section->given_count; i++)
		if (strcmp(section->given[i].name, name) == 0)
			return section->given[i].origin;
	return NULL;
}

/* NULL where it was said neither in the section nor for every subnet. */
static const char *given_origin(const struct server_settings *settings,
	const struct server_section *section, const char *name)
{
	const char *own = server_settings_given(section, name);
	return own ? own : server_settings_given(&settings->everywhere, name);
}

static char *seconds_format(uint32_t seconds, char text[static 16])
{
	if (seconds == DHCP_LEASE_INFINITE)
		snprintf(text, 16, "infinite");
	else
		snprintf(text, 16, "%u", seconds);
	return text;
}
#define SECONDS_TEXT(seconds) seconds_format((seconds), (char[16]){0})

static uint32_t first_of(uint32_t own, uint32_t everywhere, uint32_t other)
{
	return own ? own : everywhere ? everywhere : other;
}

/* What is not said follows from what is: only two values that were said can contradict. */
static int lease_times(const struct server_settings *settings, const struct server_section *section,
	struct dhcp_lease_times *ret_times, struct error *error)
{
	const struct dhcp_lease_times *own = &section->lease, *all = &settings->everywhere.lease;
	struct dhcp_lease_times times = {
		.least = first_of(own->least, all->least, 1),
		.usual = first_of(own->usual, all->usual, 0),
		.most = first_of(own->most, all->most, 0),
	};
	if (!times.usual) {
		times.usual = LEASE_SECONDS_DEFAULT;
		if (times.most && times.usual > times.most)
			times.usual = times.most;
		if (times.usual < times.least)
			times.usual = times.least;
	}
	if (!times.most)
		times.most = times.usual;
	const struct {
		const char *low_name, *high_name;
		uint32_t low, high;
	} pairs[] = {
		{"lease-least", "lease-most", times.least, times.most},
		{"lease-least", "lease", times.least, times.usual},
		{"lease", "lease-most", times.usual, times.most},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(pairs); i++) {
		const char *low = given_origin(settings, section, pairs[i].low_name);
		const char *high = given_origin(settings, section, pairs[i].high_name);
		if (low && high && pairs[i].low > pairs[i].high)
			return error_set(error, -EINVAL, "%s %s (%s) is more than %s %s (%s)",
				pairs[i].low_name, SECONDS_TEXT(pairs[i].low), low,
				pairs[i].high_name, SECONDS_TEXT(pairs[i].high), high);
	}
	*ret_times = times;
	return 0;
}

static int compare_machine_bindings(const void *a, const void *b)
{
	const struct dhcp_binding *left = a, *right = b;
	return left->address.host < right->address.host ? -1
							: left->address.host > right->address.host;
}

/* One subnet for the machine; its ranges and bindings are appended to the arrays of all. */
static int build_subnet(struct server_settings *settings, size_t index, size_t *range_count,
	size_t *binding_count, struct error *error)
{
	const struct server_section *section = &settings->subnets[index];
	struct dhcp_subnet_settings *subnet = &settings->machine_subnets[index];
	struct dhcp_range *ranges = settings->machine_ranges + *range_count;
	struct dhcp_binding *bindings = settings->machine_bindings + *binding_count;
	subnet->prefix = section->prefix;
	subnet->ranges = ranges;
	subnet->bindings = bindings;
	for (size_t i = 0; i < settings->pool_count; i++)
		if (settings->pools[i].subnet == index)
			ranges[subnet->range_count++] = settings->pools[i].range;
	for (size_t i = 0; i < settings->binding_count; i++)
		if (settings->bindings[i].subnet == index && !settings->bindings[i].duplicate)
			bindings[subnet->binding_count++] = settings->bindings[i].binding;
	if (subnet->range_count + subnet->binding_count == 0)
		return error_set(error, -EINVAL,
			"the subnet %s (%s) has neither a pool nor a binding: --pool FIRST-LAST is "
			"missing",
			PREFIX_TEXT(section->prefix), section->origin);
	qsort(bindings, subnet->binding_count, sizeof(*bindings), compare_machine_bindings);
	*range_count += subnet->range_count;
	*binding_count += subnet->binding_count;
	subnet->refuse_renewal = section->refuse_renewal || settings->everywhere.refuse_renewal;
	subnet->bootp = section->bootp || settings->everywhere.bootp;
	subnet->rapid_commit = section->rapid_commit || settings->everywhere.rapid_commit;
	if (!dhcp_option_list_complete(&subnet->options, &section->values) ||
		!dhcp_option_list_complete(&subnet->options, &settings->everywhere.values))
		return error_set(error, -ENOMEM, "out of memory");
	return lease_times(settings, section, &subnet->lease, error);
}

int server_settings_build(struct server_settings *settings, struct error *error)
{
	size_t ranges = 0, bindings = 0;
	settings->machine_subnets =
		calloc(settings->subnet_count, sizeof(struct dhcp_subnet_settings));
	settings->machine_ranges = calloc(settings->pool_count + 1, sizeof(struct dhcp_range));
	settings->machine_bindings =
		calloc(settings->binding_count + 1, sizeof(struct dhcp_binding));
	if (!settings->machine_subnets || !settings->machine_ranges || !settings->machine_bindings)
		return error_set(error, -ENOMEM, "out of memory");
	settings->machine.subnets = settings->machine_subnets;
	settings->machine.subnet_count = settings->subnet_count;
	for (size_t i = 0; i < settings->subnet_count; i++) {
		int status = build_subnet(settings, i, &ranges, &bindings, error);
		if (status < 0)
			return status;
	}
	return 0;
}
