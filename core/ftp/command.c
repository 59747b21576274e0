#include "ftp/command.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "ftp/input.h"

#define NONE	 FTP_ARGUMENT_NONE
#define OPTIONAL FTP_ARGUMENT_OPTIONAL
#define REQUIRED FTP_ARGUMENT_REQUIRED

/* Indexed by verb. */
static const struct ftp_verb_rule rules[FTP_VERB_COUNT] = {
	/*               verb         name   syntax argument  secret before_login */
	[FTP_UNKNOWN] = {FTP_UNKNOWN, "?", "", OPTIONAL, true, true},
	[FTP_USER] = {FTP_USER, "USER", "name", REQUIRED, false, true},
	[FTP_PASS] = {FTP_PASS, "PASS", "password", OPTIONAL, true, true},
	[FTP_ACCT] = {FTP_ACCT, "ACCT", "account", REQUIRED, true, true},
	[FTP_CWD] = {FTP_CWD, "CWD", "path", REQUIRED, false, false},
	[FTP_CDUP] = {FTP_CDUP, "CDUP", "", NONE, false, false},
	[FTP_SMNT] = {FTP_SMNT, "SMNT", "path", REQUIRED, false, false},
	[FTP_REIN] = {FTP_REIN, "REIN", "", NONE, false, true},
	[FTP_QUIT] = {FTP_QUIT, "QUIT", "", NONE, false, true},
	[FTP_PORT] = {FTP_PORT, "PORT", "h1,h2,h3,h4,p1,p2", REQUIRED, false, false},
	[FTP_PASV] = {FTP_PASV, "PASV", "", NONE, false, false},
	[FTP_TYPE] = {FTP_TYPE, "TYPE", "A [N] | I | L 8", REQUIRED, false, false},
	[FTP_STRU] = {FTP_STRU, "STRU", "F", REQUIRED, false, false},
	[FTP_MODE] = {FTP_MODE, "MODE", "S", REQUIRED, false, false},
	[FTP_RETR] = {FTP_RETR, "RETR", "path", REQUIRED, false, false},
	[FTP_STOR] = {FTP_STOR, "STOR", "path", REQUIRED, false, false},
	[FTP_STOU] = {FTP_STOU, "STOU", "[name]", OPTIONAL, false, false},
	[FTP_APPE] = {FTP_APPE, "APPE", "path", REQUIRED, false, false},
	[FTP_ALLO] = {FTP_ALLO, "ALLO", "bytes [R bytes]", REQUIRED, false, false},
	[FTP_REST] = {FTP_REST, "REST", "bytes", REQUIRED, false, false},
	[FTP_RNFR] = {FTP_RNFR, "RNFR", "path", REQUIRED, false, false},
	[FTP_RNTO] = {FTP_RNTO, "RNTO", "path", REQUIRED, false, false},
	[FTP_ABOR] = {FTP_ABOR, "ABOR", "", NONE, false, false},
	[FTP_DELE] = {FTP_DELE, "DELE", "path", REQUIRED, false, false},
	[FTP_RMD] = {FTP_RMD, "RMD", "path", REQUIRED, false, false},
	[FTP_MKD] = {FTP_MKD, "MKD", "path", REQUIRED, false, false},
	[FTP_PWD] = {FTP_PWD, "PWD", "", NONE, false, false},
	[FTP_LIST] = {FTP_LIST, "LIST", "[path]", OPTIONAL, false, false},
	[FTP_NLST] = {FTP_NLST, "NLST", "[path]", OPTIONAL, false, false},
	[FTP_SITE] = {FTP_SITE, "SITE", "HELP", REQUIRED, false, false},
	[FTP_SYST] = {FTP_SYST, "SYST", "", NONE, false, true},
	[FTP_STAT] = {FTP_STAT, "STAT", "[path]", OPTIONAL, false, false},
	[FTP_HELP] = {FTP_HELP, "HELP", "[command]", OPTIONAL, false, true},
	[FTP_NOOP] = {FTP_NOOP, "NOOP", "", NONE, false, true},
	[FTP_AUTH] = {FTP_AUTH, "AUTH", "TLS", REQUIRED, false, true},
	[FTP_ADAT] = {FTP_ADAT, "ADAT", "data", REQUIRED, true, true},
	[FTP_PBSZ] = {FTP_PBSZ, "PBSZ", "0", REQUIRED, false, true},
	[FTP_PROT] = {FTP_PROT, "PROT", "C | P", REQUIRED, false, true},
	[FTP_CCC] = {FTP_CCC, "CCC", "", NONE, false, true},
	[FTP_MIC] = {FTP_MIC, "MIC", "data", REQUIRED, true, true},
	[FTP_CONF] = {FTP_CONF, "CONF", "data", REQUIRED, true, true},
	[FTP_ENC] = {FTP_ENC, "ENC", "data", REQUIRED, true, true},
	[FTP_FEAT] = {FTP_FEAT, "FEAT", "", NONE, false, true},
	[FTP_OPTS] = {FTP_OPTS, "OPTS", "MLST [facts] | UTF8 ON", REQUIRED, false, true},
	[FTP_EPRT] = {FTP_EPRT, "EPRT", "|family|address|port|", REQUIRED, false, false},
	[FTP_EPSV] = {FTP_EPSV, "EPSV", "[1 | 2 | ALL]", OPTIONAL, false, false},
	[FTP_LANG] = {FTP_LANG, "LANG", "[tag]", OPTIONAL, false, true},
	[FTP_SIZE] = {FTP_SIZE, "SIZE", "path", REQUIRED, false, false},
	[FTP_MDTM] = {FTP_MDTM, "MDTM", "path", REQUIRED, false, false},
	[FTP_MLST] = {FTP_MLST, "MLST", "[path]", OPTIONAL, false, false},
	[FTP_MLSD] = {FTP_MLSD, "MLSD", "[path]", OPTIONAL, false, false},
	[FTP_MFMT] = {FTP_MFMT, "MFMT", "YYYYMMDDHHMMSS path", REQUIRED, false, false},
	[FTP_HOST] = {FTP_HOST, "HOST", "name", REQUIRED, false, true},
	[FTP_CLNT] = {FTP_CLNT, "CLNT", "name", REQUIRED, false, true},
	[FTP_OTHER] = {FTP_OTHER, "-", "", OPTIONAL, false, true},
};

