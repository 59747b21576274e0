/*
 * What an end of a link sends at most: a token bucket (tc's tbf) as the queue of its interface. What
 * is more waits in line, and what would wait longer than a tenth of a second is dropped.
 */
#ifndef KERNEL_SHAPE_H
#define KERNEL_SHAPE_H

#include "kernel/link.h"

/*
 * The interface of the socket's namespace sends at most `rate` bits a second. `mtu` 0: the default.
 * -EOPNOTSUPP: the kernel has no token bucket; the error says so.
 */
int shape_rate(struct link_socket *socket, unsigned ifindex, uint64_t rate, unsigned mtu,
	struct error *error);

#endif
