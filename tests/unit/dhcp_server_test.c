/* dhcp/server.h and pool.h: the server as a machine, against tables of events. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "dhcp/server.h"
#include "unit.h"

/*
 * One line of a table: what one client sends, and what must come of it. Addresses are the last
 * byte within 10.0.2.0/24, as far as they are below 256; 0 is none.
 */
struct line {
	unsigned after_seconds; /* since the line before */
	unsigned client; /* its MAC ends in this; 0: only time passes */
	unsigned type;
	uint32_t requested, ciaddr, server_id;
	uint32_t wish_seconds;
	unsigned answer; /* a message type, 0: silence */
	uint32_t yiaddr, lease_seconds;
	unsigned saves; /* DHCP_SAVE_LEASE actions */
};

enum { OTHER_SERVER = 77, OURS = 10, LEASE = 100 };

#define LOCAL 0x0a00020a /* 10.0.2.10, the server itself: within the pool of some tests */

static struct ipv4 short_address(uint32_t number)
{
	return (struct ipv4){number == 0 || number > 255 ? number : 0x0a000200 + number};
}

static struct dhcp_hardware hardware_of(unsigned client)
{
	return (struct dhcp_hardware){
		.type = 1, .length = 6, .bytes = {2, 0, 0, 0, 0, (uint8_t)client}};
}

/* By hardware address: htype 1, and a MAC that ends in 50, or 51. */
static const struct dhcp_binding bindings[] = {
	{.client = {8, {1, 1, 2, 0, 0, 0, 0, 50}}, .address = {0x0a000232}}, /* outside the range */
	{.client = {8, {1, 1, 2, 0, 0, 0, 0, 51}}, .address = {0x0a000265}}, /* inside: .101 */
};

static void make_server(struct dhcp_server *server, uint32_t first, uint32_t last)
{
	struct error error = {.text = ""};
	uint8_t router[] = {10, 0, 2, 1};
	struct dhcp_option_value options[] = {{DHCP_OPTION_ROUTER, sizeof(router), router}};
	struct dhcp_range range = {short_address(first), short_address(last)};
	struct dhcp_subnet_settings subnet = {
		.prefix = {{0x0a000200}, 24},
		.ranges = &range,
		.range_count = 1,
		.bindings = bindings,
		.binding_count = ARRAY_LENGTH(bindings),
		.options = {options, 1},
		.lease = {.usual = LEASE, .least = 1, .most = LEASE},
	};
	struct dhcp_server_settings settings = {.subnets = &subnet, .subnet_count = 1, .seed = 1};
	EXPECT(dhcp_server_init(server, &settings, &error) == 0, "%s", error.text);
	dhcp_server_add_address(server, (struct ipv4){LOCAL});
}

struct sent {
	struct dhcp_header header;
	struct dhcp_builder builder;
	uint8_t bytes[DHCP_MESSAGE_SIZE_MAX];
	struct dhcp_server_event event;
};

static void sent_begin(struct sent *sent, unsigned client, unsigned type)
{
	sent->header.op = DHCP_OP_REQUEST;
	sent->header.xid = client;
	sent->header.chaddr = hardware_of(client);
	dhcp_builder_init(&sent->builder, sent->bytes, sizeof(sent->bytes), &sent->header, type);
}

static void sent_step(struct sent *sent, struct dhcp_server *server, uint64_t now_ns,
	struct dhcp_actions *actions)
{
	struct dhcp_message message;
	struct error error = {.text = ""};
	size_t length = dhcp_builder_finish(&sent->builder);
	int status = dhcp_message_parse(sent->bytes, length, &message, &error);
	EXPECT(status == 0, "our own message: %s", error.text);
	sent->event.kind = DHCP_SERVER_MESSAGE;
	sent->event.message = &message;
	sent->event.local.host = sent->event.local.host ? sent->event.local.host : LOCAL;
	dhcp_server_step(server, &sent->event, now_ns, actions);
}

static const struct dhcp_action *find_action(
	const struct dhcp_actions *actions, enum dhcp_action_kind kind)
{
	for (unsigned i = 0; i < actions->count; i++)
		if (actions->list[i].kind == kind)
			return &actions->list[i];
	return NULL;
}

