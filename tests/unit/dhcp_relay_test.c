/* dhcp/relay.h: the relay as a machine, and dhcp/rewrite.h: what it changes in a message's bytes. */
#include "base/cleanup.h"
#include "dhcp/relay.h"
#include "dhcp/rewrite.h"
#include "unit.h"

enum { CLIENTS = 5, UPLINK = 6, TRUSTED = 7, FOREIGN_OPTION = 224 };

#define OURS	 0x0a000201 /* towards CLIENTS */
#define OURS_TOO 0x0a000401 /* towards TRUSTED */
#define ON_WAN	 0x0a000101 /* the uplink's */
#define OTHER	 0x0a000301 /* another relay */
#define ADDRESS	 0x0a000264
#define SERVER_A 0x0a00010a
#define SERVER_B 0x0a00010b
#define BAIT	 0x0a000242 /* a client that plays the server */

#define FOREIGN	 "sixty bytes, so that the message is longer than 300 already."
#define CIRCUIT	 "\x01\x04port"
#define REMOTE	 "\x02\x02us"
#define LINK	 "\x05\x04\x0a\x00\x02\x01"
#define LINK_TOO "\x05\x04\x0a\x00\x04\x01"
#define THEIRS	 "\x01\x05other"

/* How a case's relay differs from the plain one. */
enum {
	AGENT = 1, /* adds option 82 */
	REPLACE = 2,
	DROP = 4,
	SELECTION = 8,
	DOWNSTREAM = 16, /* other relays only in 10.0.9.0/24 */
	PATIENT = 32, /* at least 10 seconds */
	SMALL = 64, /* no room for option 82 */
	NO_UPLINK = 128,
	LOST = 256, /* the clients' interface has lost its address */
	ONE = 512, /* server A alone */
	BROADCAST = 1024, /* servers: the broadcasts of the clients' link and another one */
};

static struct dhcp_relay relay_of(unsigned how)
{
	struct dhcp_relay_settings settings = {
		.interfaces = {{CLIENTS, {{OURS}, 24}, {4, "port"}, {2, "us"}, false},
			{TRUSTED, {{OURS_TOO}, 24}, {4, "port"}, {2, "us"}, true},
			{0, {{0}, 0}, {0}, {0}, false}},
		.interface_count = 3,
		.servers = {{SERVER_A}, {SERVER_B}},
		.server_count = how & ONE ? 1 : 2,
		.downstream = {{{0x0a000800}, 32}, {{0x0a000900}, 24}},
		.downstream_count = how & DOWNSTREAM ? 2 : 0,
		.agent = how & AGENT,
		.policy = how & REPLACE ? DHCP_RELAY_REPLACE
			  : how & DROP	? DHCP_RELAY_DROP
					: DHCP_RELAY_FORWARD,
		.link_selection = how & SELECTION,
		.hops_most = DHCP_RELAY_HOPS_USUAL,
		.secs_least = how & PATIENT ? 10 : 0,
		.size_most = how & SMALL ? DHCP_MESSAGE_SIZE_MIN : DHCP_MESSAGE_SIZE_MAX,
	};
	struct dhcp_relay relay;
	if (how & BROADCAST) {
		settings.servers[0].host = OURS | 0xff;
		settings.servers[1].host = ON_WAN | 0xff;
	}
	dhcp_relay_init(&relay, &settings);
	if (how & LOST)
		dhcp_relay_set_interface(
			&relay, 0, &(struct dhcp_relay_interface){.index = CLIENTS});
	if ((how & SELECTION) && !(how & NO_UPLINK))
		dhcp_relay_set_uplink(&relay, (struct ipv4){ON_WAN});
	return relay;
}

#define ETHER .chaddr = {1, 6, {2, 0, 0, 0, 0, 1}}

