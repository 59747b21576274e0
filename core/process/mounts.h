/* Mounts of a node, a cell and a process apart. Errors name the path. */
#ifndef PROCESS_MOUNTS_H
#define PROCESS_MOUNTS_H

#include <stdbool.h>

#include "base/error.h"

int mount_new(const char *type, const char *target, unsigned long flags, const char *options,
	struct error *error);

/* mkdir -p, for a mount point on a fresh tmpfs. */
int mount_point(const char *path, struct error *error);

/*
 * Show `source`, a folder with all that is mounted below it, or a file, at `target`, whose mount
 * point is made.
 */
int mount_shown(const char *source, const char *target, struct error *error);

/* Nothing at and below `path` can be written to or run with another's rights any more. */
int mount_read_only(const char *path, struct error *error);

#endif