/* Saves stand before the send; the send's message is what the line expects. */
static void check_line(const char *table, size_t number, const struct line *line,
	const struct dhcp_actions *actions)
{
	unsigned saves = 0, sends = 0;
	for (unsigned i = 0; i < actions->count; i++) {
		sends += actions->list[i].kind == DHCP_SEND;
		saves += actions->list[i].kind == DHCP_SAVE_LEASE;
		EXPECT(actions->list[i].kind != DHCP_SAVE_LEASE || sends == 0,
			"%s, line %zu: stored after sending", table, number);
	}
	EXPECT(sends == (line->answer ? 1 : 0), "%s, line %zu: %u answers", table, number, sends);
	EXPECT(saves == line->saves, "%s, line %zu: %u saves", table, number, saves);
	if (!line->answer || !sends)
		return;
	struct dhcp_message reply;
	struct error error = {.text = ""};
	uint32_t seconds = 0;
	struct ipv4 server_id = {0};
	EXPECT(dhcp_message_parse(actions->message, actions->message_length, &reply, &error) == 0,
		"%s, line %zu: %s", table, number, error.text);
	dhcp_message_u32(&reply, DHCP_OPTION_LEASE_TIME, &seconds);
	dhcp_message_address(&reply, DHCP_OPTION_SERVER_ID, &server_id);
	EXPECT(reply.type == line->answer, "%s, line %zu: %s", table, number,
		dhcp_message_type_name(reply.type));
	EXPECT(reply.header.yiaddr.host == short_address(line->yiaddr).host, "%s, line %zu: %s",
		table, number, IPV4_TEXT(reply.header.yiaddr));
	EXPECT(seconds == line->lease_seconds, "%s, line %zu: %u s", table, number, seconds);
	EXPECT(reply.header.xid == line->client && server_id.host == LOCAL,
		"%s, line %zu: another transaction or server", table, number);
}

static void run_table(
	const char *table, const struct line *lines, size_t count, uint32_t first, uint32_t last)
{
	CLEANUP(dhcp_server_finish) struct dhcp_server server;
	struct dhcp_actions actions;
	uint64_t now_ns = 1000 * NS_PER_SECOND;
	make_server(&server, first, last);
	for (size_t i = 0; i < count; i++) {
		const struct line *line = &lines[i];
		now_ns += line->after_seconds * NS_PER_SECOND;
		if (line->client == 0) {
			struct dhcp_server_event timer = {.kind = DHCP_SERVER_TIMER};
			dhcp_server_step(&server, &timer, now_ns, &actions);
			continue;
		}
		struct sent sent = {.header = {.ciaddr = short_address(line->ciaddr)}};
		sent_begin(&sent, line->client, line->type);
		if (line->requested)
			dhcp_builder_address(&sent.builder, DHCP_OPTION_REQUESTED_ADDRESS,
				short_address(line->requested));
		if (line->server_id)
			dhcp_builder_address(&sent.builder, DHCP_OPTION_SERVER_ID,
				short_address(line->server_id));
		if (line->wish_seconds)
			dhcp_builder_u32(&sent.builder, DHCP_OPTION_LEASE_TIME, line->wish_seconds);
		sent_step(&sent, &server, now_ns, &actions);
		check_line(table, i + 1, line, &actions);
	}
}

#define RUN(table, first, last) run_table(#table, table, ARRAY_LENGTH(table), first, last)

#define DISCOVER(n, addr)                                                                          \
	{                                                                                          \
		0, n, DHCPDISCOVER, 0, 0, 0, 0, DHCPOFFER, addr, LEASE, 0                          \
	}
#define SELECT(n, addr)                                                                            \
	{                                                                                          \
		0, n, DHCPREQUEST, addr, 0, OURS, 0, DHCPACK, addr, LEASE, 1                       \
	}
#define LEASES(n, addr) DISCOVER(n, addr), SELECT(n, addr)
#define SILENT(n)                                                                                  \
	{                                                                                          \
		0, n, DHCPDISCOVER, 0, 0, 0, 0, 0, 0, 0, 0                                         \
	}
#define RELEASE(n, addr)                                                                           \
	{                                                                                          \
		0, n, DHCPRELEASE, 0, addr, OURS, 0, 0, 0, 0, 1                                    \
	}
#define PASS(seconds)                                                                              \
	{                                                                                          \
		seconds, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0                                              \
	}

