#include "programs/dhcp/event_loop.h"

#include <errno.h>
#include <signal.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"

static void run_readable(evutil_socket_t fd, short what, void *argument)
{
	const struct event_loop_callbacks *callbacks = argument;
	(void)fd, (void)what;
	callbacks->readable(callbacks->program);
}

static void run_timer(evutil_socket_t fd, short what, void *argument)
{
	struct event_loop *loop = argument;
	uint64_t times;
	(void)what;
	if (read(fd, &times, sizeof(times)) < 0)
		return; /* it was set anew in the meantime */
	loop->deadline_ns = UINT64_MAX;
	loop->callbacks->timer(loop->callbacks->program);
}

static void run_tick(evutil_socket_t fd, short what, void *argument)
{
	const struct event_loop_callbacks *callbacks = argument;
	(void)fd, (void)what;
	if (callbacks->tick)
		callbacks->tick(callbacks->program);
}

static void run_stop(evutil_socket_t fd, short what, void *argument)
{
	const struct event_loop_callbacks *callbacks = argument;
	(void)fd, (void)what;
	callbacks->stop(callbacks->program);
}

int event_loop_open(struct event_loop *loop, int fd, const struct event_loop_callbacks *callbacks,
	struct error *error)
{
	void *argument = (void *)callbacks;
	*loop = (struct event_loop){
		.callbacks = callbacks,
		.base = event_base_new(),
		.timer_fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK),
		.deadline_ns = UINT64_MAX,
	};
	if (!loop->base || loop->timer_fd < 0) {
		event_loop_close(loop);
		return error_set(error, -ENOMEM, "cannot start the event loop");
	}
	loop->readable = event_new(loop->base, fd, EV_READ | EV_PERSIST, run_readable, argument);
	loop->timer = event_new(loop->base, loop->timer_fd, EV_READ | EV_PERSIST, run_timer, loop);
	loop->tick = evtimer_new(loop->base, run_tick, argument);
	loop->signals[0] = evsignal_new(loop->base, SIGTERM, run_stop, argument);
	loop->signals[1] = evsignal_new(loop->base, SIGINT, run_stop, argument);
	if (!loop->readable || !loop->timer || !loop->tick || !loop->signals[0] ||
		!loop->signals[1] || event_add(loop->readable, NULL) < 0 ||
		event_add(loop->timer, NULL) < 0 || event_add(loop->signals[0], NULL) < 0 ||
		event_add(loop->signals[1], NULL) < 0) {
		event_loop_close(loop);
		return error_set(error, -ENOMEM, "cannot start the event loop");
	}
	return 0;
}

static void event_release(struct event **event)
{
	if (*event)
		event_free(*event);
	*event = NULL;
}

void event_loop_close(struct event_loop *loop)
{
	event_release(&loop->readable);
	event_release(&loop->timer);
	event_release(&loop->tick);
	event_release(&loop->signals[0]);
	event_release(&loop->signals[1]);
	if (loop->timer_fd > 0)
		close(loop->timer_fd);
	loop->timer_fd = -1;
	if (loop->base)
		event_base_free(loop->base);
	loop->base = NULL;
}

void event_loop_set_deadline(struct event_loop *loop, uint64_t now_ns, uint64_t deadline_ns)
{
	if (deadline_ns == loop->deadline_ns && deadline_ns > now_ns)
		return;
	loop->deadline_ns = deadline_ns;
	struct itimerspec timer = {.it_interval = {0}};
	if (deadline_ns != UINT64_MAX) {
		/* At once is the least time that is not "never". */
		uint64_t left_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 1;
		timer.it_value.tv_sec = (time_t)(left_ns / NS_PER_SECOND);
		timer.it_value.tv_nsec = (long)(left_ns % NS_PER_SECOND);
	}
	timerfd_settime(loop->timer_fd, 0, &timer, NULL);
}

void event_loop_tick(struct event_loop *loop)
{
	static const struct timeval second = {.tv_sec = 1};
	if (!evtimer_pending(loop->tick, NULL))
		evtimer_add(loop->tick, &second);
}

int event_loop_run(struct event_loop *loop, struct error *error)
{
	if (event_base_dispatch(loop->base) < 0)
		return error_set(error, -EIO, "the event loop failed");
	return 0;
}

void event_loop_end(struct event_loop *loop)
{
	event_base_loopbreak(loop->base);
}
