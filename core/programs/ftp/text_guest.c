#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "programs/ftp/text_guest_parts.h"

/* How long a client that was told to go may take to close its end. */
#define LINGER_NS (2 * NS_PER_SECOND)

enum { RECEIVES_A_TURN = 8, NAMES_A_TURN = 64 };

static struct text_guest *client_of(struct guest *guest)
{
	return (struct text_guest *)guest;
}

bool text_guest_told(struct text_guest *client, enum diary_kind kind)
{
	return diary_allows(&client->service->diary, kind);
}

static void settle_later(struct text_guest *client)
{
	alarm_ring(&client->alarm);
}

/* --- leaving --- */

/* Out of the line, so that its place is another's; why: NULL where it is as usual. */
static void part(struct text_guest *client, const char *why)
{
	if (client->guest.member.state == FTP_LINE_WAITING)
		client->service->counters.gave_up_waiting++;
	if (text_guest_told(client, DIARY_CLIENT))
		log_line("Client at %s disconnected%s%s", client->guest.name, why ? ": " : "",
			why ? why : "");
	service_part(client->service, &client->guest);
}

/* Gone without a word. */
static void die(struct text_guest *client, const char *why)
{
	if (client->dead)
		return;
	client->dead = true;
	text_guest_end_transfer(client);
	if (!client->closing)
		part(client, why);
	settle_later(client);
}

void text_guest_reset(struct text_guest *client, const char *why)
{
	static const struct linger at_once = {.l_onoff = 1};
	setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	die(client, why);
}

static void close_properly(struct text_guest *client, const char *why)
{
	uint64_t now_ns = clock_monotonic_ns();
	if (client->closing || client->dead)
		return;
	client->closing = true;
	part(client, why);
	client->linger_ns = now_ns + LINGER_NS;
	alarm_set(&client->alarm, client->linger_ns, now_ns);
}

/* --- out --- */

static void flush(struct text_guest *client)
{
	while (!client->dead && client->output_sent < client->output.length) {
		ssize_t sent = send(client->fd, client->output.bytes + client->output_sent,
			client->output.length - client->output_sent, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0 && errno == EAGAIN) {
			event_add(&client->write_event, NULL);
			return;
		}
		if (sent < 0)
			die(client, "the connection broke");
		else
			client->output_sent += (size_t)sent;
	}
	text_finish(&client->output);
	client->output_sent = 0;
	if (!client->closing || client->dead)
		return;
	shutdown(client->fd, SHUT_WR);
	if (client->peer_ended)
		die(client, NULL);
}

static void say(struct text_guest *client, const struct ftp_text_action *action)
{
	text_append_bytes(&client->output, action->text, action->length);
	if (client->output.failed)
		text_guest_reset(client, "out of memory");
}

/* --- steps --- */

static void log_received(struct text_guest *client, const struct ftp_text_action *action)
{
	char name[256];
	if (text_guest_told(client, DIARY_REQUEST))
		log_line("From client at %u received: %s", client->peer.port,
			log_quote(action->text, action->length, name, sizeof(name)));
}

/* Do one action; returns true where `answer` is to be given. */
static bool act(struct text_guest *client, const struct ftp_text_action *action,
	struct ftp_text_event *answer)
{
	switch (action->kind) {
	case FTP_TEXT_SAY:
		say(client, action);
		return false;
	case FTP_TEXT_RECEIVED:
		log_received(client, action);
		return false;
	case FTP_TEXT_REFUSED:
		if (text_guest_told(client, DIARY_REQUEST))
			log_line("%s is told that no file was found: %s", client->guest.name,
				action->text);
		return false;
	case FTP_TEXT_OPEN:
		answer->kind = FTP_TEXT_ANSWER;
		answer->outcome = text_guest_open(client, action->text);
		return true;
	case FTP_TEXT_START:
		text_guest_start(client);
		return false;
	case FTP_TEXT_CLOSE:
		close_properly(client, action->text);
		return false;
	case FTP_TEXT_ABORT:
		text_guest_reset(client, action->text);
		return false;
	}
	return false;
}

