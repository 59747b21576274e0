/*
 * The report's address protocol, its words and its server. Input: a byte of settings (1: the least
 * recent address first; 2: the own address of the network and the broadcast address are in the range),
 * then events until the input ends, each of them a byte (its value modulo 8 is the kind; its highest
 * three bits are the peer) and what the kind needs:
 *
 *	0, 1	a request
 *	2, 3	an address is given back: its last byte
 *	4	a datagram as it is: length, bytes
 *	5	the address that was given last could be told to nobody
 *	6	the server begins anew, from what was stored
 *	7	a request in other clothes: what stands before it, what behind
 *
 * Beside the server stands a list of who has which address: nobody gets what another has or takes it
 * away, and every address is somebody's or can be had.
 */
#include <arpa/inet.h>

#include "fuzz.h"

#include "base/cleanup.h"
#include "base/reader.h"
#include "dhcp/text_server.h"

enum { EVENTS_MOST = 64, NETWORK = 0x0a000000, HOSTS = 8, PEERS = 8, FIRST = 2, LAST = 5 };
enum { LEAST_RECENT = 1, WIDE = 2 };

static struct {
	struct dhcp_text_server server;
	struct dhcp_pool pool;
	struct dhcp_text_result result;
	uint64_t now_ns, counts[DHCP_TEXT_OUTCOMES];
	uint8_t settings;
	unsigned owner[HOSTS]; /* a peer's number from 1; 0: nobody */
	struct dhcp_lease_record stored[HOSTS];
	bool is_stored[HOSTS];
	struct dhcp_text_result given; /* the last address that was, and when ... */
	uint64_t given_ns;
	unsigned given_to; /* ... and to whom; 0: there is none */
} world;

static struct endpoint peer_of(unsigned number)
{
	struct endpoint peer = {.family = ENDPOINT_IPV4, .address = {192, 0, 2, 1}, .port = 4000};
	/* All of it tells one from another: host, port and family. */
	peer.port = (uint16_t)(peer.port + (number & 1));
	peer.address[3] = (uint8_t)(1 + (number >> 1 & 1));
	if (number & 4)
		peer.family = ENDPOINT_IPV6;
	return peer;
}

static bool same(const struct endpoint *a, const struct endpoint *b)
{
	return endpoint_same_host(a, b) && a->port == b->port;
}

/* --- what is there --- */

static bool is_for_clients(unsigned number)
{
	bool wide = world.settings & WIDE;
	return wide ? number > 0 && number < HOSTS - 1 : number >= FIRST && number <= LAST;
}

static size_t count_free(void)
{
	size_t count = 0;
	for (unsigned i = 0; i < HOSTS; i++)
		count += is_for_clients(i) && !world.owner[i];
	return count;
}

static void make_pool(void)
{
	static const struct dhcp_range ranges[] = {
		{{NETWORK | FIRST}, {NETWORK | LAST}}, {{NETWORK}, {NETWORK | (HOSTS - 1)}}};
	const struct dhcp_subnet_settings settings = {
		.prefix = {{NETWORK}, 29},
		.ranges = &ranges[world.settings & WIDE ? 1 : 0],
		.range_count = 1,
	};
	const struct dhcp_pool_habits habits = {
		.allocation = world.settings & LEAST_RECENT ? DHCP_ALLOCATE_LEAST_RECENT
							    : DHCP_ALLOCATE_FIRST_FREE,
		.seed = 1,
	};
	HOLDS(dhcp_pool_init(&world.pool, &settings, &habits, NULL) == 0);
}

/* --- what the words are --- */

static enum dhcp_text_kind kind_of(const char *bytes, size_t length, struct ipv4 *ret_address)
{
	static const char blanks[] = " \t\n\v\f\r";
	char text[256];
	struct in_addr address;
	HOLDS(length < sizeof(text));
	memcpy(text, bytes, length);
	text[length] = '\0';
	length = strlen(text);
	while (length > 0 && strchr(blanks, text[length - 1]))
		text[--length] = '\0';
	const char *at = text + strspn(text, blanks);
	if (strcmp(at, "Give me IP") == 0)
		return DHCP_TEXT_REQUEST;
	if (strncmp(at, "IP:", 3) == 0)
		at += 3;
	at += strspn(at, blanks);
	if (inet_pton(AF_INET, at, &address) != 1)
		return DHCP_TEXT_OTHER;
	ret_address->host = ntohl(address.s_addr);
	return DHCP_TEXT_ADDRESS;
}

