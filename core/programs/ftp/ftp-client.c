/*
 * ftp-client: gets, puts and lists files over FTP, one command from the command line or several
 * from standard input. The protocol is ftp/client, the connection programs/ftp/dialogue; this file
 * reads options and commands, connects, and decides the exit status.
 *
 * What the server says goes to standard error as it comes, a listing to standard output.
 */
#include <errno.h>
#include <event2/event.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "programs/ftp/dialogue.h"
#include "programs/ftp/socket.h"
#include "programs/shared/options.h"

enum { CONNECT_MILLISECONDS = 30000, COMMAND_LINE_MAX = 8192 };

struct settings {
	char *user, *password;
	bool active, ascii;
	uint64_t wait_ns; /* 0: as long as it takes */
};

struct run {
	struct event_base *base;
	struct dialogue dialogue;
	const struct settings *settings;
	char **words; /* the one command of the command line, NULL: standard input's */
	size_t word_count;
	struct text typed; /* standard input, as far as it was read */
	bool input_ended, quitting, logged_in;
	struct event input_event, wait_event;
	int status; /* the first failure's exit status */
};

static int accept_text(char **setting, const struct option_value *value, struct error *error)
{
	if (strpbrk(value->text, "\r\n"))
		return error_set(error, -EINVAL, "--%s holds a line break", value->name);
	free(*setting);
	*setting = strdup(value->text);
	return *setting ? 0 : error_set(error, -ENOMEM, "out of memory");
}

static int accept_user(void *settings, const struct option_value *value, struct error *error)
{
	return accept_text(&((struct settings *)settings)->user, value, error);
}

static int accept_password(void *settings, const struct option_value *value, struct error *error)
{
	return accept_text(&((struct settings *)settings)->password, value, error);
}

static int accept_active(void *settings, const struct option_value *value, struct error *error)
{
	(void)value;
	(void)error;
	((struct settings *)settings)->active = true;
	return 0;
}

static int accept_ascii(void *settings, const struct option_value *value, struct error *error)
{
	(void)value;
	(void)error;
	((struct settings *)settings)->ascii = true;
	return 0;
}

static int accept_wait(void *settings, const struct option_value *value, struct error *error)
{
	uint64_t ns;
	if (!text_parse_seconds(value->text, &ns) || ns == 0)
		return error_set(
			error, -EINVAL, "--wait wants seconds, more than 0, not '%s'", value->text);
	((struct settings *)settings)->wait_ns = ns;
	return 0;
}

static const struct option options[] = {
	{"user", "NAME", "log in as NAME; default anonymous", accept_user},
	{"password", "TEXT", "with this password; default anonymous@", accept_password},
	{"active", NULL, "let the server connect to us (PORT, EPRT)", accept_active},
	{"ascii", NULL, "transfer files as text (TYPE A)", accept_ascii},
	{"wait", "SECONDS", "give up when not served by then; default never", accept_wait},
};

static const struct program program = {
	.name = "ftp-client",
	.synopsis = "[OPTION...] HOST[:PORT] [get REMOTE [LOCAL] | put LOCAL [REMOTE] | ls [PATH]]",
	.purpose = "Gets, puts and lists files over FTP. Without a command it reads commands from "
		   "standard\ninput, one a line: get put ls cd pwd size quit help. An IPv6 address "
		   "is written [ADDR].",
	.options = options,
	.option_count = ARRAY_LENGTH(options),
	.exit_status = "0 done, 2 misuse, 3 the system refused, 5 the other side refused",
};

/* --- commands --- */

static const struct command {
	const char *name;
	enum ftp_verb verb;
	size_t least, most; /* words behind the name */
	const char *usage;
} commands[] = {
	{"get", FTP_RETR, 1, 2, "get REMOTE [LOCAL]"},
	{"put", FTP_STOR, 1, 2, "put LOCAL [REMOTE]"},
	{"ls", FTP_LIST, 0, 1, "ls [PATH]"},
	{"cd", FTP_CWD, 1, 1, "cd PATH"},
	{"pwd", FTP_PWD, 0, 0, "pwd"},
	{"size", FTP_SIZE, 1, 1, "size PATH"},
	{"quit", FTP_QUIT, 0, 0, "quit"},
	{"help", FTP_HELP, 0, 0, "help"},
};

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static const struct command *command_find(
	const char *const *words, size_t count, struct error *error)
{
	const char *names[ARRAY_LENGTH(commands)];
	for (size_t i = 0; i < ARRAY_LENGTH(commands); i++) {
		const struct command *command = &commands[i];
		names[i] = command->name;
		if (strcmp(command->name, words[0]) != 0)
			continue;
		if (count - 1 >= command->least && count - 1 <= command->most)
			return command;
		error_set(error, -EINVAL, "usage: %s", command->usage);
		return NULL;
	}
	const char *nearest = text_nearest(words[0], names, ARRAY_LENGTH(names));
	error_set(error, -EINVAL, "unknown command '%s'%s%s%s", words[0],
		nearest ? "; did you mean '" : "; help lists the known ones",
		nearest ? nearest : "", nearest ? "'?" : "");
	return NULL;
}