static void test_allocation(void)
{
	static const struct line order[] = {
		LEASES(1, 100), /* a free one */
		LEASES(2, 102), /* not .101, which is bound */
		{0, 3, DHCPDISCOVER, 104, 0, 0, 0, DHCPOFFER, 104, LEASE, 0}, /* as asked */
		{0, 4, DHCPDISCOVER, 100, 0, 0, 0, DHCPOFFER, 103, LEASE, 0}, /* taken: another */
		DISCOVER(1, 100), /* its current one */
		DISCOVER(4, 103), /* its offer, again */
	};
	static const struct line exhaustion[] = {LEASES(1, 100), LEASES(2, 102), SILENT(3),
		/* A request without an address to be had is refused. */
		{0, 3, DHCPREQUEST, 102, 0, OURS, 0, DHCPNAK, 0, 0, 0}, RELEASE(1, 100),
		LEASES(3, 100), SILENT(1),
		/* The former client gets it back where it is free again. */
		RELEASE(2, 102), RELEASE(3, 100), LEASES(3, 100), LEASES(2, 102)};
	static const struct line offers[] = {
		DISCOVER(1, 100), DISCOVER(2, 102), SILENT(3),
		{10, 3, DHCPDISCOVER, 0, 0, 0, 0, DHCPOFFER, 100, LEASE, 0}, /* the oldest lapsed */
		{0, 1, DHCPREQUEST, 100, 0, OURS, 0, DHCPNAK, 0, 0, 0}, /* too late */
		{0, 2, DHCPREQUEST, 102, 0, OURS, 0, DHCPACK, 102, LEASE, 1}, /* late, still free */
		{0, 3, DHCPREQUEST, 100, 0, OTHER_SERVER, 0, 0, 0, 0, 0}, /* takes another's */
		{0, 4, DHCPDISCOVER, 0, 0, 0, 0, DHCPOFFER, 100, LEASE, 0}, /* so it is free */
	};
	static const struct line expiry[] = {LEASES(1, 100), LEASES(2, 102), PASS(99), SILENT(3),
		PASS(1), LEASES(3, 100), LEASES(2, 102), SILENT(1)};
	static const struct line least_recent[] = {LEASES(1, 100), LEASES(2, 102), LEASES(3, 103),
		RELEASE(2, 102), RELEASE(1, 100), RELEASE(3, 103), LEASES(4, 102), LEASES(5, 100)};
	static const struct line kept[] = {LEASES(1, 11), SILENT(2)};
	RUN(order, 100, 104);
	RUN(exhaustion, 100, 102);
	RUN(offers, 100, 102);
	RUN(expiry, 100, 102);
	RUN(least_recent, 100, 103);
	RUN(kept, 10, 11); /* .10 is the server's */
	static const struct line router[] = {LEASES(1, 2), SILENT(2)};
	RUN(router, 0x0a000200, 2); /* the subnet's own address and the router's */
}

static void test_binding(void)
{
	static const struct line lines[] = {LEASES(50, 50), /* outside the range */
		LEASES(1, 100), SILENT(2), /* .101 waits for its owner */
		{0, 2, DHCPDISCOVER, 101, 0, 0, 0, 0, 0, 0, 0},
		{0, 2, DHCPDISCOVER, 50, 0, 0, 0, 0, 0, 0, 0},
		{0, 2, DHCPREQUEST, 101, 0, OURS, 0, DHCPNAK, 0, 0, 0},
		{0, 51, DHCPDISCOVER, 100, 0, 0, 0, DHCPOFFER, 101, LEASE,
			0}, /* whatever it asks */
		{0, 51, DHCPREQUEST, 100, 0, OURS, 0, DHCPNAK, 0, 0, 0}, /* nothing else */
		{0, 51, DHCPREQUEST, 101, 0, 0, 0, DHCPACK, 101, LEASE, 1}, /* INIT-REBOOT */
		RELEASE(51, 101), SILENT(2), /* released: still its own */
		PASS(1000), {0, 2, DHCPDISCOVER, 101, 0, 0, 0, DHCPOFFER, 100, LEASE, 0}, SILENT(3),
		LEASES(51, 101), LEASES(50, 50)};
	RUN(lines, 100, 101);
}

