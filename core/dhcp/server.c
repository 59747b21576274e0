#include "dhcp/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/reader.h"

enum {
	OFFER_SECONDS = 10,
	DECLINE_SECONDS = 600,
	SIZE_OPTION_MIN = 576, /* RFC 2132 section 9.10 */
	IP_UDP_SIZE = 28,
	OPTION_HEADER_SIZE = 2,
};

static const struct {
	const char *name, *text;
} reasons[DHCP_SERVER_REASONS] = {
	[DHCP_SERVER_NO_FREE_ADDRESS] = {"no-free-address", "no free address"},
	[DHCP_SERVER_BINDING_HELD] = {"binding-held",
		"another client still holds the bound address"},
	[DHCP_SERVER_NOT_ITS_ADDRESS] = {"not-its-address", "not the client's address"},
	[DHCP_SERVER_WRONG_NETWORK] = {"wrong-network", "an address of another network"},
	[DHCP_SERVER_RENEWAL_REFUSED] = {"renewal-refused", "renewal refused, as told"},
	[DHCP_SERVER_UNKNOWN_CLIENT] = {"unknown-client", "ignored: its client is not known here"},
	[DHCP_SERVER_OTHER_SUBNET] = {"unknown-subnet",
		"ignored: from a subnet that is not served"},
	[DHCP_SERVER_OTHER_SERVER] = {"other-server", "ignored: for another server"},
	[DHCP_SERVER_NOT_HELD] = {"not-held", "ignored: the client does not hold the address"},
	[DHCP_SERVER_INCOMPLETE] = {"incomplete",
		"ignored: it lacks an address or option, or has a malformed one"},
	[DHCP_SERVER_NO_IDENTITY] = {"no-identity", "ignored: its client has no identity"},
	[DHCP_SERVER_UNEXPECTED_TYPE] = {"unexpected-type", "ignored: not for a server"},
	[DHCP_SERVER_NO_BOOTP] = {"bootp-not-allowed",
		"ignored: BOOTP, without a binding or leave"},
	[DHCP_SERVER_PORT_LEASES] = {"port-lease-limit", "its port has all the leases it may have"},
	[DHCP_SERVER_PORT_OFFERS] = {"port-offer-limit", "its port has all the offers it may have"},
	[DHCP_SERVER_PROBES] = {"too-many-probes", "ignored: too many addresses are being probed"},
	[DHCP_SERVER_ADDRESS_IN_USE] = {"address-in-use", "set aside, somebody uses it:"},
	[DHCP_SERVER_DECLINE_LIMIT] = {"decline-limit",
		"not set aside: the client declined too many:"},
	[DHCP_SERVER_OPTIONS_OMITTED] = {"options-omitted", "some options do not fit its answer"},
	[DHCP_SERVER_TOO_LONG] = {"answer-too-long", "ignored: its answer does not fit a message"},
	[DHCP_SERVER_NO_MEMORY] = {"no-memory", "ignored: out of memory"},
};

const char *dhcp_server_reason_name(enum dhcp_server_reason reason)
{
	return reasons[reason].name;
}

const char *dhcp_server_reason_text(enum dhcp_server_reason reason)
{
	return reasons[reason].text;
}

const char *dhcp_server_counter_name(unsigned counter)
{
	if (counter == 0)
		return "other";
	return counter == DHCP_SERVER_BOOTP ? "BOOTP" : dhcp_message_type_name(counter);
}

/* One message on its way through the server. */
struct request {
	struct dhcp_server *server;
	struct dhcp_subnet *subnet;
	const struct dhcp_server_event *event;
	const struct dhcp_header *header;
	struct dhcp_client_key client;
	struct ipv4 requested, server_id; /* options 50 and 54; none where absent */
	uint32_t lease_seconds; /* what it would get */
	uint64_t now_ns;
	struct dhcp_actions *actions;
};

