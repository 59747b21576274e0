/*
 * Talking to a DHCP server machine in tests: one message said, the answer parsed. What is not
 * mentioned in a `struct say` is left out of the message.
 */
#ifndef TESTS_DHCP_TALK_H
#define TESTS_DHCP_TALK_H

#include <stdlib.h>

#include "base/clock.h"
#include "dhcp/relay_agent.h"
#include "dhcp/server.h"
#include "unit.h"

/* 10.0.2.N; the server is .1 there and 10.0.3.1 in the other subnet. */
#define A(n) (0x0a000200u + (n))
#define B(n) (0x0a000300u + (n))

struct say {
	unsigned type, client; /* its MAC ends in `client` */
	uint32_t requested, ciaddr, server_id, wish;
	uint32_t giaddr, link; /* link: suboption 5 */
	const char *id, *circuit; /* option 61; suboption 1 */
	const uint8_t *ask; /* option 55 */
	size_t ask_count;
	uint16_t size; /* option 57 */
	bool rapid, unicast, flag, no_hardware, relay_port;
	uint32_t local; /* none: A(1) */
	unsigned interface; /* none: 2 */
};

struct talk {
	struct dhcp_server server;
	struct dhcp_actions actions;
	uint64_t now_ns;
	unsigned answer; /* message type of the last answer; 0: silence */
	struct dhcp_message reply; /* it, parsed */
};

static inline const struct dhcp_action *talk_action(
	const struct talk *talk, enum dhcp_action_kind kind)
{
	for (unsigned i = 0; i < talk->actions.count; i++)
		if (talk->actions.list[i].kind == kind)
			return &talk->actions.list[i];
	return NULL;
}

static inline unsigned talk_count(const struct talk *talk, enum dhcp_action_kind kind)
{
	unsigned count = 0;
	for (unsigned i = 0; i < talk->actions.count; i++)
		count += talk->actions.list[i].kind == kind;
	return count;
}

/* Read the answer of the last step, and hold it to what every answer must be. */
static inline unsigned talk_hear(struct talk *talk)
{
	struct error error = {.text = ""};
	bool sent = false;
	talk->answer = 0;
	for (unsigned i = 0; i < talk->actions.count; i++) {
		EXPECT(!sent || talk->actions.list[i].kind != DHCP_SAVE_LEASE,
			"saved after sending");
		sent |= talk->actions.list[i].kind == DHCP_SEND;
	}
	if (!sent)
		return 0;
	int status = dhcp_message_parse(
		talk->actions.message, talk->actions.message_length, &talk->reply, &error);
	EXPECT(status == 0, "the answer does not parse: %s", error.text);
	talk->answer = talk->reply.type;
	return talk->answer;
}

static inline void talk_options(
	struct dhcp_builder *builder, const struct say *say, struct writer *agent)
{
	if (say->circuit)
		dhcp_relay_agent_append(
			agent, DHCP_RELAY_AGENT_CIRCUIT_ID, say->circuit, strlen(say->circuit));
	if (say->link) {
		uint8_t link[4];
		struct writer writer = writer_over(link, sizeof(link));
		write_be32(&writer, say->link);
		dhcp_relay_agent_append(agent, DHCP_RELAY_AGENT_LINK_SELECTION, link, sizeof(link));
	}
	if (say->relay_port)
		dhcp_relay_agent_append(agent, DHCP_RELAY_AGENT_SOURCE_PORT, NULL, 0);
	if (writer_used(agent))
		dhcp_builder_bytes(
			builder, DHCP_OPTION_RELAY_AGENT, agent->start, writer_used(agent));
	if (say->requested)
		dhcp_builder_u32(builder, DHCP_OPTION_REQUESTED_ADDRESS, say->requested);
	if (say->server_id)
		dhcp_builder_u32(builder, DHCP_OPTION_SERVER_ID, say->server_id);
	if (say->wish)
		dhcp_builder_u32(builder, DHCP_OPTION_LEASE_TIME, say->wish);
	if (say->size)
		dhcp_builder_u16(builder, DHCP_OPTION_MAXIMUM_SIZE, say->size);
	if (say->id)
		dhcp_builder_bytes(builder, DHCP_OPTION_CLIENT_ID, say->id, strlen(say->id));
	if (say->ask)
		dhcp_builder_bytes(builder, DHCP_OPTION_PARAMETERS, say->ask, say->ask_count);
	if (say->rapid)
		dhcp_builder_bytes(builder, DHCP_OPTION_RAPID_COMMIT, NULL, 0);
}

