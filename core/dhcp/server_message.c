/* What each type of message does (RFC 2131 section 4.3, RFC 4039, RFC 951 and 1534). */
#include "base/clock.h"
#include "dhcp/server_parts.h"

void dhcp_server_save(struct dhcp_actions *actions, const struct dhcp_subnet *subnet,
	const struct dhcp_lease *lease)
{
	struct dhcp_lease_record *record = dhcp_actions_save(actions);
	if (record)
		dhcp_pool_describe(&subnet->pool, lease, record);
}

static void save(struct dhcp_request *request, const struct dhcp_lease *lease)
{
	dhcp_server_save(request->actions, request->subnet, lease);
}

static bool is_its(const struct dhcp_request *request, const struct dhcp_lease *lease)
{
	return dhcp_lease_is_of(lease, &request->client.identity);
}

/* The client holds the lease, and it has not ended. */
static bool runs(const struct dhcp_request *request, const struct dhcp_lease *lease)
{
	return lease->state == DHCP_LEASE_BOUND && lease->ends_ns > request->now_ns &&
	       is_its(request, lease);
}

/* Take from the client whatever lease it has but `kept` (may be NULL): it asked for another. */
static void take_others(struct dhcp_request *request, const struct dhcp_lease *kept)
{
	struct dhcp_pool *pool = &request->subnet->pool;
	struct dhcp_lease *other = dhcp_pool_lease_of(pool, &request->client);
	if (!other || other == kept)
		return;
	bool stored = other->state == DHCP_LEASE_BOUND;
	dhcp_pool_withdraw(pool, other, request->now_ns);
	if (stored)
		save(request, other);
}

static struct dhcp_term term_of(const struct dhcp_request *request, enum dhcp_lease_state state)
{
	struct dhcp_term term = {
		.state = state,
		.starts_ns = request->now_ns,
		.ends_ns = request->now_ns + request->lease_seconds * NS_PER_SECOND,
	};
	if (state == DHCP_LEASE_OFFERED)
		term.ends_ns = request->now_ns + request->server->settings.offer_ns;
	else if (request->lease_seconds == DHCP_LEASE_INFINITE)
		term.ends_ns = DHCP_NEVER;
	return term;
}

static bool give(
	struct dhcp_request *request, struct dhcp_lease *lease, const struct dhcp_term *term)
{
	take_others(request, lease);
	if (lease->state == DHCP_LEASE_DECLINED) /* and bound to the client since */
		dhcp_decliners_remove(&request->server->decliners, &lease->hardware);
	if (dhcp_pool_give(&request->subnet->pool, lease, &request->client, term))
		return true;
	dhcp_server_report(request, DHCP_SERVER_NO_MEMORY, lease->address);
	return false;
}

/*
 * Whether the client's port has its share already, not counting what the client itself holds there;
 * ret_reason says of what. A bound client has its address whatever others do at its port.
 */
static bool port_is_full(const struct dhcp_request *request, const struct dhcp_lease *lease,
	bool offer, enum dhcp_server_reason *ret_reason)
{
	const struct dhcp_server_settings *settings = &request->server->settings;
	const struct dhcp_port *port = NULL;
	if (request->client.port.length && !request->client.binding)
		port = dhcp_ports_find(&request->server->ports, &request->client.port);
	if (!port)
		return false;
	uint32_t number = (uint32_t)(port - request->server->ports.list) + 1;
	bool held = lease->state == DHCP_LEASE_OFFERED || lease->state == DHCP_LEASE_BOUND;
	if (held && is_its(request, lease) && (lease->port == number || lease->port == 0))
		return false;
	/* An offer is a lease to be: without limits of its own it may not drain the pool either. */
	*ret_reason = DHCP_SERVER_PORT_LEASES;
	if (settings->port_leases && port->leases + port->offers >= settings->port_leases)
		return true;
	*ret_reason = DHCP_SERVER_PORT_OFFERS;
	return offer && settings->port_offers && port->offers >= settings->port_offers;
}

