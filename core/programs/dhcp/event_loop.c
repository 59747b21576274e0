#include "programs/dhcp/event_loop.h"

#include <errno.h>
#include <signal.h>

#include "base/clock.h"

static void run_readable(evutil_socket_t fd, short what, void *argument)
{
	const struct event_loop_callbacks *callbacks = argument;
	(void)fd, (void)what;
	callbacks->readable(callbacks->program);
}

static void run_timer(evutil_socket_t fd, short what, void *argument)
{
	const struct event_loop_callbacks *callbacks = argument;
	(void)fd, (void)what;
	callbacks->timer(callbacks->program);
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

/* libevent may read the monotonic clock of the last tick; a deadline must not be met early. */
static struct event_base *base_new(void)
{
	struct event_config *config = event_config_new();
	if (!config)
		return NULL;
	event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
	struct event_base *base = event_base_new_with_config(config);
	event_config_free(config);
	return base;
}

int event_loop_open(struct event_loop *loop, int fd, const struct event_loop_callbacks *callbacks,
	struct error *error)
{
	void *argument = (void *)callbacks;
	*loop = (struct event_loop){.base = base_new()};
	if (!loop->base)
		return error_set(error, -ENOMEM, "cannot start the event loop");
	loop->readable = event_new(loop->base, fd, EV_READ | EV_PERSIST, run_readable, argument);
	loop->timer = evtimer_new(loop->base, run_timer, argument);
	loop->tick = evtimer_new(loop->base, run_tick, argument);
	loop->signals[0] = evsignal_new(loop->base, SIGTERM, run_stop, argument);
	loop->signals[1] = evsignal_new(loop->base, SIGINT, run_stop, argument);
	if (!loop->readable || !loop->timer || !loop->tick || !loop->signals[0] ||
		!loop->signals[1] || event_add(loop->readable, NULL) < 0 ||
		event_add(loop->signals[0], NULL) < 0 || event_add(loop->signals[1], NULL) < 0) {
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
	if (loop->base)
		event_base_free(loop->base);
	loop->base = NULL;
}

void event_loop_set_deadline(struct event_loop *loop, uint64_t now_ns, uint64_t deadline_ns)
{
	if (deadline_ns == UINT64_MAX) {
		event_del(loop->timer);
		return;
	}
	/* Rounded up to the next microsecond, so that the deadline has come when it is called. */
	uint64_t left_ns = deadline_ns > now_ns ? deadline_ns - now_ns + 999 : 0;
	struct timeval left = {
		.tv_sec = (time_t)(left_ns / NS_PER_SECOND),
		.tv_usec = (suseconds_t)(left_ns % NS_PER_SECOND / 1000),
	};
	event_add(loop->timer, &left);
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
