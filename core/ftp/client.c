#include "ftp/client.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "ftp/reply.h"

/* One step in the making. */
struct step {
	struct ftp_client *client;
	const struct ftp_client_event *event;
	struct ftp_client_actions *actions;
	uint64_t now_ns;
};

static struct ftp_client_action *step_act(struct step *step, enum ftp_client_action_kind kind)
{
	struct ftp_client_actions *actions = step->actions;
	struct ftp_client_action *action = &actions->list[actions->count < FTP_CLIENT_ACTIONS_MAX
								  ? actions->count++
								  : FTP_CLIENT_ACTIONS_MAX - 1];
	*action = (struct ftp_client_action){.kind = kind};
	return action;
}

static void step_report(struct step *step, enum ftp_client_result result)
{
	struct ftp_client *client = step->client;
	client->deadline_ns = UINT64_MAX;
	if (client->state != FTP_CLIENT_ENDED)
		client->state = FTP_CLIENT_READY;
	step_act(step, FTP_CLIENT_REPORT)->result = result;
}

/* The connection is of no more use. */
static void step_end(struct step *step, enum ftp_client_result result)
{
	step->client->state = FTP_CLIENT_ENDED;
	step_act(step, FTP_CLIENT_DROP_DATA);
	step_report(step, result);
}

/* The line's length; 0 where it is too long or `argument` would end it early. */
static size_t line_format(char *line, size_t size, enum ftp_verb verb, const char *argument)
{
	size_t used =
		(size_t)snprintf(line, size, "%s%s", ftp_verb_name(verb), *argument ? " " : "");
	for (; *argument; argument++) {
		if (*argument == '\r' || *argument == '\n' || used + sizeof("xx\r\n") > size)
			return 0;
		if ((unsigned char)*argument == FTP_INPUT_IAC)
			line[used++] = *argument;
		line[used++] = *argument;
	}
	line[used++] = '\r';
	line[used++] = '\n';
	return used;
}

/* Send `VERB argument`, or `VERB` where it is empty, and await the reply in `next`. */
static void step_send(
	struct step *step, enum ftp_verb verb, const char *argument, enum ftp_client_state next)
{
	struct ftp_client *client = step->client;
	struct ftp_client_actions *actions = step->actions;
	size_t length = line_format(actions->space, sizeof(actions->space), verb, argument);
	if (length == 0) {
		step_act(step, FTP_CLIENT_DROP_DATA);
		step_report(step, FTP_CLIENT_MISUSE);
		return;
	}
	client->state = next;
	client->deadline_ns = step->now_ns + FTP_CLIENT_REPLY_SECONDS * NS_PER_SECOND;
	struct ftp_client_action *action = step_act(step, FTP_CLIENT_SEND);
	action->text = actions->space;
	action->length = length;
	action->secret = ftp_verb_rule(verb)->secret;
}

static bool reply_is(const struct step *step, enum ftp_reply_class class)
{
	return ftp_reply_class(step->event->code) == class;
}

static void step_refused(struct step *step)
{
	step_act(step, FTP_CLIENT_DROP_DATA);
	step_report(step, FTP_CLIENT_REFUSED);
}

/* --- log-in --- */

static void reply_greeting(struct step *step)
{
	if (reply_is(step, FTP_REPLY_COMPLETION))
		step_send(step, FTP_USER, step->client->user, FTP_CLIENT_USER);
	else if (!reply_is(step, FTP_REPLY_PRELIMINARY)) /* 120: ready in a while */
		step_end(step, FTP_CLIENT_REFUSED);
}

static void reply_user(struct step *step)
{
	if (reply_is(step, FTP_REPLY_COMPLETION))
		step_report(step, FTP_CLIENT_DONE);
	else if (step->event->code == FTP_REPLY_NEED_PASSWORD)
		step_send(step, FTP_PASS, step->client->password, FTP_CLIENT_PASS);
	else
		step_end(step, FTP_CLIENT_REFUSED);
}

static void reply_pass(struct step *step)
{
	if (reply_is(step, FTP_REPLY_COMPLETION))
		step_report(step, FTP_CLIENT_DONE);
	else
		step_end(step, FTP_CLIENT_REFUSED);
}

/* --- the way to a transfer --- */

static void step_way(struct step *step)
{
	struct ftp_client *client = step->client;
	if (client->active) {
		client->state = FTP_CLIENT_LISTENING;
		client->deadline_ns = UINT64_MAX;
		step_act(step, FTP_CLIENT_LISTEN);
	} else if (client->no_epsv) {
		step_send(step, FTP_PASV, "", FTP_CLIENT_PASV);
	} else {
		step_send(step, FTP_EPSV, "", FTP_CLIENT_EPSV);
	}
}

