/*
 * The client's states as they are entered: what is sent then, which timer is set, what the edge is
 * asked to do. For client.c, which decides when.
 */
#ifndef DHCP_CLIENT_STATE_H
#define DHCP_CLIENT_STATE_H

#include "dhcp/client.h"

/* RFC 2131 section 4.1: doubled each time, and one part in four of the first more or less. */
uint64_t dhcp_client_backoff_ns(struct dhcp_client *client, unsigned attempts);

/* Append what becomes of client->lease, of client->former where it is taken off. */
void dhcp_client_change(struct dhcp_client *client, enum dhcp_action_kind kind,
	enum dhcp_change_reason reason, struct dhcp_actions *actions);

/* The lease is over: told as a notice where it was not in use yet. */
void dhcp_client_unconfigure(
	struct dhcp_client *client, enum dhcp_change_reason reason, struct dhcp_actions *actions);

void dhcp_client_new_transaction(struct dhcp_client *client, uint64_t now_ns);

/* SELECTING, from its beginning, and once more. */
void dhcp_client_begin(struct dhcp_client *client, uint64_t now_ns, struct dhcp_actions *actions);
void dhcp_client_send_discover(
	struct dhcp_client *client, uint64_t now_ns, struct dhcp_actions *actions);

/* Of REQUESTING and REBOOTING. */
void dhcp_client_send_request(
	struct dhcp_client *client, uint64_t now_ns, struct dhcp_actions *actions);

/* REBOOTING: is client->lease still good here? */
void dhcp_client_reboot(struct dhcp_client *client, uint64_t now_ns, struct dhcp_actions *actions);

void dhcp_client_send_inform(
	struct dhcp_client *client, uint64_t now_ns, struct dhcp_actions *actions);

/* RENEWING: ask the lease's server to prolong it; from T2 on REBINDING: ask any. */
void dhcp_client_send_renewal(
	struct dhcp_client *client, uint64_t now_ns, struct dhcp_actions *actions);

/* BOUND: client->lease is the client's own from here. */
void dhcp_client_enter_bound(struct dhcp_client *client, enum dhcp_change_reason reason,
	uint64_t now_ns, struct dhcp_actions *actions);

#endif
