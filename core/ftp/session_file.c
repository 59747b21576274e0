/* Directories, files, and what is told or changed of them: CWD ... MFMT, RNFR, RNTO. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "ftp/session_step.h"

void ftp_do_pwd(struct ftp_step *step)
{
	const char *directory = step->session->directory ? step->session->directory : "/";
	ftp_step_reply_path(step, FTP_REPLY_PATH, directory, "is the working directory.");
}

void ftp_do_cwd(struct ftp_step *step)
{
	if (ftp_step_resolve(step, step->argument, step->length))
		ftp_step_ask(step, FTP_CWD, FTP_ACTION_CHECK_DIRECTORY);
}

void ftp_do_cdup(struct ftp_step *step)
{
	if (ftp_step_resolve(step, "..", 2))
		ftp_step_ask(step, FTP_CDUP, FTP_ACTION_CHECK_DIRECTORY);
}

void ftp_answer_cwd(struct ftp_step *step, const struct ftp_event *event)
{
	struct ftp_session *session = step->session;
	bool up = session->asked == FTP_CDUP;
	if (event->outcome == FTP_OUTCOME_DONE) {
		free(session->directory);
		session->directory = TAKE(session->asked_path);
		/* RFC 959 section 5.4: 200 for CDUP; 250 for CWD. */
		ftp_step_reply(step, up ? FTP_REPLY_OK : FTP_REPLY_FILE_DONE, "Directory changed.");
	} else {
		ftp_step_outcome(step, session->asked, event->outcome);
	}
	ftp_step_ready(step);
}

/* Ask about the path in the argument; `verb` answers. */
static void ask_about(struct ftp_step *step, enum ftp_verb verb, enum ftp_action_kind kind)
{
	if (ftp_step_resolve(step, step->argument, step->length))
		ftp_step_ask(step, verb, kind);
}

void ftp_do_size(struct ftp_step *step)
{
	ask_about(step, FTP_SIZE, FTP_ACTION_ASK_SIZE);
}

void ftp_answer_size(struct ftp_step *step, const struct ftp_event *event)
{
	if (event->outcome == FTP_OUTCOME_DONE)
		ftp_step_send(step, "%d %llu\r\n", FTP_REPLY_FILE_STATUS,
			(unsigned long long)event->size_bytes);
	else
		ftp_step_outcome(step, FTP_SIZE, event->outcome);
	ftp_step_ready(step);
}

void ftp_do_mdtm(struct ftp_step *step)
{
	ask_about(step, FTP_MDTM, FTP_ACTION_ASK_FACTS);
}

void ftp_answer_mdtm(struct ftp_step *step, const struct ftp_event *event)
{
	char when[FTP_TIME_TEXT_SIZE];
	if (event->outcome == FTP_OUTCOME_DONE)
		ftp_step_send(step, "%d %s\r\n", FTP_REPLY_FILE_STATUS,
			ftp_time_format(event->entry.modified_seconds, when));
	else
		ftp_step_outcome(step, FTP_MDTM, event->outcome);
	ftp_step_ready(step);
}

/* `MFMT YYYYMMDDHHMMSS path`; section 3.1 of its draft. */
void ftp_do_mfmt(struct ftp_step *step)
{
	const char *space = memchr(step->argument, ' ', step->length);
	size_t length = space ? (size_t)(space - step->argument) : 0;
	int64_t seconds;
	if (!space || length + 1 == step->length ||
		!ftp_time_parse(step->argument, length, &seconds)) {
		ftp_step_reply(step, FTP_REPLY_BAD_ARGUMENT, "MFMT wants YYYYMMDDHHMMSS NAME.");
		return;
	}
	if (!ftp_step_resolve(step, space + 1, step->length - length - 1))
		return;
	ftp_step_ask(step, FTP_MFMT, FTP_ACTION_SET_TIME)->seconds = seconds;
	step->session->asked_seconds = seconds;
}

