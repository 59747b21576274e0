#include "programs/ftp/talk_input.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "programs/ftp/talk_commands.h"

enum { COMMAND_LINE_MAX = 8192 };

static enum talk_after run_line(struct talk *talk, const char *line)
{
	struct words words;
	struct error error;
	if (line[strspn(line, " \t\r")] == '\0')
		return TALK_GOES_ON;
	if (text_split_words(line, &words, &error) < 0) {
		talk_fail(talk, EXIT_MISUSE, "%s", error.text);
		return TALK_GOES_ON;
	}
	enum talk_after after =
		talk_command_run(talk, (const char *const *)words.list, words.count, false);
	free(words.list);
	return after;
}

char *talk_input_line(struct text *typed, bool ended)
{
	const char *end = typed->length ? memchr(typed->bytes, '\n', typed->length) : NULL;
	if (!end && !(ended && typed->length > 0))
		return NULL;
	size_t length = end ? (size_t)(end - typed->bytes) : typed->length;
	size_t left = typed->length - length - (end ? 1 : 0);
	char *line = strndup(typed->bytes, length);
	memmove(typed->bytes, typed->bytes + typed->length - left, left);
	typed->length = left;
	return line;
}

/* Read some more; false where there is no more. */
static bool read_more(struct talk *talk, struct text *typed)
{
	char bytes[4096];
	if (!talk_wait_input(talk, STDIN_FILENO))
		return false;
	ssize_t got = read(STDIN_FILENO, bytes, sizeof(bytes));
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (got <= 0)
		return false;
	text_append_bytes(typed, bytes, (size_t)got);
	if (!typed->failed && typed->length <= COMMAND_LINE_MAX)
		return true;
	talk_fail(talk, EXIT_MISUSE, "the command line is too long");
	text_clear(typed);
	return false;
}

void talk_input(struct talk *talk)
{
	CLEANUP(text_finish) struct text typed = {0};
	enum talk_after after = TALK_GOES_ON;
	bool ended = false, terminal = isatty(STDIN_FILENO);
	while (after == TALK_GOES_ON && talk_is_open(talk)) {
		CLEANUP(free_pointer) char *line = talk_input_line(&typed, ended);
		if (line) {
			after = run_line(talk, line);
			continue;
		}
		if (ended)
			break;
		if (terminal)
			fputs("ftp> ", stderr);
		ended = !read_more(talk, &typed);
	}
}
