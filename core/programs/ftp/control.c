#include "programs/ftp/control.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "ftp/command.h"
#include "programs/ftp/control_parts.h"
#include "programs/ftp/service.h"
#include "programs/ftp/socket.h"

/* How long a client that was told to go may take to close its end. */
#define LINGER_NS (2 * NS_PER_SECOND)

static void control_settle_later(struct control *control)
{
	alarm_ring(&control->alarm);
}

/* --- leaving --- */

void control_die(struct control *control, const char *why)
{
	if (control->dead)
		return;
	control->dead = true;
	if (control->guest.member.state == FTP_LINE_WAITING)
		control->service->counters.gave_up_waiting++;
	control_data_drop(control);
	if (!control->closing && diary_allows(&control->service->diary, DIARY_CLIENT))
		log_line("%s leaves: %s", control->guest.name, why);
	service_part(control->service, &control->guest);
	control_settle_later(control);
}

void control_close(struct control *control)
{
	if (control->closing || control->dead)
		return;
	control->closing = true;
	if (diary_allows(&control->service->diary, DIARY_CLIENT))
		log_line("%s leaves", control->guest.name);
	service_part(control->service, &control->guest);
	uint64_t now_ns = clock_monotonic_ns();
	control->linger_ns = now_ns + LINGER_NS;
	alarm_set(&control->alarm, control->linger_ns, now_ns);
}

/* --- steps --- */

void control_step(struct control *control, const struct ftp_event *event)
{
	struct ftp_actions *actions = &control->service->actions;
	struct ftp_event answer = *event;
	uint64_t now_ns = clock_monotonic_ns();
	for (bool again = true; again;) {
		struct ftp_event given = answer;
		again = false;
		ftp_session_step(&control->session, &given, now_ns, actions);
		for (size_t i = 0; i < actions->count; i++)
			again |= control_act(control, &actions->list[i], &answer);
	}
	alarm_set(&control->alarm, control->session.deadline_ns, now_ns);
}

/* --- lines --- */

static void control_log_line(struct control *control, const char *line, size_t length)
{
	char text[256];
	struct ftp_command command;
	if (!diary_allows(&control->service->diary, DIARY_REQUEST))
		return;
	ftp_command_parse(line, length, &command);
	log_line("%s requests: %s", control->guest.name,
		ftp_command_describe(&command, line, length, text, sizeof(text)));
}

static bool is_abor(const char *line, size_t length)
{
	struct ftp_command command;
	return ftp_command_parse(line, length, &command) == FTP_COMMAND_GOOD &&
	       command.verb == FTP_ABOR;
}

/*
 * An ABOR ends the transfer that moves although other commands wait before it: that is what it is
 * for. Those and the ABOR itself are answered in their turn. Returns whether it did.
 */
static bool control_abort(struct control *control)
{
	if (control->session.state != FTP_SESSION_TRANSFER ||
		!ftp_input_find(&control->input, is_abor))
		return false;
	control_step(control,
		&(struct ftp_event){.kind = FTP_EVENT_ENDED, .outcome = FTP_OUTCOME_ABORTED});
	control_flush(control);
	return true;
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
		if (!ftp_session_takes(&control->session, line, length)) {
			if (control_abort(control))
				continue;
			break;
		}
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

/* The client has closed its end. What it had sent before is still done, unless it takes time. */
static void control_peer_ended(struct control *control)
{
	enum ftp_session_state state = control->session.state;
	if (control->dead)
		return;
	if (state == FTP_SESSION_TRANSFER && control_data_outlives(control))
		return;
	if (control->closing)
		control_die(control, "closed");
	else if (state == FTP_SESSION_WAITING)
		control_die(control, "gave up its place in line");
	else if (state == FTP_SESSION_TRANSFER)
		control_die(control, "closed its connection during a transfer");
	else if (control->output.length == 0)
		control_die(control, "closed its connection");
}

void control_settle(struct control *control)
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
		control->guest.kind->destroy(&control->guest);
		return;
	}
	control_watch(control);
}

static void control_time(evutil_socket_t fd, short what, void *argument)
{
	struct control *control = argument;
	(void)fd;
	(void)what;
	uint64_t now_ns = clock_monotonic_ns();
	alarm_rung(&control->alarm);
	if (control->closing && now_ns >= control->linger_ns)
		control_die(control, "closed");
	else if (control->closing)
		alarm_set(&control->alarm, control->linger_ns, now_ns);
	else if (!control->dead)
		control_step(control, &(struct ftp_event){.kind = FTP_EVENT_TIME});
	control_settle(control);
}

