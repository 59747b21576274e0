/*
 * The server's session machine. Input: a byte of settings, see make_session(), then events until the
 * input ends, each of them a byte (its value modulo 16 is the kind) and what the kind needs:
 *
 *	0..7	a line: the verb's number, the argument's number in arguments[]; the last of them is
 *		given: its length, bytes
 *	8	a line as it is: length, bytes
 *	9	an answer: outcome, a byte that makes up what else is in it
 *	10	the transfer ended: outcome
 *	11	time goes on: a number and how far it is shifted, in milliseconds
 *	12	the deadline comes
 *	13	in line: place, turn, full, full for the address, too early
 *	14	a line that is too long
 *	15	the server ends, where the next byte is 0
 *
 * The actions are done as the edge does them, and beside the session stands what a client has been
 * told and an edge been asked: every reply is whole and answers something, there is one question at a
 * time, nobody does what his rights do not say, and no path leads out.
 */
#include <sys/stat.h>

#include "fuzz_ftp.h"
#include "fuzz_ftp_codes.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "ftp/reply.h"
#include "ftp/session.h"

enum { EVENTS_MOST = 64, ACTIONS_MOST = FTP_ACTIONS_MAX - 2 };
enum { TLS = 1, TLS_REQUIRED = 2, IPV6 = 4, SHORT_WAIT = 8, IN_LINE = 16, RIGHTS_SHIFT = 5 };

static struct {
	struct ftp_session_settings settings;
	struct ftp_session session;
	struct ftp_actions actions;
	uint64_t now_ns;
	unsigned account_rights, failures;
	bool asked, logged_in, moving, secure, closed, epsv_only;
	bool renames; /* RNFR was good, and since then RNTO alone was said */
	enum ftp_action_kind question;
	struct ftp_reply_reader reader;
	unsigned replies, code; /* whole ones of this step, and the last one's */
	unsigned questions;
} world;

#define NNNN "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
static const char *const arguments[] = {"", "a", "../../b", "/c/./d//e", "A", "I", "L 8", "A C",
	"TLS", "P", "C", "E", "0", "100", "9223372036854775807", "18446744073709551616",
	"20240131120000 a", "20230229000000 a", "MLST type;size;", "MLST", "UTF8 ON", "ALL", "1",
	"2", "192,0,2,7,200,1", "192,0,2,8,200,1", "192,0,2,7,0,21", "|1|192.0.2.7|40000|",
	"|2|2001:db8::7|40000|", "|3|x|1|", "anonymous", "someone", "-al a", "-al", "HELP",
	"a\r226 b", "\xff\"quoted\"\x7f", "F", "S", "RETR", NNNN NNNN NNNN NNNN};

/* What an action does, of what the account must allow: a set of enum ftp_right, and its answer. */
static const struct {
	bool question, path;
	unsigned rights;
} kinds[FTP_ACTION_CLOSE + 1] = {
	[FTP_ACTION_LOG_IN] = {.question = true},
	[FTP_ACTION_CHECK_DIRECTORY] = {true, true, 0},
	[FTP_ACTION_ASK_SIZE] = {true, true, FTP_MAY_READ},
	[FTP_ACTION_ASK_FACTS] = {true, true, 0}, /* MDTM, MLST, and RNFR, which reads nothing */
	[FTP_ACTION_SET_TIME] = {true, true, FTP_MAY_CHANGE},
	[FTP_ACTION_DELETE] = {true, true, FTP_MAY_CHANGE},
	[FTP_ACTION_REMOVE_DIRECTORY] = {true, true, FTP_MAY_CHANGE},
	[FTP_ACTION_MAKE_DIRECTORY] = {true, true, FTP_MAY_ADD},
	[FTP_ACTION_RENAME] = {true, true, FTP_MAY_CHANGE},
	[FTP_ACTION_ASK_LISTING] = {true, true, FTP_MAY_READ},
	[FTP_ACTION_LISTEN] = {.question = true},
	[FTP_ACTION_OPEN_SOURCE] = {true, true, FTP_MAY_READ},
	[FTP_ACTION_OPEN_SINK] = {true, true, FTP_MAY_ADD},
	[FTP_ACTION_OPEN_LISTING] = {true, true, FTP_MAY_READ},
};

