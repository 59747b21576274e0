/*
 * The first process of a lab's PID namespace. Everything that runs in the lab is born in that
 * namespace, so when its init ends, the kernel ends all of it; and the init ends with the process
 * that made it, however that one dies. Nothing has to be cleaned up, and nothing can be left.
 *
 *	sim --lifeline pipe--> lab init (PID 1) : /proc of its own, mounts private, IPC its own
 *	 \- fork ------------> processes of nodes (in the PID namespace, children of sim)
 */
#ifndef PROCESS_LAB_INIT_H
#define PROCESS_LAB_INIT_H

#include <sys/types.h>

#include "base/error.h"

struct lab_init {
	pid_t pid; /* as its maker sees it; 0: not there */
	int lifeline; /* closed: the init ends, and with it all of the lab */
	int pidns_fd, mntns_fd, ipcns_fd;
};

/* A lab_init that is not there, as lab_init_stop() leaves it. */
#define LAB_INIT_NONE                                                                              \
	((struct lab_init){.lifeline = -1, .pidns_fd = -1, .mntns_fd = -1, .ipcns_fd = -1})

/* Make the namespaces and their init. The caller is single-threaded. */
int lab_init_start(struct lab_init *ret_init, struct error *error);

/*
 * fork(), with the child in the lab's PID namespace and the caller as its parent.
 * Returns 0 in the child, its process identifier in the caller, or a negative errno.
 */
pid_t lab_init_fork(const struct lab_init *init, struct error *error);

/*
 * End the init and all in its PID namespace, and wait until they are gone. The caller has reaped its
 * own children in there: an init cannot end before the last process of its namespace is reaped, so
 * that this would wait for ever. For CLEANUP().
 */
void lab_init_stop(struct lab_init *init);

#endif
