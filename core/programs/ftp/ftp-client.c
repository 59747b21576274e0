/*
 * ftp-client: gets, puts and lists files over FTP, by one command of the command line, by a prompt
 * on a terminal, or by commands from standard input. The protocol is ftp/client, the connection
 * dialogue.h, a sequence of tasks talk.h; the report's own protocol is text_talk.h. CLIENT.md is
 * the manual.
 */
#include <errno.h>
#include <signal.h>

#include "base/cleanup.h"
#include "programs/ftp/talk.h"
#include "programs/ftp/talk_commands.h"
#include "programs/ftp/talk_input.h"
#include "programs/ftp/talk_prompt.h"
#include "programs/ftp/talk_settings.h"
#include "programs/ftp/text_talk.h"

static void run(struct talk *talk, const char *const *words, size_t count)
{
	if (count > 0)
		talk_command_run(talk, words, count, false);
	else if (talk_prompt_possible())
		talk_prompt(talk);
	else
		talk_input(talk);
}

/* HOST and perhaps a command. */
static int check_words(const char *const *words, size_t count, struct error *error)
{
	if (count == 0)
		return error_set(error, -EINVAL, "HOST[:PORT] is missing; --help shows the usage");
	if (count > 1 && !talk_command_find(words + 1, count - 1, error))
		return error->code;
	return 0;
}

int main(int argc, char **argv)
{
	static struct talk talk;
	CLEANUP(talk_settings_finish) struct talk_settings settings = TALK_SETTINGS_DEFAULT;
	struct error error;
	int at;
	if (options_read(&talk_program, argc, argv, &settings, &at, &error) < 0)
		return program_fail(&talk_program, EXIT_MISUSE, &error);
	const char *const *words = (const char *const *)argv + at;
	size_t count = (size_t)(argc - at);
	if (talk_settings_check(&settings, &error) < 0 ||
		(!settings.text && check_words(words, count, &error) < 0))
		return program_fail(&talk_program, EXIT_MISUSE, &error);
	int status = talk_settings_complete(&settings, &error);
	if (status < 0)
		return program_fail(
			&talk_program, status == -EINVAL ? EXIT_MISUSE : EXIT_SYSTEM, &error);
	signal(SIGPIPE, SIG_IGN);
	if (settings.text)
		return text_talk_run(&settings, words, count);
	if (talk_open(&talk, &settings, words[0]) == EXIT_DONE)
		run(&talk, words + 1, count - 1);
	talk_close(&talk);
	return talk.status;
}
