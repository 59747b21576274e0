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

/* `interface`: bind to that one alone; NULL: to all. The caller owns *ret_fd. */
int udp_socket_open(uint16_t port, const char *interface, int *ret_fd, struct error *error);

/* Throw away whatever arrives: a socket that only sends, and keeps its port from being refused. */
int udp_socket_deafen(int fd, struct error *error);

struct udp_datagram {
	struct ipv4 source, destination;
	unsigned interface; /* index of the one it arrived on */
	size_t length;
};

/*
 * One datagram into `buffer`; longer ones are dropped. Returns 1, or 0 where none is waiting, or a
 * negative errno.
 */
int udp_socket_receive(
	int fd, void *buffer, size_t size, struct udp_datagram *ret_datagram, struct error *error);

/* To an address or by broadcast, as `destination` says. */
int udp_socket_send(int fd, const struct dhcp_destination *destination, const void *bytes,
	size_t length, struct error *error);

/* Whether all that was sent has left the machine's queues (it may wait for ARP there). */
bool udp_socket_drained(int fd);

#endif
