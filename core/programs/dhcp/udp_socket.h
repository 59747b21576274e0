/*
 * UDP sockets of DHCP: bound to 0.0.0.0 and a port, broadcast allowed, told on which interface and
 * for which address each datagram came. Non-blocking.
 */
#ifndef PROGRAMS_DHCP_UDP_SOCKET_H
#define PROGRAMS_DHCP_UDP_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/error.h"
#include "dhcp/action.h"
#include "programs/dhcp/socket_message.h"

/* `interface`: bind to that one alone; NULL: to all. The caller owns *ret_fd. */
int udp_socket_open(uint16_t port, const char *interface, int *ret_fd, struct error *error);

/* Throw away whatever arrives: a socket that only sends, and keeps its port from being refused. */
int udp_socket_deafen(int fd, struct error *error);

struct udp_datagram {
	struct ipv4 source, destination;
	uint16_t source_port;
	unsigned interface; /* index of the one it arrived on */
	const uint8_t *bytes;
	size_t length;
};

/*
 * One datagram into `buffer`; longer ones are dropped. Returns 1, or 0 where none is waiting, or a
 * negative errno.
 */
int udp_socket_receive(
	int fd, void *buffer, size_t size, struct udp_datagram *ret_datagram, struct error *error);

/*
 * Many datagrams by one call: room for some, each of up to UDP_BATCH_DATAGRAM_MAX bytes. Longer ones are
 * dropped and counted: no DHCP message is that long. Release with udp_batch_free().
 */
enum { UDP_BATCH_DATAGRAM_MAX = 4096 };

struct udp_batch;
int udp_batch_new(unsigned room, struct udp_batch **ret_batch, struct error *error);
void udp_batch_free(struct udp_batch **batch);

/* Take no more than so many at once from now on, 1 to its room. */
void udp_batch_limit(struct udp_batch *batch, unsigned most);

/*
 * Fill the batch with what is waiting. Returns how many datagrams there are, 0 for none, or a
 * negative errno. ret_datagrams is the batch's own list, valid until the next call; ret_dropped
 * counts those that were too long.
 */
int udp_socket_receive_batch(int fd, struct udp_batch *batch,
	const struct udp_datagram **ret_datagrams, unsigned *ret_dropped, struct error *error);

/* Put a datagram together for socket_send(). `bytes` are borrowed until then. */
void udp_socket_prepare(struct socket_message *message, const struct dhcp_destination *destination,
	const void *bytes, size_t length, struct msghdr *header);

/* To an address or by broadcast, as `destination` says. */
int udp_socket_send(int fd, const struct dhcp_destination *destination, const void *bytes,
	size_t length, struct error *error);

/* Whether all that was sent has left the machine's queues (it may wait for ARP there). */
bool udp_socket_drained(int fd);

#endif
