#include "programs/ftp/control.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "ftp/command.h"
#include "programs/ftp/control_act.h"
#include "programs/ftp/service.h"
#include "programs/ftp/socket.h"

/* A client that does not read its replies gets no more than these. */
#define OUTPUT_MAX (64 * 1024)
/* How long a client that was told to go may take to close its end. */
#define LINGER_NS (2 * NS_PER_SECOND)
/* How long the control connection has to outlive an upload's data: control_is_cut_off(). */
#define UPLOAD_GRACE_MS 10

static void control_step(struct control *control, const struct ftp_event *event);

static void control_settle_later(struct control *control)
{
	event_active(&control->timer, EV_TIMEOUT, 1);
}

/* --- the timer: one for the session's deadline and for lingering --- */

static void control_arm(struct control *control, uint64_t at_ns, uint64_t now_ns)
{
	/* A timer that rings too early looks again: so most commands leave it alone. */
	if (at_ns >= control->timer_ns)
		return;
	uint64_t left_ns = at_ns > now_ns ? at_ns - now_ns : 0;
	struct timeval left = {.tv_sec = (time_t)(left_ns / NS_PER_SECOND),
		.tv_usec = (suseconds_t)(left_ns % NS_PER_SECOND / 1000) + 1};
	if (left.tv_usec >= 1000000)
		left.tv_usec = 999999;
	control->timer_ns = at_ns;
	event_add(&control->timer, &left);
}

/* --- sending --- */

/* Gone without a word: the place in line is free from now on. */
static void control_die(struct control *control, const char *why)
{
	if (control->dead)
		return;
	control->dead = true;
	if (!control->closing)
		log_line("%s leaves: %s", control->name, why);
	ftp_line_leave(&control->service->line, &control->member);
	service_line_changed(control->service);
	control_settle_later(control);
}

/* Everything is sent: say that no more comes, and wait a little for the client to close. */
static void control_said_all(struct control *control)
{
	stream_end(&control->stream);
	if (control->peer_ended)
		control_die(control, "closed");
}

static void control_flush(struct control *control)
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

static void control_send(struct control *control, const char *text, size_t length)
{
	if (control->dead)
		return;
	text_append_bytes(&control->output, text, length);
	if (control->output.failed || control->output.length > OUTPUT_MAX)
		control_die(control, "does not read its replies");
}

/* --- actions --- */

static void control_close(struct control *control)
{
	if (control->closing || control->dead)
		return;
	control->closing = true;
	log_line("%s leaves", control->name);
	ftp_line_leave(&control->service->line, &control->member);
	service_line_changed(control->service);
	uint64_t now_ns = clock_monotonic_ns();
	control->linger_ns = now_ns + LINGER_NS;
	control_arm(control, control->linger_ns, now_ns);
}

/* The reply to AUTH goes out in clear; what the client sent behind AUTH was never said. */
static void control_start_tls(struct control *control)
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

/* Do one action; returns true where `answer` is to be given to the session. */
static bool control_do(
	struct control *control, const struct ftp_action *action, struct ftp_event *answer)
{
	switch (action->kind) {
	case FTP_ACTION_REPLY:
		control_send(control, action->text, action->length);
		return false;
	case FTP_ACTION_CLOSE:
		control_close(control);
		return false;
	case FTP_ACTION_START_TLS:
		control_start_tls(control);
		return false;
	default:
		return control_act(control, action, answer);
	}
}

/* Step, do the actions in order, and step again with what they brought. */
static void control_step(struct control *control, const struct ftp_event *event)
{
	struct ftp_actions *actions = &control->service->actions;
	struct ftp_event answer = *event;
	uint64_t now_ns = clock_monotonic_ns();
	for (bool again = true; again;) {
		struct ftp_event given = answer;
		again = false;
		ftp_session_step(&control->session, &given, now_ns, actions);
		for (size_t i = 0; i < actions->count; i++)
			again |= control_do(control, &actions->list[i], &answer);
	}
	control_arm(control, control->session.deadline_ns, now_ns);
}

/* --- lines --- */

static void control_log_line(struct control *control, const char *line, size_t length)
{
	char text[256];
	struct ftp_command command;
	ftp_command_parse(line, length, &command);
	log_line("%s requests: %s", control->name,
		ftp_command_describe(&command, line, length, text, sizeof(text)));
}

/* Take lines as far as the session does, and as the client reads the replies. */
static void control_lines(struct control *control)
{
	while (!control->dead && !control->closing && control->output.length == 0) {
		const char *line = "";
		size_t length = 0;
		struct ftp_event event = {.kind = FTP_EVENT_LINE_TOO_LONG};
		enum ftp_input_kind kind = FTP_INPUT_NOTHING;
		/* In line nothing is looked at; a line that is too long stays in its place too. */
		if (control->session.state != FTP_SESSION_WAITING)
			kind = ftp_input_peek(&control->input, &line, &length);
		if (kind == FTP_INPUT_NOTHING)
			break;
		if (kind == FTP_INPUT_TOO_LONG)
			line = "";
		if (!ftp_session_takes(&control->session, line, length))
			break;
		if (kind == FTP_INPUT_LINE) {
			control_log_line(control, line, length);
			event = (struct ftp_event){.kind = FTP_EVENT_LINE,
				.line = line,
				.length = length,
				.moved_bytes = control->transfer.bytes};
		}
		control_step(control, &event);
		ftp_input_take(&control->input);
		control_flush(control);
	}
}