/* Say it; returns the answer's type, 0 for silence. */
static inline unsigned talk_say(struct talk *talk, const struct say *say)
{
	uint8_t bytes[DHCP_MESSAGE_SIZE_MAX], option[DHCP_RELAY_AGENT_MAX];
	struct writer agent = writer_over(option, sizeof(option));
	struct dhcp_builder builder;
	struct dhcp_message message;
	struct error error = {.text = ""};
	struct dhcp_header header = {
		.op = DHCP_OP_REQUEST,
		.xid = 0x1000 + say->client,
		.broadcast = say->flag,
		.ciaddr = {say->ciaddr},
		.giaddr = {say->giaddr},
		.chaddr = {.type = 1,
			.length = say->no_hardware ? 0 : 6,
			.bytes = {2, 0, 0, 0, (uint8_t)(say->client >> 8), (uint8_t)say->client}},
	};
	dhcp_builder_init(&builder, bytes, sizeof(bytes), &header, say->type);
	talk_options(&builder, say, &agent);
	size_t length = dhcp_builder_finish(&builder);
	int status = dhcp_message_parse(bytes, length, &message, &error);
	EXPECT(status == 0, "our own message: %s", error.text);
	struct dhcp_server_event event = {
		.kind = DHCP_SERVER_MESSAGE,
		.message = &message,
		.bytes = bytes,
		.length = length,
		.interface = say->interface ? say->interface : 2,
		.local = {say->local ? say->local : A(1)},
		.broadcast = !say->unicast,
		.source_port = say->relay_port ? 1067 : 67,
	};
	dhcp_server_step(&talk->server, &event, talk->now_ns, &talk->actions);
	return talk_hear(talk);
}

#define SAY(talk, what, who, ...)                                                                  \
	talk_say((talk), &(struct say){.type = (what), .client = (who), ##__VA_ARGS__})

/* Let time pass, and the server know. */
static inline unsigned talk_wait(struct talk *talk, uint64_t ns)
{
	struct dhcp_server_event timer = {.kind = DHCP_SERVER_TIMER};
	talk->now_ns += ns;
	dhcp_server_step(&talk->server, &timer, talk->now_ns, &talk->actions);
	return talk_hear(talk);
}

static inline unsigned talk_event(
	struct talk *talk, enum dhcp_server_event_kind kind, uint32_t address)
{
	struct dhcp_server_event event = {.kind = kind, .address = {address}};
	dhcp_server_step(&talk->server, &event, talk->now_ns, &talk->actions);
	return talk_hear(talk);
}

/* DISCOVER, then REQUEST of what is offered: the address, 0 where it gets none. */
static inline uint32_t talk_lease(struct talk *talk, const struct say *who)
{
	struct say say = *who;
	say.type = DHCPDISCOVER;
	if (talk_say(talk, &say) != DHCPOFFER)
		return 0;
	say.type = DHCPREQUEST;
	say.requested = talk->reply.header.yiaddr.host;
	say.server_id = say.local ? say.local : A(1);
	return talk_say(talk, &say) == DHCPACK ? talk->reply.header.yiaddr.host : 0;
}

#define LEASE(talk, ...) talk_lease((talk), &(struct say){__VA_ARGS__})

/* Two subnets, 10.0.2.0/24 and 10.0.3.0/24, whose pools are .100 to .103. */
struct talk_setup {
	struct dhcp_range ranges[2];
	struct dhcp_subnet_settings subnets[2];
	struct dhcp_server_settings settings;
};

static inline void talk_setup(struct talk_setup *setup)
{
	*setup = (struct talk_setup){
		.ranges = {{{A(100)}, {A(103)}}, {{B(100)}, {B(103)}}},
		.settings = {.subnet_count = 2, .seed = 3},
	};
	for (size_t i = 0; i < 2; i++)
		setup->subnets[i] = (struct dhcp_subnet_settings){
			.prefix = {{i ? B(0) : A(0)}, 24},
			.range_count = 1,
			.lease = {.usual = 100, .least = 10, .most = 200},
		};
}

/* The settings point into themselves only here, so that a setup may be copied. */
static inline const struct dhcp_server_settings *talk_settings(struct talk_setup *setup)
{
	for (size_t i = 0; i < 2; i++)
		if (!setup->subnets[i].ranges)
			setup->subnets[i].ranges = &setup->ranges[i];
	setup->settings.subnets = setup->subnets;
	return &setup->settings;
}

static inline void talk_begin(struct talk *talk, struct talk_setup *setup)
{
	struct error error = {.text = ""};
	talk->now_ns = 1000 * NS_PER_SECOND;
	EXPECT(dhcp_server_init(&talk->server, talk_settings(setup), &error) == 0, "%s",
		error.text);
	dhcp_server_add_address(&talk->server, (struct ipv4){A(1)});
	dhcp_server_add_address(&talk->server, (struct ipv4){B(1)});
}

/* The plain setup, and a server that has it. */
static inline void talk_start(struct talk *talk, struct talk_setup *setup)
{
	talk_setup(setup);
	talk_begin(talk, setup);
}

/* One subnet with a pool of 65,281 addresses. */
static inline void talk_start_large(struct talk *talk, struct talk_setup *setup)
{
	talk_setup(setup);
	setup->subnets[0].prefix = (struct prefix){{0x0a000000}, 15};
	setup->ranges[0] = (struct dhcp_range){{0x0a010000}, {0x0a01ff00}};
	setup->settings.subnet_count = 1;
	talk_begin(talk, setup);
}

/* Other settings, while it runs; `expected`: 0, or with which error. */
static inline void talk_change(struct talk *talk, struct talk_setup *setup, int expected)
{
	struct error error = {.text = ""};
	int status = dhcp_server_configure(&talk->server, talk_settings(setup), &error);
	EXPECT(status == expected, "%d: %s", status, error.text);
}

static inline void talk_end(struct talk *talk)
{
	dhcp_server_finish(&talk->server);
}

#endif
