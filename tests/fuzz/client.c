/*
 * The client machine. Input: a byte of settings, then events until the input or the client ends, each
 * of them a byte (its value modulo 8 is the kind) and what the kind needs:
 *
 *	0	the deadline comes
 *	1	time goes on: a number and how far it is shifted, in milliseconds
 *	2, 3	an answer, put together from five bytes: see make_answer()
 *	4	a message as it is, but with our transaction id: length in two bytes, bytes
 *	5	ARP of another host: kind and last byte of its address
 *	6	the link is back
 *	7	the end: whether the address is released
 *
 * An address is used only as long as a server has granted it, every message is one that RFC 2131's
 * table 5 allows, and the timers lead on.
 */
#include "fuzz_dhcp.h"

#include "base/clock.h"
#include "base/reader.h"
#include "dhcp/client.h"

enum { EVENTS_MOST = 64, TIMERS_MOST = 64, NETWORK = 0x0a000100, OWN = 0x0a000120 };

static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};

static struct {
	struct dhcp_client client;
	uint64_t now_ns;
	bool in_use, granted, finished, keep_unverified, inform;
	uint32_t xid;
	struct ipv4 wanted; /* the address that was last asked for */
	struct dhcp_actions actions;
	struct dhcp_message message, sent;
	uint8_t bytes[DHCP_MESSAGE_SIZE_MAX];
} world;

static struct ipv4 host(uint8_t number)
{
	return (struct ipv4){NETWORK | number};
}

static void make_client(uint8_t byte)
{
	struct dhcp_client_settings settings = {
		.interface = 1,
		.wait_ns = byte & 0x80 ? 20 * NS_PER_SECOND : 0,
		.lease_seconds = byte & 0x40 ? 300 : 0,
		.rapid_commit = byte & 1,
		.keep_unverified = byte & 2,
		.probe = byte & 4,
		.probe_times = DHCP_PROBE_TIMES_RFC,
		.inform = byte & 8 ? (struct prefix){{OWN}, 24} : (struct prefix){.length = 0},
		.host_name = {(const uint8_t *)"client", 6},
		.seed = 1,
	};
	memcpy(settings.mac.bytes, mac, sizeof(mac));
	if (byte & 0x10)
		settings.client_id = (struct dhcp_field){(const uint8_t *)"client", 6};
	world.keep_unverified = settings.keep_unverified;
	world.inform = byte & 8;
	dhcp_client_init(&world.client, &settings);
}

/* Table 5 of RFC 2131 section 4.4.1: what a client may say with which fields. */
static void check_request(const struct dhcp_message *message, const struct dhcp_destination *to)
{
	bool ciaddr = !ipv4_is_none(message->header.ciaddr);
	bool requested = field_of(message, DHCP_OPTION_REQUESTED_ADDRESS);
	bool server = field_of(message, DHCP_OPTION_SERVER_ID);
	switch (message->type) {
	case DHCPDISCOVER:
		HOLDS(!ciaddr && !server);
		break;
	case DHCPREQUEST:
		HOLDS(ciaddr != requested && (!server || requested));
		break;
	case DHCPDECLINE:
		HOLDS(!ciaddr && requested && server);
		break;
	case DHCPRELEASE:
		HOLDS(ciaddr && !requested && server);
		break;
	case DHCPINFORM:
		HOLDS(ciaddr && !requested && !server && world.inform);
		break;
	default:
		HOLDS(message->type == DHCPDISCOVER); /* it is nothing that a client sends */
	}
	HOLDS(to->port == DHCP_SERVER_PORT && to->kind != DHCP_TO_HARDWARE);
	HOLDS(to->kind == DHCP_TO_BROADCAST || (ciaddr && !ipv4_is_none(to->address)));
}

static void on_sent(const struct dhcp_destination *to)
{
	HOLDS(dhcp_message_parse(
		      world.actions.message, world.actions.message_length, &world.sent, NULL) == 0);
	const struct dhcp_header *header = &world.sent.header;
	HOLDS(header->op == DHCP_OP_REQUEST && world.sent.type == world.actions.type);
	HOLDS(header->chaddr.length == 6 && memcmp(header->chaddr.bytes, mac, 6) == 0);
	TRACE("  sent %s ciaddr %s", dhcp_message_type_name(world.sent.type),
		IPV4_TEXT(header->ciaddr));
	check_request(&world.sent, to);
	world.xid = header->xid;
	world.wanted = header->ciaddr;
	dhcp_message_address(&world.sent, DHCP_OPTION_REQUESTED_ADDRESS, &world.wanted);
}