static int compare_subnets(const void *a, const void *b)
{
	uint32_t left = ((const struct dhcp_subnet *)a)->pool.subnet.address.host,
		 right = ((const struct dhcp_subnet *)b)->pool.subnet.address.host;
	return (left > right) - (left < right);
}

static void subnet_finish(struct dhcp_subnet *subnet)
{
	dhcp_pool_finish(&subnet->pool);
	dhcp_option_list_finish(&subnet->options);
}

/* No client gets the address of a router that all are told of. */
static void keep_routers(struct dhcp_subnet *subnet)
{
	const struct dhcp_option_value *value =
		dhcp_option_list_find(&subnet->options, DHCP_OPTION_ROUTER);
	struct reader reader = reader_over(value ? value->bytes : NULL, value ? value->length : 0);
	while (reader_left(&reader) >= 4)
		dhcp_pool_keep(&subnet->pool, (struct ipv4){read_be32(&reader)});
}

static int subnet_init(struct dhcp_subnet *subnet, const struct dhcp_subnet_settings *settings,
	uint64_t seed, struct error *error)
{
	*subnet = (struct dhcp_subnet){
		.lease = settings->lease,
		.refuse_renewal = settings->refuse_renewal,
		.bootp = settings->bootp,
		.rapid_commit = settings->rapid_commit,
	};
	if (subnet->lease.usual == 0)
		subnet->lease = (struct dhcp_lease_times){.usual = 3600, .least = 1, .most = 3600};
	if (!dhcp_option_list_complete(&subnet->options, &settings->options)) {
		dhcp_option_list_finish(&subnet->options);
		return error_set(error, -ENOMEM, "out of memory");
	}
	int status = dhcp_pool_init(&subnet->pool, settings, seed, error);
	if (status < 0)
		dhcp_option_list_finish(&subnet->options);
	else
		keep_routers(subnet);
	return status;
}

int dhcp_server_init(struct dhcp_server *server, const struct dhcp_server_settings *settings,
	struct error *error)
{
	*server = (struct dhcp_server){.settings = *settings};
	server->settings.subnets = NULL;
	server->settings.subnet_count = 0;
	if (server->settings.offer_ns == 0)
		server->settings.offer_ns = OFFER_SECONDS * NS_PER_SECOND;
	if (server->settings.decline_ns == 0)
		server->settings.decline_ns = DECLINE_SECONDS * NS_PER_SECOND;
	server->subnets = calloc(settings->subnet_count + 1, sizeof(*server->subnets));
	if (!server->subnets)
		return error_set(error, -ENOMEM, "out of memory");
	for (size_t i = 0; i < settings->subnet_count; i++) {
		int status = subnet_init(
			&server->subnets[i], &settings->subnets[i], settings->seed + i, error);
		if (status < 0) {
			dhcp_server_finish(server);
			return status;
		}
		server->subnet_count++;
	}
	qsort(server->subnets, server->subnet_count, sizeof(*server->subnets), compare_subnets);
	return 0;
}

void dhcp_server_finish(struct dhcp_server *server)
{
	for (size_t i = 0; i < server->subnet_count; i++)
		subnet_finish(&server->subnets[i]);
	free(server->subnets);
	*server = (struct dhcp_server){0};
}

int dhcp_server_configure(struct dhcp_server *server, const struct dhcp_server_settings *settings,
	struct error *error)
{
	(void)server;
	(void)settings;
	return error_set(error, -ENOSYS, "other settings need a restart");
}

struct dhcp_subnet *dhcp_server_subnet(const struct dhcp_server *server, struct ipv4 address)
{
	size_t low = 0, high = server->subnet_count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (server->subnets[middle].pool.subnet.address.host <= address.host)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 || !prefix_contains(server->subnets[low - 1].pool.subnet, address))
		return NULL;
	return &server->subnets[low - 1];
}

bool dhcp_server_serves(const struct dhcp_server *server, struct ipv4 address)
{
	return dhcp_server_subnet(server, address) != NULL;
}

