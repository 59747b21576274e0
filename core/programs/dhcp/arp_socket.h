/* A packet socket for ARP on one interface (RFC 5227). Non-blocking. */
#ifndef PROGRAMS_DHCP_ARP_SOCKET_H
#define PROGRAMS_DHCP_ARP_SOCKET_H

#include "base/address.h"
#include "base/error.h"
#include "dhcp/arp.h"

/* It hears nothing before arp_socket_listen(). The caller owns *ret_fd. */
int arp_socket_open(unsigned interface, int *ret_fd, struct error *error);

/* Hear packets with that address as sender's or target's, alone: the kernel filters. */
int arp_socket_listen(int fd, struct ipv4 address, struct error *error);

/* The next packet of another host than `own`. 1, or 0 where none is waiting, or -errno. */
int arp_socket_receive(int fd, struct mac own, struct arp_packet *ret_packet, struct error *error);

/* Send an ARP request to everybody on the link. */
int arp_socket_send(
	int fd, unsigned interface, const struct arp_packet *packet, struct error *error);

#endif
