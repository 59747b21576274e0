/*
 * Probing a new address, announcing it, and noticing conflicts (RFC 5227): when to send which ARP,
 * and what one that was heard means. Decisions alone; client.c acts on them.
 */
#ifndef DHCP_CLIENT_PROBE_H
#define DHCP_CLIENT_PROBE_H

#include "dhcp/client.h"

/* SplitMix64: enough to keep clients apart, and the same for the same seed. */
uint64_t dhcp_client_random(struct dhcp_client *client);

/* Enter PROBING for client->lease; `reason` is told when its address is put to use. */
void dhcp_client_probe_begin(
	struct dhcp_client *client, enum dhcp_change_reason reason, uint64_t now_ns);

/*
 * Of PROBING, when its time has come: send the next probe, or say that the address is free (true).
 */
bool dhcp_client_probe_next(
	struct dhcp_client *client, uint64_t now_ns, struct dhcp_actions *actions);

/* Announce client->lease from now on, where settings.probe asks for it. */
void dhcp_client_announce_begin(
	struct dhcp_client *client, uint64_t now_ns, struct dhcp_actions *actions);

/* The next announcement, when its time has come. */
void dhcp_client_announce_next(
	struct dhcp_client *client, uint64_t now_ns, struct dhcp_actions *actions);

enum dhcp_conflict {
	DHCP_CONFLICT_NONE,
	DHCP_CONFLICT_DEFENDED, /* once within DEFEND_INTERVAL: answered by an announcement */
	DHCP_CONFLICT_LOST, /* the address cannot be used, or not any more */
};

/* What another host's ARP packet means for the address that is probed or in use. */
enum dhcp_conflict dhcp_client_hear(struct dhcp_client *client, const struct dhcp_arp *heard,
	uint64_t now_ns, struct dhcp_actions *actions);

/* How long to wait after a conflict that was just counted. */
uint64_t dhcp_client_conflict_wait_ns(const struct dhcp_client *client);

#endif
