/* `topology:` of a file. */
#include "base/cleanup.h"
#include "topology/read_parts.h"

static int read_pool(const struct yaml_value *value, enum ip_family family,
	struct topology *topology, struct error *error)
{
	topology->pool_marks[family] = yaml_mark(value->node);
	int status = yaml_read_subnet(value, family, &topology->pools[family], error);
	if (status < 0)
		topology->missing |= MISSING_POOLS;
	return status;
}

static int read_ipv4(const struct yaml_value *value, void *target, struct error *error)
{
	return read_pool(value, IPV4, target, error);
}

static int read_ipv6(const struct yaml_value *value, void *target, struct error *error)
{
	return read_pool(value, IPV6, target, error);
}

static const struct file_part network_parts[] = {
	{"ipv4", PASS_SETTINGS, read_ipv4, false},
	{"ipv6", PASS_SETTINGS, read_ipv6, false},
	{"defaults", PASS_SETTINGS, topology_read_defaults, false},
	{"kinds", PASS_SETTINGS, topology_read_kinds, false},
	{"nodes", PASS_NODES, topology_read_nodes, true},
	{"links", PASS_LINKS, topology_read_links, false},
};

int topology_read_network(const struct yaml_value *value, void *target, struct error *error)
{
	static const struct file_form form = {
		"topology", network_parts, ARRAY_LENGTH(network_parts)};
	value->source->reading->has_network = true;
	return topology_read_parts(value, &form, target, error);
}