static void test_request(void)
{
	static const struct line lines[] = {
		LEASES(1, 100),
		{50, 1, DHCPREQUEST, 0, 100, 0, 0, DHCPACK, 100, LEASE, 1}, /* renews */
		{99, 1, DHCPREQUEST, 0, 100, 0, 0, DHCPACK, 100, LEASE, 1}, /* so it still runs */
		{200, 1, DHCPREQUEST, 0, 100, 0, 0, DHCPACK, 100, LEASE, 1}, /* ended, still free */
		{0, 1, DHCPREQUEST, 100, 0, 0, 0, DHCPACK, 100, LEASE, 1}, /* INIT-REBOOT */
		{0, 1, DHCPREQUEST, 103, 0, 0, 0, DHCPNAK, 0, 0, 0}, /* not its address */
		{0, 1, DHCPREQUEST, 0, 103, 0, 0, DHCPNAK, 0, 0, 0},
		{0, 2, DHCPREQUEST, 100, 0, 0, 0, DHCPNAK, 0, 0, 0}, /* somebody else's */
		{0, 2, DHCPREQUEST, 0xc0a80105, 0, 0, 0, DHCPNAK, 0, 0, 0}, /* wrong network */
		{0, 2, DHCPREQUEST, 0, 0, 0, 0, 0, 0, 0, 0}, /* says nothing */
		{0, 2, DHCPREQUEST, 0, 0, OURS, 0, 0, 0, 0, 0},
		{0, 2, DHCPREQUEST, 0, 0, OTHER_SERVER, 0, 0, 0, 0, 0},
		{0, 2, DHCPREQUEST, 103, 0, OURS, 0, DHCPACK, 103, LEASE, 1}, /* an offer of old */
		{0, 1, DHCPDISCOVER, 0, 0, 0, 30, DHCPOFFER, 100, 30, 0}, /* a wish */
		{0, 1, DHCPDISCOVER, 0, 0, 0, 3000, DHCPOFFER, 100, LEASE, 0}, /* too much */
		{0, 1, DHCPREQUEST, 100, 0, OURS, 30, DHCPACK, 100, 30, 1},
		PASS(31),
		{0, 3, DHCPDISCOVER, 100, 0, 0, UINT32_MAX, DHCPOFFER, 100, LEASE, 0},
	};
	RUN(lines, 100, 103);
	static const struct line others[] = {
		LEASES(1, 100),
		{0, 2, DHCPRELEASE, 0, 100, OURS, 0, 0, 0, 0, 0}, /* not the holder */
		{0, 1, DHCPRELEASE, 0, 102, OURS, 0, 0, 0, 0, 0}, /* not what it holds */
		{0, 1, DHCPRELEASE, 0, 100, OTHER_SERVER, 0, 0, 0, 0, 0},
		{0, 1, DHCPREQUEST, 0, 100, 0, 0, DHCPACK, 100, LEASE, 1}, /* it still has it */
		{0, 1, DHCPDECLINE, 100, 0, OURS, 0, 0, 0, 0, 1},
		LEASES(1, 102),
		SILENT(2), /* set aside */
		PASS(599),
		DISCOVER(2, 102),
		SILENT(3),
		PASS(1),
		DISCOVER(3, 100),
		{0, 1, DHCPINFORM, 0, 9, 0, 0, DHCPACK, 0, 0, 0},
		{0, 1, DHCPINFORM, 0, 0, 0, 0, 0, 0, 0, 0},
		{0, 1, DHCPINFORM, 0, 0xc0000201, 0, 0, 0, 0, 0, 0}, /* of no network of ours */
		{0, 1, DHCPINFORM, 0, UINT32_MAX, 0, 0, 0, 0, 0, 0},
		{0, 1, DHCPOFFER, 0, 0, 0, 0, 0, 0, 0, 0},
		{0, 1, 99, 0, 0, 0, 0, 0, 0, 0, 0},
	};
	RUN(others, 100, 102);
}

static void test_destination(void)
{
	static const struct {
		const char *what;
		uint32_t giaddr, ciaddr;
		unsigned type;
		uint32_t requested;
		bool broadcast_flag;
		uint8_t hardware_length;
		enum dhcp_destination_kind kind;
		uint32_t address;
		unsigned port;
		bool reply_flag;
	} cases[] = {
		{"by hardware", 0, 0, DHCPDISCOVER, 0, false, 6, DHCP_TO_HARDWARE, 0x0a000264, 68,
			false},
		{"as the flag says", 0, 0, DHCPDISCOVER, 0, true, 6, DHCP_TO_BROADCAST, UINT32_MAX,
			68, true},
		{"no Ethernet", 0, 0, DHCPDISCOVER, 0, false, 8, DHCP_TO_BROADCAST, UINT32_MAX, 68,
			false},
		{"relayed", 0x0a000201, 0, DHCPDISCOVER, 0, true, 6, DHCP_TO_ADDRESS, 0x0a000201,
			67, true},
		{"renewing", 0, 0x0a0002fe, DHCPINFORM, 0, false, 6, DHCP_TO_ADDRESS, 0x0a0002fe,
			68, false},
		{"selecting, with a foreign ciaddr", 0, 0xc0000201, DHCPREQUEST, 0x0a000264, false,
			6, DHCP_TO_HARDWARE, 0x0a000264, 68, false},
		{"NAK", 0, 0x0a0002fe, DHCPREQUEST, 0, false, 6, DHCP_TO_BROADCAST, UINT32_MAX, 68,
			false},
		{"NAK, relayed", 0x0a000201, 0, DHCPREQUEST, 0x0a0002fe, false, 6, DHCP_TO_ADDRESS,
			0x0a000201, 67, true},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		CLEANUP(dhcp_server_finish) struct dhcp_server server;
		struct dhcp_actions actions;
		make_server(&server, 100, 110);
		struct sent sent = {
			.header = {.giaddr = {cases[i].giaddr},
				.ciaddr = {cases[i].ciaddr},
				.broadcast = cases[i].broadcast_flag},
			.event = {.interface = 7, .broadcast = true},
		};
		sent_begin(&sent, 1, cases[i].type);
		sent.bytes[2] = cases[i].hardware_length;
		if (cases[i].requested)
			dhcp_builder_address(&sent.builder, DHCP_OPTION_REQUESTED_ADDRESS,
				(struct ipv4){cases[i].requested});
		if (cases[i].requested && cases[i].ciaddr)
			dhcp_builder_address(
				&sent.builder, DHCP_OPTION_SERVER_ID, (struct ipv4){LOCAL});
		sent_step(&sent, &server, NS_PER_SECOND, &actions);
		const struct dhcp_action *send = find_action(&actions, DHCP_SEND);
		EXPECT(send != NULL, "%s: no answer", cases[i].what);
		if (!send)
			continue;
		EXPECT(send->destination.kind == cases[i].kind, "%s: kind %d", cases[i].what,
			send->destination.kind);
		EXPECT(send->destination.address.host == cases[i].address, "%s: %s", cases[i].what,
			IPV4_TEXT(send->destination.address));
		EXPECT_NUMBER(send->destination.port, cases[i].port);
		EXPECT(actions.header.broadcast == cases[i].reply_flag, "%s: flag", cases[i].what);
	}
}

