/*
 * The labs that are up, found by name. Each has two files in a folder that is its owner's alone:
 *
 *	NAME.lock	locked by the supervisor as long as it lives; holds its process identifier and
 *			the folder of the lab's results
 *	NAME.sock	its control socket (lab_control.h)
 *
 * The kernel lets go of the lock however the supervisor ends, so a lab is up if and only if its
 * lock is held, and what a killed one has left is two small files that whoever looks next removes.
 *
 * Where: root's labs in /run/sim/UID, of the user who called sudo; another user's in
 * $XDG_RUNTIME_DIR/sim, /run/user/UID/sim or ~/.local/state/sim (XDG_STATE_HOME), the first where
 * it can be made; a folder that is somebody else's, or that others may write to, is not used. The
 * user who called sudo sees his labs also without it.
 */
#ifndef LAB_REGISTRY_H
#define LAB_REGISTRY_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "topology/model.h"

struct registration {
	char name[TOPOLOGY_NAME_MOST + 1];
	int directory_fd; /* -1: none */
	int lock_fd; /* inherited by fork(): the lock ends with its last descriptor */
};

#define REGISTRATION_NONE ((struct registration){.directory_fd = -1, .lock_fd = -1})

/*
 * Take a name. -EEXIST: a lab of that name is up. registration_leave() gives it back; a process
 * that has forked another to hold it calls registration_forget() instead.
 */
int registry_enter(const char *name, struct registration *ret_registration, struct error *error);

/* Say who holds it, and where its results are. */
int registration_tell(
	struct registration *registration, pid_t pid, const char *folder, struct error *error);

/* Make its control socket. *ret_fd listens. */
int registration_listen(struct registration *registration, int *ret_fd, struct error *error);

/* Whether its files are still there: a user's folder goes when he logs out. */
bool registration_stands(const struct registration *registration);

/* Both for CLEANUP(). */
void registration_leave(struct registration *registration);
void registration_forget(struct registration *registration);

struct registered {
	char name[TOPOLOGY_NAME_MOST + 1];
	char place[PATH_MAX]; /* the folder of its files */
	char folder[PATH_MAX]; /* of its results; "" where that was not told yet */
	pid_t pid; /* of the supervisor; 0 likewise */
	bool up; /* else its supervisor was killed */
	bool root; /* it is in root's folder, and the caller is not root: it can be looked at */
};

/*
 * All labs of the caller, sorted by name. Those that are not up were removed by this: they are told
 * once. ret_list: one free(), NULL where there is none.
 */
int registry_list(struct registered **ret_list, size_t *ret_count, struct error *error);

/* Connect to a lab's control socket. */
int registered_connect(const struct registered *lab, int *ret_fd, struct error *error);

#endif
