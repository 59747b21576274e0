/* dhcp/server.h: what answers hold and where they go: options, sizes, BOOTP, rapid commit. */
#include "base/cleanup.h"
#include "dhcp_talk.h"

static uint8_t router[] = {10, 0, 2, 1}, dns[] = {10, 0, 2, 2}, file[] = "boot.img";
static uint8_t domain[] = "example.org", tftp[] = "10.0.2.9", vendor[] = {1, 2, 3}, name[] = "n";
static uint8_t long_value[600];

static struct dhcp_option_value subnet_options[] = {
	{DHCP_OPTION_ROUTER, sizeof(router), router},
	{DHCP_OPTION_DNS, sizeof(dns), dns},
	{DHCP_OPTION_DOMAIN, sizeof(domain) - 1, domain},
	{DHCP_OPTION_VENDOR_OPTIONS, sizeof(vendor), vendor},
	{DHCP_OPTION_TFTP_SERVER, sizeof(tftp) - 1, tftp},
	{DHCP_OPTION_BOOT_FILE, sizeof(file) - 1, file},
};
static struct dhcp_option_value binding_options[] = {
	{DHCP_OPTION_HOST_NAME, 1, name},
	{DHCP_OPTION_DOMAIN, 1, name},
};
static struct dhcp_binding binding = {
	.client = {8, {1, 1, 2, 0, 0, 0, 0, 7}},
	.address = {A(50)},
	.options = {binding_options, 2},
};

/* The first subnet with options, a binding, BOOTP and rapid commit. */
static void begin(struct talk *talk, struct talk_setup *setup)
{
	talk_setup(setup);
	setup->subnets[0].options = (struct dhcp_option_list){subnet_options, 6};
	setup->subnets[0].bindings = &binding;
	setup->subnets[0].binding_count = 1;
	setup->subnets[0].bootp = setup->subnets[0].rapid_commit = true;
	talk_begin(talk, setup);
}

/* The codes of the options field of the last answer, in their order, as text. */
static const char *codes_of(const struct talk *talk)
{
	static char text[512];
	const uint8_t *at = talk->actions.message + DHCP_HEADER_SIZE + 4;
	size_t used = 0;
	text[0] = '\0';
	while (*at != DHCP_OPTION_END && used < sizeof(text) - 8) {
		used += (size_t)snprintf(
			text + used, sizeof(text) - used, used ? " %u" : "%u", *at);
		at += 2 + at[1];
	}
	return text;
}

#define ASKS(...)                                                                                  \
	.ask = (const uint8_t[]){__VA_ARGS__}, .ask_count = sizeof((const uint8_t[]){__VA_ARGS__})

static void test_order(void)
{
	const struct {
		const char *what;
		struct say say;
		const char *codes;
	} cases[] = {
		{"as asked", {.type = DHCPDISCOVER, .client = 1, ASKS(6, 15, 1, 3)},
			"53 54 51 58 59 6 15 1 3"},
		{"the mask before the router",
			{.type = DHCPDISCOVER, .client = 1, ASKS(6, 3, 15, 1)},
			"53 54 51 58 59 6 1 3 15"},
		{"only what is asked for", {.type = DHCPDISCOVER, .client = 1, ASKS(15)},
			"53 54 51 58 59 15"},
		{"what is not there, and twice, and ours",
			{.type = DHCPDISCOVER, .client = 1, ASKS(12, 6, 51, 6, 54, 82, 255, 0, 1)},
			"53 54 51 58 59 6 1"},
		{"nothing asked for: all", {.type = DHCPDISCOVER, .client = 1},
			"53 54 51 58 59 1 3 6 15 43 66 67"},
		{"the binding's come first", {.type = DHCPDISCOVER, .client = 7},
			"53 54 51 58 59 1 12 15 3 6 43 66 67"},
		{"the identifier returned, the relay's option last",
			{.type = DHCPDISCOVER,
				.client = 1,
				.id = "\1id",
				.giaddr = A(2),
				.circuit = "c",
				ASKS(1, 3)},
			"53 54 51 58 59 61 1 3 82"},
		{"INFORM: no times",
			{.type = DHCPINFORM, .client = 1, .ciaddr = A(9), ASKS(6, 51, 58)},
			"53 54 6"},
		{"NAK",
			{.type = DHCPREQUEST,
				.client = 1,
				.requested = B(5),
				.id = "\1id",
				ASKS(1, 3)},
			"53 54 61 56"},
		{"rapid commit", {.type = DHCPDISCOVER, .client = 1, .rapid = true, ASKS(1)},
			"53 54 51 58 59 80 1"},
		{"BOOTP", {.type = DHCP_BOOTREQUEST, .client = 1, ASKS(6)}, "1 3 6 15 43"},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct talk_setup setup;
		CLEANUP(talk_end) struct talk talk;
		begin(&talk, &setup);
		EXPECT(talk_say(&talk, &cases[i].say) != 0, "%s: an answer", cases[i].what);
		EXPECT(strcmp(codes_of(&talk), cases[i].codes) == 0, "%s: %s", cases[i].what,
			codes_of(&talk));
	}
}

