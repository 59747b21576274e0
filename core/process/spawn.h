/* Fork and exec of one command in a room. */
#ifndef PROCESS_SPAWN_H
#define PROCESS_SPAWN_H

#include "process/process.h"

struct spawned {
	pid_t pid;
	int output_fd; /* its standard output and error, non-blocking; or -1 */
	int input_fd; /* its standard input, or -1 */
	int notify_fd; /* the socket that NOTIFY_SOCKET names in the node, or -1 */
};

/* Returns when the program has replaced the child. All descriptors are the caller's. */
int spawn(const struct process_setup *setup, struct spawned *ret_spawned, struct error *error);

#endif
