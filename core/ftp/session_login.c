/* Who the client is, and whether others may listen: USER PASS REIN QUIT AUTH PBSZ PROT. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "ftp/session_step.h"

bool ftp_name_is_anonymous(const char *name)
{
	return strcasecmp(name, "anonymous") == 0 || strcasecmp(name, "ftp") == 0;
}

/* Back to where a session begins, but for its connection and its TLS. */
static void log_out(struct ftp_step *step)
{
	struct ftp_session *session = step->session;
	if (session->state == FTP_SESSION_READY) {
		ftp_step_drop_data(step);
		ftp_step_act(step, FTP_ACTION_LOG_OUT);
		/* The time to log in is limited once more. */
		session->deadline_ns = step->now_ns + session->settings->login_ns;
	}
	free(TAKE(session->directory));
	free(TAKE(session->rename_from));
	session->type = FTP_TYPE_ASCII;
	session->facts = FTP_FACTS_ALL;
	session->epsv_only = false;
	session->rights = 0;
	session->restart_bytes = 0;
	session->allocated_bytes = 0;
	session->name[0] = '\0';
	session->state = FTP_SESSION_USER;
}

void ftp_do_user(struct ftp_step *step)
{
	struct ftp_session *session = step->session;
	if (session->settings->tls_required && !session->secure) {
		ftp_step_reply(step, FTP_REPLY_POLICY, "AUTH TLS comes before USER here.");
		return;
	}
	/* A new log-in ends the old one (RFC 959 section 4.1.1). */
	log_out(step);
	/* A name too long for any account is still asked for its password, like any other. */
	size_t length = step->length < FTP_NAME_MAX ? step->length : FTP_NAME_MAX;
	memcpy(session->name, step->argument, length);
	session->name[length] = '\0';
	if (step->length > FTP_NAME_MAX)
		memset(session->name, '?', FTP_NAME_MAX);
	session->state = FTP_SESSION_PASSWORD;
	/* The same words for every name: it is not told here which exist. */
	ftp_step_reply(
		step, FTP_REPLY_NEED_PASSWORD, "Give the password; any will do for anonymous.");
}

void ftp_do_pass(struct ftp_step *step)
{
	struct ftp_session *session = step->session;
	if (session->state != FTP_SESSION_PASSWORD) {
		ftp_step_reply(step, FTP_REPLY_OUT_OF_ORDER, "USER comes before PASS.");
		return;
	}
	/* The log-in's time goes on: the edge is slow on purpose where somebody guesses. */
	uint64_t deadline_ns = session->deadline_ns;
	struct ftp_action *action = ftp_step_ask(step, FTP_PASS, FTP_ACTION_LOG_IN);
	session->deadline_ns = deadline_ns;
	size_t length = step->length < FTP_SECRET_MAX ? step->length : FTP_SECRET_MAX;
	char *secret = step->actions->space + step->actions->used;
	memcpy(secret, step->argument, length);
	secret[length] = '\0';
	step->actions->used += length + 1;
	action->text = secret;
	action->length = length;
}

void ftp_answer_pass(struct ftp_step *step, const struct ftp_event *event)
{
	struct ftp_session *session = step->session;
	if (event->outcome == FTP_OUTCOME_DONE) {
		session->rights = event->rights;
		ftp_step_ready(step);
		ftp_step_reply(step, FTP_REPLY_LOGGED_IN, "Logged in.");
		return;
	}
	session->state = FTP_SESSION_USER;
	session->name[0] = '\0';
	if (event->outcome != FTP_OUTCOME_WRONG) {
		ftp_step_reply(step, FTP_REPLY_CLOSING, "No log-in can be had now; closing.");
		ftp_step_close(step);
	} else if (++session->login_failures < FTP_LOGIN_FAILURES) {
		ftp_step_outcome(step, FTP_PASS, event->outcome);
	} else {
		ftp_step_reply(step, FTP_REPLY_CLOSING, "Too many wrong log-ins; closing.");
		ftp_step_close(step);
	}
}

void ftp_do_rein(struct ftp_step *step)
{
	if (step->session->secure) {
		ftp_step_reply(step, FTP_REPLY_NOT_DONE, "Not inside TLS: connect anew.");
		return;
	}
	log_out(step);
	ftp_step_reply(step, FTP_REPLY_READY, "Service ready for a new user.");
}

void ftp_do_quit(struct ftp_step *step)
{
	ftp_step_reply(step, FTP_REPLY_GOODBYE, "Goodbye.");
	ftp_step_close(step);
}

/* RFC 4217 section 4: the reply goes out in clear, and whatever came behind the line is void. */
void ftp_do_auth(struct ftp_step *step)
{
	struct ftp_session *session = step->session;
	if (!session->settings->tls) {
		ftp_step_reply(step, FTP_REPLY_NOT_DONE, "There is no TLS here.");
	} else if (session->secure) {
		ftp_step_reply(step, FTP_REPLY_OUT_OF_ORDER, "TLS is there already.");
	} else if (ftp_step_argument_is(step, "TLS") || ftp_step_argument_is(step, "TLS-C")) {
		log_out(step);
		session->secure = true;
		session->sized = session->protect = false;
		ftp_step_reply(step, FTP_REPLY_SECURITY_GOES_ON, "Begin the TLS handshake.");
		ftp_step_act(step, FTP_ACTION_START_TLS);
	} else {
		ftp_step_reply(step, FTP_REPLY_NOT_FOR_PARAMETER, "Only AUTH TLS is done here.");
	}
}

/* Of TLS there is no buffer to agree on: RFC 4217 section 8. */
void ftp_do_pbsz(struct ftp_step *step)
{
	uint64_t size;
	if (!step->session->secure) {
		ftp_step_reply(step, FTP_REPLY_OUT_OF_ORDER, "AUTH comes before PBSZ.");
	} else if (!ftp_step_argument_number(step, &size) || size > UINT32_MAX) {
		ftp_step_reply(step, FTP_REPLY_BAD_ARGUMENT, "PBSZ wants a number of 32 bits.");
	} else {
		step->session->sized = true;
		ftp_step_reply(step, FTP_REPLY_OK, "PBSZ=0");
	}
}

void ftp_do_prot(struct ftp_step *step)
{
	static const char levels[] = "CSEP";
	struct ftp_session *session = step->session;
	char level = step->length == 1 ? (char)(step->argument[0] & ~0x20) : '\0';
	if (!session->sized)
		ftp_step_reply(step, FTP_REPLY_OUT_OF_ORDER, "AUTH and PBSZ come before PROT.");
	else if (!level || !strchr(levels, level))
		ftp_step_reply(step, FTP_REPLY_NOT_FOR_PARAMETER, "There is no such level.");
	else if (level == 'S' || level == 'E')
		ftp_step_reply(step, FTP_REPLY_LEVEL_UNKNOWN, "TLS knows C and P.");
	else if (level == 'C' && session->settings->tls_required)
		ftp_step_reply(step, FTP_REPLY_POLICY, "Data goes inside TLS here.");
	else {
		session->protect = level == 'P';
		ftp_step_reply(step, FTP_REPLY_OK,
			session->protect ? "Data connections go inside TLS."
					 : "Data connections go in clear text.");
	}
}
