#include "programs/dhcp/udp_socket.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/cleanup.h"

enum { BUFFER_SIZE = 8 << 20 };

static int option_on(int fd, int level, int name, const char *what, struct error *error)
{
	int on = 1;
	if (setsockopt(fd, level, name, &on, sizeof(on)) < 0)
		return error_system(error, -errno, "cannot set %s on a UDP socket", what);
	return 0;
}

/*
 * A burst of a large network's clients waits in the one, all answers of a wake-up in the other.
 * With privilege beyond the system's limit, without it as far as that goes.
 */
static void enlarge_buffers(int fd)
{
	int size = BUFFER_SIZE;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

int udp_socket_open(uint16_t port, const char *interface, int *ret_fd, struct error *error)
{
	CLEANUP(close_fd)
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_system(error, -errno, "cannot open a UDP socket");
	if (option_on(fd, SOL_SOCKET, SO_BROADCAST, "SO_BROADCAST", error) < 0 ||
		option_on(fd, IPPROTO_IP, IP_PKTINFO, "IP_PKTINFO", error) < 0)
		return error->code;
	if (interface && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface,
				 (socklen_t)strlen(interface)) < 0)
		return error_system(error, -errno, "cannot use the interface '%s'", interface);
	enlarge_buffers(fd);
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return error_system(error, -errno, "cannot bind UDP port %u", port);
	*ret_fd = take_fd(&fd);
	return 0;
}

int udp_socket_deafen(int fd, struct error *error)
{
	struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog filter = {.len = 1, .filter = &drop};
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) < 0)
		return error_system(error, -errno, "cannot filter a UDP socket");
	return 0;
}

static void read_datagram(const struct socket_message *message, struct mmsghdr *received,
	struct udp_datagram *datagram)
{
	struct in_pktinfo info = {0};
	socket_message_control(&received->msg_hdr, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
	*datagram = (struct udp_datagram){
		.source = ipv4_from_in(message->address.ip.sin_addr),
		.source_port = ntohs(message->address.ip.sin_port),
		.destination = ipv4_from_in(info.ipi_addr),
		.interface = (unsigned)info.ipi_ifindex,
		.bytes = message->piece.iov_base,
		.length = received->msg_len,
	};
}

int udp_socket_receive(
	int fd, void *buffer, size_t size, struct udp_datagram *ret_datagram, struct error *error)
{
	for (;;) {
		struct socket_message message;
		struct mmsghdr header;
		socket_message_to_receive(&message, buffer, size, &header.msg_hdr);
		int received = socket_receive(fd, &header, 1, error);
		if (received <= 0)
			return received;
		if (header.msg_hdr.msg_flags & MSG_TRUNC)
			continue;
		read_datagram(&message, &header, ret_datagram);
		return 1;
	}
}

struct udp_batch {
	unsigned most; /* at once */
	struct mmsghdr *headers;
	struct socket_message *messages;
	struct udp_datagram *datagrams;
	uint8_t (*bytes)[UDP_BATCH_DATAGRAM_MAX];
};

void udp_batch_free(struct udp_batch **batch)
{
	if (!*batch)
		return;
	free((*batch)->headers);
	free((*batch)->messages);
	free((*batch)->datagrams);
	free((*batch)->bytes);
	free(*batch);
	*batch = NULL;
}

int udp_batch_new(unsigned room, struct udp_batch **ret_batch, struct error *error)
{
	CLEANUP(udp_batch_free) struct udp_batch *batch = calloc(1, sizeof(*batch));
	if (!batch)
		return error_set(error, -ENOMEM, "out of memory");
	batch->most = room;
	batch->headers = calloc(room, sizeof(*batch->headers));
	batch->messages = calloc(room, sizeof(*batch->messages));
	batch->datagrams = calloc(room, sizeof(*batch->datagrams));
	batch->bytes = calloc(room, sizeof(*batch->bytes));
	if (!batch->headers || !batch->messages || !batch->datagrams || !batch->bytes)
		return error_set(error, -ENOMEM, "out of memory");
	*ret_batch = TAKE(batch);
	return 0;
}

void udp_batch_limit(struct udp_batch *batch, unsigned most)
{
	batch->most = most;
}

int udp_socket_receive_batch(int fd, struct udp_batch *batch,
	const struct udp_datagram **ret_datagrams, unsigned *ret_dropped, struct error *error)
{
	int count = 0;
	*ret_dropped = 0;
	*ret_datagrams = batch->datagrams;
	for (unsigned i = 0; i < batch->most; i++)
		socket_message_to_receive(&batch->messages[i], batch->bytes[i],
			sizeof(batch->bytes[i]), &batch->headers[i].msg_hdr);
	int received = socket_receive(fd, batch->headers, batch->most, error);
	for (int i = 0; i < received; i++) {
		if (batch->headers[i].msg_hdr.msg_flags & MSG_TRUNC)
			(*ret_dropped)++;
		else
			read_datagram(&batch->messages[i], &batch->headers[i],
				&batch->datagrams[count++]);
	}
	return received < 0 ? received : count;
}

void udp_socket_prepare(struct socket_message *message, const struct dhcp_destination *destination,
	const void *bytes, size_t length, struct msghdr *header)
{
	static const struct cmsghdr kind = {
		.cmsg_level = IPPROTO_IP,
		.cmsg_type = IP_PKTINFO,
		.cmsg_len = sizeof(struct in_pktinfo),
	};
	struct in_pktinfo info = {
		.ipi_ifindex = (int)destination->interface,
		.ipi_spec_dst = ipv4_to_in(destination->source),
	};
	message->address.ip = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(destination->port),
		.sin_addr = ipv4_to_in(destination->address),
	};
	socket_message_to_send(message, sizeof(message->address.ip), bytes, length, header);
	socket_message_set_control(header, message, &kind, &info);
}

int udp_socket_send(int fd, const struct dhcp_destination *destination, const void *bytes,
	size_t length, struct error *error)
{
	struct socket_message message;
	struct msghdr header;
	udp_socket_prepare(&message, destination, bytes, length, &header);
	if (sendmsg(fd, &header, MSG_NOSIGNAL) < 0)
		return error_system(
			error, -errno, "cannot send to %s", IPV4_TEXT(destination->address));
	return 0;
}

bool udp_socket_drained(int fd)
{
	int queued = 0;
	return ioctl(fd, SIOCOUTQ, &queued) < 0 || queued == 0;
}
