/*
 * The client machine. Input: a byte of settings, see make_client(), then events until the input ends,
 * each of them a byte (its value modulo 16 is the kind) and what the kind needs:
 *
 *	0..3	a reply: a number in replies[]; behind the last of them it is given: its class and
 *		two more digits in a byte each, a length, bytes
 *	4	a line as it is, which may be no FTP: length, bytes
 *	5	the reply or the answer that leads on
 *	6..8	a task: the verb's number in tasks[], the argument's in arguments[], the second one's,
 *		a byte of wishes, of which the upper half is what is here in KiB
 *	9	an answer of the edge: outcome
 *	10	the data ended: outcome
 *	11	time goes on: a number and how far it is shifted, in milliseconds
 *	12	the deadline comes
 *	13	the server closes, where the next byte is 0; the task is given up, where it is 1
 *	14	a line that is not the last; so many of them that it is too much, where the next byte is 0
 *	15	so many replies that nobody asked for
 *
 * The actions are done as the edge does them. Beside the client stands what it was asked and has been
 * told: it speaks in turn, says nothing that it was not given, protects what is to be protected,
 * connects to nobody but its server, and each task ends once.
 */
#include "fuzz_ftp.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "ftp/client.h"
#include "ftp/reply.h"

enum { EVENTS_MOST = 64, ACTIONS_MOST = 2 };
enum { TLS = 1, PATIENT = 2, ACTIVE = 4, ASCII = 8, IPV6 = 16, USER_SHIFT = 5 };
enum { WISH_SIZE = 1, WISH_RESUME = 2, WISH_TASKS = 4 };

static struct {
	struct ftp_client client;
	struct ftp_client_actions actions;
	uint64_t now_ns;
	bool closed, under_way; /* no more from the server; a task, or the log-in */
	bool secured, inside, protected;
	bool awaiting, asked, moving, moved, flooded, aborting;
	enum ftp_client_action_kind question;
	enum ftp_verb said; /* the last command */
	unsigned said_class; /* of the last reply to it, 0 before */
	struct endpoint peer;
	const char *user, *password, *argument, *second;
	struct ftp_reply_reader reader;
	unsigned reports;
} world;

static char longest[2][FTP_INPUT_LINE_MAX + 2];
static const char *const arguments[] = {"", "a", "../dir/file", "two words ", "a\r\nDELE b", "a\n",
	"\xff\xf4\xff", "-al", "\"", longest[0], longest[1]};
static const enum ftp_verb tasks[] = {FTP_RETR, FTP_STOR, FTP_LIST, FTP_NLST, FTP_MLSD, FTP_RNFR,
	FTP_CWD, FTP_PWD, FTP_SIZE, FTP_MKD, FTP_RMD, FTP_DELE, FTP_NOOP, FTP_STAT, FTP_QUIT};

static const struct {
	unsigned code;
	const char *text;
} replies[] = {{120, "soon"}, {150, "opening"}, {200, "OK"}, {213, "1024"}, {213, " 4096 "},
	{213, "18446744073709551616"}, {213, "0"}, {220, "ready"}, {221, "bye"}, {226, "done"},
	{227, "=192,0,2,9,200,1"}, {227, "(0,0,0,0,0,0)"}, {227, "?"}, {229, "(|||4711|)"},
	{229, "(|||0|)"}, {230, "in"}, {234, "begin"}, {235, "begun"}, {250, "done"},
	{257, "\"/\""}, {331, "password"}, {332, "account"}, {350, "more"}, {421, "closing"},
	{425, "no way"}, {426, "aborted"}, {450, "busy"}, {500, "what?"}, {502, "not done"},
	{530, "not in"}, {550, "no"}, {553, "no"}};

static bool moves_data(enum ftp_verb verb)
{
	return verb == FTP_RETR || verb == FTP_STOR || verb == FTP_LIST || verb == FTP_NLST ||
	       verb == FTP_MLSD;
}

/* A size is that of the file's transfer. */
static bool moves_file(enum ftp_verb verb)
{
	return verb == FTP_RETR || verb == FTP_STOR || verb == FTP_SIZE;
}

