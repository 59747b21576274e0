/* scenario/: facts in, verdicts out. */
#include "base/cleanup.h"
#include "scenario/selection.h"
#include "scenario/verdict.h"
#include "unit.h"

/* Outcomes of twenty-five clients of which `got` have an address. */
static struct step_facts clients(struct outcome *outcomes, size_t got)
{
	static const char *const names[] = {"c1", "c2", "c3", "c4", "c5", "c6", "c7"};
	for (size_t i = 0; i < 25; i++)
		outcomes[i] = (struct outcome){.node = i < 7 ? names[i] : "c",
			.ended = true,
			.exit_status = i < 25 - got ? 4 : 0,
			.output = i < 25 - got ? "no address\n" : "bound\n",
			.log = i < 25 - got ? "logs/none" : "logs/bound"};
	return (struct step_facts){.outcomes = outcomes, .outcome_count = 25};
}

static void test_exits(void)
{
	struct exit_expectation exits[] = {{.status = 0, .nodes = 20}, {.status = 4, .nodes = 5}};
	struct step step = {.kind = STEP_RUN, .expect = {.exits = exits, .exit_count = 2}};
	struct outcome outcomes[25];

	struct step_facts facts = clients(outcomes, 20);
	CLEANUP(verdict_finish) struct verdict held = {0};
	verdict_of(&step, &facts, &held);
	EXPECT(held.holds && held.final, "20 and 5");
	EXPECT_TEXT(text_view(&held.expected), "exit status 0 on 20 nodes, 4 on 5 nodes");

	facts = clients(outcomes, 19);
	CLEANUP(verdict_finish) struct verdict failed = {0};
	verdict_of(&step, &facts, &failed);
	EXPECT(!failed.holds && failed.final, "19 and 6");
	EXPECT_TEXT(text_view(&failed.seen), "exit status 0 on 19 nodes (c7, c, c, c, c and 14 "
					     "more), 4 on 6 nodes (c1, c2, c3, c4, c5 "
					     "and 1 more); c1 last printed 'no address'");
	EXPECT_TEXT(failed.log, "logs/none");

	outcomes[3].ended = false;
	CLEANUP(verdict_finish) struct verdict running = {0};
	verdict_of(&step, &facts, &running);
	EXPECT(!running.holds && !running.final, "one still runs");
	EXPECT(strstr(text_view(&running.seen), "still running on 1 node") != NULL, "%s",
		text_view(&running.seen));

	/* Without an expectation a run must end well. */
	struct step plain = {.kind = STEP_RUN};
	struct outcome one = {
		.node = "a", .ended = true, .exit_status = 137, .output = "", .log = "l"};
	struct step_facts single = {.outcomes = &one, .outcome_count = 1};
	CLEANUP(verdict_finish) struct verdict implied = {0};
	verdict_of(&plain, &single, &implied);
	EXPECT(!implied.holds && implied.final, "killed");
	EXPECT_TEXT(text_view(&implied.expected), "exit status 0 on 1 node");
}

static void test_outputs(void)
{
	char *wanted[] = {"220 "};
	struct step step = {.kind = STEP_START, .expect = {.outputs = wanted, .output_count = 1}};
	struct outcome outcome = {
		.node = "c4", .output = "220-Wait.\nlast \x01 line\n\n", .log = "logs/c4"};
	struct step_facts facts = {.outcomes = &outcome, .outcome_count = 1};
	CLEANUP(verdict_finish) struct verdict waiting = {0};
	verdict_of(&step, &facts, &waiting);
	EXPECT(!waiting.holds && !waiting.final, "not yet");
	EXPECT_TEXT(text_view(&waiting.seen),
		"not on 1 of 1 node; c4 last printed 'last \xef\xbf\xbd line'");
	EXPECT_TEXT(waiting.log, "logs/c4");

	outcome.ended = true;
	CLEANUP(verdict_finish) struct verdict ended = {0};
	verdict_of(&step, &facts, &ended);
	EXPECT(!ended.holds && ended.final, "it never will");

	outcome = (struct outcome){.node = "c4", .output = "220 Go.\n"};
	CLEANUP(verdict_finish) struct verdict there = {0};
	verdict_of(&step, &facts, &there);
	EXPECT(there.holds && there.final, "there");
}