static void check_words(const char *bytes, size_t length)
{
	struct dhcp_text_message request, answer;
	struct ipv4 address = {0};
	dhcp_text_read_request(bytes, length, &request);
	dhcp_text_read_answer(bytes, length, &answer);
	HOLDS(request.kind == kind_of(bytes, length, &address));
	HOLDS(request.kind != DHCP_TEXT_ADDRESS || ipv4_equal(request.address, address));
	HOLDS(request.length <= length && request.length == answer.length);
	HOLDS(request.length == 0 ||
		(request.text >= bytes && request.text + request.length <= bytes + length));
	/* What a client reads as an address, a server would too. */
	HOLDS(answer.kind != DHCP_TEXT_REQUEST);
	HOLDS(answer.kind != DHCP_TEXT_ADDRESS ||
		(request.kind == DHCP_TEXT_ADDRESS && ipv4_equal(answer.address, address)));
	HOLDS(answer.kind != DHCP_TEXT_NONE_LEFT ||
		(answer.length == 11 && memcmp(answer.text, "No IPs left", 11) == 0));
}

/* What the server says is what a client reads. */
static void check_answer(void)
{
	const struct dhcp_text_result *result = &world.result;
	struct dhcp_text_message message;
	bool sent = result->outcome == DHCP_TEXT_SENT;
	HOLDS(sent || result->outcome == DHCP_TEXT_EMPTY || result->answer_length == 0);
	if (result->answer_length == 0)
		return;
	HOLDS(result->answer_length < DHCP_TEXT_SIZE);
	dhcp_text_read_answer(result->answer, result->answer_length, &message);
	HOLDS(message.kind == (sent ? DHCP_TEXT_ADDRESS : DHCP_TEXT_NONE_LEFT));
	HOLDS(message.length == result->answer_length);
	HOLDS(!sent || ipv4_equal(message.address, result->address));
}

/* --- what comes of a datagram --- */

static void check_given(unsigned peer)
{
	unsigned number = world.result.address.host - NETWORK;
	HOLDS(number < HOSTS && is_for_clients(number) && !world.owner[number]);
	for (unsigned i = 0; !(world.settings & LEAST_RECENT) && i < number; i++)
		HOLDS(!is_for_clients(i) || world.owner[i]);
	HOLDS(world.result.lease.ends_ns == DHCP_NEVER);
	world.owner[number] = peer;
	world.given = world.result;
	world.given_ns = world.now_ns;
	world.given_to = peer;
}

static void check_release(unsigned peer)
{
	const struct dhcp_text_result *result = &world.result;
	unsigned number = result->message.address.host - NETWORK;
	unsigned owner = number < HOSTS ? world.owner[number] : 0;
	HOLDS(ipv4_equal(result->address, result->message.address));
	if (!owner) {
		HOLDS(result->outcome == DHCP_TEXT_NOT_FOUND);
	} else if (owner == peer) {
		HOLDS(result->outcome == DHCP_TEXT_RELEASED);
		world.owner[number] = 0;
	} else {
		struct endpoint other = peer_of(owner - 1);
		HOLDS(result->outcome == DHCP_TEXT_NOT_ITS && same(&result->owner, &other));
	}
}

static void check_saved(void)
{
	const struct dhcp_text_result *result = &world.result;
	bool changed = result->outcome == DHCP_TEXT_SENT || result->outcome == DHCP_TEXT_RELEASED;
	HOLDS(result->save == changed);
	if (!changed)
		return;
	unsigned number = result->address.host - NETWORK;
	HOLDS(ipv4_equal(result->lease.address, result->address));
	world.stored[number] = result->lease;
	world.is_stored[number] = true;
}

static void receive(unsigned peer, const char *bytes, size_t length)
{
	/* A copy of the very size, so that a byte beyond it is seen. */
	CLEANUP(free_pointer) char *copy = malloc(length ? length : 1);
	HOLDS(copy);
	memcpy(copy, bytes, length);
	const struct dhcp_text_datagram datagram = {peer_of(peer - 1), copy, length};
	size_t free_before = count_free();
	check_words(copy, length);
	dhcp_text_server_receive(
		&world.server, &world.pool, &datagram, ++world.now_ns, &world.result);
	TRACE("%u: %.*s: %s %s", peer, (int)length, copy,
		dhcp_text_outcome_name(world.result.outcome), world.result.answer);
	world.counts[world.result.outcome]++;
	check_answer();
	HOLDS(same(&world.result.peer, &datagram.peer));
	if (world.result.message.kind == DHCP_TEXT_REQUEST) {
		HOLDS(world.result.outcome == (free_before ? DHCP_TEXT_SENT : DHCP_TEXT_EMPTY));
		HOLDS(world.result.answer_length > 0);
		if (free_before)
			check_given(peer);
	} else if (world.result.message.kind == DHCP_TEXT_ADDRESS) {
		check_release(peer);
	} else {
		HOLDS(world.result.outcome == DHCP_TEXT_NOT_FOUND);
	}
	world.result.message.text = NULL;
	check_saved();
}