/* --- what the server reads --- */

/* The argument that the task, or the log-in, gives this verb; NULL where it is the machine's own. */
static const char *argument_of(enum ftp_verb verb)
{
	switch (verb) {
	case FTP_USER:
		return world.user;
	case FTP_PASS:
		return world.password;
	case FTP_RNTO:
		return world.second;
	case FTP_SIZE:
		return world.argument;
	case FTP_QUIT:
		return "";
	default:
		return verb == world.client.task && world.inside ? world.argument : NULL;
	}
}

static void check_own_argument(const struct ftp_command *command)
{
	const struct ftp_client *client = &world.client;
	struct endpoint endpoint = {0};
	const char *text = command->argument;
	size_t length = command->argument_length;
	char offset[24];
	switch (command->verb) {
	case FTP_AUTH:
		HOLDS(length == 3 && memcmp(text, "TLS", 3) == 0);
		break;
	case FTP_TYPE:
		HOLDS(length == 1);
		HOLDS(*text == 'A' || (moves_file(client->task) && !client->ascii && *text == 'I'));
		break;
	case FTP_REST:
		snprintf(offset, sizeof(offset), "%llu", (unsigned long long)client->offset);
		HOLDS(length == strlen(offset) && memcmp(text, offset, length) == 0);
		/* At 0, one that an earlier transfer did not use is taken back. */
		HOLDS(client->offset == 0 || (client->resume && !client->ascii));
		break;
	case FTP_PORT:
		HOLDS(ftp_port_parse(text, length, &endpoint));
		break;
	case FTP_EPRT:
		HOLDS(ftp_eprt_parse(text, length, &endpoint) == FTP_EPRT_GOOD);
		break;
	default:
		HOLDS(command->verb == FTP_EPSV || command->verb == FTP_PASV ||
			command->verb == FTP_PBSZ || command->verb == FTP_PROT ||
			((command->verb == FTP_ABOR || command->verb == FTP_PWD) &&
				world.aborting && length == 0));
	}
	if (command->verb == FTP_PORT || command->verb == FTP_EPRT)
		HOLDS(client->active && endpoint.port == 50000);
}

/* One line, as a server reads it, that says what is to be said and no more. */
static void check_line(const struct ftp_client_action *action, struct ftp_command *command)
{
	struct ftp_input input = {0};
	const char *line;
	size_t length;
	HOLDS(action->length <= sizeof(world.actions.space));
	HOLDS(ftp_input_feed(&input, action->text, action->length));
	HOLDS(ftp_input_peek(&input, &line, &length) == FTP_INPUT_LINE);
	TRACE("  > %.*s", (int)length, line);
	ftp_command_parse(line, length, command);
	HOLDS(command->verb != FTP_UNKNOWN && command->secret == action->secret);
	const char *argument = argument_of(command->verb);
	if (argument) {
		HOLDS(command->argument_length == strlen(argument));
		HOLDS(memcmp(command->argument, argument, command->argument_length) == 0);
	} else {
		check_own_argument(command);
	}
	ftp_input_take(&input);
	HOLDS(ftp_input_peek(&input, &line, &length) == FTP_INPUT_NOTHING && !input.bytes);
}

/* Nothing in clear text that is to be inside TLS. */
static void check_protection(enum ftp_verb verb)
{
	bool log_in = verb == FTP_USER || verb == FTP_PASS || verb == FTP_PBSZ || verb == FTP_PROT;
	HOLDS(world.inside || log_in || verb == FTP_AUTH);
	HOLDS(!world.inside || (!log_in && verb != FTP_AUTH));
	if (world.client.tls) {
		HOLDS(world.secured == (verb != FTP_AUTH));
		HOLDS(!world.inside || world.protected);
	} else {
		HOLDS(verb != FTP_AUTH && verb != FTP_PBSZ && verb != FTP_PROT);
	}
}

