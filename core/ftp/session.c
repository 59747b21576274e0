#include "ftp/session.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/clock.h"
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

/* What each verb does; no handler: known, not done, 502. */
const struct ftp_verb_handler ftp_verb_handlers[FTP_VERB_COUNT] = {
	[FTP_USER] = {ftp_do_user, NULL, 0, false},
	[FTP_PASS] = {ftp_do_pass, ftp_answer_pass, 0, false},
	[FTP_REIN] = {ftp_do_rein, NULL, 0, false},
	[FTP_QUIT] = {ftp_do_quit, NULL, 0, false},
	[FTP_AUTH] = {ftp_do_auth, NULL, 0, false},
	[FTP_PBSZ] = {ftp_do_pbsz, NULL, 0, false},
	[FTP_PROT] = {ftp_do_prot, NULL, 0, false},

	[FTP_TYPE] = {ftp_do_type, NULL, 0, false},
	[FTP_STRU] = {ftp_do_stru, NULL, 0, false},
	[FTP_MODE] = {ftp_do_mode, NULL, 0, false},
	[FTP_ALLO] = {ftp_do_allo, NULL, 0, false},
	[FTP_REST] = {ftp_do_rest, NULL, 0, false},
	[FTP_OPTS] = {ftp_do_opts, NULL, 0, false},
	[FTP_LANG] = {ftp_do_lang, NULL, 0, false},
	[FTP_FEAT] = {ftp_do_feat, NULL, 0, false},
	[FTP_HELP] = {ftp_do_help, NULL, 0, false},
	[FTP_SITE] = {ftp_do_site, NULL, 0, false},
	[FTP_SYST] = {ftp_do_syst, NULL, 0, false},
	[FTP_NOOP] = {ftp_do_noop, NULL, 0, true},
	[FTP_CLNT] = {ftp_do_clnt, NULL, 0, false},

	[FTP_PORT] = {ftp_do_port, NULL, 0, false},
	[FTP_EPRT] = {ftp_do_eprt, NULL, 0, false},
	[FTP_PASV] = {ftp_do_pasv, ftp_answer_listen, 0, false},
	[FTP_EPSV] = {ftp_do_epsv, ftp_answer_listen, 0, false},
	[FTP_ABOR] = {ftp_do_abor, NULL, 0, true},
	[FTP_STAT] = {ftp_do_stat, ftp_answer_stat, 0, true},

	[FTP_PWD] = {ftp_do_pwd, NULL, 0, false},
	[FTP_CWD] = {ftp_do_cwd, ftp_answer_cwd, 0, false},
	[FTP_CDUP] = {ftp_do_cdup, ftp_answer_cwd, 0, false},
	[FTP_SIZE] = {ftp_do_size, ftp_answer_size, FTP_MAY_READ, false},
	[FTP_MDTM] = {ftp_do_mdtm, ftp_answer_mdtm, FTP_MAY_READ, false},
	[FTP_MFMT] = {ftp_do_mfmt, ftp_answer_mfmt, FTP_MAY_CHANGE, false},
	[FTP_MLST] = {ftp_do_mlst, ftp_answer_mlst, FTP_MAY_READ, false},
	[FTP_DELE] = {ftp_do_dele, ftp_answer_done, FTP_MAY_CHANGE, false},
	[FTP_RMD] = {ftp_do_rmd, ftp_answer_done, FTP_MAY_CHANGE, false},
	[FTP_MKD] = {ftp_do_mkd, ftp_answer_mkd, FTP_MAY_ADD, false},
	[FTP_RNFR] = {ftp_do_rnfr, ftp_answer_rnfr, FTP_MAY_CHANGE, false},
	[FTP_RNTO] = {ftp_do_rnto, ftp_answer_done, FTP_MAY_CHANGE, false},

	[FTP_RETR] = {ftp_do_retr, ftp_answer_open, FTP_MAY_READ, false},
	[FTP_STOR] = {ftp_do_stor, ftp_answer_open, FTP_MAY_ADD, false},
	[FTP_STOU] = {ftp_do_stou, ftp_answer_open, FTP_MAY_ADD, false},
	[FTP_APPE] = {ftp_do_appe, ftp_answer_open, FTP_MAY_ADD, false},
	[FTP_LIST] = {ftp_do_list, ftp_answer_open, FTP_MAY_READ, false},
	[FTP_NLST] = {ftp_do_nlst, ftp_answer_open, FTP_MAY_READ, false},
	[FTP_MLSD] = {ftp_do_mlsd, ftp_answer_open, FTP_MAY_READ, false},
};

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
	session->deadline_ns = step->now_ns + session->settings->idle_ns;
}

void ftp_step_drop_data(struct ftp_step *step)
{
	step->session->data_mode = FTP_DATA_NONE;
	ftp_step_act(step, FTP_ACTION_DROP_DATA);
}

struct ftp_action *ftp_step_ask(
	struct ftp_step *step, enum ftp_verb verb, enum ftp_action_kind kind)
{
	struct ftp_session *session = step->session;
	session->state = FTP_SESSION_ASKING;
	session->asked = verb;
	session->deadline_ns = UINT64_MAX;
	struct ftp_action *action = ftp_step_act(step, kind);
	action->path = session->asked_path;
	return action;
}

bool ftp_step_resolve(struct ftp_step *step, const char *name, size_t length)
{
	struct ftp_session *session = step->session;
	char path[FTP_PATH_SIZE];
	const char *directory = session->directory ? session->directory : "/";
	if (!ftp_path_resolve(directory, name, length, path)) {
		ftp_step_outcome(step, step->verb, FTP_OUTCOME_NAME_TOO_LONG);
		return false;
	}
	free(session->asked_path);
	session->asked_path = strdup(path);
	if (!session->asked_path)
		ftp_step_outcome(step, step->verb, FTP_OUTCOME_LOCAL_ERROR);
	return session->asked_path;
}

