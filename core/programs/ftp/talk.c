#include "programs/ftp/talk.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "programs/ftp/socket.h"
#include "programs/ftp/talk_connect.h"

enum { WIDTH_WITHOUT_ONE = 80, WIDTH_MOST = 400 };

/* --- telling --- */

void talk_clear(struct talk *talk)
{
	if (talk->drawn)
		fputs("\r\033[K", stderr);
	talk->drawn = false;
}

__attribute__((format(printf, 2, 0))) static void tell(
	struct talk *talk, const char *format, va_list arguments)
{
	talk_clear(talk);
	fprintf(stderr, "%s: ", talk_program.name);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
}

void talk_fail(struct talk *talk, int status, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	tell(talk, format, arguments);
	va_end(arguments);
	if (talk->status == EXIT_DONE)
		talk->status = status;
}

void talk_note(struct talk *talk, const char *format, ...)
{
	if (talk->settings->quiet)
		return;
	va_list arguments;
	va_start(arguments, format);
	tell(talk, format, arguments);
	va_end(arguments);
}

static unsigned terminal_width(void)
{
	struct winsize size;
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col < 2)
		return WIDTH_WITHOUT_ONE - 1;
	/* The last column stays free: a terminal may go on to the next line behind it. */
	return size.ws_col < WIDTH_MOST ? size.ws_col - 1u : WIDTH_MOST;
}

/* A line that the next one takes the place of. */
static void draw(struct talk *talk, const char *line)
{
	fprintf(stderr, "\r%s\033[K", line);
	fflush(stderr);
	talk->drawn = true;
}

/* --- what the dialogue tells --- */

/* A line of the server, at once; what a terminal would obey is made visible. */
static void talk_heard(void *owner, const char *line, size_t length, unsigned code)
{
	struct talk *talk = owner;
	enum ftp_client_state state = talk->dialogue.client.state;
	bool refusal = code >= 400;
	/* What was asked by the way: the transfer itself says no where it has to. */
	bool aside = (state == FTP_CLIENT_ABORTING && code == FTP_REPLY_PATH) ||
		     (state == FTP_CLIENT_SIZE && code != FTP_REPLY_CLOSING);
	bool waiting = state == FTP_CLIENT_GREETING &&
		       memmem(line, length, " in line", strlen(" in line"));
	if (talk->hushed || aside || (talk->settings->quiet && !refusal))
		return;
	CLEANUP(free_pointer) char *clean = text_sanitize(line, length);
	if (!clean)
		return;
	unsigned width = terminal_width();
	if (talk->terminal && waiting && length < width && !strchr(clean, '\t')) {
		draw(talk, clean);
		return;
	}
	if (talk->editing)
		fputs("\r\033[K", stderr);
	talk_clear(talk);
	fprintf(stderr, "%s\n", clean);
}

static void talk_over(void *owner, enum ftp_client_result result, const char *why)
{
	static const struct {
		int status;
		const char *why; /* where nothing better is known; NULL: the server has said it */
	} results[] = {
		[FTP_CLIENT_DONE] = {EXIT_DONE, NULL},
		[FTP_CLIENT_REFUSED] = {EXIT_REFUSED, NULL},
		[FTP_CLIENT_LOST] = {EXIT_REFUSED, "the server closed the connection"},
		[FTP_CLIENT_LOCAL] = {EXIT_SYSTEM, NULL},
		[FTP_CLIENT_MISUSE] = {EXIT_MISUSE, "the name is too long or holds a line break"},
		[FTP_CLIENT_LONGER] = {EXIT_SYSTEM,
			"nothing to resume: there is more at the target than at the source"},
		[FTP_CLIENT_IN_CLEAR] = {EXIT_REFUSED,
			"the server refuses TLS; nothing is sent in clear text"},
		[FTP_CLIENT_ABORTED] = {EXIT_SYSTEM, NULL},
	};
	struct talk *talk = owner;
	talk->over = true;
	talk->result = result;
	event_base_loopbreak(talk->base);
	if (!why)
		why = result == FTP_CLIENT_LOST && !talk->dialogue.closed
			      ? "the server says more than anybody asked for"
			      : results[result].why;
	if (result == FTP_CLIENT_DONE || talk->dialogue.task.verb == FTP_QUIT)
		return;
	/* Nobody asked, but the end of the connection is everybody's business. */
	if (talk->hushed && dialogue_is_open(&talk->dialogue))
		return;
	if (why)
		talk_fail(talk, results[result].status, "%s", why);
	else if (talk->status == EXIT_DONE)
		talk->status = results[result].status;
}

