#include "programs/ftp/text_talk.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "programs/ftp/talk_file.h"
#include "programs/ftp/talk_input.h"
#include "programs/ftp/talk_request.h"
#include "programs/ftp/text_link.h"

enum { LINE_MOST = 8192 };

#define USAGE "get REMOTE [LOCAL], get [-o LOCAL|-] REMOTE..."

struct text_talk {
	const struct talk_settings *settings; /* borrowed */
	struct text_link link;
	bool greeted; /* the greeting was shown */
	bool over; /* no further file can be had: nobody serves us, or a person has enough */
	int status; /* the first failure's exit status */
};

/* --- telling --- */

__attribute__((format(printf, 3, 4))) static void fail(
	struct text_talk *client, int status, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	fprintf(stderr, "%s: ", talk_program.name);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	if (client->status == EXIT_DONE)
		client->status = status;
}

__attribute__((format(printf, 2, 3))) static void note(
	const struct text_talk *client, const char *format, ...)
{
	va_list arguments;
	if (client->settings->quiet)
		return;
	va_start(arguments, format);
	fprintf(stderr, "%s: ", talk_program.name);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
}

static void fail_with(struct text_talk *client, enum text_result result, const char *shown,
	const struct error *error)
{
	int status = result == TEXT_LOCAL ? EXIT_SYSTEM : EXIT_REFUSED;
	client->over |= result == TEXT_LOCAL && error->code == -EINTR;
	if (shown)
		fail(client, status, "'%s': %s", shown,
			result == TEXT_NOT_FOUND ? FTP_TEXT_NOT_FOUND : error->text);
	else
		fail(client, status, "%s", error->text);
}

/* --- a connection --- */

static void show_greeting(struct text_talk *client, const struct text *greeting)
{
	CLEANUP(free_pointer) char *clean = text_sanitize(greeting->bytes, greeting->length);
	bool ours = ftp_text_match(greeting->bytes, greeting->length, FTP_TEXT_GREETING) ==
		    FTP_TEXT_WHOLE;
	if (!client->settings->quiet && !client->greeted && clean)
		fprintf(stderr, "%s%s", clean,
			greeting->bytes[greeting->length - 1] == '\n' ? "" : "\n");
	if (!ours && !client->greeted)
		note(client, "that is not the greeting of the protocol; what came until the "
			     "server was quiet is taken for it");
	client->greeted = true;
}

/* Connect and wait for our turn; a failure is told. */
static bool open_link(struct text_talk *client)
{
	struct error error;
	CLEANUP(text_finish) struct text greeting = {0};
	const struct talk_settings *settings = client->settings;
	uint64_t wait_ns = settings->wait_ns;
	uint64_t until_ns = wait_ns ? clock_monotonic_ns() + wait_ns : UINT64_MAX;
	client->link = TEXT_LINK_NONE;
	client->link.stall_ns = settings->stall_ns;
	int status = text_link_open(&client->link, settings->server, settings->connect_ns, &error);
	if (status < 0) {
		fail(client, status == -EINVAL ? EXIT_MISUSE : EXIT_SYSTEM, "%s", error.text);
		return false;
	}
	enum text_result result = text_link_greeting(&client->link, until_ns, &greeting, &error);
	if (result != TEXT_DONE) {
		fail_with(client, result, NULL, &error);
		return false;
	}
	show_greeting(client, &greeting);
	return true;
}

/* --- a file --- */

/* What no server could take for this name; NULL where there is nothing against it. */
static const char *slip_of(const char *name)
{
	if (!*name)
		return "an empty name names no file";
	if (strchr(name, '\n'))
		return "a line break ends a name: this would be two";
	if (strlen(name) > FTP_TEXT_NAME_MAX)
		return "the name is too long";
	if (strcmp(name, FTP_TEXT_END) == 0)
		return "'" FTP_TEXT_END
		       "' ends the session; a file of that name is './" FTP_TEXT_END "'";
	return NULL;
}