static void on_configured(const struct dhcp_change *change, const struct dhcp_client_event *event)
{
	bool answered = event->kind == DHCP_CLIENT_MESSAGE && event->message->type == DHCPACK;
	const struct dhcp_client_lease *lease = change->lease;
	HOLDS(lease && dhcp_client_prefix_usable(lease->address));
	switch (change->reason) {
	case DHCP_CHANGE_BOUND:
		HOLDS(answered || (world.client.settings.probe && world.granted));
		break;
	case DHCP_CHANGE_RENEWED:
		HOLDS(answered && world.in_use);
		break;
	case DHCP_CHANGE_INFORMED:
		HOLDS(answered && world.inform);
		return; /* the address is not the client's to keep or to end */
	case DHCP_CHANGE_KEPT:
		HOLDS(world.keep_unverified);
		break;
	default:
		HOLDS(change->reason == DHCP_CHANGE_LINK_BACK);
	}
	world.in_use = true;
}

static void perform(const struct dhcp_client_event *event)
{
	HOLDS(world.actions.count <= DHCP_ACTIONS_MAX);
	for (unsigned i = 0; i < world.actions.count; i++) {
		const struct dhcp_action *action = &world.actions.list[i];
		HOLDS(!world.finished);
		TRACE("  action %d, state %s", action->kind,
			dhcp_client_state_name(world.client.state));
		if (action->kind == DHCP_SEND)
			on_sent(&action->destination);
		if (action->kind == DHCP_CONFIGURE)
			on_configured(&action->change, event);
		if (action->kind == DHCP_UNCONFIGURE) {
			HOLDS(world.in_use);
			world.in_use = false;
		}
		if (action->kind == DHCP_ARP)
			HOLDS(!ipv4_is_none(action->arp.target));
		if (action->kind == DHCP_FINISH)
			world.finished = true;
		HOLDS(action->kind != DHCP_SAVE_LEASE && action->kind != DHCP_PROBE);
	}
	HOLDS(world.client.configured == world.in_use);
}

static void step(const struct dhcp_client_event *event)
{
	static const struct dhcp_client_event timer = {.kind = DHCP_CLIENT_TIMER};
	TRACE("%lu s: event %d", world.now_ns / NS_PER_SECOND, event->kind);
	world.granted |= event->kind == DHCP_CLIENT_MESSAGE && event->message->type == DHCPACK;
	dhcp_client_step(&world.client, event, world.now_ns, &world.actions);
	perform(event);
	for (int i = 0; !world.finished && world.actions.deadline_ns <= world.now_ns; i++) {
		HOLDS(i < TIMERS_MOST);
		dhcp_client_step(&world.client, &timer, world.now_ns, &world.actions);
		perform(&timer);
	}
	HOLDS(!world.in_use || world.client.lease.ends_ns > world.now_ns);
}

static void receive(size_t length)
{
	struct dhcp_client_event event = {.kind = DHCP_CLIENT_MESSAGE, .message = &world.message};
	if (dhcp_message_parse(world.bytes, length, &world.message, NULL) == 0)
		step(&event);
}

static void put_options(struct dhcp_builder *builder)
{
	dhcp_builder_bytes(builder, DHCP_OPTION_ROUTER, "\x0a\0\1\1\x0a\0\1\2", 8);
	dhcp_builder_bytes(builder, DHCP_OPTION_DNS, "\x0a\0\1\1", 4);
	dhcp_builder_bytes(
		builder, DHCP_OPTION_CLASSLESS_ROUTES, "\x08\x0a\x0a\0\1\1\0\x0a\0\1\1", 11);
	dhcp_builder_bytes(builder, DHCP_OPTION_DOMAIN_SEARCH, "\1a\0\1b\xc0\0", 7);
	dhcp_builder_u16(builder, DHCP_OPTION_MTU, 1400);
	dhcp_builder_bytes(builder, DHCP_OPTION_RAPID_COMMIT, NULL, 0);
}

/*
 * Bytes: type; what is wrong with it, and which address it gives; the last byte of that; the lease
 * time; T1 and T2.
 */
