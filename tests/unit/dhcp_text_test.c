/* dhcp/text, text_server and text_client: the words, whose an address is, when it is asked again. */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "chance.h"
#include "dhcp/text_client.h"
#include "dhcp/text_server.h"
#include "unit.h"

#define BYTES(literal) (literal), sizeof(literal) - 1

static void test_words(void)
{
	static const struct {
		const char *bytes;
		size_t length;
		enum dhcp_text_kind as_request, as_answer;
		const char *address;
	} words[] = {
		{BYTES("Give me IP"), DHCP_TEXT_REQUEST, DHCP_TEXT_OTHER, NULL},
		{BYTES("Give me IP\n"), DHCP_TEXT_REQUEST, DHCP_TEXT_OTHER, NULL},
		{BYTES(" \tGive me IP \r\n"), DHCP_TEXT_REQUEST, DHCP_TEXT_OTHER, NULL},
		{BYTES("Give me IP\0"), DHCP_TEXT_REQUEST, DHCP_TEXT_OTHER, NULL},
		{BYTES("Give me IP\n\0what was in the buffer before"), DHCP_TEXT_REQUEST,
			DHCP_TEXT_OTHER, NULL},
		{BYTES("give me ip"), DHCP_TEXT_OTHER, DHCP_TEXT_OTHER, NULL},
		{BYTES("Give me IP please"), DHCP_TEXT_OTHER, DHCP_TEXT_OTHER, NULL},
		{BYTES("Give me  IP"), DHCP_TEXT_OTHER, DHCP_TEXT_OTHER, NULL},
		{BYTES("10.0.0.1"), DHCP_TEXT_ADDRESS, DHCP_TEXT_OTHER, "10.0.0.1"},
		{BYTES("10.0.0.1\r\n"), DHCP_TEXT_ADDRESS, DHCP_TEXT_OTHER, "10.0.0.1"},
		{BYTES("10.0.0.1\0\0\0\0"), DHCP_TEXT_ADDRESS, DHCP_TEXT_OTHER, "10.0.0.1"},
		{BYTES("255.255.255.255"), DHCP_TEXT_ADDRESS, DHCP_TEXT_OTHER, "255.255.255.255"},
		{BYTES("IP:10.0.0.1"), DHCP_TEXT_ADDRESS, DHCP_TEXT_ADDRESS, "10.0.0.1"},
		{BYTES("IP: 10.0.0.1\n"), DHCP_TEXT_ADDRESS, DHCP_TEXT_ADDRESS, "10.0.0.1"},
		{BYTES("IP:10.0.0.256"), DHCP_TEXT_OTHER, DHCP_TEXT_OTHER, NULL},
		{BYTES("IP:"), DHCP_TEXT_OTHER, DHCP_TEXT_OTHER, NULL},
		{BYTES("IP"), DHCP_TEXT_OTHER, DHCP_TEXT_OTHER, NULL},
		{BYTES("IP:10.0.0.1 10.0.0.2"), DHCP_TEXT_OTHER, DHCP_TEXT_OTHER, NULL},
		{BYTES("10.0.0.1x"), DHCP_TEXT_OTHER, DHCP_TEXT_OTHER, NULL},
		{BYTES("10.0.0.1.2"), DHCP_TEXT_OTHER, DHCP_TEXT_OTHER, NULL},
		{BYTES("1111111111111111111111111111"), DHCP_TEXT_OTHER, DHCP_TEXT_OTHER, NULL},
		{BYTES("No IPs left"), DHCP_TEXT_OTHER, DHCP_TEXT_NONE_LEFT, NULL},
		{BYTES("No IPs left\n"), DHCP_TEXT_OTHER, DHCP_TEXT_NONE_LEFT, NULL},
		{BYTES("No IPs left."), DHCP_TEXT_OTHER, DHCP_TEXT_OTHER, NULL},
		{BYTES("\xff\xfe\x80"), DHCP_TEXT_OTHER, DHCP_TEXT_OTHER, NULL},
		{BYTES(" \r\n"), DHCP_TEXT_OTHER, DHCP_TEXT_OTHER, NULL},
		{BYTES("\0Give me IP"), DHCP_TEXT_OTHER, DHCP_TEXT_OTHER, NULL},
		{NULL, 0, DHCP_TEXT_OTHER, DHCP_TEXT_OTHER, NULL},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
		struct dhcp_text_message request, answer;
		dhcp_text_read_request(words[i].bytes, words[i].length, &request);
		dhcp_text_read_answer(words[i].bytes, words[i].length, &answer);
		EXPECT(request.kind == words[i].as_request, "%zu: request %d", i, request.kind);
		EXPECT(answer.kind == words[i].as_answer, "%zu: answer %d", i, answer.kind);
		if (request.kind == DHCP_TEXT_ADDRESS)
			EXPECT_TEXT(IPV4_TEXT(request.address), words[i].address);
		if (answer.kind == DHCP_TEXT_ADDRESS)
			EXPECT_TEXT(IPV4_TEXT(answer.address), words[i].address);
	}
	char text[DHCP_TEXT_SIZE];
	EXPECT_NUMBER(dhcp_text_write_request(text), 10);
	EXPECT_TEXT(text, "Give me IP");
	EXPECT_NUMBER(dhcp_text_write_none_left(text), 11);
	EXPECT_TEXT(text, "No IPs left");
	EXPECT_NUMBER(dhcp_text_write_given((struct ipv4){UINT32_MAX}, text), 18);
	EXPECT_TEXT(text, "IP:255.255.255.255");
	EXPECT_NUMBER(dhcp_text_write_release((struct ipv4){UINT32_MAX}, text), 15);
	EXPECT_TEXT(text, "255.255.255.255");
}

