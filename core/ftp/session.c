#include "ftp/session.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "ftp/reply.h"
#include "ftp/session_step.h"

static const char *const state_names[FTP_SESSION_STATE_COUNT] = {
	[FTP_SESSION_WAITING] = "waiting",
	[FTP_SESSION_USER] = "user",
	[FTP_SESSION_PASSWORD] = "password",
	[FTP_SESSION_READY] = "ready",
	[FTP_SESSION_ASKING] = "asking",
	[FTP_SESSION_TRANSFER] = "transfer",
	[FTP_SESSION_CLOSED] = "closed",
};

static const struct {
	enum ftp_reply_code code;
	const char *text;
} outcome_replies[FTP_OUTCOME_COUNT] = {
	[FTP_OUTCOME_DONE] = {FTP_REPLY_TRANSFER_DONE, "Transfer complete."},
	[FTP_OUTCOME_NOT_FOUND] = {FTP_REPLY_FILE_UNAVAILABLE, "No such file or directory."},
	[FTP_OUTCOME_DENIED] = {FTP_REPLY_FILE_UNAVAILABLE, "Permission denied."},
	[FTP_OUTCOME_NOT_A_FILE] = {FTP_REPLY_FILE_UNAVAILABLE, "Not a plain file."},
	[FTP_OUTCOME_NOT_A_DIRECTORY] = {FTP_REPLY_FILE_UNAVAILABLE, "Not a directory."},
	[FTP_OUTCOME_BAD_NAME] = {FTP_REPLY_BAD_NAME, "Cannot store under this name."},
	[FTP_OUTCOME_NO_SPACE] = {FTP_REPLY_NO_SPACE, "No space left; nothing was stored."},
	[FTP_OUTCOME_LOCAL_ERROR] = {FTP_REPLY_LOCAL_ERROR, "Local error in processing."},
	[FTP_OUTCOME_NO_PORT] = {FTP_REPLY_NO_DATA_CONNECTION, "Cannot open a data port."},
	[FTP_OUTCOME_NOT_CONNECTED] = {FTP_REPLY_NO_DATA_CONNECTION,
		"Cannot open the data connection."},
	[FTP_OUTCOME_LOST] = {FTP_REPLY_TRANSFER_ABORTED, "Data connection lost; aborted."},
	[FTP_OUTCOME_STALLED] = {FTP_REPLY_TRANSFER_ABORTED, "Data connection stalled; aborted."},
};

struct ftp_action *ftp_step_act(struct ftp_step *step, enum ftp_action_kind kind)
{
	struct ftp_actions *actions = step->actions;
	/* No step has more actions than fit: programmer's business, tested over all events. */
	struct ftp_action *action =
		&actions->list[actions->count < FTP_ACTIONS_MAX ? actions->count++
								: FTP_ACTIONS_MAX - 1];
	*action = (struct ftp_action){.kind = kind};
	return action;
}

void ftp_step_send(struct ftp_step *step, const char *format, ...)
{
	struct ftp_actions *actions = step->actions;
	char *text = actions->space + actions->used;
	size_t left = sizeof(actions->space) - actions->used;
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(text, left, format, arguments);
	va_end(arguments);
	if (length < 0 || (size_t)length >= left)
		return;
	actions->used += (size_t)length;
	struct ftp_action *action = ftp_step_act(step, FTP_ACTION_REPLY);
	action->text = text;
	action->length = (size_t)length;
}

void ftp_step_reply(struct ftp_step *step, enum ftp_reply_code code, const char *text)
{
	ftp_step_send(step, "%03u %s\r\n", (unsigned)code, text);
}

void ftp_step_outcome(struct ftp_step *step, enum ftp_outcome outcome)
{
	unsigned index = (unsigned)outcome < FTP_OUTCOME_COUNT ? outcome : FTP_OUTCOME_LOCAL_ERROR;
	ftp_step_reply(step, outcome_replies[index].code, outcome_replies[index].text);
}