/*
 * The experimental names of RFC 775, which RFC 1123 section 4.1.3.1 asks servers to know; then what
 * is in no RFC that we do, but is asked for: RFC 1639, drafts, and the practice of other servers.
 */
static const struct {
	const char *name;
	enum ftp_verb verb;
} aliases[] = {
	{"XCUP", FTP_CDUP},
	{"XCWD", FTP_CWD},
	{"XMKD", FTP_MKD},
	{"XPWD", FTP_PWD},
	{"XRMD", FTP_RMD},
	{"ALGS", FTP_OTHER},
	{"AVBL", FTP_OTHER},
	{"COMB", FTP_OTHER},
	{"CPSV", FTP_OTHER},
	{"CSID", FTP_OTHER},
	{"DSIZ", FTP_OTHER},
	{"ESTA", FTP_OTHER},
	{"ESTP", FTP_OTHER},
	{"HASH", FTP_OTHER},
	{"LPRT", FTP_OTHER},
	{"LPSV", FTP_OTHER},
	{"MD5", FTP_OTHER},
	{"MFCT", FTP_OTHER},
	{"MFF", FTP_OTHER},
	{"RMDA", FTP_OTHER},
	{"SPSV", FTP_OTHER},
	{"SSCN", FTP_OTHER},
	{"THMB", FTP_OTHER},
	{"XCRC", FTP_OTHER},
	{"XMD5", FTP_OTHER},
	{"XSHA", FTP_OTHER},
	{"XSHA1", FTP_OTHER},
	{"XSHA256", FTP_OTHER},
	{"XSHA512", FTP_OTHER},
};

static bool is_word(const char *word, const char *name, size_t length)
{
	/* Most differ in their first letter: whether that is in upper or lower case is one bit. */
	return length > 0 && ((word[0] ^ name[0]) & ~0x20) == 0 && strlen(word) == length &&
	       strncasecmp(word, name, length) == 0;
}

static enum ftp_verb verb_find(const char *name, size_t length)
{
	for (size_t i = FTP_UNKNOWN + 1; i < FTP_OTHER; i++)
		if (is_word(rules[i].name, name, length))
			return rules[i].verb;
	for (size_t i = 0; i < ARRAY_LENGTH(aliases); i++)
		if (is_word(aliases[i].name, name, length))
			return aliases[i].verb;
	return FTP_UNKNOWN;
}

static bool is_blank(const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (bytes[i] != ' ' && bytes[i] != '\t')
			return false;
	return true;
}

enum ftp_command_fault ftp_command_parse(
	const char *line, size_t length, struct ftp_command *ret_command)
{
	length = ftp_input_trim(line, length);
	const char *space = length ? memchr(line, ' ', length) : NULL;
	size_t name_length = space ? (size_t)(space - line) : length;
	enum ftp_verb verb = verb_find(line, name_length);
	const struct ftp_verb_rule *rule = &rules[verb];
	struct ftp_command command = {.verb = verb, .secret = rule->secret, .argument = ""};
	if (space) {
		command.argument = space + 1;
		command.argument_length = length - name_length - 1;
	}
	/* Blanks behind `QUIT` are no argument; behind `RETR` they are a file's name. */
	if (rule->argument == FTP_ARGUMENT_NONE &&
		is_blank(command.argument, command.argument_length))
		command.argument_length = 0;
	*ret_command = command;

	if (length && memchr(line, '\0', length))
		return FTP_COMMAND_NUL;
	if (verb == FTP_UNKNOWN)
		return FTP_COMMAND_UNKNOWN;
	if (rule->argument == FTP_ARGUMENT_REQUIRED && command.argument_length == 0)
		return FTP_COMMAND_WANTS_ARGUMENT;
	if (rule->argument == FTP_ARGUMENT_NONE && command.argument_length > 0)
		return FTP_COMMAND_WANTS_NONE;
	return FTP_COMMAND_GOOD;
}

const struct ftp_verb_rule *ftp_verb_rule(enum ftp_verb verb)
{
	return &rules[verb < FTP_VERB_COUNT ? verb : FTP_UNKNOWN];
}

const char *ftp_verb_name(enum ftp_verb verb)
{
	return ftp_verb_rule(verb)->name;
}

char *ftp_command_describe(
	const struct ftp_command *command, const char *line, size_t length, char *text, size_t size)
{
	length = ftp_input_trim(line, length);
	size_t name_length = length - command->argument_length;
	bool hidden = command->secret && command->argument_length > 0;
	log_quote(line, hidden ? name_length : length, text, size);
	size_t used = strlen(text);
	if (hidden && used + 4 <= size)
		snprintf(text + used, size - used, "***");
	return text;
}
