/* dhcp/: the option table, option 82's suboptions, classless routes. */
#include "base/cleanup.h"
#include "dhcp/classless_route.h"
#include "dhcp/option.h"
#include "dhcp/relay_agent.h"
#include "hex.h"
#include "unit.h"

static void test_table(void)
{
	static const struct {
		uint8_t code;
		const char *name;
		enum dhcp_option_kind kind;
	} rows[] = {
		{DHCP_OPTION_SUBNET_MASK, "subnet-mask", DHCP_KIND_ADDRESS},
		{DHCP_OPTION_ROUTER, "router", DHCP_KIND_ADDRESSES},
		{DHCP_OPTION_DNS, "dns", DHCP_KIND_ADDRESSES},
		{DHCP_OPTION_HOST_NAME, "host-name", DHCP_KIND_TEXT},
		{DHCP_OPTION_DOMAIN, "domain", DHCP_KIND_TEXT},
		{DHCP_OPTION_MTU, "mtu", DHCP_KIND_U16},
		{DHCP_OPTION_BROADCAST, "broadcast", DHCP_KIND_ADDRESS},
		{DHCP_OPTION_NTP, "ntp", DHCP_KIND_ADDRESSES},
		{DHCP_OPTION_VENDOR_OPTIONS, "vendor-options", DHCP_KIND_BYTES},
		{DHCP_OPTION_REQUESTED_ADDRESS, "requested-address", DHCP_KIND_ADDRESS},
		{DHCP_OPTION_LEASE_TIME, "lease-time", DHCP_KIND_SECONDS},
		{DHCP_OPTION_OVERLOAD, "overload", DHCP_KIND_U8},
		{DHCP_OPTION_MESSAGE_TYPE, "message-type", DHCP_KIND_U8},
		{DHCP_OPTION_SERVER_ID, "server-id", DHCP_KIND_ADDRESS},
		{DHCP_OPTION_PARAMETERS, "parameters", DHCP_KIND_CODES},
		{DHCP_OPTION_MESSAGE, "message", DHCP_KIND_TEXT},
		{DHCP_OPTION_MAXIMUM_SIZE, "maximum-size", DHCP_KIND_U16},
		{DHCP_OPTION_T1, "t1", DHCP_KIND_SECONDS},
		{DHCP_OPTION_T2, "t2", DHCP_KIND_SECONDS},
		{DHCP_OPTION_VENDOR_CLASS, "vendor-class", DHCP_KIND_TEXT},
		{DHCP_OPTION_CLIENT_ID, "client-id", DHCP_KIND_BYTES},
		{DHCP_OPTION_TFTP_SERVER, "tftp-server", DHCP_KIND_TEXT},
		{DHCP_OPTION_BOOT_FILE, "boot-file", DHCP_KIND_TEXT},
		{DHCP_OPTION_RAPID_COMMIT, "rapid-commit", DHCP_KIND_EMPTY},
		{DHCP_OPTION_RELAY_AGENT, "relay-agent", DHCP_KIND_BYTES},
		{DHCP_OPTION_SUBNET_SELECTION, "subnet-selection", DHCP_KIND_ADDRESS},
		{DHCP_OPTION_DOMAIN_SEARCH, "domain-search", DHCP_KIND_DOMAINS},
		{DHCP_OPTION_CLASSLESS_ROUTES, "classless-routes", DHCP_KIND_ROUTES},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		const struct dhcp_option_type *type = dhcp_option_type(rows[i].code);
		EXPECT(type, "option %u is not in the table", rows[i].code);
		EXPECT_TEXT(type ? type->name : NULL, rows[i].name);
		EXPECT(type && type->kind == rows[i].kind, "%s: another kind", rows[i].name);
	}
	EXPECT(!dhcp_option_type(DHCP_OPTION_PAD) && !dhcp_option_type(DHCP_OPTION_END),
		"PAD and END are no options");
	for (unsigned a = 0; a < 256; a++)
		for (unsigned b = a + 1; b < 256; b++) {
			const struct dhcp_option_type *one = dhcp_option_type((uint8_t)a);
			const struct dhcp_option_type *other = dhcp_option_type((uint8_t)b);
			EXPECT(!one || !other || strcmp(one->name, other->name) != 0,
				"options %u and %u have one name", a, b);
		}
}

