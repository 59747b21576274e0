#include "programs/dhcp/client_status.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

#define CLEAR_LINE "\r\033[K"

enum { CONTROL_D = 4 };

/* Nothing holds the client up, not even a pipe that nobody reads. */
static void write_out(const char *bytes, size_t length)
{
	struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
	if (poll(&out, 1, 0) == 1 && write(STDOUT_FILENO, bytes, length) < 0)
		return;
}

static void draw(struct client_status *status)
{
	if (!status->output_is_terminal) {
		snprintf(status->line, sizeof(status->line), "%s\n", status->text);
		write_out(status->line, strlen(status->line));
		return;
	}
	snprintf(status->line, sizeof(status->line), CLEAR_LINE "%s", status->text);
	write_out(status->line, strlen(status->line));
	if (isatty(STDERR_FILENO))
		log_surround(CLEAR_LINE, status->line);
}

void client_status_show(struct client_status *status, const char *format, ...)
{
	char text[CLIENT_STATUS_SIZE];
	if (!status->open)
		return;
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (strcmp(text, status->text) == 0)
		return;
	memcpy(status->text, text, sizeof(text));
	draw(status);
}

/* Characters as they are typed, without echo. In the background it would stop us. */
static void take_terminal(struct client_status *status)
{
	if (!status->input_is_terminal || tcgetpgrp(STDIN_FILENO) != getpgrp())
		return;
	struct termios now = status->before;
	now.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	now.c_cc[VMIN] = 1;
	now.c_cc[VTIME] = 0;
	tcsetattr(STDIN_FILENO, TCSADRAIN, &now);
}

static void on_resumed(evutil_socket_t fd, short what, void *argument)
{
	struct client_status *status = argument;
	(void)fd, (void)what;
	take_terminal(status);
	draw(status);
}

/* Whether what was typed says to leave. */
static bool take(struct client_status *status, char typed)
{
	if (status->input_is_terminal)
		return typed == 'q' || typed == 'Q' || typed == CONTROL_D;
	if (typed != '\n') {
		if (status->typed_length < sizeof(status->typed) - 1)
			status->typed[status->typed_length++] = typed;
		return false;
	}
	while (status->typed_length > 0 && strchr("\r\t ", status->typed[status->typed_length - 1]))
		status->typed_length--;
	status->typed[status->typed_length] = '\0';
	status->typed_length = 0;
	return strcmp(status->typed, "q") == 0 || strcmp(status->typed, "quit") == 0;
}

static void on_input(evutil_socket_t fd, short what, void *argument)
{
	struct client_status *status = argument;
	char bytes[256];
	(void)what;
	ssize_t length = read(fd, bytes, sizeof(bytes));
	if (length < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (length <= 0) {
		event_del(status->input);
		/* A terminal that is gone is a person that is gone. */
		if (status->input_is_terminal)
			status->quit(status->program);
		return;
	}
	for (ssize_t i = 0; i < length; i++)
		if (take(status, bytes[i])) {
			event_del(status->input);
			status->quit(status->program);
			return;
		}
}

/* What can be waited for: not a file, nor /dev/null. */
static bool input_can_come(const struct client_status *status)
{
	struct stat facts;
	return status->input_is_terminal ||
	       (fstat(STDIN_FILENO, &facts) == 0 &&
		       (S_ISFIFO(facts.st_mode) || S_ISSOCK(facts.st_mode)));
}

static int watch_input(struct client_status *status, struct event_base *base, struct error *error)
{
	status->resumed = evsignal_new(base, SIGCONT, on_resumed, status);
	if (!status->resumed || event_add(status->resumed, NULL) < 0)
		return error_set(error, -ENOMEM, "cannot watch the terminal");
	if (!input_can_come(status))
		return 0;
	status->input = event_new(base, STDIN_FILENO, EV_READ | EV_PERSIST, on_input, status);
	if (!status->input || event_add(status->input, NULL) < 0)
		return error_set(error, -ENOMEM, "cannot watch the input");
	return 0;
}

int client_status_open(struct client_status *status, struct event_base *base, struct error *error)
{
	status->open = true;
	status->output_is_terminal = isatty(STDOUT_FILENO);
	status->input_is_terminal = tcgetattr(STDIN_FILENO, &status->before) == 0;
	take_terminal(status);
	return watch_input(status, base, error);
}

void client_status_close(struct client_status *status)
{
	if (!status->open)
		return;
	status->open = false;
	log_surround(NULL, NULL);
	if (status->output_is_terminal)
		write_out("\n", 1);
	if (status->input_is_terminal && tcgetpgrp(STDIN_FILENO) == getpgrp())
		tcsetattr(STDIN_FILENO, TCSADRAIN, &status->before);
	if (status->input)
		event_free(status->input);
	if (status->resumed)
		event_free(status->resumed);
	status->input = status->resumed = NULL;
}
