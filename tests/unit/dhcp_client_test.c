/* dhcp/client.h: the client as a machine, against tables of events. */
#include "base/cleanup.h"
#include "base/clock.h"
#include "dhcp/client.h"
#include "unit.h"

#define SERVER	0x0a00010a
#define ADDRESS 0x0a000264

enum { LEASE = 1000 };

static const struct mac mac = {{2, 0, 0, 0, 0, 1}};

struct bench {
	struct dhcp_client client;
	struct dhcp_actions actions;
	uint64_t now_ns;
};

static struct dhcp_client_settings usual(uint64_t wait_seconds)
{
	return (struct dhcp_client_settings){
		.mac = mac,
		.interface = 3,
		.wait_ns = wait_seconds * NS_PER_SECOND,
		.probe_times = DHCP_PROBE_TIMES_RFC,
		.seed = 42,
	};
}

static void bench_with(struct bench *bench, const struct dhcp_client_settings *settings)
{
	bench->now_ns = 5000 * NS_PER_SECOND;
	dhcp_client_init(&bench->client, settings);
}

static void bench_init(struct bench *bench, uint64_t wait_seconds)
{
	struct dhcp_client_settings settings = usual(wait_seconds);
	bench_with(bench, &settings);
}

static void step(struct bench *bench, enum dhcp_client_event_kind kind)
{
	struct dhcp_client_event event = {.kind = kind, .release = true};
	dhcp_client_step(&bench->client, &event, bench->now_ns, &bench->actions);
}

/* To the deadline, and there. Returns how long that was. */
static uint64_t wait_ns(struct bench *bench)
{
	uint64_t from_ns = bench->now_ns;
	EXPECT(bench->actions.deadline_ns != DHCP_NEVER, "there is a deadline");
	bench->now_ns = bench->actions.deadline_ns;
	step(bench, DHCP_CLIENT_TIMER);
	return bench->now_ns - from_ns;
}

struct answer {
	unsigned type;
	uint32_t xid, yiaddr, server_id, lease_seconds, t1, t2, mask;
	uint8_t hardware_end;
	bool no_mask_bits; /* a mask of 0.0.0.0 */
	bool rapid;
	const char *client_id;
};

static struct answer answer_of(const struct bench *bench, unsigned type)
{
	return (struct answer){
		.type = type,
		.xid = bench->client.xid,
		.yiaddr = type == DHCPNAK ? 0 : ADDRESS,
		.server_id = SERVER,
		.lease_seconds = LEASE,
		.mask = 0xffffff00,
		.hardware_end = 1,
	};
}

static void receive(struct bench *bench, const struct answer *answer)
{
	uint8_t bytes[DHCP_MESSAGE_SIZE_MAX];
	struct dhcp_builder builder;
	struct dhcp_message message;
	struct error error;
	struct dhcp_header header = {
		.op = DHCP_OP_REPLY,
		.xid = answer->xid,
		.yiaddr = {answer->yiaddr},
		.chaddr = dhcp_hardware_from_mac(mac),
	};
	header.chaddr.bytes[5] = answer->hardware_end;
	dhcp_builder_init(&builder, bytes, sizeof(bytes), &header, answer->type);
	const struct {
		uint8_t code;
		uint32_t value;
	} options[] = {
		{DHCP_OPTION_SERVER_ID, answer->server_id},
		{DHCP_OPTION_LEASE_TIME, answer->lease_seconds},
		{DHCP_OPTION_SUBNET_MASK, answer->mask},
		{DHCP_OPTION_ROUTER, 0x0a000201},
		{DHCP_OPTION_T1, answer->t1},
		{DHCP_OPTION_T2, answer->t2},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(options); i++)
		if (options[i].value ||
			(options[i].code == DHCP_OPTION_SUBNET_MASK && answer->no_mask_bits))
			dhcp_builder_u32(&builder, options[i].code, options[i].value);
	if (answer->rapid)
		dhcp_builder_bytes(&builder, DHCP_OPTION_RAPID_COMMIT, NULL, 0);
	if (answer->client_id)
		dhcp_builder_bytes(&builder, DHCP_OPTION_CLIENT_ID, answer->client_id,
			strlen(answer->client_id));
	size_t length = dhcp_builder_finish(&builder);
	EXPECT_NUMBER(dhcp_message_parse(bytes, length, &message, &error), 0);
	struct dhcp_client_event event = {.kind = DHCP_CLIENT_MESSAGE, .message = &message};
	dhcp_client_step(&bench->client, &event, bench->now_ns, &bench->actions);
}

static void receive_type(struct bench *bench, unsigned type)
{
	struct answer answer = answer_of(bench, type);
	receive(bench, &answer);
}

static const struct dhcp_action *find_action(const struct bench *bench, enum dhcp_action_kind kind)
{
	for (unsigned i = 0; i < bench->actions.count; i++)
		if (bench->actions.list[i].kind == kind)
			return &bench->actions.list[i];
	return NULL;
}

/* The message that the last step sent, 0 for none; checks where it went. */
static unsigned sent(const struct bench *bench, bool unicast)
{
	const struct dhcp_action *send = find_action(bench, DHCP_SEND);
	if (!send)
		return 0;
	EXPECT(send->destination.kind == (unicast ? DHCP_TO_ADDRESS : DHCP_TO_BROADCAST),
		"%s: kind %d", dhcp_message_type_name(bench->actions.type), send->destination.kind);
	EXPECT_NUMBER(send->destination.address.host, unicast ? SERVER : UINT32_MAX);
	EXPECT_NUMBER(send->destination.port, DHCP_SERVER_PORT);
	return bench->actions.type;
}

