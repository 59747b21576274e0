/* dhcp/server.h: who gets what, and who does not: subnets, bindings, refusals, limits, probes. */
#include <errno.h>

#include "base/cleanup.h"
#include "dhcp_talk.h"

#define REASON(talk, name) (talk)->server.reasons[DHCP_SERVER_##name]

static struct dhcp_identity identity_of_id(const char *id)
{
	struct dhcp_identity identity;
	dhcp_identity_make(id, strlen(id), NULL, &identity);
	return identity;
}

static struct dhcp_identity identity_of_mac(unsigned client)
{
	struct dhcp_identity identity;
	struct dhcp_hardware hardware = {1, 6, {2, 0, 0, 0, 0, (uint8_t)client}};
	dhcp_identity_make(NULL, 0, &hardware, &identity);
	return identity;
}

static void test_subnets(void)
{
	static const struct {
		const char *what;
		struct say say;
		uint32_t yiaddr; /* 0: silence */
	} cases[] = {
		{"the interface's", {.client = 1}, A(100)},
		{"another interface", {.client = 1, .local = B(1)}, B(100)},
		{"no subnet of ours", {.client = 1, .local = 0x0a000401}, 0},
		{"relayed", {.client = 1, .giaddr = B(2)}, B(100)},
		{"relayed from elsewhere", {.client = 1, .giaddr = 0x0a000401}, 0},
		{"link selection", {.client = 1, .giaddr = A(2), .link = B(0)}, B(100)},
		{"link selection of no subnet of ours",
			{.client = 1, .giaddr = A(2), .link = 0x0a000400}, 0},
		{"link selection without a relay", {.client = 1, .link = B(0)}, A(100)},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct talk_setup setup;
		CLEANUP(talk_end) struct talk talk;
		struct say say = cases[i].say;
		talk_start(&talk, &setup);
		say.type = DHCPDISCOVER;
		unsigned answer = talk_say(&talk, &say);
		EXPECT(answer == (cases[i].yiaddr ? DHCPOFFER : 0u), "%s: %u", cases[i].what,
			answer);
		EXPECT_NUMBER(REASON(&talk, OTHER_SUBNET), !cases[i].yiaddr);
		if (answer)
			EXPECT_NUMBER(talk.reply.header.yiaddr.host, cases[i].yiaddr);
	}
}

/* An answer would come back to us, or go to everybody: link selection or not, there is none. */
static void test_forged_relays(void)
{
	static const uint32_t forged[] = {
		A(1), B(1), A(0), A(255), 0x7f000001, 0xe0000001, 0xffffffff};
	for (size_t i = 0; i < ARRAY_LENGTH(forged); i++) {
		struct talk_setup setup;
		CLEANUP(talk_end) struct talk talk;
		talk_start(&talk, &setup);
		EXPECT_NUMBER(SAY(&talk, DHCPDISCOVER, 1, .giaddr = forged[i]), 0);
		EXPECT_NUMBER(SAY(&talk, DHCPDISCOVER, 1, .giaddr = forged[i], .link = B(0)), 0);
		EXPECT_NUMBER(REASON(&talk, FORGED_RELAY), 2);
	}
}

/* A client may have a lease in each subnet; each is renewed by where it is renewed from. */
static void test_moving(void)
{
	struct talk_setup setup;
	CLEANUP(talk_end) struct talk talk;
	talk_start(&talk, &setup);
	EXPECT_NUMBER(LEASE(&talk, .client = 1), A(100));
	EXPECT_NUMBER(SAY(&talk, DHCPREQUEST, 1, .requested = A(100), .local = B(1)), DHCPNAK);
	EXPECT_NUMBER(REASON(&talk, WRONG_NETWORK), 1);
	EXPECT_NUMBER(LEASE(&talk, .client = 1, .local = B(1)), B(100));
	EXPECT_NUMBER(SAY(&talk, DHCPREQUEST, 1, .ciaddr = A(100), .unicast = true, .local = B(1)),
		DHCPACK);
	EXPECT_NUMBER(talk.reply.header.yiaddr.host, A(100));
	const struct dhcp_action *send = talk_action(&talk, DHCP_SEND);
	EXPECT_NUMBER(send->destination.kind, DHCP_TO_ADDRESS);
	EXPECT_NUMBER(send->destination.address.host, A(100));
}

