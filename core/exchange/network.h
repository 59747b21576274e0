/*
 * A network read from another tool's file, and how it is written as a topology file of ours. What the
 * file says and ours cannot is noted, never dropped: notes stand at the head of what is written.
 *
 * Everything is owned by `struct network`: network_finish() frees it all.
 */
#ifndef EXCHANGE_NETWORK_H
#define EXCHANGE_NETWORK_H

#include "base/text.h"
#include "topology/model.h"

/* Things of one sort that are not taken over, and why. */
struct note {
	char *what; /* "image" */
	char *why; /* "a node runs the programs of this machine" */
	unsigned lines[64]; /* where the first ones stand, each once */
	size_t count; /* of all lines, as far as they are told apart */
};

struct network_route {
	bool is_default; /* of the gateway's family */
	struct ip_prefix destination;
	struct ip gateway;
};

struct network_mac {
	char *interface;
	struct mac mac;
};

struct network_node {
	char *name; /* one of ours, and no other node's */
	enum node_kind kind;
	bool left_out; /* it has no links and is not written */
	char *comment; /* or NULL */
	struct network_route *routes;
	size_t route_count;
	bool own_routes; /* these, or none, and not those that the plan finds */
	struct network_mac *macs;
	size_t mac_count;
	char **environment; /* NAME=VALUE */
	size_t environment_count;
};

struct network_end {
	size_t node; /* index in network.nodes */
	char *interface; /* one of ours; NULL: the plan names it */
	struct ip_prefix addresses[IP_FAMILIES]; /* none (0): see `exact` */
	bool exact; /* it has these and no others; else the plan finds what is missing */
	uint64_t rate; /* what it sends at most, in bits a second; 0: not said */
};

struct network_link {
	struct network_end ends[2];
	unsigned mtu; /* 0: not said */
	char *comment; /* or NULL */
};

struct network {
	char *name; /* one of ours */
	char *title; /* or NULL */
	char *heading; /* comment lines for the head, without "# "; or NULL */
	struct network_node *nodes;
	size_t node_count;
	struct network_link *links;
	size_t link_count;
	struct note *notes;
	size_t note_count, notes_lost;
};

enum { NETWORK_NOTES_MOST = 200 };

/*
 * Note that `what`, in line `line` (0: nowhere), is not taken over because of `why`. Those with
 * the same words are one note. Memory that is gone loses the note, which is counted.
 */
void network_note(struct network *network, unsigned line, const char *why, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* One more; NULL when memory is gone. At most TOPOLOGY_NODES_MOST and TOPOLOGY_LINKS_MOST. */
struct network_node *network_add_node(struct network *network, struct error *error);
struct network_link *network_add_link(struct network *network, struct error *error);

/* The whole as a topology file. `path`: where it was read from, for the head. */
void network_write(const struct network *network, const char *path, struct text *text);

/* For CLEANUP(). */
void network_finish(struct network *network);

#endif
