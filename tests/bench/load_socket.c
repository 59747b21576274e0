#include "load_socket.h"

#include <errno.h>
#include <sys/time.h>

#include "base/cleanup.h"
#include "dhcp/protocol.h"

enum { RECEIVE_WAIT_US = 5000, BUFFER_SIZE = 8 << 20 };

static struct sockaddr_in endpoint(struct ipv4 address)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(DHCP_SERVER_PORT),
		.sin_addr = ipv4_to_in(address),
	};
}

static void socket_aim(struct load_socket *load)
{
	for (unsigned i = 0; i < LOAD_BATCH; i++) {
		load->out_pieces[i].iov_base = load->out_bytes[i];
		load->out[i].msg_hdr = (struct msghdr){
			.msg_iov = &load->out_pieces[i],
			.msg_iovlen = 1,
		};
		load->in_pieces[i] = (struct iovec){load->in_bytes[i], LOAD_DATAGRAM_SIZE};
		load->in[i].msg_hdr = (struct msghdr){
			.msg_iov = &load->in_pieces[i],
			.msg_iovlen = 1,
		};
	}
}

int load_socket_open(
	struct load_socket *ret_socket, struct ipv4 local, struct ipv4 server, struct error *error)
{
	struct load_socket *load = ret_socket;
	struct sockaddr_in ours = endpoint(local), theirs = endpoint(server);
	struct timeval wait = {.tv_usec = RECEIVE_WAIT_US};
	int size = BUFFER_SIZE;
	load->queued = 0;
	load->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (load->fd < 0)
		return error_system(error, -errno, "cannot open a UDP socket");
	setsockopt(load->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	setsockopt(load->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (setsockopt(load->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) < 0 ||
		bind(load->fd, (struct sockaddr *)&ours, sizeof(ours)) < 0 ||
		connect(load->fd, (struct sockaddr *)&theirs, sizeof(theirs)) < 0) {
		int status = error_system(error, -errno, "cannot be a relay at %s for %s",
			IPV4_TEXT(local), IPV4_TEXT(server));
		load_socket_close(load);
		return status;
	}
	socket_aim(load);
	return 0;
}

void load_socket_close(struct load_socket *socket)
{
	close_fd(&socket->fd);
}

void *load_socket_next(struct load_socket *socket)
{
	if (socket->queued == LOAD_BATCH)
		load_socket_flush(socket);
	return socket->out_bytes[socket->queued];
}

void load_socket_queue(struct load_socket *socket, size_t length)
{
	socket->out_pieces[socket->queued++].iov_len = length;
}

void load_socket_flush(struct load_socket *socket)
{
	unsigned sent = 0;
	while (sent < socket->queued) {
		int done = sendmmsg(socket->fd, socket->out + sent, socket->queued - sent, 0);
		if (done > 0)
			sent += (unsigned)done;
		else if (errno != EINTR)
			sent++; /* an ICMP error of an earlier one is told here: one is lost */
	}
	socket->queued = 0;
}

unsigned load_socket_receive(struct load_socket *socket)
{
	int count = recvmmsg(socket->fd, socket->in, LOAD_BATCH, MSG_WAITFORONE, NULL);
	return count > 0 ? (unsigned)count : 0;
}
