#include "programs/ftp/talk_prompt.h"

#include <dirent.h>
#include <errno.h>
#include <histedit.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>

#include "base/cleanup.h"
#include "programs/ftp/talk_commands.h"
#include "programs/ftp/talk_complete.h"
#include "programs/ftp/talk_listing.h"

enum { HISTORY_LINES = 500, LINE_BYTES_MAX = 8192 };

/* What prompt_character() makes of a Ctrl-C, which comes as a signal. */
#define INTERRUPT L'\x03'

struct prompt {
	struct talk *talk;
	bool interrupted; /* Ctrl-C was the last that was typed */
	EditLine *edit;
	History *history;
	/* The last directory of the server that a name was completed in; directory NULL: none. */
	char *directory;
	struct talk_listing listing;
};

bool talk_prompt_possible(void)
{
	const char *terminal = getenv("TERM");
	return isatty(STDIN_FILENO) && isatty(STDERR_FILENO) && terminal &&
	       strcmp(terminal, "dumb") != 0;
}

static void forget_listing(struct prompt *prompt)
{
	free(TAKE(prompt->directory));
	talk_listing_finish(&prompt->listing);
}

/* --- what libedit asks for --- */

static struct prompt *prompt_of(EditLine *edit)
{
	void *data = NULL;
	el_get(edit, EL_CLIENTDATA, &data);
	return data;
}

static char *prompt_text(EditLine *edit)
{
	static char text[] = "ftp> ";
	(void)edit;
	return text;
}

/* One character of the terminal, while the connection is listened to as well. */
static int prompt_character(EditLine *edit, wchar_t *ret_character)
{
	struct prompt *prompt = prompt_of(edit);
	mbstate_t state = {0};
	for (unsigned i = 0; i < MB_LEN_MAX; i++) {
		char byte;
		if (!talk_wait_input(prompt->talk, STDIN_FILENO)) {
			*ret_character = INTERRUPT;
			return talk_take_interrupt(prompt->talk);
		}
		ssize_t got = read(STDIN_FILENO, &byte, 1);
		if (got <= 0)
			return got < 0 && errno == EINTR ? -1 : 0;
		size_t used = mbrtowc(ret_character, &byte, 1, &state);
		if (used != (size_t)-2 && used != (size_t)-1)
			return 1;
		if (used == (size_t)-1)
			state = (mbstate_t){0};
	}
	return 0;
}

/* --- completion --- */

static void complete_command(struct talk_matches *matches, const char *leaf)
{
	const struct talk_command *command;
	for (size_t i = 0; (command = talk_command_at(i)); i++)
		talk_matches_add(matches, leaf, command->name, false);
}

static void complete_local(struct talk_matches *matches, const struct talk_word *word)
{
	struct dirent *entry;
	struct stat status;
	DIR *directory = opendir(*word->directory ? word->directory : ".");
	while (directory && (entry = readdir(directory))) {
		const char *name = entry->d_name;
		bool dots = strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
		if (!dots && ftp_list_name_is_safe(name, strlen(name)))
			talk_matches_add(matches, word->leaf, name,
				fstatat(dirfd(directory), name, &status, 0) == 0 &&
					S_ISDIR(status.st_mode));
	}
	if (directory)
		closedir(directory);
}

static void complete_remote(
	struct prompt *prompt, struct talk_matches *matches, const struct talk_word *word)
{
	if (!prompt->directory || strcmp(prompt->directory, word->directory) != 0) {
		forget_listing(prompt);
		if (talk_listing_fetch(prompt->talk, word->directory, &prompt->listing) ==
			FTP_CLIENT_DONE)
			prompt->directory = strdup(word->directory);
	}
	for (size_t i = 0; i < prompt->listing.count; i++) {
		const struct talk_entry *entry = &prompt->listing.entries[i];
		if (entry->safe)
			talk_matches_add(matches, word->leaf, entry->name,
				entry->kind == FTP_ENTRY_DIRECTORY);
	}
}

static void find_matches(
	struct prompt *prompt, const struct talk_word *word, struct talk_matches *matches)
{
	const char *first = word->first;
	if (!*first) {
		complete_command(matches, word->leaf);
		/* A bare name is a file to get. */
		if (matches->count == 0)
			complete_remote(prompt, matches, word);
		return;
	}
	/* As many words as any command takes, so that only the name decides. */
	const struct talk_command *command = NULL;
	for (size_t i = 0; talk_command_at(i); i++)
		if (strcmp(talk_command_at(i)->name, first) == 0)
			command = talk_command_at(i);
	if (command && command->names == TALK_NAMES_LOCAL)
		complete_local(matches, word);
	else if (command && command->names == TALK_NAMES_REMOTE)
		complete_remote(prompt, matches, word);
}