/* --- events --- */

static void talk_signal(evutil_socket_t number, short what, void *argument)
{
	struct talk *talk = argument;
	(void)what;
	talk->interrupts++;
	talk->leaves |= number == SIGTERM;
	event_base_loopbreak(talk->base);
}

static void talk_not_served(evutil_socket_t fd, short what, void *argument)
{
	struct talk *talk = argument;
	(void)fd;
	(void)what;
	if (talk->dialogue.client.state != FTP_CLIENT_GREETING)
		return;
	talk_fail(talk, EXIT_REFUSED, "not served within the time of --wait");
	talk->over = true;
	talk->result = FTP_CLIENT_LOST;
	event_base_loopbreak(talk->base);
}

static void talk_input_came(evutil_socket_t fd, short what, void *argument)
{
	struct talk *talk = argument;
	(void)fd;
	(void)what;
	talk->input_ready = true;
	event_base_loopbreak(talk->base);
}

static void bar_draw(evutil_socket_t fd, short what, void *argument)
{
	struct talk *talk = argument;
	struct talk_progress *progress = &talk->progress;
	const struct ftp_client *client = &talk->dialogue.client;
	char line[TALK_PROGRESS_TEXT_SIZE];
	(void)fd;
	(void)what;
	if (!progress->name || client->state != FTP_CLIENT_TRANSFER)
		return;
	bool sends = client->task == FTP_STOR;
	progress->before_bytes = client->offset;
	progress->total_known = sends ? client->local_bytes > 0 : client->size_known;
	progress->total_bytes = sends ? client->local_bytes : client->size_bytes;
	talk_progress_see(progress, dialogue_moved_bytes(&talk->dialogue), clock_monotonic_ns());
	draw(talk, talk_progress_format(progress, terminal_width(), line));
}

/* --- tasks --- */

bool talk_is_open(const struct talk *talk)
{
	return talk->interrupts == 0 && dialogue_is_open(&talk->dialogue);
}

bool talk_take_interrupt(struct talk *talk)
{
	bool taken = talk->interrupts > 0 && !talk->leaves;
	if (taken)
		talk->interrupts = 0;
	return taken && dialogue_is_open(&talk->dialogue);
}

/* Until the task is over; true after an interrupt. */
static bool talk_run(struct talk *talk)
{
	unsigned interrupts = talk->interrupts;
	while (!talk->over && talk->interrupts == interrupts)
		event_base_loop(talk->base, EVLOOP_ONCE);
	return !talk->over;
}

static void bar_begin(struct talk *talk, const char *name)
{
	static const struct timeval every = {.tv_usec = TALK_PROGRESS_NS / 1000};
	talk_progress_begin(&talk->progress, name, clock_monotonic_ns());
	if (name)
		event_add(&talk->progress_event, &every);
}

static void bar_end(struct talk *talk)
{
	struct talk_progress *progress = &talk->progress;
	char line[TALK_PROGRESS_TEXT_SIZE];
	event_del(&talk->progress_event);
	if (progress->name && talk->result == FTP_CLIENT_DONE) {
		talk_progress_see(
			progress, dialogue_moved_bytes(&talk->dialogue), clock_monotonic_ns());
		talk_clear(talk);
		fprintf(stderr, "%s\n", talk_progress_format_end(progress, terminal_width(), line));
	}
	progress->name = NULL;
}

enum ftp_client_result talk_do(
	struct talk *talk, const struct dialogue_task *task, const char *progress_name)
{
	bool shown = talk->terminal && !talk->settings->quiet && !talk->hushed;
	struct dialogue_task ours = *task;
	const char *name = shown ? progress_name : NULL;
	ours.ask_size |= name != NULL;
	talk->over = false;
	bar_begin(talk, name);
	dialogue_begin(&talk->dialogue, &ours);
	if (talk_run(talk)) {
		talk_fail(talk, EXIT_SYSTEM, "interrupted");
		dialogue_abort(&talk->dialogue);
		/* Whoever cannot wait for the server interrupts once more. */
		if (talk_run(talk))
			talk->result = FTP_CLIENT_LOCAL;
	}
	bar_end(talk);
	talk_clear(talk);
	return talk->result;
}

