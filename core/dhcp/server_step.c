/* Events: a message's way to what its type does, ends, probes, and what could not be stored. */
#include "base/cleanup.h"
#include "dhcp/relay_agent.h"
#include "dhcp/server_parts.h"

/* Ends that are told in one step; a million leases may end at once, and messages wait meanwhile. */
enum { ENDS_MAX = 256 };

static const struct {
	void (*run)(struct dhcp_request *request);
	bool anonymous; /* needs no identity */
} steps[DHCP_SERVER_TYPES] = {
	[DHCPDISCOVER] = {dhcp_server_on_discover, .anonymous = false},
	[DHCPREQUEST] = {dhcp_server_on_request, .anonymous = false},
	[DHCPDECLINE] = {dhcp_server_on_decline, .anonymous = false},
	[DHCPRELEASE] = {dhcp_server_on_release, .anonymous = false},
	[DHCPINFORM] = {dhcp_server_on_inform, .anonymous = true},
	[DHCP_SERVER_BOOTP] = {dhcp_server_on_bootp, .anonymous = false},
};

unsigned dhcp_server_counter(unsigned type)
{
	if (type == DHCP_BOOTREQUEST || type == DHCP_BOOTREPLY)
		return DHCP_SERVER_BOOTP;
	return type <= DHCPINFORM ? type : 0;
}

void dhcp_server_report(
	struct dhcp_request *request, enum dhcp_server_reason reason, struct ipv4 address)
{
	request->server->reasons[reason]++;
	struct dhcp_report facts = {
		.text = dhcp_server_reason_text(reason),
		.address = address,
		.hardware = request->header->chaddr,
	};
	dhcp_actions_report(request->actions, &facts);
}

/* The subnet that its client is in: server.h says how that is found. NULL: none of ours. */
static struct dhcp_subnet *subnet_of(const struct dhcp_request *request)
{
	const struct dhcp_header *header = request->header;
	struct ipv4 from = request->event->local, selected;
	if (!ipv4_is_none(header->giaddr)) {
		from = header->giaddr;
		if (request->relay_agent.bytes &&
			dhcp_relay_agent_address(&request->relay_agent,
				DHCP_RELAY_AGENT_LINK_SELECTION, &selected) == DHCP_PRESENT)
			from = selected;
	} else if (!request->event->broadcast && !ipv4_is_none(header->ciaddr)) {
		from = header->ciaddr;
	}
	return dhcp_server_subnet(request->server, from);
}

/* Who it is, and the binding that it has; false where it is nobody. */
static bool find_client(struct dhcp_request *request)
{
	const struct dhcp_server *server = request->server;
	const struct dhcp_bindings *bindings = &request->subnet->pool.bindings;
	struct dhcp_client_key *client = &request->client;
	struct dhcp_identity by_hardware;
	client->hardware = request->header->chaddr;
	bool known = dhcp_identity_of(request->event->message, &client->identity);
	bool has_hardware = dhcp_identity_make(NULL, 0, &client->hardware, &by_hardware);
	if (known)
		client->binding = dhcp_bindings_of_client(bindings, &client->identity);
	if (has_hardware && !client->binding)
		client->binding = dhcp_bindings_of_client(bindings, &by_hardware);
	if (!server->settings.ignore_client_id)
		return known;
	client->identity = by_hardware;
	return has_hardware;
}

static bool has_port_limits(const struct dhcp_server *server)
{
	return server->settings.port_leases > 0 || server->settings.port_offers > 0;
}

/*
 * Where it was seen. Behind a relay that is its circuit; a client that renews by unicast may be
 * anywhere, and is taken to be where it was.
 */
static void find_port(struct dhcp_request *request)
{
	struct dhcp_field circuit = {0};
	struct dhcp_port_name *name = &request->client.port;
	if (!has_port_limits(request->server))
		return;
	if (!ipv4_is_none(request->header->giaddr)) {
		if (request->relay_agent.bytes)
			dhcp_relay_agent_find(
				&request->relay_agent, DHCP_RELAY_AGENT_CIRCUIT_ID, &circuit);
		dhcp_port_name_of_circuit(request->header->giaddr, &circuit, name);
	} else if (request->event->broadcast || ipv4_is_none(request->header->ciaddr)) {
		dhcp_port_name_of_interface(request->event->interface, name);
	}
}

/* What the client gets: its wish, held within the least and most of its subnet or binding. */
static uint32_t choose_lease_seconds(const struct dhcp_request *request)
{
	struct dhcp_lease_times times = request->subnet->lease;
	const struct dhcp_binding *binding = request->client.binding;
	uint32_t wish;
	if (binding && binding->lease_seconds) {
		times.usual = times.most = binding->lease_seconds;
		if (times.least > times.most)
			times.least = times.most;
	}
	if (dhcp_message_u32(request->event->message, DHCP_OPTION_LEASE_TIME, &wish) !=
		DHCP_PRESENT)
		return times.usual;
	if (wish > times.most)
		return times.most;
	return wish < times.least ? times.least : wish;
}

