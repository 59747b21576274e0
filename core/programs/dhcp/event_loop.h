/*
 * What our three programs share of libevent: readable descriptors, one deadline, SIGTERM. The
 * deadline comes on time also where the machine sleeps in between (CLOCK_BOOTTIME).
 */
#ifndef PROGRAMS_DHCP_EVENT_LOOP_H
#define PROGRAMS_DHCP_EVENT_LOOP_H

#include <event2/event.h>
#include <stdint.h>

#include "base/error.h"

struct event_loop_callbacks;

struct event_loop {
	const struct event_loop_callbacks *callbacks;
	struct event_base *base;
	struct event *readable, *timer, *tick, *signals[2];
	int timer_fd;
	uint64_t deadline_ns; /* for which the timer is set */
};

typedef void event_loop_callback(void *program);

struct event_loop_callbacks {
	void *program; /* passed to each */
	event_loop_callback *readable; /* `fd` has something to read */
	event_loop_callback *timer; /* the deadline has come */
	event_loop_callback *stop; /* SIGTERM or SIGINT */
	event_loop_callback *tick; /* a second after event_loop_tick(); may be NULL */
};

/* `callbacks` are borrowed for the loop's life, and the loop must not move. Release with event_loop_close(). */
int event_loop_open(struct event_loop *loop, int fd, const struct event_loop_callbacks *callbacks,
	struct error *error);
void event_loop_close(struct event_loop *loop);

/* Call `timer` at that time of the clock of now_ns; UINT64_MAX: not at all. Replaces the last one. */
void event_loop_set_deadline(struct event_loop *loop, uint64_t now_ns, uint64_t deadline_ns);

/* Call `tick` once, in a second: for what may wait. No effect where that is agreed already. */
void event_loop_tick(struct event_loop *loop);

/* Run until event_loop_end(). */
int event_loop_run(struct event_loop *loop, struct error *error);
void event_loop_end(struct event_loop *loop);

#endif