static void test_ranges_and_allocation(void)
{
	static const struct {
		enum dhcp_allocation allocation;
		uint32_t expected[4];
	} cases[] = {
		{DHCP_ALLOCATE_LEAST_RECENT, {A(101), A(150), A(100), 0}},
		{DHCP_ALLOCATE_FIRST_FREE, {A(100), A(101), A(150), 0}},
	};
	static const struct dhcp_range ranges[] = {{{A(100)}, {A(101)}}, {{A(150)}, {A(150)}}};
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct talk_setup setup;
		CLEANUP(talk_end) struct talk talk;
		talk_setup(&setup);
		setup.subnets[0].ranges = ranges;
		setup.subnets[0].range_count = ARRAY_LENGTH(ranges);
		setup.settings.allocation = cases[i].allocation;
		talk_begin(&talk, &setup);
		EXPECT_NUMBER(dhcp_pool_free(&talk.server.subnets[0].pool), 3);
		for (unsigned client = 1; client <= 3; client++)
			EXPECT(LEASE(&talk, .client = client), "client %u", client);
		EXPECT_NUMBER(dhcp_pool_free(&talk.server.subnets[0].pool), 0);
		EXPECT_NUMBER(LEASE(&talk, .client = 4), 0);
		EXPECT_NUMBER(REASON(&talk, NO_FREE_ADDRESS), 1);
		static const uint32_t released[] = {A(101), A(150), A(100)};
		static const unsigned holders[] = {2, 3, 1};
		for (size_t j = 0; j < 3; j++) {
			talk_wait(&talk, NS_PER_SECOND);
			SAY(&talk, DHCPRELEASE, holders[j], .ciaddr = released[j], .unicast = true,
				.server_id = A(1));
		}
		EXPECT_NUMBER(dhcp_pool_free(&talk.server.subnets[0].pool), 3);
		for (unsigned j = 0; j < 4; j++)
			EXPECT_NUMBER(LEASE(&talk, .client = 11 + j), cases[i].expected[j]);
	}
}

static void test_bindings(void)
{
	uint8_t name[] = "bound";
	struct dhcp_option_value options[] = {{DHCP_OPTION_HOST_NAME, 5, name}};
	struct dhcp_binding bindings[] = {
		{.client = identity_of_id("\1printer"), .address = {A(50)}, .lease_seconds = 30},
		{.client = identity_of_mac(7), .address = {A(101)}, .options = {options, 1}},
		{.client = identity_of_mac(9), .address = {A(60)}},
	};
	struct talk_setup setup;
	CLEANUP(talk_end) struct talk talk;
	talk_setup(&setup);
	setup.subnets[0].bindings = bindings;
	setup.subnets[0].binding_count = ARRAY_LENGTH(bindings);
	talk_begin(&talk, &setup);
	uint32_t seconds = 0;
	struct dhcp_field field = {0};
	EXPECT_NUMBER(LEASE(&talk, .client = 1, .id = "\1printer"), A(50));
	dhcp_message_u32(&talk.reply, DHCP_OPTION_LEASE_TIME, &seconds);
	EXPECT_NUMBER(seconds, 30);
	/* The identifier's binding comes before the hardware address's. */
	EXPECT_NUMBER(LEASE(&talk, .client = 9, .id = "\1printer"), A(50));
	/* By hardware address, whatever identifier the machine sends, also two in turn. */
	EXPECT_NUMBER(LEASE(&talk, .client = 7), A(101));
	EXPECT_NUMBER(dhcp_message_bytes(&talk.reply, DHCP_OPTION_HOST_NAME, &field), DHCP_PRESENT);
	EXPECT_BYTES(field.bytes, field.length, name, 5);
	EXPECT_NUMBER(LEASE(&talk, .client = 7, .id = "\1boot"), A(101));
	EXPECT_NUMBER(LEASE(&talk, .client = 7, .id = "\1system"), A(101));
	/* Nobody else gets it, asked for or not. */
	EXPECT_NUMBER(LEASE(&talk, .client = 2, .requested = A(101)), A(100));
	EXPECT_NUMBER(LEASE(&talk, .client = 3, .requested = A(60)), A(102));
	EXPECT_NUMBER(dhcp_pool_free(&talk.server.subnets[0].pool), 1);
}

static void test_identity(void)
{
	struct talk_setup setup;
	CLEANUP(talk_end) struct talk talk;
	talk_setup(&setup);
	setup.settings.ignore_client_id = true;
	talk_begin(&talk, &setup);
	EXPECT_NUMBER(LEASE(&talk, .client = 1, .id = "\1linux"), A(100));
	EXPECT_NUMBER(LEASE(&talk, .client = 1, .id = "\1windows"), A(100));
	struct dhcp_field echoed = {0};
	dhcp_message_bytes(&talk.reply, DHCP_OPTION_CLIENT_ID, &echoed);
	EXPECT_BYTES(echoed.bytes, echoed.length, "\1windows", 8);
	EXPECT_NUMBER(LEASE(&talk, .client = 2, .id = "\1linux"), A(101));
	EXPECT_NUMBER(SAY(&talk, DHCPDISCOVER, 3, .id = "\1linux", .no_hardware = true), 0);
	EXPECT_NUMBER(REASON(&talk, NO_IDENTITY), 1);
}

