#include "programs/ftp/service.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "programs/ftp/socket.h"

enum {
	ACCEPTS_A_TURN = 64,
	END_SECONDS = 2,
	PAUSE_MICROSECONDS = 100000,
	PLACES_AT_ONCE = 10, /* so far ahead in line each step forward is told as it happens */
	PLACES_SECONDS = 1,
};

static struct guest *guest_of(struct ftp_line_member *member)
{
	return (struct guest *)((char *)member - offsetof(struct guest, member));
}

static void service_place(struct guest *guest, size_t place)
{
	if (guest->place != place)
		guest->kind->place(guest, place);
	guest->place = place;
}

static void service_turn(struct guest *guest, bool arrives)
{
	guest->place = 0;
	guest->kind->turn(guest, arrives);
}

/* Tell those who wait their place, up to the one numbered `most`. */
static void service_tell(struct service *service, size_t most)
{
	size_t place = 0;
	struct ftp_line_member *member = ftp_line_first(&service->line);
	for (; member && place < most; member = ftp_line_next(member))
		service_place(guest_of(member), ++place);
}

/*
 * Serve whoever's turn it is. Of ten thousand in line each would be told ten thousand times of a
 * step forward: those behind hear of it once a second.
 */
static void service_call(struct service *service)
{
	static const struct timeval later = {.tv_sec = PLACES_SECONDS};
	struct ftp_line *line = &service->line;
	struct ftp_line_member *member;
	while (!service->ending && (member = ftp_line_call(line)))
		service_turn(guest_of(member), false);
	service_tell(service, PLACES_AT_ONCE);
	if (line->waiting > PLACES_AT_ONCE && !evtimer_pending(&service->places_event, NULL))
		evtimer_add(&service->places_event, &later);
}

static void service_places(evutil_socket_t fd, short what, void *argument)
{
	(void)fd, (void)what;
	service_tell(argument, SIZE_MAX);
}

static void service_line(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	service_call(argument);
}

/* Look later, from the loop, whose turn it is. */
static void service_line_changed(struct service *service)
{
	if (!service->ending)
		event_active(&service->line_event, EV_TIMEOUT, 1);
}

bool service_admit(struct service *service, struct guest *guest, int fd, struct endpoint *ret_peer)
{
	if (!socket_peer(fd, ret_peer) ||
		!(guest->host = ftp_hosts_arrive(&service->hosts, ret_peer)))
		return false;
	guest->kind = service->kind;
	guest->arrived_ns = clock_monotonic_ns();
	endpoint_format(ret_peer, guest->name);
	socket_tune_control(fd);
	return true;
}

void service_part(struct service *service, struct guest *guest)
{
	if (guest->host)
		ftp_hosts_leave(&service->hosts, guest->host);
	guest->host = NULL;
	ftp_line_leave(&service->line, &guest->member);
	service_line_changed(service);
}

static void service_arrive(struct service *service, int take_fd)
{
	struct guest *guest = service->kind->create(service, take_fd);
	if (!guest)
		return;
	guest->next = service->guests;
	if (service->guests)
		service->guests->previous = guest;
	service->guests = guest;
	service->guest_count++;

	service->counters.arrivals++;
	if (service->per_address && guest->host->connections > service->per_address) {
		service->counters.refused_for_address++;
		guest->kind->refuse(guest, true);
		return;
	}
	switch (ftp_line_arrive(&service->line, &guest->member)) {
	case FTP_LINE_SERVED:
		service_turn(guest, true);
		break;
	case FTP_LINE_WAITING:
		service_place(guest, service->line.waiting);
		break;
	case FTP_LINE_OUTSIDE:
		service->counters.refused++;
		guest->kind->refuse(guest, false);
		break;
	}
}

static void service_resume(evutil_socket_t fd, short what, void *argument)
{
	struct service *service = argument;
	(void)fd;
	(void)what;
	event_add(&service->accept_event, NULL);
}

/* Whether accept4() failed for want of something that will come back. */
static bool is_exhausted(int code)
{
	return code == EMFILE || code == ENFILE || code == ENOBUFS || code == ENOMEM;
}

static void service_accept(evutil_socket_t listener, short what, void *argument)
{
	static const struct timeval pause = {.tv_usec = PAUSE_MICROSECONDS};
	struct service *service = argument;
	(void)what;
	/* One who left in this turn of the loop must not make an arrival wait, or be refused. */
	service_call(service);
	for (int i = 0; i < ACCEPTS_A_TURN; i++) {
		int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			service_arrive(service, fd);
			continue;
		}
		if (is_exhausted(errno)) {
			/* The connection stays in the kernel's queue: do not spin on it. */
			log_line("cannot accept for a moment: %s", strerror(errno));
			event_del(&service->accept_event);
			event_add(&service->pause_event, &pause);
			return;
		}
		if (errno == EAGAIN)
			return;
	}
}

void service_forget(struct service *service, struct guest *guest)
{
	service_part(service, guest);
	if (guest->previous)
		guest->previous->next = guest->next;
	else
		service->guests = guest->next;
	if (guest->next)
		guest->next->previous = guest->previous;
	service->guest_count--;
	if (service->ending && service->guest_count == 0)
		event_base_loopbreak(service->base);
}

static void service_out_of_time(evutil_socket_t fd, short what, void *argument)
{
	struct service *service = argument;
	(void)fd;
	(void)what;
	event_base_loopbreak(service->base);
}

void service_init(
	struct service *service, struct event_base *base, int take_listener, uint64_t seed)
{
	service->base = base;
	service->began_ns = clock_monotonic_ns();
	service->guesses.key = seed;
	diary_init(&service->diary, base);
	ftp_hosts_init(&service->hosts, seed);
	evtimer_assign(&service->places_event, base, service_places, service);
	service->listener = take_listener;
	event_assign(&service->accept_event, base, take_listener, EV_READ | EV_PERSIST,
		service_accept, service);
	event_assign(&service->pause_event, base, -1, 0, service_resume, service);
	event_assign(&service->line_event, base, -1, 0, service_line, service);
	event_assign(&service->end_event, base, -1, 0, service_out_of_time, service);
}

void service_start(struct service *service)
{
	event_add(&service->accept_event, NULL);
}

void service_end(struct service *service)
{
	static const struct timeval patience = {.tv_sec = END_SECONDS};
	if (service->ending)
		return;
	service->ending = true;
	event_del(&service->accept_event);
	event_del(&service->pause_event);
	close_fd(&service->listener);
	event_add(&service->end_event, &patience);
	if (service->guest_count == 0)
		event_base_loopbreak(service->base);
	struct guest *next;
	for (struct guest *guest = service->guests; guest; guest = next) {
		next = guest->next;
		guest->kind->shutdown(guest);
	}
}

void service_finish(struct service *service)
{
	while (service->guests)
		service->guests->kind->destroy(service->guests);
	event_del(&service->accept_event);
	event_del(&service->pause_event);
	event_del(&service->line_event);
	event_del(&service->end_event);
	event_del(&service->places_event);
	diary_finish(&service->diary);
	close_fd(&service->listener);
	ftp_hosts_finish(&service->hosts);
	accounts_release(&service->accounts);
}