static struct endpoint endpoint_of(const char *text)
{
	struct endpoint endpoint = {0};
	EXPECT(endpoint_parse(text, 0, &endpoint), "%s", text);
	return endpoint;
}

/* The lowest addresses of 10.0.0.0/29, whose own and broadcast address are in the range, too. */
static void pool_make(struct dhcp_pool *pool, enum dhcp_allocation allocation)
{
	static const struct dhcp_range range = {{0x0a000000}, {0x0a000003}};
	const struct dhcp_subnet_settings settings = {
		.prefix = {{0x0a000000}, 29},
		.ranges = &range,
		.range_count = 1,
	};
	const struct dhcp_pool_habits habits = {.allocation = allocation, .seed = 3};
	EXPECT_NUMBER(dhcp_pool_init(pool, &settings, &habits, NULL), 0);
}

struct exchange {
	const char *peer, *text, *seen; /* what came of it, and the answer */
};

static void talk(struct dhcp_pool *pool, const struct exchange *list, size_t count)
{
	struct dhcp_text_server server = {0};
	for (size_t i = 0; i < count; i++) {
		char seen[128];
		struct dhcp_text_result result;
		const struct dhcp_text_datagram datagram = {
			endpoint_of(list[i].peer), list[i].text, strlen(list[i].text)};
		dhcp_text_server_receive(&server, pool, &datagram, i + 1, &result);
		snprintf(seen, sizeof(seen), "%s%s%s", dhcp_text_outcome_name(result.outcome),
			result.answer_length ? " " : "", result.answer_length ? result.answer : "");
		EXPECT(strcmp(seen, list[i].seen) == 0, "%zu: %s: expected '%s', saw '%s'", i,
			list[i].text, list[i].seen, seen);
		bool changed =
			result.outcome == DHCP_TEXT_SENT || result.outcome == DHCP_TEXT_RELEASED;
		EXPECT(result.save == changed, "%zu: stored", i);
	}
}

#define A "192.0.2.1:4000"
#define B "192.0.2.1:4001"
#define C "[2001:db8::1]:4000"