/* Bind the lease to the client, have that stored, and say so; with DHCP_BOOTREPLY for ever. */
static void acknowledge(struct dhcp_request *request, struct dhcp_lease *lease, unsigned type)
{
	enum dhcp_server_reason reason;
	if (port_is_full(request, lease, false, &reason)) {
		if (request->event->message->type == DHCPREQUEST)
			dhcp_server_refuse(request, reason, lease->address);
		else
			dhcp_server_report(request, reason, lease->address);
		return;
	}
	struct dhcp_term term = term_of(request, DHCP_LEASE_BOUND);
	if (!give(request, lease, &term))
		return;
	save(request, lease);
	dhcp_server_reply(request, type, lease->address);
}

static struct dhcp_pending pending_of(const struct dhcp_request *request, struct ipv4 address)
{
	const struct dhcp_server_event *event = request->event;
	return (struct dhcp_pending){
		.address = address,
		.deadline_ns = request->now_ns + request->server->settings.probe_ns,
		.bytes = (uint8_t *)(uintptr_t)event->bytes, /* it is only copied */
		.length = event->bytes ? event->length : 0,
		.interface = event->interface,
		.local = event->local,
		.broadcast = event->broadcast,
		.source_port = event->source_port,
	};
}

/*
 * True where the address must be probed first, and that has been asked for: the client gets its
 * answer when nobody answers. What it holds, or was offered a moment ago, is not probed again.
 */
static bool waits_for_probe(struct dhcp_request *request, struct dhcp_lease *lease)
{
	struct dhcp_server *server = request->server;
	bool offered = lease->state == DHCP_LEASE_OFFERED && is_its(request, lease);
	if (server->settings.probe_ns == 0 || runs(request, lease) ||
		(offered && !lease->probing) || ipv4_equal(request->probed, lease->address))
		return false;
	struct dhcp_pending pending = pending_of(request, lease->address);
	struct dhcp_pending *old = NULL;
	if (offered)
		old = dhcp_probes_find(&server->probes, lease->address);
	if (old ? dhcp_probes_replace(old, &pending) : dhcp_probes_add(&server->probes, &pending)) {
		struct dhcp_term term = term_of(request, DHCP_LEASE_OFFERED);
		struct dhcp_probe probe = {.address = lease->address};
		if (ipv4_is_none(request->header->giaddr))
			probe.interface = request->event->interface;
		term.ends_ns += server->settings.probe_ns;
		bool given = give(request, lease, &term);
		lease->probing = given;
		if (given && !old)
			dhcp_actions_probe(request->actions, &probe);
	} else {
		dhcp_server_report(request, DHCP_SERVER_PROBES, lease->address);
	}
	return true;
}

/*
 * Its client was refused a moment ago, and hears of that after the commit: where that fails it goes
 * on using the address (dhcp_pool_not_saved()), so nobody else may have it before.
 */
static bool is_leaving(const struct dhcp_request *request, const struct dhcp_lease *lease)
{
	return lease->state == DHCP_LEASE_IDLE && lease->refuse_renewal &&
	       lease->ends_ns == request->now_ns && !is_its(request, lease);
}

/* The lease for a client that begins; NULL, and reported, where there is none. */
static struct dhcp_lease *choose(struct dhcp_request *request)
{
	static const enum dhcp_server_reason reasons[] = {
		[DHCP_CHOICE_NONE] = DHCP_SERVER_NO_FREE_ADDRESS,
		[DHCP_CHOICE_HELD] = DHCP_SERVER_BINDING_HELD,
		[DHCP_CHOICE_NO_MEMORY] = DHCP_SERVER_NO_MEMORY,
	};
	struct dhcp_lease *lease;
	enum dhcp_choice choice = dhcp_pool_choose(
		&request->subnet->pool, &request->client, request->requested, &lease);
	if (choice == DHCP_CHOICE_FOUND && !is_leaving(request, lease))
		return lease;
	if (choice == DHCP_CHOICE_FOUND)
		choice = DHCP_CHOICE_NONE;
	/*
	 * What it held from before the bindings changed it neither uses nor gets again: it is freed,
	 * or two clients whose bound addresses were exchanged would wait for each other.
	 */
	if (choice != DHCP_CHOICE_NO_MEMORY)
		take_others(request, NULL);
	dhcp_server_report(request, reasons[choice], (struct ipv4){0});
	return NULL;
}