/* The options that say what it is about; false where one is malformed. */
static bool read_options(struct dhcp_request *request)
{
	const struct dhcp_message *message = request->event->message;
	return dhcp_message_address(message, DHCP_OPTION_REQUESTED_ADDRESS, &request->requested) !=
		       DHCP_MALFORMED &&
	       dhcp_message_address(message, DHCP_OPTION_SERVER_ID, &request->server_id) !=
		       DHCP_MALFORMED;
}

/* An answer to such a relay would come back to ourselves, or go to everybody. */
static bool relay_is_forged(const struct dhcp_request *request)
{
	struct ipv4 giaddr = request->header->giaddr;
	const struct dhcp_subnet *subnet = dhcp_server_subnet(request->server, giaddr);
	if (subnet && subnet->pool.subnet.length < 31 &&
		(ipv4_equal(giaddr, prefix_network(subnet->pool.subnet)) ||
			ipv4_equal(giaddr, prefix_broadcast(subnet->pool.subnet))))
		return true;
	return dhcp_server_has_address(request->server, giaddr) || giaddr.host >> 24 == 127 ||
	       giaddr.host >= 0xe0000000;
}

static void message(struct dhcp_request *request)
{
	static const struct ipv4 none;
	unsigned counter = dhcp_server_counter(request->event->message->type);
	bool served = request->header->op == DHCP_OP_REQUEST && steps[counter].run;
	request->server->received[served ? counter : 0] += ipv4_is_none(request->probed);
	dhcp_message_bytes(request->event->message, DHCP_OPTION_RELAY_AGENT, &request->relay_agent);
	request->subnet = subnet_of(request);
	if (!served) {
		dhcp_server_report(request, DHCP_SERVER_UNEXPECTED_TYPE, none);
	} else if (relay_is_forged(request)) {
		dhcp_server_report(request, DHCP_SERVER_FORGED_RELAY, request->header->giaddr);
	} else if (!request->subnet) {
		dhcp_server_report(request, DHCP_SERVER_OTHER_SUBNET, request->header->giaddr);
	} else if (!find_client(request) && !steps[counter].anonymous) {
		dhcp_server_report(request, DHCP_SERVER_NO_IDENTITY, none);
	} else if (!read_options(request)) {
		dhcp_server_report(request, DHCP_SERVER_INCOMPLETE, none);
	} else {
		find_port(request);
		request->lease_seconds = choose_lease_seconds(request);
		steps[counter].run(request);
	}
}

static void run_message(struct dhcp_server *server, const struct dhcp_server_event *event,
	struct ipv4 probed, uint64_t now_ns, struct dhcp_actions *actions)
{
	struct dhcp_request request = {
		.server = server,
		.event = event,
		.header = &event->message->header,
		.probed = probed,
		.now_ns = now_ns,
		.actions = actions,
	};
	message(&request);
	if (request.subnet)
		dhcp_server_note_deadline(server, request.subnet);
}

/* A request that was kept: as if it came now, but that `probed` needs no probe. */
static void run_pending(struct dhcp_server *server, const struct dhcp_pending *pending,
	struct ipv4 probed, uint64_t now_ns, struct dhcp_actions *actions)
{
	struct dhcp_message parsed;
	struct dhcp_server_event event = {
		.kind = DHCP_SERVER_MESSAGE,
		.message = &parsed,
		.bytes = pending->bytes,
		.length = pending->length,
		.interface = pending->interface,
		.local = pending->local,
		.broadcast = pending->broadcast,
		.source_port = pending->source_port,
	};
	struct error error;
	if (dhcp_message_parse(pending->bytes, pending->length, &parsed, &error) == 0)
		run_message(server, &event, probed, now_ns, actions);
}

/* Nobody answered the probe that waits longest: its client gets the address. */
static void probe_ended(struct dhcp_server *server, uint64_t now_ns, struct dhcp_actions *actions)
{
	struct dhcp_pending *first = dhcp_probes_first(&server->probes);
	if (!first || first->deadline_ns > now_ns)
		return;
	CLEANUP(dhcp_pending_finish)
	struct dhcp_pending pending = dhcp_probes_take(&server->probes, first);
	const struct dhcp_lease *lease = dhcp_server_lease(server, pending.address);
	if (lease && lease->probing)
		run_pending(server, &pending, pending.address, now_ns, actions);
}

