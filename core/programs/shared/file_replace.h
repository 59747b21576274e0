/* Put a file in another's place at once: who opens it sees the old one or the new one, whole. */
#ifndef PROGRAMS_SHARED_FILE_REPLACE_H
#define PROGRAMS_SHARED_FILE_REPLACE_H

#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

/*
 * Write `length` bytes to a temporary file in the folder of `path`, on the disk before it gets the
 * name. Its mode is `mode` whatever the umask. On failure `path` is as it was and nothing is left.
 */
int file_replace(
	const char *path, const void *bytes, size_t length, mode_t mode, struct error *error);

#endif
