/* dhcp/: the option table, values as text, option 82's suboptions, routes, domain lists. */
#include "base/cleanup.h"
#include "dhcp/classless_route.h"
#include "dhcp/domain_list.h"
#include "dhcp/option.h"
#include "dhcp/option_text.h"
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

static void test_domains_read(void)
{
	static const struct {
		const char *list,
			*names; /* each with a space behind it; "!" where it is malformed */
	} cases[] = {
		{"", ""},
		{"016100", "a "},
		/* RFC 3397's own example, joined. */
		{"03656e67056170706c6503636f6d00096d61726b6574696e67c004",
			"eng.apple.com marketing.apple.com "},
		{"016100c000", "a a "},
		{"0161016200c00201630163c000", "a.b b c.c.a.b "},
		{"01610162c000", "!"}, /* to itself */
		{"c000", "!"},
		{"0161c000", "!"},
		{"016100c003", "a !"},
		{"016100c005", "a !"}, /* forwards, and beyond */
		{"0161c0ff", "!"},
		{"0161c0", "!"},
		{"0161", "!"}, /* no end */
		{"0261", "!"},
		{"00", "!"}, /* the root is no domain to search */
		{"01610000", "a !"},
		{"416100", "!"}, /* the two other kinds of length byte */
		{"816100", "!"},
		{"052e5c2c20ff00", "\\.\\\\\\044\\032\\255 "},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		uint8_t bytes[64];
		struct dhcp_field list = {bytes, (uint16_t)from_hex(cases[i].list, bytes)};
		CLEANUP(text_finish) struct text seen = {0};
		char name[DHCP_DOMAIN_TEXT_SIZE];
		enum dhcp_answer answer;
		size_t offset = 0;
		while ((answer = dhcp_domain_next(&list, &offset, name)) == DHCP_PRESENT)
			text_append(&seen, "%s ", name);
		if (answer == DHCP_MALFORMED)
			text_append(&seen, "!");
		EXPECT(strcmp(text_view(&seen), cases[i].names) == 0, "%s: %s", cases[i].list,
			text_view(&seen));
	}
}

/* Four labels of 63, 63, 63 and `last` bytes, each a letter. */
static size_t make_long_name(size_t last, uint8_t *wire, char *text)
{
	size_t length = 0, used = 0;
	for (unsigned label = 0; label < 4; label++) {
		size_t size = label < 3 ? 63 : last;
		wire[length++] = (uint8_t)size;
		if (label)
			text[used++] = '.';
		for (size_t i = 0; i < size; i++)
			text[used++] = (char)(wire[length++] = 'x');
	}
	wire[length++] = 0;
	text[used] = '\0';
	return length;
}

static void test_domain_limits(void)
{
	uint8_t wire[300], again[300];
	char text[300], name[DHCP_DOMAIN_TEXT_SIZE];
	for (size_t last = 61; last <= 62; last++) { /* 255 and 256 bytes */
		size_t length = make_long_name(last, wire, text), offset = 0;
		struct dhcp_field list = {wire, (uint16_t)length};
		struct writer writer = writer_over(again, sizeof(again));
		EXPECT_NUMBER(dhcp_domain_next(&list, &offset, name),
			last == 61 ? DHCP_PRESENT : DHCP_MALFORMED);
		EXPECT(dhcp_domain_put(&writer, text) == (last == 61), "%zu bytes", length);
		if (last == 61) {
			EXPECT_TEXT(name, text);
			EXPECT_BYTES(again, writer_used(&writer), wire, length);
		}
	}
	/* The name's text is longest where no byte is plain. */
	size_t length = make_long_name(61, wire, text), offset = 0;
	for (size_t i = 0; i < length; i++)
		if (wire[i] == 'x')
			wire[i] = 0xff;
	struct dhcp_field list = {wire, (uint16_t)length};
	EXPECT_NUMBER(dhcp_domain_next(&list, &offset, name), DHCP_PRESENT);
	EXPECT_NUMBER(strlen(name), 4 * (3 * 63 + 61) + 3);
	struct writer writer = writer_over(again, sizeof(again));
	EXPECT(dhcp_domain_put(&writer, name), "escapes are read again");
	EXPECT_BYTES(again, writer_used(&writer), wire, length);
	/* Room for the name to the byte. */
	for (size_t size = 0; size <= length; size++) {
		writer = writer_over(again, size);
		EXPECT(dhcp_domain_put(&writer, name) == (size == length), "in %zu bytes", size);
		EXPECT(!writer.overflow && (size == length || writer_used(&writer) == 0),
			"nothing is written in %zu bytes", size);
	}
	static const char *const bad[] = {"", ".", "..", "a..b", ".a", "a\\", "a\\25", "a\\256",
		"a\\2x5", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"};
	for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
		writer = writer_over(again, sizeof(again));
		EXPECT(!dhcp_domain_put(&writer, bad[i]), "'%s' is no name", bad[i]);
	}
}

