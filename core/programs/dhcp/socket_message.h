/*
 * What recvmsg(2) and sendmsg(2) want for one message, put together once for UDP and packet
 * sockets: its address, its bytes and one control message.
 */
#ifndef PROGRAMS_DHCP_SOCKET_MESSAGE_H
#define PROGRAMS_DHCP_SOCKET_MESSAGE_H

#include <linux/if_packet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "base/error.h"

/* The header points into the others: not to be moved once it is set. */
struct socket_message {
	union {
		struct sockaddr_in ip;
		struct sockaddr_ll link;
		struct sockaddr_in6 ip6;
	} address;
	union {
		struct in_pktinfo ip;
		struct in6_pktinfo ip6;
		struct tpacket_auxdata link;
		/* A cmsghdr itself would have to stand last, with its bytes behind it. */
		_Alignas(struct cmsghdr) char bytes[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	} control;
	struct iovec piece;
};

/* `header` for receiving into `buffer`: to be set again before each use. */
void socket_message_to_receive(
	struct socket_message *message, void *buffer, size_t size, struct msghdr *header);

/*
 * `header` for sending `bytes` to the address that the caller has put into `message`, of
 * `address_size`; no control message.
 */
void socket_message_to_send(struct socket_message *message, size_t address_size, const void *bytes,
	size_t length, struct msghdr *header);

/* Copy the control message of that kind to `ret`; false where there is none of that size. */
bool socket_message_control(struct msghdr *header, int level, int type, void *ret, size_t size);

/* Make `value` the one control message of what is sent; kind->cmsg_len is the value's own size. */
void socket_message_set_control(struct msghdr *header, struct socket_message *message,
	const struct cmsghdr *kind, const void *value);

/*
 * Receive up to `count` messages without waiting. What the kernel has to tell of earlier ones (an
 * ICMP error, an interface that went down) is passed over: it may come up again. Returns how many
 * there were, 0 for none, or a negative errno.
 */
int socket_receive(int fd, struct mmsghdr *headers, unsigned count, struct error *error);

/*
 * Send `count` messages; one that fails holds up no other. Returns how many were not sent, with
 * `*ret_first` the first one's place and errno's value in error->code and its words in the text.
 */
unsigned socket_send(
	int fd, struct mmsghdr *headers, unsigned count, unsigned *ret_first, struct error *error);

#endif
