/*
 * The client of the report's address protocol. Input: a byte of settings (1: once; 2: it gives up after
 * ten seconds), then events until the input or the client ends, each of them a byte (its value modulo 8
 * is the kind) and what the kind needs:
 *
 *	0, 1	an address is given: its last byte
 *	2	none is left
 *	3	a datagram as it is: length, bytes
 *	4	the deadline comes
 *	5	time goes on: tenths of seconds
 *	6	it is stopped: whether the address is given back
 *	7	an address of any kind is given: four bytes
 *
 * Beside the client stands a list of what it was given: it keeps one address at most, every other goes
 * back to the server, and it asks no more often than it may.
 */
#include "fuzz.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/reader.h"
#include "dhcp/client_lease.h"
#include "dhcp/text_client.h"

enum { EVENTS_MOST = 64, NETWORK = 0x0a000000, ONCE = 1, GIVES_UP = 2 };
enum { RETRY_SECONDS = 3, WAIT_SECONDS = 10, LINGER_SECONDS = 1 };

static struct {
	struct dhcp_text_client client;
	struct dhcp_text_actions actions;
	uint64_t now_ns, began_ns, asked_ns;
	bool asked, finished, leaving;
	struct ipv4 kept; /* the address that it has; none: 0 */
	unsigned sent_back; /* in this step */
	struct ipv4 back; /* the last that was */
} world;

static void check_sent(const struct dhcp_text_action *action)
{
	struct dhcp_text_message message;
	HOLDS(action->length > 0 && action->length < DHCP_TEXT_SIZE);
	dhcp_text_read_request(action->text, action->length, &message);
	if (message.kind == DHCP_TEXT_REQUEST) {
		/* Each one takes an address for ever. */
		HOLDS(!world.kept.host && !world.leaving);
		HOLDS(!world.asked ||
			world.now_ns >= world.asked_ns + RETRY_SECONDS * NS_PER_SECOND);
		world.asked = true;
		world.asked_ns = world.now_ns;
		return;
	}
	HOLDS(message.kind == DHCP_TEXT_ADDRESS);
	world.sent_back++;
	world.back = message.address;
}

static void perform(const struct dhcp_text_action *action, bool last)
{
	TRACE("  action %u, reason %u, %.*s", action->kind, action->reason, (int)action->length,
		action->text);
	HOLDS(!world.finished && (unsigned)action->reason < DHCP_TEXT_REASONS);
	HOLDS(action->reason == DHCP_TEXT_NO_REASON || *dhcp_text_reason_text(action->reason));
	switch (action->kind) {
	case DHCP_TEXT_SEND:
		check_sent(action);
		break;
	case DHCP_TEXT_ONLINE:
		HOLDS(!world.kept.host && dhcp_client_address_usable(action->address));
		world.kept = action->address;
		break;
	case DHCP_TEXT_OFFLINE:
		HOLDS(action->reason != DHCP_TEXT_NO_REASON);
		if (action->reason == DHCP_TEXT_GIVEN_BACK) {
			HOLDS(world.kept.host && ipv4_equal(action->address, world.kept));
			world.kept.host = 0;
		}
		HOLDS(!world.kept.host);
		break;
	case DHCP_TEXT_REPORT:
		HOLDS(action->reason != DHCP_TEXT_NO_REASON);
		break;
	case DHCP_TEXT_FINISH:
		HOLDS(last);
		world.finished = true;
		break;
	}
}

static void check_client(void)
{
	const struct dhcp_text_client *client = &world.client;
	uint64_t deadline_ns = world.actions.deadline_ns;
	uint64_t give_up_ns = world.began_ns + WAIT_SECONDS * NS_PER_SECOND;
	bool waits = client->state == DHCP_TEXT_CLIENT_ASKING ||
		     client->state == DHCP_TEXT_CLIENT_OFFLINE;
	HOLDS((client->state == DHCP_TEXT_CLIENT_DONE) == world.finished);
	HOLDS(ipv4_equal(client->address, world.kept));
	bool leaves = client->state == DHCP_TEXT_CLIENT_LEAVING;
	HOLDS((client->state == DHCP_TEXT_CLIENT_ONLINE) ==
		(world.kept.host && !world.finished && !leaves));
	HOLDS(!client->failed || (world.finished && !world.kept.host));
	HOLDS((waits || leaves) == (deadline_ns != DHCP_NEVER));
	HOLDS(!waits || deadline_ns <= world.asked_ns + RETRY_SECONDS * NS_PER_SECOND);
	HOLDS(!waits || !client->settings.wait_ns || deadline_ns <= give_up_ns);
	HOLDS(!leaves || deadline_ns <= world.now_ns + LINGER_SECONDS * NS_PER_SECOND);
	world.leaving = leaves;
}

