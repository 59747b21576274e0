/*
 * Addresses and TCP sockets for the FTP programs: `struct ftp_endpoint` at the system's edge. An
 * IPv4 client of an IPv6 socket (::ffff:a.b.c.d) is an IPv4 client here. All sockets are
 * non-blocking and close-on-exec.
 */
#ifndef PROGRAMS_FTP_SOCKET_H
#define PROGRAMS_FTP_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "base/error.h"
#include "ftp/port.h"

#define SOCKET_FTP_PORT 21

/* ADDR, ADDR:PORT, [ADDR]:PORT or :PORT; the port is 21 and the address 0.0.0.0 where not given. */
bool socket_parse_endpoint(const char *text, struct ftp_endpoint *ret_endpoint);

/* False for a family that is neither IPv4 nor IPv6. */
bool socket_endpoint(const struct sockaddr_storage *address, struct ftp_endpoint *ret_endpoint);

/* Our own end's, or the other end's, address. */
bool socket_local(int fd, struct ftp_endpoint *ret_endpoint);
bool socket_peer(int fd, struct ftp_endpoint *ret_endpoint);

/*
 * A listening socket at `local`; its port may be 0 for any free one. ret_fd is the caller's.
 * Fails with a sentence: the port is in use, may not be opened, the address is not ours.
 */
int socket_listen(const struct ftp_endpoint *local, int backlog, int *ret_fd, struct error *error);

/*
 * A connection to `remote` that is being made (or already is): wait until it is writable, then ask
 * socket_connect_result(). local: where to connect from, its port is not used; NULL: anywhere.
 * Returns 0 or a negative errno; ret_fd is the caller's.
 */
int socket_connect(
	const struct ftp_endpoint *remote, const struct ftp_endpoint *local, int *ret_fd);

/* 0, or the negative errno with which the connection failed. */
int socket_connect_result(int fd);

/* For a control connection: urgent data stays in line (ABOR), lost peers are noticed, no delay. */
void socket_tune_control(int fd);

#endif
