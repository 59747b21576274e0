/* dhcp/pool.h and what it stands on: tables, heaps, maps, bindings, ports; other settings. */
#include <errno.h>

#include "base/cleanup.h"
#include "chance.h"
#include "dhcp/pool_parts.h"
#include "dhcp_talk.h"

static bool table_has(const struct dhcp_table *table, uint32_t hash, uint32_t number)
{
	size_t at = hash;
	for (uint32_t link; (link = dhcp_table_next(table, hash, &at));)
		if (link - 1 == number)
			return true;
	return false;
}

/* With hashes that nearly all collide, and ones that never do. */
static void test_table(void)
{
	static const uint32_t kinds[] = {3, 50, UINT32_MAX};
	enum { NUMBERS = 200, ROUNDS = 5000 };
	for (size_t kind = 0; kind < ARRAY_LENGTH(kinds); kind++) {
		CLEANUP(dhcp_table_finish) struct dhcp_table table = {0};
		bool there[NUMBERS] = {false};
		long count = 0;
		EXPECT(!table_has(&table, 1, 1), "an empty one has nothing");
		for (int round = 0; round < ROUNDS; round++) {
			uint32_t number = random_below(NUMBERS);
			uint32_t hash = number * UINT32_C(2654435761) % kinds[kind];
			if (there[number]) {
				dhcp_table_remove(&table, hash, number);
			} else {
				EXPECT(dhcp_table_reserve(&table), "memory");
				dhcp_table_insert(&table, hash, number);
			}
			there[number] = !there[number];
			count += there[number] ? 1 : -1;
			for (uint32_t i = 0; i < NUMBERS; i += 1 + random_below(20)) {
				uint32_t other = i * UINT32_C(2654435761) % kinds[kind];
				EXPECT(table_has(&table, other, i) == there[i],
					"round %d: number %u", round, i);
			}
			EXPECT((long)table.count == count, "round %d: count", round);
		}
	}
}

static void test_free_map(void)
{
	static const size_t sizes[] = {0, 1, 63, 64, 65, 4096, 4097, 300000};
	for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++) {
		CLEANUP(dhcp_free_map_finish) struct dhcp_free_map map;
		size_t size = sizes[i];
		EXPECT(dhcp_free_map_init(&map, size), "memory");
		EXPECT_NUMBER(dhcp_free_map_next(&map, 0), 0);
		EXPECT_NUMBER(dhcp_free_map_next(&map, size), size);
		if (size == 0)
			continue;
		EXPECT_NUMBER(dhcp_free_map_next(&map, size - 1), size - 1);
		for (size_t number = 0; number < size; number++)
			dhcp_free_map_set(&map, number, false);
		EXPECT_NUMBER(dhcp_free_map_next(&map, 0), size);
		CLEANUP(free_pointer) bool *model = calloc(size, sizeof(*model));
		for (int round = 0; round < 300; round++) {
			size_t number = random_below((uint32_t)size);
			model[number] = random_below(3) > 0;
			dhcp_free_map_set(&map, number, model[number]);
			size_t from = random_below((uint32_t)size), expected = from;
			while (expected < size && !model[expected])
				expected++;
			EXPECT_NUMBER(dhcp_free_map_next(&map, from), expected);
		}
	}
}