/* A binding's value stands in place of its subnet's. */
static void test_merged(void)
{
	struct talk_setup setup;
	CLEANUP(talk_end) struct talk talk;
	struct dhcp_field field = {0};
	begin(&talk, &setup);
	EXPECT_NUMBER(SAY(&talk, DHCPDISCOVER, 7), DHCPOFFER);
	EXPECT_NUMBER(talk.reply.header.yiaddr.host, A(50));
	dhcp_message_bytes(&talk.reply, DHCP_OPTION_DOMAIN, &field);
	EXPECT_BYTES(field.bytes, field.length, name, 1);
	EXPECT_NUMBER(talk.reply.header.siaddr.host, A(9)); /* of option 66, an address */
	EXPECT_TEXT(talk.reply.header.file, ""); /* a DHCP client asks for option 67 */
	EXPECT_NUMBER(SAY(&talk, DHCPREQUEST, 1, .requested = B(5)), DHCPNAK);
	EXPECT_NUMBER(talk.reply.header.siaddr.host, 0);
	dhcp_message_bytes(&talk.reply, DHCP_OPTION_MESSAGE, &field);
	EXPECT_BYTES(field.bytes, field.length, "an address of another network", 29);
}

/* What does not fit is left out whole, the last asked for first, and counted. */
static void test_size(void)
{
	static const struct {
		uint16_t size, asked_length;
		size_t most;
		bool long_there, dns_there;
	} cases[] = {
		{0, 200, 548, true, true},
		{0, 400, 548, true, true}, /* with `file` and `sname` */
		{0, 600, 548, false, true},
		{1500, 600, 1472, true, true},
		{100, 400, 548, true, true}, /* less than 576 is no size: RFC 2132 section 9.10 */
		{UINT16_MAX, 600, 1472, true, true},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct talk_setup setup;
		CLEANUP(talk_end) struct talk talk;
		struct dhcp_field field = {0};
		struct dhcp_option_value options[] = {
			{DHCP_OPTION_DNS, sizeof(dns), dns},
			{224, cases[i].asked_length, long_value},
		};
		talk_setup(&setup);
		setup.subnets[0].options = (struct dhcp_option_list){options, 2};
		talk_begin(&talk, &setup);
		EXPECT_NUMBER(SAY(&talk, DHCPDISCOVER, 1, .size = cases[i].size,
				      ASKS(224, DHCP_OPTION_DNS)),
			DHCPOFFER);
		EXPECT(talk.actions.message_length <= cases[i].most, "case %zu: %zu bytes", i,
			talk.actions.message_length);
		bool there = dhcp_message_bytes(&talk.reply, 224, &field) == DHCP_PRESENT;
		EXPECT(there == cases[i].long_there, "case %zu: the long one", i);
		if (there)
			EXPECT_BYTES(field.bytes, field.length, long_value, cases[i].asked_length);
		EXPECT(dhcp_message_bytes(&talk.reply, DHCP_OPTION_DNS, &field) == DHCP_PRESENT,
			"case %zu: the short one", i);
		EXPECT_NUMBER(talk.server.reasons[DHCP_SERVER_OPTIONS_OMITTED], !there);
	}
}