static void test_lease_times(void)
{
	static const struct {
		struct dhcp_lease_times times;
		uint32_t wish, expected;
	} cases[] = {
		{{100, 10, 200}, 0, 100},
		{{100, 10, 200}, 50, 50},
		{{100, 10, 200}, 5, 10},
		{{100, 10, 200}, 500, 200},
		{{100, 10, 200}, UINT32_MAX, 200},
		{{100, 10, UINT32_MAX}, UINT32_MAX, UINT32_MAX},
		{{100, 10, UINT32_MAX}, UINT32_MAX - 1, UINT32_MAX - 1},
		{{UINT32_MAX, UINT32_MAX, UINT32_MAX}, 5, UINT32_MAX},
		{{0, 0, 0}, 0, 3600},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct talk_setup setup;
		CLEANUP(talk_end) struct talk talk;
		uint32_t seconds = 0;
		talk_setup(&setup);
		setup.subnets[0].lease = cases[i].times;
		talk_begin(&talk, &setup);
		EXPECT_NUMBER(LEASE(&talk, .client = 1, .wish = cases[i].wish), A(100));
		dhcp_message_u32(&talk.reply, DHCP_OPTION_LEASE_TIME, &seconds);
		EXPECT_NUMBER(seconds, cases[i].expected);
		const struct dhcp_action *save = talk_action(&talk, DHCP_SAVE_LEASE);
		uint64_t end_ns = talk.now_ns + seconds * NS_PER_SECOND;
		EXPECT(save && save->lease.ends_ns == (seconds == UINT32_MAX ? DHCP_NEVER : end_ns),
			"case %zu: its end", i);
		EXPECT_NUMBER(talk.actions.deadline_ns == DHCP_NEVER, seconds == UINT32_MAX);
	}
}

/* "Do not renew": once of a lease, always of a subnet. */
static void test_renewal_refused(void)
{
	for (int first_free = 0; first_free <= 1; first_free++) {
		struct talk_setup setup;
		CLEANUP(talk_end) struct talk talk;
		struct error error = {.text = ""};
		talk_setup(&setup);
		setup.settings.allocation =
			first_free ? DHCP_ALLOCATE_FIRST_FREE : DHCP_ALLOCATE_LEAST_RECENT;
		talk_begin(&talk, &setup);
		struct prefix lease = {{A(100)}, 32}, subnet = {{A(0)}, 24};
		EXPECT_NUMBER(dhcp_server_refuse_renewal(
				      &talk.server, lease, true, &talk.actions, &error),
			-ENOENT);
		EXPECT_TEXT(error.text, "there is no lease of 10.0.2.100");
		EXPECT_NUMBER(LEASE(&talk, .client = 1), A(100));
		EXPECT_NUMBER(dhcp_server_refuse_renewal(
				      &talk.server, lease, true, &talk.actions, &error),
			0);
		const struct dhcp_action *save = talk_action(&talk, DHCP_SAVE_LEASE);
		EXPECT(save && save->lease.refuse_renewal, "the mark is stored");
		EXPECT_NUMBER(
			SAY(&talk, DHCPREQUEST, 1, .ciaddr = A(100), .unicast = true), DHCPNAK);
		save = talk_action(&talk, DHCP_SAVE_LEASE);
		EXPECT(save && save->lease.state == DHCP_LEASE_IDLE &&
				!save->lease.refuse_renewal && save->lease.hardware.length == 0,
			"its end is stored, its client forgotten");
		EXPECT_NUMBER(REASON(&talk, RENEWAL_REFUSED), 1);
		/* It gets another, even when it asks for the old one, and for others it is free. */
		EXPECT_NUMBER(LEASE(&talk, .client = 1, .requested = A(100)), A(101));
		EXPECT_NUMBER(
			SAY(&talk, DHCPREQUEST, 1, .ciaddr = A(101), .unicast = true), DHCPACK);
		EXPECT_NUMBER(LEASE(&talk, .client = 2, .requested = A(100)), A(100));

		EXPECT_NUMBER(dhcp_server_refuse_renewal(
				      &talk.server, subnet, true, &talk.actions, &error),
			0);
		EXPECT_NUMBER(
			SAY(&talk, DHCPREQUEST, 2, .ciaddr = A(100), .unicast = true), DHCPNAK);
		EXPECT_NUMBER(SAY(&talk, DHCPREQUEST, 1, .requested = A(101)), DHCPNAK);
		EXPECT_NUMBER(dhcp_server_refuse_renewal(
				      &talk.server, subnet, false, &talk.actions, &error),
			0);
		talk_wait(&talk, 1);
		uint32_t address = LEASE(&talk, .client = 1);
		EXPECT(address && address != A(101), "another address");
		EXPECT_NUMBER(
			SAY(&talk, DHCPREQUEST, 1, .ciaddr = address, .unicast = true), DHCPACK);
	}
}