static const struct {
	const char *what;
	unsigned how;
	struct dhcp_header header;
	unsigned type, interface;
	uint32_t source;
	const char *agent; /* option 82 of the message, NULL: none */
	/* What is expected. */
	enum dhcp_relay_reason reason; /* DHCP_RELAY_REASONS: passed on */
	unsigned sends;
	uint32_t address; /* of the first destination */
	uint32_t giaddr;
	const char *passed; /* option 82 that is passed on, NULL: none */
	uint8_t hops;
	enum dhcp_destination_kind kind;
	bool own_giaddr;
} cases[] = {
#define REQUEST(...)                                                                               \
	{                                                                                          \
		.op = 1, ETHER, ##__VA_ARGS__                                                      \
	}
#define REPLY(...)                                                                                 \
	{                                                                                          \
		.op = 2, ETHER, ##__VA_ARGS__                                                      \
	}
#define DROPPED(why) .reason = (why)
#define PASSED(number, to, gi, agent_too, hops_now, how_sent)                                      \
	.reason = DHCP_RELAY_REASONS, .sends = (number), .address = (to), .giaddr = (gi),          \
	.passed = agent_too, .hops = (hops_now), .kind = (how_sent)
	{"a request", 0, REQUEST(), DHCPDISCOVER, CLIENTS, 0, NULL,
		PASSED(2, SERVER_A, OURS, NULL, 1, DHCP_TO_ADDRESS)},
	{"on another interface", 0, REQUEST(), DHCPDISCOVER, TRUSTED, 0, NULL,
		PASSED(2, SERVER_A, OURS_TOO, NULL, 1, DHCP_TO_ADDRESS)},
	{"a BOOTP request", 0, REQUEST(), DHCP_BOOTREQUEST, CLIENTS, 0, NULL,
		PASSED(2, SERVER_A, OURS, NULL, 1, DHCP_TO_ADDRESS)},
	{"an unknown type", 0, REQUEST(), 99, CLIENTS, 0, NULL,
		PASSED(2, SERVER_A, OURS, NULL, 1, DHCP_TO_ADDRESS)},
	{"on the uplink", 0, REQUEST(), DHCPDISCOVER, UPLINK, 0, NULL,
		DROPPED(DHCP_RELAY_NOT_A_CLIENT_INTERFACE)},
	{"on index 0, which is one that is gone", 0, REQUEST(), DHCPDISCOVER, 0, 0, NULL,
		DROPPED(DHCP_RELAY_NOT_A_CLIENT_INTERFACE)},
	{"no address", LOST, REQUEST(), DHCPDISCOVER, CLIENTS, 0, NULL,
		DROPPED(DHCP_RELAY_NO_GIADDR)},

	{"the last hop", 0, REQUEST(.hops = 4), DHCPDISCOVER, CLIENTS, 0, NULL,
		PASSED(2, SERVER_A, OURS, NULL, 5, DHCP_TO_ADDRESS)},
	{"one hop too many", 0, REQUEST(.hops = 5), DHCPDISCOVER, CLIENTS, 0, NULL,
		DROPPED(DHCP_RELAY_TOO_MANY_HOPS)},
	{"255 hops", 0, REQUEST(.hops = 255), DHCPDISCOVER, CLIENTS, 0, NULL,
		DROPPED(DHCP_RELAY_TOO_MANY_HOPS)},

	{"from another relay", 0, REQUEST(.hops = 2, .giaddr = {OTHER}), DHCPDISCOVER, CLIENTS,
		OTHER, NULL, PASSED(2, SERVER_A, OTHER, NULL, 3, DHCP_TO_ADDRESS)},
	{"from another relay, to which nothing is added", AGENT, REQUEST(.giaddr = {OTHER}),
		DHCPDISCOVER, CLIENTS, OTHER, NULL,
		PASSED(2, SERVER_A, OTHER, NULL, 1, DHCP_TO_ADDRESS)},
	{"from another relay, on an interface without address", LOST, REQUEST(.giaddr = {OTHER}),
		DHCPDISCOVER, CLIENTS, OTHER, NULL,
		PASSED(2, SERVER_A, OTHER, NULL, 1, DHCP_TO_ADDRESS)},
	{"from a relay that is none of ours", DOWNSTREAM, REQUEST(.giaddr = {OTHER}), DHCPDISCOVER,
		CLIENTS, OTHER, NULL, DROPPED(DHCP_RELAY_UNKNOWN_GIADDR)},
	{"from a relay that is", DOWNSTREAM, REQUEST(.giaddr = {0x0a000907}), DHCPDISCOVER, CLIENTS,
		OTHER, NULL, PASSED(2, SERVER_A, 0x0a000907, NULL, 1, DHCP_TO_ADDRESS)},
	{"not back to server A", 0, REQUEST(.giaddr = {OTHER}), DHCPDISCOVER, CLIENTS, SERVER_A,
		NULL, PASSED(1, SERVER_B, OTHER, NULL, 1, DHCP_TO_ADDRESS)},
	{"back to the only server", ONE, REQUEST(.giaddr = {OTHER}), DHCPDISCOVER, CLIENTS,
		SERVER_A, NULL, DROPPED(DHCP_RELAY_NO_OTHER_SERVER)},
	{"not back as a broadcast", BROADCAST, REQUEST(), DHCPDISCOVER, CLIENTS, 0, NULL,
		PASSED(1, ON_WAN | 0xff, OURS, NULL, 1, DHCP_TO_ADDRESS)},
	{"as a broadcast elsewhere", BROADCAST, REQUEST(), DHCPDISCOVER, TRUSTED, 0, NULL,
		PASSED(2, OURS | 0xff, OURS_TOO, NULL, 1, DHCP_TO_ADDRESS)},
	{"forged", 0, REQUEST(.giaddr = {OURS}), DHCPDISCOVER, CLIENTS, 0, NULL,
		DROPPED(DHCP_RELAY_FORGED_GIADDR)},
	{"forged, that of another interface", 0, REQUEST(.giaddr = {OURS_TOO}), DHCPDISCOVER,
		CLIENTS, 0, NULL, DROPPED(DHCP_RELAY_FORGED_GIADDR)},
	{"forged, the uplink's", SELECTION | AGENT, REQUEST(.giaddr = {ON_WAN}), DHCPDISCOVER,
		CLIENTS, 0, NULL, DROPPED(DHCP_RELAY_FORGED_GIADDR)},
	{"forged, any of the machine's", 0, REQUEST(.giaddr = {OTHER}), DHCPDISCOVER, CLIENTS, 0,
		NULL, DROPPED(DHCP_RELAY_FORGED_GIADDR), .own_giaddr = true},

	{"too early", PATIENT, REQUEST(.secs = 9), DHCPDISCOVER, CLIENTS, 0, NULL,
		DROPPED(DHCP_RELAY_TOO_EARLY)},
	{"late enough", PATIENT, REQUEST(.secs = 10), DHCPREQUEST, CLIENTS, 0, NULL,
		PASSED(2, SERVER_A, OURS, NULL, 1, DHCP_TO_ADDRESS)},
	{"what counts no seconds", PATIENT, REQUEST(), DHCPDECLINE, CLIENTS, 0, NULL,
		PASSED(2, SERVER_A, OURS, NULL, 1, DHCP_TO_ADDRESS)},

	{"with option 82 added", AGENT, REQUEST(), DHCPDISCOVER, CLIENTS, 0, NULL,
		PASSED(2, SERVER_A, OURS, CIRCUIT REMOTE, 1, DHCP_TO_ADDRESS)},
	{"for which there is no room", AGENT | SMALL, REQUEST(), DHCPDISCOVER, CLIENTS, 0, NULL,
		PASSED(2, SERVER_A, OURS, NULL, 1, DHCP_TO_ADDRESS)},
	{"option 82 of a client", 0, REQUEST(), DHCPDISCOVER, CLIENTS, 0, THEIRS,
		DROPPED(DHCP_RELAY_FORGED_AGENT)},
	{"an empty one", AGENT, REQUEST(), DHCPDISCOVER, CLIENTS, 0, "",
		DROPPED(DHCP_RELAY_FORGED_AGENT)},
	{"one of a client, replaced or not", AGENT | REPLACE, REQUEST(), DHCPDISCOVER, CLIENTS, 0,
		THEIRS, DROPPED(DHCP_RELAY_FORGED_AGENT)},
	{"option 82 of a trusted switch", AGENT, REQUEST(), DHCPDISCOVER, TRUSTED, 0, THEIRS,
		PASSED(2, SERVER_A, OURS_TOO, THEIRS, 1, DHCP_TO_ADDRESS)},
	{"replaced", AGENT | REPLACE, REQUEST(), DHCPDISCOVER, TRUSTED, 0, THEIRS,
		PASSED(2, SERVER_A, OURS_TOO, CIRCUIT REMOTE, 1, DHCP_TO_ADDRESS)},
	{"replaced without room", AGENT | REPLACE | SMALL, REQUEST(), DHCPDISCOVER, TRUSTED, 0,
		THEIRS, PASSED(2, SERVER_A, OURS_TOO, NULL, 1, DHCP_TO_ADDRESS)},
	{"dropped", AGENT | DROP, REQUEST(), DHCPDISCOVER, TRUSTED, 0, THEIRS,
		DROPPED(DHCP_RELAY_AGENT_DROPPED)},
	{"option 82 of another relay", AGENT, REQUEST(.giaddr = {OTHER}), DHCPDISCOVER, CLIENTS,
		OTHER, THEIRS, PASSED(2, SERVER_A, OTHER, THEIRS, 1, DHCP_TO_ADDRESS)},
	{"of another relay, replaced", AGENT | REPLACE, REQUEST(.giaddr = {OTHER}), DHCPDISCOVER,
		CLIENTS, OTHER, THEIRS,
		PASSED(2, SERVER_A, OTHER, CIRCUIT REMOTE, 1, DHCP_TO_ADDRESS)},
	{"of another relay, dropped", DROP, REQUEST(.giaddr = {OTHER}), DHCPDISCOVER, CLIENTS,
		OTHER, THEIRS, DROPPED(DHCP_RELAY_AGENT_DROPPED)},

	{"link selection", AGENT | SELECTION, REQUEST(), DHCPDISCOVER, CLIENTS, 0, NULL,
		PASSED(2, SERVER_A, ON_WAN, CIRCUIT REMOTE LINK, 1, DHCP_TO_ADDRESS)},
	{"link selection without room", AGENT | SELECTION | SMALL, REQUEST(), DHCPDISCOVER, CLIENTS,
		0, NULL, PASSED(2, SERVER_A, OURS, NULL, 1, DHCP_TO_ADDRESS)},
	{"link selection without an uplink", AGENT | SELECTION | NO_UPLINK, REQUEST(), DHCPDISCOVER,
		CLIENTS, 0, NULL, DROPPED(DHCP_RELAY_NO_GIADDR)},
	{"link selection and a switch's option 82", AGENT | SELECTION, REQUEST(), DHCPDISCOVER,
		TRUSTED, 0, THEIRS, PASSED(2, SERVER_A, OURS_TOO, THEIRS, 1, DHCP_TO_ADDRESS)},
	{"link selection is not for another relay's", AGENT | SELECTION | REPLACE,
		REQUEST(.giaddr = {OTHER}), DHCPDISCOVER, CLIENTS, OTHER, THEIRS,
		PASSED(2, SERVER_A, OTHER, CIRCUIT REMOTE, 1, DHCP_TO_ADDRESS)},

	{"an offer", 0, REPLY(.giaddr = {OURS}, .yiaddr = {ADDRESS}), DHCPOFFER, UPLINK, SERVER_A,
		NULL, PASSED(1, ADDRESS, OURS, NULL, 0, DHCP_TO_HARDWARE)},
	{"from a server's other address", 0, REPLY(.giaddr = {OURS}, .yiaddr = {ADDRESS}),
		DHCPOFFER, UPLINK, 0x0a000177, NULL,
		PASSED(1, ADDRESS, OURS, NULL, 0, DHCP_TO_HARDWARE)},
	{"an offer to be broadcast", 0,
		REPLY(.giaddr = {OURS}, .yiaddr = {ADDRESS}, .broadcast = true), DHCPOFFER, UPLINK,
		SERVER_A, NULL, PASSED(1, UINT32_MAX, OURS, NULL, 0, DHCP_TO_BROADCAST)},
	{"a NAK, whatever its flag", 0, REPLY(.giaddr = {OURS}, .ciaddr = {ADDRESS}), DHCPNAK,
		UPLINK, SERVER_A, NULL, PASSED(1, UINT32_MAX, OURS, NULL, 0, DHCP_TO_BROADCAST)},
	{"an ACK of INFORM", 0, REPLY(.giaddr = {OURS}, .ciaddr = {ADDRESS}), DHCPACK, UPLINK,
		SERVER_A, NULL, PASSED(1, ADDRESS, OURS, NULL, 0, DHCP_TO_HARDWARE)},
	{"without an address", 0, REPLY(.giaddr = {OURS}), DHCPACK, UPLINK, SERVER_A, NULL,
		PASSED(1, UINT32_MAX, OURS, NULL, 0, DHCP_TO_BROADCAST)},
	{"to no Ethernet", 0, {.op = 2, .giaddr = {OURS}, .yiaddr = {ADDRESS}}, DHCPOFFER, UPLINK,
		SERVER_A, NULL, PASSED(1, UINT32_MAX, OURS, NULL, 0, DHCP_TO_BROADCAST)},
	{"a reply for another relay", 0, REPLY(.giaddr = {OTHER}), DHCPACK, UPLINK, SERVER_A, NULL,
		DROPPED(DHCP_RELAY_OTHER_GIADDR)},
	{"a reply for no relay", 0, REPLY(), DHCPACK, UPLINK, SERVER_A, NULL,
		DROPPED(DHCP_RELAY_OTHER_GIADDR)},
	{"for the address of none of our interfaces", 0, REPLY(.giaddr = {ON_WAN}), DHCPACK, UPLINK,
		SERVER_A, NULL, DROPPED(DHCP_RELAY_OTHER_GIADDR), .own_giaddr = true},
	{"after the address is lost", LOST, REPLY(.giaddr = {OURS}), DHCPACK, UPLINK, SERVER_A,
		NULL, DROPPED(DHCP_RELAY_OTHER_GIADDR)},
	{"of a client that plays the server", 0, REPLY(.giaddr = {OURS_TOO}), DHCPOFFER, CLIENTS,
		BAIT, NULL, DROPPED(DHCP_RELAY_REPLY_OF_CLIENT)},
	{"of a server among the clients", 0, REPLY(.giaddr = {OURS_TOO}, .yiaddr = {ADDRESS}),
		DHCPOFFER, CLIENTS, SERVER_B, NULL,
		PASSED(1, ADDRESS, OURS_TOO, NULL, 0, DHCP_TO_HARDWARE)},

	{"our option 82 is removed", AGENT, REPLY(.giaddr = {OURS}, .yiaddr = {ADDRESS}), DHCPACK,
		UPLINK, SERVER_A, CIRCUIT REMOTE,
		PASSED(1, ADDRESS, OURS, NULL, 0, DHCP_TO_HARDWARE)},
	{"another's stays", AGENT, REPLY(.giaddr = {OURS_TOO}, .yiaddr = {ADDRESS}), DHCPACK,
		UPLINK, SERVER_A, THEIRS,
		PASSED(1, ADDRESS, OURS_TOO, THEIRS, 0, DHCP_TO_HARDWARE)},
	{"where we add none it stays", 0, REPLY(.giaddr = {OURS}, .yiaddr = {ADDRESS}), DHCPACK,
		UPLINK, SERVER_A, CIRCUIT REMOTE,
		PASSED(1, ADDRESS, OURS, CIRCUIT REMOTE, 0, DHCP_TO_HARDWARE)},
	{"found by link selection", AGENT | SELECTION,
		REPLY(.giaddr = {ON_WAN}, .yiaddr = {ADDRESS}), DHCPACK, UPLINK, SERVER_A,
		CIRCUIT REMOTE LINK_TOO, PASSED(1, ADDRESS, ON_WAN, NULL, 0, DHCP_TO_HARDWARE)},
	{"sent without room, and so to the interface", AGENT | SELECTION,
		REPLY(.giaddr = {OURS}, .yiaddr = {ADDRESS}), DHCPACK, UPLINK, SERVER_A, NULL,
		PASSED(1, ADDRESS, OURS, NULL, 0, DHCP_TO_HARDWARE)},
	{"not echoed", AGENT | SELECTION, REPLY(.giaddr = {ON_WAN}, .yiaddr = {ADDRESS}), DHCPACK,
		UPLINK, SERVER_A, NULL, DROPPED(DHCP_RELAY_NOT_ECHOED)},
	{"echoed in part", AGENT | SELECTION, REPLY(.giaddr = {ON_WAN}, .yiaddr = {ADDRESS}),
		DHCPACK, UPLINK, SERVER_A, CIRCUIT, DROPPED(DHCP_RELAY_NOT_ECHOED)},
	{"echoed with a torn suboption", AGENT | SELECTION,
		REPLY(.giaddr = {ON_WAN}, .yiaddr = {ADDRESS}), DHCPACK, UPLINK, SERVER_A,
		LINK "\x01\x09x", DROPPED(DHCP_RELAY_NOT_ECHOED)},
	{"one of the same length as ours stays", AGENT,
		REPLY(.giaddr = {OURS_TOO}, .yiaddr = {ADDRESS}), DHCPACK, UPLINK, SERVER_A,
		CIRCUIT "\x02\x02me",
		PASSED(1, ADDRESS, OURS_TOO, CIRCUIT "\x02\x02me", 0, DHCP_TO_HARDWARE)},
	{"for no relay, while there is no uplink", AGENT | SELECTION | NO_UPLINK, REPLY(), DHCPACK,
		UPLINK, SERVER_A, NULL, DROPPED(DHCP_RELAY_OTHER_GIADDR)},
	{"echoed with somebody's link", AGENT | SELECTION,
		REPLY(.giaddr = {ON_WAN}, .yiaddr = {ADDRESS}), DHCPACK, UPLINK, SERVER_A,
		CIRCUIT REMOTE "\x05\x04\x0a\x00\x07\x01", DROPPED(DHCP_RELAY_NOT_ECHOED)},
};

