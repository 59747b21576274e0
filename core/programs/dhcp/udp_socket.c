#include "programs/dhcp/udp_socket.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/cleanup.h"

enum { RECEIVE_BUFFER_SIZE = 4 << 20 };

static int option_on(int fd, int level, int name, const char *what, struct error *error)
{
	int on = 1;
	if (setsockopt(fd, level, name, &on, sizeof(on)) < 0)
		return error_system(error, -errno, "cannot set %s on a UDP socket", what);
	return 0;
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
	/*
	 * A burst of a large network's clients waits here; the kernel gives what its limit allows.
	 */
	int size = RECEIVE_BUFFER_SIZE;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
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

static void read_packet_info(struct msghdr *header, struct udp_datagram *datagram)
{
	for (struct cmsghdr *control = CMSG_FIRSTHDR(header); control;
		control = CMSG_NXTHDR(header, control)) {
		if (control->cmsg_level != IPPROTO_IP || control->cmsg_type != IP_PKTINFO)
			continue;
		struct in_pktinfo info;
		memcpy(&info, CMSG_DATA(control), sizeof(info));
		datagram->interface = (unsigned)info.ipi_ifindex;
		datagram->destination = ipv4_from_in(info.ipi_addr);
	}
}

int udp_socket_receive(
	int fd, void *buffer, size_t size, struct udp_datagram *ret_datagram, struct error *error)
{
	for (;;) {
		struct sockaddr_in source = {0};
		union {
			char bytes[CMSG_SPACE(sizeof(struct in_pktinfo))];
			struct cmsghdr align;
		} control;
		struct iovec piece = {.iov_base = buffer, .iov_len = size};
		struct msghdr header = {
			.msg_name = &source,
			.msg_namelen = sizeof(source),
			.msg_iov = &piece,
			.msg_iovlen = 1,
			.msg_control = control.bytes,
			.msg_controllen = sizeof(control.bytes),
		};
		ssize_t length = recvmsg(fd, &header, MSG_DONTWAIT);
		if (length < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return 0;
		/* A pending ICMP error belongs to something sent earlier: go on with the next. */
		if (length < 0 && (errno == EINTR || errno == ECONNREFUSED ||
					  errno == EHOSTUNREACH || errno == ENETUNREACH))
			continue;
		if (length < 0)
			return error_system(error, -errno, "cannot receive");
		if (header.msg_flags & MSG_TRUNC)
			continue;
		*ret_datagram = (struct udp_datagram){
			.source = ipv4_from_in(source.sin_addr),
			.length = (size_t)length,
		};
		read_packet_info(&header, ret_datagram);
		return 1;
	}
}

int udp_socket_send(int fd, const struct dhcp_destination *destination, const void *bytes,
	size_t length, struct error *error)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(destination->port),
		.sin_addr = ipv4_to_in(destination->address),
	};
	struct in_pktinfo info = {
		.ipi_ifindex = (int)destination->interface,
		.ipi_spec_dst = ipv4_to_in(destination->source),
	};
	union {
		char bytes[CMSG_SPACE(sizeof(struct in_pktinfo))];
		struct cmsghdr align;
	} control = {.bytes = {0}};
	struct iovec piece = {.iov_base = (void *)bytes, .iov_len = length};
	struct msghdr header = {
		.msg_name = &to,
		.msg_namelen = sizeof(to),
		.msg_iov = &piece,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	struct cmsghdr *part = CMSG_FIRSTHDR(&header);
	part->cmsg_level = IPPROTO_IP;
	part->cmsg_type = IP_PKTINFO;
	part->cmsg_len = CMSG_LEN(sizeof(info));
	memcpy(CMSG_DATA(part), &info, sizeof(info));
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