/* Where there is no other address, it gets the refused one again. */
static void test_refused_but_alone(void)
{
	struct talk_setup setup;
	CLEANUP(talk_end) struct talk talk;
	struct error error;
	talk_setup(&setup);
	setup.ranges[0].last.host = A(100);
	talk_begin(&talk, &setup);
	EXPECT_NUMBER(LEASE(&talk, .client = 1), A(100));
	dhcp_server_refuse_renewal(
		&talk.server, (struct prefix){{A(100)}, 32}, true, &talk.actions, &error);
	EXPECT_NUMBER(SAY(&talk, DHCPREQUEST, 1, .ciaddr = A(100), .unicast = true), DHCPNAK);
	EXPECT_NUMBER(SAY(&talk, DHCPREQUEST, 1, .requested = A(100)), DHCPNAK);
	EXPECT_NUMBER(LEASE(&talk, .client = 1), A(100));
	EXPECT_NUMBER(SAY(&talk, DHCPREQUEST, 1, .ciaddr = A(100), .unicast = true), DHCPACK);
}

static void test_not_authoritative(void)
{
	for (int silent = 0; silent <= 1; silent++) {
		struct talk_setup setup;
		CLEANUP(talk_end) struct talk talk;
		talk_setup(&setup);
		setup.settings.not_authoritative = silent;
		talk_begin(&talk, &setup);
		unsigned unknown = silent ? 0 : DHCPNAK;
		EXPECT_NUMBER(SAY(&talk, DHCPREQUEST, 1, .requested = A(100)), unknown);
		EXPECT_NUMBER(SAY(&talk, DHCPREQUEST, 1, .requested = 0xc0a80101), unknown);
		EXPECT_NUMBER(REASON(&talk, UNKNOWN_CLIENT), silent ? 2 : 0);
		EXPECT_NUMBER(LEASE(&talk, .client = 1), A(100));
		EXPECT_NUMBER(SAY(&talk, DHCPREQUEST, 1, .requested = A(101)), DHCPNAK);
		EXPECT_NUMBER(SAY(&talk, DHCPREQUEST, 1, .requested = 0xc0a80101), DHCPNAK);
		/* It named us: no other server answers. */
		EXPECT_NUMBER(SAY(&talk, DHCPREQUEST, 2, .requested = A(100), .server_id = A(1)),
			DHCPNAK);
	}
}

static void test_declines(void)
{
	struct talk_setup setup;
	CLEANUP(talk_end) struct talk talk;
	talk_setup(&setup);
	setup.ranges[0].last.host = A(120);
	talk_begin(&talk, &setup);
	for (unsigned i = 0; i < 10; i++) {
		uint32_t address = LEASE(&talk, .client = 1);
		EXPECT(address, "an address");
		SAY(&talk, DHCPDECLINE, 1, .requested = address, .server_id = A(1));
		const struct dhcp_action *save = talk_action(&talk, DHCP_SAVE_LEASE);
		EXPECT(save && save->lease.state == (i < 3 ? DHCP_LEASE_DECLINED : DHCP_LEASE_IDLE),
			"decline %u", i);
	}
	EXPECT_NUMBER(REASON(&talk, DECLINE_LIMIT), 7);
	EXPECT_NUMBER(dhcp_pool_free(&talk.server.subnets[0].pool), 18);
	/* Another client has its own share; an offer cannot be declined. */
	SAY(&talk, DHCPDECLINE, 2, .requested = LEASE(&talk, .client = 2), .server_id = A(1));
	EXPECT_NUMBER(dhcp_pool_free(&talk.server.subnets[0].pool), 17);
	EXPECT_NUMBER(SAY(&talk, DHCPDISCOVER, 3), DHCPOFFER);
	uint32_t offered = talk.reply.header.yiaddr.host;
	SAY(&talk, DHCPDECLINE, 3, .requested = offered, .server_id = A(1));
	EXPECT_NUMBER(REASON(&talk, NOT_HELD), 1);
	talk_wait(&talk, 601 * NS_PER_SECOND);
	EXPECT_NUMBER(dhcp_pool_free(&talk.server.subnets[0].pool), 21);
	SAY(&talk, DHCPDECLINE, 1, .requested = LEASE(&talk, .client = 1), .server_id = A(1));
	EXPECT_NUMBER(dhcp_pool_free(&talk.server.subnets[0].pool), 20);
}

static const struct dhcp_port *find_port(const struct talk *talk, const char *text)
{
	struct dhcp_port_name name = {.length = (uint8_t)strlen(text)};
	memcpy(name.bytes, text, name.length);
	return dhcp_ports_find(&talk->server.ports, &name);
}