void ftp_step_close(struct ftp_step *step)
{
	step->session->state = FTP_SESSION_CLOSED;
	step->session->deadline_ns = UINT64_MAX;
	ftp_step_act(step, FTP_ACTION_DROP_DATA);
	ftp_step_act(step, FTP_ACTION_CLOSE);
}

void ftp_step_ready(struct ftp_step *step)
{
	struct ftp_session *session = step->session;
	session->state = FTP_SESSION_READY;
	session->deadline_ns = step->now_ns + FTP_IDLE_SECONDS * NS_PER_SECOND;
	free(TAKE(session->asked_path));
}

void ftp_step_drop_data(struct ftp_step *step)
{
	step->session->data_mode = FTP_DATA_NONE;
	ftp_step_act(step, FTP_ACTION_DROP_DATA);
}

static void step_ended(struct ftp_step *step, enum ftp_outcome outcome)
{
	ftp_step_drop_data(step);
	ftp_step_outcome(step, outcome);
	ftp_step_ready(step);
}

static void step_line(struct ftp_step *step, const struct ftp_event *event)
{
	struct ftp_session *session = step->session;
	struct ftp_command command;
	enum ftp_command_fault fault = ftp_command_parse(event->line, event->length, &command);
	bool logged_in =
		session->state == FTP_SESSION_READY || session->state == FTP_SESSION_TRANSFER;
	step->argument = command.argument;
	step->length = command.argument_length;
	if (logged_in && session->state == FTP_SESSION_READY)
		session->deadline_ns = step->now_ns + FTP_IDLE_SECONDS * NS_PER_SECOND;

	if (fault == FTP_COMMAND_NUL)
		ftp_step_reply(step, FTP_REPLY_BAD_ARGUMENT, "A NUL byte in the line.");
	else if (fault == FTP_COMMAND_UNKNOWN)
		ftp_step_reply(step, FTP_REPLY_BAD_COMMAND, "No such command.");
	else if (!ftp_verb_handlers[command.verb].run)
		ftp_step_reply(step, FTP_REPLY_NOT_DONE, "This command is not done here.");
	else if (!logged_in && !ftp_verb_rule(command.verb)->before_login)
		ftp_step_reply(step, FTP_REPLY_NOT_LOGGED_IN, "Log in with USER and PASS.");
	else if (fault == FTP_COMMAND_WANTS_ARGUMENT)
		ftp_step_reply(step, FTP_REPLY_BAD_ARGUMENT, "An argument is missing.");
	else if (fault == FTP_COMMAND_WANTS_NONE)
		ftp_step_reply(step, FTP_REPLY_BAD_ARGUMENT, "No argument is wanted.");
	else
		ftp_verb_handlers[command.verb].run(step);
}

static void step_answer(struct ftp_step *step, const struct ftp_event *event)
{
	struct ftp_session *session = step->session;
	if (session->state != FTP_SESSION_ASKING || !ftp_verb_handlers[session->asked].answer)
		return;
	ftp_verb_handlers[session->asked].answer(step, event);
}

static void step_place(struct ftp_step *step, const struct ftp_event *event)
{
	if (step->session->state != FTP_SESSION_WAITING)
		return;
	ftp_step_send(step, "%d-You are number %zu in line; %zu client%s being served.\r\n",
		FTP_REPLY_READY, event->place, event->served, event->served == 1 ? " is" : "s are");
}

static void step_turn(struct ftp_step *step)
{
	struct ftp_session *session = step->session;
	if (session->state != FTP_SESSION_WAITING)
		return;
	session->state = FTP_SESSION_USER;
	session->deadline_ns = step->now_ns + FTP_LOGIN_SECONDS * NS_PER_SECOND;
	ftp_step_reply(step, FTP_REPLY_READY, "Service ready.");
}

