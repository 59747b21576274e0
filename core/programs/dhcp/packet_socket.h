/*
 * Packet sockets (AF_PACKET): whole Ethernet frames, for clients that have no address yet and for
 * answers to them, where neither UDP nor ARP can serve. Non-blocking.
 */
#ifndef PROGRAMS_DHCP_PACKET_SOCKET_H
#define PROGRAMS_DHCP_PACKET_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/error.h"
#include "dhcp/action.h"
#include "dhcp/frame.h"
#include "programs/dhcp/socket_message.h"

/* One that only sends, on any interface. The caller owns *ret_fd. */
int packet_socket_open_sender(int *ret_fd, struct error *error);

/* One that receives, on that interface, IPv4 UDP to `port` alone (the kernel filters). */
int packet_socket_open(unsigned interface, uint16_t port, int *ret_fd, struct error *error);

/*
 * The next UDP frame whose checksums hold into `buffer`; what is torn is skipped. A packet of a
 * socket on this machine has a partial checksum only, and the kernel says so: it is taken.
 * Returns 1, or 0 where none is waiting, or a negative errno.
 */
int packet_socket_receive(
	int fd, void *buffer, size_t size, struct frame *ret_frame, struct error *error);

/*
 * Send a UDP datagram as a frame: to destination->mac, or to everybody on the link where
 * `destination` is a broadcast. `source_mac` is the sending interface's.
 */
int packet_socket_send(int fd, const struct dhcp_destination *destination,
	const struct frame *payload_and_source, struct error *error);

/*
 * Put such a frame together in `frame_bytes`, of PACKET_SOCKET_FRAME_MAX, for socket_send(): both
 * stay until then. False where the payload is too long for a frame.
 */
enum { PACKET_SOCKET_FRAME_MAX = FRAME_HEADERS_SIZE + DHCP_MESSAGE_SIZE_MAX };
bool packet_socket_prepare(struct socket_message *message,
	const struct dhcp_destination *destination, const struct frame *payload_and_source,
	uint8_t *frame_bytes, struct msghdr *header);

#endif
