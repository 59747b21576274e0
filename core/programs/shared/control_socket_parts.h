/* What both sides of control_socket.h share. */
#ifndef PROGRAMS_SHARED_CONTROL_SOCKET_PARTS_H
#define PROGRAMS_SHARED_CONTROL_SOCKET_PARTS_H

#include <sys/socket.h>
#include <sys/un.h>

#include "programs/shared/control_socket.h"

/* Of `path`, or /run/PROGRAM.sock where it is NULL. Fails where the path is too long, or empty. */
int control_socket_address(const char *program, const char *path, struct sockaddr_un *ret_address,
	struct error *error);

/* 0 where somebody listens there, else connect()'s errno. flags: SOCK_NONBLOCK or 0. */
int control_socket_connect(const struct sockaddr_un *address, int flags, int *ret_fd);

#endif
