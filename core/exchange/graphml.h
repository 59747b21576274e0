/*
 * GraphML (graphml.graphdrawing.org) as a graph of texts: nodes, edges and what the Internet Topology Zoo
 * says of them (topology-zoo.org), read by expat. Hyperedges become nodes that stand for them; nested
 * graphs are one. Nothing but the file's bytes is read: a file that declares entities is refused.
 */
#ifndef EXCHANGE_GRAPHML_H
#define EXCHANGE_GRAPHML_H

#include "exchange/network.h"

/* What is kept of a graph, a node and an edge: each has its own meaning of a value's number. */
enum graph_value { GRAPH_NETWORK, GRAPH_LABEL, GRAPH_LOCATION, GRAPH_DATE, GRAPH_SOURCE };
enum node_value {
	NODE_LABEL,
	NODE_LATITUDE,
	NODE_LONGITUDE,
	NODE_COUNTRY,
	NODE_TYPE,
	NODE_INTERNAL,
	NODE_HYPEREDGE
};
enum edge_value { EDGE_LABEL, EDGE_TYPE, EDGE_NOTE, EDGE_SPEED, EDGE_SPEED_UNITS, EDGE_SPEED_RAW };
enum { GRAPHML_VALUES = 7, GRAPHML_VALUE_MOST = 1000 };

struct graphml_item {
	unsigned line;
	char *values[GRAPHML_VALUES]; /* NULL: not said */
	char *id; /* of a node; NULL: of a hyperedge */
	char *ends[2]; /* of an edge: ids of nodes; NULL: the node of a hyperedge */
	size_t nodes[2]; /* ... and their indexes */
	bool directed;
};

struct graphml {
	struct graphml_item itself;
	struct graphml_item *nodes, *edges;
	size_t node_count, edge_count;
};

/*
 * Read `length` bytes that came from `path`. What has no place is noted in `network`. ret_graph:
 * graphml_finish() frees it, also after an error. Errors: "FILE:LINE:COLUMN: sentence".
 */
int graphml_read(const char *bytes, size_t length, const char *path, struct network *network,
	struct graphml *ret_graph, struct error *error);
void graphml_finish(struct graphml *graph);

#endif