void control_answer(struct control *control, const struct ftp_event *answer)
{
	control_step(control, answer);
	control_settle(control);
}

/* --- from the service: never destroys, as the service walks its list --- */

static struct control *control_of(struct guest *guest)
{
	return (struct control *)guest;
}

static void control_turn(struct guest *guest, bool arrives)
{
	struct control *control = control_of(guest);
	const struct ftp_line *line = &control->service->line;
	if (diary_allows(&control->service->diary, DIARY_CLIENT))
		log_line("%s %s: served as one of %zu of %zu", guest->name,
			arrives ? "arrives" : "its turn has come", line->served, line->clients);
	control_step(control, &(struct ftp_event){.kind = FTP_EVENT_TURN});
	control_flush(control);
	control_settle_later(control); /* lines it sent early */
}

static void control_place(struct guest *guest, size_t place)
{
	struct control *control = control_of(guest);
	size_t served = control->service->line.served;
	bool arrives = guest->place == 0;
	if (diary_allows(&control->service->diary, arrives ? DIARY_CLIENT : DIARY_REQUEST))
		log_line("%s %s: number %zu in line, %zu served", guest->name,
			arrives ? "arrives" : "moves up", place, served);
	struct ftp_event event = {.kind = FTP_EVENT_PLACE, .place = place, .served = served};
	control_step(control, &event);
	control_flush(control);
}

static void control_refuse(struct guest *guest, bool for_address)
{
	struct control *control = control_of(guest);
	const struct ftp_line *line = &control->service->line;
	struct ftp_event event = {
		.kind = for_address ? FTP_EVENT_FULL_FOR_ADDRESS : FTP_EVENT_FULL};
	bool told = diary_allows(&control->service->diary, DIARY_CLIENT);
	if (told && for_address)
		log_line("%s arrives: refused, its address has %zu connections already",
			guest->name, guest->host->connections - 1);
	else if (told)
		log_line("%s arrives: refused, %zu served and %zu in line", guest->name,
			line->served, line->waiting);
	control_step(control, &event);
	control_flush(control);
}

static void control_shutdown(struct guest *guest)
{
	struct control *control = control_of(guest);
	control_step(control, &(struct ftp_event){.kind = FTP_EVENT_SHUTDOWN});
	control_flush(control);
}

static void control_view(const struct guest *guest, struct guest_view *ret_view)
{
	const struct control *control = (const struct control *)guest;
	const struct ftp_session *session = &control->session;
	bool moves = session->state == FTP_SESSION_TRANSFER;
	*ret_view = (struct guest_view){
		.user = control->account && session->rights ? session->name : NULL,
		.state = ftp_session_state_name(session->state),
		.secure = session->secure,
		.command = moves ? ftp_verb_name(session->asked) : NULL,
		.path = session->asked_path,
		.began_ns = control->began_ns,
		.bytes = control->transfer.bytes,
	};
}

/* --- life --- */

static struct guest *control_create(struct service *service, int take_fd)
{
	struct endpoint peer;
	struct control *control = calloc(1, sizeof(*control));
	if (!control || !service_admit(service, &control->guest, take_fd, &peer)) {
		free(control);
		close(take_fd);
		return NULL;
	}
	control->service = service;
	control->stream.fd = take_fd;
	ftp_session_init(
		&control->session, &service->session_settings, &peer, clock_monotonic_ns());
	control_io_init(control);
	control_data_init(control);
	alarm_init(&control->alarm, service->base, control_time, control);
	return &control->guest;
}

static void control_destroy(struct guest *guest)
{
	struct control *control = control_of(guest);
	service_forget(control->service, guest);
	control_data_drop(control);
	control_log_out(control);
	text_finish(&control->lines);
	alarm_finish(&control->alarm);
	control_io_finish(control);
	ftp_session_finish(&control->session);
	free(control);
}

const struct guest_kind control_kind = {
	.protocol = "ftp",
	.create = control_create,
	.destroy = control_destroy,
	.turn = control_turn,
	.place = control_place,
	.refuse = control_refuse,
	.shutdown = control_shutdown,
	.view = control_view,
};