static void step_transfer(struct step *step)
{
	struct ftp_client *client = step->client;
	/* A listing is text (RFC 959 section 4.1.3). */
	bool ascii = client->ascii || client->task == FTP_LIST;
	enum ftp_type type = ascii ? FTP_TYPE_ASCII : FTP_TYPE_IMAGE;
	client->replied = client->moved = false;
	if (client->type_known && client->type == type) {
		step_way(step);
		return;
	}
	client->type = type;
	client->type_known = false;
	step_send(step, FTP_TYPE, ascii ? "A" : "I", FTP_CLIENT_TYPE);
}

static void reply_type(struct step *step)
{
	step->client->type_known = reply_is(step, FTP_REPLY_COMPLETION);
	if (step->client->type_known)
		step_way(step);
	else
		step_refused(step);
}

static void step_connect(struct step *step, uint16_t port)
{
	struct ftp_client *client = step->client;
	client->state = FTP_CLIENT_CONNECTING;
	client->deadline_ns = UINT64_MAX;
	struct ftp_client_action *action = step_act(step, FTP_CLIENT_CONNECT);
	action->endpoint = client->peer;
	action->endpoint.port = port;
}

static void reply_epsv(struct step *step)
{
	const struct ftp_client_event *event = step->event;
	uint16_t port;
	if (event->code == FTP_REPLY_EXTENDED_PASSIVE &&
		ftp_extended_passive_parse(event->text, event->length, &port)) {
		step_connect(step, port);
	} else if (step->client->peer.family == FTP_IPV4) {
		step->client->no_epsv = true;
		step_send(step, FTP_PASV, "", FTP_CLIENT_PASV);
	} else {
		step_refused(step);
	}
}

static void reply_pasv(struct step *step)
{
	const struct ftp_client_event *event = step->event;
	struct ftp_endpoint endpoint;
	if (event->code == FTP_REPLY_PASSIVE &&
		ftp_passive_parse(event->text, event->length, &endpoint))
		step_connect(step, endpoint.port);
	else
		step_refused(step);
}

static void reply_port(struct step *step)
{
	if (reply_is(step, FTP_REPLY_COMPLETION))
		step_send(step, step->client->task, step->client->argument, FTP_CLIENT_OPENING);
	else
		step_refused(step);
}

/* --- a transfer --- */

/* Whether data failed to move for a reason on our side: a file, a disk. */
static bool failed_here(enum ftp_outcome outcome)
{
	return outcome == FTP_OUTCOME_LOCAL_ERROR || outcome == FTP_OUTCOME_NO_SPACE;
}

/* Over when both halves are. */
static void step_settle(struct step *step)
{
	struct ftp_client *client = step->client;
	if (!client->replied || !client->moved)
		return;
	if (client->outcome == FTP_OUTCOME_DONE)
		step_report(step, FTP_CLIENT_DONE);
	else
		step_report(
			step, failed_here(client->outcome) ? FTP_CLIENT_LOCAL : FTP_CLIENT_LOST);
}

static void reply_opening(struct step *step)
{
	struct ftp_client *client = step->client;
	if (!reply_is(step, FTP_REPLY_PRELIMINARY) && !reply_is(step, FTP_REPLY_COMPLETION)) {
		step_refused(step);
		return;
	}
	/* A final reply without 150 before it breaks RFC 959; the data is there all the same. */
	client->replied = reply_is(step, FTP_REPLY_COMPLETION);
	client->state = FTP_CLIENT_TRANSFER;
	client->deadline_ns = UINT64_MAX;
	step_act(step, FTP_CLIENT_MOVE);
}

static void reply_transfer(struct step *step)
{
	struct ftp_client *client = step->client;
	if (reply_is(step, FTP_REPLY_PRELIMINARY))
		return;
	if (reply_is(step, FTP_REPLY_COMPLETION)) {
		client->replied = true;
		client->deadline_ns = UINT64_MAX;
		step_settle(step);
		return;
	}
	/* Our own failure explains the server's "aborted". */
	bool ours = client->moved && failed_here(client->outcome);
	step_act(step, FTP_CLIENT_DROP_DATA);
	step_report(step, ours ? FTP_CLIENT_LOCAL : FTP_CLIENT_REFUSED);
}

/* --- commands without data --- */

static void reply_simple(struct step *step)
{
	bool done = reply_is(step, FTP_REPLY_COMPLETION);
	step_report(step, done ? FTP_CLIENT_DONE : FTP_CLIENT_REFUSED);
}

static void reply_quit(struct step *step)
{
	step_end(step, FTP_CLIENT_DONE); /* whatever it says: we go */
}

/* A reply that nobody asked for; 421 was seen before. */
static void reply_unasked(struct step *step)
{
	(void)step;
}