static void test_subnet(void)
{
	static const struct {
		const char *what;
		uint32_t giaddr, ciaddr, local;
		bool broadcast, served;
	} cases[] = {
		{"on the interface's subnet", 0, 0, 0x0a00020a, true, true},
		{"on another interface", 0, 0, 0x0a00010a, true, false},
		{"relayed from the subnet", 0x0a000201, 0, 0x0a00010a, false, true},
		{"relayed from elsewhere", 0x0a000301, 0, 0x0a00020a, false, false},
		{"unicast from behind a router", 0, 0x0a000264, 0x0a00010a, false, true},
		{"unicast from another subnet", 0, 0x0a000364, 0x0a00010a, false, false},
		{"broadcast elsewhere with an address of ours", 0, 0x0a000264, 0x0a00010a, true,
			false},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		CLEANUP(dhcp_server_finish) struct dhcp_server server;
		struct dhcp_actions actions;
		make_server(&server, 100, 110);
		struct sent sent = {
			.header = {.giaddr = {cases[i].giaddr}, .ciaddr = {cases[i].ciaddr}},
			.event = {.local = {cases[i].local}, .broadcast = cases[i].broadcast},
		};
		sent_begin(&sent, 1, cases[i].ciaddr ? DHCPINFORM : DHCPDISCOVER);
		sent_step(&sent, &server, NS_PER_SECOND, &actions);
		EXPECT((find_action(&actions, DHCP_SEND) != NULL) == cases[i].served, "%s",
			cases[i].what);
		EXPECT_NUMBER(server.reasons[DHCP_SERVER_OTHER_SUBNET], !cases[i].served);
	}
}

/* Client identifier and option 82 come back; the identifier is who the client is. */
static void test_identity_and_echo(void)
{
	CLEANUP(dhcp_server_finish) struct dhcp_server server;
	struct dhcp_actions actions;
	struct dhcp_message reply;
	struct error error;
	uint8_t id[255], circuit[200];
	make_server(&server, 100, 110);
	memset(id, 'i', sizeof(id));
	memset(circuit, 'c', sizeof(circuit));
	for (unsigned mac = 1; mac <= 2; mac++) { /* one identifier, two machines: one client */
		struct sent sent = {.header = {.giaddr = {0x0a000201}}};
		sent_begin(&sent, mac, DHCPDISCOVER);
		dhcp_builder_bytes(
			&sent.builder, DHCP_OPTION_RELAY_AGENT, circuit, sizeof(circuit));
		dhcp_builder_bytes(&sent.builder, DHCP_OPTION_CLIENT_ID, id, sizeof(id));
		sent_step(&sent, &server, NS_PER_SECOND, &actions);
		EXPECT(find_action(&actions, DHCP_SEND) != NULL, "an answer");
		EXPECT_NUMBER(
			dhcp_message_parse(actions.message, actions.message_length, &reply, &error),
			0);
		struct dhcp_field field = {0};
		EXPECT_TEXT(IPV4_TEXT(reply.header.yiaddr), "10.0.2.100");
		EXPECT_NUMBER(
			dhcp_message_bytes(&reply, DHCP_OPTION_CLIENT_ID, &field), DHCP_PRESENT);
		EXPECT_BYTES(field.bytes, field.length, id, sizeof(id));
		EXPECT_NUMBER(
			dhcp_message_bytes(&reply, DHCP_OPTION_RELAY_AGENT, &field), DHCP_PRESENT);
		EXPECT_BYTES(field.bytes, field.length, circuit, sizeof(circuit));
		EXPECT_NUMBER(field.bytes[field.length], DHCP_OPTION_END); /* the last of all */
	}
	/* One machine, two identifiers: two clients. A malformed one, or none at all: nobody. */
	static const struct {
		size_t id_length;
		uint8_t hardware_length;
		uint32_t yiaddr;
	} cases[] = {
		{2, 6, 0x0a000266}, {3, 6, 0x0a000267}, {1, 6, 0}, {0, 0, 0}, {9, 0, 0x0a000268}};
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct sent sent = {.header = {.ciaddr = {0}}};
		sent_begin(&sent, 1, DHCPDISCOVER);
		sent.bytes[2] = cases[i].hardware_length;
		if (cases[i].id_length)
			dhcp_builder_bytes(
				&sent.builder, DHCP_OPTION_CLIENT_ID, id, cases[i].id_length);
		sent_step(&sent, &server, NS_PER_SECOND, &actions);
		bool answered = find_action(&actions, DHCP_SEND) != NULL;
		EXPECT(answered == (cases[i].yiaddr != 0), "identity %zu", i);
		if (answered)
			EXPECT_NUMBER(actions.header.yiaddr.host, cases[i].yiaddr);
	}
}