/* The next to end is the next to end, whatever was put in, moved and taken out before. */
static void test_heap(void)
{
	enum { LEASES = 300, ROUNDS = 20000 };
	CLEANUP(dhcp_leases_finish) struct dhcp_leases leases = {0};
	dhcp_leases_init(&leases, 1);
	for (uint32_t i = 0; i < LEASES; i++)
		EXPECT(dhcp_leases_add(&leases, (struct ipv4){i}, false), "memory");
	for (int round = 0; round < ROUNDS; round++) {
		struct dhcp_lease *lease = &leases.list[random_below(LEASES)];
		uint64_t ends_ns = random_below(20) ? 1 + random_below(1000) : DHCP_NEVER;
		dhcp_lease_set_state(&leases, lease,
			(enum dhcp_lease_state)random_below(DHCP_LEASE_STATES), ends_ns);
		uint64_t first_ns = DHCP_NEVER;
		size_t held = 0;
		for (size_t i = 0; i < LEASES; i++) {
			const struct dhcp_lease *at = &leases.list[i];
			held += at->state != DHCP_LEASE_IDLE;
			if (at->state != DHCP_LEASE_IDLE && at->ends_ns < first_ns)
				first_ns = at->ends_ns;
		}
		const struct dhcp_lease *next = dhcp_leases_next_ending(&leases);
		EXPECT((next ? next->ends_ns : DHCP_NEVER) == first_ns, "round %d", round);
		EXPECT_NUMBER(LEASES - leases.in_state[0][DHCP_LEASE_IDLE], held);
		EXPECT_NUMBER(leases.idle[0].count + leases.idle[1].count, LEASES - held);
	}
}

/* Identities of all lengths, near and far, come and go. */
static void test_clients(void)
{
	enum { CLIENTS = 120, LEASES = 60, ROUNDS = 20000 };
	CLEANUP(dhcp_leases_finish) struct dhcp_leases leases = {0};
	CLEANUP(free_pointer) struct dhcp_identity *clients = calloc(CLIENTS, sizeof(*clients));
	uint32_t holds[CLIENTS] = {0}; /* a lease's number plus one */
	dhcp_leases_init(&leases, 1);
	for (uint32_t i = 0; i < LEASES; i++)
		dhcp_leases_add(&leases, (struct ipv4){i}, false);
	for (uint32_t i = 0; i < CLIENTS; i++) {
		uint8_t id[DHCP_CLIENT_ID_MAX];
		memset(id, (int)i, sizeof(id));
		dhcp_identity_make(id, 2 + i * 2 % 254, NULL, &clients[i]);
	}
	for (int round = 0; round < ROUNDS; round++) {
		uint32_t client = random_below(CLIENTS), number = random_below(LEASES);
		if (holds[client]) {
			dhcp_lease_forget_client(&leases, &leases.list[holds[client] - 1]);
			holds[client] = 0;
		} else {
			for (uint32_t i = 0; i < CLIENTS; i++)
				if (holds[i] == number + 1)
					holds[i] = 0;
			EXPECT(dhcp_lease_set_client(
				       &leases, &leases.list[number], &clients[client]),
				"memory");
			holds[client] = number + 1;
		}
		for (uint32_t i = 0; i < CLIENTS; i += 1 + random_below(30)) {
			const struct dhcp_lease *lease =
				dhcp_leases_of_client(&leases, &clients[i]);
			uint32_t seen = lease ? dhcp_lease_number(&leases, lease) + 1 : 0;
			EXPECT(seen == holds[i], "round %d: client %u", round, i);
		}
	}
}

static void test_port_names(void)
{
	static const struct {
		uint32_t giaddr;
		uint8_t bytes[80];
		uint16_t length;
		const char *name;
	} cases[] = {
		{A(1), "eth0/1", 6, "10.0.2.1 \"eth0/1\""},
		{A(1), "\0\4\0\x2a", 4, "10.0.2.1 0x0004002a"},
		{A(1), "", 0, "10.0.2.1"},
		{UINT32_MAX, "0123456789012345678901234567890123456789012345", 46,
			"255.255.255.255 \"0123456789012345678901234567890123456789012345\""},
	};
	struct dhcp_port_name name, other;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct dhcp_field circuit = {cases[i].bytes, cases[i].length};
		dhcp_port_name_of_circuit((struct ipv4){cases[i].giaddr}, &circuit, &name);
		EXPECT_BYTES(name.bytes, name.length, cases[i].name, strlen(cases[i].name));
	}
	/* Too long for a name: shortened, but two are never one. */
	uint8_t bytes[255] = {1};
	struct dhcp_field circuit = {bytes, sizeof(bytes)};
	dhcp_port_name_of_circuit((struct ipv4){UINT32_MAX}, &circuit, &name);
	bytes[254] = 1;
	dhcp_port_name_of_circuit((struct ipv4){UINT32_MAX}, &circuit, &other);
	EXPECT_NUMBER(name.length, 33);
	EXPECT(memcmp(name.bytes, other.bytes, 33) != 0, "another circuit, another name");
	dhcp_port_name_of_interface(UINT32_MAX, &name);
	EXPECT_BYTES(name.bytes, name.length, "interface 4294967295", 20);
}