static void step(const struct dhcp_text_event *event)
{
	world.sent_back = 0;
	dhcp_text_client_step(&world.client, event, world.now_ns, &world.actions);
	HOLDS(world.actions.count <= DHCP_TEXT_ACTIONS_MAX);
	for (unsigned i = 0; i < world.actions.count; i++)
		perform(&world.actions.list[i], i + 1 == world.actions.count);
	check_client();
}

static void hear(const char *bytes, size_t length)
{
	struct dhcp_text_event event = {.kind = DHCP_TEXT_EVENT_DATAGRAM, .length = length};
	struct dhcp_text_message message;
	/* A copy of the very size, so that a byte beyond it is seen. */
	CLEANUP(free_pointer) char *copy = malloc(length ? length : 1);
	HOLDS(copy);
	memcpy(copy, bytes, length);
	event.bytes = copy;
	dhcp_text_read_answer(copy, length, &message);
	struct ipv4 had = world.kept;
	TRACE("hears %.*s", (int)length, copy);
	step(&event);
	/* An address that came is the one it has now, or has gone back. */
	if (message.kind != DHCP_TEXT_ADDRESS) {
		HOLDS(world.sent_back == 0 && ipv4_equal(had, world.kept));
		return;
	}
	bool kept = world.kept.host && ipv4_equal(world.kept, message.address);
	HOLDS(world.sent_back == !kept && (kept || ipv4_equal(world.back, message.address)));
	HOLDS(!had.host || ipv4_equal(world.kept, had));
}

static void be_time(uint64_t now_ns)
{
	static const struct dhcp_text_event event = {.kind = DHCP_TEXT_EVENT_TIMER};
	world.now_ns = now_ns;
	TRACE("time");
	step(&event);
	HOLDS(world.sent_back == 0 && world.actions.deadline_ns > world.now_ns);
}

static void stop(bool release)
{
	struct dhcp_text_event event = {.kind = DHCP_TEXT_EVENT_STOP, .release = release};
	struct ipv4 had = world.kept;
	bool again = world.leaving;
	TRACE("stop");
	step(&event);
	HOLDS(world.finished || (world.leaving && release && !again));
	/* Who stops it a second time does not wait, and who is done keeps what it has. */
	HOLDS(world.sent_back == (release && !again && had.host));
	HOLDS(!world.sent_back || ipv4_equal(world.back, had));
}

static void hear_given(struct ipv4 address)
{
	char text[DHCP_TEXT_SIZE];
	size_t length = dhcp_text_write_given(address, text);
	hear(text, length);
}

static void event_from(struct reader *input)
{
	char bytes[255];
	size_t length, left;
	switch (read_u8(input) % 8) {
	case 2:
		hear("No IPs left", 11);
		break;
	case 3:
		length = read_u8(input);
		left = reader_left(input);
		length = length < left ? length : left;
		read_bytes(input, bytes, length);
		hear(bytes, length);
		break;
	case 4:
		if (world.actions.deadline_ns != DHCP_NEVER)
			be_time(world.actions.deadline_ns);
		break;
	case 5:
		be_time(world.now_ns + read_u8(input) * (NS_PER_SECOND / 10));
		break;
	case 6:
		stop(read_u8(input) & 1);
		break;
	case 7:
		hear_given((struct ipv4){read_be32(input)});
		break;
	default:
		hear_given((struct ipv4){NETWORK | read_u8(input)});
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static const struct dhcp_text_event start = {.kind = DHCP_TEXT_EVENT_START};
	struct reader input = reader_over(bytes, length);
	uint8_t settings = read_u8(&input);
	struct dhcp_text_client_settings given = {
		.retry_ns = RETRY_SECONDS * NS_PER_SECOND,
		.wait_ns = settings & GIVES_UP ? WAIT_SECONDS * NS_PER_SECOND : 0,
		.once = settings & ONCE,
	};
	memset(&world, 0, sizeof(world));
	world.began_ns = world.now_ns = 1000 * NS_PER_SECOND;
	dhcp_text_client_init(&world.client, &given);
	step(&start);
	for (int i = 0; i < EVENTS_MOST && !world.finished && reader_left(&input) > 0; i++)
		event_from(&input);
	return 0;
}
