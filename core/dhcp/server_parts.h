/*
 * What the files of the server machine share and nobody else needs: server.c (subnets, settings),
 * server_step.c (events), server_message.c (what each message type does), server_reply.c (answers).
 */
#ifndef DHCP_SERVER_PARTS_H
#define DHCP_SERVER_PARTS_H

#include "dhcp/server.h"

/* One message on its way through the server. */
struct dhcp_request {
	struct dhcp_server *server;
	struct dhcp_subnet *subnet;
	const struct dhcp_server_event *event;
	const struct dhcp_header *header;
	struct dhcp_client_key client; /* of the identity, only what is used of it is set */
	struct dhcp_field relay_agent; /* option 82; no bytes where it has none */
	struct ipv4 requested, server_id; /* options 50 and 54; none where absent */
	struct ipv4 probed; /* it was kept while this address was probed: nobody has it */
	uint32_t lease_seconds; /* what it would get */
	const char *refusal; /* of a DHCPNAK */
	uint64_t now_ns;
	struct dhcp_actions *actions;
};

/* Count and report why there is no answer, or no good one. */
void dhcp_server_report(
	struct dhcp_request *request, enum dhcp_server_reason reason, struct ipv4 address);

/* Build the answer and ask for it to be sent. `yiaddr` is none in NAK and for INFORM. */
void dhcp_server_reply(struct dhcp_request *request, unsigned type, struct ipv4 yiaddr);

/* A DHCPNAK, with its reason. */
void dhcp_server_refuse(
	struct dhcp_request *request, enum dhcp_server_reason reason, struct ipv4 address);

/* What each type of message does. */
void dhcp_server_on_discover(struct dhcp_request *request);
void dhcp_server_on_request(struct dhcp_request *request);
void dhcp_server_on_decline(struct dhcp_request *request);
void dhcp_server_on_release(struct dhcp_request *request);
void dhcp_server_on_inform(struct dhcp_request *request);
void dhcp_server_on_bootp(struct dhcp_request *request);

/* What is to be stored of `lease`. */
void dhcp_server_save(struct dhcp_actions *actions, const struct dhcp_subnet *subnet,
	const struct dhcp_lease *lease);

/* The lease of that address; NULL where there is none. */
struct dhcp_lease *dhcp_server_lease(const struct dhcp_server *server, struct ipv4 address);

/* The subnet's pool has changed: when something of it ends next may have, too. */
void dhcp_server_note_deadline(struct dhcp_server *server, const struct dhcp_subnet *subnet);

bool dhcp_server_has_address(const struct dhcp_server *server, struct ipv4 address);

/* The counter of messages of that type. */
unsigned dhcp_server_counter(unsigned type);

#endif
