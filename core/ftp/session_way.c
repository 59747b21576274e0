/* The way of the data connection, and what goes on there: PORT EPRT PASV EPSV ABOR STAT. */
#include <sys/stat.h>

#include "ftp/session_step.h"

static void step_aim(struct ftp_step *step, const struct endpoint *target)
{
	struct ftp_session *session = step->session;
	/* To the client itself and to no service: else we were a tool for attacks (RFC 2577). */
	if (!endpoint_same_host(target, &session->peer)) {
		ftp_step_reply(
			step, FTP_REPLY_BAD_ARGUMENT, "Only your own address is connected to.");
		return;
	}
	if (target->port < 1024) {
		ftp_step_reply(
			step, FTP_REPLY_BAD_ARGUMENT, "Ports below 1024 are not connected to.");
		return;
	}
	ftp_step_drop_data(step);
	session->data_mode = FTP_DATA_ACTIVE;
	session->target = *target;
	session->target.scope = session->peer.scope;
	ftp_step_reply(step, FTP_REPLY_OK, "OK.");
}

/* After EPSV ALL every other way is refused (RFC 2428 section 4). */
static bool step_epsv_only(struct ftp_step *step)
{
	if (step->session->epsv_only)
		ftp_step_reply(step, FTP_REPLY_BAD_ARGUMENT, "After EPSV ALL only EPSV is taken.");
	return step->session->epsv_only;
}

void ftp_do_port(struct ftp_step *step)
{
	struct endpoint target;
	if (step_epsv_only(step))
		return;
	if (ftp_port_parse(step->argument, step->length, &target))
		step_aim(step, &target);
	else
		ftp_step_reply(step, FTP_REPLY_BAD_ARGUMENT, "PORT wants h1,h2,h3,h4,p1,p2.");
}

void ftp_do_eprt(struct ftp_step *step)
{
	struct endpoint target;
	if (step_epsv_only(step))
		return;
	switch (ftp_eprt_parse(step->argument, step->length, &target)) {
	case FTP_EPRT_GOOD:
		step_aim(step, &target);
		break;
	case FTP_EPRT_FAMILY:
		ftp_step_reply(
			step, FTP_REPLY_BAD_FAMILY, "Network protocol not supported, use (1,2)");
		break;
	case FTP_EPRT_MALFORMED:
		ftp_step_reply(step, FTP_REPLY_BAD_ARGUMENT, "EPRT wants |family|address|port|.");
		break;
	}
}

void ftp_do_pasv(struct ftp_step *step)
{
	if (step_epsv_only(step))
		return;
	if (step->session->peer.family == ENDPOINT_IPV4)
		ftp_step_ask(step, FTP_PASV, FTP_ACTION_LISTEN);
	else
		ftp_step_reply(step, FTP_REPLY_NO_DATA_CONNECTION, "PASV is for IPv4; use EPSV.");
}

void ftp_do_epsv(struct ftp_step *step)
{
	static const char digits[] = "012";
	struct ftp_session *session = step->session;
	if (ftp_step_argument_is(step, "ALL")) {
		session->epsv_only = true;
		ftp_step_reply(step, FTP_REPLY_OK, "Only EPSV from now on.");
		return;
	}
	bool number = step->length == 1 && step->argument[0] >= '0' && step->argument[0] <= '9';
	if (step->length > 0 && !number) {
		ftp_step_reply(step, FTP_REPLY_BAD_ARGUMENT, "EPSV wants nothing, 1, 2 or ALL.");
		return;
	}
	/*
	 * A data connection of the other family would have no address we know to be the client's.
	 */
	char family = digits[session->peer.family];
	if (number && step->argument[0] != family) {
		ftp_step_send(step, "%d Network protocol not supported, use (%c)\r\n",
			FTP_REPLY_BAD_FAMILY, family);
		return;
	}
	ftp_step_ask(step, FTP_EPSV, FTP_ACTION_LISTEN);
}

