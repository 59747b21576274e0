#include <string.h>

#include "dhcp/relay_agent.h"
#include "dhcp/server_parts.h"

enum {
	SIZE_OPTION_MIN = 576, /* RFC 2132 section 9.10 */
	IP_UDP_SIZE = 28,
	OPTION_HEADER_SIZE = 2,
	CODES = 256,
};

/* RFC 8357 section 4: the relay wants its answers at the port it wrote from. */
static bool wants_source_port(const struct dhcp_request *request)
{
	struct dhcp_field empty;
	return request->relay_agent.bytes && request->event->source_port &&
	       dhcp_relay_agent_find(&request->relay_agent, DHCP_RELAY_AGENT_SOURCE_PORT, &empty) ==
		       DHCP_PRESENT;
}

/* The client has an address of its subnet, and is where the route goes. */
static bool has_address(const struct dhcp_request *request)
{
	struct ipv4 ciaddr = request->header->ciaddr;
	return !ipv4_is_none(ciaddr) && prefix_contains(request->subnet->pool.subnet, ciaddr);
}

/*
 * RFC 2131 section 4.1 has a DHCPNAK without giaddr broadcast here. A renewing client behind a
 * router, who is not here, would never hear it; section 4.3.2 trusts its ciaddr.
 */
static bool is_away(const struct dhcp_request *request)
{
	return !request->event->broadcast && has_address(request) &&
	       !prefix_contains(request->subnet->pool.subnet, request->event->local);
}

/* Where an answer goes: RFC 2131 section 4.1. */
static struct dhcp_destination destination_of(
	const struct dhcp_request *request, const struct dhcp_header *reply, unsigned type)
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
		to.port =
			wants_source_port(request) ? request->event->source_port : DHCP_SERVER_PORT;
		to.interface = 0;
	} else if (type == DHCPNAK ? is_away(request) : has_address(request)) {
		to.kind = DHCP_TO_ADDRESS;
		to.address = request->header->ciaddr;
		to.interface = 0;
	} else if (type != DHCPNAK && !reply->broadcast && !ipv4_is_none(reply->yiaddr) &&
		   dhcp_hardware_mac(&reply->chaddr, &to.mac)) {
		to.kind = DHCP_TO_HARDWARE;
		to.address = reply->yiaddr;
	}
	return to;
}

/* How long an answer may be: what the client takes, and option 82 that its relay takes off. */
static size_t reply_size(const struct dhcp_request *request, unsigned type)
{
	uint16_t most;
	size_t size = DHCP_MESSAGE_SIZE_DEFAULT;
	if (type == DHCP_BOOTREPLY)
		size = DHCP_MESSAGE_SIZE_MIN;
	else if (dhcp_message_u16(request->event->message, DHCP_OPTION_MAXIMUM_SIZE, &most) ==
			 DHCP_PRESENT &&
		 most > SIZE_OPTION_MIN)
		size = (size_t)most - IP_UDP_SIZE;
	if (request->relay_agent.bytes)
		size += OPTION_HEADER_SIZE * 2u + request->relay_agent.length;
	return size < DHCP_MESSAGE_SIZE_MAX ? size : DHCP_MESSAGE_SIZE_MAX;
}

