/*
 * A relay's UDP socket towards one server, many datagrams a system call: what is queued leaves with
 * load_socket_flush(), what has arrived is received at once.
 */
#ifndef BENCH_LOAD_SOCKET_H
#define BENCH_LOAD_SOCKET_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/address.h"
#include "base/error.h"

enum { LOAD_BATCH = 64, LOAD_DATAGRAM_SIZE = 1500 };

struct load_socket {
	int fd;
	unsigned queued;
	struct mmsghdr out[LOAD_BATCH], in[LOAD_BATCH];
	struct iovec out_pieces[LOAD_BATCH], in_pieces[LOAD_BATCH];
	uint8_t out_bytes[LOAD_BATCH][LOAD_DATAGRAM_SIZE];
	uint8_t in_bytes[LOAD_BATCH][LOAD_DATAGRAM_SIZE]; /* in[i].msg_len of each are received */
};

/* `local` port 67 to `server` port 67. ret_socket stays where it is until it is closed. */
int load_socket_open(
	struct load_socket *ret_socket, struct ipv4 local, struct ipv4 server, struct error *error);
void load_socket_close(struct load_socket *socket);

/* Where the next datagram is to be written, LOAD_DATAGRAM_SIZE bytes; then queue it. */
void *load_socket_next(struct load_socket *socket);
void load_socket_queue(struct load_socket *socket, size_t length);

/* What cannot be sent (nobody listens there) is lost, as on any network. */
void load_socket_flush(struct load_socket *socket);

/* Wait some milliseconds for datagrams. Returns their number, 0 where none came. */
unsigned load_socket_receive(struct load_socket *socket);

#endif