/* --- what the client reads --- */

static void check_reply_line(const char *line, size_t length)
{
	struct ftp_reply_line parsed;
	bool open = world.reader.code != 0;
	TRACE("  %.*s", (int)length, line);
	for (size_t i = 0; i < length; i++)
		HOLDS((unsigned char)line[i] >= ' ' && line[i] != 0x7f);
	enum ftp_reply_progress progress =
		ftp_reply_reader_line(&world.reader, line, length, &parsed);
	HOLDS(progress != FTP_REPLY_MALFORMED);
	/* RFC 959 section 4.2: in the middle no line begins with digits, but for the code's own. */
	HOLDS(!open || line[0] == ' ' || (unsigned)(line[0] - '0') == parsed.code / 100);
	if (progress != FTP_REPLY_COMPLETE)
		return;
	HOLDS(parsed.text_length > 0);
	world.replies++;
	world.code = parsed.code;
}

static void check_reply(const struct ftp_action *action)
{
	const char *at = action->text, *end = at + action->length;
	while (at < end) {
		const char *line_end = memchr(at, '\n', (size_t)(end - at));
		HOLDS(line_end && line_end > at && line_end[-1] == '\r');
		check_reply_line(at, (size_t)(line_end - at) - 1);
		at = line_end + 1;
	}
}

/* --- what the edge does --- */

static void check_data(const struct ftp_action *action)
{
	const struct ftp_session *session = &world.session;
	HOLDS(session->data_mode != FTP_DATA_NONE);
	HOLDS(!world.settings.tls_required || session->protect);
	HOLDS(session->rights &
		(action->kind == FTP_ACTION_OPEN_SINK ? FTP_MAY_ADD : FTP_MAY_READ));
	if (action->kind == FTP_ACTION_OPEN_SINK && session->asked == FTP_STOR)
		HOLDS((action->sink == FTP_SINK_RESUME) == (session->restart_bytes > 0));
}

static void check_question(const struct ftp_action *action)
{
	const struct ftp_session *session = &world.session;
	HOLDS(!world.asked && !world.moving && world.questions++ == 0);
	HOLDS(session->state == FTP_SESSION_ASKING);
	world.asked = true;
	world.question = action->kind;
	if (action->kind == FTP_ACTION_LOG_IN) {
		HOLDS(!world.logged_in && action->length <= FTP_SECRET_MAX && session->name[0]);
		HOLDS(memchr(action->text, '\0', action->length + 1) ==
			action->text + action->length);
		HOLDS(world.secure || !world.settings.tls_required);
		return;
	}
	HOLDS(world.logged_in && session->deadline_ns == UINT64_MAX);
	unsigned rights = kinds[action->kind].rights;
	HOLDS((world.account_rights & rights) == rights);
	if (kinds[action->kind].path)
		HOLDS(is_normalised(action->path));
	if (action->kind == FTP_ACTION_RENAME)
		HOLDS(world.renames && is_normalised(action->other));
	if (action->kind == FTP_ACTION_ASK_FACTS)
		HOLDS(world.account_rights &
			(session->asked == FTP_RNFR ? FTP_MAY_CHANGE : FTP_MAY_READ));
	if (action->kind == FTP_ACTION_LISTEN)
		HOLDS(session->asked == FTP_EPSV ||
			(!world.epsv_only && session->peer.family == ENDPOINT_IPV4));
	if (action->kind >= FTP_ACTION_OPEN_SOURCE)
		check_data(action);
}