bool dhcp_server_restore(
	struct dhcp_server *server, const struct dhcp_lease_record *record, uint64_t now_ns)
{
	struct dhcp_subnet *subnet = dhcp_server_subnet(server, record->address);
	return subnet && dhcp_pool_restore(&subnet->pool, record, now_ns);
}

int dhcp_server_refuse_renewal(struct dhcp_server *server, struct prefix which, bool refuse,
	struct dhcp_actions *ret_actions, struct error *error)
{
	dhcp_actions_init(ret_actions);
	struct dhcp_subnet *subnet = dhcp_server_subnet(server, which.address);
	if (!subnet || subnet->pool.subnet.length != which.length)
		return error_set(
			error, -ENOENT, "there is no lease or subnet %s", PREFIX_TEXT(which));
	subnet->refuse_renewal = refuse;
	return 0;
}

static bool is_own_address(const struct dhcp_server *server, struct ipv4 address)
{
	for (size_t i = 0; i < server->address_count; i++)
		if (ipv4_equal(server->addresses[i], address))
			return true;
	return false;
}

void dhcp_server_add_address(struct dhcp_server *server, struct ipv4 address)
{
	if (is_own_address(server, address) || server->address_count == DHCP_SERVER_ADDRESSES_MAX)
		return;
	server->addresses[server->address_count++] = address;
	struct dhcp_subnet *subnet = dhcp_server_subnet(server, address);
	if (subnet)
		dhcp_pool_keep(&subnet->pool, address);
}

static void report(struct request *request, enum dhcp_server_reason reason, struct ipv4 address)
{
	request->server->reasons[reason]++;
	struct dhcp_report facts = {
		.text = reasons[reason].text,
		.address = address,
		.hardware = request->header->chaddr,
	};
	dhcp_actions_report(request->actions, &facts);
}

static uint64_t lease_end(const struct request *request)
{
	if (request->lease_seconds == DHCP_LEASE_INFINITE)
		return DHCP_NEVER;
	return request->now_ns + request->lease_seconds * NS_PER_SECOND;
}

/* Where an answer goes: RFC 2131 section 4.1. */
static struct dhcp_destination destination_of(
	const struct request *request, const struct dhcp_header *reply, unsigned type)
{
	struct dhcp_destination to = {
		.kind = DHCP_TO_BROADCAST,
		.address = {UINT32_MAX},
		.port = DHCP_CLIENT_PORT,
		.interface = request->event->interface,
		.source = request->event->local,
	};
	if (!ipv4_is_none(reply->giaddr)) {
		to.kind = DHCP_TO_ADDRESS;
		to.address = reply->giaddr;
		to.port = DHCP_SERVER_PORT;
		to.interface = 0;
	} else if (type == DHCPNAK) {
		return to; /* whatever address the client thinks it has, it is wrong */
	} else if (!ipv4_is_none(reply->ciaddr) &&
		   prefix_contains(request->subnet->pool.subnet, reply->ciaddr)) {
		to.kind = DHCP_TO_ADDRESS;
		to.address = reply->ciaddr;
		to.interface = 0;
	} else if (!reply->broadcast && dhcp_hardware_mac(&reply->chaddr, &to.mac)) {
		to.kind = DHCP_TO_HARDWARE;
		to.address = reply->yiaddr;
	}
	return to;
}

/* How long an answer may be: what the client takes, and option 82 that its relay takes off. */
static size_t reply_size(const struct request *request, const struct dhcp_field *relay_agent)
{
	uint16_t most;
	size_t size = DHCP_MESSAGE_SIZE_DEFAULT;
	if (dhcp_message_u16(request->event->message, DHCP_OPTION_MAXIMUM_SIZE, &most) ==
			DHCP_PRESENT &&
		most > SIZE_OPTION_MIN)
		size = (size_t)most - IP_UDP_SIZE;
	size += OPTION_HEADER_SIZE * 2u + relay_agent->length;
	return size < DHCP_MESSAGE_SIZE_MAX ? size : DHCP_MESSAGE_SIZE_MAX;
}

