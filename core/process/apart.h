/*
 * A process apart: a fork of the caller that goes on with no right of the machine left. It is an
 * unprivileged user of the host, root of a user namespace in which no further one can be made, and
 * PID 1 of a PID namespace: when it ends, and when its maker does, all that it began ends. What it
 * needs of the file system is shown to it below APART_FOLDER, however private the way there is.
 */
#ifndef PROCESS_APART_H
#define PROCESS_APART_H

#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "process/userns.h"

#define APART_FOLDER "/run/sim"

/* Something shown to it as APART_FOLDER/NAME. */
struct apart_place {
	const char *name;
	const char *
		source; /* a folder or file of the caller's; NULL: a new folder in memory, its own */
	size_t size_mib; /* ... of this size */
	bool writable; /* whether all in there can be written to; a new folder is until prepare() ends */
};

struct apart_setup {
	const struct apart_place *places;
	size_t place_count;
	/*
	 * Fill the new folders; still with the caller's rights, for files only they can read.
	 * What it makes is given to `user` afterwards.
	 */
	int (*prepare)(void *argument, struct error *error);
	int (*run)(void *argument); /* returns the exit status */
	void *argument;
};

struct apart {
	pid_t pid; /* 0: not there */
	int pidfd;
	int lifeline;
};

/*
 * Start it; returns when run() has begun. The caller is single-threaded, and goes on alone: nothing
 * it changes afterwards is seen by the process.
 */
int apart_start(const struct apart_setup *setup, const struct userns_user *user,
	struct apart *ret_apart, struct error *error);

/* Kill it and all it has begun, and wait until they are gone; for CLEANUP(). */
void apart_end(struct apart *apart);

#endif