static unsigned char prompt_complete(EditLine *edit, wint_t character)
{
	struct prompt *prompt = prompt_of(edit);
	const LineInfo *line = el_line(edit);
	struct talk_word word;
	CLEANUP(talk_matches_finish) struct talk_matches matches = {0};
	CLEANUP(text_finish) struct text insertion = {0};
	(void)character;
	if (!talk_word_read(line->buffer, (size_t)(line->cursor - line->buffer), &word))
		return CC_ERROR;
	find_matches(prompt, &word, &matches);
	talk_matches_insertion(&matches, word.leaf, &insertion);
	talk_word_finish(&word);
	if (insertion.length > 0)
		return el_insertstr(edit, text_view(&insertion)) < 0 ? CC_ERROR : CC_REFRESH;
	if (matches.count < 2)
		return CC_ERROR;
	fprintf(stderr, "\n%s\n", text_view(&matches.shown));
	return CC_REDISPLAY;
}

/* Ctrl-C clears the line; twice, it leaves, as Ctrl-D does. */
static unsigned char prompt_interrupt(EditLine *edit, wint_t character)
{
	struct prompt *prompt = prompt_of(edit);
	const LineInfo *line = el_line(edit);
	int behind = (int)(line->lastchar - line->cursor);
	bool empty = line->lastchar == line->buffer, again = prompt->interrupted && empty;
	(void)character;
	prompt->interrupted = true;
	fputs("^C\n", stderr);
	if (again)
		return CC_EOF;
	if (empty)
		fputs("once more, or Ctrl-D, leaves\n", stderr);
	el_cursor(edit, behind);
	el_deletestr(edit, (int)(line->lastchar - line->buffer));
	return CC_REDISPLAY;
}

/* --- the loop --- */

/* One line, as it came from libedit, with its end. */
static enum talk_after prompt_line(struct prompt *prompt, const char *typed, int length)
{
	struct words words;
	struct error error;
	HistEvent event;
	CLEANUP(free_pointer) char *line = strndup(typed, (size_t)length);
	if (!line || length > LINE_BYTES_MAX || line[strspn(line, " \t\r\n")] == '\0')
		return TALK_GOES_ON;
	history(prompt->history, &event, H_ENTER, line);
	line[strcspn(line, "\r\n")] = '\0';
	if (text_split_words(line, &words, &error) < 0) {
		talk_fail(prompt->talk, EXIT_MISUSE, "%s", error.text);
		return TALK_GOES_ON;
	}
	const char *const *list = (const char *const *)words.list;
	const struct talk_command *command = talk_command_find(list, words.count, &error);
	if (command && command->changes)
		forget_listing(prompt);
	enum talk_after after = talk_command_run(prompt->talk, list, words.count, true);
	free(words.list);
	return after;
}

static bool prompt_begin(struct prompt *prompt)
{
	HistEvent event;
	setlocale(LC_CTYPE, "");
	prompt->history = history_init();
	prompt->edit = el_init(talk_program.name, stdin, stderr, stderr);
	if (!prompt->edit || !prompt->history)
		return false;
	history(prompt->history, &event, H_SETSIZE, HISTORY_LINES);
	history(prompt->history, &event, H_SETUNIQUE, 1);
	el_set(prompt->edit, EL_CLIENTDATA, prompt);
	el_set(prompt->edit, EL_PROMPT, prompt_text);
	el_set(prompt->edit, EL_EDITOR, "emacs");
	el_set(prompt->edit, EL_HIST, history, prompt->history);
	el_set(prompt->edit, EL_GETCFN, prompt_character);
	/* Of narrow strings libedit would make wide ones that it never frees. */
	el_wset(prompt->edit, EL_ADDFN, L"complete", L"complete a name", prompt_complete);
	el_set(prompt->edit, EL_BIND, "^I", "complete", NULL);
	el_wset(prompt->edit, EL_ADDFN, L"interrupt", L"clear the line, or leave",
		prompt_interrupt);
	el_set(prompt->edit, EL_BIND, "^C", "interrupt", NULL);
	return true;
}

void talk_prompt(struct talk *talk)
{
	struct prompt prompt = {.talk = talk};
	enum talk_after after = TALK_GOES_ON;
	bool begun = prompt_begin(&prompt);
	while (begun && after == TALK_GOES_ON && talk_is_open(talk)) {
		int length = 0;
		talk->editing = true;
		/* el_gets() would do it behind the prompt, and the kernel makes a NUL of a Ctrl-D
		   that was typed before. */
		el_set(prompt.edit, EL_PREP_TERM, 1);
		const char *line = el_gets(prompt.edit, &length);
		talk->editing = false;
		if (!line || length <= 0)
			break;
		prompt.interrupted = false;
		after = prompt_line(&prompt, line, length);
		talk_take_interrupt(talk); /* it has ended the command, and no more than that */
	}
	if (!begun)
		talk_fail(talk, EXIT_SYSTEM, "the terminal cannot be edited on");
	forget_listing(&prompt);
	if (prompt.edit)
		el_end(prompt.edit);
	if (prompt.history)
		history_end(prompt.history);
}
