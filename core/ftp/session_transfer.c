/* What moves over a data connection: RETR STOR STOU APPE LIST NLST MLSD. */
#include <string.h>

#include "ftp/session_step.h"

/* Whether a data connection can come about; replies where it cannot. */
static bool way_is_there(struct ftp_step *step)
{
	const struct ftp_session *session = step->session;
	if (session->settings->tls_required && !session->protect) {
		ftp_step_drop_data(step);
		ftp_step_reply(step, FTP_REPLY_DATA_IN_CLEAR, "PROT P first.");
		return false;
	}
	if (session->data_mode == FTP_DATA_NONE)
		ftp_step_reply(
			step, FTP_REPLY_NO_DATA_CONNECTION, "PASV, EPSV, PORT or EPRT first.");
	return session->data_mode != FTP_DATA_NONE;
}

static struct ftp_action *step_open(
	struct ftp_step *step, enum ftp_verb verb, enum ftp_action_kind kind)
{
	if (!way_is_there(step) || !ftp_step_resolve(step, step->argument, step->length))
		return NULL;
	return ftp_step_ask(step, verb, kind);
}

void ftp_do_retr(struct ftp_step *step)
{
	step_open(step, FTP_RETR, FTP_ACTION_OPEN_SOURCE);
}

static void open_sink(struct ftp_step *step, enum ftp_verb verb, enum ftp_sink sink)
{
	struct ftp_action *action = step_open(step, verb, FTP_ACTION_OPEN_SINK);
	if (action)
		action->sink = sink;
}

void ftp_do_stor(struct ftp_step *step)
{
	open_sink(step, FTP_STOR, step->session->restart_bytes ? FTP_SINK_RESUME : FTP_SINK_NEW);
}

void ftp_do_appe(struct ftp_step *step)
{
	open_sink(step, FTP_APPE, FTP_SINK_APPEND);
}

/* RFC 959 gives STOU no argument; many clients send the name that they would like. */
void ftp_do_stou(struct ftp_step *step)
{
	static const char stem[] = "file";
	if (step->length == 0) {
		step->argument = stem;
		step->length = strlen(stem);
	}
	open_sink(step, FTP_STOU, FTP_SINK_UNIQUE);
}

/* Many clients send the options of ls(1), as in `LIST -al`; the form is always the long one. */
static void skip_options(struct ftp_step *step)
{
	while (step->length > 0 && step->argument[0] == '-') {
		const char *space = memchr(step->argument, ' ', step->length);
		size_t skipped = space ? (size_t)(space - step->argument) + 1 : step->length;
		step->argument += skipped;
		step->length -= skipped;
	}
}

static void open_listing(struct ftp_step *step, enum ftp_verb verb, enum ftp_listing_form form)
{
	struct ftp_action *action = step_open(step, verb, FTP_ACTION_OPEN_LISTING);
	if (!action)
		return;
	char *asked = step->actions->space + step->actions->used;
	size_t length = step->length < FTP_PATH_SIZE ? step->length : 0;
	memcpy(asked, step->argument, length);
	asked[length] = '\0';
	step->actions->used += length + 1;
	action->text = asked;
	action->length = length;
	action->form = form;
}

void ftp_do_list(struct ftp_step *step)
{
	skip_options(step);
	open_listing(step, FTP_LIST, FTP_LISTING_LONG);
}

void ftp_do_nlst(struct ftp_step *step)
{
	skip_options(step);
	open_listing(step, FTP_NLST, FTP_LISTING_NAMES);
}

void ftp_do_mlsd(struct ftp_step *step)
{
	open_listing(step, FTP_MLSD, FTP_LISTING_FACTS);
}

void ftp_answer_open(struct ftp_step *step, const struct ftp_event *event)
{
	struct ftp_session *session = step->session;
	char name[FTP_PATH_SIZE];
	session->restart_bytes = 0; /* it counted for this one */
	session->allocated_bytes = 0;
	if (event->outcome != FTP_OUTCOME_DONE) {
		ftp_step_drop_data(step);
		ftp_step_outcome(step, session->asked, event->outcome);
		ftp_step_ready(step);
		return;
	}
	session->state = FTP_SESSION_TRANSFER;
	session->deadline_ns = UINT64_MAX;
	/* RFC 1123 section 4.1.2.9: the name is told with this reply, in this form. */
	if (session->asked == FTP_STOU)
		ftp_step_send(step, "%d FILE: %s\r\n", FTP_REPLY_DATA_OPENING,
			ftp_step_printable(event->name, name));
	else
		ftp_step_reply(step, FTP_REPLY_DATA_OPENING, "Opening the data connection.");
	ftp_step_act(step, FTP_ACTION_START);
}