static void check_send(const struct ftp_client_action *action)
{
	struct ftp_command command;
	check_line(action, &command);
	check_protection(command.verb);
	/* ABOR alone is said out of turn. */
	HOLDS((!world.awaiting || command.verb == FTP_ABOR) && !world.asked && !world.moving);
	world.awaiting = true;
	world.said = command.verb;
	world.said_class = 0;
}

/* --- what the edge does --- */

static void check_question(const struct ftp_client_action *action)
{
	const struct ftp_client *client = &world.client;
	HOLDS(!world.asked && !world.awaiting && !world.moving);
	world.asked = true;
	world.question = action->kind;
	if (action->kind == FTP_CLIENT_SECURE) {
		HOLDS(client->tls && !world.secured && world.said == FTP_AUTH);
		HOLDS(world.said_class == FTP_REPLY_COMPLETION);
		return;
	}
	HOLDS(world.inside && moves_data(client->task));
	HOLDS((action->kind == FTP_CLIENT_LISTEN) == client->active);
	/* Whatever address 227 speaks of. */
	if (action->kind == FTP_CLIENT_CONNECT)
		HOLDS(endpoint_same_host(&action->endpoint, &world.peer) &&
			action->endpoint.port > 0);
}

static void check_report(const struct ftp_client_action *action)
{
	const struct ftp_client *client = &world.client;
	bool ended = client->state == FTP_CLIENT_ENDED;
	bool done = action->result == FTP_CLIENT_DONE;
	TRACE("  report %u", action->result);
	HOLDS(world.reports++ == 0 && !world.moving && !world.asked);
	HOLDS((unsigned)action->result <= FTP_CLIENT_ABORTED);
	HOLDS(world.aborting ? !done : action->result != FTP_CLIENT_ABORTED);
	/* Between two tasks the end of the connection is reported. */
	HOLDS(world.under_way || (ended && !done && world.inside));
	world.under_way = false;
	if (!world.inside) {
		HOLDS(done != ended);
		HOLDS(!done || client->tls == world.protected);
		world.inside = done;
		return;
	}
	HOLDS(action->result != FTP_CLIENT_IN_CLEAR);
	if (done && moves_data(client->task))
		HOLDS((world.moved && client->outcome == FTP_OUTCOME_DONE && client->replied) ||
			(client->resume && client->size_known));
	else if (done && client->task != FTP_QUIT)
		HOLDS(world.said_class == FTP_REPLY_COMPLETION);
	if (action->result == FTP_CLIENT_MISUSE)
		HOLDS(strpbrk(world.argument, "\r\n") || strpbrk(world.second, "\r\n") ||
			strlen(world.argument) + strlen(world.second) >= sizeof(longest[0]) - 6);
}

static void perform(const struct ftp_client_action *action, bool last)
{
	switch (action->kind) {
	case FTP_CLIENT_SEND:
		check_send(action);
		break;
	case FTP_CLIENT_SECURE:
	case FTP_CLIENT_CONNECT:
	case FTP_CLIENT_LISTEN:
		check_question(action);
		break;
	case FTP_CLIENT_MOVE:
		HOLDS(world.client.state == FTP_CLIENT_TRANSFER && !world.moving && !world.moved);
		HOLDS(world.said == world.client.task && moves_data(world.said));
		world.moving = true;
		break;
	case FTP_CLIENT_DROP_DATA:
		world.moving = world.asked = false;
		break;
	case FTP_CLIENT_REPORT:
		HOLDS(last);
		check_report(action);
		break;
	}
}

/* --- what holds between any two events --- */