/* The length of a case's option 82: its suboptions tell it, and none holds more than 9 bytes. */
static size_t agent_length(const char *agent)
{
	size_t length = 0;
	while (agent[length] && (uint8_t)agent[length + 1] < 9)
		length += 2 + (size_t)agent[length + 1];
	return agent[length] ? length + 3 : length;
}

static size_t build(
	uint8_t *bytes, const struct dhcp_header *header, unsigned type, const char *agent)
{
	struct dhcp_builder builder;
	dhcp_builder_init(&builder, bytes, DHCP_MESSAGE_SIZE_MAX, header, type);
	dhcp_builder_bytes(&builder, FOREIGN_OPTION, FOREIGN, sizeof(FOREIGN));
	if (agent)
		dhcp_builder_bytes(&builder, DHCP_OPTION_RELAY_AGENT, agent, agent_length(agent));
	return dhcp_builder_finish(&builder);
}

static unsigned count_sends(const struct dhcp_actions *actions, struct dhcp_destination *ret_first)
{
	unsigned sends = 0;
	for (unsigned i = 0; i < actions->count; i++)
		if (actions->list[i].kind == DHCP_SEND && sends++ == 0)
			*ret_first = actions->list[i].destination;
	return sends;
}

static uint64_t sum(const uint64_t *counters, size_t count)
{
	uint64_t all = 0;
	for (size_t i = 0; i < count; i++)
		all += counters[i];
	return all;
}

