/*
 * A cell: where a program that nobody has read runs. It stands in its node's network, and besides
 * that sees the system's programs and its own files, all read-only, and can write to nothing but its
 * working directory. It has a PID namespace of its own, few capabilities, no way to more, and limits.
 *
 *	sim (PID 1 of a process apart, apart.h)
 *	 \- warden   in the lab's PID namespace: hands signals on, ends as the program does
 *	     \- init   PID 1 of the cell's namespace: dies with the warden, and all in it with it
 *	         \- the program
 *
 * The three are one user to the host, and only what the program cannot see or hold keeps it from the
 * others: other PID namespaces, undumpable, with descriptors closed.
 */
#ifndef PROCESS_CELL_H
#define PROCESS_CELL_H

#include <stdbool.h>

#include "base/error.h"
#include "base/text.h"
#include "process/group.h"

struct cell {
	const char *files; /* a folder it may read, under that path */
	const struct group *group; /* that limits all cells of a submission */
};

enum {
	CELL_PROCESSES = 256, /* of all cells of a submission together; threads too */
	CELL_MEMORY_MIB = 512, /* likewise */
	CELL_FILE_MOST = 64 * 1024 * 1024, /* bytes of a file it writes */
};

/*
 * Make the group of the cells of a submission. Where the machine does not let us, limits of each
 * process take its place (setrlimit(2)), which hold less.
 */
void cell_group_create(struct group *ret_group);

/* What holds, in words, and what this machine cannot limit: one sentence for each. */
void cell_describe(const struct group *group, struct text *text);

/*
 * In a child that has entered its node, and is in the caller's process group: put it into a cell.
 * Returns 0 in the program's process, still to be replaced by the program; fails there and in no
 * other. working: its path. network: whether it may change the node's addresses and routes.
 */
int cell_enter(const struct cell *cell, const char *working, bool network, struct error *error);

#endif
