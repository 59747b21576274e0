#include "ftp/client.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "ftp/client_step.h"

struct ftp_client_action *ftp_client_act(
	struct ftp_client_step *step, enum ftp_client_action_kind kind)
{
	struct ftp_client_actions *actions = step->actions;
	struct ftp_client_action *action = &actions->list[actions->count < FTP_CLIENT_ACTIONS_MAX
								  ? actions->count++
								  : FTP_CLIENT_ACTIONS_MAX - 1];
	*action = (struct ftp_client_action){.kind = kind};
	return action;
}

void ftp_client_report(struct ftp_client_step *step, enum ftp_client_result result)
{
	struct ftp_client *client = step->client;
	client->deadline_ns = UINT64_MAX;
	if (client->state != FTP_CLIENT_ENDED)
		client->state = FTP_CLIENT_READY;
	ftp_client_act(step, FTP_CLIENT_REPORT)->result = result;
}

void ftp_client_fail(struct ftp_client_step *step, enum ftp_client_result result)
{
	ftp_client_act(step, FTP_CLIENT_DROP_DATA);
	ftp_client_report(step, result);
}

void ftp_client_end(struct ftp_client_step *step, enum ftp_client_result result)
{
	step->client->state = FTP_CLIENT_ENDED;
	ftp_client_fail(step, result);
}

static uint64_t reply_deadline(const struct ftp_client_step *step)
{
	return step->now_ns + FTP_CLIENT_REPLY_SECONDS * NS_PER_SECOND;
}

/* The line's length; 0 where it is too long for a server like ours, or `argument` would end it early. */
static size_t line_format(
	char line[static FTP_INPUT_LINE_MAX + 2], enum ftp_verb verb, const char *argument)
{
	size_t used = (size_t)snprintf(
		line, FTP_INPUT_LINE_MAX, "%s%s", ftp_verb_name(verb), *argument ? " " : "");
	for (; *argument; argument++) {
		bool twice = (unsigned char)*argument == FTP_INPUT_IAC;
		if (*argument == '\r' || *argument == '\n' || used + 1 + twice > FTP_INPUT_LINE_MAX)
			return 0;
		if (twice)
			line[used++] = *argument;
		line[used++] = *argument;
	}
	line[used++] = '\r';
	line[used++] = '\n';
	return used;
}

void ftp_client_send(struct ftp_client_step *step, enum ftp_verb verb, const char *argument,
	enum ftp_client_state next)
{
	struct ftp_client *client = step->client;
	struct ftp_client_actions *actions = step->actions;
	size_t length = line_format(actions->space, verb, argument);
	if (length == 0) {
		/* Not logged in, there is nothing that could be done with the connection. */
		bool useless = next <= FTP_CLIENT_PROT;
		(useless ? ftp_client_end : ftp_client_fail)(step, FTP_CLIENT_MISUSE);
		return;
	}
	client->state = next;
	client->lines = 0;
	client->deadline_ns = reply_deadline(step);
	struct ftp_client_action *action = ftp_client_act(step, FTP_CLIENT_SEND);
	action->text = actions->space;
	action->length = length;
	action->secret = ftp_verb_rule(verb)->secret;
}

void ftp_client_await(struct ftp_client_step *step, enum ftp_client_state next)
{
	step->client->state = next;
	step->client->deadline_ns = UINT64_MAX;
}

/* --- log-in --- */

static void reply_greeting(struct ftp_client_step *step)
{
	struct ftp_client *client = step->client;
	if (ftp_client_reply_is(step, FTP_REPLY_PRELIMINARY)) /* 120: ready in a while */
		client->deadline_ns = UINT64_MAX;
	else if (!ftp_client_reply_is(step, FTP_REPLY_COMPLETION))
		ftp_client_end(step, FTP_CLIENT_REFUSED);
	else if (client->tls)
		ftp_client_send(step, FTP_AUTH, "TLS", FTP_CLIENT_AUTH);
	else
		ftp_client_send(step, FTP_USER, client->user, FTP_CLIENT_USER);
}

static void reply_auth(struct ftp_client_step *step)
{
	if (step->event->code != FTP_REPLY_SECURITY_GOES_ON) {
		ftp_client_end(step, FTP_CLIENT_IN_CLEAR);
		return;
	}
	step->client->state = FTP_CLIENT_SECURING;
	step->client->deadline_ns = reply_deadline(step);
	ftp_client_act(step, FTP_CLIENT_SECURE);
}

