/*
 * dhcp/server.h as its edge drives it: several messages of one moment, one commit for what they
 * store, and where that fails none of those answers is heard, while the others are. What the clients
 * were told is kept here: no ACK goes out that was not to be stored, and whatever the order of things
 * no address is told to two clients at once. The seed is fixed.
 */
#include "base/cleanup.h"
#include "chance.h"
#include "dhcp_talk.h"

enum { CLIENTS = 12, LAST = 105, ROUNDS = 60000, BATCH = 6, LEASE_SECONDS = 100 };

/* An answer that waits for the commit. */
struct waiting {
	unsigned client, talk; /* which of its talks it belongs to */
	unsigned type;
	uint32_t address, saved[DHCP_ACTIONS_MAX];
	unsigned saved_count;
	uint64_t ends_ns;
};

struct client {
	uint32_t address, offered; /* it uses; it may ask for */
	uint64_t ends_ns;
	unsigned talk; /* counts up: an answer to an earlier one is not listened to */
};

struct world {
	struct talk talk;
	struct talk_setup setups[3];
	struct dhcp_binding bindings[2];
	struct client clients[CLIENTS + 1];
	struct waiting waiting[BATCH];
	unsigned waiting_count, acks, refusals, failures;
};

static void make_setups(struct world *world)
{
	for (unsigned i = 0; i < 2; i++)
		world->bindings[i] = (struct dhcp_binding){
			.client = {8, {1, 1, 2, 0, 0, 0, 0, (uint8_t)(1 + i)}},
			.address = {A(100 + i)},
		};
	for (unsigned i = 0; i < ARRAY_LENGTH(world->setups); i++) {
		talk_setup(&world->setups[i]);
		world->setups[i].ranges[0].last.host = A(LAST);
		world->setups[i].subnets[0].lease.usual = LEASE_SECONDS;
		world->setups[i].settings.decline_ns = NS_PER_SECOND;
	}
	world->setups[1].settings.allocation = DHCP_ALLOCATE_FIRST_FREE;
	world->setups[1].subnets[0].rapid_commit = true;
	world->setups[2].subnets[0].bindings = world->bindings;
	world->setups[2].subnets[0].binding_count = 2;
}

static void told(struct world *world, const struct waiting *answer)
{
	struct client *client = &world->clients[answer->client];
	if (client->talk != answer->talk)
		return;
	client->offered = answer->type == DHCPOFFER ? answer->address : 0;
	if (answer->type == DHCPNAK)
		client->address = 0;
	if (answer->type != DHCPACK)
		return;
	for (unsigned i = 1; i <= CLIENTS; i++)
		EXPECT(i == answer->client || world->clients[i].address != answer->address ||
				world->clients[i].ends_ns <= world->talk.now_ns,
			"%s is held by %u and given to %u",
			IPV4_TEXT((struct ipv4){answer->address}), i, answer->client);
	client->address = answer->address;
	client->ends_ns = answer->ends_ns;
	world->acks++;
}

/* What comes of the last step: now where nothing was stored, else after the commit. */
static void hear(struct world *world, unsigned client)
{
	struct talk *talk = &world->talk;
	uint32_t seconds = 0;
	struct waiting answer = {
		.client = client,
		.talk = world->clients[client].talk,
		.type = talk->answer,
	};
	for (unsigned i = 0; i < talk->actions.count; i++)
		if (talk->actions.list[i].kind == DHCP_SAVE_LEASE)
			answer.saved[answer.saved_count++] =
				talk->actions.list[i].lease.address.host;
	if (talk->answer) {
		answer.address = talk->reply.header.yiaddr.host;
		dhcp_message_u32(&talk->reply, DHCP_OPTION_LEASE_TIME, &seconds);
	}
	answer.ends_ns = talk->now_ns + seconds * NS_PER_SECOND;
	EXPECT(answer.type != DHCPACK || answer.saved_count > 0, "an ACK, and nothing stored");
	if (answer.saved_count > 0)
		world->waiting[world->waiting_count++] = answer;
	else if (answer.type)
		told(world, &answer);
}

/* Something that the client may well say now. */
static struct say words_of(struct world *world, unsigned number)
{
	struct client *client = &world->clients[number];
	struct say say = {.type = DHCPREQUEST, .client = number};
	unsigned way = random_below(8);
	client->talk++;
	if (client->address && way < 4) {
		say.ciaddr = way % 2 ? client->address : 0;
		say.requested = way % 2 ? 0 : client->address;
		say.unicast = way % 2;
		return say;
	}
	if (client->address && way < 6) {
		say.type = way == 4 ? DHCPRELEASE : DHCPDECLINE;
		say.ciaddr = way == 4 ? client->address : 0;
		say.requested = way == 4 ? 0 : client->address;
	} else if (client->offered && way < 7) {
		say.requested = client->offered;
		say.server_id = A(1);
	} else {
		say.type = DHCPDISCOVER;
		say.requested = random_below(2) ? A(100) + random_below(8) : 0;
		say.rapid = random_below(2);
	}
	client->address = client->offered = 0;
	return say;
}

static void commit(struct world *world)
{
	bool fails = random_below(4) == 0;
	for (unsigned i = 0; i < world->waiting_count; i++) {
		const struct waiting *answer = &world->waiting[i];
		for (unsigned j = 0; fails && j < answer->saved_count; j++)
			talk_event(&world->talk, DHCP_SERVER_NOT_SAVED, answer->saved[j]);
		if (!fails && answer->type)
			told(world, answer);
		world->refusals += fails && answer->type == DHCPNAK;
	}
	world->failures += fails && world->waiting_count > 1;
	world->waiting_count = 0;
}

static void batch(struct world *world)
{
	for (unsigned i = 1 + random_below(BATCH); i > 0; i--) {
		unsigned client = 1 + random_below(CLIENTS);
		struct say say = words_of(world, client);
		talk_say(&world->talk, &say);
		hear(world, client);
	}
	commit(world);
}

/* What happens between batches: time, an operator's word, other settings. */
static void pause_between(struct world *world)
{
	struct talk *talk = &world->talk;
	struct error error;
	struct dhcp_actions actions;
	struct prefix which = {{A(100) + random_below(6)}, 32};
	talk_wait(talk, 1 + random_below(4) * NS_PER_SECOND * random_below(2));
	for (unsigned i = 1; i <= CLIENTS; i++)
		if (world->clients[i].ends_ns <= talk->now_ns)
			world->clients[i].address = 0;
	if (random_below(6) == 0)
		dhcp_server_refuse_renewal(&talk->server, which, true, &actions, &error);
	if (random_below(100) > 0)
		return;
	struct talk_setup *setup = &world->setups[random_below(ARRAY_LENGTH(world->setups))];
	talk_change(talk, setup, 0);
}

int main(void)
{
	CLEANUP(free_pointer) struct world *world = calloc(1, sizeof(*world));
	make_setups(world);
	talk_begin(&world->talk, &world->setups[0]);
	for (int round = 0; round < ROUNDS; round++) {
		batch(world);
		pause_between(world);
	}
	EXPECT(world->acks > ROUNDS / 4 && world->refusals > 300 && world->failures > 1000,
		"%u ACKs, %u refusals and %u batches lost: too little happened", world->acks,
		world->refusals, world->failures);
	talk_end(&world->talk);
	return unit_finish();
}
