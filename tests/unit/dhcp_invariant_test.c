/*
 * dhcp/server.h under a random year: clients come, renew, move, release, decline and lie, commits
 * fail, probes are answered, settings change. What the clients were told is kept here, and whatever
 * happens: no address is told to two clients at once, none that is not for clients to anybody, and
 * limits hold. The seed is fixed.
 */
#include "base/cleanup.h"
#include "chance.h"
#include "dhcp_talk.h"

enum { CLIENTS = 30, SUBNETS = 2, ROUNDS = 60000, PORT_LEASES = 4, LEASE_SECONDS = 100 };

/* What a client believes: the address that it was given in that subnet, until then. */
struct belief {
	uint32_t address;
	uint64_t ends_ns;
};

struct world {
	struct talk talk;
	struct talk_setup setups[4];
	struct dhcp_binding bindings[2];
	struct belief beliefs[CLIENTS + 1][SUBNETS];
	unsigned setup; /* the one that counts */
	unsigned acks, naks, failures, probed, changes;
};

static uint32_t local_of(unsigned subnet)
{
	return subnet ? B(1) : A(1);
}

static void make_setups(struct world *world)
{
	for (unsigned i = 0; i < 2; i++)
		world->bindings[i] = (struct dhcp_binding){
			.client = {8, {1, 1, 2, 0, 0, 0, 0, (uint8_t)(1 + i)}},
			.address = {A(100 + i)},
		};
	for (unsigned i = 0; i < ARRAY_LENGTH(world->setups); i++) {
		struct talk_setup *setup = &world->setups[i];
		talk_setup(setup);
		setup->ranges[0].last.host = A(108);
		setup->ranges[1].last.host = B(104);
		setup->subnets[0].lease.usual = setup->subnets[0].lease.most = LEASE_SECONDS;
		setup->settings.port_leases = PORT_LEASES;
	}
	world->setups[1].subnets[0].bindings = world->bindings;
	world->setups[1].subnets[0].binding_count = 2;
	world->setups[1].settings.allocation = DHCP_ALLOCATE_FIRST_FREE;
	world->setups[2].ranges[0] = (struct dhcp_range){{A(103)}, {A(112)}};
	world->setups[2].settings.probe_ns = NS_PER_SECOND;
	world->setups[3].subnets[0].rapid_commit = true;
	world->setups[3].subnets[1].refuse_renewal = true;
}

static void check_ack(struct world *world, unsigned client, unsigned subnet, uint32_t address)
{
	uint64_t now_ns = world->talk.now_ns;
	EXPECT(address > local_of(subnet) && (address & 0xff) != 0xff &&
			(address & ~0xffu) == (local_of(subnet) & ~0xffu),
		"%s is no client's address", IPV4_TEXT((struct ipv4){address}));
	for (unsigned other = 1; other <= CLIENTS; other++) {
		const struct belief *belief = &world->beliefs[other][subnet];
		EXPECT(other == client || belief->address != address || belief->ends_ns <= now_ns,
			"%s is held by %u and given to %u", IPV4_TEXT((struct ipv4){address}),
			other, client);
	}
}

/* A bound client has its address whatever others do at its port: there is one at most at each. */
static void check_ports(const struct world *world)
{
	for (size_t i = 0; i < world->talk.server.ports.count; i++)
		EXPECT(world->talk.server.ports.list[i].leases <= PORT_LEASES + 1,
			"a port has %u leases", world->talk.server.ports.list[i].leases);
}

/*
 * What comes of an answer; the commit fails sometimes, and then nobody hears it. Each is a batch of
 * its own: the next is later.
 */
static void hear(struct world *world, unsigned client, unsigned subnet)
{
	struct talk *talk = &world->talk;
	struct belief *belief = &world->beliefs[client][subnet];
	const struct dhcp_action *save = talk_action(talk, DHCP_SAVE_LEASE);
	if (save && random_below(30) == 0) {
		uint32_t addresses[DHCP_ACTIONS_MAX];
		unsigned count = 0;
		for (unsigned i = 0; i < talk->actions.count; i++)
			if (talk->actions.list[i].kind == DHCP_SAVE_LEASE)
				addresses[count++] = talk->actions.list[i].lease.address.host;
		while (count > 0)
			talk_event(talk, DHCP_SERVER_NOT_SAVED, addresses[--count]);
		world->failures++;
		talk->answer = 0;
		return;
	}
	if (talk->answer == DHCPNAK) {
		world->naks++;
		belief->address = 0;
	}
	if (talk->answer != DHCPACK || ipv4_is_none(talk->reply.header.yiaddr))
		return;
	uint32_t seconds = 0;
	dhcp_message_u32(&talk->reply, DHCP_OPTION_LEASE_TIME, &seconds);
	check_ack(world, client, subnet, talk->reply.header.yiaddr.host);
	belief->address = talk->reply.header.yiaddr.host;
	belief->ends_ns = talk->now_ns + seconds * NS_PER_SECOND;
	world->acks++;
}

