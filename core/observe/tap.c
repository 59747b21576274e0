#include "observe/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/privilege.h"
#include "observe/confine.h"
#include "observe/pcapng.h"
#include "process/told.h"

enum {
	OUT_SIZE = 256 * 1024,
	FRAMES_A_TURN = 256,
	FAILURES_MOST = 100, /* one after another, with nothing between: the interface is gone */
	DOWN_MS = 50, /* an interface that is down is looked at again after so long */
};

struct tapping {
	const struct tap_setup *setup;
	struct capture capture;
	uint64_t written;
	bool over; /* nobody reads any more */
	size_t length;
	uint8_t out[OUT_SIZE];
};

static void out_flush(struct tapping *tapping)
{
	const uint8_t *at = tapping->out;
	while (tapping->length && !tapping->over) {
		ssize_t written = write(tapping->setup->out_fd, at, tapping->length);
		if (written < 0 && errno == EAGAIN) {
			/* It was made not to block by somebody who shares it. */
			struct pollfd writable = {.fd = tapping->setup->out_fd, .events = POLLOUT};
			poll(&writable, 1, -1);
		} else if (written < 0 && errno != EINTR) {
			tapping->over = true;
		} else if (written > 0) {
			at += written;
			tapping->length -= (size_t)written;
		}
	}
	tapping->length = 0;
}

static struct writer out_writer(struct tapping *tapping, size_t size)
{
	if (tapping->length + size > OUT_SIZE)
		out_flush(tapping);
	return writer_over(tapping->out + tapping->length, OUT_SIZE - tapping->length);
}

static void on_frame(void *argument, const struct capture_frame *frame)
{
	struct tapping *tapping = argument;
	struct pcapng_packet packet = {.time_ns = frame->time_ns,
		.length = frame->length,
		.captured = frame->captured,
		.bytes = frame->bytes};
	struct writer writer = out_writer(tapping, pcapng_packet_size(frame->captured));
	pcapng_write_packet(&writer, &packet);
	if (writer.overflow)
		return;
	tapping->length += writer_used(&writer);
	tapping->written++;
}

static void write_head(struct tapping *tapping)
{
	struct utsname machine = {0};
	char system[sizeof(machine.sysname) + sizeof(machine.release) + 1];
	uname(&machine);
	snprintf(system, sizeof(system), "%s %s", machine.sysname, machine.release);
	struct pcapng_interface interface = {.name = tapping->setup->place.name,
		.mac = tapping->setup->mac,
		.snaplen = tapping->capture.snaplen};
	struct writer writer = out_writer(tapping, OUT_SIZE);
	pcapng_write_section(&writer, system, tapping->setup->application);
	pcapng_write_interface(&writer, &interface);
	tapping->length += writer_used(&writer);
	out_flush(tapping);
}

static void write_tail(struct tapping *tapping)
{
	struct capture_counts counts = capture_count(&tapping->capture);
	struct pcapng_statistics statistics = {.time_ns = clock_realtime_ns(),
		.received = counts.seen,
		.dropped = counts.lost,
		.delivered = tapping->written};
	struct writer writer = out_writer(tapping, PCAPNG_STATISTICS_SIZE);
	pcapng_write_statistics(&writer, &statistics);
	tapping->length += writer_used(&writer);
	out_flush(tapping);
}

/* All that waits; false where reading failed. */
static bool ring_empty(struct tapping *tapping)
{
	struct error ignored;
	int count;
	do
		count = capture_read(&tapping->capture, FRAMES_A_TURN, on_frame, tapping, &ignored);
	while (count == FRAMES_A_TURN && !tapping->over);
	out_flush(tapping);
	return count >= 0;
}

/* Until the lifeline ends, or the reader has gone. A link may go down and come back. */
static void tap_loop(struct tapping *tapping, int lifeline)
{
	int failures = 0;
	while (!tapping->over && failures < FAILURES_MOST) {
		struct pollfd fds[] = {{.fd = lifeline, .events = POLLIN},
			{.fd = tapping->setup->out_fd, .events = 0},
			{.fd = failures ? -1 : tapping->capture.fd, .events = POLLIN}};
		if (poll(fds, ARRAY_LENGTH(fds), failures ? DOWN_MS : -1) < 0 && errno != EINTR)
			return;
		if (fds[1].revents & (POLLERR | POLLHUP))
			return;
		failures = ring_empty(tapping) ? 0 : failures + 1;
		if (fds[0].revents)
			return;
	}
}

static _Noreturn void tap_main(const struct tap_setup *setup, int lifeline, int told)
{
	static struct tapping tapping;
	struct error error;
	int keep[] = {setup->place.netns_fd, setup->out_fd, lifeline, told};
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "sim-tap");
	confine_signals();
	confine_descriptors(keep, ARRAY_LENGTH(keep));
	tapping.setup = setup;
	int status = captures_open(&setup->place, 1, &tapping.capture, &error);
	if (status == 0)
		status = privileges_keep(0, &error);
	if (status == 0)
		write_head(&tapping);
	told_send(told, status < 0 ? &error : NULL);
	if (status < 0)
		_exit(1);
	close(told);
	tap_loop(&tapping, lifeline);
	ring_empty(&tapping);
	write_tail(&tapping);
	_exit(0);
}

int tap_start(const struct tap_setup *setup, struct tap *ret_tap, struct error *error)
{
	int lifeline[2], told[2];
	if (pipe2(lifeline, O_CLOEXEC) < 0)
		return error_system(error, -errno, "cannot create a pipe");
	CLEANUP(close_fd) int lifeline_in = lifeline[0], lifeline_out = lifeline[1];
	if (pipe2(told, O_CLOEXEC) < 0)
		return error_system(error, -errno, "cannot create a pipe");
	CLEANUP(close_fd) int told_by = told[0], tell_to = told[1];
	pid_t pid = fork();
	if (pid < 0)
		return error_system(error, -errno, "cannot create a process");
	if (pid == 0)
		tap_main(setup, lifeline_in, tell_to);
	close_fd(&tell_to);
	struct tap tap = {pid, pidfd_open(pid, 0), take_fd(&lifeline_out)};
	int status = told_await(told_by, false, "the process that captures", error);
	if (status == 0 && tap.pidfd < 0)
		status = error_system(error, -errno, "cannot watch the process that captures");
	if (status < 0)
		tap_finish(&tap);
	else
		*ret_tap = tap;
	return status;
}

void tap_stop(struct tap *tap)
{
	close_fd(&tap->lifeline);
}

void tap_finish(struct tap *tap)
{
	if (tap->pid > 0) {
		kill(tap->pid, SIGKILL);
		while (waitpid(tap->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	close_fd(&tap->pidfd);
	close_fd(&tap->lifeline);
	*tap = TAP_NONE;
}