static void perform(const struct ftp_action *action, bool last)
{
	const struct ftp_session *session = &world.session;
	HOLDS(!world.closed && (unsigned)action->kind <= FTP_ACTION_CLOSE);
	TRACE("  action %u %s", action->kind, action->path ? action->path : "");
	if (kinds[action->kind].question)
		check_question(action);
	switch (action->kind) {
	case FTP_ACTION_REPLY:
		check_reply(action);
		break;
	case FTP_ACTION_LOG_OUT:
		HOLDS(world.logged_in && !session->rights);
		world.logged_in = world.epsv_only = false;
		break;
	case FTP_ACTION_START_TLS:
		HOLDS(world.settings.tls && !world.secure && !world.logged_in && session->secure);
		HOLDS(world.code == FTP_REPLY_SECURITY_GOES_ON && last);
		world.secure = true;
		break;
	case FTP_ACTION_START:
		HOLDS(session->state == FTP_SESSION_TRANSFER && !world.moving && last);
		HOLDS(world.code / 100 == FTP_REPLY_PRELIMINARY);
		HOLDS(session->data_mode != FTP_DATA_NONE);
		world.moving = true;
		break;
	case FTP_ACTION_DROP_DATA:
		HOLDS(session->data_mode == FTP_DATA_NONE || session->state == FTP_SESSION_CLOSED ||
			session->data_mode == FTP_DATA_ACTIVE);
		world.moving = false;
		break;
	case FTP_ACTION_CLOSE:
		HOLDS(session->state == FTP_SESSION_CLOSED && last && !world.reader.code);
		world.closed = true;
		break;
	default:
		HOLDS(kinds[action->kind].question);
	}
}

/* --- what holds between any two events --- */

static void check_deadline(void)
{
	const struct ftp_session *session = &world.session;
	uint64_t longest_ns = world.settings.idle_ns;
	bool before = session->state == FTP_SESSION_USER || session->state == FTP_SESSION_PASSWORD;
	if (before || (session->state == FTP_SESSION_ASKING && session->asked == FTP_PASS))
		longest_ns = world.settings.login_ns;
	else if (session->state == FTP_SESSION_WAITING)
		longest_ns = world.settings.wait_ns;
	else if (session->state != FTP_SESSION_READY)
		longest_ns = UINT64_MAX;
	if (longest_ns == UINT64_MAX)
		HOLDS(session->deadline_ns == UINT64_MAX);
	else
		HOLDS(session->deadline_ns <= world.now_ns + longest_ns);
}

static void check_session(void)
{
	const struct ftp_session *session = &world.session;
	bool closed = session->state == FTP_SESSION_CLOSED;
	bool inside = session->state == FTP_SESSION_READY || session->state == FTP_SESSION_TRANSFER;
	HOLDS(closed == world.closed && (unsigned)session->state < FTP_SESSION_STATE_COUNT);
	HOLDS((session->state == FTP_SESSION_ASKING) == (world.asked && !closed));
	HOLDS((session->state == FTP_SESSION_TRANSFER) == (world.moving && !closed));
	HOLDS(!inside || world.logged_in);
	HOLDS(world.logged_in ||
		(!session->rights && !session->directory && !session->rename_from));
	HOLDS(closed || !world.logged_in || session->rights == world.account_rights);
	HOLDS(session->data_mode == FTP_DATA_NONE || world.logged_in);
	if (session->data_mode == FTP_DATA_ACTIVE)
		HOLDS(endpoint_same_host(&session->target, &session->peer) &&
			session->target.port >= 1024);
	HOLDS(!session->directory || is_normalised(session->directory));
	HOLDS(!session->rename_from || is_normalised(session->rename_from));
	HOLDS(session->secure == world.secure && (!session->protect || session->sized));
	HOLDS(!session->sized || session->secure);
	HOLDS(strlen(session->name) <= FTP_NAME_MAX && session->facts <= FTP_FACTS_ALL);
	HOLDS(world.failures < FTP_LOGIN_FAILURES || closed);
	/* One in line is in the middle of a reply; nobody else is. */
	HOLDS(!world.reader.code || session->state == FTP_SESSION_WAITING);
	check_deadline();
}