static void bind_client(struct bench *bench)
{
	bench_init(bench, 0);
	step(bench, DHCP_CLIENT_START);
	receive_type(bench, DHCPOFFER);
	receive_type(bench, DHCPACK);
	EXPECT_NUMBER(bench->client.state, DHCP_CLIENT_BOUND);
}

static struct ipv4 sent_address(const struct bench *bench, uint8_t code)
{
	struct dhcp_message message;
	struct error error;
	struct ipv4 address = {0};
	EXPECT_NUMBER(dhcp_message_parse(bench->actions.message, bench->actions.message_length,
			      &message, &error),
		0);
	dhcp_message_address(&message, code, &address);
	return address;
}

static void test_lease(void)
{
	struct bench bench;
	bench_init(&bench, 10);
	step(&bench, DHCP_CLIENT_START);
	EXPECT_NUMBER(sent(&bench, false), DHCPDISCOVER);
	EXPECT_NUMBER(bench.client.state, DHCP_CLIENT_SELECTING);
	receive_type(&bench, DHCPACK);
	EXPECT_NUMBER(bench.client.state, DHCP_CLIENT_SELECTING); /* an ACK out of turn */
	receive_type(&bench, DHCPOFFER);
	EXPECT_NUMBER(sent(&bench, false), DHCPREQUEST);
	EXPECT_NUMBER(sent_address(&bench, DHCP_OPTION_REQUESTED_ADDRESS).host, ADDRESS);
	EXPECT_NUMBER(sent_address(&bench, DHCP_OPTION_SERVER_ID).host, SERVER);
	EXPECT_NUMBER(bench.actions.header.ciaddr.host, 0);
	bench.now_ns += NS_PER_SECOND / 2;
	receive_type(&bench, DHCPACK);
	const struct dhcp_action *configure = find_action(&bench, DHCP_CONFIGURE);
	EXPECT(configure != NULL, "configured");
	if (!configure)
		return;
	const struct dhcp_client_lease *lease = configure->change.lease;
	struct dhcp_route routes[DHCP_CLIENT_ROUTES_MAX];
	EXPECT_NUMBER(configure->change.reason, DHCP_CHANGE_BOUND);
	EXPECT_TEXT(PREFIX_TEXT(lease->address), "10.0.2.100/24");
	EXPECT_NUMBER(dhcp_client_lease_routes(lease, routes), 1);
	EXPECT_TEXT(IPV4_TEXT(routes[0].router), "10.0.2.1");
	EXPECT_NUMBER(dhcp_client_lease_left(lease, bench.now_ns), LEASE); /* 999.5, rounded up */
	EXPECT_NUMBER(sent(&bench, false), 0);
	/* T1 counts from when the request was sent. */
	EXPECT_NUMBER(wait_ns(&bench), (LEASE / 2) * NS_PER_SECOND - NS_PER_SECOND / 2);
	EXPECT_NUMBER(sent(&bench, true), DHCPREQUEST);
	EXPECT_NUMBER(bench.actions.header.ciaddr.host, ADDRESS);
	EXPECT_NUMBER(sent_address(&bench, DHCP_OPTION_SERVER_ID).host, 0);
	EXPECT_NUMBER(sent_address(&bench, DHCP_OPTION_REQUESTED_ADDRESS).host, 0);
}

static void test_retransmission(void)
{
	struct bench bench;
	bench_init(&bench, 0);
	step(&bench, DHCP_CLIENT_START);
	static const uint64_t seconds[] = {4, 8, 16, 32, 64, 64, 64};
	uint32_t xid = bench.client.xid;
	for (size_t i = 0; i < ARRAY_LENGTH(seconds); i++) {
		uint64_t waited_ns = wait_ns(&bench);
		EXPECT(waited_ns >= (seconds[i] - 1) * NS_PER_SECOND &&
				waited_ns <= (seconds[i] + 1) * NS_PER_SECOND,
			"retransmission %zu after %llu ns", i, (unsigned long long)waited_ns);
		EXPECT_NUMBER(sent(&bench, false), DHCPDISCOVER);
		EXPECT_NUMBER(bench.client.xid, xid);
	}
	EXPECT(bench.actions.header.secs > 180, "secs is %u", bench.actions.header.secs);
	/* Four requests, then all over again with another transaction. */
	receive_type(&bench, DHCPOFFER);
	for (int i = 0; i < 3; i++) {
		wait_ns(&bench);
		EXPECT_NUMBER(sent(&bench, false), DHCPREQUEST);
	}
	wait_ns(&bench);
	EXPECT_NUMBER(sent(&bench, false), DHCPDISCOVER);
	EXPECT(bench.client.xid != xid, "a new transaction");
}

static void test_wait(void)
{
	struct bench bench;
	bench_init(&bench, 10);
	step(&bench, DHCP_CLIENT_START);
	uint64_t waited_ns = 0;
	for (int i = 0; i < 10 && !find_action(&bench, DHCP_FINISH); i++)
		waited_ns += wait_ns(&bench);
	EXPECT_NUMBER(waited_ns, 10 * NS_PER_SECOND);
	EXPECT_NUMBER(bench.client.outcome, DHCP_CLIENT_NO_ADDRESS);
	EXPECT_NUMBER(bench.actions.deadline_ns == DHCP_NEVER, true);
	receive_type(&bench, DHCPOFFER);
	step(&bench, DHCP_CLIENT_TIMER);
	EXPECT_NUMBER(bench.actions.count, 0); /* stopped is stopped */
}

