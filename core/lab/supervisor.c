#include "lab/supervisor.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/pidfd.h>
#include <sys/socket.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "lab/supervisor_parts.h"

enum { END_GRACE_MS = 100 };

static void event_drop(struct event **event)
{
	if (*event)
		event_free(*event);
	*event = NULL;
}

bool visit_tell(struct visit *visit, enum lab_control_kind kind, const void *content, size_t length)
{
	return lab_control_send(visit->fd, kind, content, length, NULL, 0) == 0;
}

void visit_drop(struct visit *visit)
{
	struct supervisor *supervisor = visit->supervisor;
	for (size_t i = 0; i < supervisor->visit_count; i++)
		if (supervisor->visits[i] == visit)
			supervisor->visits[i] = supervisor->visits[--supervisor->visit_count];
	event_drop(&visit->readable);
	event_drop(&visit->grace);
	event_drop(&visit->tap_ended);
	process_finish(&visit->process);
	tap_finish(&visit->tap);
	close_fd(&visit->fd);
	free(visit);
}

static void visit_on_grace(evutil_socket_t fd, short what, void *argument)
{
	struct visit *visit = argument;
	(void)fd, (void)what;
	process_kill(&visit->process);
	if (visit->tap.pid > 0)
		visit_drop(visit);
}

void visit_leave(struct visit *visit)
{
	struct timeval grace = clock_timeval(VISIT_GRACE_MS * NS_PER_MS);
	if (!visit->process.running && visit->tap.pid == 0) {
		visit_drop(visit);
		return;
	}
	event_drop(&visit->readable);
	tap_stop(&visit->tap);
	process_signal_group(&visit->process, SIGHUP);
	process_signal_group(&visit->process, SIGCONT);
	visit->grace = evtimer_new(visit->supervisor->lab->base, visit_on_grace, visit);
	if (!visit->grace || evtimer_add(visit->grace, &grace) < 0)
		visit_on_grace(-1, 0, visit);
}

static void visit_on_packet(evutil_socket_t fd, short what, void *argument)
{
	struct visit *visit = argument;
	struct lab_control_packet *packet = &visit->supervisor->packet;
	(void)what;
	int status = lab_control_receive(fd, packet);
	bool stays = status == -EAGAIN || (status > 0 && visit_answer(visit, packet));
	lab_control_packet_finish(packet);
	if (!stays)
		visit_leave(visit);
}

/* Whether who has connected may be here at all, and whether he may do something. */
static bool visit_admit(const struct supervisor *supervisor, int fd, bool *ret_may_enter)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0)
		return false;
	*ret_may_enter = peer.uid == geteuid();
	return *ret_may_enter || peer.uid == supervisor->caller;
}

static void supervisor_on_connect(evutil_socket_t listen_fd, short what, void *argument)
{
	struct supervisor *supervisor = argument;
	bool may_enter;
	(void)what;
	CLEANUP(close_fd) int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0 || !visit_admit(supervisor, fd, &may_enter))
		return;
	if (supervisor->visit_count == VISITS_MOST) {
		struct error error;
		error_set(&error, -EBUSY, "%d commands run in this lab already, and no more may",
			VISITS_MOST);
		lab_control_send(fd, LAB_CONTROL_FAILED, &error, sizeof(error), NULL, 0);
		return;
	}
	struct visit *visit = calloc(1, sizeof(*visit));
	struct visit **slot =
		visit ? array_add(&supervisor->visits, &supervisor->visit_count) : NULL;
	if (!slot) {
		free(visit);
		return;
	}
	*slot = visit;
	visit->supervisor = supervisor;
	visit->may_enter = may_enter;
	visit->tap = TAP_NONE;
	visit->fd = take_fd(&fd);
	visit->readable = event_new(
		supervisor->lab->base, visit->fd, EV_READ | EV_PERSIST, visit_on_packet, visit);
	if (!visit->readable || event_add(visit->readable, NULL) < 0)
		visit_drop(visit);
}

static void supervisor_on_child(evutil_socket_t number, short what, void *argument)
{
	struct supervisor *supervisor = argument;
	(void)number, (void)what;
	for (size_t i = 0; i < supervisor->visit_count; i++) {
		struct visit *visit = supervisor->visits[i];
		if (process_take_stop(&visit->process) && visit->terminal)
			visit_tell(visit, LAB_CONTROL_STOPPED, NULL, 0);
	}
}

static void supervisor_on_end(struct supervisor *supervisor)
{
	*supervisor->ending = true;
	event_base_loopbreak(supervisor->lab->base);
}

/* Who cannot be found again cannot be taken down: the lab goes with its files. */
static void supervisor_on_moved(evutil_socket_t fd, short what, void *argument)
{
	struct supervisor *supervisor = argument;
	char events[4096];
	(void)what;
	while (read(fd, events, sizeof(events)) > 0)
		;
	if (!registration_stands(supervisor->registration))
		supervisor_on_end(supervisor);
}

static void supervisor_on_init(evutil_socket_t fd, short what, void *argument)
{
	(void)fd, (void)what;
	supervisor_on_end(argument);
}