static void test_decliners(void)
{
	CLEANUP(free_pointer) struct dhcp_decliners *decliners = calloc(1, sizeof(*decliners));
	struct dhcp_hardware hardware = {1, 6, {2}};
	for (uint32_t i = 0; i < DHCP_DECLINERS_MAX; i++) {
		memcpy(hardware.bytes + 1, &i, sizeof(i));
		for (int times = 0; times < 5; times++)
			EXPECT(dhcp_decliners_add(decliners, &hardware) ==
					(times < DHCP_DECLINE_MOST),
				"client %u, %d times", i, times);
	}
	hardware.bytes[0] = 4;
	EXPECT(!dhcp_decliners_add(decliners, &hardware), "the table is full");
	dhcp_decliners_remove(decliners, &hardware); /* unknown: nothing */
	hardware.bytes[0] = 2;
	for (int times = 0; times < DHCP_DECLINE_MOST; times++)
		dhcp_decliners_remove(decliners, &hardware);
	hardware.bytes[0] = 4;
	EXPECT(dhcp_decliners_add(decliners, &hardware), "there is room again");
}

/* An address that was only ever offered is used before a new one: a flood fills no memory. */
static void test_flood_of_offers(void)
{
	struct talk_setup setup;
	CLEANUP(talk_end) struct talk talk;
	talk_start_large(&talk, &setup);
	for (unsigned client = 1; client <= 2000; client++) {
		talk.now_ns += NS_PER_SECOND;
		EXPECT_NUMBER(SAY(&talk, DHCPDISCOVER, client), DHCPOFFER);
	}
	EXPECT(talk.server.subnets[0].pool.leases.count <= 11, "%zu leases in memory",
		talk.server.subnets[0].pool.leases.count);
}