static void test_renewal_and_end(void)
{
	struct bench bench;
	bind_client(&bench);
	uint64_t start_ns = bench.now_ns;
	unsigned renewals = 0, rebinds = 0;
	while (!find_action(&bench, DHCP_UNCONFIGURE) && renewals + rebinds < 100) {
		wait_ns(&bench);
		bool t2 = bench.now_ns - start_ns >= LEASE * 7 / 8 * NS_PER_SECOND;
		bool end = bench.now_ns - start_ns >= LEASE * NS_PER_SECOND;
		if (end)
			break;
		EXPECT_NUMBER(sent(&bench, !t2), DHCPREQUEST);
		EXPECT_NUMBER(
			bench.client.state, t2 ? DHCP_CLIENT_REBINDING : DHCP_CLIENT_RENEWING);
		EXPECT_NUMBER(bench.actions.header.ciaddr.host, ADDRESS);
		renewals += !t2;
		rebinds += t2;
	}
	EXPECT(renewals >= 2 && renewals <= 6, "%u renewals", renewals);
	EXPECT(rebinds >= 1 && rebinds <= 5, "%u rebinds", rebinds);
	EXPECT_NUMBER(bench.now_ns - start_ns, LEASE * NS_PER_SECOND);
	EXPECT(find_action(&bench, DHCP_UNCONFIGURE) != NULL, "the address goes");
	EXPECT_NUMBER(sent(&bench, false), DHCPDISCOVER);
	EXPECT_NUMBER(bench.actions.header.ciaddr.host, 0);

	bind_client(&bench);
	wait_ns(&bench);
	receive_type(&bench, DHCPACK);
	EXPECT_NUMBER(bench.client.state, DHCP_CLIENT_BOUND);
	EXPECT(find_action(&bench, DHCP_CONFIGURE) != NULL, "the lifetime is prolonged");
	EXPECT_NUMBER(wait_ns(&bench), LEASE / 2 * NS_PER_SECOND);

	/* A suspended machine wakes long after: the lease has ended, whatever came before. */
	bench.now_ns += 10 * LEASE * NS_PER_SECOND;
	step(&bench, DHCP_CLIENT_TIMER);
	EXPECT(find_action(&bench, DHCP_UNCONFIGURE) != NULL, "the address goes");

	/* Another address at renewal: the old one goes first. */
	bind_client(&bench);
	wait_ns(&bench);
	struct answer other = answer_of(&bench, DHCPACK);
	other.yiaddr = ADDRESS + 1;
	receive(&bench, &other);
	const struct dhcp_action *gone = find_action(&bench, DHCP_UNCONFIGURE);
	const struct dhcp_action *come = find_action(&bench, DHCP_CONFIGURE);
	EXPECT(gone && come && gone < come, "the old address goes, then the new one comes");
}

static void test_nak(void)
{
	struct bench bench;
	bind_client(&bench);
	wait_ns(&bench);
	receive_type(&bench, DHCPNAK);
	EXPECT(find_action(&bench, DHCP_UNCONFIGURE) != NULL, "the address goes");
	EXPECT_NUMBER(sent(&bench, false), DHCPDISCOVER); /* at once */
	receive_type(&bench, DHCPOFFER);
	receive_type(&bench, DHCPNAK);
	EXPECT_NUMBER(sent(&bench, false), 0); /* again: not at once */
	EXPECT_NUMBER(bench.client.state, DHCP_CLIENT_INIT);
	EXPECT(wait_ns(&bench) >= 3 * NS_PER_SECOND, "it waits");
	EXPECT_NUMBER(sent(&bench, false), DHCPDISCOVER);
}

static void test_not_for_us(void)
{
	struct bench bench;
	bench_init(&bench, 0);
	step(&bench, DHCP_CLIENT_START);
	struct answer offers[] = {
		answer_of(&bench, DHCPOFFER),
		answer_of(&bench, DHCPOFFER),
		answer_of(&bench, DHCPOFFER),
		answer_of(&bench, DHCPOFFER),
		answer_of(&bench, DHCPOFFER),
	};
	offers[0].xid++;
	offers[1].hardware_end = 2;
	offers[2].server_id = 0;
	offers[3].yiaddr = 0;
	offers[4].yiaddr = 0xe0000001;
	for (size_t i = 0; i < ARRAY_LENGTH(offers); i++) {
		receive(&bench, &offers[i]);
		EXPECT(bench.client.state == DHCP_CLIENT_SELECTING, "offer %zu", i);
	}
	receive_type(&bench, DHCPOFFER);
	struct answer acks[] = {
		answer_of(&bench, DHCPACK),
		answer_of(&bench, DHCPACK),
		answer_of(&bench, DHCPACK),
		answer_of(&bench, DHCPNAK),
		answer_of(&bench, DHCPACK),
		answer_of(&bench, DHCPACK),
		answer_of(&bench, DHCPACK),
	};
	acks[0].lease_seconds = 0;
	acks[1].mask = 0xff00ff00;
	acks[2].server_id++;
	acks[3].server_id++;
	acks[4].yiaddr = ADDRESS | 0xff; /* the broadcast address of the mask */
	acks[5].yiaddr = ADDRESS & ~0xffU;
	acks[6].mask = 0;
	acks[6].no_mask_bits = true;
	for (size_t i = 0; i < ARRAY_LENGTH(acks); i++) {
		receive(&bench, &acks[i]);
		EXPECT(bench.client.state == DHCP_CLIENT_REQUESTING, "answer %zu", i);
	}
}

