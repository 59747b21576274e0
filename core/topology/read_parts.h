/* Between the files read*.c: the readers of a file's parts, each named by what it reads. */
#ifndef TOPOLOGY_READ_PARTS_H
#define TOPOLOGY_READ_PARTS_H

#include "topology/yaml.h"

/*
 * A file's parts are read in passes, each over all files: what comes later needs what comes before,
 * wherever they stand.
 */
enum pass {
	PASS_EVERY, /* of a part: its own parts have passes */
	PASS_INCLUDES,
	PASS_VARIABLES,
	PASS_SETTINGS, /* names, pools, defaults and kinds */
	PASS_NODES,
	PASS_LINKS,
	PASS_SCENARIOS,
};

struct file_part {
	const char *name;
	enum pass pass;
	yaml_read *read;
	bool required; /* in the file asked for; those it includes may do without */
};

enum { FILE_PARTS_MOST = 16 };

struct file_form {
	const char *what;
	const struct file_part *parts;
	size_t part_count;
};

/* A mapping of such parts: those of the pass that is on. */
int topology_read_parts(const struct yaml_value *value, const struct file_form *form, void *target,
	struct error *error);

/* What nodes take from `defaults:` or an entry of `kinds:`. */
struct node_layer {
	const char *kind; /* NULL: defaults */
	struct yaml_source *source;
	yaml_node_t *node;
};

/* One topology being read. */
struct reading {
	struct topology *topology;
	const char *const *settings; /* NAME=VALUE of --set, which come before `vars` */
	size_t setting_count, own_settings;
	struct yaml_source **sources; /* included ones before those that include them */
	size_t source_count;
	enum pass pass;
	struct node_layer *defaults, *kinds; /* in the order of the sources */
	size_t default_count, kind_count;
	bool has_network; /* one of the files has `topology` */
};

/* For CLEANUP(). */
void reading_finish(struct reading *reading);

/*
 * Open a file and those it includes, and read their PASS_INCLUDES. `includer` is the value that
 * names it; NULL: it is the one asked for.
 */
int topology_open_file(struct reading *reading, const char *path, const struct yaml_value *includer,
	struct error *error);

/* A file's parts of the pass that is on, into the topology. */
int topology_read_file(struct yaml_source *source, struct error *error);

/* `include:` and `vars:`, into a struct reading. */
yaml_read topology_read_include;
yaml_read topology_read_variables;

/* Whether all settings are NAME=VALUE, and texts. */
int topology_check_settings(const struct reading *reading, struct error *error);

/* Whether `vars` has an entry for each; it has been read. */
int topology_check_settings_known(const struct reading *reading, struct error *error);

/* `topology:` with its nodes and links. */
yaml_read topology_read_network;

/* Its parts; links name nodes, which must have been read. */
yaml_read topology_read_defaults;
yaml_read topology_read_kinds;
yaml_read topology_read_nodes;
yaml_read topology_read_links;

/* The keys of a node. */
extern const struct yaml_form topology_node_form;

/* What the nodes of one entry of `nodes:` are made of. */
struct node_entry {
	const struct yaml_value *value;
	enum node_kind kind;
	struct yaml_layer *layers; /* defaults, those of its kind, its own; with all files read */
	size_t layer_count;
};

/*
 * Find the kind and the layers of the entry `value`. Where the kind is faulty (-EINVAL) the layers
 * are there still. For both outcomes, node_entry_finish().
 */
int node_entry_begin(const struct yaml_value *value, struct node_entry *entry, struct error *error);
void node_entry_finish(struct node_entry *entry);

/* `run:`, `routes:` and the like into a struct node. */
yaml_read topology_read_processes;
yaml_read topology_read_routes;
yaml_read topology_read_binds;
yaml_read topology_read_sysctls;
yaml_read topology_read_exec;
yaml_read topology_read_workdir;
yaml_read topology_read_cpu;
yaml_read topology_read_memory;

/* Whether what the last six read fits the node; `value` is its own entry. */
int topology_check_details(const struct yaml_value *value, struct node *node, struct error *error);

/* A path in a file is relative to that file: on the heap; NULL when memory is gone. */
char *topology_path_beside(const struct yaml_source *source, const char *path);

/* Whether it has `..` among its parts. */
bool topology_path_climbs(const char *path);

/* `scenarios:`; nodes must have been read. */
yaml_read topology_read_scenarios;

/* `ready: true`, `{port: N}` or `{log: TEXT}` into a struct ready. */
int topology_read_ready(
	const struct yaml_value *value, struct ready *ret_ready, struct error *error);

/* Nodes that a value names: `server`, `client[1-9]`, or a list of such. */
struct node_selection {
	size_t *nodes; /* indexes in topology.nodes, in the order they were named; none twice */
	size_t count;
	char *written_as;
};

/* Zeroed before. node_selection_finish() frees it, also where this fails. */
int topology_read_selection(const struct yaml_value *value, const struct topology *topology,
	struct node_selection *selection, struct error *error);

/* For CLEANUP(). */
void node_selection_finish(struct node_selection *selection);

/* A step being read: nodes are looked up in the topology. */
struct step_target {
	const struct topology *topology;
	struct step *step;
	bool has_kind, has_filter;
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