/* The words as a task; its strings are the caller's. */
static int command_task(const struct command *command, const char *const *words, size_t count,
	struct dialogue_task *ret_task, struct error *error)
{
	bool put = command->verb == FTP_STOR;
	bool file = put || command->verb == FTP_RETR;
	const char *first = count > 1 ? words[1] : NULL;
	const char *second = count > 2 ? words[2] : first ? base_name(first) : NULL;
	const char *remote = put ? second : first;
	const char *local = put ? first : second;
	struct dialogue_task task = {.verb = command->verb};
	if (file && (!*remote || !*local))
		return error_set(error, -EINVAL, "'%s' names no file", first);
	task.remote = remote ? strdup(remote) : NULL;
	task.local = file ? strdup(local) : NULL;
	if ((remote && !task.remote) || (file && !task.local)) {
		free(task.remote);
		free(task.local);
		return error_set(error, -ENOMEM, "out of memory");
	}
	*ret_task = task;
	return 0;
}

static void print_help(void)
{
	for (size_t i = 0; i < ARRAY_LENGTH(commands); i++)
		fprintf(stderr, "%s\n", commands[i].usage);
}

/* --- the run --- */

static void run_end(struct run *run)
{
	event_base_loopbreak(run->base);
}

static void run_fail(struct run *run, int status, const char *why)
{
	if (why)
		fprintf(stderr, "%s: %s\n", program.name, why);
	if (run->status == EXIT_DONE)
		run->status = status;
}

static void run_quit(struct run *run)
{
	struct dialogue_task task = {.verb = FTP_QUIT};
	run->quitting = true;
	if (!dialogue_is_open(&run->dialogue) ||
		dialogue_begin(&run->dialogue, &task, &(struct error){0}) < 0)
		run_end(run);
}

/* Returns whether something was begun whose end will be told. */
static bool run_command(struct run *run, const char *const *words, size_t count)
{
	struct error error;
	struct dialogue_task task;
	const struct command *command = command_find(words, count, &error);
	if (!command || command_task(command, words, count, &task, &error) < 0) {
		run_fail(run, EXIT_MISUSE, error.text);
		return false;
	}
	if (command->verb == FTP_HELP) {
		print_help();
		return false;
	}
	if (command->verb == FTP_QUIT) {
		run_quit(run);
		return true;
	}
	if (dialogue_begin(&run->dialogue, &task, &error) < 0) {
		run_fail(run, EXIT_SYSTEM, error.text);
		return false;
	}
	return true;
}

/* The next line of what was typed, if whole; returns whether something was begun. */
static bool run_typed_line(struct run *run, bool *ret_taken)
{
	struct words words;
	struct error error;
	const char *end =
		run->typed.length ? memchr(run->typed.bytes, '\n', run->typed.length) : NULL;
	*ret_taken = end || (run->input_ended && run->typed.length > 0);
	if (!*ret_taken)
		return false;
	size_t length = end ? (size_t)(end - run->typed.bytes) : run->typed.length;
	size_t left = run->typed.length - length - (end ? 1 : 0);
	CLEANUP(free_pointer) char *line = strndup(run->typed.bytes, length);
	memmove(run->typed.bytes, run->typed.bytes + run->typed.length - left, left);
	run->typed.length = left;
	if (!line || line[strspn(line, " \t\r")] == '\0')
		return false;
	if (text_split_words(line, &words, &error) < 0) {
		run_fail(run, EXIT_MISUSE, error.text);
		return false;
	}
	bool begun = run_command(run, (const char *const *)words.list, words.count);
	free(words.list);
	return begun;
}