void dhcp_server_on_discover(struct dhcp_request *request)
{
	struct dhcp_field empty;
	enum dhcp_server_reason reason;
	struct dhcp_lease *lease = choose(request);
	if (!lease)
		return;
	if (port_is_full(request, lease, true, &reason)) {
		dhcp_server_report(request, reason, lease->address);
		return;
	}
	if (waits_for_probe(request, lease))
		return;
	if (request->subnet->rapid_commit &&
		dhcp_message_bytes(request->event->message, DHCP_OPTION_RAPID_COMMIT, &empty) ==
			DHCP_PRESENT) {
		acknowledge(request, lease, DHCPACK);
		return;
	}
	/* A lease that still runs is offered as it stands: it is stored, and must not end early. */
	struct dhcp_term term = term_of(request, DHCP_LEASE_OFFERED);
	if (runs(request, lease) || give(request, lease, &term))
		dhcp_server_reply(request, DHCPOFFER, lease->address);
}

/* dhcp_pool_claim(), but what is still being probed nobody has offered to the client yet. */
static struct dhcp_lease *claim(struct dhcp_request *request, struct ipv4 address, bool or_free)
{
	struct dhcp_lease *lease =
		dhcp_pool_claim(&request->subnet->pool, &request->client, address, or_free);
	return lease && !lease->probing && !is_leaving(request, lease) ? lease : NULL;
}

/* It answers an offer, ours or another server's. */
static void on_selecting(struct dhcp_request *request)
{
	struct dhcp_pool *pool = &request->subnet->pool;
	struct ipv4 address = request->requested;
	if (!dhcp_server_has_address(request->server, request->server_id) &&
		!ipv4_equal(request->server_id, request->event->local)) {
		struct dhcp_lease *lease = dhcp_pool_lease_of(pool, &request->client);
		if (lease && lease->state == DHCP_LEASE_OFFERED)
			dhcp_pool_release(pool, lease, request->now_ns);
		dhcp_server_report(request, DHCP_SERVER_OTHER_SERVER, request->server_id);
		return;
	}
	if (ipv4_is_none(address))
		address = request->header->ciaddr;
	if (ipv4_is_none(address)) {
		dhcp_server_report(request, DHCP_SERVER_INCOMPLETE, address);
		return;
	}
	/* A free address will do: the offer may be older than our last start. */
	struct dhcp_lease *lease = claim(request, address, true);
	if (lease)
		acknowledge(request, lease, DHCPACK);
	else
		dhcp_server_refuse(request, DHCP_SERVER_NOT_ITS_ADDRESS, address);
}

/* "Do not renew": of the lease, once, or of the subnet. */
static bool refuses_renewal(const struct dhcp_request *request, const struct dhcp_lease *lease)
{
	bool told = lease->refuse_renewal || request->subnet->refuse_renewal;
	return told && lease->state == DHCP_LEASE_BOUND && is_its(request, lease);
}

/* It says that it has an address which it may not have, or not here. */
static void refuse_verify(
	struct dhcp_request *request, enum dhcp_server_reason reason, struct ipv4 address)
{
	bool known = request->client.binding ||
		     dhcp_pool_lease_of(&request->subnet->pool, &request->client);
	if (request->server->settings.not_authoritative && !known)
		dhcp_server_report(request, DHCP_SERVER_UNKNOWN_CLIENT, address);
	else
		dhcp_server_refuse(request, reason, address);
}

/* INIT-REBOOT, RENEWING or REBINDING: it says which address it has. */
static void on_verify(struct dhcp_request *request, struct ipv4 address)
{
	struct dhcp_pool *pool = &request->subnet->pool;
	if (!prefix_contains(pool->subnet, address)) {
		refuse_verify(request, DHCP_SERVER_WRONG_NETWORK, address);
		return;
	}
	struct dhcp_lease *lease = dhcp_pool_lease_of(pool, &request->client);
	if (lease && ipv4_equal(lease->address, address) && refuses_renewal(request, lease)) {
		dhcp_pool_refuse(pool, lease, request->now_ns);
		save(request, lease);
		dhcp_server_refuse(request, DHCP_SERVER_RENEWAL_REFUSED, address);
		return;
	}
	lease = claim(request, address, false);
	if (lease)
		acknowledge(request, lease, DHCPACK);
	else
		refuse_verify(request, DHCP_SERVER_NOT_ITS_ADDRESS, address);
}

