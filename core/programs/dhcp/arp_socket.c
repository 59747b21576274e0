#include "programs/dhcp/arp_socket.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"

static int attach(int fd, struct sock_filter *code, unsigned short length, struct error *error)
{
	struct sock_fprog filter = {.len = length, .filter = code};
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) < 0)
		return error_system(error, -errno, "cannot filter ARP");
	return 0;
}

int arp_socket_open(unsigned interface, int *ret_fd, struct error *error)
{
	struct sock_filter nothing[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ARP),
		.sll_ifindex = (int)interface,
	};
	CLEANUP(close_fd) int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_system(error, -errno, "cannot open a packet socket");
	if (attach(fd, nothing, ARRAY_LENGTH(nothing), error) < 0)
		return error->code;
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return error_system(error, -errno, "cannot bind a packet socket");
	*ret_fd = take_fd(&fd);
	return 0;
}

int arp_socket_listen(int fd, struct ipv4 address, struct error *error)
{
	enum { SENDER = ETH_HLEN + 14, TARGET = ETH_HLEN + 24 };
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SENDER),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, address.host, 2, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, TARGET),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, address.host, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	return attach(fd, code, ARRAY_LENGTH(code), error);
}

int arp_socket_listen_all(int fd, struct error *error)
{
	enum { SENDER = ETH_HLEN + 14 };
	const uint32_t packet_type = (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE);
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, packet_type),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 3, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SENDER),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	return attach(fd, code, ARRAY_LENGTH(code), error);
}

int arp_socket_receive(int fd, struct mac own, struct arp_packet *ret_packet, struct error *error)
{
	uint8_t frame[128];
	for (;;) {
		ssize_t length = recv(fd, frame, sizeof(frame), MSG_DONTWAIT);
		if (length < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return 0;
		if (length < 0 && (errno == EINTR || errno == ENETDOWN))
			continue;
		if (length < 0)
			return error_system(error, -errno, "cannot receive ARP");
		if (arp_parse(frame, (size_t)length, ret_packet) &&
			!mac_equal(ret_packet->sender_mac, own))
			return 1;
	}
}

int arp_socket_send(
	int fd, unsigned interface, const struct arp_packet *packet, struct error *error)
{
	uint8_t frame[ARP_FRAME_SIZE];
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ARP),
		.sll_ifindex = (int)interface,
		.sll_halen = sizeof(packet->sender_mac.bytes),
	};
	memset(to.sll_addr, 0xff, sizeof(packet->sender_mac.bytes));
	size_t length = arp_build_request(packet, frame, sizeof(frame));
	if (sendto(fd, frame, length, MSG_NOSIGNAL, (struct sockaddr *)&to, sizeof(to)) < 0)
		return error_system(
			error, -errno, "cannot send ARP for %s", IPV4_TEXT(packet->target));
	return 0;
}