/* Leases go on under other settings; what has no place any more is refused. */
static void test_other_settings(void)
{
	struct talk_setup setup, other;
	CLEANUP(talk_end) struct talk talk;
	talk_start(&talk, &setup);
	for (unsigned client = 1; client <= 4; client++)
		EXPECT_NUMBER(LEASE(&talk, .client = client), A(99 + client));
	EXPECT_NUMBER(LEASE(&talk, .client = 9, .local = B(1)), B(100));
	talk_change(&talk, &setup, 0); /* nothing new */
	EXPECT_NUMBER(SAY(&talk, DHCPREQUEST, 1, .ciaddr = A(100), .unicast = true), DHCPACK);
	EXPECT_NUMBER(dhcp_pool_free(&talk.server.subnets[0].pool), 0);

	/* A range that moves: .100 and .101 are outside now, .104 and .105 are new. */
	talk_setup(&other);
	other.ranges[0] = (struct dhcp_range){{A(102)}, {A(105)}};
	talk_change(&talk, &other, 0);
	EXPECT_NUMBER(dhcp_pool_free(&talk.server.subnets[0].pool), 2);
	EXPECT_NUMBER(SAY(&talk, DHCPREQUEST, 1, .ciaddr = A(100), .unicast = true), DHCPNAK);
	EXPECT_NUMBER(SAY(&talk, DHCPREQUEST, 3, .ciaddr = A(102), .unicast = true), DHCPACK);
	EXPECT_NUMBER(LEASE(&talk, .client = 1), A(104));
	/* And back: 2 has not been heard of, its lease still stands. */
	talk_change(&talk, &setup, 0);
	EXPECT_NUMBER(SAY(&talk, DHCPREQUEST, 2, .ciaddr = A(101), .unicast = true), DHCPACK);
	EXPECT_NUMBER(LEASE(&talk, .client = 5), A(100));
	EXPECT_NUMBER(LEASE(&talk, .client = 6), 0);

	/* A subnet goes and comes back: its leases with it. */
	talk_setup(&other);
	other.settings.subnet_count = 1;
	talk_change(&talk, &other, 0);
	EXPECT_NUMBER(SAY(&talk, DHCPDISCOVER, 10, .local = B(1)), 0);
	talk_change(&talk, &setup, 0);
	EXPECT_NUMBER(LEASE(&talk, .client = 10, .local = B(1)), B(101));
	EXPECT_NUMBER(SAY(&talk, DHCPREQUEST, 9, .ciaddr = B(100), .unicast = true), DHCPACK);

	/* Both become one: every lease that has a place is there. */
	talk_setup(&other);
	other.subnets[0].prefix = (struct prefix){{A(0)}, 23};
	other.ranges[0] = (struct dhcp_range){{A(100)}, {B(103)}};
	other.settings.subnet_count = 1;
	talk_change(&talk, &other, 0);
	EXPECT_NUMBER(SAY(&talk, DHCPREQUEST, 9, .ciaddr = B(100), .unicast = true), DHCPACK);
	EXPECT_NUMBER(SAY(&talk, DHCPREQUEST, 2, .ciaddr = A(101), .unicast = true), DHCPACK);
	uint32_t fresh = LEASE(&talk, .client = 20, .requested = A(101));
	EXPECT(fresh && fresh != A(101), "what is held is not free");

	/* What cannot be leaves everything as it is. */
	talk_setup(&other);
	other.subnets[0].prefix = (struct prefix){{0}, 0};
	other.ranges[0] = (struct dhcp_range){{0x01000000}, {0x0a000000}};
	other.settings.subnet_count = 1;
	talk_change(&talk, &other, -E2BIG);
	EXPECT_NUMBER(SAY(&talk, DHCPREQUEST, 9, .ciaddr = B(100), .unicast = true), DHCPACK);
}

/* A new binding wins over the old lease at the client's next message. */
static void test_new_binding(void)
{
	struct talk_setup setup, other;
	CLEANUP(talk_end) struct talk talk;
	struct dhcp_binding bindings[] = {
		{.client = {8, {1, 1, 2, 0, 0, 0, 0, 1}}, .address = {A(101)}}};
	talk_start(&talk, &setup);
	EXPECT_NUMBER(LEASE(&talk, .client = 1), A(100));
	EXPECT_NUMBER(LEASE(&talk, .client = 2), A(101));
	talk_setup(&other);
	other.subnets[0].bindings = bindings;
	other.subnets[0].binding_count = 1;
	talk_change(&talk, &other, 0);
	EXPECT_NUMBER(SAY(&talk, DHCPREQUEST, 1, .requested = A(100)), DHCPNAK); /* INIT-REBOOT */
	EXPECT_NUMBER(SAY(&talk, DHCPDISCOVER, 1), 0); /* 2 may still use it */
	EXPECT_NUMBER(talk.server.reasons[DHCP_SERVER_BINDING_HELD], 1);
	EXPECT_NUMBER(SAY(&talk, DHCPREQUEST, 2, .ciaddr = A(101), .unicast = true), DHCPNAK);
	EXPECT_NUMBER(LEASE(&talk, .client = 2), A(102));
	EXPECT_NUMBER(LEASE(&talk, .client = 1), A(101));
	/* And gone again: the lease goes on as one of the pool. */
	talk_change(&talk, &setup, 0);
	EXPECT_NUMBER(SAY(&talk, DHCPREQUEST, 1, .ciaddr = A(101), .unicast = true), DHCPACK);
}

