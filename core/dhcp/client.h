/*
 * The DHCP client as a machine (RFC 2131 section 4.4): messages and time in, actions out.
 *
 * Objects. A `struct dhcp_client` is one interface's client. It has no memory of its own beyond the
 * struct; its chance (transaction ids, jitter, probes) comes from the seed.
 *
 *	INIT -> SELECTING -> REQUESTING -> [PROBING ->] BOUND -> RENEWING -> REBINDING -> INIT
 *	with a saved lease, or when the link comes back:  REBOOTING -> [PROBING ->] BOUND
 *	with settings.inform:  INFORMING, until an answer has come
 *
 * Timers, returned as one deadline: the retransmission (4, 8, 16, 32, 64 s, each one s more or
 * less: RFC 2131 section 4.1; `retry_ns` scales all of it), T1, T2, the lease's end, the next ARP,
 * and the end of the wait for a first address. The lease runs from when the answered DHCPREQUEST
 * was sent.
 *
 * Probing (RFC 5227), where settings.probe asks for it: a new address is probed before it is used
 * and announced twice afterwards. A conflict is answered by DHCPDECLINE, and the client begins
 * again after `decline_ns` (RFC 2131 section 3.1 step 5: 10 s at least), after MAX_CONFLICTS of
 * them in a row RATE_LIMIT_INTERVAL. An address in use is defended as in section 2.4 (b): the first
 * conflict within DEFEND_INTERVAL is answered by one announcement, the second ends the lease, with
 * a DHCPDECLINE. An address that is kept over a lost link is announced, not probed: it is in use.
 *
 * Departures. No random delay of 1 to 10 s before the first DHCPDISCOVER (section 4.4.1): it
 * spreads a building's machines after a power cut, and in a lab it is only a wait. The first offer
 * is taken. The floor of 60 s between renewals (section 4.4.5) is lower where T2 comes sooner than
 * 240 s after T1, so that short leases are tried more than once. After a second DHCPNAK in a row
 * the client waits for the retransmission time, lest a faulty server and it keep a link busy. A
 * saved lease is asked for twice within one and a half retransmission times (of 4 s: 6 s in all),
 * since a server that does not know it must keep silent. Without an answer it is given up, or with
 * `keep_unverified` used for what is left of it (section 3.2 step 4).
 */
#ifndef DHCP_CLIENT_H
#define DHCP_CLIENT_H

#include "base/clock.h"
#include "dhcp/action.h"
#include "dhcp/client_lease.h"

enum dhcp_client_state {
	DHCP_CLIENT_INIT,
	DHCP_CLIENT_SELECTING,
	DHCP_CLIENT_REQUESTING,
	DHCP_CLIENT_REBOOTING,
	DHCP_CLIENT_PROBING,
	DHCP_CLIENT_BOUND,
	DHCP_CLIENT_RENEWING,
	DHCP_CLIENT_REBINDING,
	DHCP_CLIENT_INFORMING,
	DHCP_CLIENT_STOPPED,
};

/* "INIT", "SELECTING", ... */
const char *dhcp_client_state_name(enum dhcp_client_state state);

/* RFC 5227 section 1.1, in its words. */
struct dhcp_probe_times {
	uint64_t wait_ns; /* at most, before the first probe */
	unsigned probes;
	uint64_t least_ns, most_ns; /* between probes */
	uint64_t announce_wait_ns; /* after the last probe */
	unsigned announcements;
	uint64_t announce_interval_ns;
	uint64_t defend_ns;
};

/* The RFC's own: probing takes 4 to 7 s. */
#define DHCP_PROBE_TIMES_RFC                                                                       \
	((struct dhcp_probe_times){                                                                \
		.wait_ns = 1 * NS_PER_SECOND,                                                      \
		.probes = 3,                                                                       \
		.least_ns = 1 * NS_PER_SECOND,                                                     \
		.most_ns = 2 * NS_PER_SECOND,                                                      \
		.announce_wait_ns = 2 * NS_PER_SECOND,                                             \
		.announcements = 2,                                                                \
		.announce_interval_ns = 2 * NS_PER_SECOND,                                         \
		.defend_ns = 10 * NS_PER_SECOND,                                                   \
	})

/* What the edge decides. Pointers are borrowed for the client's life. */
struct dhcp_client_settings {
	struct mac mac;
	unsigned interface;
	uint64_t retry_ns; /* the first retransmission's time; 0: 4 s */
	uint64_t wait_ns; /* how long to try for a first address; 0: for ever */
	uint64_t decline_ns; /* before it begins again after a conflict; 0: 10 s */
	uint32_t lease_seconds; /* the wish; 0: none */
	struct ipv4 address; /* the wish; none: none */
	bool rapid_commit; /* RFC 4039 */
	bool keep_unverified;
	bool probe;
	struct dhcp_probe_times probe_times; /* where `probe` */
	struct prefix inform; /* DHCPINFORM for this address; none: a lease */
	struct dhcp_field client_id; /* option 61; length 0: none, the hardware address is it */
	struct dhcp_field host_name, vendor_class; /* options 12 and 60; length 0: none */
	struct dhcp_field request; /* codes to ask for beside those that the client needs */
	uint64_t seed;
};

enum dhcp_client_outcome { DHCP_CLIENT_STOPPED_AS_ASKED, DHCP_CLIENT_NO_ADDRESS };

struct dhcp_client {
	struct dhcp_client_settings settings;
	enum dhcp_client_state state;
	enum dhcp_client_outcome outcome; /* after DHCP_FINISH */
	bool configured; /* `lease` is in use */
	struct dhcp_client_lease lease; /* in use, being probed, or asked for by REBOOTING */
	struct dhcp_client_lease former; /* what the last DHCP_UNCONFIGURE took off */
	/* Private. */
	uint64_t random;
	uint32_t xid;
	struct ipv4 offered, server, wish;
	unsigned attempts, naks, conflicts, arps_left;
	enum dhcp_change_reason probed_for; /* what a free address is put to use as */
	uint64_t began_ns, sent_ns, give_up_ns;
	uint64_t resend_ns, arp_ns, defended_ns;
};

void dhcp_client_init(struct dhcp_client *client, const struct dhcp_client_settings *settings);

enum dhcp_client_event_kind {
	DHCP_CLIENT_START,
	DHCP_CLIENT_MESSAGE,
	DHCP_CLIENT_TIMER,
	DHCP_CLIENT_HEARD_ARP, /* an ARP packet of another host */
	DHCP_CLIENT_LINK_UP, /* the link was down; it may lead to another network now */
	DHCP_CLIENT_STOP, /* leave: DHCP_FINISH is the last action */
};

struct dhcp_client_event {
	enum dhcp_client_event_kind kind;
	const struct dhcp_message *message; /* of DHCP_CLIENT_MESSAGE */
	const struct dhcp_client_lease *saved; /* of DHCP_CLIENT_START; NULL: none */
	struct dhcp_arp arp; /* of DHCP_CLIENT_HEARD_ARP: its protocol addresses */
	bool release; /* of DHCP_CLIENT_STOP: give the lease back */
};

/* One step; now_ns is of one clock that never goes back, also while the machine sleeps. */
void dhcp_client_step(struct dhcp_client *client, const struct dhcp_client_event *event,
	uint64_t now_ns, struct dhcp_actions *ret_actions);

#endif
