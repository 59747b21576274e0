/*
 * Links, addresses and routes of the namespace a socket was opened in, by libnl. Nothing outside
 * kernel/ sees a libnl type.
 */
#ifndef KERNEL_LINK_H
#define KERNEL_LINK_H

#include "plan/plan.h"

struct nl_sock;

/* A NETLINK_ROUTE socket in the namespace the caller is in when it opens it. */
struct link_socket {
	struct nl_sock *socket;
};

int link_socket_open(struct link_socket *ret_socket, struct error *error);
/* For CLEANUP(). */
void link_socket_close(struct link_socket *socket);

/* A pair with one end in the socket's namespace and the other in `there_netns_fd`. */
struct veth_pair {
	const struct plan_interface *here, *there;
	int there_netns_fd;
	unsigned mtu; /* 0: the default */
	bool bridge_port; /* `here` joins the bridge br0 and comes up */
};

int veth_create(struct link_socket *socket, const struct veth_pair *pair, struct error *error);

/* The bridge br0 with index PLAN_BRIDGE_IFINDEX, without spanning tree, down. */
int bridge_create(struct link_socket *socket, struct error *error);

/* Make a port of br0 of an interface that the other end's node has made, and set it up. */
int bridge_join(struct link_socket *socket, unsigned ifindex, struct error *error);

int link_up(struct link_socket *socket, unsigned ifindex, struct error *error);
int link_down(struct link_socket *socket, unsigned ifindex, struct error *error);

/* Move an interface to the namespace `there_netns_fd`, down and called `name`. */
int link_move(struct link_socket *socket, unsigned ifindex, int there_netns_fd, const char *name,
	struct error *error);

/* The interface of that name. */
int link_find(
	struct link_socket *socket, const char *name, unsigned *ret_ifindex, struct error *error);

/* An alternative name, which the kernel takes where the real one's 15 characters do not do. */
int link_alternative_name(
	struct link_socket *socket, unsigned ifindex, const char *name, struct error *error);

/* Of IPv6 without duplicate address detection: it is usable at once. */
int address_add(
	struct link_socket *socket, unsigned ifindex, struct ip_prefix prefix, struct error *error);

/* destination.length 0: the default route of the gateway's family. -EEXIST: there is one
 * already. */
int route_add(struct link_socket *socket, struct ip_prefix destination, struct ip gateway,
	struct error *error);

#endif