void ftp_answer_listen(struct ftp_step *step, const struct ftp_event *event)
{
	struct ftp_session *session = step->session;
	char port[FTP_PORT_TEXT_SIZE];
	ftp_step_ready(step);
	session->data_mode = FTP_DATA_NONE;
	if (event->outcome != FTP_OUTCOME_DONE) {
		ftp_step_outcome(step, session->asked, FTP_OUTCOME_NO_PORT);
		return;
	}
	session->data_mode = FTP_DATA_PASSIVE;
	if (session->asked == FTP_EPSV)
		ftp_step_send(step, "%d Entering Extended Passive Mode (|||%u|)\r\n",
			FTP_REPLY_EXTENDED_PASSIVE, (unsigned)event->local.port);
	else
		ftp_step_send(step, "%d Entering Passive Mode (%s)\r\n", FTP_REPLY_PASSIVE,
			ftp_port_format(&event->local, port));
}

/* RFC 959 section 4.1.3: 426 for the transfer that ends and 226 for ABOR itself. */
void ftp_do_abor(struct ftp_step *step)
{
	bool moving = step->session->state == FTP_SESSION_TRANSFER;
	ftp_step_drop_data(step);
	if (moving)
		ftp_step_reply(step, FTP_REPLY_TRANSFER_ABORTED, "Transfer aborted.");
	ftp_step_reply(step, FTP_REPLY_TRANSFER_DONE, moving ? "ABOR done." : "Nothing to abort.");
	ftp_step_ready(step);
}

static void status_of_transfer(struct ftp_step *step)
{
	ftp_step_send(step, "%d %s: %llu bytes moved so far.\r\n", FTP_REPLY_FEATURES,
		ftp_verb_name(step->session->asked), (unsigned long long)step->moved_bytes);
}

static void status_of_server(struct ftp_step *step)
{
	const struct ftp_session *session = step->session;
	ftp_step_send(step,
		"%d-Status:\r\n Connected from %s\r\n Logged in as %s\r\n"
		" TYPE %s, STRU F, MODE S\r\n Control connection %s, data connections %s\r\n"
		"%d End.\r\n",
		FTP_REPLY_FEATURES, ENDPOINT_TEXT(&session->peer),
		ftp_name_is_anonymous(session->name) ? "anonymous" : "a user",
		session->type == FTP_TYPE_ASCII ? "A N" : "I",
		session->secure ? "in TLS" : "in clear text",
		session->protect ? "in TLS" : "in clear text", FTP_REPLY_FEATURES);
}

/* RFC 959 section 4.1.3: of a transfer, of the server, or of a path as LIST shows it. */
void ftp_do_stat(struct ftp_step *step)
{
	if (step->session->state == FTP_SESSION_TRANSFER)
		status_of_transfer(step);
	else if (step->length == 0)
		status_of_server(step);
	else if (!(step->session->rights & FTP_MAY_READ)) /* that would be LIST by another name */
		ftp_step_outcome(step, FTP_STAT, FTP_OUTCOME_DENIED);
	else if (ftp_step_resolve(step, step->argument, step->length))
		ftp_step_ask(step, FTP_STAT, FTP_ACTION_ASK_LISTING);
}

void ftp_answer_stat(struct ftp_step *step, const struct ftp_event *event)
{
	ftp_step_ready(step);
	if (event->outcome != FTP_OUTCOME_DONE) {
		ftp_step_outcome(step, FTP_STAT, event->outcome);
		return;
	}
	unsigned code =
		S_ISDIR(event->entry.mode) ? FTP_REPLY_DIRECTORY_STATUS : FTP_REPLY_FILE_STATUS;
	ftp_step_send(step, "%u-Status:\r\n", code);
	struct ftp_action *lines = ftp_step_act(step, FTP_ACTION_REPLY);
	lines->text = event->text;
	lines->length = event->length;
	ftp_step_send(step, "%u End.\r\n", code);
}
