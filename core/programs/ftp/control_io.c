/* The control connection: bytes in and out, TLS, and the events that tell of them. */
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/log.h"
#include "programs/ftp/control_parts.h"
#include "programs/ftp/service.h"
#include "programs/ftp/socket.h"

/* A client that does not read its replies gets no more than these. */
#define OUTPUT_MAX (64 * 1024)

/* Everything is sent: say that no more comes, and wait a little for the client to close. */
static void control_said_all(struct control *control)
{
	stream_end(&control->stream);
	if (control->peer_ended)
		control_die(control, "closed");
}

void control_flush(struct control *control)
{
	while (!control->dead && control->output_sent < control->output.length) {
		enum stream_wait wait = STREAM_READY;
		size_t sent =
			stream_send(&control->stream, control->output.bytes + control->output_sent,
				control->output.length - control->output_sent, &wait);
		if (wait == STREAM_WANTS_WRITE || wait == STREAM_WANTS_READ) {
			/* What TLS wants to read comes by the event that is always waited for. */
			if (wait == STREAM_WANTS_WRITE)
				event_add(&control->write_event, NULL);
			return;
		}
		if (wait != STREAM_READY) {
			control_die(control, "the connection broke");
			return;
		}
		control->output_sent += sent;
	}
	text_finish(&control->output);
	control->output_sent = 0;
	if (control->closing && !control->dead)
		control_said_all(control);
}

void control_send(struct control *control, const char *text, size_t length)
{
	if (control->dead)
		return;
	/* RFC 854: the byte that begins Telnet codes, in a name, goes out twice. */
	const char *code;
	while (length > 0 && (code = memchr(text, FTP_INPUT_IAC, length))) {
		size_t through = (size_t)(code - text) + 1;
		text_append_bytes(&control->output, text, through);
		text_append_bytes(&control->output, code, 1);
		text += through;
		length -= through;
	}
	text_append_bytes(&control->output, text, length);
	if (control->output.failed || control->output.length > OUTPUT_MAX)
		control_die(control, "does not read its replies");
}

bool control_knows_local(struct control *control)
{
	return control->local.family || socket_local(control->stream.fd, &control->local);
}

/* The reply to AUTH goes out in clear; what the client sent behind AUTH was never said. */
void control_start_tls(struct control *control)
{
	struct error error;
	ftp_input_finish(&control->input);
	control_flush(control);
	ssize_t got = getrandom(&control->mark, sizeof(control->mark), 0);
	control->mark |= 1;
	struct stream_setup setup = {.tls = control->service->tls, .mark = control->mark};
	if (control->output.length > 0 || got != sizeof(control->mark) ||
		stream_secure(&control->stream, &setup, &error) < 0)
		control_die(control, "TLS cannot be begun");
}

/* Returns whether the connection can be spoken over. */
static bool control_shake(struct control *control)
{
	struct error error;
	switch (stream_shake(&control->stream, &error)) {
	case STREAM_READY:
		log_line("%s speaks TLS", control->guest.name);
		return true;
	case STREAM_WANTS_WRITE:
		event_add(&control->write_event, NULL);
		return false;
	case STREAM_WANTS_READ:
		return false;
	case STREAM_ENDED:
	case STREAM_FAILED:
		break;
	}
	control_die(control, error.text);
	return false;
}

/* Receive what there is room for; returns whether there may be more. */
static bool control_receive(struct control *control)
{
	char bytes[4096];
	enum stream_wait wait = STREAM_READY;
	size_t room = control->closing ? sizeof(bytes) : ftp_input_room(&control->input);
	if (room == 0)
		return false;
	size_t got = stream_receive(
		&control->stream, bytes, room < sizeof(bytes) ? room : sizeof(bytes), &wait);
	if (wait == STREAM_ENDED)
		control->peer_ended = true;
	else if (wait == STREAM_FAILED)
		control_die(control, "the connection broke");
	else if (got > 0 && !control->closing && !ftp_input_feed(&control->input, bytes, got))
		control_die(control, "out of memory");
	return got > 0 && !control->dead && stream_holds(&control->stream);
}

static void control_readable(evutil_socket_t fd, short what, void *argument)
{
	struct control *control = argument;
	(void)fd, (void)what;
	if (!control->stream.shaking || control_shake(control))
		while (control_receive(control))
			;
	control_settle(control);
}

static void control_writable(evutil_socket_t fd, short what, void *argument)
{
	struct control *control = argument;
	(void)fd, (void)what;
	if (control->stream.shaking)
		control_shake(control);
	control_settle(control);
}

/*
 * The client has closed its end while its buffer is full of lines that have not had their turn. It
 * is told once: the news would come again at every turn of the loop for as long as they wait.
 */
static void control_gone(evutil_socket_t fd, short what, void *argument)
{
	struct control *control = argument;
	(void)fd;
	(void)what;
	event_del(&control->gone_event);
	control->gone = true;
	control_settle(control);
}

void control_watch(struct control *control)
{
	bool room = control->closing || ftp_input_room(&control->input) > 0;
	bool reads = room && !control->peer_ended;
	if (reads && !control->reads) {
		event_del(&control->gone_event);
		event_add(&control->read_event, NULL);
	} else if (!reads) {
		event_del(&control->read_event);
		if (!control->peer_ended && !control->gone)
			event_add(&control->gone_event, NULL);
	}
	control->reads = reads;
	if (reads && stream_holds(&control->stream))
		event_active(&control->read_event, EV_READ, 1);
}

void control_io_init(struct control *control)
{
	struct event_base *base = control->service->base;
	int fd = control->stream.fd;
	event_assign(
		&control->read_event, base, fd, EV_READ | EV_PERSIST, control_readable, control);
	event_assign(&control->write_event, base, fd, EV_WRITE, control_writable, control);
	event_assign(&control->gone_event, base, fd, EV_CLOSED | EV_PERSIST, control_gone, control);
	event_add(&control->read_event, NULL);
	control->reads = true;
}

void control_io_finish(struct control *control)
{
	event_del(&control->read_event);
	event_del(&control->write_event);
	event_del(&control->gone_event);
	stream_close(&control->stream);
	ftp_input_finish(&control->input);
	text_finish(&control->output);
}
