/*
 * What happens to the client as JSON Lines on standard output (--json), one object an event:
 *
 *	{"time":"2026-11-22T12:00:00.000Z","event":"bound","interface":"eth0","address":...}
 *
 * Events: `state` (from, to), `link` (up), `finished` (status), and the names of
 * dhcp_change_reason_name() with the lease's facts. A line that standard output does not take is
 * counted, and `lost-lines` says how many before the next.
 */
#ifndef PROGRAMS_DHCP_CLIENT_EVENTS_H
#define PROGRAMS_DHCP_CLIENT_EVENTS_H

#include "base/json.h"
#include "dhcp/client.h"

struct client_events {
	bool on;
	const char *interface; /* borrowed */
	unsigned lost; /* private */
};

/* An event with facts of its own: `take_facts` is an object, its members are added. */
void client_events_write(struct client_events *events, const char *event, json_t *take_facts);

void client_events_change(
	struct client_events *events, const struct dhcp_change *change, uint64_t now_ns);

#endif
