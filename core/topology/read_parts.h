/* Between the files read*.c: the readers of a file's parts, each named by what it reads. */
#ifndef TOPOLOGY_READ_PARTS_H
#define TOPOLOGY_READ_PARTS_H

#include "topology/yaml.h"

/* Where `vars:` are read to, and the NAME=VALUE of --set that come first. */
struct variables_target {
	struct topology *topology;
	const char *const *settings;
	size_t setting_count;
};

/* `vars:` into a struct variables_target. */
yaml_read topology_read_variables;

/* Whether all are NAME=VALUE, and texts. */
int topology_check_settings(const char *const *settings, size_t count, struct error *error);

/* Whether `vars` has an entry for each; it has been read. */
int topology_check_settings_known(const struct variables_target *target, struct error *error);

/* `topology:` with its nodes and links. */
yaml_read topology_read_network;

/* `nodes:` and `links:` of it; links name nodes, which must have been read. */
yaml_read topology_read_nodes;
yaml_read topology_read_links;

/* `run:` and `routes:` into a struct node. */
yaml_read topology_read_processes;
yaml_read topology_read_routes;

/* `scenarios:`; nodes must have been read. */
yaml_read topology_read_scenarios;

/* `ready: true`, `{port: N}` or `{log: TEXT}` into a struct ready. */
int topology_read_ready(
	const struct yaml_value *value, struct ready *ret_ready, struct error *error);

/* A step being read: nodes are looked up in the topology. */
struct step_target {
	const struct topology *topology;
	struct step *step;
	bool has_kind, has_filter;
	bool *selected; /* while `on` is read, by node: it stands there already */
};

/* `giaddr`, `client` and the like into a struct step_target. */
yaml_read topology_read_filter;

/* One of a scenario's `steps:`. */
int topology_read_step(struct yaml_source *source, yaml_node_t *item,
	const struct topology *topology, struct step *step, struct error *error);

/* `expect:` into a struct expectation. */
yaml_read topology_read_expect;

/* Whether the step's kind can tell what its `expect` asks, and asks something where it must. */
int topology_check_expect(struct yaml_source *source, const struct step *step, struct error *error);

/* Whether it has letters, digits, `-`, `_` and `.` only, as all names have. */
bool topology_name_fits(const char *name);

/* The same, and its length, with the error that says so. */
int topology_check_name(
	const struct yaml_value *value, const char *name, const char *what, struct error *error);

#endif
