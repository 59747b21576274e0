/* TCP sockets for the FTP programs, non-blocking and close-on-exec. */
#ifndef PROGRAMS_FTP_SOCKET_H
#define PROGRAMS_FTP_SOCKET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/endpoint.h"
#include "base/error.h"

#define SOCKET_FTP_PORT 21

/* Our own end's, or the other end's, address. */
bool socket_local(int fd, struct endpoint *ret_endpoint);
bool socket_peer(int fd, struct endpoint *ret_endpoint);

/*
 * A listening socket at `local`; its port may be 0 for any free one. ret_fd is the caller's.
 * Fails with a sentence: the port is in use, may not be opened, the address is not ours.
 */
int socket_listen(const struct endpoint *local, int backlog, int *ret_fd, struct error *error);

/*
 * A connection to `remote` that is being made (or already is): wait until it is writable, then ask
 * socket_connect_result(). local: where to connect from, its port is not used; NULL: anywhere.
 * Returns 0 or a negative errno; ret_fd is the caller's.
 */
int socket_connect(const struct endpoint *remote, const struct endpoint *local, int *ret_fd);

/* 0, or the negative errno with which the connection failed. */
int socket_connect_result(int fd);

/* For a control connection: urgent data stays in line (ABOR), lost peers are noticed, no delay. */
void socket_tune_control(int fd);

/*
 * For what accepts control connections, which inherit it: the kernel keeps some tens of KiB for each,
 * both ways, where it would let a client that reads nothing fill megabytes. Not for file data.
 */
void socket_bound_controls(int listener);

/*
 * Whether closing the socket, also by the end of the process, is a reset: nobody takes that for the
 * proper end of what was sent.
 */
void socket_resets(int fd, bool resets);

#endif