static void test_port_limits(void)
{
	struct talk_setup setup;
	CLEANUP(talk_end) struct talk talk;
	talk_setup(&setup);
	setup.ranges[0].last.host = A(120);
	setup.settings.port_leases = 3;
	setup.settings.port_offers = 2;
	talk_begin(&talk, &setup);
	EXPECT_NUMBER(SAY(&talk, DHCPDISCOVER, 1, .interface = 5), DHCPOFFER);
	EXPECT_NUMBER(SAY(&talk, DHCPDISCOVER, 2, .interface = 5), DHCPOFFER);
	EXPECT_NUMBER(SAY(&talk, DHCPDISCOVER, 1, .interface = 5), DHCPOFFER); /* its own */
	EXPECT_NUMBER(SAY(&talk, DHCPDISCOVER, 3, .interface = 5), 0);
	EXPECT_NUMBER(REASON(&talk, PORT_OFFERS), 1);
	EXPECT_NUMBER(find_port(&talk, "interface 5")->offers, 2);
	EXPECT_NUMBER(SAY(&talk, DHCPDISCOVER, 3, .interface = 6), DHCPOFFER);
	for (unsigned client = 1; client <= 2; client++)
		EXPECT(LEASE(&talk, .client = client, .interface = 5), "client %u", client);
	const struct dhcp_action *save = talk_action(&talk, DHCP_SAVE_LEASE);
	EXPECT_BYTES(save->lease.port, save->lease.port_length, "interface 5", 11);
	uint32_t third = LEASE(&talk, .client = 4, .interface = 5);
	EXPECT(third, "the third");
	EXPECT_NUMBER(SAY(&talk, DHCPDISCOVER, 5, .interface = 5), 0);
	EXPECT_NUMBER(REASON(&talk, PORT_LEASES), 1);
	EXPECT_NUMBER(
		SAY(&talk, DHCPREQUEST, 5, .requested = A(119), .server_id = A(1), .interface = 5),
		DHCPNAK);
	EXPECT_NUMBER(REASON(&talk, PORT_LEASES), 2);
	/* Renewals go on, by unicast from anywhere. */
	EXPECT_NUMBER(SAY(&talk, DHCPREQUEST, 4, .ciaddr = third, .unicast = true, .interface = 9),
		DHCPACK);
	EXPECT_NUMBER(find_port(&talk, "interface 5")->leases, 3);
	/* A declined address counts; a released one no longer. */
	SAY(&talk, DHCPDECLINE, 4, .requested = third, .server_id = A(1), .interface = 5);
	EXPECT_NUMBER(SAY(&talk, DHCPDISCOVER, 5, .interface = 5), 0);
	SAY(&talk, DHCPRELEASE, 1, .ciaddr = A(100), .server_id = A(1), .unicast = true);
	EXPECT_NUMBER(SAY(&talk, DHCPDISCOVER, 5, .interface = 5), DHCPOFFER);
	/* Circuits behind a relay are ports of their own; without a relay a circuit is nobody's. */
	for (unsigned client = 20; client < 23; client++)
		EXPECT(LEASE(&talk, .client = client, .giaddr = A(2), .circuit = "eth0/1"),
			"client %u", client);
	EXPECT_NUMBER(find_port(&talk, "10.0.2.2 \"eth0/1\"")->leases, 3);
	EXPECT_NUMBER(LEASE(&talk, .client = 23, .giaddr = A(2), .circuit = "eth0/1"), 0);
	EXPECT(LEASE(&talk, .client = 23, .giaddr = A(2), .circuit = "eth0/2"), "another");
	EXPECT_NUMBER(LEASE(&talk, .client = 24, .interface = 5, .circuit = "forged"), 0);
	/* All over: nothing is counted any more. */
	talk_wait(&talk, 5000 * NS_PER_SECOND);
	EXPECT(!find_port(&talk, "interface 5") && !find_port(&talk, "10.0.2.2 \"eth0/1\""),
		"ports without leases are forgotten");
}

static void test_ports_restored(void)
{
	struct talk_setup setup;
	CLEANUP(talk_end) struct talk talk;
	talk_setup(&setup);
	setup.settings.port_leases = 2;
	talk_begin(&talk, &setup);
	for (unsigned i = 0; i < 2; i++) {
		struct dhcp_lease_record record = {
			.address = {A(100 + i)},
			.state = i ? DHCP_LEASE_DECLINED : DHCP_LEASE_BOUND,
			.hardware = {1, 6, {2, 0, 0, 0, 0, (uint8_t)(1 + i)}},
			.ends_ns = talk.now_ns + 100 * NS_PER_SECOND,
			.port = "interface 2",
			.port_length = 11,
		};
		EXPECT(dhcp_server_restore(&talk.server, &record, talk.now_ns), "restored");
	}
	EXPECT_NUMBER(find_port(&talk, "interface 2")->leases, 2);
	EXPECT_NUMBER(SAY(&talk, DHCPDISCOVER, 3), 0);
	EXPECT_NUMBER(SAY(&talk, DHCPDISCOVER, 1), DHCPOFFER);
	talk_wait(&talk, 101 * NS_PER_SECOND);
	EXPECT_NUMBER(SAY(&talk, DHCPDISCOVER, 3), DHCPOFFER);
}