bool ftp_step_argument_is(const struct ftp_step *step, const char *word)
{
	return strlen(word) == step->length && strncasecmp(word, step->argument, step->length) == 0;
}

bool ftp_step_argument_number(const struct ftp_step *step, uint64_t *ret_number)
{
	uint64_t number = 0;
	for (size_t i = 0; i < step->length; i++) {
		unsigned digit = (unsigned char)step->argument[i] - (unsigned)'0';
		if (digit > 9 || number > ((uint64_t)INT64_MAX - digit) / 10)
			return false;
		number = number * 10 + digit;
	}
	if (step->length > 0)
		*ret_number = number;
	return step->length > 0;
}

static void step_ended(struct ftp_step *step, enum ftp_outcome outcome)
{
	ftp_step_drop_data(step);
	if (outcome == FTP_OUTCOME_DONE)
		ftp_step_reply(step, FTP_REPLY_TRANSFER_DONE, "Transfer complete.");
	else
		ftp_step_outcome(step, step->session->asked, outcome);
	ftp_step_ready(step);
}

/* A good command that may be given now. */
static void step_verb(struct ftp_step *step, enum ftp_verb verb)
{
	struct ftp_session *session = step->session;
	const struct ftp_verb_handler *handler = &ftp_verb_handlers[verb];
	if ((session->rights & handler->rights) != handler->rights)
		ftp_step_outcome(step, verb, FTP_OUTCOME_DENIED);
	else
		handler->run(step);
}

static void step_line(struct ftp_step *step, const struct ftp_event *event)
{
	struct ftp_session *session = step->session;
	struct ftp_command command;
	enum ftp_command_fault fault = ftp_command_parse(event->line, event->length, &command);
	bool logged_in =
		session->state == FTP_SESSION_READY || session->state == FTP_SESSION_TRANSFER;
	step->verb = command.verb;
	step->argument = command.argument;
	step->length = command.argument_length;
	step->moved_bytes = event->moved_bytes;
	if (session->state == FTP_SESSION_READY)
		session->deadline_ns = step->now_ns + session->settings->idle_ns;
	/* RNFR is followed by RNTO at once (RFC 959 section 4.1.3). */
	if (command.verb != FTP_RNTO)
		free(TAKE(session->rename_from));

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
		step_verb(step, command.verb);
}

static void step_answer(struct ftp_step *step, const struct ftp_event *event)
{
	struct ftp_session *session = step->session;
	if (session->state == FTP_SESSION_ASKING)
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
	session->deadline_ns = step->now_ns + session->settings->login_ns;
	ftp_step_reply(step, FTP_REPLY_READY, "Service ready.");
}

/* One in line is in the middle of a reply, which ends only with its own code. */
static void step_leave(struct ftp_step *step, const char *wait_over, const char *why)
{
	if (step->session->state == FTP_SESSION_WAITING)
		ftp_step_reply(step, FTP_REPLY_READY, wait_over);
	ftp_step_reply(step, FTP_REPLY_CLOSING, why);
	ftp_step_close(step);
}

static void step_time(struct ftp_step *step)
{
	struct ftp_session *session = step->session;
	if (session->state != FTP_SESSION_CLOSED && step->now_ns >= session->deadline_ns)
		step_leave(step, "The wait is over, as it took too long.",
			"Time is up; closing the control connection.");
}

static void step_full(struct ftp_step *step, const char *why)
{
	if (step->session->state != FTP_SESSION_WAITING)
		return;
	ftp_step_reply(step, FTP_REPLY_CLOSING, why);
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
		step_full(&step, "All places are taken; please try later.");
		break;
	case FTP_EVENT_FULL_FOR_ADDRESS:
		step_full(&step, "Too many connections from your address; please try later.");
		break;
	case FTP_EVENT_TOO_EARLY:
		if (session->state == FTP_SESSION_WAITING)
			step_leave(&step, "The wait is over, as too much was sent.",
				"Commands have to wait for their turn.");
		break;
	case FTP_EVENT_LINE:
		if (ftp_session_takes(session, event->line, event->length))
			step_line(&step, event);
		break;
	case FTP_EVENT_LINE_TOO_LONG:
		if (ftp_session_takes(session, "", 0))
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
		if (session->state != FTP_SESSION_CLOSED)
			step_leave(&step, "The wait is over, as the server ends.",
				"The server ends; closing the control connection.");
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
		       ftp_verb_handlers[command.verb].while_moving;
	case FTP_SESSION_WAITING:
	case FTP_SESSION_ASKING:
	case FTP_SESSION_CLOSED:
	case FTP_SESSION_STATE_COUNT:
		return false;
	}
	return false;
}

void ftp_session_init(struct ftp_session *session, const struct ftp_session_settings *settings,
	const struct endpoint *peer, uint64_t now_ns)
{
	bool ever = settings->wait_ns == UINT64_MAX;
	*session = (struct ftp_session){
		.settings = settings,
		.state = FTP_SESSION_WAITING,
		.peer = *peer,
		.facts = FTP_FACTS_ALL,
		.deadline_ns = ever ? UINT64_MAX : now_ns + settings->wait_ns,
	};
}

void ftp_session_finish(struct ftp_session *session)
{
	free(TAKE(session->asked_path));
	free(TAKE(session->rename_from));
	free(TAKE(session->directory));
}

const char *ftp_session_state_name(enum ftp_session_state state)
{
	return (unsigned)state < FTP_SESSION_STATE_COUNT ? state_names[state] : "?";
}