static void put_lease_times(struct dhcp_builder *builder, uint32_t seconds)
{
	dhcp_builder_u32(builder, DHCP_OPTION_LEASE_TIME, seconds);
	if (seconds == DHCP_LEASE_INFINITE)
		return;
	uint32_t t1 = seconds / 2, t2 = (uint32_t)((uint64_t)seconds * 7 / 8);
	/* T1 comes before T2 (RFC 2131 section 4.4.5): 1 and 2 s have no such whole seconds. */
	if (t1 == 0 || t1 >= t2)
		return;
	dhcp_builder_u32(builder, DHCP_OPTION_T1, t1);
	dhcp_builder_u32(builder, DHCP_OPTION_T2, t2);
}

/* Build the answer and ask for it to be sent. `yiaddr` is none in NAK and for INFORM. */
static void reply(struct request *request, unsigned type, struct ipv4 yiaddr)
{
	const struct dhcp_message *message = request->event->message;
	struct dhcp_actions *actions = request->actions;
	struct dhcp_header header = {
		.op = DHCP_OP_REPLY,
		.xid = request->header->xid,
		.broadcast = request->header->broadcast,
		.ciaddr = type == DHCPACK ? request->header->ciaddr : (struct ipv4){0},
		.yiaddr = yiaddr,
		.giaddr = request->header->giaddr,
		.chaddr = request->header->chaddr,
	};
	/* RFC 2131 section 4.3.2: so that the relay broadcasts it. */
	if (type == DHCPNAK && !ipv4_is_none(header.giaddr))
		header.broadcast = true;
	struct dhcp_field relay_agent = {0}, client_id = {0};
	dhcp_message_bytes(message, DHCP_OPTION_RELAY_AGENT, &relay_agent);
	dhcp_message_bytes(message, DHCP_OPTION_CLIENT_ID, &client_id);

	struct dhcp_builder builder;
	dhcp_builder_init(
		&builder, actions->message, reply_size(request, &relay_agent), &header, type);
	dhcp_builder_address(&builder, DHCP_OPTION_SERVER_ID, request->event->local);
	if (!ipv4_is_none(yiaddr))
		put_lease_times(&builder, request->lease_seconds);
	if (type != DHCPNAK) {
		const struct dhcp_option_list *options = &request->subnet->options;
		dhcp_builder_u32(&builder, DHCP_OPTION_SUBNET_MASK,
			prefix_mask(request->subnet->pool.subnet.length));
		for (size_t i = 0; i < options->count; i++)
			dhcp_builder_bytes(&builder, options->list[i].code, options->list[i].bytes,
				options->list[i].length);
	}
	if (client_id.bytes)
		dhcp_builder_bytes(
			&builder, DHCP_OPTION_CLIENT_ID, client_id.bytes, client_id.length);
	if (relay_agent.bytes)
		dhcp_builder_bytes(
			&builder, DHCP_OPTION_RELAY_AGENT, relay_agent.bytes, relay_agent.length);
	actions->message_length = dhcp_builder_finish(&builder);
	if (builder.omitted) {
		report(request, DHCP_SERVER_TOO_LONG, yiaddr);
		return;
	}
	actions->type = type;
	actions->header = header;
	request->server->sent[type]++;
	struct dhcp_destination destination = destination_of(request, &header, type);
	dhcp_actions_send(actions, &destination);
}

static void refuse(struct request *request, enum dhcp_server_reason reason, struct ipv4 address)
{
	report(request, reason, address);
	reply(request, DHCPNAK, (struct ipv4){0});
}

/* Take from the client whatever lease it has but `kept` (may be NULL): it asked for another. */
static void take_others(struct request *request, const struct dhcp_lease *kept)
{
	struct dhcp_pool *pool = &request->subnet->pool;
	struct dhcp_lease *other = dhcp_leases_of_client(&pool->leases, &request->client.identity);
	if (!other || other == kept)
		return;
	bool stored = other->state == DHCP_LEASE_BOUND;
	dhcp_pool_release(pool, other, request->now_ns);
	if (stored)
		dhcp_actions_save(request->actions, other);
	dhcp_pool_withdraw(pool, other, request->now_ns);
}