static void test_server(void)
{
	static const struct exchange list[] = {
		{A, "10.0.0.1", "not-found"},
		{A, "Give me IP", "sent IP:10.0.0.1"}, /* never the network's own */
		{A, "Give me IP", "sent IP:10.0.0.2"},
		{B, "10.0.0.1", "not-its-address"},
		{C, "10.0.0.1", "not-its-address"},
		{B, "Give me IP", "sent IP:10.0.0.3"},
		{C, "Give me IP", "none-left No IPs left"},
		{A, "10.0.0.3", "not-its-address"},
		{A, "10.0.0.0", "not-found"},
		{A, "10.0.0.9", "not-found"},
		{A, "hello", "not-found"},
		{A, "10.0.0.2", "released"},
		{A, "10.0.0.2", "not-found"},
		{C, "Give me IP", "sent IP:10.0.0.2"},
		{A, "10.0.0.2", "not-its-address"},
		{B, "IP:10.0.0.3", "released"},
		{A, "10.0.0.1", "released"},
		{A, "Give me IP", "sent IP:10.0.0.1"}, /* the first free one */
		{C, "10.0.0.2\r\n", "released"},
	};
	CLEANUP(dhcp_pool_finish) struct dhcp_pool pool;
	pool_make(&pool, DHCP_ALLOCATE_FIRST_FREE);
	talk(&pool, list, ARRAY_LENGTH(list));
	EXPECT_NUMBER(dhcp_pool_free(&pool), 2);
}

static void test_least_recent(void)
{
	static const struct exchange list[] = {
		{A, "Give me IP", "sent IP:10.0.0.1"},
		{A, "10.0.0.1", "released"},
		{A, "Give me IP", "sent IP:10.0.0.2"},
		{A, "Give me IP", "sent IP:10.0.0.3"},
		{A, "Give me IP", "sent IP:10.0.0.1"},
	};
	CLEANUP(dhcp_pool_finish) struct dhcp_pool pool;
	pool_make(&pool, DHCP_ALLOCATE_LEAST_RECENT);
	talk(&pool, list, ARRAY_LENGTH(list));
}

/* What is stored comes back with its owner, and is nobody else's. */
static void test_restore(void)
{
	static const char *const peers[] = {A, B, C};
	static const struct exchange after[] = {
		{A, "Give me IP", "none-left No IPs left"},
		{A, "10.0.0.2", "not-its-address"},
		{B, "10.0.0.2", "released"},
		{C, "10.0.0.3", "released"},
		{B, "Give me IP", "sent IP:10.0.0.2"},
	};
	CLEANUP(dhcp_pool_finish) struct dhcp_pool before, pool;
	pool_make(&before, DHCP_ALLOCATE_FIRST_FREE);
	pool_make(&pool, DHCP_ALLOCATE_FIRST_FREE);
	for (size_t i = 0; i < ARRAY_LENGTH(peers); i++) {
		struct dhcp_text_server server = {0};
		struct dhcp_text_result result;
		struct dhcp_text_datagram datagram = {endpoint_of(peers[i]), BYTES("Give me IP")};
		dhcp_text_server_receive(&server, &before, &datagram, 7, &result);
		EXPECT(result.save && result.lease.ends_ns == DHCP_NEVER, "it never ends");
		EXPECT_BYTES(
			result.lease.port, result.lease.port_length, peers[i], strlen(peers[i]));
		EXPECT(dhcp_pool_restore(&pool, &result.lease, 9), "%s", peers[i]);
	}
	talk(&pool, after, ARRAY_LENGTH(after));
}

