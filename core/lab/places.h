/*
 * Where things are: in a source tree `build/bin/sim` finds `topologies/` and `results/` two folders
 * up, that of a variant (`build/asan/bin/sim`) three; installed, topologies are in `share/sim/`
 * beside `bin/`, and results go to the working directory.
 */
#ifndef LAB_PLACES_H
#define LAB_PLACES_H

#include <limits.h>
#include <stddef.h>

#include "base/error.h"

struct places {
	char programs[PATH_MAX]; /* our programs; first in the PATH of nodes */
	char root[PATH_MAX]; /* the source tree, or the installation's share/sim */
	char topologies[PATH_MAX];
	char results[PATH_MAX];
	char working[PATH_MAX];
};

int places_find(struct places *ret_places, struct error *error);

/* Put our programs first in this process's PATH, which nodes inherit. */
int places_set_path(const struct places *places, struct error *error);

/*
 * The file that TOPOLOGY names: a path where it holds a '/' or ends in .yaml or .yml, else
 * topologies/NAME.yaml. An unknown name is an error that tells the nearest known one.
 */
int places_topology(const struct places *places, const char *topology,
	char ret_path[static PATH_MAX], struct error *error);

/* The names in topologies/, sorted, NULL-terminated; the array and its texts are the caller's. */
int places_list(
	const struct places *places, char ***ret_names, size_t *ret_count, struct error *error);

#endif
