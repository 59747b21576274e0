/*
 * What a group of processes may use together, by the kernel's control groups where this machine
 * lets us make one (version 1 or 2: as root, or where a part of the tree is delegated to us). A group
 * can have parts with limits of their own besides.
 */
#ifndef PROCESS_GROUP_H
#define PROCESS_GROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/* What is limited; each is a controller of its own. */
enum group_resource { GROUP_PROCESSES, GROUP_MEMORY, GROUP_CPU, GROUP_RESOURCES };

/* 0: no limit. */
struct group_limits {
	unsigned processes; /* threads too */
	uint64_t memory_bytes;
	unsigned cpu_thousandths; /* of a processor */
};

struct group {
	struct group_limits limits;
	bool holds[GROUP_RESOURCES]; /* the limit, where there is one */
	bool unified; /* version 2: one folder for all */
	char *folders[GROUP_RESOURCES]; /* by resource; NULL: none. Of version 2 the first alone */
	int procs_fds[GROUP_RESOURCES]; /* cgroup.procs of each, open for writing, or -1; of a
						* part -1, for there may be ten thousand */
	const struct group *whole; /* of which it is a part; NULL: of none */
	pid_t keeper; /* removes the folders when the maker has ended in any way; 0: none */
	int lifeline;
};

/* A group that is not there. */
#define GROUP_NONE ((struct group){.procs_fds = {-1, -1, -1}, .lifeline = -1})

/*
 * Make one with these limits, as far as the machine lets us: that it does not is no error, and
 * ret_group->holds says so. parts: the limits that its parts will have, any number that is not 0
 * for those there are; NULL: it has no parts. The descriptors stay open across changes of user: who
 * opened them may let processes in.
 */
void group_create(const struct group_limits *limits, const struct group_limits *parts,
	struct group *ret_group);

/*
 * Make a part of it, called `name`, for group_remove() before the whole's, which must stay where it
 * is. Who joins the part is in the whole as well.
 */
void group_create_part(const struct group *whole, const char *name,
	const struct group_limits *limits, struct group *ret_part);

/* Remove it, when nothing is left in there; for CLEANUP(). */
void group_remove(struct group *group);

/* The caller moves into it. */
int group_join(const struct group *group, struct error *error);

/* Some of the processes that are in it, but not in its parts: at most `most`. Returns how many. */
size_t group_members(const struct group *group, pid_t *ret_pids, size_t most);

/* How often the kernel refused a process more than the limit, or ended one that wanted memory. */
uint64_t group_refused(const struct group *group, enum group_resource resource);

#endif
