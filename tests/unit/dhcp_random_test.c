/*
 * dhcp/: random bytes through parse -> step -> build -> parse of all three machines. Whatever is
 * sent must parse again; the sanitizers watch the rest. The seed is fixed.
 */
#include "base/cleanup.h"
#include "base/clock.h"
#include "chance.h"
#include "dhcp/client.h"
#include "dhcp/frame.h"
#include "dhcp/relay.h"
#include "dhcp/server.h"
#include "unit.h"

enum { ROUNDS = 200000, SIZE_MAX_TRIED = 700 };

/* Options that mean something come often, with lengths that are right more often than not. */
static size_t random_options(uint8_t *at, size_t room)
{
	static const uint8_t codes[] = {
		0, 1, 3, 50, 51, 52, 53, 54, 55, 57, 58, 59, 61, 82, 224, 255};
	static const uint8_t lengths[] = {4, 4, 4, 1, 2, 0, 7, 255};
	size_t used = 0;
	while (used + 2 < room && random_below(12)) {
		uint8_t code = codes[random_below(sizeof(codes))];
		uint8_t length = lengths[random_below(sizeof(lengths))];
		if (code == DHCP_OPTION_MESSAGE_TYPE)
			length = random_below(20) ? 1 : length;
		at[used++] = code;
		at[used++] = length;
		for (size_t i = 0; i < length && used < room; i++)
			at[used++] =
				(uint8_t)(random_below(3) ? random_below(10) : random_below(256));
		if (length == 4 && used >= 4 && random_below(2))
			memcpy(at + used - 4,
				(uint8_t[]){10, 0, 2, (uint8_t)(100 + random_below(8))}, 4);
	}
	return used;
}

static size_t random_message(uint8_t bytes[static SIZE_MAX_TRIED], uint32_t xid)
{
	static const uint8_t cookie[] = {0x63, 0x82, 0x53, 0x63};
	memset(bytes, 0, SIZE_MAX_TRIED);
	bytes[0] = (uint8_t)(1 + random_below(2));
	bytes[1] = 1;
	bytes[2] = 6;
	bytes[4] = (uint8_t)(xid >> 24);
	bytes[5] = (uint8_t)(xid >> 16);
	bytes[6] = (uint8_t)(xid >> 8);
	bytes[7] = (uint8_t)xid;
	bytes[10] = random_below(2) ? 0x80 : 0;
	for (size_t field = 12; field < 28; field += 4)
		if (random_below(3) == 0)
			memcpy(bytes + field, (uint8_t[]){10, 0, 2, (uint8_t)random_below(120)}, 4);
	bytes[28] = 2;
	bytes[33] = (uint8_t)random_below(4);
	memcpy(bytes + DHCP_HEADER_SIZE, cookie, sizeof(cookie));
	random_options(bytes + 44, DHCP_SNAME_SIZE);
	random_options(bytes + 108, DHCP_FILE_SIZE);
	size_t length = DHCP_HEADER_SIZE + 4;
	if (random_below(10)) { /* a valid type first, so that most go deep */
		bytes[length++] = DHCP_OPTION_MESSAGE_TYPE;
		bytes[length++] = 1;
		bytes[length++] = (uint8_t)(1 + random_below(8));
	}
	if (random_below(3) == 0) { /* and what a client waits for */
		static const uint8_t grant[] = {54, 4, 10, 0, 2, 100, 51, 4, 0, 0, 2, 88};
		memcpy(bytes + length, grant, sizeof(grant));
		length += sizeof(grant);
	}
	length += random_options(bytes + length, SIZE_MAX_TRIED - length);
	for (uint32_t faults = random_below(3); faults > 0; faults--)
		bytes[random_below((uint32_t)length)] = (uint8_t)random_below(256);
	return random_below(20) ? length : random_below((uint32_t)length + 1);
}

static unsigned answers;

static void check_sent(const struct dhcp_actions *actions)
{
	struct dhcp_message message;
	struct error error = {.text = ""};
	uint8_t buffer[FRAME_HEADERS_SIZE + DHCP_MESSAGE_SIZE_MAX];
	bool sends = false;
	EXPECT(actions->count <= DHCP_ACTIONS_MAX, "%u actions", actions->count);
	for (unsigned i = 0; i < actions->count; i++)
		sends |= actions->list[i].kind == DHCP_SEND;
	if (!sends)
		return;
	answers++;
	EXPECT(dhcp_message_parse(actions->message, actions->message_length, &message, &error) == 0,
		"what was sent does not parse: %s", error.text);
	struct frame frame = {
		.payload = actions->message, .payload_length = actions->message_length};
	struct frame seen;
	size_t length = frame_build(&frame, buffer, sizeof(buffer));
	EXPECT(length && frame_parse(buffer, length, &seen) == FRAME_PARSED &&
			frame_checksum_holds(&seen),
		"its frame does not parse");
}

