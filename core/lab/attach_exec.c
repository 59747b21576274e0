/* A command in a node, with the caller's standard streams. */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "lab/attach_parts.h"

enum { BLOCK = 16 * 1024, SIGNALS = 9 };

/* What passes between the terminal and the command's own. */
struct attached {
	struct event_base *base;
	int fd; /* to the supervisor */
	int master; /* of the command's terminal; -1: it has the caller's streams themselves */
	struct termios before;
	bool raw;
	char typed[BLOCK]; /* not yet taken by the command's terminal */
	size_t typed_length;
	struct event *packet, *keys, *shown, *writable, *signals[SIGNALS];
	struct lab_control_packet *received;
	int handed_on; /* the last signal that was */
	bool over;
	int status; /* 0, or what went wrong */
	struct error *error;
	struct attach_end end;
};

static void attached_over(struct attached *attached, int status)
{
	attached->over = true;
	attached->status = status;
	event_base_loopbreak(attached->base);
}

static bool in_front(void)
{
	return tcgetpgrp(STDIN_FILENO) == getpgrp();
}

static void size_copy(const struct attached *attached)
{
	struct winsize size;
	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
		ioctl(attached->master, TIOCSWINSZ, &size);
}

/* Every key is the command's terminal's to understand. */
static void raw_begin(struct attached *attached)
{
	struct termios raw = attached->before;
	if (attached->master < 0 || attached->raw || !in_front())
		return;
	cfmakeraw(&raw);
	attached->raw = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
	event_add(attached->keys, NULL);
	size_copy(attached);
}

static void raw_end(struct attached *attached)
{
	if (attached->keys)
		event_del(attached->keys);
	if (attached->raw)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &attached->before);
	attached->raw = false;
}

static void write_all(int fd, const char *bytes, size_t length)
{
	while (length) {
		ssize_t written = write(fd, bytes, length);
		if (written < 0 && errno != EINTR)
			return;
		if (written > 0) {
			bytes += written;
			length -= (size_t)written;
		}
	}
}

/* Returns false where nothing waits; at the end of a terminal the kernel says EIO. */
static bool shown_copy(struct attached *attached)
{
	char bytes[BLOCK];
	ssize_t length = read(attached->master, bytes, sizeof(bytes));
	if (length <= 0)
		return length < 0 && errno == EINTR;
	write_all(STDOUT_FILENO, bytes, (size_t)length);
	return true;
}

/* What the command has shown last; what runs on behind it is not waited for. */
static void shown_drain(struct attached *attached)
{
	for (int i = 0; attached->master >= 0 && i < 1024 && shown_copy(attached); i++)
		;
}

static void on_shown(evutil_socket_t fd, short what, void *argument)
{
	struct attached *attached = argument;
	(void)fd, (void)what;
	if (!shown_copy(attached) && errno != EAGAIN)
		event_del(attached->shown);
}

/* The command's terminal takes only so much: no key is read before the last ones are in. */
static void typed_write(struct attached *attached)
{
	ssize_t written = write(attached->master, attached->typed, attached->typed_length);
	if (written > 0) {
		attached->typed_length -= (size_t)written;
		memmove(attached->typed, attached->typed + written, attached->typed_length);
	}
	if (attached->typed_length) {
		event_del(attached->keys);
		event_add(attached->writable, NULL);
	} else if (attached->raw) {
		event_add(attached->keys, NULL);
	}
}

static void on_writable(evutil_socket_t fd, short what, void *argument)
{
	(void)fd, (void)what;
	typed_write(argument);
}

static void on_keys(evutil_socket_t fd, short what, void *argument)
{
	struct attached *attached = argument;
	(void)what;
	ssize_t length = read(fd, attached->typed, sizeof(attached->typed));
	if (length > 0) {
		attached->typed_length = (size_t)length;
		typed_write(attached);
	} else if (length == 0 || (errno != EINTR && errno != EAGAIN)) {
		event_del(attached->keys); /* the terminal is gone: SIGHUP comes as well */
	}
}

