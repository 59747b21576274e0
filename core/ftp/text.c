#include "ftp/text.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* What the next bytes that wait are. */
enum next {
	NEXT_NOTHING, /* or not all of it */
	NEXT_NAME,
	NEXT_TOO_LONG, /* the end of a name whose beginning is gone */
};

struct name {
	size_t length;
	size_t used; /* with its end */
	bool open; /* it has none */
};

/* --- what waits --- */

size_t ftp_text_room(const struct ftp_text *text)
{
	return FTP_TEXT_HELD_MAX - text->held_length;
}

static void held_drop(struct ftp_text *text, size_t count)
{
	text->held_length -= count;
	if (text->held_length > 0) {
		text->held += count;
		return;
	}
	free(text->block);
	text->block = text->held = NULL;
}

/* How many bytes are a line end that belongs to what came before, where one may. */
static size_t late_end_length(const struct ftp_text *text)
{
	const char *at = text->held;
	size_t left = text->held_length;
	bool carriage = left > 0 && at[0] == '\r';
	if (left > carriage && at[carriage] == '\n')
		return carriage + 1u;
	return 0;
}

/* Whether all there is may be the first half of one: no name, however long nothing follows. */
static bool half_late_end(const struct ftp_text *text)
{
	return text->late_end && text->held_length == 1 && text->held[0] == '\r';
}

static size_t nul_count(const struct ftp_text *text)
{
	size_t count = 0;
	while (count < text->held_length && text->held[count] == '\0')
		count++;
	return count;
}

/*
 * NULs end a name and are never one themselves: who sends a whole buffer sends many of them. The
 * memory of a name that is too long is not kept until its end.
 */
static void held_tidy(struct ftp_text *text)
{
	size_t nuls;
	bool half = half_late_end(text);
	if (text->late_end && text->held_length > 0) {
		size_t late = half && text->ended ? 1 : late_end_length(text);
		text->late_end = half;
		held_drop(text, late);
	}
	if (!text->skipping && (nuls = nul_count(text)) > 0)
		held_drop(text, nuls);
}

static enum next held_look(const struct ftp_text *text, uint64_t now_ns, struct name *ret_name)
{
	size_t left = text->held_length, length = 0;
	const char *at = text->held;
	while (length < left && at[length] != '\n' && at[length] != '\0')
		length++;
	bool open = length == left;
	bool over = text->ended || now_ns >= text->quiet_ns;
	if (open && !(over && (left > 0 || text->skipping)))
		return NEXT_NOTHING;
	if (half_late_end(text))
		return NEXT_NOTHING;
	*ret_name = (struct name){.length = length, .used = length + !open, .open = open};
	bool line = open || at[length] == '\n';
	if (line && length > 0 && at[length - 1] == '\r')
		ret_name->length--;
	bool too_long = text->skipping || ret_name->length > FTP_TEXT_NAME_MAX;
	return too_long ? NEXT_TOO_LONG : NEXT_NAME;
}

/* A name that grows too long while it comes: forget it, but for the fact. */
static void held_limit(struct ftp_text *text)
{
	struct name name;
	if (held_look(text, 0, &name) != NEXT_NOTHING || text->held_length <= FTP_TEXT_NAME_MAX + 1)
		return;
	text->skipping = true;
	held_drop(text, text->held_length);
}

static bool held_add(struct ftp_text *text, const char *bytes, size_t length)
{
	if (length == 0)
		return true;
	if (text->held != text->block)
		memmove(text->block, text->held, text->held_length);
	text->held = text->block;
	char *grown = realloc(text->block, text->held_length + length);
	if (!grown)
		return false;
	memcpy(grown + text->held_length, bytes, length);
	text->block = text->held = grown;
	text->held_length += length;
	return true;
}

bool ftp_text_has_name(const struct ftp_text *text, uint64_t now_ns)
{
	struct name name;
	return text->state == FTP_TEXT_READY && held_look(text, now_ns, &name) != NEXT_NOTHING;
}

/* --- what a name stands for --- */

/* Whether the words go above where they begin, if only on the way. */
static bool leads_out(const char *name, size_t length)
{
	size_t depth = 0;
	for (size_t at = 0; at < length;) {
		const char *word = name + at;
		const char *slash = memchr(word, '/', length - at);
		size_t size = slash ? (size_t)(slash - word) : length - at;
		at += size + 1;
		if (size == 2 && memcmp(word, "..", 2) == 0) {
			if (depth-- == 0)
				return true;
		} else if (size > 0 && !(size == 1 && *word == '.')) {
			depth++;
		}
	}
	return false;
}

