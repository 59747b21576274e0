/*
 * Read a topology file into the model. The file's form is described in topologies/README.md and by
 * the tables in the files read*.c.
 */
#ifndef TOPOLOGY_READ_H
#define TOPOLOGY_READ_H

#include "base/error.h"
#include "topology/model.h"

/*
 * path: the file. settings: `count` texts NAME=VALUE (--set) that replace entries of its `vars`.
 * ret_topology: owned by the caller (topology_finish()); untouched on failure.
 * Errors: "FILE:LINE:COLUMN: sentence".
 */
int topology_read(const char *path, const char *const *settings, size_t setting_count,
	struct topology *ret_topology, struct error *error);

#endif
