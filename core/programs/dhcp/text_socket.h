/*
 * The socket of the text protocol's server (dhcp/text.h): UDP over IPv4 or IPv6, non-blocking. An
 * answer leaves from the address that was written to, whichever of ours that is.
 */
#ifndef PROGRAMS_DHCP_TEXT_SOCKET_H
#define PROGRAMS_DHCP_TEXT_SOCKET_H

#include <stddef.h>

#include "base/endpoint.h"
#include "base/error.h"
#include "programs/dhcp/socket_message.h"

enum {
	TEXT_SOCKET_SIZE = 512, /* what is longer is cut: no message is */
	TEXT_SOCKET_BATCH = 64, /* datagrams received at once */
};

/* One datagram and, once it is answered, the answer. Not to be moved in between. */
struct text_datagram {
	struct endpoint peer;
	char bytes[TEXT_SOCKET_SIZE];
	size_t length;
	/* Private. */
	struct socket_message message;
	union {
		struct in_pktinfo ip;
		struct in6_pktinfo ip6;
	} own; /* what the answer leaves from */
};

/* At `listen`; its port must be free. The caller owns *ret_fd. */
int text_socket_open(const struct endpoint *listen, int *ret_fd, struct error *error);

/*
 * Up to `count` datagrams, or TEXT_SOCKET_BATCH, that are waiting, into the first places of `list`. Returns how many there
 * were, 0 for none, or a negative errno.
 */
int text_socket_receive(int fd, struct text_datagram *list, unsigned count, struct error *error);

/* Answer a datagram. `bytes` are borrowed for the call. */
int text_socket_answer(int fd, struct text_datagram *datagram, const void *bytes, size_t length,
	struct error *error);

#endif