static void test_bootp(void)
{
	struct talk_setup setup;
	CLEANUP(talk_end) struct talk talk;
	begin(&talk, &setup);
	/* Static: the binding's address, without a lease. */
	EXPECT_NUMBER(SAY(&talk, DHCP_BOOTREQUEST, 7), DHCP_BOOTREPLY);
	EXPECT_NUMBER(talk.reply.header.yiaddr.host, A(50));
	EXPECT_TEXT(talk.reply.header.file, "boot.img");
	EXPECT_TEXT(talk.reply.header.sname, "10.0.2.9");
	EXPECT_NUMBER(talk.reply.header.siaddr.host, A(9));
	EXPECT_NUMBER(talk_count(&talk, DHCP_SAVE_LEASE), 0);
	EXPECT_NUMBER(talk.actions.message_length, 300);
	/* Dynamic: for ever, and stored. */
	EXPECT_NUMBER(SAY(&talk, DHCP_BOOTREQUEST, 1), DHCP_BOOTREPLY);
	EXPECT_NUMBER(talk.reply.header.yiaddr.host, A(100));
	const struct dhcp_action *save = talk_action(&talk, DHCP_SAVE_LEASE);
	EXPECT(save && save->lease.state == DHCP_LEASE_BOUND && save->lease.ends_ns == DHCP_NEVER,
		"a lease for ever");
	EXPECT_NUMBER(SAY(&talk, DHCP_BOOTREQUEST, 1), DHCP_BOOTREPLY);
	EXPECT_NUMBER(talk.reply.header.yiaddr.host, A(100));
	/* It has an address: it is told the rest, there. */
	EXPECT_NUMBER(SAY(&talk, DHCP_BOOTREQUEST, 2, .ciaddr = A(9)), DHCP_BOOTREPLY);
	EXPECT_NUMBER(talk.reply.header.yiaddr.host, 0);
	EXPECT_NUMBER(talk_action(&talk, DHCP_SEND)->destination.address.host, A(9));
	EXPECT_NUMBER(talk.server.received[DHCP_SERVER_BOOTP], 4);
	EXPECT_NUMBER(talk.server.sent[DHCP_SERVER_BOOTP], 4);
	/* Where it is not allowed: nothing. */
	EXPECT_NUMBER(SAY(&talk, DHCP_BOOTREQUEST, 1, .local = B(1)), 0);
	EXPECT_NUMBER(talk.server.reasons[DHCP_SERVER_NO_BOOTP], 1);
}

static void test_rapid_commit(void)
{
	struct talk_setup setup;
	CLEANUP(talk_end) struct talk talk;
	begin(&talk, &setup);
	EXPECT_NUMBER(SAY(&talk, DHCPDISCOVER, 1, .rapid = true), DHCPACK);
	const struct dhcp_action *save = talk_action(&talk, DHCP_SAVE_LEASE);
	EXPECT(save && save->lease.state == DHCP_LEASE_BOUND, "stored before the DHCPACK");
	EXPECT_NUMBER(SAY(&talk, DHCPDISCOVER, 2), DHCPOFFER);
	EXPECT_NUMBER(SAY(&talk, DHCPDISCOVER, 3, .rapid = true, .local = B(1)), DHCPOFFER);
	setup.settings.probe_ns = NS_PER_SECOND;
	talk_change(&talk, &setup, 0);
	EXPECT_NUMBER(SAY(&talk, DHCPDISCOVER, 4, .rapid = true), 0);
	EXPECT_NUMBER(talk_wait(&talk, NS_PER_SECOND), DHCPACK);
}