/* Ask for `name` over the open link, into `file`. */
static enum text_result fetch(struct text_talk *client, const char *name, bool last,
	const struct talk_file *file, uint64_t *ret_bytes, struct error *error)
{
	struct text_sink sink = {.fd = file->fd, .waits = file->waits};
	enum text_result result = text_link_ask(&client->link, name, last, error);
	if (result == TEXT_DONE)
		result = text_link_receive(&client->link, &sink, last, error);
	*ret_bytes = sink.bytes;
	return result;
}

/* The file gets its name where all is well; a failure is told. Returns whether it has it. */
static bool conclude(struct text_talk *client, enum text_result result, const char *shown,
	struct talk_file *file, struct error *error)
{
	if (result == TEXT_DONE && talk_file_commit(file, shown, error) == 0)
		return true;
	talk_file_abandon(file, false);
	if (result == TEXT_DONE)
		fail(client, EXIT_SYSTEM, "%s", error->text);
	else
		fail_with(client, result, shown, error);
	return false;
}

/* One file over a connection of its own: its end is the connection's. */
static void get_alone(struct text_talk *client, const char *name, const char *local)
{
	struct error error;
	uint64_t bytes = 0;
	CLEANUP(talk_file_close) struct talk_file file = TALK_FILE_NONE;
	CLEANUP(free_pointer) char *shown = text_sanitize(name, strlen(name));
	/* Before a place in line is taken. */
	if (talk_file_create(local, false, &file, &error) < 0) {
		fail(client, EXIT_SYSTEM, "%s", error.text);
		return;
	}
	client->over = !open_link(client);
	if (!client->over) {
		enum text_result result = fetch(client, name, true, &file, &bytes, &error);
		if (conclude(client, result, shown ? shown : "?", &file, &error))
			note(client, "'%s': %llu bytes", shown ? shown : "?",
				(unsigned long long)bytes);
	}
	text_link_close(&client->link);
}

static const char *slip_of_get(const struct talk_request *request)
{
	const char *slip = talk_request_slip(request);
	if (request->recursive || request->resume)
		return "the text protocol knows neither directories nor the rest of a file";
	for (size_t i = 0; !slip && i < request->count; i++)
		slip = slip_of(request->names[i]);
	return slip;
}

static void get(struct text_talk *client, const char *const *words, size_t count)
{
	struct error error;
	struct talk_request request = {.usage = USAGE};
	CLEANUP(free_pointer) const char **names = calloc(count, sizeof(*names));
	if (!names || talk_request_read(&request, words, count, names, &error) < 0) {
		fail(client, EXIT_MISUSE, "%s", names ? error.text : "out of memory");
		return;
	}
	const char *slip = slip_of_get(&request);
	if (slip)
		fail(client, EXIT_MISUSE, "%s", slip);
	for (size_t i = 0; !slip && i < request.count && !client->over; i++) {
		CLEANUP(free_pointer)
		char *local = talk_request_target(&request, request.names[i], &error);
		if (local)
			get_alone(client, request.names[i], local);
		else
			fail(client, EXIT_MISUSE, "%s", error.text);
	}
}

/* --- the prompt --- */

/* What came behind a file that was taken for whole was of it all the same. */
static void look_for_late_bytes(struct text_talk *client, const char *before)
{
	uint64_t late = text_link_drain(&client->link);
	if (late > 0)
		fail(client, EXIT_REFUSED,
			"%llu bytes came when '%s' was taken for whole already: it is not; "
			"'get' on the command line reads to the end",
			(unsigned long long)late, before);
}

static void get_one_more(struct text_talk *client, const char *name)
{
	struct error error;
	uint64_t bytes = 0;
	CLEANUP(talk_file_close) struct talk_file file = TALK_FILE_NONE;
	CLEANUP(free_pointer) char *shown = text_sanitize(name, strlen(name));
	CLEANUP(free_pointer) char *local = talk_last_name(name);
	if (!shown || !local || !*local) {
		fail(client, EXIT_MISUSE, "'%s' names no file", shown ? shown : "?");
		return;
	}
	if (talk_file_create(local, false, &file, &error) < 0) {
		fail(client, EXIT_SYSTEM, "%s", error.text);
		return;
	}
	enum text_result result = fetch(client, name, false, &file, &bytes, &error);
	if (result == TEXT_DONE && client->link.ended && bytes == 0) {
		error_set(&error, -ECONNRESET, "no answer");
		result = TEXT_REFUSED;
	}
	if (!conclude(client, result, shown, &file, &error))
		return;
	if (client->link.ended)
		note(client, "'%s': %llu bytes", shown, (unsigned long long)bytes);
	else if (bytes == 0)
		note(client, "'%s': nothing came for 2 s, so it is taken for an empty file", shown);
	else
		note(client,
			"'%s': %llu bytes; nothing more came for 0.2 s, so it is taken for whole",
			shown, (unsigned long long)bytes);
}