/* What is passed on is what was built with these fields, byte for byte. */
static void expect_passed(size_t i, const struct dhcp_actions *actions)
{
	struct error error;
	struct dhcp_message passed;
	struct dhcp_field field = {0};
	uint8_t expected[DHCP_MESSAGE_SIZE_MAX];
	struct dhcp_header header = cases[i].header;
	const char *agent = cases[i].passed;
	header.giaddr.host = cases[i].giaddr;
	header.hops = cases[i].hops;
	size_t length = build(expected, &header, cases[i].type, agent);
	EXPECT(actions->message_length == length && memcmp(actions->message, expected, length) == 0,
		"%s: %zu bytes are not the %zu expected", cases[i].what, actions->message_length,
		length);
	EXPECT_NUMBER(
		dhcp_message_parse(actions->message, actions->message_length, &passed, &error), 0);
	EXPECT(dhcp_message_bytes(&passed, DHCP_OPTION_RELAY_AGENT, &field) ==
			(agent ? DHCP_PRESENT : DHCP_ABSENT),
		"%s: option 82", cases[i].what);
}

static void test_case(size_t i)
{
	uint8_t bytes[DHCP_MESSAGE_SIZE_MAX];
	struct dhcp_message message;
	struct dhcp_actions actions;
	struct dhcp_destination first = {0};
	struct error error;
	struct dhcp_relay relay = relay_of(cases[i].how);
	size_t length = build(bytes, &cases[i].header, cases[i].type, cases[i].agent);
	EXPECT_NUMBER(dhcp_message_parse(bytes, length, &message, &error), 0);
	struct dhcp_relay_event event = {&message, bytes, length, cases[i].interface,
		{cases[i].source}, cases[i].own_giaddr};
	dhcp_relay_step(&relay, &event, &actions);
	unsigned sends = count_sends(&actions, &first);
	bool request = cases[i].header.op == DHCP_OP_REQUEST;
	EXPECT(sends == cases[i].sends, "%s: sent %u times", cases[i].what, sends);
	uint64_t dropped = sum(relay.reasons, DHCP_RELAY_REASONS);
	uint64_t requests = sum(relay.requests, DHCP_RELAY_TYPES);
	uint64_t replies = sum(relay.replies, DHCP_RELAY_TYPES);
	if (cases[i].reason != DHCP_RELAY_REASONS) {
		EXPECT(relay.reasons[cases[i].reason] == 1 && dropped == 1, "%s: not counted as %s",
			cases[i].what, dhcp_relay_reason_name(cases[i].reason));
		EXPECT(requests + replies == 0 && actions.count == 1, "%s: counted twice",
			cases[i].what);
		return;
	}
	EXPECT(dropped == 0 && requests == request && replies == !request, "%s: counted wrongly",
		cases[i].what);
	EXPECT(first.kind == cases[i].kind && first.address.host == cases[i].address &&
			first.port == (request ? 67 : 68),
		"%s: kind %d to %s:%u", cases[i].what, first.kind, IPV4_TEXT(first.address),
		first.port);
	EXPECT(sum(relay.interface_requests, DHCP_RELAY_INTERFACES_MAX) == request &&
			sum(relay.interface_replies, DHCP_RELAY_INTERFACES_MAX) == !request,
		"%s: interfaces", cases[i].what);
	EXPECT(sum(relay.server_requests, 8) == (request ? sends : 0), "%s: servers",
		cases[i].what);
	expect_passed(i, &actions);
}