static void check_server(void)
{
	HOLDS(dhcp_pool_free(&world.pool) == count_free());
	for (unsigned i = 0; i < DHCP_TEXT_OUTCOMES; i++)
		HOLDS(world.server.outcomes[i] == world.counts[i]);
	for (unsigned i = 0; i < HOSTS; i++) {
		struct endpoint peer = {0}, owner = peer_of(world.owner[i] - 1);
		const struct dhcp_lease *lease =
			dhcp_leases_of_address(&world.pool.leases, (struct ipv4){NETWORK | i});
		bool bound = lease && lease->state == DHCP_LEASE_BOUND;
		HOLDS(bound == (world.owner[i] != 0));
		HOLDS(!bound || (dhcp_text_peer(lease, &peer) && same(&peer, &owner)));
	}
}

/* --- events --- */

static void give_back(unsigned peer, uint8_t number)
{
	char text[DHCP_TEXT_SIZE];
	struct ipv4 address = {NETWORK | number % (HOSTS + 1)};
	/* With the answer's "IP:" before it, too. */
	size_t length = number & 0x80 ? dhcp_text_write_given(address, text)
				      : dhcp_text_write_release(address, text);
	receive(peer, text, length);
}

/* Its peer, who guesses what it gets, may have given it back before. */
static void not_told(void)
{
	unsigned number = world.given.address.host - NETWORK;
	if (!world.given_to)
		return;
	TRACE("not told");
	bool its = world.owner[number] == world.given_to;
	HOLDS(dhcp_text_server_not_told(&world.server, &world.pool, &world.given, world.given_ns) ==
		its);
	if (its) {
		HOLDS(ipv4_equal(world.given.lease.address, world.given.address));
		world.counts[DHCP_TEXT_SENT]--;
		world.owner[number] = 0;
		world.stored[number] = world.given.lease;
	}
	world.given_to = 0;
}

static void begin_anew(void)
{
	TRACE("anew");
	dhcp_pool_finish(&world.pool);
	make_pool();
	world.now_ns++;
	/* The earliest end first: those that were given back, then those that never end. */
	for (unsigned bound = 0; bound < 2; bound++)
		for (unsigned i = 0; i < HOSTS; i++)
			if (world.is_stored[i] && (world.owner[i] != 0) == bound)
				HOLDS(dhcp_pool_restore(
					&world.pool, &world.stored[i], world.now_ns));
	world.given_to = 0;
}

static void request_dressed(unsigned peer, uint8_t before, uint8_t behind)
{
	static const char *const clothes[] = {
		"", " ", "\r\n", "\t", "x", "IP:", "\xc2\xa0", "\v\f"};
	char text[64];
	int length = snprintf(
		text, sizeof(text), "%sGive me IP%s", clothes[before % 8], clothes[behind % 8]);
	/* With its NUL and what was in the buffer before. */
	receive(peer, text, (size_t)length + (behind & 0x80 ? 1 : 0));
}

static void event_from(struct reader *input)
{
	char bytes[255];
	uint8_t byte = read_u8(input), number;
	unsigned peer = 1 + (byte >> 5) % PEERS;
	size_t length, left;
	switch (byte % 8) {
	case 2:
	case 3:
		give_back(peer, read_u8(input));
		break;
	case 4:
		length = read_u8(input);
		left = reader_left(input);
		length = length < left ? length : left;
		read_bytes(input, bytes, length);
		receive(peer, bytes, length);
		break;
	case 5:
		not_told();
		break;
	case 6:
		begin_anew();
		break;
	case 7:
		number = read_u8(input);
		request_dressed(peer, number, read_u8(input));
		break;
	default:
		receive(peer, "Give me IP", 10);
	}
	check_server();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct reader input = reader_over(bytes, length);
	memset(&world, 0, sizeof(world));
	world.settings = read_u8(&input);
	make_pool();
	for (int i = 0; i < EVENTS_MOST && reader_left(&input) > 0; i++)
		event_from(&input);
	dhcp_pool_finish(&world.pool);
	return 0;
}
