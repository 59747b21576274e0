/*
 * Links, addresses and routes of the namespace a socket was opened in, by libnl. Nothing outside
 * kernel/ sees a libnl type.
 *
 * What is asked for goes in batches: messages wait in the socket until link_flush(), and all of a
 * batch have one answer. So each function may fail by what an earlier one asked for; the error says
 * what that was. The kernel does everything in the order it was asked for.
 */
#ifndef KERNEL_LINK_H
#define KERNEL_LINK_H

#include "plan/plan.h"

struct nl_sock;

/* Writes what a message is about, for an error: "interface eth0". */
typedef void link_tell(const void *about, struct text *text);

enum {
	LINK_BATCH_SIZE = 16384, /* the kernel takes several times that */
	LINK_BATCH_MOST =
		128, /* messages: all of them may fail, and their answers have to fit, too */
};

/* A NETLINK_ROUTE socket in the namespace the caller is in when it opens it. */
struct link_socket {
	struct nl_sock *socket;
	/* Said of the messages to come. */
	link_tell *tell; /* NULL: they speak for themselves */
	const void *about;
	int forgiven; /* they may fail by that error; 0: by none */
	/* The batch. */
	struct link_waiting {
		const char *what; /* "create the veth pair" */
		link_tell *tell;
		const void *about;
		int forgiven;
	} waiting[LINK_BATCH_MOST];
	size_t waiting_count, length, last;
	unsigned first_sequence, sequence; /* of its first message, and of the next one */
	char batch[LINK_BATCH_SIZE];
};

/* ret_socket: filled as a whole. */
int link_socket_open(struct link_socket *ret_socket, struct error *error);
/* For CLEANUP(), of one whose `socket` is NULL or open. What still waits is forgotten. */
void link_socket_close(struct link_socket *socket);

/* Send what waits, and hear that all of it is done. */
int link_flush(struct link_socket *socket, struct error *error);

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

/* The interface of that name, asked for at once: nothing may wait. */
int link_find(
	struct link_socket *socket, const char *name, unsigned *ret_ifindex, struct error *error);

/* An alternative name, which the kernel takes where the real one's 15 characters do not do. */
int link_alternative_name(
	struct link_socket *socket, unsigned ifindex, const char *name, struct error *error);

/* Of IPv6 without duplicate address detection: it is usable at once. */
int address_add(
	struct link_socket *socket, unsigned ifindex, struct ip_prefix prefix, struct error *error);

/* destination.length 0: the default route of the gateway's family. -EEXIST: there is one already. */
int route_add(struct link_socket *socket, struct ip_prefix destination, struct ip gateway,
	struct error *error);

#endif