/* What the operator said, declines and port limits outlive other settings. */
static void test_settings_and_state(void)
{
	struct talk_setup setup;
	CLEANUP(talk_end) struct talk talk;
	struct error error;
	talk_start(&talk, &setup);
	EXPECT_NUMBER(LEASE(&talk, .client = 1), A(100));
	SAY(&talk, DHCPDECLINE, 2, .requested = LEASE(&talk, .client = 2), .server_id = A(1));
	dhcp_server_refuse_renewal(
		&talk.server, (struct prefix){{A(0)}, 24}, true, &talk.actions, &error);
	setup.settings.port_leases = 1;
	setup.ranges[0].last.host = A(110);
	talk_change(&talk, &setup, 0);
	talk_change(&talk, &setup, 0);
	EXPECT_NUMBER(SAY(&talk, DHCPREQUEST, 1, .requested = A(100)), DHCPNAK);
	EXPECT_NUMBER(talk.server.decliners.count, 1);
	EXPECT(LEASE(&talk, .client = 1), "the first of its port");
	EXPECT_NUMBER(SAY(&talk, DHCPDISCOVER, 3), 0);
	talk_change(&talk, &setup, 0);
	EXPECT_NUMBER(SAY(&talk, DHCPDISCOVER, 3), 0);
	setup.settings.port_leases = 0;
	talk_change(&talk, &setup, 0);
	EXPECT_NUMBER(SAY(&talk, DHCPDISCOVER, 3), DHCPOFFER);
	EXPECT(LEASE(&talk, .client = 3), "without a limit");
	setup.settings.port_leases = 1; /* what is not known to be at a port is not counted there */
	talk_change(&talk, &setup, 0);
	EXPECT_NUMBER(SAY(&talk, DHCPDISCOVER, 4), DHCPOFFER);
	EXPECT_NUMBER(SAY(&talk, DHCPDISCOVER, 5), 0);
	/* But a lease that runs is renewed, at a full port too. */
	dhcp_server_refuse_renewal(
		&talk.server, (struct prefix){{A(0)}, 24}, false, &talk.actions, &error);
	uint32_t held = dhcp_leases_of_client(&talk.server.subnets[0].pool.leases,
		&(struct dhcp_identity){8, {1, 1, 2, 0, 0, 0, 0, 3}})
				->address.host;
	EXPECT_NUMBER(SAY(&talk, DHCPREQUEST, 3, .ciaddr = held), DHCPACK);
}

/* The same client stored twice: the lease that ends later is its own, the other is nobody's. */
static void test_restored_twice(void)
{
	struct talk_setup setup;
	CLEANUP(talk_end) struct talk talk;
	talk_start(&talk, &setup);
	for (unsigned i = 0; i < 2; i++) {
		struct dhcp_lease_record record = {
			.address = {A(101 + i)},
			.state = DHCP_LEASE_BOUND,
			.hardware = {1, 6, {2, 0, 0, 0, 0, 1}},
			.ends_ns = talk.now_ns + (i + 1) * NS_PER_SECOND,
		};
		EXPECT(dhcp_server_restore(&talk.server, &record, talk.now_ns), "restored");
	}
	EXPECT_NUMBER(SAY(&talk, DHCPREQUEST, 1, .requested = A(101)), DHCPNAK);
	EXPECT_NUMBER(SAY(&talk, DHCPREQUEST, 1, .requested = A(102)), DHCPACK);
	EXPECT_NUMBER(LEASE(&talk, .client = 2, .requested = A(101)), A(101));
	EXPECT_NUMBER(SAY(&talk, DHCPREQUEST, 1, .requested = A(102)), DHCPACK);
}

