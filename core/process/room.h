/*
 * A node's room: the mount and UTS namespaces in which its processes run, made when something first
 * runs in it. Its own host name, an overlay of /etc with `hosts` and `resolv.conf` (an overlay, so
 * that DHCP scripts can rename files onto them), empty /run and /tmp, and what its `binds` show.
 * The IPC namespace is the lab's, but where one of its `sysctls` is of such a namespace. What is the
 * room's own lies on the lab's shelf, and goes with it.
 */
#ifndef PROCESS_ROOM_H
#define PROCESS_ROOM_H

#include <stddef.h>

#include "base/error.h"
#include "kernel/shelf.h"
#include "process/lab_init.h"
#include "topology/model.h"

struct room {
	const struct shelf
		*shelf; /* where the node's network namespace lies, and what is the room's */
	size_t number; /* there: the node's */
	const struct node *node; /* its name, binds and sysctls */
};

struct room_setup {
	const struct lab_init *init;
	struct room room;
	const char *hosts; /* the text of /etc/hosts */
	/* Directories that processes must see although they lie below /run or /tmp:
	 * NULL-terminated. */
	const char *const *kept;
};

/* Make a node's room; once. */
int room_create(const struct room_setup *setup, struct error *error);

/* Enter its namespaces, for a child about to run something in the node. */
int room_enter(const struct room *room, struct error *error);

#endif
