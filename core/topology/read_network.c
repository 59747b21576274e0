/* `topology:` of a file. */
#include "base/cleanup.h"
#include "topology/read_parts.h"

/* Links are read last: they name nodes. */
static int read_nothing(const struct yaml_value *value, void *target, struct error *error)
{
	(void)value, (void)target, (void)error;
	return 0;
}

static int read_pool(const struct yaml_value *value, enum ip_family family,
	struct topology *topology, struct error *error)
{
	topology->pool_marks[family] = yaml_mark(value->node);
	return yaml_read_subnet(value, family, &topology->pools[family], error);
}

static int read_ipv4(const struct yaml_value *value, void *target, struct error *error)
{
	return read_pool(value, IPV4, target, error);
}

static int read_ipv6(const struct yaml_value *value, void *target, struct error *error)
{
	return read_pool(value, IPV6, target, error);
}

int topology_read_network(const struct yaml_value *value, void *target, struct error *error)
{
	static const struct yaml_key keys[2][4] = {
		{{"ipv4", read_ipv4, false}, {"ipv6", read_ipv6, false},
			{"nodes", topology_read_nodes, true}, {"links", read_nothing, false}},
		{{"ipv4", read_nothing, false}, {"ipv6", read_nothing, false},
			{"nodes", read_nothing, true}, {"links", topology_read_links, false}},
	};
	int status = 0;
	for (size_t i = 0; status == 0 && i < 2; i++) {
		struct yaml_form form = {"topology", keys[i], ARRAY_LENGTH(keys[i])};
		status = yaml_read_form(value->source, value->node, &form, target, error);
	}
	return status;
}