static void test_times(void)
{
	static const struct {
		uint32_t lease, t1, t2, expected_t1, expected_t2;
	} cases[] = {
		{1000, 0, 0, 500, 875},
		{1000, 100, 200, 100, 200},
		{1000, 200, 100, 500, 875}, /* the wrong way round */
		{1000, 500, 1000, 500, 875}, /* T2 not before the end */
		{8, 0, 0, 4, 7},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct bench bench;
		bench_init(&bench, 0);
		step(&bench, DHCP_CLIENT_START);
		receive_type(&bench, DHCPOFFER);
		struct answer ack = answer_of(&bench, DHCPACK);
		ack.lease_seconds = cases[i].lease;
		ack.t1 = cases[i].t1;
		ack.t2 = cases[i].t2;
		receive(&bench, &ack);
		uint64_t start_ns = bench.now_ns;
		wait_ns(&bench);
		EXPECT_NUMBER(bench.now_ns - start_ns, cases[i].expected_t1 * NS_PER_SECOND);
		for (int tries = 0; bench.client.state == DHCP_CLIENT_RENEWING && tries < 20;
			tries++)
			wait_ns(&bench);
		EXPECT_NUMBER(bench.now_ns - start_ns, cases[i].expected_t2 * NS_PER_SECOND);
	}
	struct bench bench;
	bench_init(&bench, 0);
	step(&bench, DHCP_CLIENT_START);
	receive_type(&bench, DHCPOFFER);
	struct answer ack = answer_of(&bench, DHCPACK);
	ack.lease_seconds = DHCP_LEASE_INFINITE;
	receive(&bench, &ack);
	EXPECT_NUMBER(bench.client.state, DHCP_CLIENT_BOUND);
	EXPECT(bench.actions.deadline_ns == DHCP_NEVER, "for ever");
}

/* The lease runs from when the request was sent that the DHCPACK answers (RFC 2131 section 4.4.5). */
static void test_answered_request(void)
{
	struct bench bench;
	bench_init(&bench, 0);
	step(&bench, DHCP_CLIENT_START);
	receive_type(&bench, DHCPOFFER);
	uint64_t first_ns = bench.now_ns;
	wait_ns(&bench);
	EXPECT_NUMBER(sent(&bench, false), DHCPREQUEST); /* once more, the same xid */
	receive_type(&bench, DHCPACK); /* it may answer the first */
	EXPECT_NUMBER(bench.actions.deadline_ns, first_ns + LEASE / 2 * NS_PER_SECOND);

	wait_ns(&bench);
	struct answer late = answer_of(&bench, DHCPACK);
	uint64_t second_ns = bench.now_ns + wait_ns(&bench);
	EXPECT_NUMBER(sent(&bench, true), DHCPREQUEST);
	receive(&bench, &late); /* answers the one before */
	EXPECT_NUMBER(bench.client.state, DHCP_CLIENT_RENEWING);
	bench.now_ns += 5 * NS_PER_SECOND;
	receive_type(&bench, DHCPACK);
	EXPECT_NUMBER(bench.client.state, DHCP_CLIENT_BOUND);
	EXPECT_NUMBER(bench.actions.deadline_ns, second_ns + LEASE / 2 * NS_PER_SECOND);
}

static void test_stop(void)
{
	struct bench bench;
	bind_client(&bench);
	step(&bench, DHCP_CLIENT_STOP);
	EXPECT_NUMBER(sent(&bench, true), DHCPRELEASE);
	EXPECT_NUMBER(bench.actions.header.ciaddr.host, ADDRESS);
	EXPECT_NUMBER(sent_address(&bench, DHCP_OPTION_SERVER_ID).host, SERVER);
	const struct dhcp_action *send = find_action(&bench, DHCP_SEND);
	const struct dhcp_action *gone = find_action(&bench, DHCP_UNCONFIGURE);
	const struct dhcp_action *end = find_action(&bench, DHCP_FINISH);
	EXPECT(send && gone && end && send < gone && gone < end, "send, unconfigure, finish");
	EXPECT_NUMBER(bench.client.outcome, DHCP_CLIENT_STOPPED_AS_ASKED);

	bind_client(&bench);
	struct dhcp_client_event keep = {.kind = DHCP_CLIENT_STOP, .release = false};
	dhcp_client_step(&bench.client, &keep, bench.now_ns, &bench.actions);
	EXPECT_NUMBER(bench.actions.count, 1);
	EXPECT_NUMBER(bench.actions.list[0].kind, DHCP_FINISH);

	bench_init(&bench, 0); /* nothing to give back */
	step(&bench, DHCP_CLIENT_START);
	step(&bench, DHCP_CLIENT_STOP);
	EXPECT_NUMBER(bench.actions.count, 1);
}

static enum dhcp_change_reason reason_of(const struct bench *bench, enum dhcp_action_kind kind)
{
	const struct dhcp_action *action = find_action(bench, kind);
	EXPECT(action != NULL, "an action of kind %d", kind);
	return action ? action->change.reason : (enum dhcp_change_reason) - 1;
}