static void answer_securing(struct ftp_client_step *step)
{
	if (step->event->outcome == FTP_OUTCOME_DONE)
		ftp_client_send(step, FTP_USER, step->client->user, FTP_CLIENT_USER);
	else
		ftp_client_end(step, FTP_CLIENT_LOST);
}

static void step_logged_in(struct ftp_client_step *step)
{
	if (step->client->tls)
		ftp_client_send(step, FTP_PBSZ, "0", FTP_CLIENT_PBSZ);
	else
		ftp_client_report(step, FTP_CLIENT_DONE);
}

static void reply_user(struct ftp_client_step *step)
{
	if (ftp_client_reply_is(step, FTP_REPLY_COMPLETION))
		step_logged_in(step);
	else if (step->event->code == FTP_REPLY_NEED_PASSWORD)
		ftp_client_send(step, FTP_PASS, step->client->password, FTP_CLIENT_PASS);
	else
		ftp_client_end(step, FTP_CLIENT_REFUSED);
}

static void reply_pass(struct ftp_client_step *step)
{
	if (ftp_client_reply_is(step, FTP_REPLY_COMPLETION))
		step_logged_in(step);
	else
		ftp_client_end(step, FTP_CLIENT_REFUSED);
}

static void reply_pbsz(struct ftp_client_step *step)
{
	if (ftp_client_reply_is(step, FTP_REPLY_COMPLETION))
		ftp_client_send(step, FTP_PROT, "P", FTP_CLIENT_PROT);
	else
		ftp_client_end(step, FTP_CLIENT_IN_CLEAR);
}

static void reply_prot(struct ftp_client_step *step)
{
	if (ftp_client_reply_is(step, FTP_REPLY_COMPLETION))
		ftp_client_report(step, FTP_CLIENT_DONE);
	else
		ftp_client_end(step, FTP_CLIENT_IN_CLEAR);
}

/* --- commands without data --- */

static void reply_rename_from(struct ftp_client_step *step)
{
	if (ftp_client_reply_is(step, FTP_REPLY_INTERMEDIATE))
		ftp_client_send(step, FTP_RNTO, step->client->second, FTP_CLIENT_COMMAND);
	else
		ftp_client_report(step, FTP_CLIENT_REFUSED);
}

static void reply_command(struct ftp_client_step *step)
{
	bool done = ftp_client_reply_is(step, FTP_REPLY_COMPLETION);
	ftp_client_report(step, done ? FTP_CLIENT_DONE : FTP_CLIENT_REFUSED);
}

static void reply_quit(struct ftp_client_step *step)
{
	ftp_client_end(step, FTP_CLIENT_DONE); /* whatever it says in the end: we go */
}

/* A reply that nobody asked for; 421 was seen before. */
static void reply_unasked(struct ftp_client_step *step)
{
	if (++step->client->surplus > FTP_CLIENT_SURPLUS_MAX)
		ftp_client_end(step, FTP_CLIENT_LOST);
}

enum { ABORT_REPLIES = 3 };

static void abort_until(struct ftp_client_step *step, unsigned due)
{
	step->client->state = FTP_CLIENT_ABORTING;
	step->client->due = due;
	step->client->deadline_ns = step->now_ns + FTP_CLIENT_ABORT_SECONDS * NS_PER_SECOND;
}

/*
 * To a transfer and its ABOR some servers send two replies and some one. What a PWD behind the
 * first of them is answered can be told from either: then nothing more is to come.
 */
static void reply_aborting(struct ftp_client_step *step)
{
	unsigned due = step->client->due - 1;
	if (due == 0 || step->event->code == FTP_REPLY_PATH) {
		ftp_client_report(step, FTP_CLIENT_ABORTED);
		return;
	}
	if (due == ABORT_REPLIES - 1)
		ftp_client_send(step, FTP_PWD, "", FTP_CLIENT_ABORTING);
	abort_until(step, due);
}

/* What it takes to give a task up. */
enum abort_way {
	ABORT_NOTHING, /* there is none */
	ABORT_END, /* the connection is of no use yet */
	ABORT_NOW, /* the edge alone is awaited */
	ABORT_REPLY, /* one reply is awaited */
	ABORT_TRANSFER, /* its own, that to ABOR, and that to a PWD */
};

