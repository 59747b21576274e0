/*
 * The report's file protocol, the server's side. Input: a byte of settings, see make_text(), then
 * until the input ends events, each of them a byte (its value modulo 8 is the kind) and what the
 * kind needs:
 *
 *	0..2	bytes from the client: length, bytes
 *	3	one byte many times: the byte, how many in two bytes
 *	4	the client ends its half
 *	5	time goes on: a number of milliseconds; behind 255 the deadline comes
 *	6	the turn comes; or what was asked is answered, or what was sent has ended: outcome
 *	7	the next name is taken, where there is one
 *
 * The answers that an edge owes come in between. Where the settings say so, no time goes by and all
 * is answered at once: then it must not matter in what pieces the bytes come, and what the names are
 * is found by another reader, of the whole stream.
 */
#include "fuzz_ftp.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "ftp/text.h"

enum {
	EVENTS_MOST = 64,
	STREAM_MOST = 40000,
	NAMES_MOST = 400,
	LINES_MOST = 100,
	MANY_PIECE = 1000
};
enum { AT_ONCE = 1, SHORT_WAIT = 2, SHORT_IDLE = 4, PIECES_SHIFT = 3 };

static struct {
	struct ftp_text text;
	struct ftp_text_actions actions;
	uint64_t now_ns, wait_ns, idle_ns;
	size_t piece; /* the bytes come in pieces of so many; 0: as they are */
	bool at_once; /* see above */
	bool turned, asked, sending, over, ended;
	char stream[STREAM_MOST]; /* all that came */
	size_t stream_length, name_count;
	uint32_t digest; /* of the names, in order; of one that is too long only that it is */
} world;

#define TOO_LONG SIZE_MAX

/* --- the other reader --- */

static void note_name(const char *name, size_t length, size_t *count, uint32_t *digest)
{
	for (size_t i = 0; length != TOO_LONG && i < length; i++)
		*digest = (*digest ^ (unsigned char)name[i]) * 16777619;
	*digest += length == TOO_LONG ? 1 : (uint32_t)length * 31;
	++*count;
}

/* What names are in the stream, which has ended if `ended`; they are those that were received. */
static void check_names(bool ended)
{
	const char *bytes = world.stream;
	size_t length = world.stream_length, count = 0;
	uint32_t digest = 0;
	for (size_t at = 0; at < length;) {
		size_t begin = at;
		while (at < length && bytes[at] != '\n' && bytes[at] != '\0')
			at++;
		if (at == length && !ended)
			break;
		bool nul = at < length && bytes[at] == '\0';
		size_t size = at - begin;
		if (!nul && size > 0 && bytes[at - 1] == '\r')
			size--;
		at += at < length;
		if (nul && at - begin == 1)
			continue;
		note_name(
			bytes + begin, size > FTP_TEXT_NAME_MAX ? TOO_LONG : size, &count, &digest);
		if (size == 3 && memcmp(bytes + begin, FTP_TEXT_END, 3) == 0)
			break;
		/* A C program's string may hold the line's end behind the NUL. */
		size_t carriage = nul && at < length && bytes[at] == '\r';
		if (nul && at + carriage < length && bytes[at + carriage] == '\n')
			at += carriage + 1;
		else if (nul && at + carriage == length)
			at = length;
	}
	HOLDS(count == world.name_count && digest == world.digest);
}

/* --- what the edge does --- */

static void check_received(const struct ftp_text_action *action, bool too_long)
{
	char path[FTP_PATH_SIZE];
	const struct ftp_text_action *next = action + 1;
	HOLDS(world.actions.count >= 2 && action == world.actions.list);
	HOLDS(action->length <= FTP_TEXT_NAME_MAX && action->text[action->length] == '\0');
	TRACE("received %.40s (%zu)", action->text, action->length);
	note_name(action->text, too_long ? TOO_LONG : action->length, &world.name_count,
		&world.digest);
	if (too_long) {
		HOLDS(next->kind == FTP_TEXT_REFUSED);
		return;
	}
	HOLDS(!memchr(action->text, '\0', action->length) &&
		!memchr(action->text, '\n', action->length));
	const char *why = ftp_text_resolve(action->text, action->length, path);
	bool end = strcmp(action->text, FTP_TEXT_END) == 0;
	HOLDS((next->kind == FTP_TEXT_CLOSE) == end);
	HOLDS(end || (next->kind == FTP_TEXT_REFUSED) == (why != NULL));
	HOLDS(end || why || (next->kind == FTP_TEXT_OPEN && strcmp(next->text, path) == 0));
	HOLDS(why || is_normalised(path));
}