static void check_client(void)
{
	const struct ftp_client *client = &world.client;
	enum ftp_client_state state = client->state;
	HOLDS((unsigned)state < FTP_CLIENT_STATE_COUNT);
	HOLDS(world.under_way == (state != FTP_CLIENT_READY && state != FTP_CLIENT_ENDED));
	HOLDS(state != FTP_CLIENT_READY || world.inside);
	HOLDS(client->surplus <= FTP_CLIENT_SURPLUS_MAX + 1);
	HOLDS(client->lines <= FTP_CLIENT_GREETING_LINES);
	HOLDS(!world.moving || state == FTP_CLIENT_TRANSFER);
	HOLDS(world.asked == (state == FTP_CLIENT_SECURING || state == FTP_CLIENT_CONNECTING ||
				     state == FTP_CLIENT_LISTENING));
	HOLDS(!client->size_known || client->resume || client->ask_size);
	/* Who is waited for, and has no time limit of his own, has one here. */
	bool limited = (world.awaiting && state != FTP_CLIENT_TRANSFER &&
			       state != FTP_CLIENT_READY && state != FTP_CLIENT_ENDED) ||
		       state == FTP_CLIENT_SECURING || state == FTP_CLIENT_ABORTING ||
		       (state == FTP_CLIENT_TRANSFER && world.moved && !client->replied);
	if (limited)
		HOLDS(client->deadline_ns <=
			world.now_ns + FTP_CLIENT_REPLY_SECONDS * NS_PER_SECOND);
	else
		HOLDS(client->deadline_ns == UINT64_MAX || state == FTP_CLIENT_GREETING);
}

static void step(const struct ftp_client_event *event)
{
	struct ftp_client_actions *actions = &world.actions;
	bool ended = world.client.state == FTP_CLIENT_ENDED;
	world.reports = 0;
	ftp_client_step(&world.client, event, world.now_ns, actions);
	HOLDS(actions->count <= (ended ? 0 : ACTIONS_MOST));
	for (size_t i = 0; i < actions->count; i++)
		perform(&actions->list[i], i + 1 == actions->count);
	check_client();
}

/* --- events --- */

static void hear(unsigned code, const char *text, size_t length)
{
	struct ftp_client_event event = {.kind = FTP_CLIENT_EVENT_REPLY, .code = code};
	/* A copy of the very size, which is gone with the reply. */
	CLEANUP(free_pointer) char *copy = strndup(text, length);
	HOLDS(copy);
	if (world.closed || world.client.state == FTP_CLIENT_ENDED)
		return;
	TRACE("%s: %u %.*s", ftp_client_state_name(world.client.state), code, (int)length, text);
	event.text = copy;
	event.length = strlen(copy);
	if (world.awaiting)
		world.said_class = ftp_reply_class(code);
	/* 1xx: expect another reply (RFC 959 section 4.2). */
	world.awaiting = world.awaiting && world.said_class == FTP_REPLY_PRELIMINARY;
	if (!world.inside && world.said == FTP_PROT && !world.awaiting)
		world.protected = world.said_class == FTP_REPLY_COMPLETION;
	step(&event);
}

static void hear_given(struct reader *input)
{
	char text[256];
	unsigned class = 1 + read_u8(input) % 5, rest = read_u8(input) % 100;
	size_t length = read_u8(input), left = reader_left(input);
	length = length < left ? length : left;
	read_bytes(input, text, length);
	hear(class * 100 + rest, text, strnlen(text, length));
}

static void close_down(void)
{
	static const struct ftp_client_event closed = {.kind = FTP_CLIENT_EVENT_CLOSED};
	if (world.closed)
		return;
	TRACE("closed");
	world.closed = true;
	step(&closed);
}

static void give_up(void)
{
	static const struct ftp_client_event over = {.kind = FTP_CLIENT_EVENT_ABORT};
	bool transfer = world.client.state == FTP_CLIENT_OPENING ||
			world.client.state == FTP_CLIENT_TRANSFER;
	TRACE("%s: given up", ftp_client_state_name(world.client.state));
	world.aborting = world.under_way;
	step(&over);
	/* Its own end, or a server that still owes a reply, is all that is left of it. */
	HOLDS(!world.under_way || world.client.state == FTP_CLIENT_ABORTING);
	HOLDS(!world.under_way || !transfer || world.said == FTP_ABOR);
}