/* Replies leave by the interface of their giaddr, from its address, and are counted there. */
static void test_towards(void)
{
	static const struct {
		uint32_t giaddr;
		const char *agent;
		unsigned index;
		size_t which;
	} replies[] = {
		{OURS, NULL, CLIENTS, 0},
		{OURS_TOO, NULL, TRUSTED, 1},
		{ON_WAN, CIRCUIT REMOTE LINK, CLIENTS, 0},
		{ON_WAN, CIRCUIT REMOTE LINK_TOO, TRUSTED, 1},
	};
	struct dhcp_relay relay = relay_of(AGENT | SELECTION);
	for (size_t i = 0; i < ARRAY_LENGTH(replies); i++) {
		uint8_t bytes[DHCP_MESSAGE_SIZE_MAX];
		struct dhcp_message message;
		struct dhcp_actions actions;
		struct dhcp_destination to = {0};
		struct error error;
		struct dhcp_header header =
			REPLY(.giaddr = {replies[i].giaddr}, .yiaddr = {ADDRESS});
		size_t length = build(bytes, &header, DHCPACK, replies[i].agent);
		EXPECT_NUMBER(dhcp_message_parse(bytes, length, &message, &error), 0);
		struct dhcp_relay_event event = {&message, bytes, length, UPLINK, {SERVER_B}, true};
		dhcp_relay_step(&relay, &event, &actions);
		EXPECT_NUMBER(count_sends(&actions, &to), 1);
		EXPECT_NUMBER(to.interface, replies[i].index);
		EXPECT_NUMBER(to.source.host, replies[i].which ? OURS_TOO : OURS);
		EXPECT_BYTES(to.mac.bytes, 6, header.chaddr.bytes, 6);
	}
	EXPECT_NUMBER(relay.interface_replies[0], 2);
	EXPECT_NUMBER(relay.interface_replies[1], 2);
	EXPECT_NUMBER(relay.server_replies[1], 4);
	EXPECT_NUMBER(relay.replies[DHCPACK], 4);
	EXPECT_NUMBER(relay.agent.removed, 2);
}

