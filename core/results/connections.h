/*
 * The TCP connections of a scenario, put together from the messages that were seen: how each was
 * opened and closed, and, of FTP's data connections, which message said where they go. Pure.
 */
#ifndef RESULTS_CONNECTIONS_H
#define RESULTS_CONNECTIONS_H

#include <stddef.h>

#include "base/error.h"
#include "observe/fact.h"

enum {
	CONNECTION_CLOSING_MOST = 4, /* two FINs and their ACKs; an RST */
};

/* What it points at is among the messages, which outlive it; NULL: not seen. */
struct connection {
	const struct fact *syn; /* never NULL: from the client to the server */
	const struct fact *syn_ack;
	const struct fact *ack;
	const struct fact *closing[CONNECTION_CLOSING_MOST];
	size_t closing_count;
	const struct fact *announced; /* of a data connection: 227, 229, PORT or EPRT */
};

/* ret_connections: an array the caller frees; NULL where there is none. Fails when memory is gone. */
int connections_find(const struct fact *messages, size_t count, struct connection **ret_connections,
	size_t *ret_count, struct error *error);

#endif
