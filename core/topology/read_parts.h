/* Between read.c, read_nodes.c and read_scenarios.c: the readers of the file's parts. */
#ifndef TOPOLOGY_READ_PARTS_H
#define TOPOLOGY_READ_PARTS_H

#include "topology/yaml.h"

/* `topology:` with its nodes and links. */
yaml_read topology_read_network;

/* `scenarios:`; nodes must have been read. */
yaml_read topology_read_scenarios;

/* `ready: true`, `{port: N}` or `{log: TEXT}` into a struct ready. */
int topology_read_ready(
	const struct yaml_value *value, struct ready *ret_ready, struct error *error);

/* Whether it has letters, digits, `-`, `_` and `.` only, as all names have. */
bool topology_name_fits(const char *name);

/* The same, and its length, with the error that says so. */
int topology_check_name(
	const struct yaml_value *value, const char *name, const char *what, struct error *error);

#endif