/* A lease of DHCP's, in a database that it left: it is nobody's here, until it ends. */
static void test_dhcp_lease(void)
{
	static const uint8_t ids[][12] = {
		{1, 192, 0, 2, 1, 0x0f, 0xa0, 10, 0, 0, 9, 0}, /* too long for one of ours */
		{3, 192, 0, 2, 1, 0x0f, 0xa0, 10, 0, 0, 1}, /* no such family */
	};
	CLEANUP(dhcp_pool_finish) struct dhcp_pool pool;
	pool_make(&pool, DHCP_ALLOCATE_FIRST_FREE);
	for (size_t i = 0; i < ARRAY_LENGTH(ids); i++) {
		struct dhcp_lease_record record = {
			.address = {0x0a000001 + (uint32_t)i},
			.state = DHCP_LEASE_BOUND,
			.ends_ns = 3,
			.client_id_length = sizeof(ids[i]) - i,
		};
		memcpy(record.client_id, ids[i], record.client_id_length);
		EXPECT(dhcp_pool_restore(&pool, &record, 1), "%zu", i);
	}
	static const struct exchange list[] = {
		{A, "10.0.0.1", "not-its-address"}, {A, "10.0.0.2", "not-its-address"},
		{A, "Give me IP", "sent IP:10.0.0.1"}, /* that is at 3: it has ended */
	};
	talk(&pool, list, ARRAY_LENGTH(list));
}

/* What could not be stored, or sent, is free again; but not what another has by then. */
static void test_not_told(void)
{
	CLEANUP(dhcp_pool_finish) struct dhcp_pool pool;
	struct dhcp_text_server server = {0};
	struct dhcp_text_result result, release, other;
	const struct dhcp_text_datagram request = {endpoint_of(A), BYTES("Give me IP")};
	const struct dhcp_text_datagram back = {endpoint_of(A), BYTES("10.0.0.1")};
	const struct dhcp_text_datagram from_other = {endpoint_of(B), BYTES("Give me IP")};
	pool_make(&pool, DHCP_ALLOCATE_FIRST_FREE);
	dhcp_text_server_receive(&server, &pool, &request, 5, &result);
	EXPECT_NUMBER(dhcp_pool_free(&pool), 2);
	EXPECT(dhcp_text_server_not_told(&server, &pool, &result, 5), "it is taken back");
	EXPECT(result.lease.state == DHCP_LEASE_IDLE && result.lease.address.host == 0x0a000001,
		"and that is to be stored");
	EXPECT_NUMBER(dhcp_pool_free(&pool), 3);
	EXPECT_NUMBER(server.outcomes[DHCP_TEXT_SENT], 0);
	EXPECT(!dhcp_text_server_not_told(&server, &pool, &result, 5), "once");
	/* Given back before its answer, which is then not sent. */
	dhcp_text_server_receive(&server, &pool, &request, 6, &result);
	dhcp_text_server_receive(&server, &pool, &back, 6, &release);
	dhcp_text_server_receive(&server, &pool, &from_other, 6, &other);
	EXPECT_TEXT(IPV4_TEXT(other.address), "10.0.0.1");
	EXPECT(!dhcp_text_server_not_told(&server, &pool, &result, 6), "it is the other's");
	EXPECT_NUMBER(dhcp_pool_free(&pool), 2);
	EXPECT(!dhcp_text_server_not_told(&server, &pool, &release, 6), "a release stands");
	EXPECT_NUMBER(dhcp_pool_free(&pool), 2);
}

enum { PEERS = 5, ROUNDS = 40000 };

/* What everybody was told: whose each address of the pool is. NULL: nobody's. */
struct world {
	struct dhcp_pool pool;
	struct dhcp_text_server server;
	const char *owners[4];
	uint64_t now_ns;
	unsigned given, released, refused, empty, lost, restarts;
};

/* All is stored, and the pool of another process has it. */
static void restart(struct world *world)
{
	struct dhcp_pool pool;
	pool_make(&pool, random_below(2));
	for (size_t i = 0; i < world->pool.leases.count; i++) {
		struct dhcp_lease_record record;
		dhcp_text_describe(&world->pool, &world->pool.leases.list[i], &record);
		EXPECT(dhcp_pool_restore(&pool, &record, world->now_ns), "lease %zu", i);
	}
	dhcp_pool_finish(&world->pool);
	world->pool = pool;
	world->restarts++;
}

