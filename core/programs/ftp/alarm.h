/*
 * A timer that rings at an instant of the monotonic clock. Deadlines move away with every event and
 * timers are dear: it is only ever set earlier, so it may ring too early, and who is rung for looks
 * what time it is and sets it anew.
 */
#ifndef PROGRAMS_FTP_ALARM_H
#define PROGRAMS_FTP_ALARM_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdint.h>

#include "base/clock.h"

struct alarm {
	struct event event;
	uint64_t at_ns; /* UINT64_MAX: not set */
};

static inline void alarm_init(
	struct alarm *alarm, struct event_base *base, event_callback_fn rung, void *argument)
{
	alarm->at_ns = UINT64_MAX;
	event_assign(&alarm->event, base, -1, 0, rung, argument);
}

/* at_ns: UINT64_MAX: never. */
static inline void alarm_set(struct alarm *alarm, uint64_t at_ns, uint64_t now_ns)
{
	if (at_ns >= alarm->at_ns)
		return;
	struct timeval left = clock_timeval(at_ns > now_ns ? at_ns - now_ns : 0);
	alarm->at_ns = at_ns;
	event_add(&alarm->event, &left);
}

/* Ring in this turn of the loop; what it was set to is forgotten. */
static inline void alarm_ring(struct alarm *alarm)
{
	event_active(&alarm->event, EV_TIMEOUT, 1);
}

/* First in the callback: it is not set any more. */
static inline void alarm_rung(struct alarm *alarm)
{
	alarm->at_ns = UINT64_MAX;
}

static inline void alarm_finish(struct alarm *alarm)
{
	event_del(&alarm->event);
}

#endif