static void make_answer(struct reader *input)
{
	static const uint32_t times[] = {0, 1, 2, 60, 3600, 0x7fffffff, 0xfffffffe, 0xffffffff};
	uint8_t type = read_u8(input) % 10, bits = read_u8(input), low = read_u8(input);
	uint8_t lease = read_u8(input), renewal = read_u8(input);
	const struct ipv4 given[] = {world.wanted, host(low), {0}, {UINT32_MAX}};
	struct dhcp_header header = {
		.op = DHCP_OP_REPLY,
		.xid = world.xid + (bits & 1),
		.yiaddr = given[bits >> 2 & 3],
		.chaddr = {1, 6, {2, 0, 0, 0, 0, bits & 2 ? 9 : 1}},
	};
	struct dhcp_builder builder;
	dhcp_builder_init(&builder, world.bytes, sizeof(world.bytes), &header,
		type ? type : (unsigned)DHCP_BOOTREPLY);
	if (!(bits & 0x10))
		dhcp_builder_address(&builder, DHCP_OPTION_SERVER_ID, host(bits & 0x20 ? 2 : 1));
	if (!(bits & 0x40))
		dhcp_builder_u32(&builder, DHCP_OPTION_SUBNET_MASK, UINT32_MAX << lease / 8 % 32);
	if (lease != UINT8_MAX)
		dhcp_builder_u32(&builder, DHCP_OPTION_LEASE_TIME, times[lease % 8]);
	if (renewal & 0x80)
		dhcp_builder_u32(&builder, DHCP_OPTION_T1, times[renewal % 8]);
	if (renewal & 0x40)
		dhcp_builder_u32(&builder, DHCP_OPTION_T2, times[renewal / 8 % 8]);
	if (bits & 0x80)
		put_options(&builder);
	receive(dhcp_builder_finish(&builder));
}

static void make_raw(struct reader *input)
{
	enum { OFFSET_XID = 4, XID_SIZE = 4 };
	size_t size = read_be16(input), left = reader_left(input);
	size = size < left ? size : left;
	size = size < sizeof(world.bytes) ? size : sizeof(world.bytes);
	read_bytes(input, world.bytes, size);
	struct writer xid = writer_over(world.bytes + OFFSET_XID, XID_SIZE);
	write_be32(&xid, world.xid);
	receive(size);
}

static void event_from(struct reader *input)
{
	struct dhcp_client_event event = {.kind = DHCP_CLIENT_TIMER};
	uint64_t step_ms;
	switch (read_u8(input) % 8) {
	case 0:
		if (world.actions.deadline_ns != DHCP_NEVER)
			world.now_ns = world.actions.deadline_ns;
		break;
	case 1:
		step_ms = read_u8(input);
		world.now_ns += (step_ms << read_u8(input) % 32) * (NS_PER_SECOND / 1000);
		break;
	case 2:
	case 3:
		make_answer(input);
		return;
	case 4:
		make_raw(input);
		return;
	case 5:
		event.kind = DHCP_CLIENT_HEARD_ARP;
		event.arp.sender = read_u8(input) & 1 ? host(read_u8(input)) : world.wanted;
		event.arp.target = world.wanted;
		if (read_u8(input) & 1)
			event.arp.sender = (struct ipv4){0};
		break;
	case 6:
		event.kind = DHCP_CLIENT_LINK_UP;
		break;
	default:
		event.kind = DHCP_CLIENT_STOP;
		event.release = read_u8(input) & 1;
	}
	step(&event);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct reader input = reader_over(bytes, length);
	uint8_t byte = read_u8(&input);
	world.in_use = world.granted = world.finished = false;
	world.xid = 0;
	world.wanted = (struct ipv4){0};
	world.now_ns = 1000 * NS_PER_SECOND;
	make_client(byte);
	struct dhcp_client_lease saved = {
		.address = {{OWN}, 24},
		.server = {NETWORK | 1},
		.lease_seconds = 3600,
		.obtained_ns = world.now_ns - 1000 * NS_PER_SECOND,
	};
	dhcp_client_lease_set_times(&saved, 0, 0);
	struct dhcp_client_event start = {.kind = DHCP_CLIENT_START};
	if (byte & 0x20)
		start.saved = &saved;
	step(&start);
	for (int i = 0; i < EVENTS_MOST && !world.finished && reader_left(&input) > 0; i++)
		event_from(&input);
	return 0;
}