static const struct {
	const char *name;
	void (*reply)(struct ftp_client_step *step);
	void (*answer)(struct ftp_client_step *step); /* NULL: the edge was asked nothing */
	enum abort_way abort;
	bool preliminary; /* a 1xx reply means something here; elsewhere the one behind it does */
} states[FTP_CLIENT_STATE_COUNT] = {
	[FTP_CLIENT_GREETING] = {"greeting", reply_greeting, NULL, ABORT_END, true},
	[FTP_CLIENT_AUTH] = {"auth", reply_auth, NULL, ABORT_END, false},
	[FTP_CLIENT_SECURING] = {"securing", reply_unasked, answer_securing, ABORT_END, false},
	[FTP_CLIENT_USER] = {"user", reply_user, NULL, ABORT_END, false},
	[FTP_CLIENT_PASS] = {"pass", reply_pass, NULL, ABORT_END, false},
	[FTP_CLIENT_PBSZ] = {"pbsz", reply_pbsz, NULL, ABORT_END, false},
	[FTP_CLIENT_PROT] = {"prot", reply_prot, NULL, ABORT_END, false},
	[FTP_CLIENT_READY] = {"ready", reply_unasked, NULL, ABORT_NOTHING, false},
	[FTP_CLIENT_TYPE] = {"type", ftp_client_reply_type, NULL, ABORT_REPLY, false},
	[FTP_CLIENT_SIZE] = {"size", ftp_client_reply_size, NULL, ABORT_REPLY, false},
	[FTP_CLIENT_EPSV] = {"epsv", ftp_client_reply_epsv, NULL, ABORT_REPLY, false},
	[FTP_CLIENT_PASV] = {"pasv", ftp_client_reply_pasv, NULL, ABORT_REPLY, false},
	[FTP_CLIENT_CONNECTING] = {"connecting", reply_unasked, ftp_client_answer_connecting,
		ABORT_NOW, false},
	[FTP_CLIENT_LISTENING] = {"listening", reply_unasked, ftp_client_answer_listening,
		ABORT_NOW, false},
	[FTP_CLIENT_PORT] = {"port", ftp_client_reply_port, NULL, ABORT_REPLY, false},
	[FTP_CLIENT_REST] = {"rest", ftp_client_reply_rest, NULL, ABORT_REPLY, false},
	[FTP_CLIENT_OPENING] = {"opening", ftp_client_reply_opening, NULL, ABORT_TRANSFER, true},
	[FTP_CLIENT_TRANSFER] = {"transfer", ftp_client_reply_transfer, NULL, ABORT_TRANSFER, true},
	[FTP_CLIENT_RNFR] = {"rnfr", reply_rename_from, NULL, ABORT_REPLY, false},
	[FTP_CLIENT_COMMAND] = {"command", reply_command, NULL, ABORT_REPLY, false},
	[FTP_CLIENT_QUIT] = {"quit", reply_quit, NULL, ABORT_END, false},
	[FTP_CLIENT_ABORTING] = {"aborting", reply_aborting, NULL, ABORT_NOTHING, false},
	[FTP_CLIENT_ENDED] = {"ended", reply_unasked, NULL, ABORT_NOTHING, false},
};

/* --- events --- */

static void event_reply(struct ftp_client_step *step)
{
	enum ftp_client_state state = step->client->state;
	step->client->lines = 0;
	if (state == FTP_CLIENT_ENDED)
		return;
	/* May come at any time: the server closes (RFC 959 section 5.4). */
	if (step->event->code == FTP_REPLY_CLOSING && state != FTP_CLIENT_QUIT)
		ftp_client_end(step, FTP_CLIENT_REFUSED);
	else if (ftp_client_reply_is(step, FTP_REPLY_PRELIMINARY) && !states[state].preliminary)
		reply_unasked(step); /* "expect another reply", RFC 959 section 4.2 */
	else
		states[state].reply(step);
}

/* The greeting alone may go on and on: that is how one waits in line. */
static void event_line(struct ftp_client_step *step)
{
	struct ftp_client *client = step->client;
	bool greeting = client->state == FTP_CLIENT_GREETING;
	unsigned limit = greeting ? FTP_CLIENT_GREETING_LINES : FTP_CLIENT_REPLY_LINES;
	if (client->state == FTP_CLIENT_ENDED)
		return;
	if (greeting)
		client->deadline_ns = UINT64_MAX;
	if (++client->lines > limit)
		ftp_client_end(step, FTP_CLIENT_LOST);
}