/* What has happened to option 82 is counted once, by what it was. */
static void test_agent_counters(void)
{
	static const struct {
		unsigned how;
		struct dhcp_header header;
		const char *agent;
		struct dhcp_relay_agent_counters expected;
	} requests[] = {
		{0, REQUEST(), NULL, {0}},
		{AGENT, REQUEST(), NULL, {.added = 1}},
		{AGENT | SMALL, REQUEST(), NULL, {.left_out = 1}},
		{AGENT, REQUEST(), THEIRS, {.kept = 1}},
		{AGENT | REPLACE, REQUEST(), THEIRS, {.replaced = 1}},
		{AGENT | REPLACE | SMALL, REQUEST(), THEIRS, {.left_out = 1}},
		{AGENT, REQUEST(.giaddr = {OTHER}), NULL, {0}},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(requests); i++) {
		uint8_t bytes[DHCP_MESSAGE_SIZE_MAX];
		struct dhcp_message message;
		struct dhcp_actions actions;
		struct error error;
		struct dhcp_relay relay = relay_of(requests[i].how);
		size_t length = build(bytes, &requests[i].header, DHCPREQUEST, requests[i].agent);
		EXPECT_NUMBER(dhcp_message_parse(bytes, length, &message, &error), 0);
		struct dhcp_relay_event event = {&message, bytes, length, TRUSTED, {0}, false};
		dhcp_relay_step(&relay, &event, &actions);
		EXPECT_NUMBER(relay.requests[DHCPREQUEST], 1);
		EXPECT(memcmp(&relay.agent, &requests[i].expected, sizeof(relay.agent)) == 0,
			"option 82 of request %zu is counted wrongly", i);
	}
}

