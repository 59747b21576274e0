/*
 * The DHCP relay agent as a machine (RFC 1542 section 4.1, RFC 2131 section 4.1, RFC 3046): what
 * comes from a client goes to every server with `giaddr` set, what comes from a server with a
 * `giaddr` of ours goes to the client. It keeps nothing between messages but counters, and has no
 * timer.
 *
 * Requests. One without `giaddr` gets ours, the address of the interface it came by (or, with
 * link selection, RFC 3527, that of the uplink), and where wished option 82, last before END. One
 * with the `giaddr` of another relay is passed on as it is (RFC 3046 section 2.1.1), but never to
 * the server that it came from; one with a `giaddr` of ours is forged. Option 82 in a request
 * without `giaddr` is forged too, except on a trusted interface (a switch that adds it stands
 * there): it stays then and ours is not added. Where option 82 would make the message longer than
 * `size_most`, it goes without (RFC 3046 section 2.1) and is counted.
 *
 * Replies. One for a `giaddr` of ours loses option 82 where that is ours, and is delivered as its
 * broadcast flag says: broadcast, or a frame to its address and chaddr, for which no ARP is
 * possible yet. A DHCPNAK is always broadcast: its client may have no use of its address.
 * From the clients' side only a known server is believed.
 *
 * Not covered: server identifier override (RFC 5107), RFC 6221's relays that are bridges.
 */
#ifndef DHCP_RELAY_H
#define DHCP_RELAY_H

#include "dhcp/action.h"

enum {
	DHCP_RELAY_INTERFACES_MAX = 64,
	DHCP_RELAY_SERVERS_MAX = 8,
	DHCP_RELAY_DOWNSTREAM_MAX = 64,
	DHCP_RELAY_ID_MAX = 64, /* bytes of a circuit or remote id */
	DHCP_RELAY_HOPS_USUAL = 4, /* RFC 1542 section 4.1.1 */
};

/* A circuit or remote id; length 0: none. */
struct dhcp_relay_id {
	uint8_t length, bytes[DHCP_RELAY_ID_MAX];
};

/* An interface where clients are. */
struct dhcp_relay_interface {
	unsigned index; /* 0: it is not there now */
	struct prefix address; /* the giaddr of its clients; none: it has none now */
	struct dhcp_relay_id circuit, remote;
	bool trusted; /* option 82 of its clients' side is believed */
};

/* What becomes of option 82 in a request that rightly has it already. */
enum dhcp_relay_policy {
	DHCP_RELAY_FORWARD, /* it stays, ours is not added */
	DHCP_RELAY_REPLACE, /* ours instead of it */
	DHCP_RELAY_DROP, /* the request is dropped */
};

/* "forward", "replace", "drop"; false for any other. */
bool dhcp_relay_policy_parse(const char *text, enum dhcp_relay_policy *ret_policy);

struct dhcp_relay_settings {
	struct dhcp_relay_interface interfaces[DHCP_RELAY_INTERFACES_MAX];
	size_t interface_count;
	struct ipv4 servers[DHCP_RELAY_SERVERS_MAX]; /* or broadcasts of their links */
	size_t server_count;
	struct prefix downstream[DHCP_RELAY_DOWNSTREAM_MAX]; /* where other relays' giaddr are */
	size_t downstream_count; /* 0: anywhere */
	bool agent; /* add option 82, where an interface has an id or there is link selection */
	enum dhcp_relay_policy policy;
	bool link_selection; /* giaddr is the uplink's address, see dhcp_relay_set_uplink() */
	unsigned hops_most; /* requests that passed more relays are dropped */
	unsigned secs_least; /* DISCOVER and REQUEST of younger clients are dropped */
	size_t size_most; /* bytes of a message with our option 82 */
};

/* Why something was dropped. */
enum dhcp_relay_reason {
	DHCP_RELAY_MALFORMED, /* counted by the edge: dhcp_relay_count() */
	DHCP_RELAY_TOO_LONG,
	DHCP_RELAY_NOT_SENT, /* likewise: the system refused */
	DHCP_RELAY_NOT_A_CLIENT_INTERFACE,
	DHCP_RELAY_NO_GIADDR,
	DHCP_RELAY_TOO_MANY_HOPS,
	DHCP_RELAY_TOO_EARLY,
	DHCP_RELAY_FORGED_GIADDR,
	DHCP_RELAY_UNKNOWN_GIADDR,
	DHCP_RELAY_FORGED_AGENT,
	DHCP_RELAY_AGENT_DROPPED,
	DHCP_RELAY_NO_OTHER_SERVER,
	DHCP_RELAY_OTHER_GIADDR,
	DHCP_RELAY_REPLY_OF_CLIENT,
	DHCP_RELAY_NOT_ECHOED,
	DHCP_RELAY_REASONS,
};

/* A stable word, for status and JSON: "forged-giaddr". */
const char *dhcp_relay_reason_name(enum dhcp_relay_reason reason);

enum { DHCP_RELAY_TYPES = DHCPINFORM + 2 }; /* 0: BOOTP's; the last: unknown ones */

/* What became of option 82. */
struct dhcp_relay_agent_counters {
	uint64_t added, replaced, kept, left_out, removed;
};

struct dhcp_relay {
	struct dhcp_relay_settings settings;
	struct ipv4 uplink;
	/* Passed on, by message type: see dhcp_relay_type_slot(). */
	uint64_t requests[DHCP_RELAY_TYPES], replies[DHCP_RELAY_TYPES];
	uint64_t interface_requests[DHCP_RELAY_INTERFACES_MAX];
	uint64_t interface_replies[DHCP_RELAY_INTERFACES_MAX];
	uint64_t server_requests[DHCP_RELAY_SERVERS_MAX];
	uint64_t server_replies[DHCP_RELAY_SERVERS_MAX]; /* by source address */
	struct dhcp_relay_agent_counters agent;
	uint64_t reasons[DHCP_RELAY_REASONS];
};

void dhcp_relay_init(struct dhcp_relay *relay, const struct dhcp_relay_settings *settings);

/* settings.interfaces[which] is like that now: there with another address, or gone. */
void dhcp_relay_set_interface(
	struct dhcp_relay *relay, size_t which, const struct dhcp_relay_interface *interface);

/* The giaddr of link selection; none: there is none now, and no request is passed on. */
void dhcp_relay_set_uplink(struct dhcp_relay *relay, struct ipv4 address);

struct dhcp_relay_event {
	const struct dhcp_message *message;
	const void *bytes; /* those that `message` was parsed from */
	size_t length;
	unsigned interface; /* index of the one it arrived on */
	struct ipv4 source; /* of its datagram */
	bool own_giaddr; /* its giaddr is an address of this machine */
};

/* One step. Relaying depends on no time. */
void dhcp_relay_step(struct dhcp_relay *relay, const struct dhcp_relay_event *event,
	struct dhcp_actions *ret_actions);

/* What the edge alone knows: DHCP_RELAY_MALFORMED and DHCP_RELAY_NOT_SENT. */
void dhcp_relay_count(struct dhcp_relay *relay, enum dhcp_relay_reason reason);

/* Where `type` is counted in dhcp_relay.requests and .replies. */
unsigned dhcp_relay_type_slot(unsigned type);

#endif