static enum dhcp_answer sent_option(
	const struct bench *bench, uint8_t code, struct dhcp_field *ret_value)
{
	static struct dhcp_message message;
	struct error error;
	EXPECT_NUMBER(dhcp_message_parse(bench->actions.message, bench->actions.message_length,
			      &message, &error),
		0);
	return dhcp_message_bytes(&message, code, ret_value);
}

static void hear(struct bench *bench, uint32_t sender, uint32_t target)
{
	struct dhcp_client_event event = {
		.kind = DHCP_CLIENT_HEARD_ARP,
		.arp = {{sender}, {target}},
	};
	dhcp_client_step(&bench->client, &event, bench->now_ns, &bench->actions);
}

/* A client that was told to probe, in PROBING. */
static void probe_client(struct bench *bench)
{
	struct dhcp_client_settings settings = usual(0);
	settings.probe = true;
	bench_with(bench, &settings);
	step(bench, DHCP_CLIENT_START);
	receive_type(bench, DHCPOFFER);
	receive_type(bench, DHCPACK);
	EXPECT_NUMBER(bench->client.state, DHCP_CLIENT_PROBING);
	EXPECT(!find_action(bench, DHCP_CONFIGURE), "nothing is configured before the probes");
}

static void probe_through(struct bench *bench)
{
	for (int i = 0; i < 4; i++)
		wait_ns(bench);
	EXPECT_NUMBER(bench->client.state, DHCP_CLIENT_BOUND);
}

static void test_probing(void)
{
	struct bench bench;
	probe_client(&bench);
	uint64_t start_ns = bench.now_ns;
	for (int i = 0; i < 3; i++) {
		uint64_t waited_ns = wait_ns(&bench);
		const struct dhcp_action *arp = find_action(&bench, DHCP_ARP);
		EXPECT(arp && arp->arp.sender.host == 0 && arp->arp.target.host == ADDRESS,
			"probe %d", i);
		EXPECT(waited_ns <= (i ? 2 : 1) * NS_PER_SECOND &&
				(i == 0 || waited_ns >= NS_PER_SECOND),
			"probe %d after %llu ns", i, (unsigned long long)waited_ns);
	}
	EXPECT_NUMBER(wait_ns(&bench), 2 * NS_PER_SECOND); /* ANNOUNCE_WAIT */
	uint64_t took_ns = bench.now_ns - start_ns;
	EXPECT(took_ns >= 4 * NS_PER_SECOND && took_ns <= 7 * NS_PER_SECOND, "it took %llu ns",
		(unsigned long long)took_ns);
	EXPECT_NUMBER(reason_of(&bench, DHCP_CONFIGURE), DHCP_CHANGE_BOUND);
	const struct dhcp_action *announcement = find_action(&bench, DHCP_ARP);
	EXPECT(announcement && announcement->arp.sender.host == ADDRESS, "it is announced");
	EXPECT_NUMBER(wait_ns(&bench), 2 * NS_PER_SECOND);
	EXPECT(find_action(&bench, DHCP_ARP) != NULL, "twice");
	/* The lease runs from the request, however long the probes took. */
	EXPECT_NUMBER(bench.actions.deadline_ns, start_ns + LEASE / 2 * NS_PER_SECOND);
}

static void test_conflict_while_probing(void)
{
	static const struct {
		uint32_t sender, target;
		bool conflict;
	} heard[] = {
		{ADDRESS, 0x0a000201, true}, /* it is in use */
		{ADDRESS, ADDRESS, true},
		{0, ADDRESS, true}, /* another probes for it */
		{0x0a000205, ADDRESS, false}, /* another looks for it, as for any */
		{0, ADDRESS + 1, false},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(heard); i++) {
		struct bench bench;
		probe_client(&bench);
		wait_ns(&bench);
		hear(&bench, heard[i].sender, heard[i].target);
		EXPECT(sent(&bench, false) == (heard[i].conflict ? DHCPDECLINE : 0), "case %zu", i);
		if (!heard[i].conflict)
			continue;
		EXPECT_NUMBER(sent_address(&bench, DHCP_OPTION_REQUESTED_ADDRESS).host, ADDRESS);
		EXPECT_NUMBER(sent_address(&bench, DHCP_OPTION_SERVER_ID).host, SERVER);
		EXPECT_NUMBER(bench.actions.header.ciaddr.host, 0);
		EXPECT_NUMBER(bench.actions.header.secs, 0);
		EXPECT_NUMBER(reason_of(&bench, DHCP_NOTICE), DHCP_CHANGE_DECLINED);
		EXPECT_NUMBER(bench.client.state, DHCP_CLIENT_INIT);
		EXPECT_NUMBER(wait_ns(&bench), 10 * NS_PER_SECOND);
		EXPECT_NUMBER(sent(&bench, false), DHCPDISCOVER);
		EXPECT_NUMBER(sent_address(&bench, DHCP_OPTION_REQUESTED_ADDRESS).host, 0);
	}
}

static void test_conflict_limit(void)
{
	struct bench bench;
	probe_client(&bench);
	for (int i = 1; i <= 12; i++) {
		hear(&bench, ADDRESS, ADDRESS);
		EXPECT_NUMBER(wait_ns(&bench), (i < 10 ? 10 : 60) * NS_PER_SECOND);
		receive_type(&bench, DHCPOFFER);
		receive_type(&bench, DHCPACK);
		EXPECT_NUMBER(bench.client.state, DHCP_CLIENT_PROBING);
	}
}