const char *ftp_text_resolve(const char *name, size_t length, char ret_path[static FTP_PATH_SIZE])
{
	if (length == 0)
		return "the name is empty";
	if (!text_is_utf8(name, length))
		return "the name is not UTF-8";
	if (leads_out(name, length))
		return "the name leads out of the root directory";
	if (!ftp_path_resolve("/", name, length, ret_path))
		return "the name is too long";
	return NULL;
}

/* --- steps --- */

static void act(struct ftp_text_actions *actions, enum ftp_text_action_kind kind, const char *text)
{
	actions->list[actions->count++] = (struct ftp_text_action){
		.kind = kind, .text = text, .length = text ? strlen(text) : 0};
}

static void close_with(struct ftp_text *text, struct ftp_text_actions *actions, const char *why)
{
	text->state = FTP_TEXT_CLOSED;
	act(actions, FTP_TEXT_CLOSE, why);
}

static void refuse(struct ftp_text *text, struct ftp_text_actions *actions, const char *why)
{
	text->state = FTP_TEXT_READY;
	act(actions, FTP_TEXT_REFUSED, why);
	act(actions, FTP_TEXT_SAY, FTP_TEXT_NOT_FOUND);
}

static uint64_t later(uint64_t now_ns, uint64_t by_ns)
{
	return by_ns > UINT64_MAX - now_ns ? UINT64_MAX : now_ns + by_ns;
}

static void step_bytes(struct ftp_text *text, const struct ftp_text_event *event, uint64_t now_ns,
	struct ftp_text_actions *actions)
{
	if (!held_add(text, event->bytes, event->length)) {
		close_with(text, actions, "out of memory");
		return;
	}
	text->quiet_ns = later(now_ns, FTP_TEXT_QUIET_NS);
	held_tidy(text);
	held_limit(text);
	/* Unread bytes would hide from us that it leaves, and its place would stay taken. */
	bool full = ftp_text_room(text) == 0 || text->skipping;
	if (text->state == FTP_TEXT_WAITING && full)
		close_with(text, actions, "sends more than can be kept for its turn");
}

static void step_take(struct ftp_text *text, uint64_t now_ns, struct ftp_text_actions *actions)
{
	struct name name;
	enum next next = held_look(text, now_ns, &name);
	const char *why = "the name is too long";
	if (next == NEXT_NOTHING)
		return;
	size_t shown = name.length < FTP_TEXT_NAME_MAX ? name.length : FTP_TEXT_NAME_MAX;
	if (shown > 0)
		memcpy(actions->name, text->held, shown);
	actions->name[shown] = '\0';
	/* The end of what was skipped says nothing of what the name was. */
	act(actions, FTP_TEXT_RECEIVED, text->skipping ? "..." : actions->name);
	if (next == NEXT_NAME) {
		actions->list[0].length = shown;
		why = ftp_text_resolve(actions->name, shown, text->path);
	}
	bool ends = next == NEXT_NAME && strcmp(actions->name, FTP_TEXT_END) == 0;
	text->late_end = name.open || (name.used > 0 && text->held[name.used - 1] == '\0');
	text->skipping = false;
	held_drop(text, name.used);
	held_tidy(text);
	if (ends) {
		close_with(text, actions, NULL);
	} else if (why) {
		refuse(text, actions, why);
	} else {
		text->state = FTP_TEXT_ASKING;
		act(actions, FTP_TEXT_OPEN, text->path);
	}
}

/* Whatever the reason, the client hears of one alone; the log has the others. */
static const char *reason(enum ftp_outcome outcome)
{
	switch (outcome) {
	case FTP_OUTCOME_NOT_FOUND:
	case FTP_OUTCOME_NOT_A_DIRECTORY:
		return "there is none of that name";
	case FTP_OUTCOME_NOT_A_FILE:
		return "it is no plain file";
	case FTP_OUTCOME_DENIED:
		return "the server may not read it";
	case FTP_OUTCOME_BAD_NAME:
	case FTP_OUTCOME_NAME_TOO_LONG:
		return "no file can have that name";
	default:
		return "it cannot be read";
	}
}

static void step_answer(
	struct ftp_text *text, enum ftp_outcome outcome, struct ftp_text_actions *actions)
{
	if (outcome != FTP_OUTCOME_DONE) {
		refuse(text, actions, reason(outcome));
		return;
	}
	text->state = FTP_TEXT_SENDING;
	act(actions, FTP_TEXT_START, NULL);
}

