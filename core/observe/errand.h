/*
 * Errands: functions run in short-lived threads of their own, inside a network namespace or where
 * they are. What is opened in a namespace (a packet socket, a netlink socket) stays bound to it,
 * wherever it is used afterwards.
 *
 * Threads for two reasons. The caller's own namespace is never left, so there is no way back that
 * could fail (in a user namespace, setns() to the host's network would). And the kernel answers the
 * set-up and the closing of a packet ring only after an RCU grace period, about 15 ms: one after
 * another that is half a second for 28 links, side by side they share the grace periods.
 */
#ifndef OBSERVE_ERRAND_H
#define OBSERVE_ERRAND_H

#include <limits.h>
#include <stddef.h>

#include "base/error.h"

#define ERRAND_ANYWHERE INT_MIN /* not -1: a namespace that failed to open is an error */

struct errand {
	int netns_fd; /* run inside this namespace, or ERRAND_ANYWHERE */
	int (*function)(void *argument, struct error *error);
	void *argument;
	int status; /* set: what the function returned, or why it was not run */
	struct error error; /* set where status is negative */
};

/*
 * Run all errands, several at a time, and wait for them. To enter a namespace the caller needs
 * CAP_SYS_ADMIN in its user namespace and in the one that owns the network namespace. Signals stay
 * with the calling thread.
 * Returns 0, or the status of the first errand that failed; the others have run all the same.
 */
int errands_run(struct errand *errands, size_t count, struct error *error);

#endif
