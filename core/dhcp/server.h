/*
 * The DHCP server as a machine (RFC 2131 section 4.3): messages and time in, actions out. It holds
 * no socket, clock, file or chance.
 *
 * Objects. A `struct dhcp_server` serves several subnets; each has its own pool (pool.h) of static
 * bindings and dynamic leases, so a client may have a lease in each. An offer holds its address for
 * `offer_ns` and is not stored; a lease is stored before its DHCPACK is sent; a release, a decline
 * and a refusal are stored too. While an address is probed its client's request waits (probe.h), and
 * nobody else does.
 *
 * Timers. One: the next end of a lease, offer or probe, returned as the actions' deadline. It makes
 * ends be told, and probed addresses be offered, in time. Each step first frees what has ended, so a
 * late timer does no harm.
 *
 * Who is served. The subnet is that of the link-selection suboption (RFC 3527) of a relayed message,
 * else of its giaddr, else of the ciaddr of a unicast one (a renewal may come from behind a router),
 * else of the address of the interface it arrived on: where there is none the server is silent.
 * The client is its identifier, else its hardware address (identity.h).
 *
 * Who gets what. Its binding's address, the one it has, the one it had, the one it asks for, a free
 * one; never one that this server's machine or a router of the subnet has. A binding of other
 * settings wins over an older lease: whoever holds the bound address is refused at its next message,
 * and its owner waits for that. Options: of the binding, else of the subnet, in the order of the
 * client's parameter request list and no others (all of them without such a list); the mask comes
 * before the router (RFC 2132 section 3.3). What does not fit the client's maximum is left out whole
 * and counted. Option 82 comes back last and unchanged (RFC 3046 section 2.2), the client identifier
 * in each answer (RFC 6842).
 *
 * Also: BOOTP (RFC 951, RFC 1534), rapid commit (RFC 4039), a relay's own source port (RFC 8357).
 * Against clients that take too much: limits a port (port.h), and on addresses set aside by
 * DHCPDECLINE (decline.h).
 *
 * Departures from RFC 2131. Section 4.3.2 has a server say nothing to an INIT-REBOOT or renewing
 * client that it does not know; one that is alone in its subnet (the default) says DHCPNAK, as Kea
 * and dnsmasq do: the client gets a good address at once instead of keeping a bad one. Section 4.1
 * has a DHCPNAK without giaddr broadcast; to a client that is behind a router it goes to its ciaddr,
 * or it would never hear it.
 * Section 4.3.1 has a client that has a lease and wishes for no time be offered what is left of it;
 * it gets the usual time, as from every server that people use, or it could not renew without a wish.
 * Not covered: leasequery (RFC 4388), forcerenew (RFC 3203), server identifier override (RFC 5107),
 * authentication (RFC 3118).
 */
#ifndef DHCP_SERVER_H
#define DHCP_SERVER_H

#include "dhcp/action.h"
#include "dhcp/decline.h"
#include "dhcp/pool.h"
#include "dhcp/probe.h"
#include "dhcp/settings.h"

enum { DHCP_SERVER_ADDRESSES_MAX = 64 };

/*
 * Why a message got no answer, or a "no" (DHCPNAK), or less than it asked for.
 * What each means to a person: dhcp_server_reason_text().
 */
enum dhcp_server_reason {
	DHCP_SERVER_NO_FREE_ADDRESS,
	DHCP_SERVER_BINDING_HELD,
	DHCP_SERVER_NOT_ITS_ADDRESS, /* DHCPNAK */
	DHCP_SERVER_WRONG_NETWORK, /* DHCPNAK */
	DHCP_SERVER_RENEWAL_REFUSED, /* DHCPNAK */
	DHCP_SERVER_UNKNOWN_CLIENT, /* silent, as not authoritative */
	DHCP_SERVER_OTHER_SUBNET,
	DHCP_SERVER_FORGED_RELAY, /* giaddr is an address of ours, or one that no relay can have */
	DHCP_SERVER_OTHER_SERVER,
	DHCP_SERVER_NOT_HELD, /* a RELEASE or DECLINE of what the client does not hold */
	DHCP_SERVER_INCOMPLETE,
	DHCP_SERVER_NO_IDENTITY,
	DHCP_SERVER_UNEXPECTED_TYPE,
	DHCP_SERVER_NO_BOOTP,
	DHCP_SERVER_PORT_LEASES, /* silent to DISCOVER, DHCPNAK to REQUEST */
	DHCP_SERVER_PORT_OFFERS,
	DHCP_SERVER_PROBES, /* too many addresses are being probed */
	DHCP_SERVER_ADDRESS_IN_USE, /* a probe was answered */
	DHCP_SERVER_DECLINE_LIMIT, /* declined too often: its address is free again */
	DHCP_SERVER_OPTIONS_OMITTED, /* answered, without what did not fit */
	DHCP_SERVER_TOO_LONG,
	DHCP_SERVER_NO_MEMORY,
	DHCP_SERVER_REASONS,
};

/* A stable word for `reason`, for status and JSON: "no-free-address"; and a phrase for the log. */
const char *dhcp_server_reason_name(enum dhcp_server_reason reason);
const char *dhcp_server_reason_text(enum dhcp_server_reason reason);

/* Message counters: index 0 is whatever no server is sent, 1..8 option 53's types, then BOOTP. */
enum { DHCP_SERVER_BOOTP = DHCPINFORM + 1, DHCP_SERVER_TYPES };