static void test_text_values(void)
{
	/* The text, its bytes, and how they are shown again where not as they were written. */
	static const struct {
		const char *name, *text, *bytes, *shown;
	} cases[] = {
		{"subnet-mask", "255.255.255.0", "ffffff00", NULL},
		{"time-offset", "-3600", "fffff1f0", NULL},
		{"time-offset", "-2147483648", "80000000", NULL},
		{"time-offset", "2147483647", "7fffffff", NULL},
		{"router", "10.0.2.1,10.0.2.2", "0a0002010a000202", NULL},
		{"3", "10.0.2.1", "0a000201", NULL},
		{"host-name", "client", "636c69656e74", NULL},
		{"boot-file", "pxe/a,b=c.0", "7078652f612c623d632e30", NULL},
		{"ip-forwarding", "yes", "01", NULL},
		{"ip-forwarding", "no", "00", NULL},
		{"ip-forwarding", "hex:02", "02", NULL},
		{"policy-filter", "10.0.0.0=255.0.0.0,10.1.0.0=255.255.0.0",
			"0a000000ff0000000a010000ffff0000", NULL},
		{"static-routes", "10.1.0.0=10.0.2.1", "0a0100000a000201", NULL},
		{"mtu", "68", "0044", NULL},
		{"mtu", "65535", "ffff", NULL},
		{"default-ip-ttl", "255", "ff", NULL},
		{"client-architecture", "7,0", "00070000", NULL},
		{"arp-cache-timeout", "4294967295", "ffffffff", NULL},
		{"lease-time", "infinite", "ffffffff", NULL},
		{"lease-time", "4294967294", "fffffffe", NULL},
		{"parameters", "subnet-mask,6,252,224", "0106fce0",
			"subnet-mask,dns,web-proxy-configuration,224"},
		{"vendor-options", "hex:0102FF", "0102ff", "hex:0102ff"},
		{"vendor-options", "hex:01:02:ff", "0102ff", "hex:0102ff"},
		{"vendor-options", "text:a", "61", "hex:61"},
		{"rapid-commit", "", "", NULL},
		{"224", "hex:", "", NULL},
		{"224", "text:x", "78", "hex:78"},
		{"parameters", "hex:0103ff", "0103ff", NULL}, /* 0 and 255 are no options */
		{"parameters", "hex:0001", "0001", NULL},
		{"host-name", "hex:6100", "6100", "a"}, /* RFC 2132 section 2 */
		{"host-name", "hex:00", "00", NULL},
		{"host-name", "hex:610a", "610a", NULL},
		{"host-name", "hex:ff", "ff", NULL},
		{"host-name", "hex:6865783a", "6865783a", NULL}, /* "hex:" itself */
		{"host-name", "\xc3\xa4", "c3a4", NULL},
		{"domain-search", "a.example,b.example", "0161076578616d706c65000162c002", NULL},
		{"domain-search", "a.example.", "0161076578616d706c6500", "a.example"},
		{"domain-search", "b.a,a,b.a", "0162016100c002c000", NULL}, /* a tail, a whole */
		{"domain-search", "hex:c000", "c000", NULL},
		{"domain-search", "\\hex:aa", "066865783a616100", "hex:066865783a616100"},
		{"classless-routes", "10.0.0.0/8=10.0.2.1,0.0.0.0/0=10.0.2.2",
			"080a0a000201000a000202", NULL},
		{"classless-routes", "169.254.0.0/16=0.0.0.0", "10a9fe00000000", NULL},
		{"classless-routes", "hex:210a00000a0a000201", "210a00000a0a000201", NULL},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		uint8_t code = 0, seen[256], expected[256];
		size_t length = from_hex(cases[i].bytes, expected);
		struct writer value = writer_over(seen, sizeof(seen));
		struct error error = {.text = ""};
		EXPECT_NUMBER(dhcp_option_text_code(cases[i].name, &code, &error), 0);
		int status = dhcp_option_text_parse(code, cases[i].text, &value, &error);
		EXPECT(status == 0, "%s=%s: %s", cases[i].name, cases[i].text, error.text);
		EXPECT(writer_used(&value) == length && memcmp(seen, expected, length) == 0,
			"%s=%s: other bytes", cases[i].name, cases[i].text);
		CLEANUP(text_finish) struct text shown = {0};
		struct dhcp_field field = {seen, (uint16_t)writer_used(&value)};
		dhcp_option_text_format(code, field, ',', &shown);
		EXPECT_TEXT(text_view(&shown), cases[i].shown ? cases[i].shown : cases[i].text);
	}
}

