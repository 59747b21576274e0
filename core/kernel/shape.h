/*
 * What an end of a link sends at most: a token bucket (tc's tbf) as the queue of its interface.
 */
#ifndef KERNEL_SHAPE_H
#define KERNEL_SHAPE_H

#include "kernel/link.h"

/*
 * Give the interface `ifindex` of the socket's namespace that queue. -EOPNOTSUPP: the kernel has no
 * token bucket; the error says so.
 */
int shape_rate(
	struct link_socket *socket, unsigned ifindex, struct plan_queue queue, struct error *error);

#endif
