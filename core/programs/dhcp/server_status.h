/*
 * What `dhcp-server status` tells: the answers as JSON. README.md beside this file lists the keys.
 * server_operator.c prints them.
 */
#ifndef PROGRAMS_DHCP_SERVER_STATUS_H
#define PROGRAMS_DHCP_SERVER_STATUS_H

#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "dhcp/server.h"
#include "programs/dhcp/server_program.h"
#include "programs/dhcp/server_settings.h"

enum { SERVER_STATUS_LEASES_MAX = 250 }; /* of one answer: it is made within the loop */

/* What is told besides the machine's own. */
struct server_status_facts {
	const struct dhcp_server *server;
	const struct dhcp_text_server *text; /* NULL: DHCP is spoken */
	const struct server_settings *settings;
	const struct server_counters *counters;
	uint64_t started_utc_ns;
	uint64_t now_ns; /* of the machine's clock */
	int64_t utc_less_ns; /* UTC minus that */
	unsigned reloads, failed_reloads;
	const char *last_failure; /* why the last reload failed; NULL where it did not */
};

/*
 * The counters of struct server_counters: a stable word for each and what it means, for status and
 * JSON. NULL where there is no such number.
 */
struct server_status_counter {
	const char *name, *text;
	size_t offset; /* in struct server_counters */
};
const struct server_status_counter *server_status_counter(size_t number);

/* All but the leases. A new reference; NULL when memory is gone. */
json_t *server_status(const struct server_status_facts *facts);

/*
 * The leases that somebody holds (offered, bound, declined), at most `most` of them, from number
 * `lease` of subnet number `subnet` on: {"leases": [...], "next": "SUBNET LEASE"}, `next` only
 * where there may be more.
 */
json_t *server_status_leases(
	const struct server_status_facts *facts, size_t subnet, size_t lease, size_t most);

#endif
