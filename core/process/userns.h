/*
 * Privilege to make namespaces: the caller's own, or that of root in a user namespace of our own.
 */
#ifndef PROCESS_USERNS_H
#define PROCESS_USERNS_H

#include "base/error.h"

/*
 * With CAP_SYS_ADMIN and CAP_NET_ADMIN stay, in a network namespace that is ours to come back to;
 * without, enter a new user namespace in which the
 * caller's user is root. Where the system forbids that, the sentence says what forbids it and what to do.
 */
int userns_enter_if_needed(struct error *error);

#endif