static void test_probing(void)
{
	struct talk_setup setup;
	CLEANUP(talk_end) struct talk talk;
	talk_setup(&setup);
	setup.settings.probe_ns = NS_PER_SECOND;
	talk_begin(&talk, &setup);
	EXPECT_NUMBER(SAY(&talk, DHCPDISCOVER, 1), 0);
	const struct dhcp_action *probe = talk_action(&talk, DHCP_PROBE);
	EXPECT(probe && probe->probe.address.host == A(100) && probe->probe.interface == 2,
		"its address is probed on its link");
	EXPECT_NUMBER(talk.actions.deadline_ns, talk.now_ns + NS_PER_SECOND);
	/* Nobody else waits: what was offered before is taken, another begins. */
	talk_wait(&talk, NS_PER_SECOND / 2);
	EXPECT_NUMBER(SAY(&talk, DHCPDISCOVER, 2, .giaddr = A(2)), 0);
	probe = talk_action(&talk, DHCP_PROBE);
	EXPECT(probe && probe->probe.address.host == A(101) && probe->probe.interface == 0,
		"another's, routed");
	/* Asked again meanwhile: no second probe, and no later answer. */
	EXPECT_NUMBER(SAY(&talk, DHCPDISCOVER, 1, .wish = 50), 0);
	EXPECT(!talk_action(&talk, DHCP_PROBE), "one probe is enough");
	/* What is being probed nobody has offered. */
	EXPECT_NUMBER(SAY(&talk, DHCPREQUEST, 1, .requested = A(100), .server_id = A(1)), DHCPNAK);
	EXPECT_NUMBER(talk_wait(&talk, NS_PER_SECOND / 2), DHCPOFFER);
	EXPECT_NUMBER(talk.reply.header.yiaddr.host, A(100));
	EXPECT_NUMBER(talk.reply.header.xid, 0x1001);
	uint32_t seconds = 0;
	dhcp_message_u32(&talk.reply, DHCP_OPTION_LEASE_TIME, &seconds);
	EXPECT_NUMBER(seconds, 50); /* of the newer request */
	EXPECT_NUMBER(talk.server.received[DHCPDISCOVER], 3);
	EXPECT_NUMBER(SAY(&talk, DHCPREQUEST, 1, .requested = A(100), .server_id = A(1)), DHCPACK);
	/* Somebody uses the other one: set aside, and the next is probed. */
	EXPECT_NUMBER(talk_event(&talk, DHCP_SERVER_IN_USE, A(101)), 0);
	const struct dhcp_action *save = talk_action(&talk, DHCP_SAVE_LEASE);
	probe = talk_action(&talk, DHCP_PROBE);
	EXPECT(save && save->lease.state == DHCP_LEASE_DECLINED &&
			save->lease.address.host == A(101) && save->lease.hardware.length == 0,
		"set aside");
	EXPECT(probe && probe->probe.address.host == A(102), "the next");
	EXPECT_NUMBER(talk_wait(&talk, NS_PER_SECOND), DHCPOFFER);
	EXPECT_NUMBER(talk.reply.header.yiaddr.host, A(102));
	EXPECT_NUMBER(REASON(&talk, ADDRESS_IN_USE), 1);
	/* What the client holds, or was just offered, is not probed. */
	EXPECT_NUMBER(SAY(&talk, DHCPDISCOVER, 1), DHCPOFFER);
	EXPECT_NUMBER(SAY(&talk, DHCPDISCOVER, 2, .giaddr = A(2)), DHCPOFFER);
	EXPECT_NUMBER(talk_event(&talk, DHCP_SERVER_IN_USE, A(100)), 0); /* its client itself */
	EXPECT(!talk_action(&talk, DHCP_SAVE_LEASE), "a lease stays one");
	/* Its lease over, it is. */
	talk_wait(&talk, 1000 * NS_PER_SECOND);
	EXPECT_NUMBER(SAY(&talk, DHCPDISCOVER, 1), 0);
	EXPECT(talk_action(&talk, DHCP_PROBE) != NULL, "probed again");
}