static void run_next(struct run *run)
{
	bool taken = true;
	if (!dialogue_is_open(&run->dialogue)) {
		run_end(run);
		return;
	}
	while (taken)
		if (run_typed_line(run, &taken))
			return;
	if (run->input_ended) {
		run_quit(run);
		return;
	}
	if (isatty(STDIN_FILENO))
		fputs("ftp> ", stderr);
	/* A plain file cannot be watched, and need not be. */
	if (event_add(&run->input_event, NULL) < 0)
		event_active(&run->input_event, EV_READ, 1);
}

static void run_input(evutil_socket_t fd, short what, void *argument)
{
	struct run *run = argument;
	char bytes[4096];
	(void)what;
	ssize_t got = read(fd, bytes, sizeof(bytes));
	if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
		run_next(run);
		return;
	}
	if (got > 0)
		text_append_bytes(&run->typed, bytes, (size_t)got);
	if (run->typed.failed || run->typed.length > COMMAND_LINE_MAX) {
		run_fail(run, EXIT_MISUSE, "the command line is too long");
		text_clear(&run->typed);
		got = 0;
	}
	run->input_ended = got <= 0;
	run_next(run);
}

/* A line of the server, at once; what a terminal would obey is made visible. */
static void run_heard(void *owner, const char *line, size_t length)
{
	(void)owner;
	CLEANUP(free_pointer) char *clean = text_sanitize(line, length);
	if (clean)
		fprintf(stderr, "%s\n", clean);
}

static void run_over(void *owner, enum ftp_client_result result, const char *why)
{
	static const int statuses[] = {
		[FTP_CLIENT_DONE] = EXIT_DONE,
		[FTP_CLIENT_REFUSED] = EXIT_REFUSED,
		[FTP_CLIENT_LOST] = EXIT_REFUSED,
		[FTP_CLIENT_LOCAL] = EXIT_SYSTEM,
		[FTP_CLIENT_MISUSE] = EXIT_MISUSE,
	};
	struct run *run = owner;
	bool first = !run->logged_in;
	event_del(&run->wait_event);
	if (result == FTP_CLIENT_MISUSE)
		why = "the name is too long or holds a line break";
	else if (result == FTP_CLIENT_LOST && !why)
		why = "the server closed the connection";
	if (!run->quitting && result != FTP_CLIENT_DONE)
		run_fail(run, statuses[result], why);
	if (run->quitting || !dialogue_is_open(&run->dialogue)) {
		run_end(run);
		return;
	}
	run->logged_in = true;
	if (!run->words)
		run_next(run);
	else if (!first || !run_command(run, (const char *const *)run->words, run->word_count))
		run_quit(run);
}

static void run_not_served(evutil_socket_t fd, short what, void *argument)
{
	struct run *run = argument;
	(void)fd;
	(void)what;
	if (run->dialogue.client.state != FTP_CLIENT_GREETING)
		return;
	run_fail(run, EXIT_REFUSED, "not served within the time of --wait");
	run_end(run);
}

static void run_signal(evutil_socket_t number, short what, void *argument)
{
	struct run *run = argument;
	bool idle = dialogue_is_open(&run->dialogue);
	(void)number;
	(void)what;
	if (idle && !run->quitting) {
		run_quit(run);
		return;
	}
	if (!run->quitting)
		run_fail(run, EXIT_SYSTEM, "interrupted");
	run_end(run);
}

/* --- connecting --- */

static void free_addresses(struct addrinfo **addresses)
{
	if (*addresses)
		freeaddrinfo(*addresses);
}

/* HOST, HOST:PORT, [ADDR], [ADDR]:PORT; ret_host is the caller's. */
static int split_host(const char *text, char **ret_host, char port[static 6], struct error *error)
{
	bool bracket = *text == '[';
	const char *start = bracket ? text + 1 : text;
	size_t length = strcspn(start, bracket ? "]" : ":");
	const char *rest = start + length + (bracket && start[length]);
	uint64_t number = SOCKET_FTP_PORT;
	bool closed = !bracket || start[length] == ']';
	if (!closed || length == 0 ||
		(*rest && (*rest != ':' || !text_parse_number(rest + 1, 1, 65535, &number))))
		return error_set(error, -EINVAL, "'%s' is not HOST[:PORT]", text);
	snprintf(port, 6, "%u", (unsigned)number);
	*ret_host = strndup(start, length);
	return *ret_host ? 0 : error_set(error, -ENOMEM, "out of memory");
}