static void restore(struct dhcp_pool *pool, unsigned client, uint32_t address,
	enum dhcp_lease_state state, uint64_t ends_seconds)
{
	struct dhcp_lease_record record = {
		.address = short_address(address),
		.state = state,
		.hardware = hardware_of(client),
		.ends_ns = ends_seconds * NS_PER_SECOND,
	};
	dhcp_pool_restore(pool, &record, 1000 * NS_PER_SECOND);
}

static unsigned ask(struct dhcp_server *server, unsigned client, unsigned type, uint32_t ciaddr,
	struct dhcp_actions *actions)
{
	struct sent sent = {.header = {.ciaddr = short_address(ciaddr)}};
	sent_begin(&sent, client, type);
	sent_step(&sent, server, 1000 * NS_PER_SECOND, actions);
	return find_action(actions, DHCP_SEND) ? actions->type : 0;
}

static void test_restart(void)
{
	CLEANUP(dhcp_server_finish) struct dhcp_server server;
	struct dhcp_actions actions;
	make_server(&server, 100, 104);
	restore(&server.subnets[0].pool, 2, 102, DHCP_LEASE_BOUND, 900); /* ended meanwhile */
	restore(&server.subnets[0].pool, 9, 103, DHCP_LEASE_DECLINED, 1500);
	restore(&server.subnets[0].pool, 7, 101, DHCP_LEASE_BOUND,
		1500); /* now bound to :33 (51) */
	restore(&server.subnets[0].pool, 1, 100, DHCP_LEASE_BOUND, 2000);
	restore(&server.subnets[0].pool, 8, 200, DHCP_LEASE_BOUND,
		2000); /* no longer in the range */
	EXPECT_NUMBER(ask(&server, 1, DHCPREQUEST, 100, &actions), DHCPACK);
	EXPECT_NUMBER(ask(&server, 3, DHCPREQUEST, 100, &actions), DHCPNAK);
	EXPECT_NUMBER(ask(&server, 8, DHCPREQUEST, 200, &actions), DHCPNAK);
	EXPECT_NUMBER(ask(&server, 51, DHCPDISCOVER, 0, &actions), 0); /* held by :07 till 1500 */
	EXPECT_NUMBER(server.reasons[DHCP_SERVER_BINDING_HELD], 1);
	EXPECT_NUMBER(ask(&server, 7, DHCPREQUEST, 101, &actions), DHCPNAK); /* the binding wins */
	EXPECT_NUMBER(ask(&server, 2, DHCPDISCOVER, 0, &actions), DHCPOFFER);
	EXPECT_NUMBER(actions.header.yiaddr.host, short_address(102).host);
	EXPECT_NUMBER(ask(&server, 4, DHCPDISCOVER, 0, &actions), DHCPOFFER);
	EXPECT_NUMBER(actions.header.yiaddr.host, short_address(104).host);
	EXPECT_NUMBER(ask(&server, 5, DHCPDISCOVER, 0, &actions), 0); /* .103 is set aside */
}