static void begins(struct world *world, unsigned client, unsigned subnet)
{
	struct talk *talk = &world->talk;
	struct say say = {
		.type = DHCPDISCOVER,
		.client = client,
		.local = local_of(subnet),
		.interface = 1 + client % 4,
		.requested = random_below(3) ? 0 : local_of(subnet) + 98 + random_below(15),
		.rapid = random_below(4) == 0,
	};
	talk_say(talk, &say);
	if (talk_action(talk, DHCP_PROBE)) {
		uint32_t address = talk_action(talk, DHCP_PROBE)->probe.address.host;
		world->probed++;
		if (random_below(3) == 0)
			talk_event(talk, DHCP_SERVER_IN_USE, address);
		talk_wait(talk, NS_PER_SECOND);
	}
	/* An answer after a probe may be for another. */
	if (talk->answer && talk->reply.header.xid != 0x1000 + client)
		return;
	hear(world, client, subnet);
	if (talk->answer != DHCPOFFER || random_below(5) == 0)
		return;
	talk->now_ns++;
	say.type = DHCPREQUEST;
	say.rapid = false;
	say.requested = talk->reply.header.yiaddr.host;
	say.server_id = random_below(10) ? local_of(subnet) : 0x01010101;
	talk_say(talk, &say);
	hear(world, client, subnet);
}

static void goes_on(struct world *world, unsigned client, unsigned subnet)
{
	struct belief *belief = &world->beliefs[client][subnet];
	struct say say = {.client = client, .local = local_of(subnet), .interface = 1 + client % 4};
	switch (random_below(5)) {
	case 0:
		say.type = DHCPRELEASE;
		say.ciaddr = belief->address;
		say.unicast = true;
		break;
	case 1:
		say.type = DHCPDECLINE;
		say.requested = belief->address;
		break;
	case 2:
		say.type = DHCPREQUEST; /* INIT-REBOOT */
		say.requested = belief->address;
		break;
	default:
		say.type = DHCPREQUEST;
		say.ciaddr = belief->address;
		say.unicast = random_below(2) == 0;
	}
	if (say.type != DHCPREQUEST)
		belief->address = 0; /* it no longer uses it, whatever the server makes of that */
	talk_say(&world->talk, &say);
	hear(world, client, subnet);
}

/* A client that claims, releases and declines what is another's. */
static void lies(struct world *world, unsigned client, unsigned subnet)
{
	static const unsigned types[] = {DHCPREQUEST, DHCPRELEASE, DHCPDECLINE};
	uint32_t address = local_of(subnet) + 95 + random_below(20);
	struct say say = {
		.type = types[random_below(3)],
		.client = client,
		.ciaddr = address,
		.requested = random_below(2) ? address : 0,
		.server_id = random_below(2) ? local_of(subnet) : 0,
		.local = local_of(subnet),
		.interface = 1 + client % 4,
	};
	struct belief *own = &world->beliefs[client][subnet];
	if (own->address == address && own->ends_ns > world->talk.now_ns)
		return; /* that would be the truth */
	if (say.server_id && say.type == DHCPREQUEST)
		own->address = 0; /* it has left what it had */
	talk_say(&world->talk, &say);
	hear(world, client, subnet);
}

int main(void)
{
	CLEANUP(free_pointer) struct world *world = calloc(1, sizeof(*world));
	make_setups(world);
	talk_begin(&world->talk, &world->setups[0]);
	for (int round = 0; round < ROUNDS; round++) {
		unsigned client = 1 + random_below(CLIENTS), subnet = random_below(SUBNETS);
		struct belief *belief = &world->beliefs[client][subnet];
		if (random_below(4) == 0)
			talk_wait(&world->talk, random_below(20) * NS_PER_SECOND);
		if (belief->ends_ns <= world->talk.now_ns)
			belief->address = 0;
		if (random_below(400) == 0) {
			world->setup = random_below(ARRAY_LENGTH(world->setups));
			talk_change(&world->talk, &world->setups[world->setup], 0);
			world->changes++;
		}
		if (random_below(10) == 0)
			lies(world, client, subnet);
		else if (belief->address)
			goes_on(world, client, subnet);
		else
			begins(world, client, subnet);
		check_ports(world);
		world->talk.now_ns++;
	}
	EXPECT(world->acks > ROUNDS / 20 && world->naks > 100 && world->failures > 100 &&
			world->probed > 100 && world->changes > 50,
		"%u ACKs, %u NAKs, %u failures, %u probes, %u changes: too little happened",
		world->acks, world->naks, world->failures, world->probed, world->changes);
	talk_end(&world->talk);
	return unit_finish();
}