static void request(struct world *world, const char *peer)
{
	struct dhcp_text_result result;
	struct dhcp_text_datagram datagram = {endpoint_of(peer), BYTES("Give me IP")};
	dhcp_text_server_receive(&world->server, &world->pool, &datagram, world->now_ns, &result);
	size_t left = dhcp_pool_free(&world->pool);
	if (result.outcome == DHCP_TEXT_EMPTY) {
		for (unsigned i = 1; i < 4; i++)
			EXPECT(world->owners[i] != NULL, "10.0.0.%u is free", i);
		world->empty++;
		return;
	}
	unsigned number = result.address.host & 7;
	EXPECT(result.outcome == DHCP_TEXT_SENT && number >= 1 && number <= 3, "%s",
		IPV4_TEXT(result.address));
	EXPECT(!world->owners[number], "10.0.0.%u is two clients'", number);
	if (random_below(4) == 0) {
		dhcp_text_server_not_told(&world->server, &world->pool, &result, world->now_ns);
		EXPECT_NUMBER(dhcp_pool_free(&world->pool), left + 1);
		world->lost++;
		return;
	}
	world->owners[number] = peer;
	world->given++;
}

static void release(struct world *world, const char *peer)
{
	char text[DHCP_TEXT_SIZE];
	struct dhcp_text_result result;
	unsigned number = random_below(4);
	size_t length = dhcp_text_write_release((struct ipv4){0x0a000000 + number}, text);
	struct dhcp_text_datagram datagram = {endpoint_of(peer), text, length};
	dhcp_text_server_receive(&world->server, &world->pool, &datagram, world->now_ns, &result);
	enum dhcp_text_outcome expected = !world->owners[number]	  ? DHCP_TEXT_NOT_FOUND
					  : world->owners[number] == peer ? DHCP_TEXT_RELEASED
									  : DHCP_TEXT_NOT_ITS;
	EXPECT(result.outcome == expected && result.answer_length == 0, "%s of %s: %s", text, peer,
		dhcp_text_outcome_name(result.outcome));
	if (expected == DHCP_TEXT_NOT_ITS)
		EXPECT_TEXT(ENDPOINT_TEXT(&result.owner), world->owners[number]);
	world->refused += expected == DHCP_TEXT_NOT_ITS;
	world->released += expected == DHCP_TEXT_RELEASED;
	if (expected == DHCP_TEXT_RELEASED)
		world->owners[number] = NULL;
}

/* Whatever the order: no address is two peers', and each is given back by its own alone. */
static void test_whatever_the_order(void)
{
	static const char *const peers[PEERS] = {A, B, C, "192.0.2.2:4000", "[2001:db8::1]:4001"};
	struct world world = {.now_ns = 1};
	pool_make(&world.pool, DHCP_ALLOCATE_FIRST_FREE);
	for (int round = 0; round < ROUNDS; round++) {
		const char *peer = peers[random_below(PEERS)];
		world.now_ns += random_below(2);
		if (random_below(3) == 0)
			request(&world, peer);
		else
			release(&world, peer);
		if (random_below(100) == 0)
			restart(&world);
	}
	EXPECT(world.given > 3000 && world.released > 3000 && world.refused > 3000 &&
			world.empty > 500 && world.lost > 500 && world.restarts > 100,
		"%u given, %u released, %u refused, %u empty, %u lost, %u restarts: too little "
		"happened",
		world.given, world.released, world.refused, world.empty, world.lost,
		world.restarts);
	dhcp_pool_finish(&world.pool);
}

struct moment {
	unsigned second;
	const char *event; /* "start", "timer", "stop", "release", or a datagram */
	const char *seen; /* the actions, and when it wants to be stepped again */
};