/* Random bytes over a frame that was right. */
static void test_frames(void)
{
	uint8_t bytes[SIZE_MAX_TRIED];
	for (int round = 0; round < ROUNDS / 10; round++) {
		struct frame frame = {.payload = (const uint8_t *)"payload", .payload_length = 7};
		size_t length = frame_build(&frame, bytes, sizeof(bytes));
		for (uint32_t faults = random_below(4); faults > 0; faults--)
			bytes[12 + random_below((uint32_t)length - 12)] =
				(uint8_t)random_below(256);
		if (frame_parse_any(bytes, random_below((uint32_t)length + 1), &frame) !=
			FRAME_PARSED)
			continue;
		EXPECT(frame.payload >= bytes &&
				frame.payload + frame.payload_length <= bytes + length,
			"the payload lies within the frame");
		frame_checksum_holds(&frame);
	}
}

int main(void)
{
	static const struct dhcp_binding bindings[] = {
		{.client = {8, {1, 1, 2, 0, 0, 0, 0, 3}}, .address = {0x0a000265}}};
	static const struct dhcp_range range = {{0x0a000264}, {0x0a00026a}};
	static const struct dhcp_subnet_settings subnet = {
		.prefix = {{0x0a000200}, 24},
		.ranges = &range,
		.range_count = 1,
		.bindings = bindings,
		.binding_count = 1,
		.lease = {.usual = 600, .least = 1, .most = 600},
	};
	struct dhcp_server_settings server_settings = {.subnets = &subnet, .subnet_count = 1};
	struct dhcp_relay_settings relay_settings = {
		.interfaces = {{.index = 1,
			.address = {{0x0a000201}, 24},
			.circuit = {4, "port"},
			.trusted = true}},
		.interface_count = 1,
		.servers = {{0x0a00010a}},
		.server_count = 1,
		.agent = true,
		.policy = DHCP_RELAY_REPLACE,
		.hops_most = DHCP_HOPS_MAX,
		.size_most = DHCP_MESSAGE_SIZE_DEFAULT,
	};
	struct dhcp_client_settings client_settings = {.mac = {{2, 0, 0, 0, 0, 1}}, .seed = 3};
	CLEANUP(dhcp_server_finish) struct dhcp_server server;
	struct dhcp_relay relay;
	struct dhcp_client client;
	struct dhcp_actions actions;
	struct error error;
	uint64_t now_ns = NS_PER_SECOND;
	EXPECT_NUMBER(dhcp_server_init(&server, &server_settings, &error), 0);
	dhcp_server_add_address(&server, (struct ipv4){0x0a00026a});
	dhcp_relay_init(&relay, &relay_settings);
	dhcp_client_init(&client, &client_settings);
	struct dhcp_client_event start = {.kind = DHCP_CLIENT_START};
	dhcp_client_step(&client, &start, now_ns, &actions);
	unsigned parsed = 0, bound = 0;
	for (int round = 0; round < ROUNDS; round++) {
		uint8_t bytes[SIZE_MAX_TRIED];
		struct dhcp_message message;
		size_t length = random_message(bytes, client.xid);
		now_ns += random_below(300) * NS_PER_MS;
		if (actions.deadline_ns <= now_ns || random_below(50) == 0) {
			struct dhcp_client_event timer = {.kind = DHCP_CLIENT_TIMER};
			dhcp_client_step(&client, &timer, now_ns, &actions);
			check_sent(&actions);
		}
		if (dhcp_message_parse(bytes, length, &message, &error) < 0)
			continue;
		parsed++;
		struct dhcp_server_event to_server = {
			.kind = DHCP_SERVER_MESSAGE,
			.message = &message,
			.local = {0x0a00026a},
			.broadcast = random_below(2) == 0,
		};
		dhcp_server_step(&server, &to_server, now_ns, &actions);
		check_sent(&actions);
		struct dhcp_relay_event to_relay = {
			.message = &message,
			.bytes = bytes,
			.length = length,
			.interface = random_below(2),
		};
		dhcp_relay_step(&relay, &to_relay, &actions);
		check_sent(&actions);
		struct dhcp_client_event to_client = {
			.kind = DHCP_CLIENT_MESSAGE, .message = &message};
		dhcp_client_step(&client, &to_client, now_ns, &actions);
		check_sent(&actions);
		bound += client.state == DHCP_CLIENT_BOUND;
	}
	EXPECT(parsed > ROUNDS / 10 && answers > ROUNDS / 10 && bound > 0,
		"%u parsed, %u answered, %u times bound: the messages do not go deep", parsed,
		answers, bound);
	test_frames();
	return unit_finish();
}