void ftp_answer_mfmt(struct ftp_step *step, const struct ftp_event *event)
{
	char when[FTP_TIME_TEXT_SIZE];
	if (event->outcome == FTP_OUTCOME_DONE)
		ftp_step_send(step, "%d Modify=%s; set.\r\n", FTP_REPLY_FILE_STATUS,
			ftp_time_format(step->session->asked_seconds, when));
	else
		ftp_step_outcome(step, FTP_MFMT, event->outcome);
	ftp_step_ready(step);
}

void ftp_do_mlst(struct ftp_step *step)
{
	ask_about(step, FTP_MLST, FTP_ACTION_ASK_FACTS);
}

/* RFC 3659 section 7.2: the one line in the middle begins with a space. */
void ftp_answer_mlst(struct ftp_step *step, const struct ftp_event *event)
{
	struct ftp_session *session = step->session;
	CLEANUP(text_finish) struct text facts = {0};
	if (event->outcome == FTP_OUTCOME_DONE) {
		struct ftp_listing_entry entry = event->entry;
		struct ftp_listing_view view = {.facts = session->facts, .rights = session->rights};
		entry.name = session->asked_path;
		ftp_listing_append_facts(&facts, &entry, &view);
		ftp_step_send(step, "%d-Listing:\r\n %s%d End.\r\n", FTP_REPLY_FILE_DONE,
			text_view(&facts), FTP_REPLY_FILE_DONE);
	} else {
		ftp_step_outcome(step, FTP_MLST, event->outcome);
	}
	ftp_step_ready(step);
}

void ftp_do_dele(struct ftp_step *step)
{
	ask_about(step, FTP_DELE, FTP_ACTION_DELETE);
}

void ftp_do_rmd(struct ftp_step *step)
{
	ask_about(step, FTP_RMD, FTP_ACTION_REMOVE_DIRECTORY);
}

/* What was asked is done, 250, or not. */
void ftp_answer_done(struct ftp_step *step, const struct ftp_event *event)
{
	ftp_step_outcome(step, step->session->asked, event->outcome);
	free(TAKE(step->session->rename_from));
	ftp_step_ready(step);
}

void ftp_do_mkd(struct ftp_step *step)
{
	ask_about(step, FTP_MKD, FTP_ACTION_MAKE_DIRECTORY);
}

void ftp_answer_mkd(struct ftp_step *step, const struct ftp_event *event)
{
	if (event->outcome == FTP_OUTCOME_DONE)
		ftp_step_reply_path(step, FTP_REPLY_PATH, step->session->asked_path, "created.");
	else
		ftp_step_outcome(step, FTP_MKD, event->outcome);
	ftp_step_ready(step);
}

void ftp_do_rnfr(struct ftp_step *step)
{
	ask_about(step, FTP_RNFR, FTP_ACTION_ASK_FACTS);
}

void ftp_answer_rnfr(struct ftp_step *step, const struct ftp_event *event)
{
	struct ftp_session *session = step->session;
	if (event->outcome == FTP_OUTCOME_DONE) {
		session->rename_from = TAKE(session->asked_path);
		ftp_step_reply(step, FTP_REPLY_MORE_WANTED, "RNTO says the new name.");
	} else {
		ftp_step_outcome(step, FTP_RNFR, event->outcome);
	}
	ftp_step_ready(step);
}

/* session.c forgets the old name before any command that is not this one. */
void ftp_do_rnto(struct ftp_step *step)
{
	struct ftp_session *session = step->session;
	if (!session->rename_from)
		ftp_step_reply(step, FTP_REPLY_OUT_OF_ORDER, "RNFR comes before RNTO.");
	else if (ftp_step_resolve(step, step->argument, step->length)) {
		struct ftp_action *action = ftp_step_ask(step, FTP_RNTO, FTP_ACTION_RENAME);
		action->path = session->rename_from;
		action->other = session->asked_path;
	}
}