/* Two bound addresses are exchanged over a restart: neither client may wait for the other. */
static void test_bindings_exchanged(void)
{
	CLEANUP(dhcp_server_finish) struct dhcp_server server;
	struct dhcp_actions actions;
	make_server(&server, 100, 104);
	restore(&server.subnets[0].pool, 50, 101, DHCP_LEASE_BOUND,
		2000); /* bound now: 50 to .50 */
	restore(&server.subnets[0].pool, 51, 50, DHCP_LEASE_BOUND, 2000); /* and 51 to .101 */
	EXPECT_NUMBER(ask(&server, 50, DHCPREQUEST, 101, &actions), DHCPNAK);
	EXPECT_NUMBER(ask(&server, 51, DHCPREQUEST, 50, &actions), DHCPNAK);
	EXPECT_NUMBER(ask(&server, 50, DHCPDISCOVER, 0, &actions), 0); /* 51 may still use it */
	EXPECT(find_action(&actions, DHCP_SAVE_LEASE) != NULL, "the end of its lease is stored");
	EXPECT_NUMBER(ask(&server, 51, DHCPDISCOVER, 0, &actions), DHCPOFFER);
	EXPECT_NUMBER(actions.header.yiaddr.host, short_address(101).host);
	EXPECT_NUMBER(ask(&server, 50, DHCPDISCOVER, 0, &actions), DHCPOFFER);
	EXPECT_NUMBER(actions.header.yiaddr.host, short_address(50).host);
}

/* The server's machine gets an address that was leased: no client gets it from then on. */
static void test_own_address_later(void)
{
	CLEANUP(dhcp_server_finish) struct dhcp_server server;
	struct dhcp_actions actions;
	make_server(&server, 100, 102); /* .101 is bound: two addresses */
	restore(&server.subnets[0].pool, 1, 100, DHCP_LEASE_BOUND, 2000);
	restore(&server.subnets[0].pool, 2, 102, DHCP_LEASE_BOUND, 900); /* ended: idle */
	dhcp_server_add_address(&server, short_address(102));
	EXPECT_NUMBER(ask(&server, 2, DHCPDISCOVER, 0, &actions), 0);
	EXPECT_NUMBER(ask(&server, 3, DHCPDISCOVER, 0, &actions), 0);
	EXPECT_NUMBER(ask(&server, 1, DHCPREQUEST, 100, &actions), DHCPACK);
	dhcp_server_add_address(&server, short_address(100));
	EXPECT_NUMBER(ask(&server, 1, DHCPREQUEST, 100, &actions), DHCPNAK);
	EXPECT_NUMBER(ask(&server, 1, DHCPDISCOVER, 0, &actions), 0);
	EXPECT_NUMBER(ask(&server, 51, DHCPDISCOVER, 0, &actions), DHCPOFFER);
	dhcp_server_add_address(&server, short_address(101)); /* a binding stays one */
	EXPECT_NUMBER(ask(&server, 51, DHCPDISCOVER, 0, &actions), DHCPOFFER);
}

/* RFC 2131 section 4.4.5: T1 before T2 before the end, or none of them. */
static void test_lease_times(void)
{
	static const struct {
		uint32_t lease, t1, t2;
	} cases[] = {{1, 0, 0}, {2, 0, 0}, {3, 1, 2}, {4, 2, 3}, {100, 50, 87}};
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		CLEANUP(dhcp_server_finish) struct dhcp_server server;
		struct dhcp_actions actions;
		struct dhcp_message reply;
		struct error error;
		uint32_t t1 = 0, t2 = 0;
		make_server(&server, 100, 104);
		struct sent sent = {.header = {.ciaddr = {0}}};
		sent_begin(&sent, 1, DHCPDISCOVER);
		dhcp_builder_u32(&sent.builder, DHCP_OPTION_LEASE_TIME, cases[i].lease);
		sent_step(&sent, &server, NS_PER_SECOND, &actions);
		dhcp_message_parse(actions.message, actions.message_length, &reply, &error);
		dhcp_message_u32(&reply, DHCP_OPTION_T1, &t1);
		dhcp_message_u32(&reply, DHCP_OPTION_T2, &t2);
		EXPECT(t1 == cases[i].t1 && t2 == cases[i].t2, "lease of %u s: T1 %u, T2 %u",
			cases[i].lease, t1, t2);
	}
}