/* What is restored where it has no place, or twice, or as nobody's, is refused. */
static void test_not_restored(void)
{
	struct talk_setup setup;
	CLEANUP(talk_end) struct talk talk;
	talk_start(&talk, &setup);
	static const struct {
		uint32_t address;
		uint8_t hardware_length;
		bool restored;
		bool ended;
	} cases[] = {{A(99), 6, false, true}, {A(1), 6, false, true}, {0x0a000464, 6, false, false},
		{0, 6, false, false}, {A(100), 0, false, false}, {A(100), 6, true, false},
		{A(100), 6, false, false}, {A(101), 6, true, true}, {A(101), 6, false, false}};
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct dhcp_lease_record record = {
			.address = {cases[i].address},
			.state = DHCP_LEASE_BOUND,
			.hardware = {1, cases[i].hardware_length,
				{2, 0, 0, 0, 0, (uint8_t)(1 + i)}},
			.ends_ns = cases[i].ended ? 1 : talk.now_ns + NS_PER_SECOND,
		};
		EXPECT(dhcp_server_restore(&talk.server, &record, talk.now_ns) == cases[i].restored,
			"case %zu", i);
	}
}

/*
 * A restart with a smaller pool, then SIGHUP with the old one: who got an address before still uses
 * it, and nobody else gets it. Client 3 has another lease by then.
 */
static void test_restored_out_of_place(void)
{
	struct talk_setup setup, wide;
	CLEANUP(talk_end) struct talk talk;
	talk_start(&talk, &setup);
	static const uint32_t addresses[] = {A(1), A(100), A(90), A(91)};
	static const uint8_t clients[] = {2, 3, 3, 4};
	for (size_t i = 0; i < ARRAY_LENGTH(addresses); i++) {
		struct dhcp_lease_record record = {
			.address = {addresses[i]},
			.state = DHCP_LEASE_BOUND,
			.hardware = {1, 6, {2, 0, 0, 0, 0, clients[i]}},
			.ends_ns = talk.now_ns + (50 + i) * NS_PER_SECOND,
		};
		EXPECT(dhcp_server_restore(&talk.server, &record, talk.now_ns) == (i != 2), "%zu",
			i);
	}
	EXPECT_NUMBER(dhcp_pool_free(&talk.server.subnets[0].pool), 3);
	EXPECT_NUMBER(LEASE(&talk, .client = 5, .requested = A(91)), A(101));
	EXPECT_NUMBER(SAY(&talk, DHCPREQUEST, 2, .ciaddr = A(1)), DHCPNAK);
	talk_setup(&wide);
	wide.ranges[0].first.host = A(91);
	talk_change(&talk, &wide, 0);
	EXPECT(LEASE(&talk, .client = 6, .requested = A(91)) != A(91), "given twice");
	EXPECT_NUMBER(SAY(&talk, DHCPREQUEST, 4, .ciaddr = A(91), .unicast = true), DHCPACK);
	EXPECT_NUMBER(SAY(&talk, DHCPREQUEST, 3, .ciaddr = A(100), .unicast = true), DHCPACK);
}

/* Addresses that were declined and went with their subnet no longer count against the client. */
static void test_declined_and_gone(void)
{
	struct talk_setup setup, other;
	CLEANUP(talk_end) struct talk talk;
	talk_start(&talk, &setup);
	SAY(&talk, DHCPDECLINE, 1, .requested = LEASE(&talk, .client = 1), .server_id = A(1));
	SAY(&talk, DHCPDECLINE, 2, .requested = LEASE(&talk, .client = 2, .local = B(1)),
		.server_id = B(1), .local = B(1));
	EXPECT_NUMBER(talk.server.decliners.count, 2);
	talk_setup(&other);
	other.subnets[0].prefix.length = 25; /* .100 stays, and stays set aside */
	other.settings.subnet_count = 1;
	talk_change(&talk, &other, 0);
	EXPECT_NUMBER(talk.server.decliners.count, 1);
	EXPECT_NUMBER(LEASE(&talk, .client = 3, .requested = A(100)), A(101));
}

int main(void)
{
	chance_state = 5;
	test_restored_twice();
	test_not_restored();
	test_restored_out_of_place();
	test_declined_and_gone();
	test_table();
	test_free_map();
	test_heap();
	test_clients();
	test_port_names();
	test_decliners();
	test_flood_of_offers();
	test_other_settings();
	test_new_binding();
	test_settings_and_state();
	return unit_finish();
}