static void control_give_up(struct control *control)
{
	control->service->counters.gave_up_waiting++;
	control_die(control, "gave up its place in line");
}

/* The client has closed its end. What it had sent before is still done, unless it takes time. */
static void control_peer_ended(struct control *control)
{
	enum ftp_session_state state = control->session.state;
	if (control->dead)
		return;
	if (control->closing)
		control_die(control, "closed");
	else if (state == FTP_SESSION_WAITING)
		control_give_up(control);
	else if (state == FTP_SESSION_TRANSFER)
		control_die(control, "closed its connection during a transfer");
	else if (control->output.length == 0)
		control_die(control, "closed its connection");
}

/* After every event: take what can be taken, see what is to be watched, end what is over. */
static void control_settle(struct control *control)
{
	/* Unread bytes would hide from us that it leaves, and its place would stay taken. */
	if (control->session.state == FTP_SESSION_WAITING && ftp_input_room(&control->input) == 0)
		control_step(control, &(struct ftp_event){.kind = FTP_EVENT_TOO_EARLY});
	control_flush(control);
	control_lines(control);
	if (control->gone && control->session.state == FTP_SESSION_TRANSFER)
		control->peer_ended = true;
	if (control->peer_ended)
		control_peer_ended(control);
	if (control->dead) {
		control_destroy(control);
		return;
	}
	bool room = control->closing || ftp_input_room(&control->input) > 0;
	if (room && !control->peer_ended) {
		event_del(&control->gone_event);
		event_add(&control->read_event, NULL);
		if (stream_holds(&control->stream))
			event_active(&control->read_event, EV_READ, 1);
	} else {
		event_del(&control->read_event);
		if (!control->peer_ended && !control->gone)
			event_add(&control->gone_event, NULL);
	}
}

