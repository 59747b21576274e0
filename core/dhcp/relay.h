/*
 * The DHCP relay agent as a machine (RFC 1542 section 4.1, RFC 2131 section 4.1). It keeps nothing
 * between messages and has no timer: what comes from a client goes to every server with `giaddr`
 * set, what comes from a server with a `giaddr` of ours goes to the client.
 *
 * A reply is delivered as its broadcast flag says: broadcast, or a frame to yiaddr and chaddr, for
 * which no ARP is possible yet. A request that arrives from a client's side with a `giaddr` of ours
 * is forged and dropped; one with a `giaddr` of another relay is passed on as it is.
 * Not covered: option 82, waiting for a minimum of `secs`.
 */
#ifndef DHCP_RELAY_H
#define DHCP_RELAY_H

#include "dhcp/action.h"

enum { DHCP_RELAY_INTERFACES_MAX = 64, DHCP_RELAY_SERVERS_MAX = 8 };

struct dhcp_relay_interface {
	unsigned index;
	struct ipv4 address; /* the giaddr of its clients */
};

struct dhcp_relay_settings {
	struct dhcp_relay_interface interfaces[DHCP_RELAY_INTERFACES_MAX]; /* where clients are */
	size_t interface_count;
	struct ipv4 servers[DHCP_RELAY_SERVERS_MAX];
	size_t server_count;
};

enum dhcp_relay_reason {
	DHCP_RELAY_NOT_A_CLIENT_INTERFACE,
	DHCP_RELAY_TOO_MANY_HOPS,
	DHCP_RELAY_FORGED_GIADDR,
	DHCP_RELAY_OTHER_GIADDR,
	DHCP_RELAY_TOO_LONG,
	DHCP_RELAY_REASONS,
};

struct dhcp_relay {
	struct dhcp_relay_settings settings;
	uint64_t requests, replies; /* passed on */
	uint64_t reasons[DHCP_RELAY_REASONS]; /* dropped */
};

void dhcp_relay_init(struct dhcp_relay *relay, const struct dhcp_relay_settings *settings);

struct dhcp_relay_event {
	const struct dhcp_message *message;
	const void *bytes; /* those that `message` was parsed from */
	size_t length;
	unsigned interface; /* index of the one it arrived on */
};

/* One step. Relaying depends on no time. */
void dhcp_relay_step(struct dhcp_relay *relay, const struct dhcp_relay_event *event,
	struct dhcp_actions *ret_actions);

#endif
