/*
 * The kernel's network state over NETLINK_ROUTE, by libmnl: sockets inside a namespace, dumps, and
 * the four kinds of message we read (links, addresses, routes, neighbours; IPv4 and IPv6) as plain
 * structs. Shares no code with kernel/, which builds what is watched here.
 *
 * Every attribute is checked against a table before it is read; unknown ones are skipped, and a
 * message that contradicts itself is one that was never there.
 */
#ifndef OBSERVE_RTNETLINK_H
#define OBSERVE_RTNETLINK_H

#include <linux/netlink.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/error.h"
#include "base/ip.h"

/* The largest message the kernel sends unasked, and so the buffer to receive into. */
#define RTNETLINK_BUFFER_SIZE 32768

/*
 * Open a netlink socket in the namespace `netns_fd`, joined to `groups` (a set of RTMGRP_ bits, 0:
 * none). Non-blocking where it joins any. The caller closes *ret_fd.
 */
int rtnetlink_open(int netns_fd, unsigned groups, int *ret_fd, struct error *error);

/*
 * Receive one datagram from the kernel; those of other processes are passed over.
 * Returns its length, -EAGAIN where nothing waits, -ENOBUFS where the kernel had to throw messages
 * away, or another negative errno.
 */
int rtnetlink_receive(int fd, void *buffer, size_t size);

typedef int (*rtnetlink_function)(void *argument, const struct nlmsghdr *message);

/*
 * Dump all objects of one kind: `type` is RTM_GETLINK, RTM_GETADDR, RTM_GETROUTE or RTM_GETNEIGH,
 * on a socket without groups. A dump that the kernel calls inconsistent is begun again: `restart`
 * is called before each attempt, so that half a dump is never reported. `each` may return a
 * negative errno to end it.
 */
struct rtnetlink_dump {
	uint16_t type;
	void (*restart)(void *argument);
	rtnetlink_function each;
	void *argument;
};
int rtnetlink_dump(int fd, const struct rtnetlink_dump *dump, struct error *error);

struct rtnetlink_link {
	unsigned index;
	char name[IF_NAMESIZE];
	bool up, running;
	bool has_mac;
	struct mac mac;
};

struct rtnetlink_address {
	unsigned interface; /* index */
	struct ip_prefix address;
	uint32_t valid_seconds; /* UINT32_MAX: for ever */
};

struct rtnetlink_route {
	struct ip_prefix destination; /* 0.0.0.0/0 or ::/0: the default route */
	struct ip gateway, source;
	unsigned interface; /* index; 0: none */
	uint32_t metric;
};

struct rtnetlink_neighbour {
	unsigned interface;
	struct ip address;
	bool has_mac;
	struct mac mac;
	const char *state; /* "reachable", ... */
};

/*
 * Read one message. False where it is of another kind or family, malformed, or not of interest:
 * routes outside the main table (the kernel's own bookkeeping for each address) and other than
 * unicast, neighbours of broadcast and multicast addresses, and the link-local addresses of IPv6
 * with their routes and neighbours, which every interface has by itself.
 */
bool rtnetlink_read_link(const struct nlmsghdr *message, struct rtnetlink_link *ret_link);
bool rtnetlink_read_address(const struct nlmsghdr *message, struct rtnetlink_address *ret_address);
bool rtnetlink_read_route(const struct nlmsghdr *message, struct rtnetlink_route *ret_route);
bool rtnetlink_read_neighbour(
	const struct nlmsghdr *message, struct rtnetlink_neighbour *ret_neighbour);

#endif