/* Give the client the lease, and take from it any other that it has. */
static bool give(struct request *request, struct dhcp_lease *lease, enum dhcp_lease_state state)
{
	struct dhcp_pool *pool = &request->subnet->pool;
	struct dhcp_term term = {.state = state, .starts_ns = request->now_ns};
	if (state == DHCP_LEASE_OFFERED)
		term.ends_ns = request->now_ns + request->server->settings.offer_ns;
	else
		term.ends_ns = lease_end(request);
	bool its_own = dhcp_lease_is_of(lease, &request->client.identity);
	if (its_own && lease->state == DHCP_LEASE_BOUND)
		term.starts_ns = lease->starts_ns; /* a renewal goes on with the same lease */
	take_others(request, lease);
	if (!dhcp_pool_give(pool, lease, &request->client, &term)) {
		report(request, DHCP_SERVER_NO_MEMORY, lease->address);
		return false;
	}
	return true;
}

static void acknowledge(struct request *request, struct dhcp_lease *lease)
{
	if (!give(request, lease, DHCP_LEASE_BOUND))
		return;
	dhcp_actions_save(request->actions, lease);
	reply(request, DHCPACK, lease->address);
}

static void on_discover(struct request *request)
{
	struct dhcp_lease *lease;
	switch (dhcp_pool_choose(
		&request->subnet->pool, &request->client, request->requested, &lease)) {
	/*
	 * What it held from before the bindings changed it neither uses nor gets again: it is freed,
	 * or two clients whose bound addresses were exchanged would wait for each other.
	 */
	case DHCP_CHOICE_NONE:
		take_others(request, NULL);
		report(request, DHCP_SERVER_NO_FREE_ADDRESS, (struct ipv4){0});
		return;
	case DHCP_CHOICE_HELD:
		take_others(request, NULL);
		report(request, DHCP_SERVER_BINDING_HELD, (struct ipv4){0});
		return;
	case DHCP_CHOICE_FOUND:
		break;
	}
	/* A lease that still runs is offered as it stands: it is stored, and must not end early. */
	bool runs = lease->state == DHCP_LEASE_BOUND &&
		    dhcp_lease_is_of(lease, &request->client.identity);
	if (runs || give(request, lease, DHCP_LEASE_OFFERED))
		reply(request, DHCPOFFER, lease->address);
}

/* It answers an offer, ours or another server's. */
static void on_selecting(struct request *request)
{
	struct dhcp_pool *pool = &request->subnet->pool;
	struct ipv4 address = request->requested;
	if (!is_own_address(request->server, request->server_id)) {
		struct dhcp_lease *lease =
			dhcp_leases_of_client(&pool->leases, &request->client.identity);
		if (lease && lease->state == DHCP_LEASE_OFFERED)
			dhcp_pool_release(pool, lease, request->now_ns);
		report(request, DHCP_SERVER_OTHER_SERVER, request->server_id);
		return;
	}
	if (ipv4_is_none(address))
		address = request->header->ciaddr;
	if (ipv4_is_none(address)) {
		report(request, DHCP_SERVER_INCOMPLETE, address);
		return;
	}
	/* A free address will do: the offer may be older than our last start. */
	struct dhcp_lease *lease = dhcp_pool_claim(pool, &request->client, address, true);
	if (lease)
		acknowledge(request, lease);
	else
		refuse(request, DHCP_SERVER_NOT_ITS_ADDRESS, address);
}

