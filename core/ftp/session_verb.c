/* What each verb does in a session: session.h has the whole, session_step.h the tools. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "ftp/input.h"
#include "ftp/reply.h"
#include "ftp/session_step.h"

/* Put a question about `asked_path` (may be NULL) to the edge. */
static struct ftp_action *step_ask(
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

/* Resolve the argument into asked_path; replies and returns false where that cannot be. */
static bool step_resolve(struct ftp_step *step, const char *name, size_t length)
{
	struct ftp_session *session = step->session;
	char path[FTP_PATH_SIZE];
	const char *directory = session->directory ? session->directory : "/";
	if (!ftp_path_resolve(directory, name, length, path)) {
		ftp_step_reply(step, FTP_REPLY_BAD_NAME, "The name is too long.");
		return false;
	}
	free(session->asked_path);
	session->asked_path = strdup(path);
	if (!session->asked_path)
		ftp_step_outcome(step, FTP_OUTCOME_LOCAL_ERROR);
	return session->asked_path;
}

static bool argument_is(const struct ftp_step *step, const char *word)
{
	return strlen(word) == step->length && strncasecmp(word, step->argument, step->length) == 0;
}

/* --- log-in --- */

static void do_user(struct ftp_step *step)
{
	struct ftp_session *session = step->session;
	session->anonymous = argument_is(step, "anonymous") || argument_is(step, "ftp");
	/* A new log-in ends the old one (RFC 959); its time is again limited. */
	if (session->state == FTP_SESSION_READY) {
		ftp_step_drop_data(step);
		free(TAKE(session->directory));
		session->type = FTP_TYPE_ASCII;
		session->deadline_ns = step->now_ns + FTP_LOGIN_SECONDS * NS_PER_SECOND;
	}
	session->state = FTP_SESSION_PASSWORD;
	/* The same words for every name: it is not told here which exist. */
	ftp_step_reply(
		step, FTP_REPLY_NEED_PASSWORD, "Give the password; any will do for anonymous.");
}

static void do_pass(struct ftp_step *step)
{
	struct ftp_session *session = step->session;
	if (session->state != FTP_SESSION_PASSWORD) {
		ftp_step_reply(step, FTP_REPLY_OUT_OF_ORDER, "USER comes before PASS.");
		return;
	}
	if (session->anonymous) {
		ftp_step_ready(step);
		ftp_step_reply(step, FTP_REPLY_LOGGED_IN, "Logged in.");
		return;
	}
	session->state = FTP_SESSION_USER;
	if (++session->login_failures < FTP_LOGIN_FAILURES) {
		ftp_step_reply(step, FTP_REPLY_NOT_LOGGED_IN, "Log-in incorrect.");
		return;
	}
	ftp_step_reply(step, FTP_REPLY_CLOSING, "Too many wrong log-ins; closing.");
	ftp_step_close(step);
}

static void do_quit(struct ftp_step *step)
{
	ftp_step_reply(step, FTP_REPLY_GOODBYE, "Goodbye.");
	ftp_step_close(step);
}

/* --- parameters --- */

/* A parameter's values: their reply, or what else they do. */
struct parameter {
	const char *value;
	bool done; /* else known, not done: 504 */
	enum ftp_type type; /* TYPE alone */
};

static const struct parameter *parameter_find(
	const struct ftp_step *step, const struct parameter *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (argument_is(step, list[i].value))
			return &list[i];
	return NULL;
}

static bool parameter_accept(struct ftp_step *step, const struct parameter *parameter)
{
	if (!parameter)
		ftp_step_reply(step, FTP_REPLY_BAD_ARGUMENT, "No such parameter.");
	else if (!parameter->done)
		ftp_step_reply(step, FTP_REPLY_NOT_FOR_PARAMETER, "Not done for this parameter.");
	else
		ftp_step_reply(step, FTP_REPLY_OK, "OK.");
	return parameter && parameter->done;
}

static void do_type(struct ftp_step *step)
{
	static const struct parameter types[] = {
		{"A", true, FTP_TYPE_ASCII},
		{"A N", true, FTP_TYPE_ASCII},
		{"I", true, FTP_TYPE_IMAGE},
		{"L 8", true, FTP_TYPE_IMAGE},
		{"A T", false, FTP_TYPE_ASCII},
		{"A C", false, FTP_TYPE_ASCII},
		{"E", false, FTP_TYPE_ASCII},
		{"E N", false, FTP_TYPE_ASCII},
		{"E T", false, FTP_TYPE_ASCII},
		{"E C", false, FTP_TYPE_ASCII},
		{"L 16", false, FTP_TYPE_IMAGE},
		{"L 32", false, FTP_TYPE_IMAGE},
		{"L 36", false, FTP_TYPE_IMAGE},
	};
	const struct parameter *found = parameter_find(step, types, ARRAY_LENGTH(types));
	if (parameter_accept(step, found))
		step->session->type = found->type;
}

static void do_stru(struct ftp_step *step)
{
	static const struct parameter structures[] = {
		{.value = "F", .done = true}, {.value = "R"}, {.value = "P"}};
	parameter_accept(step, parameter_find(step, structures, ARRAY_LENGTH(structures)));
}

static void do_mode(struct ftp_step *step)
{
	static const struct parameter modes[] = {
		{.value = "S", .done = true}, {.value = "B"}, {.value = "C"}, {.value = "Z"}};
	parameter_accept(step, parameter_find(step, modes, ARRAY_LENGTH(modes)));
}

/* --- the way of the data connection --- */

static void step_aim(struct ftp_step *step, const struct ftp_endpoint *target)
{
	struct ftp_session *session = step->session;
	/* To the client itself and to no service: else we were a tool for attacks (RFC 2577). */
	if (!ftp_endpoint_same_host(target, &session->peer)) {
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

static void do_port(struct ftp_step *step)
{
	struct ftp_endpoint target;
	if (step_epsv_only(step))
		return;
	if (ftp_port_parse(step->argument, step->length, &target))
		step_aim(step, &target);
	else
		ftp_step_reply(step, FTP_REPLY_BAD_ARGUMENT, "PORT wants h1,h2,h3,h4,p1,p2.");
}

static void do_eprt(struct ftp_step *step)
{
	struct ftp_endpoint target;
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

static void do_pasv(struct ftp_step *step)
{
	if (step_epsv_only(step))
		return;
	if (step->session->peer.family == FTP_IPV4)
		step_ask(step, FTP_PASV, FTP_ACTION_LISTEN);
	else
		ftp_step_reply(step, FTP_REPLY_NO_DATA_CONNECTION, "PASV is for IPv4; use EPSV.");
}

static void do_epsv(struct ftp_step *step)
{
	static const char digits[] = "012";
	struct ftp_session *session = step->session;
	if (argument_is(step, "ALL")) {
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
	step_ask(step, FTP_EPSV, FTP_ACTION_LISTEN);
}

static void answer_listen(struct ftp_step *step, const struct ftp_event *event)
{
	struct ftp_session *session = step->session;
	char port[FTP_PORT_TEXT_SIZE];
	ftp_step_ready(step);
	session->data_mode = FTP_DATA_NONE;
	if (event->outcome != FTP_OUTCOME_DONE) {
		ftp_step_outcome(step, FTP_OUTCOME_NO_PORT);
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

/* --- directories and sizes --- */

static void do_cwd(struct ftp_step *step)
{
	if (step_resolve(step, step->argument, step->length))
		step_ask(step, FTP_CWD, FTP_ACTION_CHECK_DIRECTORY);
}

static void do_cdup(struct ftp_step *step)
{
	if (step_resolve(step, "..", 2))
		step_ask(step, FTP_CDUP, FTP_ACTION_CHECK_DIRECTORY);
}

static void answer_cwd(struct ftp_step *step, const struct ftp_event *event)
{
	struct ftp_session *session = step->session;
	bool up = session->asked == FTP_CDUP;
	if (event->outcome == FTP_OUTCOME_DONE) {
		free(session->directory);
		session->directory = TAKE(session->asked_path);
		/* RFC 959 section 5.4: 200 for CDUP; 250 for CWD. */
		ftp_step_reply(step, up ? FTP_REPLY_OK : FTP_REPLY_FILE_DONE, "Directory changed.");
	} else {
		ftp_step_outcome(step, event->outcome);
	}
	ftp_step_ready(step);
}

/*
 * RFC 959 appendix II doubles quotes, RFC 854 the byte that begins Telnet codes; what could end or
 * forge a line becomes '?'.
 */
static void do_pwd(struct ftp_step *step)
{
	const char *directory = step->session->directory ? step->session->directory : "/";
	char quoted[2 * FTP_PATH_SIZE];
	size_t used = 0;
	for (const char *at = directory; *at && used + 2 < sizeof(quoted); at++) {
		bool control = (unsigned char)*at < 0x20 || *at == 0x7f;
		if (*at == '"' || (unsigned char)*at == FTP_INPUT_IAC)
			quoted[used++] = *at;
		quoted[used++] = control ? '?' : *at;
	}
	quoted[used] = '\0';
	ftp_step_send(step, "%d \"%s\" is the working directory.\r\n", FTP_REPLY_PATH, quoted);
}

static void do_size(struct ftp_step *step)
{
	if (step->session->type != FTP_TYPE_IMAGE)
		ftp_step_reply(step, FTP_REPLY_FILE_UNAVAILABLE, "SIZE is told in TYPE I only.");
	else if (step_resolve(step, step->argument, step->length))
		step_ask(step, FTP_SIZE, FTP_ACTION_ASK_SIZE);
}

static void answer_size(struct ftp_step *step, const struct ftp_event *event)
{
	if (event->outcome == FTP_OUTCOME_DONE)
		ftp_step_send(step, "%d %llu\r\n", FTP_REPLY_FILE_STATUS,
			(unsigned long long)event->size_bytes);
	else
		ftp_step_outcome(step, event->outcome);
	ftp_step_ready(step);
}

/* --- transfers --- */

static void step_open(struct ftp_step *step, enum ftp_verb verb, enum ftp_action_kind kind)
{
	if (step->session->data_mode == FTP_DATA_NONE)
		ftp_step_reply(
			step, FTP_REPLY_NO_DATA_CONNECTION, "PASV, EPSV, PORT or EPRT first.");
	else if (step_resolve(step, step->argument, step->length))
		step_ask(step, verb, kind)->names_only = verb == FTP_NLST;
}

static void do_retr(struct ftp_step *step)
{
	step_open(step, FTP_RETR, FTP_ACTION_OPEN_SOURCE);
}

static void do_stor(struct ftp_step *step)
{
	step_open(step, FTP_STOR, FTP_ACTION_OPEN_SINK);
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

static void do_list(struct ftp_step *step)
{
	skip_options(step);
	step_open(step, FTP_LIST, FTP_ACTION_OPEN_LISTING);
}

static void do_nlst(struct ftp_step *step)
{
	skip_options(step);
	step_open(step, FTP_NLST, FTP_ACTION_OPEN_LISTING);
}

static void answer_open(struct ftp_step *step, const struct ftp_event *event)
{
	struct ftp_session *session = step->session;
	if (event->outcome == FTP_OUTCOME_DONE) {
		session->state = FTP_SESSION_TRANSFER;
		session->deadline_ns = UINT64_MAX;
		ftp_step_reply(step, FTP_REPLY_DATA_OPENING, "Opening the data connection.");
		ftp_step_act(step, FTP_ACTION_START);
		return;
	}
	ftp_step_drop_data(step);
	ftp_step_outcome(step, event->outcome);
	ftp_step_ready(step);
}

/* RFC 959 section 4.1.3: 426 for the transfer that ends and 226 for ABOR itself. */
static void do_abor(struct ftp_step *step)
{
	bool moving = step->session->state == FTP_SESSION_TRANSFER;
	ftp_step_drop_data(step);
	if (moving)
		ftp_step_reply(step, FTP_REPLY_TRANSFER_ABORTED, "Transfer aborted.");
	ftp_step_reply(step, FTP_REPLY_TRANSFER_DONE, moving ? "ABOR done." : "Nothing to abort.");
	ftp_step_ready(step);
}

/* --- the rest --- */

static void do_syst(struct ftp_step *step)
{
	ftp_step_reply(step, FTP_REPLY_SYSTEM_NAME, "UNIX Type: L8");
}

static void do_noop(struct ftp_step *step)
{
	ftp_step_reply(step, FTP_REPLY_OK, "OK.");
}

static void do_feat(struct ftp_step *step)
{
	ftp_step_send(step, "%d-Features:\r\n EPRT\r\n EPSV\r\n SIZE\r\n%d End.\r\n",
		FTP_REPLY_FEATURES, FTP_REPLY_FEATURES);
}

/* What each verb does, and what its answer from the edge does; no handler: not done, 502. */
const struct ftp_verb_handler ftp_verb_handlers[FTP_VERB_COUNT] = {
	[FTP_USER] = {do_user, NULL},
	[FTP_PASS] = {do_pass, NULL},
	[FTP_QUIT] = {do_quit, NULL},
	[FTP_TYPE] = {do_type, NULL},
	[FTP_STRU] = {do_stru, NULL},
	[FTP_MODE] = {do_mode, NULL},
	[FTP_PORT] = {do_port, NULL},
	[FTP_EPRT] = {do_eprt, NULL},
	[FTP_PASV] = {do_pasv, answer_listen},
	[FTP_EPSV] = {do_epsv, answer_listen},
	[FTP_CWD] = {do_cwd, answer_cwd},
	[FTP_CDUP] = {do_cdup, answer_cwd},
	[FTP_PWD] = {do_pwd, NULL},
	[FTP_SIZE] = {do_size, answer_size},
	[FTP_RETR] = {do_retr, answer_open},
	[FTP_STOR] = {do_stor, answer_open},
	[FTP_LIST] = {do_list, answer_open},
	[FTP_NLST] = {do_nlst, answer_open},
	[FTP_ABOR] = {do_abor, NULL},
	[FTP_SYST] = {do_syst, NULL},
	[FTP_NOOP] = {do_noop, NULL},
	[FTP_FEAT] = {do_feat, NULL},
};
