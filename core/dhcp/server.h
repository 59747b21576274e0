/*
 * The DHCP server as a machine (RFC 2131 section 4.3): messages and time in, actions out. It holds
 * no socket, clock, file or chance.
 *
 * Objects. A `struct dhcp_server` serves one subnet: its pool (pool.h) holds static bindings and
 * dynamic leases. It owns the pool and nothing else. An offer holds its address for `offer_ns` and
 * is not stored; a lease is stored before its DHCPACK is sent, a release and a decline are stored
 * too.
 *
 * Timers. One: the pool's next end, returned as the actions' deadline. It only makes ends be told
 * in time; each step treats as free what has ended, so a late timer does no harm.
 *
 * Who is served. A relayed message by its giaddr, a unicast one (a renewal may come from behind a
 * router) by its ciaddr, any other by the address of the interface it arrived on: where that does
 * not lie in the subnet the server is silent.
 *
 * Covered: DISCOVER, all kinds of REQUEST, DECLINE, RELEASE, INFORM; option 82 returned last and
 * unchanged (RFC 3046 section 2.2), client identifier returned (RFC 6842), lease time as wished up
 * to the maximum, T1 and T2.
 * Departure: RFC 2131 section 4.3.2 has a server say nothing to an INIT-REBOOT or renewing client
 * that it does not know. This one is alone in its subnet and says DHCPNAK, as Kea and dnsmasq do:
 * the client gets a good address at once instead of keeping a bad one.
 * Not covered: BOOTP, several subnets, the parameter request list (mask and router are always
 * sent), options other than those, rapid commit, probing.
 */
#ifndef DHCP_SERVER_H
#define DHCP_SERVER_H

#include "dhcp/action.h"
#include "dhcp/pool.h"

enum { DHCP_SERVER_ADDRESSES_MAX = 64 };

struct dhcp_server_settings {
	struct dhcp_pool_settings pool;
	struct ipv4 router; /* may be none */
	uint32_t lease_seconds; /* the maximum, and what a client without a wish gets; at least 1 */
	uint64_t offer_ns; /* how long an offer holds its address; 0: 10 s */
	uint64_t decline_ns; /* how long a declined address is set aside; 0: 10 minutes */
};

/* Why a message got no answer, or a "no". */
enum dhcp_server_reason {
	DHCP_SERVER_NO_FREE_ADDRESS,
	DHCP_SERVER_BINDING_HELD,
	DHCP_SERVER_NOT_ITS_ADDRESS, /* DHCPNAK */
	DHCP_SERVER_WRONG_NETWORK, /* DHCPNAK */
	DHCP_SERVER_OTHER_SUBNET,
	DHCP_SERVER_OTHER_SERVER,
	DHCP_SERVER_NOT_HELD, /* a RELEASE or DECLINE of what the client does not hold */
	DHCP_SERVER_INCOMPLETE,
	DHCP_SERVER_NO_IDENTITY,
	DHCP_SERVER_UNEXPECTED_TYPE,
	DHCP_SERVER_TOO_LONG,
	DHCP_SERVER_NO_MEMORY,
	DHCP_SERVER_REASONS,
};

struct dhcp_server {
	struct dhcp_server_settings settings; /* its pool's bindings are not kept here */
	struct dhcp_pool pool;
	uint64_t received[DHCPINFORM + 1], sent[DHCPINFORM + 1]; /* by type; received[0]: others */
	uint64_t reasons[DHCP_SERVER_REASONS];
	/* Private. */
	struct ipv4 addresses[DHCP_SERVER_ADDRESSES_MAX];
	size_t address_count;
};

/* Fails as dhcp_pool_init() does. Release with dhcp_server_finish(). */
int dhcp_server_init(struct dhcp_server *server, const struct dhcp_server_settings *settings,
	struct error *error);
void dhcp_server_finish(struct dhcp_server *server);

/*
 * An address of the server's machine: a REQUEST that names it as server identifier is for us, and
 * no client gets it. Known ones, and more than DHCP_SERVER_ADDRESSES_MAX, are ignored.
 */
void dhcp_server_add_address(struct dhcp_server *server, struct ipv4 address);

enum dhcp_server_event_kind {
	DHCP_SERVER_MESSAGE,
	DHCP_SERVER_TIMER,
	DHCP_SERVER_NOT_SAVED, /* a DHCP_SAVE_LEASE failed, and nothing after it was done */
};

struct dhcp_server_event {
	enum dhcp_server_event_kind kind;
	/* Of DHCP_SERVER_MESSAGE: */
	const struct dhcp_message *message;
	unsigned interface; /* index of the one it arrived on */
	struct ipv4 local; /* that interface's address: our server identifier towards the client */
	bool broadcast; /* it was not sent to an address of ours */
	/* Of DHCP_SERVER_NOT_SAVED: */
	struct ipv4 address;
};

/*
 * One step. now_ns: of one clock that never goes back, the clock of all the pool's times.
 * ret_actions is valid until the next step.
 */
void dhcp_server_step(struct dhcp_server *server, const struct dhcp_server_event *event,
	uint64_t now_ns, struct dhcp_actions *ret_actions);

#endif