static void test_defence(void)
{
	struct bench bench;
	probe_client(&bench);
	probe_through(&bench);
	for (int i = 0; i < 3; i++) { /* once in more than 10 s: each is answered */
		bench.now_ns += 11 * NS_PER_SECOND;
		hear(&bench, ADDRESS, ADDRESS);
		const struct dhcp_action *arp = find_action(&bench, DHCP_ARP);
		EXPECT(arp && arp->arp.sender.host == ADDRESS, "defended");
		EXPECT_NUMBER(reason_of(&bench, DHCP_NOTICE), DHCP_CHANGE_DEFENDED);
		EXPECT_NUMBER(bench.client.state, DHCP_CLIENT_BOUND);
	}
	hear(&bench, 0, ADDRESS); /* a probe for it is the kernel's to answer */
	EXPECT_NUMBER(bench.actions.count, 0);
	bench.now_ns += 9 * NS_PER_SECOND;
	hear(&bench, ADDRESS, ADDRESS);
	EXPECT_NUMBER(sent(&bench, false), DHCPDECLINE);
	EXPECT_NUMBER(reason_of(&bench, DHCP_UNCONFIGURE), DHCP_CHANGE_DECLINED);
	EXPECT_NUMBER(bench.client.state, DHCP_CLIENT_INIT);

	bind_client(&bench); /* without --probe nobody listens */
	hear(&bench, ADDRESS, ADDRESS);
	EXPECT_NUMBER(bench.actions.count, 0);
}

static struct dhcp_client_lease saved_lease(uint64_t now_ns)
{
	struct dhcp_client_lease lease = {
		.address = {{ADDRESS}, 24},
		.server = {SERVER},
		.lease_seconds = LEASE,
		.obtained_ns = now_ns - 100 * NS_PER_SECOND,
	};
	dhcp_client_lease_set_times(&lease, 0, 0);
	return lease;
}

static void reboot_client(struct bench *bench, const struct dhcp_client_settings *settings,
	const struct dhcp_client_lease *saved)
{
	bench_with(bench, settings);
	struct dhcp_client_event start = {.kind = DHCP_CLIENT_START, .saved = saved};
	dhcp_client_step(&bench->client, &start, bench->now_ns, &bench->actions);
}

static void test_reboot(void)
{
	struct bench bench;
	struct dhcp_client_settings settings = usual(0);
	struct dhcp_client_lease saved = saved_lease(5000 * NS_PER_SECOND);
	reboot_client(&bench, &settings, &saved);
	EXPECT_NUMBER(bench.client.state, DHCP_CLIENT_REBOOTING);
	EXPECT_NUMBER(sent(&bench, false), DHCPREQUEST);
	EXPECT_NUMBER(sent_address(&bench, DHCP_OPTION_REQUESTED_ADDRESS).host, ADDRESS);
	EXPECT_NUMBER(sent_address(&bench, DHCP_OPTION_SERVER_ID).host, 0);
	EXPECT_NUMBER(bench.actions.header.ciaddr.host, 0);
	struct answer ack = answer_of(&bench, DHCPACK);
	ack.server_id++; /* any server may answer */
	receive(&bench, &ack);
	EXPECT_NUMBER(bench.client.state, DHCP_CLIENT_BOUND);
	EXPECT_NUMBER(reason_of(&bench, DHCP_CONFIGURE), DHCP_CHANGE_BOUND);
	EXPECT_NUMBER(bench.actions.deadline_ns, bench.now_ns + LEASE / 2 * NS_PER_SECOND);

	reboot_client(&bench, &settings, &saved); /* moved: NAK, then a new lease at once */
	receive_type(&bench, DHCPNAK);
	EXPECT_NUMBER(reason_of(&bench, DHCP_NOTICE), DHCP_CHANGE_REFUSED);
	EXPECT_NUMBER(sent(&bench, false), DHCPDISCOVER);
	EXPECT_NUMBER(sent_address(&bench, DHCP_OPTION_REQUESTED_ADDRESS).host, 0);

	saved.ends_ns = 4999 * NS_PER_SECOND; /* ended: a wish, no more */
	reboot_client(&bench, &settings, &saved);
	EXPECT_NUMBER(sent(&bench, false), DHCPDISCOVER);
	EXPECT_NUMBER(sent_address(&bench, DHCP_OPTION_REQUESTED_ADDRESS).host, ADDRESS);
}

static void test_reboot_unanswered(void)
{
	struct bench bench;
	struct dhcp_client_settings settings = usual(0);
	struct dhcp_client_lease saved = saved_lease(5000 * NS_PER_SECOND);
	reboot_client(&bench, &settings, &saved);
	uint64_t waited_ns = wait_ns(&bench);
	EXPECT_NUMBER(sent(&bench, false), DHCPREQUEST);
	waited_ns += wait_ns(&bench);
	EXPECT(waited_ns >= 5 * NS_PER_SECOND && waited_ns <= 7 * NS_PER_SECOND, "%llu ns",
		(unsigned long long)waited_ns);
	EXPECT_NUMBER(sent(&bench, false), DHCPDISCOVER);

	settings.keep_unverified = true;
	reboot_client(&bench, &settings, &saved);
	wait_ns(&bench);
	wait_ns(&bench);
	EXPECT_NUMBER(reason_of(&bench, DHCP_CONFIGURE), DHCP_CHANGE_KEPT);
	EXPECT_NUMBER(bench.client.state, DHCP_CLIENT_BOUND);
	EXPECT_NUMBER(bench.actions.deadline_ns, saved.t1_ns); /* RFC 2131 section 3.2 step 4 */
	wait_ns(&bench);
	EXPECT_NUMBER(sent(&bench, true), DHCPREQUEST);
	EXPECT_NUMBER(bench.client.state, DHCP_CLIENT_RENEWING);

	saved.ends_ns = 5001 * NS_PER_SECOND; /* it ends while nobody answers */
	reboot_client(&bench, &settings, &saved);
	wait_ns(&bench);
	wait_ns(&bench);
	EXPECT_NUMBER(sent(&bench, false), DHCPDISCOVER);
}