static void step_sent(
	struct ftp_text *text, enum ftp_outcome outcome, struct ftp_text_actions *actions)
{
	text->state = FTP_TEXT_READY;
	if (outcome == FTP_OUTCOME_DONE)
		return;
	text->state = FTP_TEXT_CLOSED;
	act(actions, FTP_TEXT_ABORT,
		outcome == FTP_OUTCOME_LOST	 ? "closed its connection during a transfer"
		: outcome == FTP_OUTCOME_STALLED ? "does not read what it asked for"
						 : "the file could not be read to its end");
}

static void step_time(struct ftp_text *text, uint64_t now_ns, struct ftp_text_actions *actions)
{
	if (now_ns < text->limit_ns)
		return;
	if (text->state == FTP_TEXT_WAITING)
		close_with(text, actions, "has waited in line as long as it may");
	else if (text->state == FTP_TEXT_READY)
		close_with(text, actions, "was silent as long as it may");
}

/* When the next look is due. */
static void set_deadline(struct ftp_text *text, uint64_t now_ns)
{
	bool ready = text->state == FTP_TEXT_READY;
	bool open = text->held_length > 0 || text->skipping;
	text->deadline_ns = UINT64_MAX;
	if (ready || text->state == FTP_TEXT_WAITING)
		text->deadline_ns = text->limit_ns;
	/* Names that are whole are not waited for: they are taken as the client reads. */
	if (ready && open && text->quiet_ns > now_ns && text->quiet_ns < text->deadline_ns)
		text->deadline_ns = text->quiet_ns;
}

void ftp_text_step(struct ftp_text *text, const struct ftp_text_event *event, uint64_t now_ns,
	struct ftp_text_actions *ret_actions)
{
	ret_actions->count = 0;
	if (text->state == FTP_TEXT_CLOSED)
		return;
	switch (event->kind) {
	case FTP_TEXT_TURN:
		text->state = FTP_TEXT_READY;
		act(ret_actions, FTP_TEXT_SAY, FTP_TEXT_GREETING);
		break;
	case FTP_TEXT_BYTES:
		step_bytes(text, event, now_ns, ret_actions);
		break;
	case FTP_TEXT_ENDED:
		text->ended = true;
		held_tidy(text);
		break;
	case FTP_TEXT_TAKE:
		if (text->state == FTP_TEXT_READY)
			step_take(text, now_ns, ret_actions);
		break;
	case FTP_TEXT_ANSWER:
		step_answer(text, event->outcome, ret_actions);
		break;
	case FTP_TEXT_SENT:
		step_sent(text, event->outcome, ret_actions);
		break;
	case FTP_TEXT_TIME:
		step_time(text, now_ns, ret_actions);
		break;
	}
	if (text->state == FTP_TEXT_READY && event->kind != FTP_TEXT_TIME)
		text->limit_ns = later(now_ns, text->idle_ns);
	bool rests = text->state == FTP_TEXT_READY || text->state == FTP_TEXT_WAITING;
	if (text->ended && rests && text->held_length == 0 && !text->skipping)
		close_with(text, ret_actions,
			text->state == FTP_TEXT_WAITING ? "gave up its place in line" : NULL);
	set_deadline(text, now_ns);
}

void ftp_text_init(struct ftp_text *text, uint64_t wait_ns, uint64_t idle_ns, uint64_t now_ns)
{
	*text = (struct ftp_text){
		.state = FTP_TEXT_WAITING,
		.idle_ns = idle_ns,
		.quiet_ns = UINT64_MAX,
		.limit_ns = later(now_ns, wait_ns),
	};
	set_deadline(text, now_ns);
}

void ftp_text_finish(struct ftp_text *text)
{
	held_drop(text, text->held_length);
}

const char *ftp_text_state_name(enum ftp_text_state state)
{
	static const char *const names[] = {
		[FTP_TEXT_WAITING] = "waiting",
		[FTP_TEXT_READY] = "ready",
		[FTP_TEXT_ASKING] = "asking",
		[FTP_TEXT_SENDING] = "transfer",
		[FTP_TEXT_CLOSED] = "closed",
	};
	return names[state];
}

enum ftp_text_match ftp_text_match(const char *bytes, size_t length, const char *expected)
{
	size_t whole = strlen(expected);
	if (length > whole || memcmp(bytes, expected, length) != 0)
		return FTP_TEXT_OTHER;
	return length == whole ? FTP_TEXT_WHOLE : FTP_TEXT_PART;
}
