#include "observe/observer.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "observe/watch_run.h"

/* Does not return. */
static void observer_child(const struct observer_setup *setup, int fd, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Who was orphaned before that line is not told. 0: a parent outside our PID namespace. */
	pid_t seen = getppid();
	if (seen != parent && seen != 0)
		_exit(1);
	_exit(watch_run(setup, fd) < 0 ? 1 : 0);
}

enum { START_MS = 5000, START_MS_A_PLACE = 10 }; /* many times what it takes */

static int observer_await_ready(struct observer *observer, size_t places, struct error *error)
{
	struct pollfd readable = {.fd = observer->fd, .events = POLLIN};
	uint64_t until_ns = clock_monotonic_ns() +
			    (START_MS + START_MS_A_PLACE * places) * NS_PER_MS * clock_scale();
	int ready = 0;
	while (ready <= 0) {
		uint64_t now_ns = clock_monotonic_ns();
		if (now_ns >= until_ns)
			return error_set(error, -ETIME, "the observer does not get ready");
		ready = poll(&readable, 1, (int)((until_ns - now_ns) / NS_PER_MS) + 1);
		if (ready < 0 && errno != EINTR)
			return error_system(error, -errno, "cannot wait for the observer");
	}
	struct fact answer;
	ssize_t length = recv(observer->fd, &answer, sizeof(answer), 0);
	if (length != (ssize_t)sizeof(answer))
		return error_set(error, -ECHILD, "the observer ended before it was ready");
	if (answer.kind == FACT_FAILED)
		return error_set(error, answer.failed.code, "%s", answer.failed.text);
	return 0;
}

int observer_start(
	const struct observer_setup *setup, struct observer *ret_observer, struct error *error)
{
	CLEANUP(close_fd) int own = -1;
	CLEANUP(close_fd) int other = -1;
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return error_system(error, -errno, "cannot make a socket pair");
	own = pair[0];
	other = pair[1];

	pid_t parent = getpid();
	pid_t pid = fork();
	if (pid < 0)
		return error_system(error, -errno, "cannot start the observer");
	if (pid == 0)
		observer_child(setup, other, parent);
	struct observer observer = {
		.fd = take_fd(&own),
		.pid_fd = pidfd_open(pid, 0),
		.pid = pid,
	};
	close_fd(&other);
	int status = observer_await_ready(&observer, setup->link_count + setup->node_count, error);
	if (status < 0)
		observer_finish(&observer);
	else
		*ret_observer = observer;
	return status;
}

int observer_receive(struct observer *observer, struct fact *ret_fact, struct error *error)
{
	if (observer->ended)
		return -ENODATA;
	ssize_t length;
	do
		length = recv(observer->fd, ret_fact, sizeof(*ret_fact), MSG_DONTWAIT);
	while (length < 0 && errno == EINTR);
	if (length < 0 && errno == EAGAIN)
		return 0;
	if (length < 0)
		return error_system(error, -errno, "cannot hear the observer");
	if (length != (ssize_t)sizeof(*ret_fact))
		return error_set(error, -ECHILD, "the observer has died");
	observer->ended = ret_fact->kind == FACT_END;
	return 1;
}

void observer_stop(struct observer *observer)
{
	/* The end of what we send it is the sign; it can still send to us. */
	if (observer->pid > 0)
		shutdown(observer->fd, SHUT_WR);
}

void observer_finish(struct observer *observer)
{
	if (observer->pid <= 0)
		return;
	if (!observer->ended && observer->pid_fd >= 0)
		pidfd_send_signal(observer->pid_fd, SIGKILL, NULL, 0);
	close_fd(&observer->fd);
	close_fd(&observer->pid_fd);
	/* Where the caller reaps all its children itself, there is nothing left to wait for. */
	while (waitpid(observer->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	*observer = (struct observer){.fd = -1, .pid_fd = -1};
}
