/*
 * Network namespaces by descriptor. A namespace lives as long as a descriptor, a process or a
 * shelf (shelf.h) holds it: nothing is ever bound to a name on the host, so nothing can be left
 * behind.
 *
 * These change the calling thread's namespace: for single-threaded callers.
 */
#ifndef KERNEL_NETNS_H
#define KERNEL_NETNS_H

#include "base/error.h"

/* The namespace the caller is in now. */
int netns_current(int *ret_fd, struct error *error);

/* Make a new network namespace and stay in it. */
int netns_create(int *ret_fd, struct error *error);

int netns_enter(int fd, struct error *error);

/*
 * Write `value` to /proc/sys/`path` as seen from the namespace the caller is in.
 *
 * For the names below /proc/sys/net that it has seen a mounted /proc keeps an entry for each
 * namespace, all under one hash: to find one takes as long as there are namespaces. So this looks
 * for them in mounts of its own, of which it takes another one every few dozen times; where it may
 * not make any, in /proc. netns_sysctl_end() lets go of what the thread holds for that.
 */
int netns_sysctl(const char *path, const char *value, struct error *error);
void netns_sysctl_end(void);

#endif