/* What could not be stored was not answered: it holds the address as an offer does, no longer. */
static void test_not_saved(void)
{
	CLEANUP(dhcp_server_finish) struct dhcp_server server;
	struct dhcp_actions actions;
	struct dhcp_server_event failed = {.kind = DHCP_SERVER_NOT_SAVED};
	make_server(&server, 100, 101); /* .101 is bound: one address */
	EXPECT_NUMBER(ask(&server, 1, DHCPDISCOVER, 0, &actions), DHCPOFFER);
	struct sent take = {.header = {.ciaddr = {0}}};
	sent_begin(&take, 1, DHCPREQUEST);
	dhcp_builder_address(&take.builder, DHCP_OPTION_REQUESTED_ADDRESS, short_address(100));
	dhcp_builder_address(&take.builder, DHCP_OPTION_SERVER_ID, (struct ipv4){LOCAL});
	sent_step(&take, &server, 1000 * NS_PER_SECOND, &actions);
	EXPECT_NUMBER(actions.type, DHCPACK);
	failed.address = short_address(100);
	dhcp_server_step(&server, &failed, 1000 * NS_PER_SECOND, &actions);
	EXPECT_NUMBER(actions.deadline_ns, 1010 * NS_PER_SECOND);
	EXPECT_NUMBER(ask(&server, 2, DHCPDISCOVER, 0, &actions), 0);
	EXPECT_NUMBER(ask(&server, 1, DHCPREQUEST, 100, &actions), DHCPACK); /* it asks again */
	EXPECT_NUMBER(actions.deadline_ns, (1000 + LEASE) * NS_PER_SECOND);

	/* A renewal that failed: the client goes on to the end that it knows. */
	struct dhcp_server_event timer = {.kind = DHCP_SERVER_TIMER};
	dhcp_server_step(&server, &timer, 1050 * NS_PER_SECOND, &actions);
	struct sent renew = {.header = {.ciaddr = short_address(100)}};
	sent_begin(&renew, 1, DHCPREQUEST);
	sent_step(&renew, &server, 1050 * NS_PER_SECOND, &actions);
	EXPECT_NUMBER(actions.deadline_ns, (1050 + LEASE) * NS_PER_SECOND);
	dhcp_server_step(&server, &failed, 1050 * NS_PER_SECOND, &actions);
	EXPECT_NUMBER(actions.deadline_ns, (1000 + LEASE) * NS_PER_SECOND);
}

/* A year of random giving, taking and ending: the structures agree with a plain model. */
static void test_pool_against_model(void)
{
	enum { CLIENTS = 40, ADDRESSES = 25, ROUNDS = 20000 };
	CLEANUP(dhcp_server_finish) struct dhcp_server server;
	struct dhcp_actions actions;
	uint32_t held[CLIENTS + 1] = {0};
	uint64_t ends_ns[CLIENTS + 1] = {0}, now_ns = NS_PER_SECOND, random = 7;
	make_server(&server, 110, 110 + ADDRESSES - 1);
	for (int round = 0; round < ROUNDS; round++) {
		random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
		unsigned client = 1 + (unsigned)(random >> 33) % CLIENTS;
		now_ns += (random >> 50) % 3 * NS_PER_SECOND;
		for (unsigned i = 1; i <= CLIENTS; i++)
			if (ends_ns[i] <= now_ns)
				held[i] = 0;
		struct sent sent = {.header = {.ciaddr = {held[client]}}};
		bool release = held[client] && (random >> 40) % 4 == 0;
		if (held[client]) {
			sent_begin(&sent, client, release ? DHCPRELEASE : DHCPREQUEST);
			sent_step(&sent, &server, now_ns, &actions);
			EXPECT(release || actions.type == DHCPACK, "round %d: renewal", round);
		} else {
			unsigned others = 0;
			sent_begin(&sent, client, DHCPDISCOVER);
			sent_step(&sent, &server, now_ns, &actions);
			for (unsigned i = 1; i <= CLIENTS; i++)
				others += held[i] != 0;
			bool offered = find_action(&actions, DHCP_SEND) != NULL;
			EXPECT(offered == (others < ADDRESSES), "round %d: %u held, offer %d",
				round, others, offered);
			if (!offered)
				continue;
			held[client] = actions.header.yiaddr.host;
			struct sent take = {.header = {.ciaddr = {0}}};
			sent_begin(&take, client, DHCPREQUEST);
			dhcp_builder_address(&take.builder, DHCP_OPTION_REQUESTED_ADDRESS,
				(struct ipv4){held[client]});
			dhcp_builder_address(
				&take.builder, DHCP_OPTION_SERVER_ID, (struct ipv4){LOCAL});
			sent_step(&take, &server, now_ns, &actions);
			EXPECT(find_action(&actions, DHCP_SEND) && actions.type == DHCPACK,
				"round %d: no ACK", round);
		}
		ends_ns[client] = release ? 0 : now_ns + LEASE * NS_PER_SECOND;
		for (unsigned i = 1; i <= CLIENTS; i++)
			EXPECT(i == client || held[i] == 0 || held[i] != held[client],
				"round %d: two clients hold one address", round);
	}
}

int main(void)
{
	test_allocation();
	test_binding();
	test_request();
	test_destination();
	test_subnet();
	test_identity_and_echo();
	test_restart();
	test_bindings_exchanged();
	test_own_address_later();
	test_lease_times();
	test_not_saved();
	test_pool_against_model();
	return unit_finish();
}