/* Read some more; false where there is no more. */
static bool read_more(struct text_talk *client, struct text *typed)
{
	char bytes[4096];
	ssize_t got = read(STDIN_FILENO, bytes, sizeof(bytes));
	if (got <= 0)
		return got < 0 && (errno == EAGAIN || errno == EINTR);
	text_append_bytes(typed, bytes, (size_t)got);
	if (!typed->failed && typed->length <= LINE_MOST)
		return true;
	fail(client, EXIT_MISUSE, "the line is too long");
	text_clear(typed);
	return false;
}

/* A line can be typed, has ended, or the connection or a person has; false: the latter, told. */
static bool wait_for_line(struct text_talk *client)
{
	struct pollfd both[] = {{.fd = STDIN_FILENO, .events = POLLIN},
		{.fd = client->link.fd, .events = POLLRDHUP}};
	int ready = text_link_poll(both, ARRAY_LENGTH(both), UINT64_MAX);
	if (ready > 0 && !both[1].revents)
		return true;
	fputc('\n', stderr);
	if (ready < 0)
		fail(client, EXIT_SYSTEM, "interrupted");
	else
		fail(client, EXIT_REFUSED, "the server closed the connection");
	client->over = true;
	return false;
}

/* The next line, the caller's; NULL at the end of the input, or where it is over. */
static char *ask_name(struct text_talk *client, struct text *typed, bool *ended)
{
	bool terminal = isatty(STDIN_FILENO);
	bool shown = terminal || !client->settings->quiet;
	char *line;
	if (shown)
		fputs("Enter file name: ", stderr);
	while (!(line = talk_input_line(typed, *ended)) && !*ended) {
		if (!wait_for_line(client))
			return NULL;
		*ended = !read_more(client, typed);
	}
	/* What is typed at a terminal stands there already, but for the end of it. */
	if (shown && !(terminal && line)) {
		CLEANUP(free_pointer) char *echo = text_sanitize(line, line ? strlen(line) : 0);
		fprintf(stderr, "%s\n", echo ? echo : "");
	}
	return line;
}

static void prompt(struct text_talk *client)
{
	struct error error;
	CLEANUP(text_finish) struct text typed = {0};
	CLEANUP(free_pointer) char *before = NULL; /* the name before this one */
	bool ended = false;
	while (!client->over) {
		CLEANUP(free_pointer) char *name = ask_name(client, &typed, &ended);
		if (before)
			look_for_late_bytes(client, before);
		if (client->over)
			return;
		if (!name || strcmp(name, FTP_TEXT_END) == 0) {
			text_link_ask(&client->link, FTP_TEXT_END, true, &error);
			return;
		}
		const char *slip = *name ? slip_of(name) : NULL;
		if (slip)
			fail(client, EXIT_MISUSE, "%s", slip);
		else if (*name)
			get_one_more(client, name);
		if (client->link.ended) {
			fail(client, EXIT_REFUSED, "the server closed the connection");
			return;
		}
		free(before);
		before = TAKE(name);
	}
}

int text_talk_run(const struct talk_settings *settings, const char *const *words, size_t count)
{
	struct error error;
	struct text_talk client = {.settings = settings, .link = TEXT_LINK_NONE};
	if (text_link_interruptible(&error) < 0)
		fail(&client, EXIT_SYSTEM, "%s", error.text);
	else if (count > 0 && strcmp(words[0], "get") != 0 && strcmp(words[0], "mget") != 0)
		fail(&client, EXIT_MISUSE, "the text protocol knows 'get' alone, not '%s'",
			words[0]);
	else if (count > 0)
		get(&client, words, count);
	else if (open_link(&client))
		prompt(&client);
	text_link_close(&client.link);
	return client.status;
}