static void step_time(struct ftp_step *step)
{
	struct ftp_session *session = step->session;
	if (session->state == FTP_SESSION_CLOSED || step->now_ns < session->deadline_ns)
		return;
	ftp_step_reply(step, FTP_REPLY_CLOSING, "Time is up; closing the control connection.");
	ftp_step_close(step);
}

static void step_too_early(struct ftp_step *step)
{
	if (step->session->state != FTP_SESSION_WAITING)
		return;
	ftp_step_reply(step, FTP_REPLY_READY, "The wait is over, as too much was sent.");
	ftp_step_reply(step, FTP_REPLY_CLOSING, "Commands have to wait for their turn.");
	ftp_step_close(step);
}

static void step_shutdown(struct ftp_step *step)
{
	struct ftp_session *session = step->session;
	if (session->state == FTP_SESSION_CLOSED)
		return;
	/* One in line is in the middle of a reply, which ends only with its own code. */
	if (session->state == FTP_SESSION_WAITING)
		ftp_step_reply(step, FTP_REPLY_READY, "The wait is over, as the server ends.");
	ftp_step_reply(step, FTP_REPLY_CLOSING, "The server ends; closing the control connection.");
	ftp_step_close(step);
}

void ftp_session_step(struct ftp_session *session, const struct ftp_event *event, uint64_t now_ns,
	struct ftp_actions *ret_actions)
{
	struct ftp_step step = {.session = session, .actions = ret_actions, .now_ns = now_ns};
	ret_actions->count = 0;
	ret_actions->used = 0;
	switch (event->kind) {
	case FTP_EVENT_PLACE:
		step_place(&step, event);
		break;
	case FTP_EVENT_TURN:
		step_turn(&step);
		break;
	case FTP_EVENT_FULL:
		ftp_step_reply(&step, FTP_REPLY_CLOSING, "All places are taken; please try later.");
		ftp_step_close(&step);
		break;
	case FTP_EVENT_TOO_EARLY:
		step_too_early(&step);
		break;
	case FTP_EVENT_LINE:
		if (ftp_session_takes(session, event->line, event->length))
			step_line(&step, event);
		break;
	case FTP_EVENT_LINE_TOO_LONG:
		ftp_step_reply(&step, FTP_REPLY_BAD_COMMAND, "The line is too long.");
		break;
	case FTP_EVENT_ANSWER:
		step_answer(&step, event);
		break;
	case FTP_EVENT_ENDED:
		if (session->state == FTP_SESSION_TRANSFER)
			step_ended(&step, event->outcome);
		break;
	case FTP_EVENT_TIME:
		step_time(&step);
		break;
	case FTP_EVENT_SHUTDOWN:
		step_shutdown(&step);
		break;
	}
}

bool ftp_session_takes(const struct ftp_session *session, const char *line, size_t length)
{
	struct ftp_command command;
	switch (session->state) {
	case FTP_SESSION_USER:
	case FTP_SESSION_PASSWORD:
	case FTP_SESSION_READY:
		return true;
	case FTP_SESSION_TRANSFER:
		return ftp_command_parse(line, length, &command) == FTP_COMMAND_GOOD &&
		       command.verb == FTP_ABOR;
	case FTP_SESSION_WAITING:
	case FTP_SESSION_ASKING:
	case FTP_SESSION_CLOSED:
	case FTP_SESSION_STATE_COUNT:
		return false;
	}
	return false;
}

void ftp_session_init(struct ftp_session *session, const struct ftp_endpoint *peer)
{
	*session = (struct ftp_session){
		.state = FTP_SESSION_WAITING, .peer = *peer, .deadline_ns = UINT64_MAX};
}

void ftp_session_finish(struct ftp_session *session)
{
	free(TAKE(session->asked_path));
	free(TAKE(session->directory));
}

const char *ftp_session_state_name(enum ftp_session_state state)
{
	return (unsigned)state < FTP_SESSION_STATE_COUNT ? state_names[state] : "?";
}
