/*
 * Read a topology file into the model. The file's form is described in topologies/README.md and by
 * the tables in the files read*.c.
 */
#ifndef TOPOLOGY_READ_H
#define TOPOLOGY_READ_H

#include "base/error.h"
#include "topology/model.h"

struct topology_request {
	const char *path;
	const char *const *settings; /* NAME=VALUE (--set), which replace entries of its `vars` */
	size_t setting_count;
	struct problems *problems; /* NULL: reading ends at the first one, told by the error */
	/* So many settings are of who answers for the topology: what they bring is not foreign. */
	size_t own_settings;
};

/*
 * Read the file and those it includes. ret_topology: owned by the caller (topology_finish()), keeps
 * `problems`, which must outlive it. Errors: "FILE:LINE:COLUMN: sentence". On failure it is left
 * untouched, or where there are `problems` also set to what could be read, with `faulty`: a plan of
 * that finds what else is wrong.
 */
int topology_read_with(
	const struct topology_request *request, struct topology *ret_topology, struct error *error);

/* The same, to the first problem. */
int topology_read(const char *path, const char *const *settings, size_t setting_count,
	struct topology *ret_topology, struct error *error);

/*
 * Read a file that brings programs: a mapping of variables that commands of `topology` begin with to
 * commands. ret_settings: NAME=COMMAND, each and the array on the heap, added to `*ret_count`.
 */
int topology_read_programs(const char *path, const struct topology *topology, char ***ret_settings,
	size_t *ret_count, struct error *error);

/* Whether that variable begins a command; the error names those that do. */
int topology_check_program(const struct topology *topology, const char *name, struct error *error);

#endif