static void describe_action(const struct dhcp_text_action *action, struct text *text)
{
	static const char *const kinds[] = {
		[DHCP_TEXT_SEND] = "send",
		[DHCP_TEXT_ONLINE] = "online",
		[DHCP_TEXT_OFFLINE] = "offline",
		[DHCP_TEXT_REPORT] = "report",
		[DHCP_TEXT_FINISH] = "finish",
	};
	text_append(text, "%s", kinds[action->kind]);
	if (action->kind == DHCP_TEXT_SEND)
		text_append(text, " '%.*s'", (int)action->length, action->text);
	if (!ipv4_is_none(action->address))
		text_append(text, " %s", IPV4_TEXT(action->address));
	if (action->reason)
		text_append(text, " (%s)", dhcp_text_reason_text(action->reason));
	text_append(text, "; ");
}

static void run(const struct dhcp_text_client_settings *settings, bool failed,
	const struct moment *list, size_t count)
{
	static const struct {
		const char *word;
		enum dhcp_text_event_kind kind;
		bool release;
	} events[] = {
		{"start", DHCP_TEXT_EVENT_START, false},
		{"timer", DHCP_TEXT_EVENT_TIMER, false},
		{"stop", DHCP_TEXT_EVENT_STOP, false},
		{"release", DHCP_TEXT_EVENT_STOP, true},
	};
	struct dhcp_text_client client;
	struct dhcp_text_actions actions;
	dhcp_text_client_init(&client, settings);
	for (size_t i = 0; i < count; i++) {
		CLEANUP(text_finish) struct text seen = {0};
		struct dhcp_text_event event = {
			DHCP_TEXT_EVENT_DATAGRAM, list[i].event, strlen(list[i].event), false};
		for (size_t j = 0; j < ARRAY_LENGTH(events); j++)
			if (strcmp(events[j].word, list[i].event) == 0)
				event = (struct dhcp_text_event){
					.kind = events[j].kind, .release = events[j].release};
		dhcp_text_client_step(&client, &event, list[i].second * NS_PER_SECOND, &actions);
		for (unsigned j = 0; j < actions.count; j++)
			describe_action(&actions.list[j], &seen);
		if (actions.deadline_ns == DHCP_NEVER)
			text_append(&seen, "never");
		else
			text_append(&seen, "%llu",
				(unsigned long long)(actions.deadline_ns / NS_PER_SECOND));
		EXPECT(strcmp(text_view(&seen), list[i].seen) == 0,
			"%zu: %s: expected '%s', saw '%s'", i, list[i].event, list[i].seen,
			text_view(&seen));
	}
	EXPECT(client.failed == failed, "failed");
}

#define RUN(settings, failed, list) run((settings), (failed), (list), ARRAY_LENGTH(list))

static void test_client(void)
{
	static const struct dhcp_text_client_settings settings = {
		.wait_ns = 0, .retry_ns = 10 * NS_PER_SECOND};
	static const struct moment plain[] = {
		{0, "start", "send 'Give me IP'; 10"},
		{1, "timer", "10"},
		{1, "IP:10.0.0.1", "online 10.0.0.1; never"},
		{2, "IP:10.0.0.1", "never"}, /* doubled on the way */
		{3, "No IPs left", "never"},
		{99, "timer", "never"},
		{99, "release", "send '10.0.0.1'; offline 10.0.0.1 (given back); finish; never"},
		{99, "release", "never"},
	};
	static const struct moment late[] = {
		{0, "start", "send 'Give me IP'; 10"},
		{10, "timer", "offline (no answer); send 'Give me IP'; 20"},
		{11, "IP:10.0.0.2", "online 10.0.0.2; never"},
		{12, "IP:10.0.0.1",
			"send '10.0.0.1'; report 10.0.0.1 (came late and is given back); never"},
		{13, "stop", "finish; never"}, /* not told to give it back */
	};
	static const struct moment none[] = {
		{0, "start", "send 'Give me IP'; 10"},
		{1, "No IPs left", "offline (the server has no address left); 10"},
		{10, "timer", "send 'Give me IP'; 20"},
		{11, "Give me IP", "report (not understood); 20"},
		{11, "10.0.0.1", "report (not understood); 20"},
		{12, "IP:230.1.2.3",
			"send '230.1.2.3'; offline 230.1.2.3 (no host can have it: it is given "
			"back); 20"},
		{13, "stop", "finish; never"},
	};
	static const struct moment leaving[] = {
		{0, "start", "send 'Give me IP'; 10"},
		{1, "release", "2"},
		{1, "IP:10.0.0.1",
			"send '10.0.0.1'; report 10.0.0.1 (came late and is given back); finish; "
			"never"},
	};
	static const struct moment leaving_late[] = {
		{0, "start", "send 'Give me IP'; 10"},
		{10, "timer", "offline (no answer); send 'Give me IP'; 20"},
		{11, "IP:10.0.0.2", "online 10.0.0.2; never"},
		{12, "release", "send '10.0.0.2'; offline 10.0.0.2 (given back); 13"},
		{13, "IP:10.0.0.1",
			"send '10.0.0.1'; report 10.0.0.1 (came late and is given back); finish; "
			"never"},
	};
	static const struct moment leaving_in_vain[] = {
		{0, "start", "send 'Give me IP'; 10"},
		{1, "release", "2"},
		{1, "timer", "2"},
		{2, "timer", "finish; never"},
	};
	static const struct moment impatient[] = {
		{0, "start", "send 'Give me IP'; 10"},
		{1, "release", "2"},
		{1, "release", "finish; never"},
	};
	RUN(&settings, false, plain);
	RUN(&settings, false, late);
	RUN(&settings, false, none);
	RUN(&settings, false, leaving);
	RUN(&settings, false, leaving_late);
	RUN(&settings, false, leaving_in_vain);
	RUN(&settings, false, impatient);
}

