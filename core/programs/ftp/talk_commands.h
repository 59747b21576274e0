/*
 * The words of ftp-client: what each command takes and does. The same for the command line, for
 * standard input and for the prompt.
 */
#ifndef PROGRAMS_FTP_TALK_COMMANDS_H
#define PROGRAMS_FTP_TALK_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>

#include "programs/ftp/talk.h"

/* What a command's words are names of, for completion. */
enum talk_names { TALK_NAMES_NONE, TALK_NAMES_REMOTE, TALK_NAMES_LOCAL };

struct talk_command {
	const char *name;
	const char *usage; /* with the name */
	enum talk_names names;
	bool changes; /* something on the server, or where we are: a listing is old then */
	size_t least, most; /* words behind the name */
	void (*run)(struct talk *talk, const struct talk_command *command, const char *const *words,
		size_t count);
	enum ftp_verb verb; /* of a command that is nothing but its reply */
};

/* Row `index` of the table, NULL behind its end. */
const struct talk_command *talk_command_at(size_t index);

/* The command of a line's words, with as many as it takes; NULL with a sentence. */
const struct talk_command *talk_command_find(
	const char *const *words, size_t count, struct error *error);

enum talk_after { TALK_GOES_ON, TALK_LEAVES };

/*
 * Do one line's words. files_too: a single word that is no command is a file to get, as it is at
 * the prompt. Failures are told and counted.
 */
enum talk_after talk_command_run(
	struct talk *talk, const char *const *words, size_t count, bool files_too);

#endif