/* At most so many wait, and each one's turn comes. */
static void test_probes_bounded(void)
{
	struct talk_setup setup;
	CLEANUP(talk_end) struct talk talk;
	talk_setup(&setup);
	setup.subnets[0].prefix = (struct prefix){{0x0a000000}, 15};
	setup.ranges[0] = (struct dhcp_range){{0x0a010000}, {0x0a01ff00}};
	setup.settings.subnet_count = 1;
	setup.settings.probe_ns = NS_PER_SECOND;
	talk_begin(&talk, &setup);
	unsigned probes = 0, offers = 0;
	for (unsigned client = 1; client <= DHCP_PROBES_MAX + 10; client++) {
		EXPECT_NUMBER(SAY(&talk, DHCPDISCOVER, client), 0);
		probes += talk_count(&talk, DHCP_PROBE);
	}
	EXPECT_NUMBER(probes, DHCP_PROBES_MAX);
	EXPECT_NUMBER(REASON(&talk, PROBES), 10);
	talk_wait(&talk, NS_PER_SECOND);
	for (;;) {
		offers += talk.answer == DHCPOFFER;
		if (talk.actions.deadline_ns > talk.now_ns)
			break;
		talk_wait(&talk, 0);
	}
	EXPECT_NUMBER(offers, DHCP_PROBES_MAX);
	EXPECT_NUMBER(SAY(&talk, DHCPDISCOVER, 5000), 0);
	EXPECT(talk_action(&talk, DHCP_PROBE) != NULL, "there is room again");
}

/* Clients without a hardware address (RFC 4390) are not one machine for that. */
static void test_no_hardware(void)
{
	static const struct dhcp_binding binding = {
		.client = {5, {0, 'o', 'n', 'e', '2'}}, .address = {A(100)}};
	struct talk_setup setup, bound;
	CLEANUP(talk_end) struct talk talk;
	talk_start(&talk, &setup);
	EXPECT_NUMBER(LEASE(&talk, .no_hardware = true, .id = "one1"), A(100));
	talk_setup(&bound);
	bound.subnets[0].bindings = &binding;
	bound.subnets[0].binding_count = 1;
	talk_change(&talk, &bound, 0);
	EXPECT_NUMBER(LEASE(&talk, .no_hardware = true, .id = "one2"), 0);
	EXPECT_NUMBER(REASON(&talk, BINDING_HELD), 1);
}

/* A declined address that is bound to a client since no longer counts against who declined it. */
static void test_declined_then_bound(void)
{
	static const struct dhcp_binding binding = {
		.client = {8, {1, 1, 2, 0, 0, 0, 0, 2}}, .address = {A(100)}};
	struct talk_setup setup, bound;
	CLEANUP(talk_end) struct talk talk;
	talk_start(&talk, &setup);
	SAY(&talk, DHCPDECLINE, 1, .requested = LEASE(&talk, .client = 1), .server_id = A(1));
	EXPECT_NUMBER(talk.server.decliners.count, 1);
	talk_setup(&bound);
	bound.subnets[0].bindings = &binding;
	bound.subnets[0].binding_count = 1;
	talk_change(&talk, &bound, 0);
	EXPECT_NUMBER(LEASE(&talk, .client = 2), A(100));
	EXPECT_NUMBER(talk.server.decliners.count, 0);
}

/* A failed commit after two requests of one client: its address is not held for a lease. */
static void test_not_saved_twice(void)
{
	struct talk_setup setup;
	CLEANUP(talk_end) struct talk talk;
	talk_start(&talk, &setup);
	EXPECT_NUMBER(LEASE(&talk, .client = 1), A(100));
	EXPECT_NUMBER(SAY(&talk, DHCPREQUEST, 1, .requested = A(100), .server_id = A(1)), DHCPACK);
	for (int i = 0; i < 2; i++)
		talk_event(&talk, DHCP_SERVER_NOT_SAVED, A(100));
	EXPECT_NUMBER(talk.actions.deadline_ns, talk.now_ns + 10 * NS_PER_SECOND);
	talk_wait(&talk, 10 * NS_PER_SECOND);
	EXPECT_NUMBER(dhcp_pool_free(&talk.server.subnets[0].pool), 4);
	/* And two renewals of one that runs: it runs to the end that its client knows. */
	EXPECT_NUMBER(LEASE(&talk, .client = 1), A(100));
	uint64_t end_ns = talk.actions.deadline_ns;
	talk_wait(&talk, 20 * NS_PER_SECOND);
	for (int i = 0; i < 2; i++)
		SAY(&talk, DHCPREQUEST, 1, .ciaddr = A(100), .unicast = true);
	for (int i = 0; i < 2; i++)
		talk_event(&talk, DHCP_SERVER_NOT_SAVED, A(100));
	EXPECT_NUMBER(talk.actions.deadline_ns, end_ns);
}