static void test_addresses(void)
{
	struct step step = {.kind = STEP_ADDRESSES,
		.expect = {.has_count = true,
			.count = 2,
			.distinct = true,
			.has_within = true,
			.first = {.number = 100},
			.last = {.number = 119}}};
	struct held_address addresses[] = {
		{"c1", {100, IPV4}}, {"c2", {119, IPV4}}, {"c3", {119, IPV4}}};
	struct step_facts facts = {.addresses = addresses, .address_count = 2, .node_count = 2};
	CLEANUP(verdict_finish) struct verdict held = {0};
	verdict_of(&step, &facts, &held);
	EXPECT(held.holds && held.final, "two distinct ones");

	static const struct {
		size_t count;
		struct ip second;
		const char *seen;
	} bad[] = {
		{1, {119, IPV4}, "1 address: 0.0.0.100"},
		{2, {100, IPV4}, "2 addresses; c1 and c2 both have 0.0.0.100"},
		{2, {120, IPV4}, "2 addresses; c2 has 0.0.0.120"},
		{3, {118, IPV4}, "3 addresses"},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
		CLEANUP(verdict_finish) struct verdict verdict = {0};
		facts.address_count = bad[i].count;
		addresses[1].address = bad[i].second;
		verdict_of(&step, &facts, &verdict);
		EXPECT(!verdict.holds && !verdict.final, "it may still come");
		EXPECT_TEXT(text_view(&verdict.seen), bad[i].seen);
	}

	struct step bound = {
		.kind = STEP_ADDRESSES, .expect = {.has_is = true, .is = {.number = 7}}};
	facts.address_count = 0;
	CLEANUP(verdict_finish) struct verdict none = {0};
	verdict_of(&bound, &facts, &none);
	EXPECT(!none.holds, "no address is not the bound one");

	struct ip ipv6 = {0};
	EXPECT(ip_parse("2001:db8::7", &ipv6), "an address");
	bound.expect.is = addresses[0].address = ipv6;
	facts.address_count = facts.node_count = 1;
	CLEANUP(verdict_finish) struct verdict found = {0};
	verdict_of(&bound, &facts, &found);
	EXPECT(found.holds, "of IPv6");
	EXPECT_TEXT(text_view(&found.seen), "1 address: 2001:db8::7");
}

static void test_messages_and_files(void)
{
	struct step step = {.kind = STEP_MESSAGES,
		.object = (char *)"DHCPNAK",
		.nodes_written_as = (char *)"server",
		.expect = {.has_count = true, .count = 1}};
	static const struct {
		size_t count;
		bool holds, final;
	} cases[] = {{0, false, false}, {1, true, true}, {2, false, true}};
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct step_facts facts = {.message_count = cases[i].count};
		CLEANUP(verdict_finish) struct verdict verdict = {0};
		verdict_of(&step, &facts, &verdict);
		EXPECT(verdict.holds == cases[i].holds && verdict.final == cases[i].final, "%zu",
			cases[i].count);
	}
	struct step same = {
		.kind = STEP_SAME_FILES, .object = (char *)"a:x", .other_object = (char *)"b:x"};
	struct step_facts differ = {.files_differ = "they differ at byte 3"};
	CLEANUP(verdict_finish) struct verdict verdict = {0};
	verdict_of(&same, &differ, &verdict);
	EXPECT(!verdict.holds && verdict.final, "files do not change by waiting");
	EXPECT_TEXT(text_view(&verdict.seen), "they differ at byte 3");
}

static void test_links(void)
{
	static const struct {
		enum step_kind kind;
		const char *object;
		size_t linked;
		bool holds;
		const char *expected, *seen;
	} cases[] = {
		{STEP_LINK, "down", 0, true, "the link down", "down"},
		{STEP_LINK, "down", 2, false, "the link down", "up"},
		{STEP_LINK, "up", 1, false, "the link up", "up on 1 of 2 nodes"},
		{STEP_LINK, "up", 2, true, "the link up", "up"},
		{STEP_MOVE, "lan-c", 2, true, "the link up in lan-c", "up"},
		{STEP_NODE, "stop", 0, true, "the node stopped", "stopped"},
		{STEP_NODE, "stop", 1, false, "the node stopped",
			"a carrier on the links of 1 of 2 nodes"},
		{STEP_NODE, "start", 0, false, "the node running",
			"a carrier on the links of 0 of 2 nodes"},
		{STEP_NODE, "start", 2, true, "the node running", "running"},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct step step = {.kind = cases[i].kind, .object = (char *)cases[i].object};
		struct step_facts facts = {.node_count = 2, .linked_count = cases[i].linked};
		CLEANUP(verdict_finish) struct verdict verdict = {0};
		verdict_of(&step, &facts, &verdict);
		/* A kernel may take a moment to notice. */
		EXPECT(verdict.holds == cases[i].holds && verdict.final == cases[i].holds, "%zu",
			i);
		EXPECT_TEXT(text_view(&verdict.expected), cases[i].expected);
		EXPECT_TEXT(text_view(&verdict.seen), cases[i].seen);
	}
}

