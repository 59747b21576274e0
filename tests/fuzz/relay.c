/*
 * The relay machine. Input: a byte of settings, then messages that arrive, each as a byte that says
 * where from, its length in two bytes, and itself. What is passed on is the message that came, but
 * for hops, giaddr and option 82; what is not passed on is counted under one reason.
 */
#include "fuzz_dhcp.h"

#include "base/reader.h"
#include "dhcp/relay.h"

enum { HOPS_MOST = 4, EVENTS_MOST = 16, SERVERS = 2, STRANGER = 0x0a090909 };

static const struct ipv4 servers[SERVERS] = {{0x0a000164}, {0x0a000165}}, uplink = {0x0a000101};

static void make_relay(struct dhcp_relay *relay, uint8_t byte)
{
	struct dhcp_relay_settings settings = {
		.interfaces = {{.index = 1,
				       .address = {{0x0a000201}, 24},
				       .circuit = {4, "eth1"},
				       .remote = {6, "\x02\x00\x00\x00\x00\x01"},
				       .trusted = byte & 0x10},
			{.index = 2, .address = {{0x0a000301}, 31}, .circuit = {4, "eth2"}},
			{.index = 3}}, /* it has no address now */
		.interface_count = 3,
		.servers = {servers[0], servers[1]},
		.server_count = SERVERS,
		.downstream = {{{0x0a000000}, 16}},
		.downstream_count = byte & 0x20 ? 1 : 0,
		.agent = byte & 1,
		.policy = (byte >> 1 & 3) % 3,
		.link_selection = byte & 8,
		.hops_most = HOPS_MOST,
		.secs_least = byte & 0x40 ? 3 : 0,
		.size_most = byte & 0x80 ? 400 : DHCP_MESSAGE_SIZE_MAX,
	};
	dhcp_relay_init(relay, &settings);
	dhcp_relay_set_uplink(relay, uplink);
}

static uint64_t dropped(const struct dhcp_relay *relay)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < DHCP_RELAY_REASONS; i++)
		sum += relay->reasons[i];
	return sum;
}

static void check_destination(
	const struct dhcp_relay_event *event, const struct dhcp_destination *to)
{
	if (event->message->header.op == DHCP_OP_REQUEST) {
		HOLDS(to->kind == DHCP_TO_ADDRESS && to->port == DHCP_SERVER_PORT);
		HOLDS(ipv4_equal(to->address, servers[0]) || ipv4_equal(to->address, servers[1]));
		HOLDS(!ipv4_equal(to->address, event->source));
		return;
	}
	HOLDS(to->kind != DHCP_TO_ADDRESS && to->port == DHCP_CLIENT_PORT);
	HOLDS(to->interface == 1 || to->interface == 2);
	HOLDS(to->kind == DHCP_TO_BROADCAST ||
		(!event->message->header.broadcast && event->message->type != DHCPNAK));
}

/* `seen`: what is sent, `event`: what came. */
static void check_message(const struct dhcp_relay *relay, const struct dhcp_message *seen,
	const struct dhcp_relay_event *event)
{
	const struct dhcp_header *before = &event->message->header, *after = &seen->header;
	HOLDS(same_client(before, after) && seen->type == event->message->type);
	HOLDS(same_options(event->message, seen, DHCP_OPTION_RELAY_AGENT));
	HOLDS(strcmp(before->file, after->file) == 0 && strcmp(before->sname, after->sname) == 0);
	if (before->op == DHCP_OP_REPLY) {
		HOLDS(same_header(before, after));
		return;
	}
	HOLDS(after->hops == before->hops + 1 && after->hops <= HOPS_MOST + 1);
	HOLDS(!ipv4_is_none(after->giaddr));
	HOLDS(ipv4_is_none(before->giaddr) || ipv4_equal(before->giaddr, after->giaddr));
	HOLDS(!field_of(seen, DHCP_OPTION_RELAY_AGENT) ||
		field_of(event->message, DHCP_OPTION_RELAY_AGENT) || relay->settings.agent);
}

static void check_step(struct dhcp_relay *relay, const struct dhcp_relay_event *event)
{
	static struct dhcp_actions actions;
	static struct dhcp_message seen;
	uint64_t before = dropped(relay);
	unsigned sent = 0;
	dhcp_relay_step(relay, event, &actions);
	for (unsigned i = 0; i < actions.count; i++) {
		HOLDS(actions.list[i].kind == DHCP_SEND || actions.list[i].kind == DHCP_REPORT);
		if (actions.list[i].kind == DHCP_REPORT)
			continue;
		check_destination(event, &actions.list[i].destination);
		sent++;
	}
	HOLDS(dropped(relay) == before + (sent == 0));
	HOLDS(sent <= SERVERS);
	if (sent == 0)
		return;
	HOLDS(actions.message_length <= sizeof(actions.message));
	HOLDS(actions.message_length <= event->length ||
		actions.message_length <= relay->settings.size_most);
	HOLDS(dhcp_message_parse(actions.message, actions.message_length, &seen, NULL) == 0);
	check_message(relay, &seen, event);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static const struct ipv4 sources[] = {{0x0a000164}, {0x0a000165}, {STRANGER}, {0x00000000}};
	static struct dhcp_relay relay;
	static struct dhcp_message message;
	struct reader input = reader_over(bytes, length);
	make_relay(&relay, read_u8(&input));
	for (int i = 0; i < EVENTS_MOST && reader_left(&input) > 0; i++) {
		uint8_t where = read_u8(&input);
		size_t size = read_be16(&input), left = reader_left(&input);
		struct reader part = reader_sub(&input, size < left ? size : left);
		struct dhcp_relay_event event = {
			.message = &message,
			.bytes = part.at,
			.length = reader_left(&part),
			.interface = where & 3, /* 0 is none of the clients' */
			.source = sources[where >> 2 & 3],
			.own_giaddr = where & 0x10,
		};
		if (dhcp_message_parse(event.bytes, event.length, &message, NULL) == 0)
			check_step(&relay, &event);
		else
			dhcp_relay_count(&relay, DHCP_RELAY_MALFORMED);
	}
	return 0;
}