void dhcp_server_on_request(struct dhcp_request *request)
{
	if (!ipv4_is_none(request->server_id))
		on_selecting(request);
	else if (!ipv4_is_none(request->requested))
		on_verify(request, request->requested);
	else if (!ipv4_is_none(request->header->ciaddr))
		on_verify(request, request->header->ciaddr);
	else
		dhcp_server_report(request, DHCP_SERVER_INCOMPLETE, (struct ipv4){0});
}

/* The lease that the client holds at `address`; NULL, and reported, where it does not. */
static struct dhcp_lease *held_lease(struct dhcp_request *request, struct ipv4 address)
{
	struct dhcp_lease *lease = dhcp_pool_lease_of(&request->subnet->pool, &request->client);
	if (!ipv4_is_none(request->server_id) &&
		!dhcp_server_has_address(request->server, request->server_id) &&
		!ipv4_equal(request->server_id, request->event->local)) {
		dhcp_server_report(request, DHCP_SERVER_OTHER_SERVER, request->server_id);
		return NULL;
	}
	if (!lease || lease->state == DHCP_LEASE_IDLE || !ipv4_equal(lease->address, address)) {
		dhcp_server_report(request, DHCP_SERVER_NOT_HELD, address);
		return NULL;
	}
	return lease;
}

void dhcp_server_on_release(struct dhcp_request *request)
{
	struct dhcp_lease *lease = held_lease(request, request->header->ciaddr);
	if (!lease)
		return;
	bool stored = lease->state == DHCP_LEASE_BOUND;
	dhcp_pool_release(&request->subnet->pool, lease, request->now_ns);
	if (stored)
		save(request, lease);
}

void dhcp_server_on_decline(struct dhcp_request *request)
{
	struct dhcp_server *server = request->server;
	struct dhcp_pool *pool = &request->subnet->pool;
	struct dhcp_lease *lease = held_lease(request, request->requested);
	if (!lease)
		return;
	/* Who only got an offer has nothing to try out: it would drain the pool by half a talk. */
	if (lease->state != DHCP_LEASE_BOUND) {
		dhcp_server_report(request, DHCP_SERVER_NOT_HELD, request->requested);
		return;
	}
	/* A bound address has no substitute: it is offered again, and the log tells. */
	if (lease->reserved) {
		dhcp_pool_release(pool, lease, request->now_ns);
	} else if (dhcp_decliners_add(&server->decliners, &lease->hardware)) {
		dhcp_pool_decline(
			pool, lease, request->now_ns + server->settings.decline_ns, false);
	} else {
		dhcp_pool_withdraw(pool, lease, request->now_ns);
		dhcp_server_report(request, DHCP_SERVER_DECLINE_LIMIT, request->requested);
	}
	save(request, lease);
}

void dhcp_server_on_inform(struct dhcp_request *request)
{
	struct ipv4 ciaddr = request->header->ciaddr;
	if (ipv4_is_none(ciaddr))
		dhcp_server_report(request, DHCP_SERVER_INCOMPLETE, ciaddr);
	else if (!prefix_contains(request->subnet->pool.subnet, ciaddr))
		dhcp_server_report(request, DHCP_SERVER_WRONG_NETWORK, ciaddr);
	else
		dhcp_server_reply(request, DHCPACK, (struct ipv4){0});
}

/* A BOOTP client takes one answer and keeps its address for ever: there is no time to agree on. */
void dhcp_server_on_bootp(struct dhcp_request *request)
{
	bool allowed = request->client.binding || request->subnet->bootp;
	if (!allowed) {
		dhcp_server_report(request, DHCP_SERVER_NO_BOOTP, request->header->ciaddr);
		return;
	}
	if (!ipv4_is_none(request->header->ciaddr)) { /* it has its address: RFC 951 section 3 */
		dhcp_server_reply(request, DHCP_BOOTREPLY, (struct ipv4){0});
		return;
	}
	struct dhcp_lease *lease = choose(request);
	enum dhcp_server_reason reason;
	if (!lease)
		return;
	if (port_is_full(request, lease, true, &reason)) {
		dhcp_server_report(request, reason, lease->address);
		return;
	}
	if (waits_for_probe(request, lease))
		return;
	request->lease_seconds = DHCP_LEASE_INFINITE;
	/* A bound address is its client's without a lease: the binding may change one day. */
	if (request->client.binding)
		dhcp_server_reply(request, DHCP_BOOTREPLY, lease->address);
	else
		acknowledge(request, lease, DHCP_BOOTREPLY);
}