/* As the edge takes a line. */
static void hear_line(struct reader *input)
{
	static const struct ftp_client_event middle = {.kind = FTP_CLIENT_EVENT_LINE};
	char line[256];
	struct ftp_reply_line parsed;
	size_t length = read_u8(input), left = reader_left(input);
	length = length < left ? length : left;
	read_bytes(input, line, length);
	if (world.closed || world.client.state == FTP_CLIENT_ENDED)
		return;
	switch (ftp_reply_reader_line(&world.reader, line, length, &parsed)) {
	case FTP_REPLY_COMPLETE:
		hear(parsed.code, parsed.text, parsed.text_length);
		break;
	case FTP_REPLY_MORE:
		step(&middle);
		break;
	case FTP_REPLY_MALFORMED:
		close_down();
		break;
	}
}

static void answer(enum ftp_outcome outcome)
{
	struct ftp_client_event event = {.kind = FTP_CLIENT_EVENT_ANSWER, .outcome = outcome};
	event.local = world.peer;
	event.local.port = 50000;
	if (!world.asked)
		return;
	world.asked = false;
	if (world.question == FTP_CLIENT_SECURE)
		world.secured = outcome == FTP_OUTCOME_DONE;
	TRACE("%s: answer %u", ftp_client_state_name(world.client.state), outcome);
	step(&event);
}

static void end_data(enum ftp_outcome outcome)
{
	struct ftp_client_event event = {.kind = FTP_CLIENT_EVENT_MOVED, .outcome = outcome};
	if (!world.moving)
		return;
	world.moving = false;
	world.moved = true;
	TRACE("moved: %u", outcome);
	step(&event);
}

static void begin_task(struct reader *input)
{
	struct ftp_client_event event = {.kind = FTP_CLIENT_EVENT_TASK};
	event.task = tasks[read_u8(input) % ARRAY_LENGTH(tasks)];
	event.argument = arguments[read_u8(input) % ARRAY_LENGTH(arguments)];
	event.second = arguments[read_u8(input) % ARRAY_LENGTH(arguments)];
	uint8_t wishes = read_u8(input);
	/* The edge hands in a task only where there is none, and resumes in TYPE I alone. */
	if (world.closed || world.client.state != FTP_CLIENT_READY)
		return;
	event.ask_size = wishes & WISH_SIZE && event.task == FTP_RETR;
	event.resume = wishes & WISH_RESUME && event.task <= FTP_STOR && !world.client.ascii;
	event.local_bytes = (uint64_t)(wishes >> 4) << 10;
	world.argument = event.argument;
	world.second = event.second;
	world.under_way = true;
	world.moved = world.aborting = false;
	TRACE("task %s %s", ftp_verb_name(event.task), event.argument);
	step(&event);
}

/* What leads on, in every state. */
static void lead_on(void)
{
	static const unsigned codes[FTP_CLIENT_STATE_COUNT] = {
		[FTP_CLIENT_GREETING] = 220,
		[FTP_CLIENT_AUTH] = 234,
		[FTP_CLIENT_USER] = 331,
		[FTP_CLIENT_PASS] = 230,
		[FTP_CLIENT_SIZE] = 213,
		[FTP_CLIENT_EPSV] = 229,
		[FTP_CLIENT_PASV] = 227,
		[FTP_CLIENT_REST] = 350,
		[FTP_CLIENT_RNFR] = 350,
		[FTP_CLIENT_OPENING] = 150,
		[FTP_CLIENT_TRANSFER] = 226,
	};
	unsigned code = codes[world.client.state];
	if (world.asked) {
		answer(FTP_OUTCOME_DONE);
		return;
	}
	if (world.moving)
		end_data(FTP_OUTCOME_DONE);
	size_t i = 0;
	while (i + 1 < ARRAY_LENGTH(replies) && replies[i].code != (code ? code : 200))
		i++;
	hear(replies[i].code, replies[i].text, strlen(replies[i].text));
}

static void be_time(uint64_t now_ns)
{
	static const struct ftp_client_event time = {.kind = FTP_CLIENT_EVENT_TIME};
	bool over = now_ns >= world.client.deadline_ns;
	world.now_ns = now_ns;
	step(&time);
	HOLDS(over == (world.actions.count > 0) && (!over || !world.under_way));
}

