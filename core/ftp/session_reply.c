/* What a step sends: replies, and which of them stands for what came of an action. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "ftp/session_step.h"

static const struct {
	enum ftp_reply_code code;
	const char *text;
} outcome_replies[FTP_OUTCOME_COUNT] = {
	[FTP_OUTCOME_DONE] = {FTP_REPLY_FILE_DONE, "Done."},
	[FTP_OUTCOME_NOT_FOUND] = {FTP_REPLY_FILE_UNAVAILABLE, "No such file or directory."},
	[FTP_OUTCOME_DENIED] = {FTP_REPLY_FILE_UNAVAILABLE, "Permission denied."},
	[FTP_OUTCOME_NOT_A_FILE] = {FTP_REPLY_FILE_UNAVAILABLE, "Not a plain file."},
	[FTP_OUTCOME_NOT_A_DIRECTORY] = {FTP_REPLY_FILE_UNAVAILABLE, "Not a directory."},
	[FTP_OUTCOME_BAD_NAME] = {FTP_REPLY_BAD_NAME, "There can be no such name."},
	[FTP_OUTCOME_NO_SPACE] = {FTP_REPLY_NO_SPACE, "No space left; nothing was stored."},
	[FTP_OUTCOME_LOCAL_ERROR] = {FTP_REPLY_LOCAL_ERROR, "Local error in processing."},
	[FTP_OUTCOME_NO_PORT] = {FTP_REPLY_NO_DATA_CONNECTION, "Cannot open a data port."},
	[FTP_OUTCOME_NOT_CONNECTED] = {FTP_REPLY_NO_DATA_CONNECTION,
		"Cannot open the data connection."},
	[FTP_OUTCOME_LOST] = {FTP_REPLY_TRANSFER_ABORTED, "Data connection lost; aborted."},
	[FTP_OUTCOME_STALLED] = {FTP_REPLY_TRANSFER_ABORTED, "Data connection stalled; aborted."},
	[FTP_OUTCOME_EXISTS] = {FTP_REPLY_FILE_UNAVAILABLE, "There is one already."},
	[FTP_OUTCOME_NOT_EMPTY] = {FTP_REPLY_FILE_UNAVAILABLE, "The directory is not empty."},
	[FTP_OUTCOME_BEYOND_END] = {FTP_REPLY_BAD_RESTART, "REST is behind the file's end."},
	[FTP_OUTCOME_TOO_LARGE] = {FTP_REPLY_LOCAL_ERROR, "Too long for a reply; use LIST."},
	[FTP_OUTCOME_NOT_PROTECTED] = {FTP_REPLY_NO_DATA_CONNECTION,
		"The data connection's TLS failed."},
	[FTP_OUTCOME_WRONG] = {FTP_REPLY_NOT_LOGGED_IN, "Log-in incorrect."},
	[FTP_OUTCOME_ABORTED] = {FTP_REPLY_TRANSFER_ABORTED, "Transfer aborted."},
	[FTP_OUTCOME_NAME_TOO_LONG] = {FTP_REPLY_BAD_NAME, "The name is too long."},
};

/*
 * RFC 959 section 5.4: 553 for the name that a file is to have, 450 for a look at directories, and
 * for every other verb 550, whatever is wrong with its name.
 */
static const struct {
	enum ftp_verb verb;
	enum ftp_reply_code unavailable, bad_name; /* instead of 550 and of 553 */
} codes_of_names[] = {
	{FTP_STOR, FTP_REPLY_BAD_NAME, FTP_REPLY_BAD_NAME},
	{FTP_STOU, FTP_REPLY_BAD_NAME, FTP_REPLY_BAD_NAME},
	{FTP_APPE, FTP_REPLY_FILE_UNAVAILABLE, FTP_REPLY_BAD_NAME},
	{FTP_RNTO, FTP_REPLY_BAD_NAME, FTP_REPLY_BAD_NAME},
	{FTP_LIST, FTP_REPLY_FILE_BUSY, FTP_REPLY_FILE_BUSY},
	{FTP_NLST, FTP_REPLY_FILE_BUSY, FTP_REPLY_FILE_BUSY},
	{FTP_STAT, FTP_REPLY_FILE_BUSY, FTP_REPLY_FILE_BUSY},
};

static enum ftp_reply_code code_of_name(enum ftp_verb verb, enum ftp_reply_code code)
{
	for (size_t i = 0; i < ARRAY_LENGTH(codes_of_names); i++)
		if (codes_of_names[i].verb == verb)
			return code == FTP_REPLY_BAD_NAME ? codes_of_names[i].bad_name
							  : codes_of_names[i].unavailable;
	return FTP_REPLY_FILE_UNAVAILABLE;
}

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

/* What stands behind the used part of the space, `length` bytes, is a reply. */
static void step_said(struct ftp_step *step, size_t length)
{
	struct ftp_actions *actions = step->actions;
	struct ftp_action *action = ftp_step_act(step, FTP_ACTION_REPLY);
	action->text = actions->space + actions->used;
	action->length = length;
	actions->used += length;
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
	if (length >= 0 && (size_t)length < left)
		step_said(step, (size_t)length);
}

void ftp_step_reply(struct ftp_step *step, enum ftp_reply_code code, const char *text)
{
	/* Every command has one of these or two: printf() would be a good part of its step. */
	enum { AROUND_BYTES = 6 }; /* "226 " and the line's end */
	struct ftp_actions *actions = step->actions;
	char *at = actions->space + actions->used;
	size_t length = strlen(text);
	if (sizeof(actions->space) - actions->used < length + AROUND_BYTES)
		return;
	*at++ = (char)('0' + code / 100);
	*at++ = (char)('0' + code / 10 % 10);
	*at++ = (char)('0' + code % 10);
	*at++ = ' ';
	memcpy(at, text, length);
	memcpy(at + length, "\r\n", 2);
	step_said(step, length + AROUND_BYTES);
}

void ftp_step_outcome(struct ftp_step *step, enum ftp_verb verb, enum ftp_outcome outcome)
{
	unsigned index = (unsigned)outcome < FTP_OUTCOME_COUNT ? outcome : FTP_OUTCOME_LOCAL_ERROR;
	enum ftp_reply_code code = outcome_replies[index].code;
	if (code == FTP_REPLY_FILE_UNAVAILABLE || code == FTP_REPLY_BAD_NAME)
		code = code_of_name(verb, code);
	/* RFC 3659 section 7.2.1. */
	if (verb == FTP_MLSD && outcome == FTP_OUTCOME_NOT_A_DIRECTORY)
		code = FTP_REPLY_BAD_ARGUMENT;
	ftp_step_reply(step, code, outcome_replies[index].text);
}

const char *ftp_step_printable(const char *name, char text[static FTP_PATH_SIZE])
{
	size_t used = 0;
	for (; name[used] && used + 1 < FTP_PATH_SIZE; used++) {
		bool control = (unsigned char)name[used] < 0x20 || name[used] == 0x7f;
		text[used] = control ? '?' : name[used];
	}
	text[used] = '\0';
	return text;
}

void ftp_step_reply_path(
	struct ftp_step *step, enum ftp_reply_code code, const char *path, const char *behind)
{
	char shown[FTP_PATH_SIZE], quoted[2 * FTP_PATH_SIZE];
	size_t used = 0;
	for (const char *at = ftp_step_printable(path, shown); *at; at++) {
		if (*at == '"')
			quoted[used++] = *at;
		quoted[used++] = *at;
	}
	quoted[used] = '\0';
	ftp_step_send(step, "%03u \"%s\" %s\r\n", (unsigned)code, quoted, behind);
}