static void step(const struct ftp_event *event)
{
	world.replies = world.code = world.questions = 0;
	enum ftp_session_state before = world.session.state;
	enum ftp_data_mode way = world.session.data_mode;
	bool was_asked = world.asked;
	if (event->kind == FTP_EVENT_ANSWER)
		world.asked = false;
	ftp_session_step(&world.session, event, world.now_ns, &world.actions);
	const struct ftp_actions *actions = &world.actions;
	HOLDS(actions->count <= ACTIONS_MOST && actions->used < sizeof(actions->space));
	HOLDS(before != FTP_SESSION_CLOSED || actions->count == 0);
	HOLDS(event->kind != FTP_EVENT_ANSWER || was_asked || actions->count == 0);
	for (size_t i = 0; i < actions->count; i++)
		perform(&actions->list[i], i + 1 == actions->count);
	if (world.epsv_only && world.session.data_mode == FTP_DATA_ACTIVE)
		HOLDS(way == FTP_DATA_ACTIVE);
	world.epsv_only |= world.session.epsv_only;
	check_session();
}

/* --- events --- */

static void say(const char *line, size_t length)
{
	struct ftp_event event = {.kind = FTP_EVENT_LINE, .line = line, .length = length};
	struct ftp_command command;
	bool good = ftp_command_parse(line, length, &command) == FTP_COMMAND_GOOD;
	bool takes = ftp_session_takes(&world.session, line, length);
	enum ftp_session_state before = world.session.state;
	event.moved_bytes = world.now_ns;
	TRACE("%s: %.*s", ftp_session_state_name(before), (int)length, line);
	step(&event);
	bool abor = good && command.verb == FTP_ABOR && before == FTP_SESSION_TRANSFER;
	if (!takes) {
		HOLDS(world.actions.count == 0);
		return;
	}
	world.renames &= command.verb == FTP_RNTO;
	/* One final reply or a question; 426 and 226 for the ABOR of a transfer. */
	HOLDS(world.code == 0 || code_fits(command.verb, world.code));
	HOLDS(world.replies + world.questions == (abor ? 2 : 1));
	HOLDS(world.code == 0 || world.code / 100 != FTP_REPLY_PRELIMINARY);
	HOLDS(world.code != FTP_REPLY_LOGGED_IN);
	if (before == FTP_SESSION_TRANSFER)
		HOLDS(good && (abor || command.verb == FTP_STAT || command.verb == FTP_NOOP));
	if (good && command.verb == FTP_QUIT)
		HOLDS(world.closed && world.code == FTP_REPLY_GOODBYE);
}

static void say_given(struct reader *input, size_t used, char *line)
{
	size_t length = read_u8(input), left = reader_left(input);
	length = length < left ? length : left;
	read_bytes(input, line + used, length);
	/* The edge takes lines apart: no LF is in one. */
	for (size_t i = used; i < used + length; i++)
		line[i] = line[i] == '\n' ? '\r' : line[i];
	say(line, used + length);
}

static void say_command(struct reader *input)
{
	char line[400];
	unsigned verb = read_u8(input) % FTP_VERB_COUNT;
	unsigned number = read_u8(input) % (ARRAY_LENGTH(arguments) + 1);
	bool given = number == ARRAY_LENGTH(arguments);
	const char *argument = given ? "" : arguments[number];
	int length = snprintf(line, sizeof(line), "%s%s%s", ftp_verb_name((enum ftp_verb)verb),
		*argument || given ? " " : "", argument);
	if (given)
		say_given(input, (size_t)length, line);
	else
		say(line, (size_t)length);
}