static void test_destinations(void)
{
	static const struct {
		const char *what;
		struct say say;
		enum dhcp_destination_kind kind;
		uint32_t address;
		unsigned port, interface;
	} cases[] = {
		{"a relay", {.type = DHCPDISCOVER, .client = 1, .giaddr = A(2), .flag = true},
			DHCP_TO_ADDRESS, A(2), 67, 0},
		{"a relay at a port of its own",
			{.type = DHCPDISCOVER, .client = 1, .giaddr = A(2), .relay_port = true},
			DHCP_TO_ADDRESS, A(2), 1067, 0},
		{"a relay's client with an address",
			{.type = DHCPREQUEST, .client = 1, .giaddr = A(2), .ciaddr = A(100)},
			DHCP_TO_ADDRESS, A(2), 67, 0},
		{"by hardware", {.type = DHCPDISCOVER, .client = 2}, DHCP_TO_HARDWARE, A(101), 68,
			2},
		{"the broadcast flag", {.type = DHCPDISCOVER, .client = 2, .flag = true},
			DHCP_TO_BROADCAST, UINT32_MAX, 68, 2},
		{"renewing, flag or not",
			{.type = DHCPREQUEST, .client = 1, .ciaddr = A(100), .flag = true},
			DHCP_TO_ADDRESS, A(100), 68, 0},
		{"INIT-REBOOT", {.type = DHCPREQUEST, .client = 1, .requested = A(100)},
			DHCP_TO_HARDWARE, A(100), 68, 2},
		{"a NAK here",
			{.type = DHCPREQUEST, .client = 2, .ciaddr = A(100), .unicast = true},
			DHCP_TO_BROADCAST, UINT32_MAX, 68, 2},
		{"a NAK behind a router",
			{.type = DHCPREQUEST,
				.client = 2,
				.ciaddr = A(100),
				.unicast = true,
				.local = B(1)},
			DHCP_TO_ADDRESS, A(100), 68, 0},
		{"BOOTP", {.type = DHCP_BOOTREQUEST, .client = 7}, DHCP_TO_HARDWARE, A(50), 68, 2},
		{"BOOTP, broadcast", {.type = DHCP_BOOTREQUEST, .client = 7, .flag = true},
			DHCP_TO_BROADCAST, UINT32_MAX, 68, 2},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct talk_setup setup;
		CLEANUP(talk_end) struct talk talk;
		begin(&talk, &setup);
		EXPECT_NUMBER(LEASE(&talk, .client = 1), A(100));
		EXPECT(talk_say(&talk, &cases[i].say) != 0, "%s: an answer", cases[i].what);
		const struct dhcp_action *send = talk_action(&talk, DHCP_SEND);
		if (!send)
			continue;
		const struct dhcp_destination *to = &send->destination;
		EXPECT(to->kind == cases[i].kind && to->address.host == cases[i].address &&
				to->port == cases[i].port && to->interface == cases[i].interface,
			"%s: kind %d, %s, port %u, interface %u", cases[i].what, to->kind,
			IPV4_TEXT(to->address), to->port, to->interface);
		EXPECT(talk.reply.header.broadcast == cases[i].say.flag, "%s: flag", cases[i].what);
	}
}

/* Every name is a word of its own, every reason has its text. */
static void test_names(void)
{
	for (int i = 0; i < DHCP_SERVER_REASONS; i++) {
		const char *word = dhcp_server_reason_name((enum dhcp_server_reason)i);
		const char *text = dhcp_server_reason_text((enum dhcp_server_reason)i);
		EXPECT(word && strspn(word, "abcdefghijklmnopqrstuvwxyz-") == strlen(word) && text,
			"reason %d", i);
		for (int j = 0; word && j < i; j++)
			EXPECT(strcmp(word, dhcp_server_reason_name((enum dhcp_server_reason)j)),
				"%s twice", word);
	}
	for (unsigned i = 0; i < DHCP_SERVER_TYPES; i++)
		EXPECT(dhcp_server_counter_name(i), "counter %u", i);
	EXPECT_TEXT(dhcp_server_counter_name(0), "other");
	EXPECT_TEXT(dhcp_server_counter_name(DHCPDISCOVER), "DHCPDISCOVER");
	EXPECT_TEXT(dhcp_server_counter_name(DHCP_SERVER_BOOTP), "BOOTP");
}

int main(void)
{
	for (size_t i = 0; i < sizeof(long_value); i++)
		long_value[i] = (uint8_t)i;
	test_order();
	test_merged();
	test_size();
	test_bootp();
	test_rapid_commit();
	test_destinations();
	test_names();
	return unit_finish();
}