static void event_task(struct ftp_client_step *step)
{
	static const bool needs_type[FTP_VERB_COUNT] = {
		[FTP_SIZE] = true,
		[FTP_RETR] = true,
		[FTP_STOR] = true,
		[FTP_LIST] = true,
		[FTP_NLST] = true,
		[FTP_MLSD] = true,
	};
	struct ftp_client *client = step->client;
	const struct ftp_client_event *event = step->event;
	if (client->state != FTP_CLIENT_READY)
		return;
	client->task = event->task;
	client->argument = event->argument ? event->argument : "";
	client->second = event->second ? event->second : "";
	client->resume = event->resume;
	client->ask_size = event->ask_size;
	client->local_bytes = event->local_bytes;
	client->offset = 0;
	client->size_known = false;
	client->surplus = 0;
	if ((unsigned)event->task < FTP_VERB_COUNT && needs_type[event->task])
		ftp_client_type_begin(step);
	else if (event->task == FTP_RNFR)
		ftp_client_send(step, FTP_RNFR, client->argument, FTP_CLIENT_RNFR);
	else if (event->task == FTP_QUIT)
		ftp_client_send(step, FTP_QUIT, "", FTP_CLIENT_QUIT);
	else
		ftp_client_send(step, event->task, client->argument, FTP_CLIENT_COMMAND);
}

static void event_answer(struct ftp_client_step *step)
{
	if (states[step->client->state].answer)
		states[step->client->state].answer(step);
}

/*
 * After QUIT the server may close without a word. In the middle of a RETR what it has sent is still
 * worth having: the transfer can be resumed behind it.
 */
static void event_closed(struct ftp_client_step *step)
{
	struct ftp_client *client = step->client;
	enum ftp_client_state state = client->state;
	if (state == FTP_CLIENT_TRANSFER && client->task == FTP_RETR && !client->moved)
		client->gone = true;
	else if (state != FTP_CLIENT_ENDED)
		ftp_client_end(step, state == FTP_CLIENT_QUIT ? FTP_CLIENT_DONE : FTP_CLIENT_LOST);
}

/* The replies are awaited so that the next command does not take them for its own. */
static void abort_after(struct ftp_client_step *step, unsigned due)
{
	struct ftp_client *client = step->client;
	ftp_client_act(step, FTP_CLIENT_DROP_DATA);
	client->stray_rest |= client->state == FTP_CLIENT_REST;
	if (due == ABORT_REPLIES)
		ftp_client_send(step, FTP_ABOR, "", FTP_CLIENT_ABORTING);
	abort_until(step, due);
}

static void event_abort(struct ftp_client_step *step)
{
	struct ftp_client *client = step->client;
	bool gone = client->state == FTP_CLIENT_TRANSFER && client->gone;
	switch (gone ? ABORT_END : states[client->state].abort) {
	case ABORT_NOTHING:
		break;
	case ABORT_END:
		ftp_client_end(step, FTP_CLIENT_ABORTED);
		break;
	case ABORT_NOW:
		ftp_client_fail(step, FTP_CLIENT_ABORTED);
		break;
	case ABORT_REPLY:
		abort_after(step, 1);
		break;
	case ABORT_TRANSFER:
		abort_after(step, ABORT_REPLIES);
		break;
	}
}

static void event_time(struct ftp_client_step *step)
{
	if (step->client->state != FTP_CLIENT_ENDED && step->now_ns >= step->client->deadline_ns)
		ftp_client_end(step, FTP_CLIENT_LOST);
}

static void event_made(struct ftp_client_step *step)
{
	if (!step->client->patient)
		step->client->deadline_ns = reply_deadline(step);
}

void ftp_client_step(struct ftp_client *client, const struct ftp_client_event *event,
	uint64_t now_ns, struct ftp_client_actions *ret_actions)
{
	static void (*const events[])(struct ftp_client_step * step) = {
		[FTP_CLIENT_EVENT_REPLY] = event_reply,
		[FTP_CLIENT_EVENT_TASK] = event_task,
		[FTP_CLIENT_EVENT_ANSWER] = event_answer,
		[FTP_CLIENT_EVENT_MOVED] = ftp_client_moved,
		[FTP_CLIENT_EVENT_CLOSED] = event_closed,
		[FTP_CLIENT_EVENT_TIME] = event_time,
		[FTP_CLIENT_EVENT_MADE] = event_made,
		[FTP_CLIENT_EVENT_ABORT] = event_abort,
		[FTP_CLIENT_EVENT_LINE] = event_line,
	};
	struct ftp_client_step step = {
		.client = client, .event = event, .actions = ret_actions, .now_ns = now_ns};
	ret_actions->count = 0;
	events[event->kind](&step);
}

void ftp_client_init(struct ftp_client *client, const struct endpoint *peer, const char *user,
	const char *password)
{
	*client = (struct ftp_client){.state = FTP_CLIENT_GREETING,
		.user = user,
		.password = password,
		.peer = *peer,
		.deadline_ns = UINT64_MAX};
}

const char *ftp_client_state_name(enum ftp_client_state state)
{
	return (unsigned)state < FTP_CLIENT_STATE_COUNT ? states[state].name : "?";
}