/* The outcomes that only some questions have; START stands for a transfer that has ended. */
static const struct {
	enum ftp_outcome outcome;
	enum ftp_action_kind questions[6];
} rare[] = {
	{FTP_OUTCOME_NO_SPACE, {FTP_ACTION_SET_TIME, FTP_ACTION_MAKE_DIRECTORY, FTP_ACTION_RENAME,
				       FTP_ACTION_OPEN_SINK, FTP_ACTION_START}},
	{FTP_OUTCOME_NO_PORT, {FTP_ACTION_LISTEN}},
	{FTP_OUTCOME_NOT_CONNECTED, {FTP_ACTION_START}},
	{FTP_OUTCOME_LOST, {FTP_ACTION_START}},
	{FTP_OUTCOME_STALLED, {FTP_ACTION_START}},
	{FTP_OUTCOME_BEYOND_END, {FTP_ACTION_OPEN_SOURCE, FTP_ACTION_OPEN_SINK}},
	{FTP_OUTCOME_TOO_LARGE, {FTP_ACTION_ASK_LISTING, FTP_ACTION_OPEN_LISTING}},
	{FTP_OUTCOME_NOT_PROTECTED, {FTP_ACTION_START}},
	{FTP_OUTCOME_WRONG, {FTP_ACTION_LOG_IN}},
	{FTP_OUTCOME_ABORTED, {FTP_ACTION_START}},
};

static enum ftp_outcome outcome_from(uint8_t byte, enum ftp_action_kind question)
{
	enum ftp_outcome outcome = (enum ftp_outcome)(byte & 0x80 ? 0 : byte % FTP_OUTCOME_COUNT);
	for (size_t i = 0; i < ARRAY_LENGTH(rare); i++) {
		if (rare[i].outcome != outcome)
			continue;
		for (size_t j = 0; j < ARRAY_LENGTH(rare[i].questions); j++)
			if (rare[i].questions[j] == question && question != FTP_ACTION_REPLY)
				return outcome;
		return FTP_OUTCOME_LOCAL_ERROR;
	}
	return outcome;
}

static void answer(struct reader *input)
{
	uint8_t outcome = read_u8(input), more = read_u8(input);
	struct ftp_event event = {
		.kind = FTP_EVENT_ANSWER,
		.rights = world.account_rights,
		.size_bytes = (uint64_t)more << more % 57,
		.entry = {.mode = more & 1 ? S_IFDIR : S_IFREG,
			.modified_seconds = more * INT64_C(12345678)},
		.text = more & 2 ? " a\r\n b\r\n" : "",
		.length = more & 2 ? strlen(" a\r\n b\r\n") : 0,
		.name = more & 4 ? "a\r226 forged" : "file.1",
		.local = world.session.peer,
	};
	event.local.port = (uint16_t)(more << 8 | 1);
	bool open = world.asked && !world.closed;
	event.outcome = outcome_from(outcome, world.question);
	enum ftp_verb asked = world.session.asked;
	bool log_in = open && world.question == FTP_ACTION_LOG_IN;
	bool done = event.outcome == FTP_OUTCOME_DONE;
	TRACE("answer: outcome %u", event.outcome);
	world.logged_in |= log_in && done;
	world.failures += log_in && event.outcome == FTP_OUTCOME_WRONG;
	step(&event);
	if (!open)
		return;
	HOLDS(world.replies == 1 && world.questions == 0 && code_fits(asked, world.code));
	HOLDS((world.code == FTP_REPLY_LOGGED_IN) == (log_in && done));
	HOLDS((world.code / 100 == FTP_REPLY_PRELIMINARY) == world.moving);
	world.renames = asked == FTP_RNFR && done;
	/* What was not done is not called done. */
	HOLDS(done || world.code >= 400);
}

static void end_transfer(struct reader *input)
{
	struct ftp_event event = {.kind = FTP_EVENT_ENDED};
	event.outcome = outcome_from(read_u8(input), FTP_ACTION_START);
	enum ftp_verb asked = world.session.asked;
	bool stores = asked == FTP_STOR || asked == FTP_STOU || asked == FTP_APPE;
	if (event.outcome == FTP_OUTCOME_NO_SPACE && !stores)
		event.outcome = FTP_OUTCOME_LOCAL_ERROR;
	bool moving = world.moving && !world.closed;
	TRACE("ended: outcome %u", event.outcome);
	step(&event);
	HOLDS(world.replies == moving);
	HOLDS(!moving || code_fits(asked, world.code));
	HOLDS(!moving ||
		(world.code == FTP_REPLY_TRANSFER_DONE) == (event.outcome == FTP_OUTCOME_DONE));
}