/* A binding's value comes before its subnet's. */
static const struct dhcp_option_value *find_option(const struct dhcp_request *request, uint8_t code)
{
	const struct dhcp_binding *binding = request->client.binding;
	const struct dhcp_option_value *value =
		binding ? dhcp_option_list_find(&binding->options, code) : NULL;
	return value ? value : dhcp_option_list_find(&request->subnet->options, code);
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

/* The options that a client may ask for, each at most once. */
struct placing {
	const struct dhcp_request *request;
	struct dhcp_builder *builder;
	bool placed[CODES];
};

/* Ours to say, whatever a list has or a client asks for. */
static const uint8_t own_codes[] = {DHCP_OPTION_PAD, DHCP_OPTION_REQUESTED_ADDRESS,
	DHCP_OPTION_LEASE_TIME, DHCP_OPTION_OVERLOAD, DHCP_OPTION_MESSAGE_TYPE,
	DHCP_OPTION_SERVER_ID, DHCP_OPTION_PARAMETERS, DHCP_OPTION_MESSAGE,
	DHCP_OPTION_MAXIMUM_SIZE, DHCP_OPTION_T1, DHCP_OPTION_T2, DHCP_OPTION_CLIENT_ID,
	DHCP_OPTION_RAPID_COMMIT, DHCP_OPTION_RELAY_AGENT, DHCP_OPTION_END};

static void place(struct placing *placing, uint8_t code)
{
	const struct dhcp_request *request = placing->request;
	if (placing->placed[code])
		return;
	placing->placed[code] = true;
	if (code == DHCP_OPTION_SUBNET_MASK) {
		dhcp_builder_u32(
			placing->builder, code, prefix_mask(request->subnet->pool.subnet.length));
		return;
	}
	const struct dhcp_option_value *value = find_option(request, code);
	if (value)
		dhcp_builder_bytes(placing->builder, code, value->bytes, value->length);
}

/*
 * In the order that the client asks in, but for one thing: a mask that goes with a router comes
 * before it (RFC 2132 section 3.3 is a MUST, section 9.8 a "must try").
 */
static void place_as_asked(struct placing *placing, const struct dhcp_field *asked)
{
	bool mask = memchr(asked->bytes, DHCP_OPTION_SUBNET_MASK, asked->length) != NULL;
	for (size_t i = 0; i < asked->length; i++) {
		if (asked->bytes[i] == DHCP_OPTION_ROUTER && mask)
			place(placing, DHCP_OPTION_SUBNET_MASK);
		place(placing, asked->bytes[i]);
	}
}

static void place_list(struct placing *placing, const struct dhcp_option_list *options)
{
	for (size_t i = 0; i < options->count; i++)
		place(placing, options->list[i].code);
}

static void put_options(
	const struct dhcp_request *request, struct dhcp_builder *builder, unsigned type)
{
	struct placing placing = {.request = request, .builder = builder};
	struct dhcp_field asked;
	for (size_t i = 0; i < sizeof(own_codes); i++)
		placing.placed[own_codes[i]] = true;
	/* RFC 1534: no options of DHCP in a BOOTREPLY. These two stand in fields of their own. */
	if (type == DHCP_BOOTREPLY)
		placing.placed[DHCP_OPTION_TFTP_SERVER] = placing.placed[DHCP_OPTION_BOOT_FILE] =
			true;
	else if (dhcp_message_bytes(request->event->message, DHCP_OPTION_PARAMETERS, &asked) ==
		 DHCP_PRESENT) {
		place_as_asked(&placing, &asked);
		return;
	}
	place(&placing, DHCP_OPTION_SUBNET_MASK);
	if (request->client.binding)
		place_list(&placing, &request->client.binding->options);
	place_list(&placing, &request->subnet->options);
}

/* What must be there: false where it does not fit. */
static bool put_fixed(const struct dhcp_request *request, struct dhcp_builder *builder,
	const struct dhcp_header *header, unsigned type)
{
	struct dhcp_field client_id;
	const struct dhcp_message *message = request->event->message;
	if (request->relay_agent.bytes)
		dhcp_builder_bytes(builder, DHCP_OPTION_RELAY_AGENT, request->relay_agent.bytes,
			request->relay_agent.length);
	if (type == DHCP_BOOTREPLY)
		return !builder->omitted;
	dhcp_builder_address(builder, DHCP_OPTION_SERVER_ID, request->event->local);
	if (!ipv4_is_none(header->yiaddr))
		put_lease_times(builder, request->lease_seconds);
	if (type == DHCPACK && message->type == DHCPDISCOVER)
		dhcp_builder_bytes(builder, DHCP_OPTION_RAPID_COMMIT, NULL, 0);
	if (dhcp_message_bytes(message, DHCP_OPTION_CLIENT_ID, &client_id) == DHCP_PRESENT)
		dhcp_builder_bytes(
			builder, DHCP_OPTION_CLIENT_ID, client_id.bytes, client_id.length);
	if (type == DHCPNAK)
		dhcp_builder_bytes(
			builder, DHCP_OPTION_MESSAGE, request->refusal, strlen(request->refusal));
	return !builder->omitted;
}

static void copy_name(char *name, size_t size, const struct dhcp_option_value *value)
{
	if (value && value->length < size)
		memcpy(name, value->bytes, value->length);
}

/* Where the client boots from: settings.h says how the options become fields. */
static void put_boot_fields(
	const struct dhcp_request *request, struct dhcp_header *header, unsigned type)
{
	const struct dhcp_option_value *server = find_option(request, DHCP_OPTION_TFTP_SERVER);
	char text[IPV4_TEXT_SIZE] = "";
	copy_name(text, sizeof(text), server);
	ipv4_parse(text, &header->siaddr);
	if (type != DHCP_BOOTREPLY)
		return;
	copy_name(header->sname, sizeof(header->sname), server);
	copy_name(header->file, sizeof(header->file), find_option(request, DHCP_OPTION_BOOT_FILE));
}

static void make_header(
	const struct dhcp_request *request, unsigned type, struct dhcp_header *ret_header)
{
	bool keeps = type == DHCPACK || type == DHCP_BOOTREPLY;
	*ret_header = (struct dhcp_header){
		.op = DHCP_OP_REPLY,
		.xid = request->header->xid,
		.broadcast = request->header->broadcast,
		.ciaddr = keeps ? request->header->ciaddr : (struct ipv4){0},
		.giaddr = request->header->giaddr,
		.chaddr = request->header->chaddr,
	};
	/* RFC 2131 section 4.3.2: so that the relay broadcasts it. */
	if (type == DHCPNAK && !ipv4_is_none(ret_header->giaddr))
		ret_header->broadcast = true;
	if (type != DHCPNAK)
		put_boot_fields(request, ret_header, type);
}

void dhcp_server_reply(struct dhcp_request *request, unsigned type, struct ipv4 yiaddr)
{
	struct dhcp_actions *actions = request->actions;
	struct dhcp_header *header = &actions->header;
	struct dhcp_builder builder;
	make_header(request, type, header);
	header->yiaddr = yiaddr;
	dhcp_builder_init(&builder, actions->message, reply_size(request, type), header, type);
	bool fits = put_fixed(request, &builder, header, type);
	if (fits && type != DHCPNAK)
		put_options(request, &builder, type);
	actions->message_length = dhcp_builder_finish(&builder);
	actions->type = type;
	if (!fits) {
		dhcp_server_report(request, DHCP_SERVER_TOO_LONG, yiaddr);
		return;
	}
	if (builder.omitted)
		dhcp_server_report(request, DHCP_SERVER_OPTIONS_OMITTED, yiaddr);
	request->server->sent[dhcp_server_counter(type)]++;
	struct dhcp_destination destination = destination_of(request, header, type);
	dhcp_actions_send(actions, &destination);
}

void dhcp_server_refuse(
	struct dhcp_request *request, enum dhcp_server_reason reason, struct ipv4 address)
{
	dhcp_server_report(request, reason, address);
	request->refusal = dhcp_server_reason_text(reason);
	dhcp_server_reply(request, DHCPNAK, (struct ipv4){0});
}
