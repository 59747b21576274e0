/*
 * Files of other tools as topology files of ours: containerlab's YAML and GraphML as the Internet
 * Topology Zoo has it. Pure: bytes go in, a text comes out. What of the file has no place in a
 * topology stands in comments at its head.
 */
#ifndef EXCHANGE_IMPORT_H
#define EXCHANGE_IMPORT_H

#include "exchange/network.h"

struct import_request {
	const char *path; /* where the bytes came from: for messages, and for a name */
	const char *bytes;
	size_t length;
	unsigned hosts; /* so many at each router of a graph, behind a switch; 0: none */
};

enum { IMPORT_FILE_MOST = 4 * 1024 * 1024, IMPORT_HOSTS_MOST = 1000 };

/*
 * ret_network: network_finish() frees it, and network_write() writes it. A file that begins with
 * '<' is GraphML, any other is YAML. Errors: "FILE:LINE:COLUMN: sentence"; then it is untouched.
 */
int import_network(
	const struct import_request *request, struct network *ret_network, struct error *error);

/* Each reads one of them; a network that is half filled when they fail is the caller's. */
int import_graph(
	const struct import_request *request, struct network *network, struct error *error);
int import_containerlab(
	const struct import_request *request, struct network *network, struct error *error);

/* "some/Abilene.graphml" -> "abilene": a name for what has none. NULL when memory is gone. */
char *import_name(const char *path);

#endif