/* Returns whether the connection can be spoken over. */
static bool control_shake(struct control *control)
{
	struct error error;
	switch (stream_shake(&control->stream, &error)) {
	case STREAM_READY:
		log_line("%s speaks TLS", control->name);
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

static void control_time(evutil_socket_t fd, short what, void *argument)
{
	struct control *control = argument;
	(void)fd;
	(void)what;
	/* Also brought by control_settle_later(), which takes a set timer away: set it anew. */
	uint64_t now_ns = clock_monotonic_ns();
	control->timer_ns = UINT64_MAX;
	if (control->closing && now_ns >= control->linger_ns)
		control_die(control, "closed");
	else if (control->closing)
		control_arm(control, control->linger_ns, now_ns);
	else if (!control->dead)
		control_step(control, &(struct ftp_event){.kind = FTP_EVENT_TIME});
	control_settle(control);
}

/* --- data connection and transfer --- */

static void control_data_made(void *owner, int take_fd)
{
	struct control *control = owner;
	struct ftp_event event = {.kind = FTP_EVENT_ENDED, .outcome = FTP_OUTCOME_NOT_CONNECTED};
	struct stream stream = {.fd = take_fd};
	struct stream_setup setup = {.tls = control->service->tls, .mark = control->mark};
	bool protect = control->session.protect;
	if (take_fd >= 0 && protect && stream_secure(&stream, &setup, &(struct error){0}) < 0) {
		stream_close(&stream);
		event.outcome = FTP_OUTCOME_NOT_PROTECTED;
	}
	if (stream.fd >= 0) {
		if (protect && control->service->tls_reuse)
			control->transfer.required_mark = control->mark;
		transfer_start(&control->transfer, control->service->base, &stream);
		return;
	}
	control_step(control, &event);
	control_settle(control);
}

/*
 * A client that is killed in the middle of an upload ends its data connection as if the file were
 * complete (RFC 959's stream mode has no other end), and its control connection a moment later:
 * Linux closes first what was opened last. Only time tells: between its data's end and our 226 a
 * living client sends nothing either, so neither an ACK nor TCP_INFO knows it from a dying one.
 */
static bool control_is_cut_off(const struct control *control)
{
	struct pollfd state = {.fd = control->stream.fd, .events = POLLRDHUP};
	return poll(&state, 1, 0) == 1 && state.revents & (POLLRDHUP | POLLHUP | POLLERR);
}

static void control_transferred(struct control *control, enum ftp_outcome outcome, const char *what)
{
	log_line("%s %s %llu bytes%s", control->name, what,
		(unsigned long long)control->transfer.bytes,
		outcome == FTP_OUTCOME_DONE ? "" : ", aborted");
	control_record(control, outcome);
	struct ftp_event event = {.kind = FTP_EVENT_ENDED, .outcome = outcome};
	control_step(control, &event);
	control_settle(control);
}

static void control_uploaded(evutil_socket_t fd, short what, void *argument)
{
	struct control *control = argument;
	enum ftp_outcome outcome = FTP_OUTCOME_LOST;
	(void)fd;
	(void)what;
	if (!control_is_cut_off(control))
		outcome = control_commit(control);
	control_transferred(control, outcome, "sent");
}

static void control_ended(void *owner, enum ftp_outcome outcome)
{
	static const struct timeval grace = {.tv_usec = UPLOAD_GRACE_MS * 1000};
	struct control *control = owner;
	bool upload = control->transfer.kind == TRANSFER_RECEIVE;
	/* As long as ALLO said it would be: it is whole, whatever the client does next. */
	bool whole = control->transfer.expected_bytes > 0 &&
		     control->transfer.bytes == control->transfer.expected_bytes;
	if (upload && outcome == FTP_OUTCOME_DONE && whole)
		control_transferred(control, control_commit(control), "sent");
	else if (upload && outcome == FTP_OUTCOME_DONE)
		event_add(&control->upload_event, &grace);
	else
		control_transferred(control, outcome, upload ? "sent" : "was sent");
}

void control_answer(struct control *control, const struct ftp_event *answer)
{
	control_step(control, answer);
	control_settle(control);
}

/* --- from the service: never destroys, as the service walks its list --- */

void control_turn(struct control *control, const char *why)
{
	const struct ftp_line *line = &control->service->line;
	log_line("%s %s: served as one of %zu of %zu", control->name, why, line->served,
		line->clients);
	control->place = 0;
	control_step(control, &(struct ftp_event){.kind = FTP_EVENT_TURN});
	control_flush(control);
	control_settle_later(control); /* lines it sent early */
}

void control_place(struct control *control, size_t place)
{
	if (control->place == place)
		return;
	size_t served = control->service->line.served;
	log_line("%s %s: number %zu in line, %zu served", control->name,
		control->place ? "moves up" : "arrives", place, served);
	control->place = place;
	struct ftp_event event = {.kind = FTP_EVENT_PLACE, .place = place, .served = served};
	control_step(control, &event);
	control_flush(control);
}

void control_refuse(struct control *control, bool for_address)
{
	const struct ftp_line *line = &control->service->line;
	struct ftp_event event = {
		.kind = for_address ? FTP_EVENT_FULL_FOR_ADDRESS : FTP_EVENT_FULL};
	if (for_address)
		log_line("%s arrives: refused, its address has %zu connections already",
			control->name, control->host->connections - 1);
	else
		log_line("%s arrives: refused, %zu served and %zu in line", control->name,
			line->served, line->waiting);
	control_step(control, &event);
	control_flush(control);
}

void control_shutdown(struct control *control)
{
	control_step(control, &(struct ftp_event){.kind = FTP_EVENT_SHUTDOWN});
	control_flush(control);
}

/* --- life --- */

struct control *control_create(struct service *service, int take_fd)
{
	struct event_base *base = service->base;
	struct ftp_endpoint peer;
	struct control *control = socket_peer(take_fd, &peer) ? calloc(1, sizeof(*control)) : NULL;
	struct ftp_host *host = control ? ftp_hosts_arrive(&service->hosts, &peer) : NULL;
	if (!host) {
		free(control);
		close(take_fd);
		return NULL;
	}
	control->host = host;
	control->arrived_ns = clock_monotonic_ns();
	socket_tune_control(take_fd);
	control->service = service;
	control->stream.fd = take_fd;
	control->timer_ns = UINT64_MAX;
	control->source = -1;
	control->sink = STORE_SINK_NONE;
	ftp_endpoint_format(&peer, control->name);
	ftp_session_init(
		&control->session, &service->session_settings, &peer, clock_monotonic_ns());
	data_init(&control->data, base, control_data_made, control);
	control->data.ports = service->ports;
	transfer_init(&control->transfer, control_ended, control);
	event_assign(&control->read_event, base, take_fd, EV_READ | EV_PERSIST, control_readable,
		control);
	event_assign(&control->write_event, base, take_fd, EV_WRITE, control_writable, control);
	event_assign(
		&control->gone_event, base, take_fd, EV_CLOSED | EV_PERSIST, control_gone, control);
	event_assign(&control->upload_event, base, -1, 0, control_uploaded, control);
	event_assign(&control->timer, base, -1, 0, control_time, control);
	event_add(&control->read_event, NULL);
	return control;
}

void control_destroy(struct control *control)
{
	struct service *service = control->service;
	ftp_line_leave(&service->line, &control->member);
	service_line_changed(service);
	service_forget(service, control);
	ftp_hosts_leave(&service->hosts, control->host);
	control_drop_data(control);
	control_log_out(control);
	text_finish(&control->lines);
	event_del(&control->read_event);
	event_del(&control->write_event);
	event_del(&control->gone_event);
	event_del(&control->timer);
	stream_close(&control->stream);
	ftp_input_finish(&control->input);
	text_finish(&control->output);
	ftp_session_finish(&control->session);
	free(control);
}