static void test_client_once(void)
{
	static const struct dhcp_text_client_settings settings = {
		.wait_ns = 4 * NS_PER_SECOND,
		.retry_ns = 10 * NS_PER_SECOND,
		.once = true,
	};
	static const struct moment given[] = {
		{0, "start", "send 'Give me IP'; 4"},
		{1, "IP:10.0.0.1\r\n", "online 10.0.0.1; finish; never"},
	};
	static const struct moment empty[] = {
		{0, "start", "send 'Give me IP'; 4"},
		{1, "No IPs left", "offline (the server has no address left); finish; never"},
	};
	static const struct moment unusable[] = {
		{0, "start", "send 'Give me IP'; 4"},
		{1, "IP:255.255.255.255",
			"send '255.255.255.255'; offline 255.255.255.255 (no host can have it: it "
			"is "
			"given back); finish; never"},
	};
	static const struct moment nothing[] = {
		{0, "start", "send 'Give me IP'; 4"},
		{1, "IP:0.0.0.0",
			"send '0.0.0.0'; offline (no host can have it: it is given back); finish; "
			"never"},
	};
	static const struct moment silent[] = {
		{0, "start", "send 'Give me IP'; 4"},
		{3, "", "report (not understood); 4"},
		{4, "timer", "offline (no answer); finish; never"},
	};
	static const struct dhcp_text_client_settings impatient = {
		.wait_ns = 40 * NS_PER_SECOND,
		.retry_ns = 10 * NS_PER_SECOND,
		.once = true,
	};
	static const struct moment twice[] = {
		{0, "start", "send 'Give me IP'; 10"},
		{10, "timer", "offline (no answer); send 'Give me IP'; 20"},
		{11, "IP:10.0.0.1", "online 10.0.0.1; 12"},
		{11, "IP:10.0.0.1", "12"},
		{11, "IP:10.0.0.2",
			"send '10.0.0.2'; report 10.0.0.2 (came late and is given back); finish; "
			"never"},
	};
	RUN(&impatient, false, twice);
	RUN(&settings, false, given);
	RUN(&settings, true, empty);
	RUN(&settings, true, unusable);
	RUN(&settings, true, nothing);
	RUN(&settings, true, silent);
}

int main(void)
{
	test_words();
	test_server();
	test_least_recent();
	test_restore();
	test_dhcp_lease();
	test_not_told();
	test_whatever_the_order();
	test_client();
	test_client_once();
	return unit_finish();
}
