/*
 * What the system allows, against what a plan takes: asked before anything is built, so that a
 * topology that is too large fails at once, with the limit's name, and leaves nothing.
 */
#ifndef KERNEL_SYSTEM_LIMITS_H
#define KERNEL_SYSTEM_LIMITS_H

#include "plan/needs.h"

#define SYSTEM_LIMIT_FILES  "open files"
#define SYSTEM_LIMIT_MEMORY "kernel memory" /* in bytes */

enum { SYSTEM_LIMITS = 8 };

struct system_limit {
	const char *what; /* "network namespaces" */
	const char *where; /* it is set: a file, or a command that shows it */
	uint64_t needed,
		allowed; /* allowed: UINT64_MAX where there is no limit, or none to be read */
};

/* Every limit that there is to a lab with those needs. */
void system_limits_list(
	const struct plan_needs *needs, struct system_limit ret_limits[static SYSTEM_LIMITS]);

/* The number in a file of /proc/sys; UINT64_MAX where there is none. */
uint64_t system_limit_read(const char *path);

/*
 * Fails with the first limit that is too low, and where it is set: -ENOSPC for
 * namespaces and processes, -EMFILE, -ENOMEM. A limit that cannot be read is taken as none.
 */
int system_limits_check(const struct plan_needs *needs, struct error *error);

#endif
