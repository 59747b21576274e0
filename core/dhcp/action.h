/*
 * What the three machines (server.h, client.h, relay.h) ask of the edge. A machine does nothing
 * itself: it returns actions, and the edge performs them in order. The order is the policy: a
 * DHCP_SAVE_LEASE stands before the DHCP_SEND of its DHCPACK, and where the saving fails the edge
 * drops the rest.
 */
#ifndef DHCP_ACTION_H
#define DHCP_ACTION_H

#include "base/address.h"
#include "dhcp/message.h"
#include "dhcp/pool.h"

enum { DHCP_ACTIONS_MAX = 16 };

enum dhcp_action_kind {
	DHCP_SAVE_LEASE, /* store `lease`, durably, before what follows */
	DHCP_SEND, /* send the actions' message to `destination` */
	DHCP_PROBE, /* ask on the wire whether somebody uses `probe.address` */
	DHCP_CONFIGURE, /* put change.lease on the interface, or refresh it */
	DHCP_UNCONFIGURE, /* take change.lease off it */
	DHCP_NOTICE, /* `change`, where nothing is to be done to the interface */
	DHCP_ARP, /* send `arp` on the client's interface */
	DHCP_REPORT, /* tell `report` to a person */
	DHCP_FINISH, /* the client is done: see dhcp_client.outcome */
};

enum dhcp_destination_kind {
	DHCP_TO_ADDRESS, /* by UDP, routed */
	DHCP_TO_BROADCAST, /* 255.255.255.255 and the Ethernet broadcast, on `interface` */
	DHCP_TO_HARDWARE, /* a frame to `mac` for `address`, on `interface`, without ARP */
};

struct dhcp_destination {
	enum dhcp_destination_kind kind;
	struct ipv4 address;
	struct mac mac;
	uint16_t port;
	unsigned interface; /* its index; 0: whatever the route says */
	struct ipv4 source; /* none: the client has no address yet, or the system chooses */
};

/* What has become of a client's lease, and why. */
enum dhcp_change_reason {
	/* Of DHCP_CONFIGURE: */
	DHCP_CHANGE_BOUND, /* a lease it did not hold before */
	DHCP_CHANGE_RENEWED, /* the same address, a new time */
	DHCP_CHANGE_KEPT, /* the saved lease is used although no server answered */
	DHCP_CHANGE_LINK_BACK, /* the link came up again, the lease still holds */
	DHCP_CHANGE_INFORMED, /* options for an address that is configured already */
	/* Of DHCP_UNCONFIGURE: */
	DHCP_CHANGE_EXPIRED,
	DHCP_CHANGE_REPLACED, /* the server gave another address */
	DHCP_CHANGE_RELEASED,
	/* Of DHCP_UNCONFIGURE, or of DHCP_NOTICE where the address was not in use yet: */
	DHCP_CHANGE_REFUSED, /* DHCPNAK */
	DHCP_CHANGE_DECLINED, /* another host uses the address */
	/* Of DHCP_NOTICE: */
	DHCP_CHANGE_UNANSWERED, /* no server offers an address; the client goes on asking */
	DHCP_CHANGE_DEFENDED, /* another host used the address, once */
};

/* "bound", "renewed", ...: the events of dhcp-client --json. */
const char *dhcp_change_reason_name(enum dhcp_change_reason reason);

struct dhcp_client_lease;

struct dhcp_change {
	enum dhcp_change_reason reason;
	const struct dhcp_client_lease *lease; /* the client's, until its next step; may be NULL */
	struct ipv4 address; /* that it is about; may be none */
};

/* An ARP request (RFC 5227): a probe where `sender` is none, else an announcement. */
struct dhcp_arp {
	struct ipv4 sender, target;
};

/* Whoever hears of an answer steps the server with DHCP_SERVER_IN_USE. */
struct dhcp_probe {
	struct ipv4 address;
	unsigned interface; /* ARP there; 0: ICMP echo, routed */
};

/* A fact for the log: "no free address for 02:00:00:00:00:01". */
struct dhcp_report {
	const char *text; /* static */
	struct ipv4 address; /* none where it says nothing */
	struct dhcp_hardware hardware; /* length 0 likewise */
};

struct dhcp_action {
	enum dhcp_action_kind kind;
	union {
		struct dhcp_lease_record lease;
		struct dhcp_destination destination;
		struct dhcp_change change;
		struct dhcp_arp arp;
		struct dhcp_report report;
		struct dhcp_probe probe;
	};
};

/* The result of one step. Every DHCP_SEND in it sends the one message. */
struct dhcp_actions {
	struct dhcp_action list[DHCP_ACTIONS_MAX];
	unsigned count;
	uint64_t deadline_ns; /* step again no later than then; DHCP_NEVER */
	unsigned type; /* of the message, as dhcp_message_type_name() takes it */
	struct dhcp_header header; /* of the message */
	uint8_t message[DHCP_MESSAGE_SIZE_MAX];
	size_t message_length;
};

/* Begin a result: no action, no deadline. */
void dhcp_actions_init(struct dhcp_actions *actions);

/* Append an action. Where the list is full, reports are dropped; the others always fit. */
struct dhcp_lease_record *dhcp_actions_save(struct dhcp_actions *actions); /* to be filled in */
void dhcp_actions_send(struct dhcp_actions *actions, const struct dhcp_destination *destination);
void dhcp_actions_probe(struct dhcp_actions *actions, const struct dhcp_probe *probe);
void dhcp_actions_report(struct dhcp_actions *actions, const struct dhcp_report *report);
void dhcp_actions_change(
	struct dhcp_actions *actions, enum dhcp_action_kind kind, const struct dhcp_change *change);
void dhcp_actions_arp(struct dhcp_actions *actions, const struct dhcp_arp *arp);
void dhcp_actions_finish(struct dhcp_actions *actions);

#endif