static void perform(const struct ftp_text_action *action, enum ftp_text_state before, bool too_long)
{
	enum ftp_text_state state = world.text.state;
	HOLDS(!world.over && (action->text || action->length == 0));
	switch (action->kind) {
	case FTP_TEXT_SAY:
		HOLDS(action->length == strlen(action->text));
		HOLDS(strcmp(action->text, world.turned ? FTP_TEXT_NOT_FOUND : FTP_TEXT_GREETING) ==
			0);
		world.turned = true;
		break;
	case FTP_TEXT_RECEIVED:
		HOLDS(before == FTP_TEXT_READY && world.turned);
		check_received(action, too_long);
		break;
	case FTP_TEXT_REFUSED:
		HOLDS(action->length > 0 && action[1].kind == FTP_TEXT_SAY);
		break;
	case FTP_TEXT_OPEN:
		HOLDS(state == FTP_TEXT_ASKING && !world.asked && !world.sending);
		world.asked = true;
		break;
	case FTP_TEXT_START:
		HOLDS(state == FTP_TEXT_SENDING && before == FTP_TEXT_ASKING && !world.sending);
		world.sending = true;
		break;
	case FTP_TEXT_CLOSE:
		HOLDS(state == FTP_TEXT_CLOSED && !world.asked && !world.sending);
		world.over = true;
		break;
	case FTP_TEXT_ABORT:
		HOLDS(state == FTP_TEXT_CLOSED && before == FTP_TEXT_SENDING);
		world.over = true;
		break;
	}
}

/* --- what holds between any two events --- */

static void check_text(void)
{
	const struct ftp_text *text = &world.text;
	bool rests = text->state == FTP_TEXT_READY || text->state == FTP_TEXT_WAITING;
	HOLDS((unsigned)text->state <= FTP_TEXT_CLOSED);
	HOLDS((text->state == FTP_TEXT_CLOSED) == world.over);
	HOLDS((text->state == FTP_TEXT_ASKING) == world.asked);
	HOLDS((text->state == FTP_TEXT_SENDING) == world.sending);
	HOLDS(world.over || (text->state == FTP_TEXT_WAITING) == !world.turned);
	HOLDS(text->held_length <= FTP_TEXT_HELD_MAX && !text->held == (text->held_length == 0));
	HOLDS(ftp_text_room(text) == FTP_TEXT_HELD_MAX - text->held_length);
	if (world.over)
		return;
	/* Who is at rest is let go in time, or waited for; and who has left, is gone. */
	uint64_t limit_ns = text->state == FTP_TEXT_WAITING ? world.wait_ns : world.idle_ns;
	HOLDS(rests == (text->deadline_ns != UINT64_MAX) || limit_ns == UINT64_MAX);
	HOLDS(!rests || limit_ns == UINT64_MAX || text->deadline_ns <= world.now_ns + limit_ns);
	HOLDS(!(rests && world.ended && text->held_length == 0 && !text->skipping));
	if (text->state != FTP_TEXT_READY || ftp_text_has_name(text, world.now_ns))
		return;
	HOLDS(!world.ended);
	/* A CR whose LF may still come, behind a name that was taken, is no name. */
	bool half = text->late_end && text->held_length == 1 && text->held[0] == '\r';
	if (text->held_length > 0 && !half)
		HOLDS(text->deadline_ns <= world.now_ns + FTP_TEXT_QUIET_NS);
}

static void step(const struct ftp_text_event *event)
{
	enum ftp_text_state before = world.text.state;
	/* The first byte that ends a name, or all there is, tells how long it is. */
	size_t size = 0, held = world.text.held_length;
	while (size < held && world.text.held[size] != '\n' && world.text.held[size] != '\0')
		size++;
	bool nul = size < held && world.text.held[size] == '\0';
	if (!nul && size > 0 && world.text.held[size - 1] == '\r')
		size--;
	bool too_long = world.text.skipping || size > FTP_TEXT_NAME_MAX;
	ftp_text_step(&world.text, event, world.now_ns, &world.actions);
	HOLDS(world.actions.count <= FTP_TEXT_ACTIONS_MAX);
	for (size_t i = 0; i < world.actions.count; i++)
		perform(&world.actions.list[i], before, too_long);
	check_text();
}

/* --- events --- */

static bool take(void)
{
	static const struct ftp_text_event event = {.kind = FTP_TEXT_TAKE};
	size_t names = world.name_count;
	if (world.over || !ftp_text_has_name(&world.text, world.now_ns))
		return false;
	step(&event);
	HOLDS(world.name_count == names + 1);
	return true;
}

