/*
 * dhcp-server's own state: the pure machine of dhcp/server.h, what it is connected to, and what is
 * counted on the way; and what a wake-up does whatever protocol is spoken. Its parts: server_batch.h
 * (messages in, answers out), text_service.h (the same for the report's text protocol, which uses the
 * machine's one pool), dhcp-server.c (start).
 */
#ifndef PROGRAMS_DHCP_SERVER_PROGRAM_H
#define PROGRAMS_DHCP_SERVER_PROGRAM_H

#include "base/log_limit.h"
#include "dhcp/server.h"
#include "dhcp/text_server.h"
#include "programs/dhcp/event_loop.h"
#include "programs/dhcp/lease_store.h"
#include "programs/dhcp/prober.h"
#include "programs/dhcp/server_settings.h"
#include "programs/dhcp/transport.h"

/* What the machine never hears of, since the start. */
struct server_counters {
	uint64_t malformed; /* not a DHCP message, or too long for one */
	uint64_t not_served; /* it came in by an interface without an address, or not ours */
	uint64_t withheld; /* answers whose lease could not be stored */
	uint64_t not_sent; /* answers that the system would not send */
	uint64_t commits, failed_commits;
	uint64_t probes_not_sent;
	uint64_t not_logged; /* lines */
};

struct server_batch; /* messages and answers of one wake-up */
struct text_service; /* likewise */
struct server_control; /* the operator's side */

struct server_program_state {
	const struct server_settings *settings;
	struct dhcp_server server;
	struct lease_store *store;
	struct server_control *control;
	struct transport transport;
	struct event_loop loop;
	struct prober *prober; /* NULL: no probes */
	struct server_batch *batch;
	struct dhcp_text_server text;
	struct text_service *text_service; /* NULL: DHCP is spoken */
	uint64_t now_ns; /* of the wake-up */
	struct server_counters counters;
	/* What peers, and what a failing disk or network, may write into the log. */
	struct log_limit messages, troubles;
	size_t leases_elsewhere; /* stored, of subnets that are not served now */
	uint64_t idle_commits; /* counters.commits at the last tick */
};

/* `state` is zeroed: what needs another value at first. */
void server_program_init(struct server_program_state *state);

/* Begin a wake-up: what time it is, for the machine and for the store. */
void server_program_begin(struct server_program_state *state);

/* Whether a line that a peer has caused may be written. */
bool server_program_may_log(struct server_program_state *state);

/* Log what the disk or the network refuse, as far as the limit for that allows. */
void server_program_trouble(struct server_program_state *state, const struct error *error);

/*
 * Commit what was stored since the last time, for that many answers. False where it is not durable,
 * which is logged and counted.
 */
bool server_program_commit(struct server_program_state *state, unsigned answers);

/* Once a second while there is work: tell what was not logged, tidy the store. */
void server_program_tick(struct server_program_state *state);

#endif