void text_guest_step(struct text_guest *client, const struct ftp_text_event *event)
{
	struct ftp_text_event given = *event, answer = {0};
	uint64_t now_ns = clock_monotonic_ns();
	for (bool again = true; again;) {
		struct ftp_text_actions actions;
		again = false;
		ftp_text_step(&client->text, &given, now_ns, &actions);
		for (size_t i = 0; i < actions.count; i++)
			again |= act(client, &actions.list[i], &answer);
		given = answer;
	}
	alarm_set(&client->alarm, client->text.deadline_ns, now_ns);
}

/* --- in --- */

/* Receive some of what there is room for; returns whether there may be more. */
static bool receive_some(struct text_guest *client)
{
	static const int on = 1;
	char bytes[4096];
	size_t room = client->closing ? sizeof(bytes) : ftp_text_room(&client->text);
	if (room == 0 || client->dead || client->peer_ended)
		return false;
	ssize_t got = recv(client->fd, bytes, room < sizeof(bytes) ? room : sizeof(bytes), 0);
	if (got < 0 && errno != EAGAIN && errno != EINTR)
		die(client, "the connection broke");
	if (got < 0)
		return errno == EINTR;
	client->peer_ended = got == 0;
	if (client->closing)
		return true;
	text_guest_step(
		client, &(struct ftp_text_event){.kind = got ? FTP_TEXT_BYTES : FTP_TEXT_ENDED,
				.bytes = bytes,
				.length = (size_t)got});
	/* Who sends byte by byte waits for an ACK of the first before the others go. */
	if (client->text.held_length > 0)
		setsockopt(client->fd, SOL_TCP, TCP_QUICKACK, &on, sizeof(on));
	return true;
}

/* Not all of a flood at once: others want to be served too. */
static void receive(struct text_guest *client)
{
	for (int i = 0; i < RECEIVES_A_TURN && receive_some(client); i++)
		;
}

static void watch(struct text_guest *client)
{
	bool room = client->closing || ftp_text_room(&client->text) > 0;
	if (room && !client->peer_ended)
		event_add(&client->read_event, NULL);
	else
		event_del(&client->read_event);
}

void text_guest_settle(struct text_guest *client)
{
	flush(client);
	for (int taken = 0; !client->dead && !client->closing && client->output.length == 0 &&
			    ftp_text_has_name(&client->text, clock_monotonic_ns());
		taken++) {
		if (taken == NAMES_A_TURN) {
			settle_later(client);
			break;
		}
		text_guest_step(client, &(struct ftp_text_event){.kind = FTP_TEXT_TAKE});
		flush(client);
	}
	if (client->closing && client->peer_ended && client->output.length == 0)
		die(client, NULL);
	if (client->dead)
		client->guest.kind->destroy(&client->guest);
	else
		watch(client);
}

static void readable(evutil_socket_t fd, short what, void *argument)
{
	(void)fd, (void)what;
	receive(argument);
	text_guest_settle(argument);
}

static void writable(evutil_socket_t fd, short what, void *argument)
{
	(void)fd, (void)what;
	text_guest_settle(argument);
}

static void ring(evutil_socket_t fd, short what, void *argument)
{
	struct text_guest *client = argument;
	uint64_t now_ns = clock_monotonic_ns();
	(void)fd, (void)what;
	alarm_rung(&client->alarm);
	if (client->closing && now_ns >= client->linger_ns)
		die(client, NULL);
	else if (client->closing)
		alarm_set(&client->alarm, client->linger_ns, now_ns);
	/* What is there already counts as come in time, however late we are to look. */
	receive(client);
	if (!client->dead)
		text_guest_step(client, &(struct ftp_text_event){.kind = FTP_TEXT_TIME});
	text_guest_settle(client);
}

/* --- from the service: never destroys, as the service walks its list --- */

