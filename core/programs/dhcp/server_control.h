/*
 * The operator's side of dhcp-server while it runs: SIGHUP reads the whole configuration again, and
 * the control socket answers `status`, `refuse-renewal` and `allow-renewal`.
 *
 * Requests, as words of a line (programs/shared/control_socket.h):
 *	status				see server_status()
 *	leases SUBNET LEASE MOST	see server_status_leases()
 *	refuse-renewal ADDR|CIDR	{"refused": "10.0.2.0/24"}
 *	allow-renewal ADDR|CIDR		{"allowed": "10.0.2.0/24"}
 */
#ifndef PROGRAMS_DHCP_SERVER_CONTROL_H
#define PROGRAMS_DHCP_SERVER_CONTROL_H

#include <event2/event.h>

#include "base/error.h"
#include "dhcp/server.h"
#include "dhcp/text_server.h"
#include "programs/dhcp/lease_store.h"
#include "programs/dhcp/server_program.h"
#include "programs/dhcp/server_settings.h"
#include "programs/shared/operator.h"

/* What it works on. Everything is borrowed and outlives it. */
struct server_control_program {
	int argc;
	char **argv;
	struct server_settings *settings; /* others are put in their place by a reload */
	struct dhcp_server *server;
	const struct dhcp_text_server *text; /* NULL: DHCP is spoken */
	struct lease_store **store; /* opened later */
	const struct server_counters *counters;
	void *program; /* passed to `changed` */
	void (*changed)(void *program); /* the machine's settings are others */
};

struct server_control;

/* Bind the control socket: before privileges are dropped. Close with server_control_close(). */
int server_control_open(const struct server_control_program *program,
	struct server_control **ret_control, struct error *error);
void server_control_close(struct server_control **control);

/* Answer, and read again at SIGHUP, from now on. */
int server_control_serve(
	struct server_control *control, struct event_base *base, struct error *error);

/* The asking side: `dhcp-server status`. */
extern const struct operator_program server_operator;

#endif
