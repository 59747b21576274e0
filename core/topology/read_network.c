/* `topology:` of a file. */
#include "topology/read_parts.h"

/* Links are read last: they name nodes. */
static int read_nothing(const struct yaml_value *value, void *target, struct error *error)
{
	(void)value, (void)target, (void)error;
	return 0;
}

int topology_read_network(const struct yaml_value *value, void *target, struct error *error)
{
	static const struct yaml_key keys[2][2] = {
		{{"nodes", topology_read_nodes, true}, {"links", read_nothing, false}},
		{{"nodes", read_nothing, true}, {"links", topology_read_links, false}},
	};
	int status = 0;
	for (size_t i = 0; status == 0 && i < 2; i++) {
		struct yaml_form form = {"topology", keys[i], 2};
		status = yaml_read_form(value->source, value->node, &form, target, error);
	}
	return status;
}