static void test_lengths(void)
{
	static const struct {
		uint8_t code;
		const char *good; /* of the lengths 0 to 17, 'x' where it is one */
	} cases[] = {
		{1, "....x............."},
		{2, "....x............."},
		{3, "....x...x...x...x."},
		{12, ".xxxxxxxxxxxxxxxxx"},
		{19, ".x................"},
		{21, "........x.......x."},
		{25, "..x.x.x.x.x.x.x.x."},
		{26, "..x..............."},
		{61, "..xxxxxxxxxxxxxxxx"},
		{68, "x...x...x...x...x."},
		{80, "x................."},
		{82, "xxxxxxxxxxxxxxxxxx"},
		{94, "...x.............."},
		{119, "..xxxxxxxxxxxxxxxx"},
		{121, ".....xxxxxxxxxxxxx"},
		{224, "xxxxxxxxxxxxxxxxxx"},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
		for (size_t length = 0; length < 18; length++)
			EXPECT(dhcp_option_length_valid(cases[i].code, length) ==
					(cases[i].good[length] == 'x'),
				"option %u of %zu bytes", cases[i].code, length);
}

static void test_relay_agent(void)
{
	static const struct {
		const char *option;
		uint8_t code;
		enum dhcp_answer answer;
		const char *value;
	} cases[] = {
		{"", 1, DHCP_ABSENT, ""},
		{"010465746830", 1, DHCP_PRESENT, "65746830"},
		{"010465746830", 2, DHCP_ABSENT, ""},
		{"0104657468300206020000000001", 2, DHCP_PRESENT, "020000000001"},
		{"0100", 1, DHCP_PRESENT, ""},
		{"000101ff0102010103", 1, DHCP_PRESENT, "03"}, /* 0 and 255 are codes here */
		{"000101ff01020101", 1, DHCP_MALFORMED, ""},
		{"010161010162", 1, DHCP_PRESENT, "61"}, /* the first */
		{"01", 1, DHCP_MALFORMED, ""},
		{"010465", 1, DHCP_MALFORMED, ""},
		{"010161020961", 1, DHCP_MALFORMED, ""}, /* another one overruns */
		{"0101610b00050100", 99, DHCP_ABSENT, ""},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		uint8_t option[64], value[64];
		size_t length = from_hex(cases[i].option, option);
		size_t value_length = from_hex(cases[i].value, value);
		struct dhcp_field field = {option, (uint16_t)length}, found = {0};
		enum dhcp_answer answer = dhcp_relay_agent_find(&field, cases[i].code, &found);
		EXPECT(answer == cases[i].answer, "%s: %d", cases[i].option, answer);
		if (answer == DHCP_PRESENT)
			EXPECT_BYTES(found.bytes, found.length, value, value_length);
	}

	uint8_t option[20];
	struct writer writer = writer_over(option, sizeof(option));
	EXPECT(dhcp_relay_agent_append(&writer, DHCP_RELAY_AGENT_CIRCUIT_ID, "eth0", 4), "fits");
	EXPECT(dhcp_relay_agent_append(
		       &writer, DHCP_RELAY_AGENT_LINK_SELECTION, "\x0a\x00\x02\x01", 4),
		"fits");
	EXPECT(!dhcp_relay_agent_append(&writer, DHCP_RELAY_AGENT_REMOTE_ID, "1234567", 7),
		"one byte too long");
	EXPECT(!writer.overflow && writer_used(&writer) == 12, "and nothing of it is written");
	EXPECT(dhcp_relay_agent_append(&writer, DHCP_RELAY_AGENT_REMOTE_ID, "123456", 6), "fits");
	struct dhcp_field field = {option, (uint16_t)writer_used(&writer)};
	struct ipv4 address = {0};
	EXPECT_NUMBER(dhcp_relay_agent_address(&field, DHCP_RELAY_AGENT_LINK_SELECTION, &address),
		DHCP_PRESENT);
	EXPECT_TEXT(IPV4_TEXT(address), "10.0.2.1");
	EXPECT_NUMBER(dhcp_relay_agent_address(&field, DHCP_RELAY_AGENT_REMOTE_ID, &address),
		DHCP_MALFORMED);
	EXPECT_NUMBER(dhcp_relay_agent_address(&field, DHCP_RELAY_AGENT_SERVER_ID, &address),
		DHCP_ABSENT);
	static const uint8_t longest[256];
	uint8_t large[600];
	writer = writer_over(large, sizeof(large));
	EXPECT(!dhcp_relay_agent_append(&writer, 1, longest, 256), "256 bytes have no length");
	EXPECT(dhcp_relay_agent_append(&writer, 1, longest, 255), "255 have");
}

static void test_routes(void)
{
	/* RFC 3442's own table of destination descriptors, each with 10.0.2.1 as router. */
	static const struct {
		const char *bytes, *text;
	} cases[] = {
		{"000a000201", "0.0.0.0/0 10.0.2.1"},
		{"080a0a000201", "10.0.0.0/8 10.0.2.1"},
		{"180a00000a000201", "10.0.0.0/24 10.0.2.1"},
		{"100a110a000201", "10.17.0.0/16 10.0.2.1"},
		{"180a1b810a000201", "10.27.129.0/24 10.0.2.1"},
		{"190a2981800a000201", "10.41.129.128/25 10.0.2.1"},
		{"200a3281f000000000", "10.50.129.240/32 0.0.0.0"},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		uint8_t bytes[16], again[16];
		size_t length = from_hex(cases[i].bytes, bytes);
		struct reader value = reader_over(bytes, length);
		struct dhcp_route route;
		EXPECT(dhcp_route_next(&value, &route), "%s", cases[i].text);
		char text[64];
		snprintf(text, sizeof(text), "%s %s", PREFIX_TEXT(route.destination),
			IPV4_TEXT(route.router));
		EXPECT_TEXT(text, cases[i].text);
		EXPECT(!dhcp_route_next(&value, &route) && !value.truncated, "and no more");
		struct writer writer = writer_over(again, sizeof(again));
		dhcp_route_put(&writer, &route);
		EXPECT_BYTES(again, writer_used(&writer), bytes, length);
		for (size_t cut = 1; cut < length; cut++) {
			value = reader_over(bytes, cut);
			EXPECT(!dhcp_route_next(&value, &route) && value.truncated,
				"%s cut to %zu bytes", cases[i].text, cut);
		}
	}
	static const uint8_t beyond[] = {33, 10, 0, 0, 0, 0, 10, 0, 2, 1};
	struct reader value = reader_over(beyond, sizeof(beyond));
	struct dhcp_route route;
	EXPECT(!dhcp_route_next(&value, &route) && value.truncated, "a prefix of 33 bits");
	static const uint8_t loose[] = {9, 10, 255, 10, 0, 2, 1};
	value = reader_over(loose, sizeof(loose));
	EXPECT(dhcp_route_next(&value, &route), "bits behind the prefix");
	EXPECT_TEXT(PREFIX_TEXT(route.destination), "10.128.0.0/9");
}

int main(void)
{
	test_table();
	test_lengths();
	test_relay_agent();
	test_routes();
	return unit_finish();
}
