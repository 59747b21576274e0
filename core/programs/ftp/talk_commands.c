#include "programs/ftp/talk_commands.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "programs/ftp/talk_get.h"
#include "programs/ftp/talk_listing.h"
#include "programs/ftp/talk_put.h"
#include "programs/ftp/talk_request.h"

enum { WORDS_MOST = 100000 };

/* --- get and put --- */

static void get_one(struct talk *talk, const struct talk_request *request, const char *remote)
{
	struct error error;
	CLEANUP(free_pointer) char *local = talk_request_target(request, remote, &error);
	if (!local)
		talk_fail(talk, EXIT_MISUSE, "%s", error.text);
	else
		(request->recursive ? talk_get_tree : talk_get)(
			talk, remote, local, request->resume);
}

/* The name on the server; the caller's. NULL with a sentence. */
static char *remote_target(
	const struct talk_request *request, const char *local, struct error *error)
{
	const char *output = request->output;
	CLEANUP(free_pointer) char *name = talk_last_name(local);
	if (!name) {
		error_set(error, -ENOMEM, "out of memory");
		return NULL;
	}
	bool here = strcmp(name, ".") == 0 && request->recursive;
	bool into = output && *output && (output[strlen(output) - 1] == '/' || request->count > 1);
	if (output && (here || !into))
		return strdup(output);
	if (here)
		return strdup("");
	if (!*name || strcmp(local, "-") == 0 || strcmp(name, "..") == 0) {
		error_set(error, -EINVAL, "'%s' names no file: say what it is to be there", local);
		return NULL;
	}
	return into ? talk_remote_join(output, name) : strdup(name);
}

static void put_one(struct talk *talk, const struct talk_request *request, const char *local)
{
	struct error error;
	CLEANUP(free_pointer) char *remote = remote_target(request, local, &error);
	bool tree = request->recursive && strcmp(local, "-") != 0;
	if (!remote)
		talk_fail(talk, EXIT_MISUSE, "%s", error.text);
	else
		(tree ? talk_put_tree : talk_put)(talk, local, remote, request->resume);
}

/* get and put: the words taken apart, then file after file. */
static void run_files(struct talk *talk, const struct talk_command *command,
	const char *const *words, size_t count)
{
	struct error error;
	bool gets = command->verb == FTP_RETR;
	struct talk_request request = {.usage = command->usage, .resume = talk->settings->resume};
	CLEANUP(free_pointer) const char **names = calloc(count, sizeof(*names));
	const char *wrong = NULL;
	if (!names)
		wrong = "out of memory";
	else if (talk_request_read(&request, words, count, names, &error) < 0)
		wrong = error.text;
	else if (request.resume && talk->settings->ascii)
		wrong = "--resume counts bytes, so it does not go with --ascii";
	else if (gets)
		wrong = talk_request_slip(&request);
	if (wrong)
		talk_fail(talk, EXIT_MISUSE, "%s", wrong);
	for (size_t i = 0; !wrong && i < request.count && talk_is_open(talk); i++)
		(gets ? get_one : put_one)(talk, &request, names[i]);
}

/* --- ls --- */

/* On a terminal nothing of it may be obeyed, so it is read whole first. */
static void print_clean(struct talk *talk, int fd)
{
	struct stat status;
	if (fstat(fd, &status) < 0 || status.st_size == 0)
		return;
	size_t length = (size_t)status.st_size;
	char *bytes = mmap(NULL, length, PROT_READ, MAP_PRIVATE, fd, 0);
	CLEANUP(free_pointer)
	char *clean = bytes == MAP_FAILED ? NULL : text_sanitize(bytes, length);
	if (bytes != MAP_FAILED)
		munmap(bytes, length);
	if (!clean)
		talk_fail(talk, EXIT_SYSTEM, "out of memory");
	else
		fputs(clean, stdout);
	fflush(stdout);
}

static void run_ls(struct talk *talk, const struct talk_command *command, const char *const *words,
	size_t count)
{
	struct stat status;
	bool terminal = isatty(STDOUT_FILENO);
	CLEANUP(close_fd) int memory = terminal ? memfd_create("listing", MFD_CLOEXEC) : -1;
	struct dialogue_task task = {
		.verb = command->verb,
		.remote = count > 1 ? words[1] : NULL,
		.file = terminal ? memory : STDOUT_FILENO,
		.file_name = terminal ? "the listing" : "standard output",
		.file_waits =
			!terminal && fstat(STDOUT_FILENO, &status) == 0 && !S_ISREG(status.st_mode),
		.limit_bytes = terminal ? TALK_LISTING_BYTES : 0,
	};
	if (talk_do(talk, &task, NULL) == FTP_CLIENT_DONE && terminal)
		print_clean(talk, memory);
}

/* --- the rest --- */

/* With --quiet the answer is still what was asked for. */
static void run_simple(struct talk *talk, const struct talk_command *command,
	const char *const *words, size_t count)
{
	struct dialogue_task task = {
		.verb = command->verb,
		.remote = count > 1 ? words[1] : NULL,
		.second = count > 2 ? words[2] : NULL,
		.file = -1,
	};
	bool answer = command->verb == FTP_SIZE || command->verb == FTP_PWD;
	bool done = talk_do(talk, &task, NULL) == FTP_CLIENT_DONE;
	if (!done || !answer || !talk->settings->quiet)
		return;
	CLEANUP(free_pointer) char *path = talk_quoted_path(talk->dialogue.reply);
	const char *told = path ? path : talk->dialogue.reply;
	CLEANUP(free_pointer) char *clean = text_sanitize(told, strlen(told));
	printf("%s\n", clean ? clean : "?");
	fflush(stdout);
}

