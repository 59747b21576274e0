#include "programs/dhcp/packet_socket.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"

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
	struct tpacket_auxdata facts;
	return socket_message_control(header, SOL_PACKET, PACKET_AUXDATA, &facts, sizeof(facts)) &&
	       (facts.tp_status & TP_STATUS_CSUMNOTREADY) != 0;
}

int packet_socket_receive(
	int fd, void *buffer, size_t size, struct frame *ret_frame, struct error *error)
{
	for (;;) {
		struct socket_message message;
		struct mmsghdr header;
		socket_message_to_receive(&message, buffer, size, &header.msg_hdr);
		int received = socket_receive(fd, &header, 1, error);
		if (received <= 0)
			return received;
		if (message.address.link.sll_pkttype == PACKET_OUTGOING)
			continue;
		if (frame_parse(buffer, header.msg_len, ret_frame) == FRAME_PARSED &&
			(checksum_partial(&header.msg_hdr) || frame_checksum_holds(ret_frame)))
			return 1;
	}
}

bool packet_socket_prepare(struct socket_message *message,
	const struct dhcp_destination *destination, const struct frame *payload_and_source,
	uint8_t *frame_bytes, struct msghdr *header)
{
	struct frame frame = *payload_and_source;
	frame.source = destination->source;
	frame.destination = destination->address;
	frame.destination_port = destination->port;
	frame.destination_mac = destination->mac;
	if (destination->kind == DHCP_TO_BROADCAST)
		memset(frame.destination_mac.bytes, 0xff, sizeof(frame.destination_mac.bytes));
	size_t length = frame_build(&frame, frame_bytes, PACKET_SOCKET_FRAME_MAX);
	message->address.link = (struct sockaddr_ll){
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_IP),
		.sll_ifindex = (int)destination->interface,
		.sll_halen = sizeof(frame.destination_mac.bytes),
	};
	memcpy(message->address.link.sll_addr, frame.destination_mac.bytes,
		sizeof(frame.destination_mac.bytes));
	socket_message_to_send(message, sizeof(message->address.link), frame_bytes, length, header);
	return length > 0;
}

int packet_socket_send(int fd, const struct dhcp_destination *destination,
	const struct frame *payload_and_source, struct error *error)
{
	uint8_t bytes[PACKET_SOCKET_FRAME_MAX];
	struct socket_message message;
	struct msghdr header;
	if (!packet_socket_prepare(&message, destination, payload_and_source, bytes, &header))
		return error_set(error, -EMSGSIZE, "a message is too long for a frame");
	if (sendmsg(fd, &header, MSG_NOSIGNAL) < 0)
		return error_system(
			error, -errno, "cannot send a frame to %s", MAC_TEXT(destination->mac));
	return 0;
}
