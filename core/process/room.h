/*
 * A node's room: the mount and UTS namespaces in which its processes run, made when something first
 * runs in it. Its own host name, an overlay of /etc with `hosts` and `resolv.conf` (an overlay, so
 * that DHCP scripts can rename files onto them), empty /run and /tmp, and what its `binds` show.
 * The IPC namespace is the lab's, but where one of its `sysctls` is of such a namespace.
 */
#ifndef PROCESS_ROOM_H
#define PROCESS_ROOM_H

#include <stddef.h>

#include "base/error.h"
#include "process/lab_init.h"
#include "topology/model.h"

struct room_setup {
	const struct lab_init *init;
	int netns_fd;
	const char *host_name;
	const struct node *node; /* its binds and sysctls */
	const char *hosts; /* the text of /etc/hosts */
	/* Directories that processes must see although they lie below /run or /tmp:
	 * NULL-terminated. */
	const char *const *kept;
};

struct room {
	int netns_fd; /* borrowed from the fabric */
	int mntns_fd, utsns_fd;
	int ipcns_fd; /* -1: the lab's */
};

#define ROOM_NONE ((struct room){.netns_fd = -1, .mntns_fd = -1, .utsns_fd = -1, .ipcns_fd = -1})

int room_create(const struct room_setup *setup, struct room *ret_room, struct error *error);

/* Enter its namespaces, for a child about to run something in the node. */
int room_enter(const struct room *room, struct error *error);

void room_close(struct room *room);

#endif