static void test_too_long(void)
{
	uint8_t bytes[DHCP_MESSAGE_SIZE_MAX + 1] = {0};
	struct dhcp_message message;
	struct dhcp_actions actions;
	struct error error;
	struct dhcp_header header = REQUEST();
	struct dhcp_relay relay = relay_of(AGENT);
	build(bytes, &header, DHCPDISCOVER, NULL);
	EXPECT_NUMBER(dhcp_message_parse(bytes, sizeof(bytes), &message, &error), 0);
	struct dhcp_relay_event event = {&message, bytes, sizeof(bytes), CLIENTS, {0}, false};
	dhcp_relay_step(&relay, &event, &actions);
	EXPECT_NUMBER(relay.reasons[DHCP_RELAY_TOO_LONG], 1);
	/* One byte less is passed on, and option 82 takes the place of the padding behind END. */
	EXPECT_NUMBER(dhcp_message_parse(bytes, sizeof(bytes) - 1, &message, &error), 0);
	event.length = sizeof(bytes) - 1;
	dhcp_relay_step(&relay, &event, &actions);
	EXPECT_NUMBER(actions.message_length, DHCP_MESSAGE_SIZE_MAX);
	EXPECT_NUMBER(relay.agent.added, 1);
}

/* Options fields, before and after: 0 pads, '.' END, 'x' an option of one byte, 'R' option 82. */
static size_t field_bytes(const char *text, uint8_t *bytes)
{
	size_t length = 0;
	for (; *text; text++) {
		uint8_t option[] = {*text == 'R' ? DHCP_OPTION_RELAY_AGENT : FOREIGN_OPTION, 1, 7};
		bool one = *text == '0' || *text == '.';
		uint8_t single = *text == '.' ? DHCP_OPTION_END : DHCP_OPTION_PAD;
		memcpy(bytes + length, one ? &single : option, one ? 1 : sizeof(option));
		length += one ? 1 : sizeof(option);
	}
	return length;
}

static void test_rewrite(void)
{
	static const struct {
		const char *before, *removed, *appended; /* NULL: does not fit */
	} fields[] = {
		{"x.", "x.", "xR."},
		{"xRx.", "xx.", "xRxR."},
		{"RR.", ".", "RRR."},
		{"0x0R0.", "0x00.", "0x0R0R."},
		{"x.00", "x.00", "xR."},
		{"x.0000000", "x.0000000", "xR.0000"},
		{"R", ".", "RR."},
		{"x", "x", "xR."},
		{"", "", "R."},
		{"xR.000", "x.", "xRR."},
		{"xxxxxxxx00.", "xxxxxxxx00.", "xxxxxxxx00R."},
		{"xxxxxxxxx.", "xxxxxxxxx.", NULL},
		{"xxxxxxxxx", "xxxxxxxxx", NULL},
	};
	enum { OPTIONS = 240, ROOM = 30 };
	for (size_t i = 0; i < ARRAY_LENGTH(fields); i++) {
		uint8_t bytes[OPTIONS + ROOM] = {[OPTIONS - 4] = 0x63, 0x82, 0x53, 0x63};
		uint8_t expected[ROOM * 3];
		struct dhcp_rewrite message = {bytes, OPTIONS, OPTIONS + ROOM};
		message.length += field_bytes(fields[i].before, bytes + OPTIONS);
		bool fits = dhcp_rewrite_append(&message, DHCP_OPTION_RELAY_AGENT, "\x07", 1);
		const char *after = fits ? fields[i].appended : fields[i].before;
		size_t length = field_bytes(after, expected);
		EXPECT(fits == !!fields[i].appended, "append to '%s'", fields[i].before);
		EXPECT(message.length == OPTIONS + length &&
				memcmp(bytes + OPTIONS, expected, length) == 0,
			"append to '%s': not '%s'", fields[i].before, after);

		message.length = OPTIONS + field_bytes(fields[i].before, bytes + OPTIONS);
		dhcp_rewrite_remove(&message, DHCP_OPTION_RELAY_AGENT);
		/* Under BOOTP's minimum a message keeps its length. */
		length = field_bytes(fields[i].removed, expected);
		EXPECT(memcmp(bytes + OPTIONS, expected, length) == 0, "remove from '%s': not '%s'",
			fields[i].before, fields[i].removed);
		for (size_t j = OPTIONS + length; j < message.length; j++)
			EXPECT(bytes[j] == 0, "remove from '%s' leaves bytes", fields[i].before);
	}
}

static void test_longest_option(void)
{
	uint8_t bytes[DHCP_MESSAGE_SIZE_DEFAULT] = {[DHCP_HEADER_SIZE] = 0x63, 0x82, 0x53, 0x63};
	uint8_t value[256] = {0};
	struct dhcp_rewrite message = {bytes, DHCP_HEADER_SIZE + 4, sizeof(bytes)};
	EXPECT(!dhcp_rewrite_append(&message, DHCP_OPTION_RELAY_AGENT, value, 256), "no length");
	EXPECT(dhcp_rewrite_append(&message, DHCP_OPTION_RELAY_AGENT, value, 255), "255 bytes");
	EXPECT_NUMBER(message.length, DHCP_HEADER_SIZE + 4 + 2 + 255 + 1);
}

