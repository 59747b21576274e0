/* Between link.c, which says what is asked for, and what sends it. */
#ifndef KERNEL_LINK_BATCH_H
#define KERNEL_LINK_BATCH_H

#include <linux/netlink.h>

#include "kernel/link.h"

/*
 * Let a message wait, which is copied; where there is no room, those before it are sent.
 * `what`: a text that stays: "create the veth pair".
 */
int link_queue(struct link_socket *socket, const struct nlmsghdr *message, const char *what,
	struct error *error);

#endif