static int watch_files(struct supervisor *supervisor, struct error *error)
{
	char path[32];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", supervisor->registration->lock_fd);
	supervisor->watch_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	/* A machine may have no more watches; the lab does without, and its end is then asked for. */
	if (supervisor->watch_fd < 0 ||
		inotify_add_watch(supervisor->watch_fd, path, IN_ATTRIB | IN_DELETE_SELF) < 0)
		return 0;
	supervisor->moved = event_new(supervisor->lab->base, supervisor->watch_fd,
		EV_READ | EV_PERSIST, supervisor_on_moved, supervisor);
	return supervisor->moved && event_add(supervisor->moved, NULL) == 0
		       ? 0
		       : error_set(error, -ENOMEM, "out of memory");
}

static int watch_all(struct supervisor *supervisor, struct error *error)
{
	struct event_base *base = supervisor->lab->base;
	supervisor->init_fd = pidfd_open(supervisor->lab->init.pid, 0);
	supervisor->connected = event_new(base, supervisor->listen_fd, EV_READ | EV_PERSIST,
		supervisor_on_connect, supervisor);
	supervisor->child = evsignal_new(base, SIGCHLD, supervisor_on_child, supervisor);
	supervisor->init_ended =
		event_new(base, supervisor->init_fd, EV_READ, supervisor_on_init, supervisor);
	if (!supervisor->connected || event_add(supervisor->connected, NULL) < 0 ||
		!supervisor->child || event_add(supervisor->child, NULL) < 0 ||
		!supervisor->init_ended || event_add(supervisor->init_ended, NULL) < 0)
		return error_set(error, -ENOMEM, "out of memory");
	return watch_files(supervisor, error);
}

/* Who called sudo, if anybody did. */
static uid_t sudo_caller(void)
{
	const char *text = getenv("SUDO_UID");
	uint64_t uid;
	bool called = text && text_parse_number(text, 0, UINT32_MAX - 1, &uid);
	return called ? (uid_t)uid : (uid_t)-1;
}

int supervisor_start(const struct supervisor_setup *setup, struct supervisor **ret_supervisor,
	struct error *error)
{
	CLEANUP(supervisor_finish) struct supervisor *supervisor = calloc(1, sizeof(*supervisor));
	if (!supervisor)
		return error_set(error, -ENOMEM, "out of memory");
	supervisor->lab = setup->lab;
	supervisor->registration = setup->registration;
	supervisor->ending = setup->ending;
	supervisor->since_ns = clock_realtime_ns();
	supervisor->caller = sudo_caller();
	supervisor->listen_fd = supervisor->watch_fd = supervisor->init_fd = -1;
	int status = registration_listen(setup->registration, &supervisor->listen_fd, error);
	if (status == 0)
		status = watch_all(supervisor, error);
	if (status == 0)
		*ret_supervisor = TAKE(supervisor);
	return status;
}

void supervisor_serve(struct supervisor *supervisor)
{
	enum { LONG_SECONDS = 3600 };
	while (!*supervisor->ending &&
		lab_turn(supervisor->lab, clock_monotonic_ns() + LONG_SECONDS * NS_PER_SECOND))
		;
}

static bool visits_run(const struct supervisor *supervisor)
{
	for (size_t i = 0; i < supervisor->visit_count; i++)
		if (supervisor->visits[i]->process.running || supervisor->visits[i]->tap.pid > 0)
			return true;
	return false;
}

/* A shell that is told has the time to write down what was typed. */
static void visits_end(struct supervisor *supervisor)
{
	uint64_t until_ns = clock_monotonic_ns() + END_GRACE_MS * NS_PER_MS;
	for (size_t i = 0; i < supervisor->visit_count; i++) {
		process_signal_group(&supervisor->visits[i]->process, SIGHUP);
		process_signal_group(&supervisor->visits[i]->process, SIGCONT);
		tap_stop(&supervisor->visits[i]->tap);
	}
	while (visits_run(supervisor) && clock_monotonic_ns() < until_ns)
		lab_turn(supervisor->lab, until_ns);
}

void supervisor_end(struct supervisor *supervisor)
{
	event_drop(&supervisor->connected);
	event_drop(&supervisor->child);
	event_drop(&supervisor->moved);
	event_drop(&supervisor->init_ended);
	close_fd(&supervisor->listen_fd);
	close_fd(&supervisor->watch_fd);
	close_fd(&supervisor->init_fd);
	visits_end(supervisor);
	for (size_t i = supervisor->visit_count; i-- > 0;)
		if (!supervisor->visits[i]->waits)
			visit_drop(supervisor->visits[i]);
}

void supervisor_finish(struct supervisor **supervisor)
{
	const int32_t well = 0;
	if (!*supervisor)
		return;
	supervisor_end(*supervisor);
	CLEANUP(text_finish) struct text end = {0};
	const struct scenario_result *result = (*supervisor)->lab->result;
	text_append_bytes(&end, (const char *)&well, sizeof(well));
	for (size_t i = 0; i < result->note_count; i++)
		text_append(&end, "%s\n", result->notes[i]);
	while ((*supervisor)->visit_count) {
		struct visit *visit = (*supervisor)->visits[(*supervisor)->visit_count - 1];
		visit_tell(visit, LAB_CONTROL_ENDED, text_view(&end), end.length);
		visit_drop(visit);
	}
	free((*supervisor)->visits);
	free(*supervisor);
	*supervisor = NULL;
}
