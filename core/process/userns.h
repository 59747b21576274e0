/*
 * Privilege to make namespaces: the caller's own, or that of root in a user namespace of our own.
 */
#ifndef PROCESS_USERNS_H
#define PROCESS_USERNS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/text.h"

struct userns_user {
	uid_t uid;
	gid_t gid;
	bool other; /* than the caller, who is root: files must be given to it */
};

/*
 * With CAP_SYS_ADMIN and CAP_NET_ADMIN stay, in a network namespace that is ours to come back to;
 * without, enter a new user namespace in which the
 * caller's user is root. Where the system forbids that, the sentence says what forbids it and what to do.
 */
int userns_enter_if_needed(struct error *error);

/*
 * A user of the machine without rights, to be root of a user namespace: for root a number that is
 * nobody's, else the caller.
 */
int userns_unprivileged(struct userns_user *ret_user, struct error *error);

/* What forbids a user namespace that could not be made, and what to do. Returns `code`. */
int userns_forbidden(int code, struct error *error);

/*
 * Append the command that lets `program` have the privilege again which userns_enter_if_needed()
 * was refused.
 */
void userns_mend(const char *program, struct text *text);

/* Make `user` root of the user namespace that `pid`, a child, has just made. */
int userns_map(pid_t pid, const struct userns_user *user, struct error *error);

#endif