/* The address is set aside, and who waits for it gets another: first that one is probed, too. */
static void in_use(struct dhcp_server *server, struct ipv4 address, uint64_t now_ns,
	struct dhcp_actions *actions)
{
	struct dhcp_subnet *subnet = dhcp_server_subnet(server, address);
	struct dhcp_lease *lease = dhcp_server_lease(server, address);
	if (!lease || lease->state != DHCP_LEASE_OFFERED)
		return; /* a client has it by now, and it may be that one who answered */
	struct dhcp_report facts = {
		.text = dhcp_server_reason_text(DHCP_SERVER_ADDRESS_IN_USE),
		.address = address,
		.hardware = lease->hardware,
	};
	bool reserved = lease->reserved, probing = lease->probing;
	server->reasons[DHCP_SERVER_ADDRESS_IN_USE]++;
	dhcp_actions_report(actions, &facts);
	/* A bound address has no substitute: its client asks again, and the log tells. */
	if (reserved) {
		dhcp_pool_release(&subnet->pool, lease, now_ns);
	} else {
		dhcp_pool_decline(&subnet->pool, lease, now_ns + server->settings.decline_ns, true);
		dhcp_server_save(actions, subnet, lease);
	}
	dhcp_server_note_deadline(server, subnet);
	struct dhcp_pending *waiting = dhcp_probes_find(&server->probes, address);
	if (!probing || !waiting)
		return;
	CLEANUP(dhcp_pending_finish)
	struct dhcp_pending pending = dhcp_probes_take(&server->probes, waiting);
	if (!reserved)
		run_pending(server, &pending, address, now_ns, actions);
}

/* No client was told of the lease: it must not keep the address from others for its whole time. */
static void not_saved(struct dhcp_server *server, struct ipv4 address, uint64_t now_ns)
{
	struct dhcp_term offer = {
		.state = DHCP_LEASE_OFFERED,
		.starts_ns = now_ns,
		.ends_ns = now_ns + server->settings.offer_ns,
	};
	struct dhcp_subnet *subnet = dhcp_server_subnet(server, address);
	if (!subnet)
		return;
	dhcp_pool_not_saved(&subnet->pool, address, &offer);
	dhcp_server_note_deadline(server, subnet);
}

static void report_end(const struct dhcp_lease_record *ended, struct dhcp_actions *actions)
{
	static const char *const texts[DHCP_LEASE_STATES] = {
		[DHCP_LEASE_OFFERED] = "offer not taken:",
		[DHCP_LEASE_BOUND] = "lease ended:",
		[DHCP_LEASE_DECLINED] = "no longer set aside:",
	};
	struct dhcp_report facts = {
		.text = texts[ended->state],
		.address = ended->address,
		.hardware = ended->hardware,
	};
	dhcp_actions_report(actions, &facts);
}

static void expire(struct dhcp_server *server, uint64_t now_ns, struct dhcp_actions *actions)
{
	struct dhcp_lease_record ended;
	unsigned ends = 0;
	for (size_t i = 0; i < server->subnet_count; i++) {
		if (server->deadlines[i] > now_ns)
			continue;
		struct dhcp_subnet *subnet = &server->subnets[i];
		while (ends < ENDS_MAX && dhcp_pool_expire(&subnet->pool, now_ns, &ended)) {
			if (ended.state == DHCP_LEASE_DECLINED)
				dhcp_decliners_remove(&server->decliners, &ended.hardware);
			report_end(&ended, actions);
			ends++;
		}
		dhcp_server_note_deadline(server, subnet);
	}
}

static uint64_t next_deadline(struct dhcp_server *server)
{
	const struct dhcp_pending *pending = dhcp_probes_first(&server->probes);
	uint64_t next_ns = pending ? pending->deadline_ns : DHCP_NEVER;
	for (size_t i = 0; i < server->subnet_count; i++)
		if (server->deadlines[i] < next_ns)
			next_ns = server->deadlines[i];
	return next_ns;
}

void dhcp_server_step(struct dhcp_server *server, const struct dhcp_server_event *event,
	uint64_t now_ns, struct dhcp_actions *ret_actions)
{
	dhcp_actions_init(ret_actions);
	expire(server, now_ns, ret_actions);
	switch (event->kind) {
	case DHCP_SERVER_MESSAGE:
		run_message(server, event, (struct ipv4){0}, now_ns, ret_actions);
		break;
	case DHCP_SERVER_TIMER:
		probe_ended(server, now_ns, ret_actions);
		break;
	case DHCP_SERVER_NOT_SAVED:
		not_saved(server, event->address, now_ns);
		break;
	case DHCP_SERVER_IN_USE:
		in_use(server, event->address, now_ns, ret_actions);
		break;
	}
	ret_actions->deadline_ns = next_deadline(server);
}
