/*
 * The shelf: where the namespaces of a lab lie, so that nobody needs a descriptor for each. A file
 * system in memory with a file for each namespace, on which that namespace is mounted (as `ip netns`
 * does it), in a mount namespace of its own: it is nowhere on the host's file system, and it is gone
 * with the last process that holds the shelf's two descriptors, however that one ends.
 *
 * A namespace is opened when something has to enter it. Thirty thousand of them cost no descriptor:
 * their number is the kernel's limit on mounts (/proc/sys/fs/mount-max).
 */
#ifndef KERNEL_SHELF_H
#define KERNEL_SHELF_H

#include <stddef.h>

#include "base/error.h"

#define SHELF_NETNS "net" /* the kind: network namespaces, by node of the plan */

struct shelf {
	int mntns_fd; /* its mount namespace; -1: there is none */
	int directory_fd;
};

#define SHELF_NONE ((struct shelf){.mntns_fd = -1, .directory_fd = -1})

/*
 * Make an empty one. The caller needs CAP_SYS_ADMIN in its user namespace. Mount namespaces that are
 * to lie on it have to be made after it: the kernel lets no loop come about.
 */
int shelf_make(struct shelf *ret_shelf, struct error *error);

/*
 * Put namespaces on it, as `kind` ("net") and the numbers from 0 on. The descriptors stay the
 * caller's.
 */
int shelf_put(const struct shelf *shelf, const char *kind, const int *fds, size_t count,
	struct error *error);

/* One more, as a number that is free. */
int shelf_put_one(
	const struct shelf *shelf, const char *kind, size_t number, int fd, struct error *error);

/*
 * The same in two steps, for a child that ends afterwards: it goes where the shelf is, for good, and
 * puts one namespace there.
 */
int shelf_enter(const struct shelf *shelf, struct error *error);
int shelf_place(
	const struct shelf *shelf, const char *kind, size_t number, int fd, struct error *error);

/* Open one of them: the caller closes *ret_fd. Any thread may. */
int shelf_open(const struct shelf *shelf, const char *kind, size_t number, int *ret_fd,
	struct error *error);

/* Let go of it. For CLEANUP(). */
void shelf_close(struct shelf *shelf);

#endif
