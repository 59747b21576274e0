/*
 * What a group of processes may use together, by the kernel's control groups where this machine
 * lets us make one (version 1 or 2: as root, or where a part of the tree is delegated to us), else by
 * limits of each process (setrlimit(2)), which hold less.
 */
#ifndef PROCESS_GROUP_H
#define PROCESS_GROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/text.h"

enum {
	GROUP_PROCESSES = 256, /* threads too */
	GROUP_MEMORY_MIB = 512,
	GROUP_FOLDERS_MOST = 2, /* version 1 has one for each controller */
};

struct group {
	char *folders[GROUP_FOLDERS_MOST];
	int procs_fds[GROUP_FOLDERS_MOST]; /* cgroup.procs, open for writing */
	size_t folder_count;
	bool processes, memory; /* limited together */
	pid_t keeper; /* removes the folders when the maker has ended in any way; 0: none */
	int lifeline;
};

/* A group that is not there. */
#define GROUP_NONE ((struct group){.procs_fds = {-1, -1}, .lifeline = -1})

/*
 * Make one with the limits above, as far as the machine lets us: that it does not is no error. The
 * descriptors stay open across changes of user: who opened them may let processes in.
 */
void group_create(struct group *ret_group);

/* Remove it, when nothing is left in there; for CLEANUP(). */
void group_remove(struct group *group);

/* The caller moves into it. */
int group_join(const struct group *group, struct error *error);

/* Limits of each process, for setrlimit(2): RLIM_INFINITY where the group has a better one. */
rlim_t group_processes(const struct group *group);
rlim_t group_memory(const struct group *group);

/* What holds, in words, and what this machine cannot limit: one sentence for each. */
void group_describe(const struct group *group, struct text *text);

#endif