static void test_link(void)
{
	struct bench bench;
	bind_client(&bench);
	uint64_t t1_ns = bench.actions.deadline_ns;
	step(&bench, DHCP_CLIENT_LINK_UP);
	EXPECT_NUMBER(reason_of(&bench, DHCP_CONFIGURE), DHCP_CHANGE_LINK_BACK); /* at once */
	EXPECT_NUMBER(bench.client.state, DHCP_CLIENT_REBOOTING);
	EXPECT_NUMBER(sent(&bench, false), DHCPREQUEST);
	EXPECT_NUMBER(bench.actions.header.ciaddr.host, 0);
	wait_ns(&bench);
	wait_ns(&bench); /* nobody answers: RFC 2131 section 3.7 lets it go on */
	EXPECT_NUMBER(bench.client.state, DHCP_CLIENT_BOUND);
	EXPECT_NUMBER(bench.actions.deadline_ns, t1_ns);

	step(&bench, DHCP_CLIENT_LINK_UP);
	receive_type(&bench, DHCPACK);
	EXPECT_NUMBER(reason_of(&bench, DHCP_CONFIGURE), DHCP_CHANGE_RENEWED);

	step(&bench, DHCP_CLIENT_LINK_UP);
	receive_type(&bench, DHCPNAK); /* it leads elsewhere now */
	EXPECT_NUMBER(reason_of(&bench, DHCP_UNCONFIGURE), DHCP_CHANGE_REFUSED);
	EXPECT_NUMBER(sent(&bench, false), DHCPDISCOVER);

	bind_client(&bench); /* the lease ended while the link was down */
	bench.now_ns += 2 * LEASE * NS_PER_SECOND;
	step(&bench, DHCP_CLIENT_LINK_UP);
	EXPECT_NUMBER(reason_of(&bench, DHCP_UNCONFIGURE), DHCP_CHANGE_EXPIRED);

	bind_client(&bench); /* or ends while it is verified */
	bench.now_ns += LEASE * NS_PER_SECOND - NS_PER_SECOND;
	step(&bench, DHCP_CLIENT_LINK_UP);
	EXPECT_NUMBER(wait_ns(&bench), NS_PER_SECOND);
	EXPECT_NUMBER(reason_of(&bench, DHCP_UNCONFIGURE), DHCP_CHANGE_EXPIRED);

	bench_init(&bench, 0); /* no address yet: it does not wait for its turn */
	step(&bench, DHCP_CLIENT_START);
	for (int i = 0; i < 5; i++)
		wait_ns(&bench);
	step(&bench, DHCP_CLIENT_LINK_UP);
	EXPECT_NUMBER(sent(&bench, false), DHCPDISCOVER);
	EXPECT(bench.actions.deadline_ns <= bench.now_ns + 5 * NS_PER_SECOND, "from the start");
}

static void test_inform(void)
{
	struct bench bench;
	struct dhcp_client_settings settings = usual(10);
	settings.inform = (struct prefix){{0x0a000232}, 24};
	bench_with(&bench, &settings);
	step(&bench, DHCP_CLIENT_START);
	EXPECT_NUMBER(sent(&bench, false), DHCPINFORM);
	EXPECT_NUMBER(bench.actions.header.ciaddr.host, 0x0a000232);
	EXPECT_NUMBER(find_action(&bench, DHCP_SEND)->destination.source.host, 0x0a000232);
	struct dhcp_field value;
	EXPECT_NUMBER(sent_option(&bench, DHCP_OPTION_LEASE_TIME, &value), DHCP_ABSENT);
	wait_ns(&bench);
	EXPECT_NUMBER(sent(&bench, false), DHCPINFORM);
	struct answer ack = answer_of(&bench, DHCPACK);
	ack.yiaddr = ack.lease_seconds = 0;
	receive(&bench, &ack);
	EXPECT_NUMBER(reason_of(&bench, DHCP_CONFIGURE), DHCP_CHANGE_INFORMED);
	EXPECT(find_action(&bench, DHCP_FINISH) != NULL, "that is all");
	EXPECT_NUMBER(bench.client.outcome, DHCP_CLIENT_STOPPED_AS_ASKED);
	EXPECT(!bench.client.configured, "no lease is held");
}