/* A refusal that could not be stored was not told either: the client goes on, and holds its lease. */
static void test_refusal_not_saved(void)
{
	struct talk_setup setup;
	CLEANUP(talk_end) struct talk talk;
	struct error error;
	talk_start(&talk, &setup);
	EXPECT_NUMBER(LEASE(&talk, .client = 1), A(100));
	uint64_t end_ns = talk.actions.deadline_ns;
	talk_wait(&talk, 10 * NS_PER_SECOND);
	dhcp_server_refuse_renewal(
		&talk.server, (struct prefix){{A(100)}, 32}, true, &talk.actions, &error);
	EXPECT_NUMBER(SAY(&talk, DHCPREQUEST, 1, .ciaddr = A(100), .unicast = true), DHCPNAK);
	talk_event(&talk, DHCP_SERVER_NOT_SAVED, A(100));
	EXPECT_NUMBER(talk.actions.deadline_ns, end_ns);
	EXPECT_NUMBER(LEASE(&talk, .client = 2, .requested = A(100)), A(101));
	EXPECT_NUMBER(SAY(&talk, DHCPREQUEST, 1, .ciaddr = A(100), .unicast = true), DHCPNAK);
	/* A late word of what was stored long ago changes nothing. */
	talk_wait(&talk, NS_PER_SECOND);
	end_ns = talk.actions.deadline_ns;
	talk_event(&talk, DHCP_SERVER_NOT_SAVED, A(101));
	EXPECT_NUMBER(talk.actions.deadline_ns, end_ns);
}

/* The same, and another client is after its address in the same batch: one of them at most has it. */
static void test_refusal_not_saved_for_others(void)
{
	for (unsigned i = 0; i < 3; i++) {
		struct talk_setup setup;
		CLEANUP(talk_end) struct talk talk;
		struct error error;
		talk_setup(&setup);
		setup.ranges[0].last.host = A(100);
		setup.subnets[0].rapid_commit = true;
		talk_begin(&talk, &setup);
		EXPECT_NUMBER(LEASE(&talk, .client = 1), A(100));
		talk_wait(&talk, NS_PER_SECOND);
		dhcp_server_refuse_renewal(
			&talk.server, (struct prefix){{A(100)}, 32}, true, &talk.actions, &error);
		EXPECT_NUMBER(
			SAY(&talk, DHCPREQUEST, 1, .ciaddr = A(100), .unicast = true), DHCPNAK);
		static const struct say others[] = {
			{.type = DHCPDISCOVER, .client = 2},
			{.type = DHCPDISCOVER, .client = 2, .requested = A(100), .rapid = true},
			{.type = DHCPREQUEST, .client = 2, .requested = A(100), .server_id = A(1)},
		};
		EXPECT(talk_say(&talk, &others[i]) == (i == 2 ? DHCPNAK : 0), "%u", i);
		talk_event(&talk, DHCP_SERVER_NOT_SAVED, A(100));
		EXPECT(LEASE(&talk, .client = 2) == 0, "%u: given twice", i);
		/* Refused again, and stored: from the next moment on it is anybody's. */
		EXPECT_NUMBER(
			SAY(&talk, DHCPREQUEST, 1, .ciaddr = A(100), .unicast = true), DHCPNAK);
		talk_wait(&talk, 1);
		EXPECT_NUMBER(LEASE(&talk, .client = 2), A(100));
	}
}

/* Many leases that end at once do not hold up a message: they are told a few at a time. */
static void test_many_ends(void)
{
	struct talk_setup setup;
	CLEANUP(talk_end) struct talk talk;
	talk_start_large(&talk, &setup);
	for (unsigned client = 1; client <= 1000; client++)
		EXPECT(LEASE(&talk, .client = client), "client %u", client);
	talk_wait(&talk, 200 * NS_PER_SECOND);
	unsigned steps = 1;
	for (; talk.actions.deadline_ns <= talk.now_ns && steps < 100; steps++)
		talk_wait(&talk, 0);
	EXPECT(steps > 1 && steps < 100, "%u steps", steps);
	EXPECT_NUMBER(dhcp_pool_free(&talk.server.subnets[0].pool), 0xff01);
}

int main(void)
{
	test_subnets();
	test_forged_relays();
	test_moving();
	test_ranges_and_allocation();
	test_bindings();
	test_identity();
	test_lease_times();
	test_renewal_refused();
	test_refused_but_alone();
	test_not_authoritative();
	test_declines();
	test_port_limits();
	test_ports_restored();
	test_probing();
	test_probes_bounded();
	test_not_saved_twice();
	test_refusal_not_saved();
	test_refusal_not_saved_for_others();
	test_no_hardware();
	test_declined_then_bound();
	test_many_ends();
	return unit_finish();
}