static void signal_send(const struct attached *attached, int number)
{
	int32_t told = number;
	lab_control_send(attached->fd, LAB_CONTROL_SIGNAL, &told, sizeof(told), NULL, 0);
}

/* Ctrl-Z: the command has been stopped by its terminal, or we are asked to and stop it first. */
static void attached_stop(struct attached *attached)
{
	shown_drain(attached);
	raw_end(attached);
	kill(0, SIGSTOP);
}

static void attached_continue(struct attached *attached)
{
	raw_begin(attached);
	signal_send(attached, SIGCONT);
}

static void on_signal(evutil_socket_t number, short what, void *argument)
{
	struct attached *attached = argument;
	(void)what;
	switch (number) {
	case SIGWINCH:
		if (attached->master >= 0)
			size_copy(attached);
		break;
	case SIGTSTP:
		signal_send(attached, attached->master < 0 ? SIGSTOP : SIGTSTP);
		if (attached->master < 0)
			attached_stop(attached);
		break;
	case SIGCONT:
		attached_continue(attached);
		break;
	case SIGHUP:
		/* The terminal is gone, and who was at it: the supervisor ends what is left there. */
		if (attached->master >= 0) {
			attached->end.interrupted = SIGHUP;
			attached_over(attached, 0);
			break;
		}
		/* fall through */
	default:
		attached->handed_on = (int)number;
		signal_send(attached, (int)number);
	}
}

static void on_packet(evutil_socket_t fd, short what, void *argument)
{
	struct attached *attached = argument;
	struct lab_control_packet *packet = attached->received;
	int32_t status;
	(void)what;
	int received = attach_receive(fd, packet, attached->error);
	if (received < 0) {
		attached_over(attached, received);
		return;
	}
	if (packet->kind == LAB_CONTROL_STARTED) {
		/* In this order, so that the caller's terminal changes no byte of what is shown. */
		raw_begin(attached);
		if (attached->shown)
			event_add(attached->shown, NULL);
	} else if (packet->kind == LAB_CONTROL_STOPPED)
		attached_stop(attached);
	else if (packet->kind == LAB_CONTROL_ENDED && packet->length == sizeof(status)) {
		memcpy(&status, packet->content, sizeof(status));
		attached->end.status = status;
		if (attached->handed_on && status == 128 + attached->handed_on)
			attached->end.interrupted = attached->handed_on;
		attached_over(attached, 0);
	}
	lab_control_packet_finish(packet);
}

static struct event *watch(struct attached *attached, int fd, short what, event_callback_fn call)
{
	return event_new(attached->base, fd, what | EV_PERSIST, call, attached);
}

static int attached_watch(struct attached *attached)
{
	static const int numbers[SIGNALS] = {
		SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGTSTP, SIGCONT, SIGWINCH};
	attached->base = event_base_new();
	attached->received = malloc(sizeof(*attached->received));
	if (!attached->base || !attached->received)
		return -ENOMEM;
	attached->packet = watch(attached, attached->fd, EV_READ, on_packet);
	if (!attached->packet || event_add(attached->packet, NULL) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < SIGNALS; i++) {
		attached->signals[i] = watch(attached, numbers[i], EV_SIGNAL, on_signal);
		if (!attached->signals[i] || event_add(attached->signals[i], NULL) < 0)
			return -ENOMEM;
	}
	if (attached->master < 0)
		return 0;
	attached->keys = watch(attached, STDIN_FILENO, EV_READ, on_keys);
	attached->shown = watch(attached, attached->master, EV_READ, on_shown);
	attached->writable =
		event_new(attached->base, attached->master, EV_WRITE, on_writable, attached);
	return attached->keys && attached->shown && attached->writable ? 0 : -ENOMEM;
}