/* "other", "DHCPDISCOVER", ..., "BOOTP". */
const char *dhcp_server_counter_name(unsigned counter);

/* A subnet as it is served. To be read by all, changed by the machine alone. */
struct dhcp_subnet {
	struct dhcp_pool pool; /* its prefix is pool.subnet */
	struct dhcp_option_list options; /* owned */
	struct dhcp_lease_times lease;
	bool refuse_renewal; /* by the settings, or the operator since */
	bool renewal_told; /* by the operator: other settings do not change it */
	bool bootp, rapid_commit;
};

struct dhcp_server {
	struct dhcp_subnet *subnets; /* owned, sorted by address */
	size_t subnet_count;
	struct dhcp_server_settings settings; /* its subnets are not kept here: NULL */
	uint64_t received[DHCP_SERVER_TYPES], sent[DHCP_SERVER_TYPES];
	uint64_t reasons[DHCP_SERVER_REASONS];
	struct dhcp_ports ports; /* that leases and offers are counted at, where they have limits */
	/* Private. */
	struct ipv4 addresses[DHCP_SERVER_ADDRESSES_MAX];
	size_t address_count;
	uint64_t *deadlines; /* owned: of the subnets' pools, side by side */
	struct dhcp_subnet *retired; /* owned: once served, their leases may still be used */
	size_t retired_count;
	struct dhcp_decliners decliners;
	struct dhcp_probes probes;
};

/*
 * The server stays where it is from now on: its pools point into it.
 * Fails when memory is gone or a subnet's ranges are larger than DHCP_POOL_MOST. Release with
 * dhcp_server_finish().
 */
int dhcp_server_init(struct dhcp_server *server, const struct dhcp_server_settings *settings,
	struct error *error);
void dhcp_server_finish(struct dhcp_server *server);

/*
 * Take other settings (SIGHUP): leases, counters and addresses stay; a lease that has no place any
 * more is refused at its client's next message. No work that grows with the pools' size beyond one
 * pass over the leases. On failure everything is as before.
 */
int dhcp_server_configure(struct dhcp_server *server, const struct dhcp_server_settings *settings,
	struct error *error);

/*
 * An address of the server's machine: a REQUEST that names it as server identifier is for us, and
 * no client gets it. Known ones, and more than DHCP_SERVER_ADDRESSES_MAX, are ignored.
 */
void dhcp_server_add_address(struct dhcp_server *server, struct ipv4 address);

/* The subnet that `address` lies in; NULL where none of ours does. */
struct dhcp_subnet *dhcp_server_subnet(const struct dhcp_server *server, struct ipv4 address);

/*
 * Whether clients of the interface with that address are served. The edge asks it to choose
 * event.local among an interface's addresses.
 */
bool dhcp_server_serves(const struct dhcp_server *server, struct ipv4 address);

/*
 * Put a stored lease back, at start or when other settings have a subnet that those until now had
 * not: one that is known already stays as it is. Earliest end first, so that idle ones queue in their
 * order. False where it has no place here, or is known (dhcp_pool_restore()).
 */
bool dhcp_server_restore(
	struct dhcp_server *server, const struct dhcp_lease_record *record, uint64_t now_ns);

/*
 * "Do not renew", said by the operator while the server runs: `which` is one address (/32: that
 * lease alone, once; stored, so ret_actions holds a DHCP_SAVE_LEASE) or a subnet's prefix (each
 * renewal, until it is allowed again or the server ends).
 * Fails with -ENOENT where there is no such lease or subnet.
 */
int dhcp_server_refuse_renewal(struct dhcp_server *server, struct prefix which, bool refuse,
	struct dhcp_actions *ret_actions, struct error *error);

enum dhcp_server_event_kind {
	DHCP_SERVER_MESSAGE,
	DHCP_SERVER_TIMER,
	DHCP_SERVER_NOT_SAVED, /* a DHCP_SAVE_LEASE failed, and nothing after it was done */
	DHCP_SERVER_IN_USE, /* a probe was answered: somebody uses `address` */
};

struct dhcp_server_event {
	enum dhcp_server_event_kind kind;
	/* Of DHCP_SERVER_MESSAGE: */
	const struct dhcp_message *message;
	const void *bytes; /* those that `message` was parsed from: a probe keeps a copy */
	size_t length;
	unsigned interface; /* index of the one it arrived on */
	struct ipv4 local; /* that interface's address: our server identifier towards the client */
	bool broadcast; /* it was not sent to an address of ours */
	uint16_t source_port; /* a relay may write from another than 67 */
	/* Of DHCP_SERVER_NOT_SAVED, DHCP_SERVER_IN_USE: */
	struct ipv4 address;
};

/*
 * One step. now_ns: of one clock that never goes back, the clock of all the pools' times; the same
 * for all the messages whose leases are stored together, and for the DHCP_SERVER_NOT_SAVED of them;
 * later for the next. ret_actions is valid until the next step. Ends of leases and probes need
 * several actions: where ret_actions->deadline_ns is not after now_ns, step again with
 * DHCP_SERVER_TIMER.
 */
void dhcp_server_step(struct dhcp_server *server, const struct dhcp_server_event *event,
	uint64_t now_ns, struct dhcp_actions *ret_actions);

#endif
