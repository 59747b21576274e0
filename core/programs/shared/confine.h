/*
 * The least that a program needs of the file system and of its user, once everything is open.
 */
#ifndef PROGRAMS_SHARED_CONFINE_H
#define PROGRAMS_SHARED_CONFINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct confine_path {
	const char *
		path; /* a directory and all below it, or one file; what is not there is left out */
	bool write; /* else it is only read */
};

/*
 * From now on this process and its children see nothing of the file system but these (Landlock,
 * Linux 5.13); what is open stays open. ret_confined: false where the kernel cannot do it, which is
 * no error. Call it after no_new_privs is set (privileges_keep()), before threads are made.
 */
int confine_files(
	const struct confine_path *paths, size_t count, bool *ret_confined, struct error *error);

/*
 * Become that user, with its groups, for good. Fails where there is no such user, or where we may
 * not: in a user namespace there may be nobody else.
 */
int confine_to_user(const char *name, struct error *error);

#endif
