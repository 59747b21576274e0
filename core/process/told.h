/*
 * What a child tells its parent over a pipe before it goes on: that all is well, or an error. The
 * pipe carries one struct error; code 0 is "all is well". A pipe that just closes says so as well
 * where the child was replaced by a program (its end is close-on-exec).
 */
#ifndef PROCESS_TOLD_H
#define PROCESS_TOLD_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

/* In the child. `error`: NULL, or code 0, where all is well. Ends the child where nobody listens. */
void told_send(int fd, const struct error *error);

/*
 * In the parent: wait for it. closed_is_well: the pipe's end without a word is no failure.
 * `what` names the child in a message.
 */
int told_await(int fd, bool closed_is_well, const char *what, struct error *error);

/* Open /proc/PID/ns/NAME of a child that is held still. */
int namespace_open(pid_t pid, const char *name, int *ret_fd, struct error *error);

/* Namespaces that could not be created; `names` as in /proc/sys/user/max_NAME_namespaces. */
int namespaces_refused(int code, const char *what, const char *names, struct error *error);

#endif