static const struct {
	const char *name;
	void (*reply)(struct step *step);
} states[FTP_CLIENT_STATE_COUNT] = {
	[FTP_CLIENT_GREETING] = {"greeting", reply_greeting},
	[FTP_CLIENT_USER] = {"user", reply_user},
	[FTP_CLIENT_PASS] = {"pass", reply_pass},
	[FTP_CLIENT_READY] = {"ready", reply_unasked},
	[FTP_CLIENT_TYPE] = {"type", reply_type},
	[FTP_CLIENT_EPSV] = {"epsv", reply_epsv},
	[FTP_CLIENT_PASV] = {"pasv", reply_pasv},
	[FTP_CLIENT_CONNECTING] = {"connecting", reply_unasked},
	[FTP_CLIENT_LISTENING] = {"listening", reply_unasked},
	[FTP_CLIENT_PORT] = {"port", reply_port},
	[FTP_CLIENT_OPENING] = {"opening", reply_opening},
	[FTP_CLIENT_TRANSFER] = {"transfer", reply_transfer},
	[FTP_CLIENT_CWD] = {"cwd", reply_simple},
	[FTP_CLIENT_PWD] = {"pwd", reply_simple},
	[FTP_CLIENT_SIZE] = {"size", reply_simple},
	[FTP_CLIENT_QUIT] = {"quit", reply_quit},
	[FTP_CLIENT_ENDED] = {"ended", reply_unasked},
};

static void step_reply(struct step *step)
{
	enum ftp_client_state state = step->client->state;
	if (state == FTP_CLIENT_ENDED)
		return;
	/* May come at any time: the server closes (RFC 959 section 5.4). */
	if (step->event->code == FTP_REPLY_CLOSING && state != FTP_CLIENT_QUIT)
		step_end(step, FTP_CLIENT_REFUSED);
	else
		states[state].reply(step);
}

static void step_task(struct step *step)
{
	static const struct {
		enum ftp_verb verb;
		enum ftp_client_state state;
	} tasks[] = {
		{FTP_CWD, FTP_CLIENT_CWD},
		{FTP_PWD, FTP_CLIENT_PWD},
		{FTP_SIZE, FTP_CLIENT_SIZE},
		{FTP_QUIT, FTP_CLIENT_QUIT},
	};
	struct ftp_client *client = step->client;
	if (client->state != FTP_CLIENT_READY)
		return;
	client->task = step->event->task;
	client->argument = step->event->argument ? step->event->argument : "";
	for (size_t i = 0; i < sizeof(tasks) / sizeof(tasks[0]); i++) {
		if (tasks[i].verb != client->task)
			continue;
		step_send(step, client->task, client->argument, tasks[i].state);
		return;
	}
	step_transfer(step);
}

static void step_answer(struct step *step)
{
	struct ftp_client *client = step->client;
	const struct ftp_client_event *event = step->event;
	char text[FTP_PORT_TEXT_SIZE];
	bool done = event->outcome == FTP_OUTCOME_DONE;
	if (client->state == FTP_CLIENT_CONNECTING) {
		if (done) {
			step_send(step, client->task, client->argument, FTP_CLIENT_OPENING);
		} else {
			step_act(step, FTP_CLIENT_DROP_DATA);
			step_report(step, FTP_CLIENT_LOST);
		}
	} else if (client->state == FTP_CLIENT_LISTENING) {
		if (!done) {
			step_act(step, FTP_CLIENT_DROP_DATA);
			step_report(step, FTP_CLIENT_LOCAL);
		} else if (event->local.family == FTP_IPV4) {
			step_send(step, FTP_PORT, ftp_port_format(&event->local, text),
				FTP_CLIENT_PORT);
		} else {
			step_send(step, FTP_EPRT, ftp_eprt_format(&event->local, text),
				FTP_CLIENT_PORT);
		}
	}
}

static void step_moved(struct step *step)
{
	struct ftp_client *client = step->client;
	if (client->state != FTP_CLIENT_TRANSFER)
		return;
	client->moved = true;
	client->outcome = step->event->outcome;
	client->deadline_ns = step->now_ns + FTP_CLIENT_REPLY_SECONDS * NS_PER_SECOND;
	step_settle(step);
}

void ftp_client_step(struct ftp_client *client, const struct ftp_client_event *event,
	uint64_t now_ns, struct ftp_client_actions *ret_actions)
{
	struct step step = {
		.client = client, .event = event, .actions = ret_actions, .now_ns = now_ns};
	ret_actions->count = 0;
	switch (event->kind) {
	case FTP_CLIENT_EVENT_REPLY:
		step_reply(&step);
		break;
	case FTP_CLIENT_EVENT_TASK:
		step_task(&step);
		break;
	case FTP_CLIENT_EVENT_ANSWER:
		step_answer(&step);
		break;
	case FTP_CLIENT_EVENT_MOVED:
		step_moved(&step);
		break;
	case FTP_CLIENT_EVENT_CLOSED:
		/* After QUIT the server may close without a word. */
		if (client->state != FTP_CLIENT_ENDED)
			step_end(&step, client->state == FTP_CLIENT_QUIT ? FTP_CLIENT_DONE
									 : FTP_CLIENT_LOST);
		break;
	case FTP_CLIENT_EVENT_TIME:
		if (client->state != FTP_CLIENT_ENDED && now_ns >= client->deadline_ns)
			step_end(&step, FTP_CLIENT_LOST);
		break;
	}
}

void ftp_client_init(struct ftp_client *client, const struct ftp_endpoint *peer, const char *user,
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