static void go_on(struct reader *input)
{
	static const struct ftp_client_event line = {.kind = FTP_CLIENT_EVENT_LINE};
	bool flood = read_u8(input) == 0 && !world.flooded;
	unsigned lines = flood ? FTP_CLIENT_REPLY_LINES + 1 : 1;
	bool greeting = world.client.state == FTP_CLIENT_GREETING;
	if (world.closed)
		return;
	world.flooded |= flood;
	for (unsigned i = 0; i < lines && world.client.state != FTP_CLIENT_ENDED; i++)
		step(&line);
	HOLDS(!flood || greeting || world.client.state == FTP_CLIENT_ENDED);
}

static void talk_too_much(void)
{
	bool idle = world.client.state == FTP_CLIENT_READY && !world.closed;
	for (unsigned i = 0; i <= FTP_CLIENT_SURPLUS_MAX; i++)
		hear(200, "", 0);
	HOLDS(!idle || world.client.state == FTP_CLIENT_ENDED);
}

static void event_from(struct reader *input)
{
	uint64_t step_ms;
	uint8_t number;
	switch (read_u8(input) % 16) {
	case 4:
		hear_line(input);
		break;
	case 5:
		lead_on();
		break;
	case 6:
	case 7:
	case 8:
		begin_task(input);
		break;
	case 9:
		answer((enum ftp_outcome)(read_u8(input) % FTP_OUTCOME_COUNT));
		break;
	case 10:
		end_data((enum ftp_outcome)(read_u8(input) % FTP_OUTCOME_COUNT));
		break;
	case 11:
		step_ms = read_u8(input);
		step_ms <<= read_u8(input) % 24;
		be_time(world.now_ns + step_ms * (NS_PER_SECOND / 1000));
		break;
	case 12:
		if (world.client.deadline_ns != UINT64_MAX)
			be_time(world.client.deadline_ns);
		break;
	case 13:
		number = read_u8(input);
		if (number == 0)
			close_down();
		else if (number == 1)
			give_up();
		break;
	case 14:
		go_on(input);
		break;
	case 15:
		talk_too_much();
		break;
	default:
		number = read_u8(input) % (ARRAY_LENGTH(replies) + 1);
		if (number == ARRAY_LENGTH(replies))
			hear_given(input);
		else
			hear(replies[number].code, replies[number].text,
				strlen(replies[number].text));
	}
}

static void make_client(uint8_t byte)
{
	static const struct endpoint peers[] = {
		{.family = ENDPOINT_IPV4, .address = {192, 0, 2, 1}, .port = 21},
		{.family = ENDPOINT_IPV6, .address = {0x20, 1, 0xd, 0xb8, [15] = 1}, .port = 21},
	};
	static const char *const users[][2] = {{"anonymous", "me@"}, {"\xff", "\xff\xff"},
		{"a\nDELE b", ""}, {"a b", "c\rd"}, {longest[0], ""}, {"", ""}, {"a", longest[1]},
		{"a", longest[0]}};
	static const struct ftp_client_event made = {.kind = FTP_CLIENT_EVENT_MADE};
	struct ftp_client *client = &world.client;
	world.peer = peers[byte & IPV6 ? 1 : 0];
	world.user = users[byte >> USER_SHIFT][0];
	world.password = users[byte >> USER_SHIFT][1];
	ftp_client_init(client, &world.peer, world.user, world.password);
	client->tls = byte & TLS;
	client->patient = byte & PATIENT;
	client->active = byte & ACTIVE;
	client->ascii = byte & ASCII;
	world.under_way = true;
	step(&made);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct reader input = reader_over(bytes, length);
	memset(&world, 0, sizeof(world));
	world.now_ns = 1000 * NS_PER_SECOND;
	/* Just what a line holds behind a verb of four letters, and one byte more. */
	if (!longest[0][0]) {
		memset(longest[0], 'n', FTP_INPUT_LINE_MAX - 5);
		memset(longest[1], 'n', FTP_INPUT_LINE_MAX - 4);
	}
	make_client(read_u8(&input));
	for (int i = 0; i < EVENTS_MOST && reader_left(&input) > 0; i++)
		event_from(&input);
	return 0;
}