static void run_help(struct talk *talk, const struct talk_command *command,
	const char *const *words, size_t count)
{
	(void)command;
	(void)words;
	(void)count;
	talk_clear(talk);
	for (size_t i = 0; talk_command_at(i); i++)
		if (talk_command_at(i)->usage)
			fprintf(stderr, "%s\n", talk_command_at(i)->usage);
}

#define NONE   TALK_NAMES_NONE
#define REMOTE TALK_NAMES_REMOTE
#define LOCAL  TALK_NAMES_LOCAL

/* A command without `run` leaves; one without `usage` is another's second name. */
static const struct talk_command commands[] = {
	{"get", "get REMOTE [LOCAL], get [-r] [--resume] [-o LOCAL|-] REMOTE...", REMOTE, false, 1,
		WORDS_MOST, run_files, FTP_RETR},
	{"mget", "mget [-r] [--resume] [-o FOLDER|-] REMOTE...", REMOTE, false, 1, WORDS_MOST,
		run_files, FTP_RETR},
	{"put", "put LOCAL [REMOTE], put [-r] [--resume] [-o REMOTE] LOCAL|-...", LOCAL, true, 1,
		WORDS_MOST, run_files, FTP_STOR},
	{"mput", "mput [-r] [--resume] [-o FOLDER/] LOCAL...", LOCAL, true, 1, WORDS_MOST,
		run_files, FTP_STOR},
	{"ls", "ls [PATH]", REMOTE, false, 0, 1, run_ls, FTP_LIST},
	{"cd", "cd PATH", REMOTE, true, 1, 1, run_simple, FTP_CWD},
	{"pwd", "pwd", NONE, false, 0, 0, run_simple, FTP_PWD},
	{"size", "size PATH", REMOTE, false, 1, 1, run_simple, FTP_SIZE},
	{"mkdir", "mkdir PATH", REMOTE, true, 1, 1, run_simple, FTP_MKD},
	{"rmdir", "rmdir PATH", REMOTE, true, 1, 1, run_simple, FTP_RMD},
	{"rm", "rm PATH", REMOTE, true, 1, 1, run_simple, FTP_DELE},
	{"mv", "mv PATH NEW, rename PATH NEW", REMOTE, true, 2, 2, run_simple, FTP_RNFR},
	{"rename", NULL, REMOTE, true, 2, 2, run_simple, FTP_RNFR},
	{"help", "help", NONE, false, 0, 0, run_help, FTP_HELP},
	{"quit", "quit, end", NONE, false, 0, 0, NULL, FTP_QUIT},
	{"end", NULL, NONE, false, 0, 0, NULL, FTP_QUIT},
	{"exit", NULL, NONE, false, 0, 0, NULL, FTP_QUIT},
	{"bye", NULL, NONE, false, 0, 0, NULL, FTP_QUIT},
};

const struct talk_command *talk_command_at(size_t index)
{
	return index < ARRAY_LENGTH(commands) ? &commands[index] : NULL;
}

const struct talk_command *talk_command_find(
	const char *const *words, size_t count, struct error *error)
{
	const char *names[ARRAY_LENGTH(commands)];
	for (size_t i = 0; i < ARRAY_LENGTH(commands); i++) {
		const struct talk_command *command = &commands[i];
		names[i] = command->name;
		if (strcmp(command->name, words[0]) != 0)
			continue;
		if (count - 1 >= command->least && count - 1 <= command->most)
			return command;
		error_set(error, -EINVAL, "usage: %s",
			command->usage ? command->usage : command->name);
		return NULL;
	}
	const char *nearest = text_nearest(words[0], names, ARRAY_LENGTH(names));
	error_set(error, -ENOENT, "unknown command '%s'%s%s%s", words[0],
		nearest ? "; did you mean '" : "; help lists the known ones",
		nearest ? nearest : "", nearest ? "'?" : "");
	return NULL;
}

/* A bare name: the file of that name, or else a slip. */
static void run_bare(struct talk *talk, const char *name, const char *slip)
{
	CLEANUP(free_pointer) char *local = talk_last_name(name);
	bool done = local && *local && talk_get(talk, name, local, talk->settings->resume);
	if (!done && talk_is_open(talk))
		talk_note(talk, "%s", slip);
}

enum talk_after talk_command_run(
	struct talk *talk, const char *const *words, size_t count, bool files_too)
{
	struct error error;
	const struct talk_command *command = talk_command_find(words, count, &error);
	if (!command && files_too && count == 1 && error.code == -ENOENT)
		run_bare(talk, words[0], error.text);
	else if (!command)
		talk_fail(talk, EXIT_MISUSE, "%s", error.text);
	else if (!command->run)
		return TALK_LEAVES;
	else
		command->run(talk, command, words, count);
	return TALK_GOES_ON;
}