static void text_guest_turn(struct guest *guest, bool arrives)
{
	struct text_guest *client = client_of(guest);
	const struct ftp_line *line = &client->service->line;
	if (text_guest_told(client, DIARY_CLIENT))
		log_line("%s%s%s: served as one of %zu of %zu",
			arrives ? "Got new connection from " : "", guest->name,
			arrives ? "" : " its turn has come", line->served, line->clients);
	text_guest_step(client, &(struct ftp_text_event){.kind = FTP_TEXT_TURN});
	settle_later(client); /* names it sent early */
}

/* It hears nothing: a partner would take any word for the greeting. */
static void text_guest_place(struct guest *guest, size_t place)
{
	struct text_guest *client = client_of(guest);
	bool arrives = guest->place == 0;
	if (text_guest_told(client, arrives ? DIARY_CLIENT : DIARY_REQUEST))
		log_line("%s%s%s: number %zu in line, %zu served",
			arrives ? "Got new connection from " : "", guest->name,
			arrives ? "" : " moves up", place, client->service->line.served);
}

static void text_guest_refuse(struct guest *guest, bool for_address)
{
	struct text_guest *client = client_of(guest);
	const struct ftp_line *line = &client->service->line;
	bool tell = text_guest_told(client, DIARY_CLIENT);
	if (tell && for_address)
		log_line("Got new connection from %s: refused, its address has %zu already",
			guest->name, guest->host->connections - 1);
	else if (tell)
		log_line("Got new connection from %s: refused, %zu served and %zu in line",
			guest->name, line->served, line->waiting);
	close_properly(client, NULL);
	flush(client);
}

static void text_guest_shutdown(struct guest *guest)
{
	struct text_guest *client = client_of(guest);
	if (client->text.state == FTP_TEXT_SENDING)
		text_guest_reset(client, "the server ends");
	else
		close_properly(client, "the server ends");
	flush(client);
}

static void text_guest_view(const struct guest *guest, struct guest_view *ret_view)
{
	const struct text_guest *client = (const struct text_guest *)guest;
	*ret_view = (struct guest_view){
		.state = ftp_text_state_name(client->text.state),
		.command = client->moving ? "RETR" : NULL,
		.path = client->text.path,
		.began_ns = client->began_ns,
		.bytes = client->transfer.bytes,
	};
}

/* --- life --- */

static struct guest *text_guest_create(struct service *service, int take_fd)
{
	struct text_guest *client = calloc(1, sizeof(*client));
	const struct ftp_session_settings *settings = &service->session_settings;
	if (!client || !service_admit(service, &client->guest, take_fd, &client->peer)) {
		free(client);
		close(take_fd);
		return NULL;
	}
	struct event_base *base = service->base;
	client->service = service;
	client->fd = take_fd;
	text_guest_init_transfer(client);
	event_assign(&client->read_event, base, take_fd, EV_READ | EV_PERSIST, readable, client);
	event_assign(&client->write_event, base, take_fd, EV_WRITE, writable, client);
	alarm_init(&client->alarm, base, ring, client);
	ftp_text_init(&client->text, settings->wait_ns, settings->idle_ns, clock_monotonic_ns());
	alarm_set(&client->alarm, client->text.deadline_ns, clock_monotonic_ns());
	watch(client);
	return &client->guest;
}

static void text_guest_destroy(struct guest *guest)
{
	struct text_guest *client = client_of(guest);
	service_forget(client->service, guest);
	text_guest_end_transfer(client);
	event_del(&client->read_event);
	event_del(&client->write_event);
	alarm_finish(&client->alarm);
	close_fd(&client->fd);
	text_finish(&client->output);
	ftp_text_finish(&client->text);
	free(client);
}

const struct guest_kind text_guest_kind = {
	.protocol = "text",
	.create = text_guest_create,
	.destroy = text_guest_destroy,
	.turn = text_guest_turn,
	.place = text_guest_place,
	.refuse = text_guest_refuse,
	.shutdown = text_guest_shutdown,
	.view = text_guest_view,
};