static int connect_one(const struct addrinfo *address, int *ret_fd)
{
	struct sockaddr_storage storage = {0};
	struct ftp_endpoint remote;
	CLEANUP(close_fd) int fd = -1;
	memcpy(&storage, address->ai_addr, address->ai_addrlen);
	if (!socket_endpoint(&storage, &remote))
		return -EAFNOSUPPORT;
	int status = socket_connect(&remote, NULL, &fd);
	if (status < 0)
		return status;
	struct pollfd wait = {.fd = fd, .events = POLLOUT};
	int ready = poll(&wait, 1, CONNECT_MILLISECONDS);
	if (ready <= 0)
		return ready == 0 ? -ETIMEDOUT : -errno;
	status = socket_connect_result(fd);
	if (status == 0)
		*ret_fd = take_fd(&fd);
	return status;
}

static int connect_host(const char *text, int *ret_fd, struct error *error)
{
	CLEANUP(free_pointer) char *host = NULL;
	CLEANUP(free_addresses) struct addrinfo *addresses = NULL;
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	char port[6];
	if (split_host(text, &host, port, error) < 0)
		return error->code;
	int failed = getaddrinfo(host, port, &hints, &addresses);
	if (failed)
		return error_set(
			error, -EIO, "cannot resolve '%s': %s", host, gai_strerror(failed));
	int status = -EADDRNOTAVAIL;
	for (const struct addrinfo *at = addresses; at && status < 0; at = at->ai_next)
		status = connect_one(at, ret_fd);
	if (status < 0)
		return error_system(error, status, "cannot connect to %s port %s", host, port);
	return 0;
}

/* --- */

static void run_loop(struct run *run, int take_fd)
{
	static const int signals[] = {SIGTERM, SIGINT};
	const struct settings *settings = run->settings;
	struct event ends[ARRAY_LENGTH(signals)];
	struct timeval wait = {.tv_sec = (time_t)(settings->wait_ns / NS_PER_SECOND),
		.tv_usec = (suseconds_t)(settings->wait_ns % NS_PER_SECOND / 1000)};
	event_assign(&run->input_event, run->base, STDIN_FILENO, EV_READ, run_input, run);
	event_assign(&run->wait_event, run->base, -1, 0, run_not_served, run);
	for (size_t i = 0; i < ARRAY_LENGTH(signals); i++) {
		evsignal_assign(&ends[i], run->base, signals[i], run_signal, run);
		evsignal_add(&ends[i], NULL);
	}
	run->dialogue.heard = run_heard;
	run->dialogue.over = run_over;
	run->dialogue.owner = run;
	dialogue_init(&run->dialogue, run->base, take_fd,
		settings->user ? settings->user : "anonymous",
		settings->password ? settings->password : "anonymous@");
	run->dialogue.client.active = settings->active;
	run->dialogue.client.ascii = settings->ascii;
	if (settings->wait_ns)
		event_add(&run->wait_event, &wait);
	event_base_dispatch(run->base);
	dialogue_finish(&run->dialogue);
	event_del(&run->input_event);
	event_del(&run->wait_event);
	for (size_t i = 0; i < ARRAY_LENGTH(signals); i++)
		evsignal_del(&ends[i]);
	text_finish(&run->typed);
}

static void settings_finish(struct settings *settings)
{
	free(settings->user);
	free(settings->password);
}

int main(int argc, char **argv)
{
	static struct run run;
	CLEANUP(settings_finish) struct settings settings = {0};
	struct error error;
	int at, fd = -1;
	if (options_read(&program, argc, argv, &settings, &at, &error) < 0)
		return program_fail(&program, EXIT_MISUSE, &error);
	if (at == argc) {
		error_set(&error, -EINVAL, "HOST[:PORT] is missing; --help shows the usage");
		return program_fail(&program, EXIT_MISUSE, &error);
	}
	run.settings = &settings;
	run.words = at + 1 < argc ? argv + at + 1 : NULL;
	run.word_count = (size_t)(argc - at - 1);
	if (run.words && !command_find((const char *const *)run.words, run.word_count, &error))
		return program_fail(&program, EXIT_MISUSE, &error);
	signal(SIGPIPE, SIG_IGN);
	int status = connect_host(argv[at], &fd, &error);
	if (status < 0)
		return program_fail(
			&program, status == -EINVAL ? EXIT_MISUSE : EXIT_SYSTEM, &error);
	run.base = event_base_new();
	if (!run.base) {
		close(fd);
		error_set(&error, -ENOMEM, "cannot make an event loop");
		return program_fail(&program, EXIT_SYSTEM, &error);
	}
	run_loop(&run, fd);
	event_base_free(run.base);
	return run.status;
}