static void attached_finish(struct attached *attached)
{
	struct event **own[] = {
		&attached->packet, &attached->keys, &attached->shown, &attached->writable};
	raw_end(attached);
	for (size_t i = 0; i < ARRAY_LENGTH(own); i++)
		if (*own[i])
			event_free(*own[i]);
	for (size_t i = 0; i < SIGNALS; i++)
		if (attached->signals[i])
			event_free(attached->signals[i]);
	if (attached->base)
		event_base_free(attached->base);
	free(attached->received);
	close_fd(&attached->master);
	close_fd(&attached->fd);
}

/* NODE, TERMINAL, what the terminal and its user speak, "", WORD...: lab_control.h */
static int request_send(const struct attached *attached, const char *node, char *const *words,
	const int *fds, struct error *error)
{
	static const char *const told[] = {"TERM", "COLORTERM", "LANG", "LC_ALL", "LC_CTYPE"};
	CLEANUP(text_finish) struct text text = {0};
	text_append_bytes(&text, node, strlen(node) + 1);
	text_append_bytes(&text, attached->master >= 0 ? "0" : "-", 2);
	for (size_t i = 0; i < ARRAY_LENGTH(told); i++) {
		const char *value = getenv(told[i]);
		if (value)
			text_append(&text, "%s=%s", told[i], value);
		if (value)
			text_append_bytes(&text, "", 1);
	}
	text_append_bytes(&text, "", 1);
	for (; *words; words++)
		text_append_bytes(&text, *words, strlen(*words) + 1);
	if (text.failed)
		return error_set(error, -ENOMEM, "out of memory");
	int status = lab_control_send(attached->fd, LAB_CONTROL_EXEC, text_view(&text), text.length,
		fds, LAB_CONTROL_FDS_MOST);
	if (status == -EMSGSIZE)
		return error_set(error, status, "the command is too long: %zu bytes, of %d allowed",
			text.length, LAB_CONTROL_CONTENT_MOST);
	return status < 0 ? error_system(error, status, "cannot speak to the lab") : 0;
}

/*
 * The descriptors to hand over. On a terminal, and in front of it, the command gets one of its own
 * in that one's place; in the background it gets no keys, which are the shell's.
 */
static int streams_prepare(struct attached *attached, int fds[static 3], int *ret_slave,
	int *ret_nothing, struct error *error)
{
	struct winsize size = {0};
	bool terminal = isatty(STDIN_FILENO);
	for (int i = 0; i < 3; i++)
		fds[i] = i;
	if (terminal && !in_front()) {
		fds[0] = *ret_nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
		return fds[0] < 0 ? error_system(error, -errno, "cannot open /dev/null") : 0;
	}
	if (!terminal || !isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &attached->before) < 0)
		return 0;
	ioctl(STDIN_FILENO, TIOCGWINSZ, &size);
	if (openpty(&attached->master, ret_slave, NULL, &attached->before, &size) < 0)
		return error_system(error, -errno, "cannot make a terminal for the command");
	fcntl(attached->master, F_SETFL, O_NONBLOCK);
	fcntl(attached->master, F_SETFD, FD_CLOEXEC);
	for (int i = 0; i < 3; i++)
		if (isatty(i))
			fds[i] = *ret_slave;
	return 0;
}

int attach_exec(const struct registered *lab, const char *node, char *const *words,
	struct attach_end *ret_end, struct error *error)
{
	CLEANUP(attached_finish)
	struct attached attached = {.fd = -1, .master = -1, .error = error};
	CLEANUP(close_fd) int slave = -1, nothing = -1;
	int fds[LAB_CONTROL_FDS_MOST];
	int status = registered_connect(lab, &attached.fd, error);
	if (status == 0)
		status = streams_prepare(&attached, fds, &slave, &nothing, error);
	if (status < 0)
		return status;
	if (attached_watch(&attached) < 0)
		return error_set(error, -ENOMEM, "out of memory");
	status = request_send(&attached, node, words, fds, error);
	close_fd(&slave);
	if (status < 0)
		return status;
	while (!attached.over)
		event_base_loop(attached.base, EVLOOP_ONCE);
	shown_drain(&attached);
	*ret_end = attached.end;
	return attached.status;
}
