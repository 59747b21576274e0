/* How things are done, and what there is: TYPE STRU MODE ALLO REST OPTS LANG FEAT HELP SITE ... */
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "ftp/session_step.h"

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
		if (ftp_step_argument_is(step, list[i].value))
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

void ftp_do_type(struct ftp_step *step)
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

void ftp_do_stru(struct ftp_step *step)
{
	static const struct parameter structures[] = {
		{.value = "F", .done = true}, {.value = "R"}, {.value = "P"}};
	parameter_accept(step, parameter_find(step, structures, ARRAY_LENGTH(structures)));
}

void ftp_do_mode(struct ftp_step *step)
{
	static const struct parameter modes[] = {
		{.value = "S", .done = true}, {.value = "B"}, {.value = "C"}, {.value = "Z"}};
	parameter_accept(step, parameter_find(step, modes, ARRAY_LENGTH(modes)));
}

/* `ALLO size`, or `ALLO size R record-size`, of which we have none. */
void ftp_do_allo(struct ftp_step *step)
{
	struct ftp_step size = *step;
	const char *space = memchr(step->argument, ' ', step->length);
	if (space)
		size.length = (size_t)(space - step->argument);
	if (!ftp_step_argument_number(&size, &step->session->allocated_bytes)) {
		ftp_step_reply(step, FTP_REPLY_BAD_ARGUMENT, "ALLO wants a number of bytes.");
		return;
	}
	ftp_step_reply(step, FTP_REPLY_OK, "Noted; nothing need be allocated.");
}

/* RFC 3659 section 5: the place counts for the next transfer, and in TYPE A on the wire. */
void ftp_do_rest(struct ftp_step *step)
{
	struct ftp_session *session = step->session;
	if (!ftp_step_argument_number(step, &session->restart_bytes)) {
		ftp_step_reply(step, FTP_REPLY_BAD_ARGUMENT, "REST wants a number of bytes.");
		return;
	}
	ftp_step_send(step, "%d Restarting at %llu; now RETR, STOR or APPE.\r\n",
		FTP_REPLY_MORE_WANTED, (unsigned long long)session->restart_bytes);
}

static bool starts_with_word(const struct ftp_step *step, const char *word)
{
	size_t length = strlen(word);
	return step->length >= length && strncasecmp(step->argument, word, length) == 0 &&
	       (step->length == length || step->argument[length] == ' ');
}

/* RFC 3659 section 7.9: the reply tells what has come of it. */
static void opts_mlst(struct ftp_step *step)
{
	CLEANUP(text_finish) struct text names = {0};
	const char *argument = step->argument + strlen("MLST");
	size_t length = step->length - strlen("MLST");
	step->session->facts = ftp_facts_parse(argument, length);
	ftp_facts_append_names(&names, step->session->facts, false);
	ftp_step_send(step, "%d MLST OPTS%s%s\r\n", FTP_REPLY_OK, names.length ? " " : "",
		text_view(&names));
}

void ftp_do_opts(struct ftp_step *step)
{
	if (starts_with_word(step, "MLST"))
		opts_mlst(step);
	else if (ftp_step_argument_is(step, "UTF8 ON") || ftp_step_argument_is(step, "UTF8"))
		ftp_step_reply(step, FTP_REPLY_OK, "Names are UTF-8.");
	else if (starts_with_word(step, "UTF8"))
		ftp_step_reply(step, FTP_REPLY_NOT_FOR_PARAMETER, "Names stay UTF-8.");
	else
		ftp_step_reply(step, FTP_REPLY_BAD_ARGUMENT, "There is no such option.");
}

/* RFC 2640 section 4.1: without an argument, back to the language of the beginning. */
void ftp_do_lang(struct ftp_step *step)
{
	if (step->length == 0 || starts_with_word(step, "EN") || starts_with_word(step, "EN-US"))
		ftp_step_reply(step, FTP_REPLY_OK, "Replies are in English.");
	else
		ftp_step_reply(step, FTP_REPLY_NOT_FOR_PARAMETER, "Replies are in English alone.");
}

void ftp_do_feat(struct ftp_step *step)
{
	const struct ftp_session *session = step->session;
	CLEANUP(text_finish) struct text facts = {0};
	ftp_facts_append_names(&facts, session->facts, true);
	ftp_step_send(step,
		"%d-Features:\r\n%s CLNT\r\n EPRT\r\n EPSV\r\n LANG EN*\r\n MDTM\r\n MFMT\r\n MLST "
		"%s\r\n"
		" REST STREAM\r\n SIZE\r\n TVFS\r\n UTF8\r\n%d End.\r\n",
		FTP_REPLY_FEATURES, session->settings->tls ? " AUTH TLS\r\n PBSZ\r\n PROT\r\n" : "",
		text_view(&facts), FTP_REPLY_FEATURES);
}

static void help_verb(struct ftp_step *step, const struct ftp_verb_rule *rule)
{
	bool done = ftp_verb_handlers[rule->verb].run;
	ftp_step_send(step, "%d %s%s%s%s\r\n", FTP_REPLY_HELP, rule->name, *rule->syntax ? " " : "",
		rule->syntax, done ? "" : " (not done here)");
}

/* RFC 959 section 4.1.3; the verbs that are done, eight a line. */
void ftp_do_help(struct ftp_step *step)
{
	CLEANUP(text_finish) struct text verbs = {0};
	unsigned shown = 0;
	for (unsigned verb = FTP_UNKNOWN + 1; verb < FTP_OTHER; verb++) {
		const struct ftp_verb_rule *rule = ftp_verb_rule((enum ftp_verb)verb);
		if (ftp_step_argument_is(step, rule->name)) {
			help_verb(step, rule);
			return;
		}
		if (ftp_verb_handlers[verb].run)
			text_append(&verbs, " %-5s%s", rule->name, ++shown % 8 ? "" : "\r\n");
	}
	if (step->length > 0)
		ftp_step_reply(step, FTP_REPLY_BAD_ARGUMENT, "There is no such command.");
	else
		ftp_step_send(step,
			"%d-These commands are done:\r\n%s%s%d HELP COMMAND says more.\r\n",
			FTP_REPLY_HELP, text_view(&verbs), shown % 8 ? "\r\n" : "", FTP_REPLY_HELP);
}

void ftp_do_site(struct ftp_step *step)
{
	if (ftp_step_argument_is(step, "HELP"))
		ftp_step_reply(step, FTP_REPLY_HELP, "SITE HELP is all there is.");
	else
		ftp_step_reply(step, FTP_REPLY_NOT_FOR_PARAMETER, "SITE HELP is all there is.");
}

void ftp_do_syst(struct ftp_step *step)
{
	ftp_step_reply(step, FTP_REPLY_SYSTEM_NAME, "UNIX Type: L8");
}

void ftp_do_noop(struct ftp_step *step)
{
	ftp_step_reply(step, FTP_REPLY_OK, "OK.");
}

/* What program it is, for the log; many tell it unasked, and nothing hangs on it. */
void ftp_do_clnt(struct ftp_step *step)
{
	ftp_step_reply(step, FTP_REPLY_OK, "Noted.");
}