/* What is killed is waited for, like what is stopped. */
static void test_kill(void)
{
	struct step step = {.kind = STEP_KILL, .object = (char *)"ftp"};
	struct outcome outcome = {.node = "c", .output = "", .log = "l"};
	struct step_facts facts = {.outcomes = &outcome, .outcome_count = 1};
	CLEANUP(verdict_finish) struct verdict running = {0};
	verdict_of(&step, &facts, &running);
	EXPECT(!running.holds && !running.final, "it still runs");
	outcome.ended = true;
	outcome.exit_status = 137;
	CLEANUP(verdict_finish) struct verdict ended = {0};
	verdict_of(&step, &facts, &ended);
	EXPECT(ended.holds && ended.final, "it has ended");
}

static void test_selection(void)
{
	struct plan_interface interface = {.mac = {{2, 0, 0, 0, 0, 5}}};
	struct plan_node nodes[2] = {{0}, {.interfaces = &interface, .interface_count = 1}};
	struct plan_link link = {.ends = {{.node = 0}, {.node = 1}}, .named_end = 0};
	struct plan plan = {.nodes = nodes, .node_count = 2, .links = &link, .link_count = 1};
	size_t server = 0;
	const struct fact ack = {.message = {.protocol = FACT_DHCP,
					 .name = "DHCPACK",
					 .source = {.port = 67},
					 .dhcp = {.yiaddr = {100},
						 .giaddr = {1},
						 .chaddr = {{2, 0, 0, 0, 0, 5}},
						 .has_lease = true,
						 .lease_seconds = UINT32_MAX}}};
	struct fact reply = {.message = {.protocol = FACT_FTP,
				     .name = "226",
				     .detail = "226 Done.",
				     .source = {.port = 21},
				     .destination = {.port = 4000}}};
	const struct {
		const struct fact *fact;
		const char *name;
		struct message_filter filter;
		bool fits;
		const char *described;
	} cases[] = {
		{&ack, "DHCPACK", {0}, true, ""},
		{&ack, "DHCPNAK", {0}, false, ""},
		{&ack, "DHCPACK", {.has_giaddr = true, .giaddr = {1}}, true,
			" with giaddr 0.0.0.1"},
		{&ack, "DHCPACK", {.has_giaddr = true, .giaddr = {2}}, false,
			" with giaddr 0.0.0.2"},
		{&ack, "DHCPACK", {.has_address = true, .address = {100}}, true,
			" with address 0.0.0.100"},
		{&ack, "DHCPACK", {.has_address = true, .address = {101}}, false,
			" with address 0.0.0.101"},
		{&ack, "DHCPACK", {.has_client = true, .client = 1, .client_name = "pc"}, true,
			" about pc"},
		{&ack, "DHCPACK", {.has_client = true, .client = 0, .client_name = "x"}, false,
			" about x"},
		{&ack, "DHCPACK", {.has_lease = true, .lease_seconds = UINT32_MAX}, true,
			" with an infinite lease"},
		{&ack, "DHCPACK", {.has_lease = true, .lease_seconds = 60, .port = 67}, false,
			" with lease 60 s, port 67"},
		{&reply, "226", {.port = 21}, true, " with port 21"},
		{&reply, "226", {.port = 4000, .text = (char *)"Done"}, true,
			" with port 4000, 'Done'"},
		{&reply, "226", {.port = 20}, false, " with port 20"},
		{&reply, "226", {.text = (char *)"done"}, false, " with 'done'"},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct step step = {.kind = STEP_MESSAGES,
			.object = (char *)cases[i].name,
			.nodes = &server,
			.node_count = 1,
			.filter = cases[i].filter};
		CLEANUP(text_finish) struct text described = {0};
		selection_describe(&step, &described);
		EXPECT_TEXT(text_view(&described), cases[i].described);
		EXPECT(selection_fits(&plan, &step, cases[i].fact) == cases[i].fits, "case %zu", i);
	}
	struct step step = {.object = (char *)"226", .nodes = &server, .node_count = 1};
	reply.message.from_peer = true;
	EXPECT(!selection_fits(&plan, &step, &reply), "the other end has sent it");
}

int main(void)
{
	test_links();
	test_kill();
	test_selection();
	test_exits();
	test_outputs();
	test_addresses();
	test_messages_and_files();
	return unit_finish();
}
