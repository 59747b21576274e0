#include "programs/dhcp/packet_socket.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"

enum { FRAME_SIZE_MAX = FRAME_HEADERS_SIZE + DHCP_MESSAGE_SIZE_MAX };

/* Protocol 0: nothing arrives before it is bound. */
static int packet_socket(int *ret_fd, struct error *error)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_system(error, -errno, "cannot open a packet socket");
	*ret_fd = fd;
	return 0;
}

int packet_socket_open_sender(int *ret_fd, struct error *error)
{
	return packet_socket(ret_fd, error);
}

/* Unfragmented UDP to `port`, whatever the IPv4 header's length. */
static int filter_port(int fd, uint16_t port, struct error *error)
{
	enum { ETHERTYPE = 12, IP = ETH_HLEN, FRAGMENT = IP + 6, PROTOCOL = IP + 9 };
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, ETHERTYPE),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 0, 8),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, PROTOCOL),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 6),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, FRAGMENT),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x3fff, 4, 0),
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, IP),
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, IP + 2),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, port, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog filter = {.len = ARRAY_LENGTH(code), .filter = code};
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) < 0)
		return error_system(error, -errno, "cannot filter a packet socket");
	return 0;
}

int packet_socket_open(unsigned interface, uint16_t port, int *ret_fd, struct error *error)
{
	CLEANUP(close_fd) int fd = -1;
	int status = packet_socket(&fd, error);
	if (status == 0)
		status = filter_port(fd, port, error);
	if (status < 0)
		return status;
	int on = 1;
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_IP),
		.sll_ifindex = (int)interface,
	};
	if (setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on)) < 0 ||
		bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return error_system(error, -errno, "cannot bind a packet socket");
	*ret_fd = take_fd(&fd);
	return 0;
}

/* Whether the kernel says that the sender has left the checksum to the hardware. */
static bool checksum_partial(struct msghdr *header)
{
	for (struct cmsghdr *control = CMSG_FIRSTHDR(header); control;
		control = CMSG_NXTHDR(header, control)) {
		if (control->cmsg_level != SOL_PACKET || control->cmsg_type != PACKET_AUXDATA)
			continue;
		struct tpacket_auxdata facts;
		memcpy(&facts, CMSG_DATA(control), sizeof(facts));
		return (facts.tp_status & TP_STATUS_CSUMNOTREADY) != 0;
	}
	return false;
}

int packet_socket_receive(
	int fd, void *buffer, size_t size, struct frame *ret_frame, struct error *error)
{
	for (;;) {
		struct sockaddr_ll from;
		union {
			char bytes[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
			struct cmsghdr align;
		} control;
		struct iovec piece = {.iov_base = buffer, .iov_len = size};
		struct msghdr header = {
			.msg_name = &from,
			.msg_namelen = sizeof(from),
			.msg_iov = &piece,
			.msg_iovlen = 1,
			.msg_control = control.bytes,
			.msg_controllen = sizeof(control.bytes),
		};
		ssize_t length = recvmsg(fd, &header, MSG_DONTWAIT);
		if (length < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return 0;
		/* ENETDOWN is told once when the interface goes down; it may come up again. */
		if (length < 0 && (errno == EINTR || errno == ENETDOWN))
			continue;
		if (length < 0)
			return error_system(error, -errno, "cannot receive frames");
		if (from.sll_pkttype == PACKET_OUTGOING)
			continue;
		if (frame_parse(buffer, (size_t)length, ret_frame) == FRAME_PARSED &&
			(checksum_partial(&header) || frame_checksum_holds(ret_frame)))
			return 1;
	}
}

int packet_socket_send(int fd, const struct dhcp_destination *destination,
	const struct frame *payload_and_source, struct error *error)
{
	uint8_t bytes[FRAME_SIZE_MAX];
	struct frame frame = *payload_and_source;
	frame.source = destination->source;
	frame.destination = destination->address;
	frame.destination_port = destination->port;
	frame.destination_mac = destination->mac;
	if (destination->kind == DHCP_TO_BROADCAST)
		memset(frame.destination_mac.bytes, 0xff, sizeof(frame.destination_mac.bytes));
	size_t length = frame_build(&frame, bytes, sizeof(bytes));
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_IP),
		.sll_ifindex = (int)destination->interface,
		.sll_halen = sizeof(frame.destination_mac.bytes),
	};
	memcpy(to.sll_addr, frame.destination_mac.bytes, sizeof(frame.destination_mac.bytes));
	if (sendto(fd, bytes, length, MSG_NOSIGNAL, (struct sockaddr *)&to, sizeof(to)) < 0)
		return error_system(error, -errno, "cannot send a frame to %s",
			MAC_TEXT(frame.destination_mac));
	return 0;
}