static void be_time(void)
{
	static const struct ftp_event time = {.kind = FTP_EVENT_TIME};
	uint64_t deadline_ns = world.session.deadline_ns;
	bool over = !world.closed && world.now_ns >= deadline_ns;
	step(&time);
	HOLDS(over ? world.closed && world.code == FTP_REPLY_CLOSING : world.actions.count == 0);
}

static void in_line(struct reader *input)
{
	static const enum ftp_event_kind events[] = {FTP_EVENT_PLACE, FTP_EVENT_TURN,
		FTP_EVENT_FULL, FTP_EVENT_FULL_FOR_ADDRESS, FTP_EVENT_TOO_EARLY};
	uint8_t byte = read_u8(input);
	struct ftp_event event = {.kind = events[byte % ARRAY_LENGTH(events)]};
	event.place = byte;
	event.served = byte % 3;
	/* The edge refuses only those who were not let in. */
	if (world.reader.code &&
		(event.kind == FTP_EVENT_FULL || event.kind == FTP_EVENT_FULL_FOR_ADDRESS))
		return;
	bool waiting = world.session.state == FTP_SESSION_WAITING;
	step(&event);
	HOLDS(waiting || world.actions.count == 0);
}

static void event_from(struct reader *input)
{
	static const struct ftp_event too_long = {.kind = FTP_EVENT_LINE_TOO_LONG};
	static const struct ftp_event shutdown = {.kind = FTP_EVENT_SHUTDOWN};
	char line[256];
	uint64_t step_ms;
	switch (read_u8(input) % 16) {
	case 8:
		say_given(input, 0, line);
		break;
	case 9:
		answer(input);
		break;
	case 10:
		end_transfer(input);
		break;
	case 11:
		step_ms = read_u8(input);
		world.now_ns += (step_ms << read_u8(input) % 24) * (NS_PER_SECOND / 1000);
		be_time();
		break;
	case 12:
		if (world.session.deadline_ns != UINT64_MAX)
			world.now_ns = world.session.deadline_ns;
		be_time();
		break;
	case 13:
		in_line(input);
		break;
	case 14:
		step(&too_long);
		break;
	case 15:
		if (read_u8(input) == 0)
			step(&shutdown);
		break;
	default:
		say_command(input);
	}
}

static void make_session(uint8_t byte)
{
	static const struct endpoint peers[] = {
		{.family = ENDPOINT_IPV4, .address = {192, 0, 2, 7}, .port = 40000},
		{.family = ENDPOINT_IPV6, .address = {0x20, 1, 0xd, 0xb8, [15] = 7}, .port = 40000},
	};
	static const struct ftp_event turn = {.kind = FTP_EVENT_TURN};
	world.settings = FTP_SESSION_SETTINGS_DEFAULT;
	world.settings.tls = byte & (TLS | TLS_REQUIRED);
	world.settings.tls_required = byte & TLS_REQUIRED;
	if (byte & SHORT_WAIT)
		world.settings.wait_ns = NS_PER_SECOND;
	world.account_rights = byte >> RIGHTS_SHIFT;
	ftp_session_init(
		&world.session, &world.settings, &peers[byte & IPV6 ? 1 : 0], world.now_ns);
	if (!(byte & IN_LINE))
		step(&turn);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct reader input = reader_over(bytes, length);
	world.now_ns = 1000 * NS_PER_SECOND;
	world.failures = 0;
	world.asked = world.logged_in = world.moving = world.secure = world.closed = false;
	world.epsv_only = world.renames = false;
	world.reader = (struct ftp_reply_reader){0};
	make_session(read_u8(&input));
	for (int i = 0; i < EVENTS_MOST && reader_left(&input) > 0; i++)
		event_from(&input);
	ftp_session_finish(&world.session);
	return 0;
}