static void answer(enum ftp_outcome outcome)
{
	struct ftp_text_event event = {.kind = FTP_TEXT_ANSWER, .outcome = outcome};
	if (world.sending)
		event.kind = FTP_TEXT_SENT;
	else if (!world.asked)
		event.kind = FTP_TEXT_TURN;
	if (world.over || (event.kind == FTP_TEXT_TURN && world.turned))
		return;
	world.asked = world.sending = false;
	TRACE("%s: answer %u", ftp_text_state_name(world.text.state), outcome);
	step(&event);
	if (event.kind == FTP_TEXT_ANSWER)
		HOLDS((outcome == FTP_OUTCOME_DONE) == world.sending);
	if (event.kind == FTP_TEXT_SENT)
		HOLDS(outcome == FTP_OUTCOME_DONE || world.over);
}

/* What an edge does when it has nothing else to do. */
static void settle(void)
{
	if (!world.at_once)
		return;
	do {
		if (world.asked)
			answer(world.name_count % 2 ? FTP_OUTCOME_DONE : FTP_OUTCOME_NOT_FOUND);
		if (world.sending)
			answer(FTP_OUTCOME_DONE);
	} while (take());
}

static void feed(const char *bytes, size_t length, size_t piece)
{
	while (length > 0 && !world.ended && !world.over) {
		size_t size = piece && piece < length ? piece : length;
		size_t room = ftp_text_room(&world.text);
		size = size < room ? size : room;
		if (size == 0 || size > STREAM_MOST - world.stream_length)
			return;
		/* A copy of the very size, which is gone with the event. */
		CLEANUP(free_pointer) char *copy = malloc(size);
		HOLDS(copy);
		memcpy(copy, bytes, size);
		memcpy(world.stream + world.stream_length, bytes, size);
		world.stream_length += size;
		struct ftp_text_event event = {.kind = FTP_TEXT_BYTES};
		event.bytes = copy;
		event.length = size;
		step(&event);
		settle();
		bytes += size;
		length -= size;
	}
}

static void end_half(void)
{
	static const struct ftp_text_event event = {.kind = FTP_TEXT_ENDED};
	if (world.ended || world.over)
		return;
	TRACE("ended");
	world.ended = true;
	step(&event);
	settle();
}

static void be_time(uint64_t step_ms)
{
	static const struct ftp_text_event event = {.kind = FTP_TEXT_TIME};
	uint64_t deadline_ns = world.text.deadline_ns;
	if (world.at_once || world.over)
		return;
	if (step_ms < 255)
		world.now_ns += step_ms * (NS_PER_SECOND / 1000);
	else if (deadline_ns == UINT64_MAX)
		return;
	else if (deadline_ns > world.now_ns)
		world.now_ns = deadline_ns;
	TRACE("time");
	step(&event);
	/* Something has come of it: it is not stepped again for the same. */
	HOLDS(world.over || world.text.deadline_ns > world.now_ns ||
		ftp_text_has_name(&world.text, world.now_ns));
}

static void event_from(struct reader *input)
{
	static char many[STREAM_MOST];
	size_t length, left;
	uint8_t byte = read_u8(input);
	switch (byte % 8) {
	case 3:
		byte = read_u8(input);
		length = read_be16(input) % (size_t)(byte == '\n' ? LINES_MOST : STREAM_MOST / 2);
		memset(many, byte, length);
		feed(many, length, world.piece ? MANY_PIECE + world.piece : 0);
		break;
	case 4:
		end_half();
		break;
	case 5:
		be_time(read_u8(input));
		break;
	case 6:
		answer((enum ftp_outcome)(read_u8(input) % FTP_OUTCOME_COUNT));
		settle();
		break;
	case 7:
		take();
		break;
	default:
		length = read_u8(input);
		left = reader_left(input);
		length = length < left ? length : left;
		feed((const char *)reader_take(input, length), length, world.piece);
	}
}

static void make_text(uint8_t byte)
{
	static const uint8_t pieces[] = {0, 1, 2, 3, 5, 7, 64, 255};
	world.at_once = byte & AT_ONCE;
	world.wait_ns = byte & SHORT_WAIT ? NS_PER_SECOND : UINT64_MAX;
	world.idle_ns = byte & SHORT_IDLE ? NS_PER_SECOND : UINT64_MAX;
	world.piece = pieces[byte >> PIECES_SHIFT & 7];
	world.now_ns = 1000 * NS_PER_SECOND;
	world.turned = world.asked = world.sending = world.over = world.ended = false;
	world.stream_length = world.name_count = world.digest = 0;
	ftp_text_init(&world.text, world.wait_ns, world.idle_ns, world.now_ns);
	check_text();
	if (world.at_once)
		answer(FTP_OUTCOME_DONE);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct reader input = reader_over(bytes, length);
	make_text(read_u8(&input));
	for (int i = 0; i < EVENTS_MOST && reader_left(&input) > 0 && world.name_count < NAMES_MOST;
		i++)
		event_from(&input);
	if (world.at_once)
		check_names(world.ended);
	ftp_text_finish(&world.text);
	return 0;
}