/* INIT-REBOOT, RENEWING or REBINDING: it says which address it has. */
static void on_verify(struct request *request, struct ipv4 address)
{
	struct dhcp_pool *pool = &request->subnet->pool;
	if (!prefix_contains(pool->subnet, address)) {
		refuse(request, DHCP_SERVER_WRONG_NETWORK, address);
		return;
	}
	struct dhcp_lease *lease = dhcp_pool_claim(pool, &request->client, address, false);
	if (lease)
		acknowledge(request, lease);
	else
		refuse(request, DHCP_SERVER_NOT_ITS_ADDRESS, address);
}

static void on_request(struct request *request)
{
	if (!ipv4_is_none(request->server_id))
		on_selecting(request);
	else if (!ipv4_is_none(request->requested))
		on_verify(request, request->requested);
	else if (!ipv4_is_none(request->header->ciaddr))
		on_verify(request, request->header->ciaddr);
	else
		report(request, DHCP_SERVER_INCOMPLETE, (struct ipv4){0});
}

/* The lease that the client holds at `address`; NULL, and reported, where it does not. */
static struct dhcp_lease *held_lease(struct request *request, struct ipv4 address)
{
	struct dhcp_lease *lease =
		dhcp_leases_of_client(&request->subnet->pool.leases, &request->client.identity);
	if (!ipv4_is_none(request->server_id) &&
		!is_own_address(request->server, request->server_id)) {
		report(request, DHCP_SERVER_OTHER_SERVER, request->server_id);
		return NULL;
	}
	if (!lease || lease->state == DHCP_LEASE_IDLE || !ipv4_equal(lease->address, address)) {
		report(request, DHCP_SERVER_NOT_HELD, address);
		return NULL;
	}
	return lease;
}

static void on_release(struct request *request)
{
	struct dhcp_lease *lease = held_lease(request, request->header->ciaddr);
	if (!lease)
		return;
	bool stored = lease->state == DHCP_LEASE_BOUND;
	dhcp_pool_release(&request->subnet->pool, lease, request->now_ns);
	if (stored)
		dhcp_actions_save(request->actions, lease);
}

static void on_decline(struct request *request)
{
	struct dhcp_pool *pool = &request->subnet->pool;
	struct dhcp_lease *lease = held_lease(request, request->requested);
	if (!lease)
		return;
	/* A bound address has no substitute: it is offered again, and the log tells. */
	if (lease->reserved)
		dhcp_pool_release(pool, lease, request->now_ns);
	else
		dhcp_pool_decline(
			pool, lease, request->now_ns + request->server->settings.decline_ns);
	dhcp_actions_save(request->actions, lease);
}

static void on_inform(struct request *request)
{
	struct ipv4 ciaddr = request->header->ciaddr;
	if (ipv4_is_none(ciaddr))
		report(request, DHCP_SERVER_INCOMPLETE, ciaddr);
	else if (!prefix_contains(request->subnet->pool.subnet, ciaddr))
		report(request, DHCP_SERVER_WRONG_NETWORK, ciaddr);
	else
		reply(request, DHCPACK, (struct ipv4){0});
}

static const struct {
	void (*run)(struct request *request);
	bool anonymous; /* needs no identity */
} steps[DHCPINFORM + 1] = {
	[DHCPDISCOVER] = {on_discover, .anonymous = false},
	[DHCPREQUEST] = {on_request, .anonymous = false},
	[DHCPDECLINE] = {on_decline, .anonymous = false},
	[DHCPRELEASE] = {on_release, .anonymous = false},
	[DHCPINFORM] = {on_inform, .anonymous = true},
};

static struct dhcp_subnet *subnet_of(const struct request *request)
{
	struct ipv4 from = request->event->local;
	if (!ipv4_is_none(request->header->giaddr))
		from = request->header->giaddr;
	else if (!request->event->broadcast && !ipv4_is_none(request->header->ciaddr))
		from = request->header->ciaddr;
	return dhcp_server_subnet(request->server, from);
}