static void test_text_faults(void)
{
	static const struct {
		const char *assignment, *error;
	} cases[] = {
		{"ruoter=10.0.2.1", "no option is called 'ruoter'; nearest: router"},
		{"0=x", "no option is called '0'; a number from 1 to 254 will do as well"},
		{"255=x", "no option is called '255'; a number from 1 to 254 will do as well"},
		{"router=10.0.2", "option router (3) takes IPv4 addresses with commas between, not "
				  "'10.0.2'"},
		{"router=", "option router (3) takes IPv4 addresses with commas between, not ''"},
		{"router", "option router (3) takes IPv4 addresses with commas between, not ''"},
		{"router=10.0.2.1,", "option router (3) takes IPv4 addresses with commas between, "
				     "not '10.0.2.1,'"},
		{"router=hex:0a0002",
			"option router (3) takes IPv4 addresses with commas between, not "
			"'hex:0a0002'"},
		{"router=hex:0a00020", "option router (3) takes IPv4 addresses with commas "
				       "between, not 'hex:0a00020'"},
		{"subnet-mask=1.2.3.4,1.2.3.4",
			"option subnet-mask (1) takes an IPv4 address, not '1.2.3.4,1.2.3.4'"},
		{"mtu=67", "option mtu (26) takes a number from 68 to 65535, not '67'"},
		{"mtu=65536", "option mtu (26) takes a number from 68 to 65535, not '65536'"},
		{"default-ip-ttl=256",
			"option default-ip-ttl (23) takes a number from 1 to 255, not '256'"},
		{"path-mtu-plateau-table=68,67",
			"option path-mtu-plateau-table (25) takes numbers from 68 to 65535 with "
			"commas between, not '68,67'"},
		{"time-offset=2147483648",
			"option time-offset (2) takes a number from -2147483648 to 2147483647, not "
			"'2147483648'"},
		{"time-offset=--1",
			"option time-offset (2) takes a number from -2147483648 to 2147483647, not "
			"'--1'"},
		{"lease-time=4294967296", "option lease-time (51) takes seconds, or 'infinite', "
					  "not '4294967296'"},
		{"ip-forwarding=true", "option ip-forwarding (19) takes yes or no, not 'true'"},
		{"vendor-options=abc", "option vendor-options (43) takes hex:0a0b0c or text:..., "
				       "not 'abc'"},
		{"vendor-options=hex:0g", "option vendor-options (43) takes hex:0a0b0c or "
					  "text:..., not 'hex:0g'"},
		{"vendor-options=hex:01:", "option vendor-options (43) takes hex:0a0b0c or "
					   "text:..., not 'hex:01:'"},
		{"softwire-source=hex:0102", "option softwire-source (109) takes hex:0a0b0c or "
					     "text:... of 16 bytes, not 'hex:0102'"},
		{"client-fqdn=hex:0102", "option client-fqdn (81) takes hex:0a0b0c or text:... of "
					 "at least 3 bytes, not 'hex:0102'"},
		{"rapid-commit=yes", "option rapid-commit (80) takes no value, not 'yes'"},
		{"host-name=", "option host-name (12) takes text, not ''"},
		{"224=x", "option 224 (224) takes hex:0a0b0c or text:..., not 'x'"},
		{"domain-search=a..b", "option domain-search (119) takes domain names with commas "
				       "between, not 'a..b'"},
		{"classless-routes=10.0.0.0/33=10.0.2.1",
			"option classless-routes (121) takes routes like 10.0.0.0/8=10.0.2.1 with "
			"commas between, not '10.0.0.0/33=10.0.2.1'"},
		{"classless-routes=10.0.0.1/8=10.0.2.1",
			"option classless-routes (121) takes routes like 10.0.0.0/8=10.0.2.1 with "
			"commas between, not '10.0.0.1/8=10.0.2.1'"},
		{"policy-filter=10.0.0.0",
			"option policy-filter (21) takes pairs ADDRESS=ADDRESS with commas "
			"between, not '10.0.0.0'"},
		{"parameters=dns,nonsense", "option parameters (55) takes names or numbers of "
					    "options with commas between, not 'dns,nonsense'"},
	};
	struct dhcp_option_list options = {0};
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct error error = {.text = ""};
		EXPECT(dhcp_option_text_assign(&options, cases[i].assignment, &error) < 0,
			"'%s' is taken", cases[i].assignment);
		EXPECT_TEXT(error.text, cases[i].error);
	}
	EXPECT_NUMBER(options.count, 0);

	char most[DHCP_OPTION_VALUE_MAX + 16] = "root-path=";
	memset(most + strlen(most), 'x', DHCP_OPTION_VALUE_MAX);
	struct error error = {.text = ""};
	EXPECT_NUMBER(dhcp_option_text_assign(&options, most, &error), 0);
	EXPECT_NUMBER(options.list[0].length, DHCP_OPTION_VALUE_MAX);
	most[strlen(most)] = 'x';
	EXPECT(dhcp_option_text_assign(&options, most, &error) < 0, "a byte more");
	EXPECT_TEXT(error.text, "the value of option root-path (17) is too long");
	EXPECT_NUMBER(dhcp_option_text_assign(&options, "rapid-commit", &error), 0);
	EXPECT_NUMBER(options.count, 2);
	dhcp_option_list_finish(&options);
}

/* Names that refer to one another must not fill the memory. */
static void test_text_amplification(void)
{
	uint8_t wire[1400];
	char name[300];
	size_t length = make_long_name(61, wire, name);
	while (length + 2 <= sizeof(wire)) {
		wire[length++] = 0xc0;
		wire[length++] = 0;
	}
	CLEANUP(text_finish) struct text shown = {0};
	dhcp_option_text_format(DHCP_OPTION_DOMAIN_SEARCH,
		(struct dhcp_field){wire, (uint16_t)length}, ',', &shown);
	EXPECT_NUMBER(shown.length, strlen("hex:") + 2 * length);
}

int main(void)
{
	test_table();
	test_lengths();
	test_relay_agent();
	test_routes();
	test_domains_read();
	test_domain_limits();
	test_text_values();
	test_text_faults();
	test_text_amplification();
	return unit_finish();
}
