/* A packet socket for ARP (RFC 5227). Non-blocking. */
#ifndef PROGRAMS_DHCP_ARP_SOCKET_H
#define PROGRAMS_DHCP_ARP_SOCKET_H

#include "base/address.h"
#include "base/error.h"
#include "dhcp/arp.h"

/* It hears nothing before one of the next two. The caller owns *ret_fd. `interface`: 0 for all. */
int arp_socket_open(unsigned interface, int *ret_fd, struct error *error);

/* Hear packets with that address as sender's or target's, alone: the kernel filters. */
int arp_socket_listen(int fd, struct ipv4 address, struct error *error);

/* Hear every packet that has a sender's address: no probes of others. */
int arp_socket_listen_all(int fd, struct error *error);

/* The next packet of another host than `own`. 1, or 0 where none is waiting, or -errno. */
int arp_socket_receive(int fd, struct mac own, struct arp_packet *ret_packet, struct error *error);

/* Send an ARP request to everybody on the link. */
int arp_socket_send(
	int fd, unsigned interface, const struct arp_packet *packet, struct error *error);

#endif