/* The client's wish, held within the subnet's least and most. */
static uint32_t choose_lease_seconds(const struct request *request)
{
	const struct dhcp_lease_times *times = &request->subnet->lease;
	uint32_t wish;
	if (dhcp_message_u32(request->event->message, DHCP_OPTION_LEASE_TIME, &wish) !=
		DHCP_PRESENT)
		return times->usual;
	if (wish > times->most)
		return times->most;
	return wish < times->least ? times->least : wish;
}

static void server_message(struct request *request)
{
	const struct dhcp_message *message = request->event->message;
	unsigned type = message->type;
	bool known = type <= DHCPINFORM && steps[type].run && message->header.op == DHCP_OP_REQUEST;
	request->server->received[known ? type : 0]++;
	request->subnet = subnet_of(request);
	if (!known)
		report(request, DHCP_SERVER_UNEXPECTED_TYPE, (struct ipv4){0});
	else if (!request->subnet)
		report(request, DHCP_SERVER_OTHER_SUBNET, request->header->giaddr);
	else if (!dhcp_identity_of(message, &request->client.identity) && !steps[type].anonymous)
		report(request, DHCP_SERVER_NO_IDENTITY, (struct ipv4){0});
	else if (dhcp_message_address(message, DHCP_OPTION_REQUESTED_ADDRESS,
			 &request->requested) == DHCP_MALFORMED ||
		 dhcp_message_address(message, DHCP_OPTION_SERVER_ID, &request->server_id) ==
			 DHCP_MALFORMED)
		report(request, DHCP_SERVER_INCOMPLETE, (struct ipv4){0});
	else {
		request->lease_seconds = choose_lease_seconds(request);
		steps[type].run(request);
	}
}

static void pool_expire(struct dhcp_pool *pool, uint64_t now_ns, struct dhcp_actions *actions)
{
	struct dhcp_lease_record ended;
	while (dhcp_pool_expire(pool, now_ns, &ended)) {
		struct dhcp_report facts = {
			.text = ended.state == DHCP_LEASE_BOUND	    ? "lease ended:"
				: ended.state == DHCP_LEASE_OFFERED ? "offer not taken:"
								    : "no longer set aside:",
			.address = ended.address,
			.hardware = ended.hardware,
		};
		dhcp_actions_report(actions, &facts);
	}
}

static void server_expire(struct dhcp_server *server, uint64_t now_ns, struct dhcp_actions *actions)
{
	for (size_t i = 0; i < server->subnet_count; i++)
		pool_expire(&server->subnets[i].pool, now_ns, actions);
}

/* No client was told of the lease: it must not keep the address from others for its whole time. */
static void server_not_saved(struct dhcp_server *server, struct ipv4 address, uint64_t now_ns)
{
	struct dhcp_term offer = {
		.state = DHCP_LEASE_OFFERED,
		.starts_ns = now_ns,
		.ends_ns = now_ns + server->settings.offer_ns,
	};
	struct dhcp_subnet *subnet = dhcp_server_subnet(server, address);
	if (subnet)
		dhcp_pool_not_saved(&subnet->pool, address, &offer);
}

void dhcp_server_step(struct dhcp_server *server, const struct dhcp_server_event *event,
	uint64_t now_ns, struct dhcp_actions *ret_actions)
{
	dhcp_actions_init(ret_actions);
	server_expire(server, now_ns, ret_actions);
	if (event->kind == DHCP_SERVER_NOT_SAVED)
		server_not_saved(server, event->address, now_ns);
	if (event->kind == DHCP_SERVER_MESSAGE) {
		struct request request = {
			.server = server,
			.event = event,
			.header = &event->message->header,
			.now_ns = now_ns,
			.actions = ret_actions,
		};
		request.client.hardware = request.header->chaddr;
		server_message(&request);
	}
	for (size_t i = 0; i < server->subnet_count; i++) {
		uint64_t deadline_ns = dhcp_pool_deadline(&server->subnets[i].pool);
		if (deadline_ns < ret_actions->deadline_ns)
			ret_actions->deadline_ns = deadline_ns;
	}
}