static void test_rapid_commit(void)
{
	struct bench bench;
	struct dhcp_field value;
	struct dhcp_client_settings settings = usual(0);
	bench_init(&bench, 0);
	step(&bench, DHCP_CLIENT_START);
	EXPECT_NUMBER(sent_option(&bench, DHCP_OPTION_RAPID_COMMIT, &value), DHCP_ABSENT);
	struct answer ack = answer_of(&bench, DHCPACK);
	ack.rapid = true;
	receive(&bench, &ack);
	EXPECT_NUMBER(bench.client.state, DHCP_CLIENT_SELECTING); /* it did not ask for it */

	settings.rapid_commit = true;
	bench_with(&bench, &settings);
	step(&bench, DHCP_CLIENT_START);
	EXPECT_NUMBER(sent_option(&bench, DHCP_OPTION_RAPID_COMMIT, &value), DHCP_PRESENT);
	receive_type(&bench, DHCPACK);
	EXPECT_NUMBER(bench.client.state, DHCP_CLIENT_SELECTING); /* without the option */
	ack = answer_of(&bench, DHCPACK);
	ack.rapid = true;
	receive(&bench, &ack);
	EXPECT_NUMBER(bench.client.state, DHCP_CLIENT_BOUND);

	bench_with(&bench, &settings); /* a server that cannot offers as ever */
	step(&bench, DHCP_CLIENT_START);
	receive_type(&bench, DHCPOFFER);
	EXPECT_NUMBER(sent(&bench, false), DHCPREQUEST);
}

static void test_identity(void)
{
	struct bench bench;
	struct dhcp_field value;
	struct dhcp_client_settings settings = usual(0);
	settings.client_id = (struct dhcp_field){(const uint8_t *)"red", 3};
	settings.host_name = (struct dhcp_field){(const uint8_t *)"host", 4};
	bench_with(&bench, &settings);
	step(&bench, DHCP_CLIENT_START);
	EXPECT_NUMBER(sent_option(&bench, DHCP_OPTION_CLIENT_ID, &value), DHCP_PRESENT);
	EXPECT_BYTES(value.bytes, value.length, "red", 3);
	EXPECT_NUMBER(sent_option(&bench, DHCP_OPTION_HOST_NAME, &value), DHCP_PRESENT);
	struct answer offer = answer_of(&bench, DHCPOFFER);
	offer.client_id = "blue"; /* RFC 6842: another's */
	receive(&bench, &offer);
	EXPECT_NUMBER(bench.client.state, DHCP_CLIENT_SELECTING);
	offer.client_id = "red";
	receive(&bench, &offer);
	EXPECT_NUMBER(bench.client.state, DHCP_CLIENT_REQUESTING);
	receive_type(&bench, DHCPACK);
	step(&bench, DHCP_CLIENT_STOP);
	EXPECT_NUMBER(sent(&bench, true), DHCPRELEASE);
	EXPECT_NUMBER(sent_option(&bench, DHCP_OPTION_CLIENT_ID, &value), DHCP_PRESENT);
	EXPECT_NUMBER(sent_option(&bench, DHCP_OPTION_HOST_NAME, &value), DHCP_ABSENT);
	EXPECT_NUMBER(sent_option(&bench, DHCP_OPTION_PARAMETERS, &value), DHCP_ABSENT);
}

/* Both ends of 32 bits, and nonsense between: the renewals stay in their order and in time. */
static void test_extreme_times(void)
{
	static const uint32_t seconds[] = {1, 2, 3, 59, 0x7fffffff, 0x80000000, 0xfffffffe};
	static const uint32_t others[] = {0, 1, 2, 0x7fffffff, 0xfffffffe, 0xffffffff};
	for (size_t i = 0; i < ARRAY_LENGTH(seconds); i++)
		for (size_t j = 0; j < ARRAY_LENGTH(others) * ARRAY_LENGTH(others); j++) {
			struct dhcp_client_lease lease = {
				.lease_seconds = seconds[i],
				.obtained_ns = 5000 * NS_PER_SECOND,
			};
			dhcp_client_lease_set_times(&lease, others[j % ARRAY_LENGTH(others)],
				others[j / ARRAY_LENGTH(others)]);
			EXPECT(lease.obtained_ns < lease.t1_ns && lease.t1_ns < lease.t2_ns &&
					lease.t2_ns < lease.ends_ns,
				"lease %u, case %zu", seconds[i], j);
			EXPECT_NUMBER(
				lease.ends_ns - lease.obtained_ns, seconds[i] * NS_PER_SECOND);
			EXPECT_NUMBER(
				dhcp_client_lease_left(&lease, lease.obtained_ns), seconds[i]);
		}
	struct bench bench;
	bind_client(&bench);
	wait_ns(&bench);
	struct answer ack = answer_of(&bench, DHCPACK);
	ack.lease_seconds = 0; /* a renewal that grants nothing changes nothing */
	receive(&bench, &ack);
	EXPECT_NUMBER(bench.client.state, DHCP_CLIENT_RENEWING);
	EXPECT(!find_action(&bench, DHCP_UNCONFIGURE), "the address stays");
}

static void test_unanswered(void)
{
	struct bench bench;
	bench_init(&bench, 0);
	step(&bench, DHCP_CLIENT_START);
	wait_ns(&bench);
	EXPECT(!find_action(&bench, DHCP_NOTICE), "one may get lost");
	for (int i = 0; i < 3; i++) {
		wait_ns(&bench);
		EXPECT_NUMBER(reason_of(&bench, DHCP_NOTICE), DHCP_CHANGE_UNANSWERED);
		EXPECT_NUMBER(sent(&bench, false), DHCPDISCOVER);
	}
}

int main(void)
{
	test_lease();
	test_retransmission();
	test_wait();
	test_renewal_and_end();
	test_nak();
	test_not_for_us();
	test_times();
	test_answered_request();
	test_stop();
	test_probing();
	test_conflict_while_probing();
	test_conflict_limit();
	test_defence();
	test_reboot();
	test_reboot_unanswered();
	test_link();
	test_inform();
	test_rapid_commit();
	test_identity();
	test_extreme_times();
	test_unanswered();
	return unit_finish();
}