bool talk_wait_input(struct talk *talk, int fd)
{
	talk->input_ready = false;
	event_assign(&talk->input_event, talk->base, fd, EV_READ, talk_input_came, talk);
	/* A plain file cannot be watched, and need not be. */
	if (event_add(&talk->input_event, NULL) < 0)
		talk->input_ready = true;
	while (!talk->input_ready && talk_is_open(talk))
		event_base_loop(talk->base, EVLOOP_ONCE);
	event_del(&talk->input_event);
	return talk->input_ready && talk_is_open(talk);
}

/* --- life --- */

static int talk_prepare(struct talk *talk, struct error *error)
{
	const struct talk_settings *settings = talk->settings;
	if (settings->tls && tls_client_create(settings->tls_authorities, settings->tls_any,
				     &talk->tls, error) < 0)
		return error->code;
	talk->base = event_base_new();
	/* An interrupt comes before all else of a turn: see transfer.h, file_ended. */
	if (talk->base)
		event_base_priority_init(talk->base, 2);
	return talk->base ? 0 : error_set(error, -ENOMEM, "cannot make an event loop");
}

static void talk_log_in(struct talk *talk, int take_fd)
{
	const struct talk_settings *settings = talk->settings;
	struct timeval wait = clock_timeval(settings->wait_ns);
	struct dialogue_setup setup = {
		.user = settings->user ? settings->user : "anonymous",
		.password = settings->password ? settings->password : "anonymous@",
		.tls = talk->tls,
		.host = talk->host,
		.active = settings->active,
		.ascii = settings->ascii,
		.patient = settings->wait_ns > 0,
		.connect_ns = settings->connect_ns,
		.stall_ns = settings->stall_ns,
	};
	struct event_base *base = talk->base;
	evsignal_assign(&talk->interrupt, base, SIGINT, talk_signal, talk);
	evsignal_assign(&talk->terminate, base, SIGTERM, talk_signal, talk);
	event_priority_set(&talk->interrupt, 0);
	event_priority_set(&talk->terminate, 0);
	evtimer_assign(&talk->wait_event, base, talk_not_served, talk);
	event_assign(&talk->progress_event, base, -1, EV_PERSIST, bar_draw, talk);
	evsignal_add(&talk->interrupt, NULL);
	evsignal_add(&talk->terminate, NULL);
	if (settings->wait_ns)
		event_add(&talk->wait_event, &wait);
	talk->dialogue.heard = talk_heard;
	talk->dialogue.over = talk_over;
	talk->dialogue.owner = talk;
	dialogue_init(&talk->dialogue, base, take_fd, &setup);
	if (talk_run(talk))
		talk_fail(talk, EXIT_SYSTEM, "interrupted");
	event_del(&talk->wait_event);
}

int talk_open(struct talk *talk, const struct talk_settings *settings, const char *host)
{
	struct error error;
	int fd = -1;
	talk->settings = settings;
	talk->terminal = isatty(STDERR_FILENO);
	talk->dialogue.control = STREAM_NONE;
	int status = talk_prepare(talk, &error);
	if (status == 0)
		status = talk_connect(
			&(struct talk_target){host, SOCKET_FTP_PORT, settings->connect_ns},
			&talk->host, &fd, &error);
	if (status < 0)
		talk_fail(talk, status == -EINVAL ? EXIT_MISUSE : EXIT_SYSTEM, "%s", error.text);
	else
		talk_log_in(talk, fd);
	return talk->status;
}

void talk_close(struct talk *talk)
{
	bool begun = talk->dialogue.base != NULL;
	if (begun && dialogue_is_open(&talk->dialogue)) {
		talk->over = false;
		dialogue_begin(
			&talk->dialogue, &(struct dialogue_task){.verb = FTP_QUIT, .file = -1});
		talk_run(talk);
	}
	talk_clear(talk);
	if (begun) {
		dialogue_finish(&talk->dialogue);
		event_del(&talk->interrupt);
		event_del(&talk->terminate);
	}
	if (talk->base)
		event_base_free(talk->base);
	tls_destroy(&talk->tls);
	free(talk->host);
}
