/*
 * The DHCP client as a machine (RFC 2131 section 4.4): messages and time in, actions out.
 *
 * Objects. A `struct dhcp_client` is one interface's client. It has no memory of its own beyond the
 * struct; its chance (transaction ids, jitter) comes from the seed.
 *
 *	INIT -> SELECTING -> REQUESTING -> BOUND -> RENEWING -> REBINDING -> INIT
 *
 * Timers, returned as one deadline: the retransmission (4, 8, 16, 32, 64 s, each one s more or
 * less: RFC 2131 section 4.1; `retry_ns` scales all of it), T1, T2, the lease's end, and the end of
 * the wait for a first address. The lease runs from when the answered DHCPREQUEST was sent.
 *
 * Departures. No random delay of 1 to 10 s before the first DHCPDISCOVER (section 4.4.1): it
 * spreads a building's machines after a power cut, and in a lab it is only a wait. The first offer
 * is taken. The floor of 60 s between renewals (section 4.4.5) is lower where T2 comes sooner than
 * 240 s after T1, so that short leases are tried more than once. After a second DHCPNAK in a row
 * the client waits for the retransmission time, lest a faulty server and it keep a link busy.
 *
 * Not covered: INIT-REBOOT with a saved lease, probing and DHCPDECLINE, INFORM, options other than
 * mask, router, times; the client sends no client identifier, so it is known by its hardware.
 */
#ifndef DHCP_CLIENT_H
#define DHCP_CLIENT_H

#include "dhcp/action.h"

enum dhcp_client_state {
	DHCP_CLIENT_INIT,
	DHCP_CLIENT_SELECTING,
	DHCP_CLIENT_REQUESTING,
	DHCP_CLIENT_BOUND,
	DHCP_CLIENT_RENEWING,
	DHCP_CLIENT_REBINDING,
	DHCP_CLIENT_STOPPED,
};

/* "INIT", "SELECTING", ... */
const char *dhcp_client_state_name(enum dhcp_client_state state);

struct dhcp_client_settings {
	struct mac mac;
	unsigned interface;
	uint64_t retry_ns; /* the first retransmission's time; 0: 4 s */
	uint64_t wait_ns; /* how long to try for a first address; 0: for ever */
	uint32_t lease_seconds; /* the wish; 0: none */
	uint64_t seed;
};

enum dhcp_client_outcome { DHCP_CLIENT_STOPPED_AS_ASKED, DHCP_CLIENT_NO_ADDRESS };

struct dhcp_client {
	struct dhcp_client_settings settings;
	enum dhcp_client_state state;
	enum dhcp_client_outcome outcome; /* after DHCP_FINISH */
	struct dhcp_configuration configuration; /* from BOUND to REBINDING: what is held */
	/* Private. */
	uint64_t random;
	uint32_t xid;
	struct ipv4 offered, server;
	unsigned attempts, naks;
	uint64_t began_ns, sent_ns, give_up_ns;
	uint64_t resend_ns, t1_ns, t2_ns, ends_ns;
};

void dhcp_client_init(struct dhcp_client *client, const struct dhcp_client_settings *settings);

enum dhcp_client_event_kind {
	DHCP_CLIENT_START,
	DHCP_CLIENT_MESSAGE,
	DHCP_CLIENT_TIMER,
	DHCP_CLIENT_STOP, /* leave: DHCP_FINISH is the last action */
};

struct dhcp_client_event {
	enum dhcp_client_event_kind kind;
	const struct dhcp_message *message; /* of DHCP_CLIENT_MESSAGE */
	bool release; /* of DHCP_CLIENT_STOP: give the lease back */
};

/* One step; now_ns is of one clock that never goes back. */
void dhcp_client_step(struct dhcp_client *client, const struct dhcp_client_event *event,
	uint64_t now_ns, struct dhcp_actions *ret_actions);

#endif
