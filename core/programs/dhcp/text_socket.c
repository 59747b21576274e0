#include "programs/dhcp/text_socket.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"

/* How a socket of each family is told, and tells, which of our addresses a datagram is for. */
struct own_address {
	int level, ask, kind;
	size_t size;
	socklen_t peer_size;
};

static const struct own_address *own_address(int family)
{
	static const struct own_address ip = {IPPROTO_IP, IP_PKTINFO, IP_PKTINFO,
		sizeof(struct in_pktinfo), sizeof(struct sockaddr_in)};
	static const struct own_address ip6 = {IPPROTO_IPV6, IPV6_RECVPKTINFO, IPV6_PKTINFO,
		sizeof(struct in6_pktinfo), sizeof(struct sockaddr_in6)};
	return family == AF_INET6 ? &ip6 : &ip;
}

/* The socket's family: on IPv6 an IPv4 peer is one of IPv6, too. */
static int family_of(const struct text_datagram *datagram)
{
	return datagram->message.address.ip.sin_family;
}

int text_socket_open(const struct endpoint *listen, int *ret_fd, struct error *error)
{
	struct sockaddr_storage address;
	socklen_t length = endpoint_to_sockaddr(listen, &address);
	const struct own_address *own = own_address(address.ss_family);
	int on = 1;
	CLEANUP(close_fd)
	int fd = socket(address.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_system(error, -errno, "cannot open a UDP socket");
	if (setsockopt(fd, own->level, own->ask, &on, sizeof(on)) < 0)
		return error_system(error, -errno, "cannot ask where datagrams are sent to");
	if (bind(fd, (struct sockaddr *)&address, length) < 0)
		return error_system(error, -errno, "cannot listen on %s", ENDPOINT_TEXT(listen));
	*ret_fd = take_fd(&fd);
	return 0;
}

static void read_own_address(struct text_datagram *datagram, struct msghdr *header)
{
	const struct own_address *own = own_address(family_of(datagram));
	memset(&datagram->own, 0, sizeof(datagram->own));
	socket_message_control(header, own->level, own->kind, &datagram->own, own->size);
	/* Back by whatever way leads there: it need not be the one it came by. */
	if (family_of(datagram) == AF_INET)
		datagram->own.ip.ipi_ifindex = 0;
	else if (datagram->peer.scope == 0)
		datagram->own.ip6.ipi6_ifindex = 0;
}

int text_socket_receive(int fd, struct text_datagram *list, unsigned count, struct error *error)
{
	struct mmsghdr headers[TEXT_SOCKET_BATCH];
	if (count > TEXT_SOCKET_BATCH)
		count = TEXT_SOCKET_BATCH;
	for (unsigned i = 0; i < count; i++)
		socket_message_to_receive(&list[i].message, list[i].bytes, sizeof(list[i].bytes),
			&headers[i].msg_hdr);
	int received = socket_receive(fd, headers, count, error);
	for (int i = 0; i < received; i++) {
		struct sockaddr_storage address = {0};
		memcpy(&address, &list[i].message.address, sizeof(list[i].message.address));
		list[i].length = headers[i].msg_len;
		if (endpoint_from_sockaddr(&address, &list[i].peer))
			read_own_address(&list[i], &headers[i].msg_hdr);
	}
	return received;
}

int text_socket_answer(int fd, struct text_datagram *datagram, const void *bytes, size_t length,
	struct error *error)
{
	const struct own_address *own = own_address(family_of(datagram));
	const struct cmsghdr kind = {
		.cmsg_level = own->level, .cmsg_type = own->kind, .cmsg_len = own->size};
	struct msghdr header;
	socket_message_to_send(&datagram->message, own->peer_size, bytes, length, &header);
	socket_message_set_control(&header, &datagram->message, &kind, &datagram->own);
	if (sendmsg(fd, &header, MSG_NOSIGNAL) < 0)
		return error_system(
			error, -errno, "cannot send to %s", ENDPOINT_TEXT(&datagram->peer));
	return 0;
}