/* A link of two has no broadcast address (RFC 3021): the server is at its other end. */
static void test_link_of_two(void)
{
	uint8_t bytes[DHCP_MESSAGE_SIZE_MAX];
	struct dhcp_message message;
	struct dhcp_actions actions;
	struct dhcp_destination to;
	struct error error;
	struct dhcp_header header = REQUEST();
	struct dhcp_relay relay = relay_of(0);
	struct dhcp_relay_interface link = {.index = CLIENTS, .address = {{SERVER_A}, 31}};
	dhcp_relay_set_interface(&relay, 0, &link);
	size_t length = build(bytes, &header, DHCPDISCOVER, NULL);
	EXPECT_NUMBER(dhcp_message_parse(bytes, length, &message, &error), 0);
	struct dhcp_relay_event event = {&message, bytes, length, CLIENTS, {0}, false};
	dhcp_relay_step(&relay, &event, &actions);
	EXPECT_NUMBER(count_sends(&actions, &to), 2);
}

/* BOOTP without a cookie has no options, and gets none. */
static void test_no_cookie(void)
{
	enum { LENGTH = DHCP_MESSAGE_SIZE_MIN };
	uint8_t bytes[DHCP_MESSAGE_SIZE_MAX];
	struct dhcp_message message;
	struct dhcp_actions actions;
	struct error error;
	struct dhcp_header header = REQUEST();
	struct dhcp_relay relay = relay_of(AGENT | SELECTION);
	build(bytes, &header, DHCP_BOOTREQUEST, NULL);
	memset(bytes + DHCP_HEADER_SIZE, 0, LENGTH - DHCP_HEADER_SIZE);
	EXPECT_NUMBER(dhcp_message_parse(bytes, LENGTH, &message, &error), 0);
	struct dhcp_relay_event event = {&message, bytes, LENGTH, CLIENTS, {0}, false};
	dhcp_relay_step(&relay, &event, &actions);
	EXPECT_NUMBER(relay.requests[0], 1);
	EXPECT_NUMBER(relay.agent.left_out, 1);
	dhcp_message_set_relay(bytes, 1, (struct ipv4){OURS});
	EXPECT_BYTES(actions.message, actions.message_length, bytes, LENGTH);
}

/* Option 82 in `file` and `sname` is found where the overload says so, and only there. */
static void test_rewrite_overload(void)
{
	enum { SNAME = 44, FILE_AT = 108, OPTIONS = 240 };
	for (uint8_t overload = 1; overload <= 3; overload++) {
		uint8_t bytes[OPTIONS + 4] = {0}, expected[16] = {0};
		struct dhcp_rewrite message = {bytes, sizeof(bytes), sizeof(bytes)};
		memcpy(bytes + OPTIONS, (uint8_t[]){DHCP_OPTION_OVERLOAD, 1, overload, 255}, 4);
		field_bytes("xRx.", bytes + SNAME);
		field_bytes("Rx.", bytes + FILE_AT);
		dhcp_rewrite_remove(&message, DHCP_OPTION_RELAY_AGENT);
		field_bytes(overload & 2 ? "xx.000" : "xRx.", expected);
		EXPECT_BYTES(bytes + SNAME, 10, expected, 10);
		field_bytes(overload & 1 ? "x.000" : "Rx.", expected);
		EXPECT_BYTES(bytes + FILE_AT, 7, expected, 7);
		EXPECT_NUMBER(message.length, sizeof(bytes));
	}
}

static void test_names(void)
{
	static const char *const words[] = {"forward", "replace", "drop"};
	enum dhcp_relay_policy policy;
	for (unsigned i = 0; i < ARRAY_LENGTH(words); i++)
		EXPECT(dhcp_relay_policy_parse(words[i], &policy) && policy == i, "%s", words[i]);
	EXPECT(!dhcp_relay_policy_parse("append", &policy), "no such policy");
	for (unsigned i = 0; i < DHCP_RELAY_REASONS; i++)
		for (unsigned j = 0; j < i; j++)
			EXPECT(strcmp(dhcp_relay_reason_name(i), dhcp_relay_reason_name(j)) != 0,
				"%s twice", dhcp_relay_reason_name(i));
	EXPECT_NUMBER(dhcp_relay_type_slot(DHCP_BOOTREPLY), 0);
	EXPECT_NUMBER(dhcp_relay_type_slot(0), DHCP_RELAY_TYPES - 1);
	EXPECT_NUMBER(dhcp_relay_type_slot(255), DHCP_RELAY_TYPES - 1);
}

int main(void)
{
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
		test_case(i);
	test_towards();
	test_agent_counters();
	test_too_long();
	test_rewrite();
	test_no_cookie();
	test_longest_option();
	test_link_of_two();
	test_rewrite_overload();
	test_names();
	return unit_finish();
}
