/* The three clocks. Only edges read them: pure code is told the time. Nanoseconds throughout. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>
#include <sys/time.h>
#include <time.h>

#define NS_PER_SECOND UINT64_C(1000000000)
#define NS_PER_MS     UINT64_C(1000000)

static inline uint64_t clock_read_ns(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

/* For durations and deadlines: never jumps. */
static inline uint64_t clock_monotonic_ns(void)
{
	return clock_read_ns(CLOCK_MONOTONIC);
}

/*
 * As the monotonic clock, but it goes on while the machine sleeps: for what must end on time
 * although nobody was awake, as leases.
 */
static inline uint64_t clock_boottime_ns(void)
{
	return clock_read_ns(CLOCK_BOOTTIME);
}

/* A duration as libevent's timers take it; nothing is too short to be waited for. */
static inline struct timeval clock_timeval(uint64_t ns)
{
	uint64_t microseconds = ns / 1000 + (ns % 1000 != 0);
	return (struct timeval){.tv_sec = (time_t)(microseconds / 1000000),
		.tv_usec = (suseconds_t)(microseconds % 1000000)};
}

/* For what people and other programs read: since 1970, UTC. */
static inline uint64_t clock_realtime_ns(void)
{
	return clock_read_ns(CLOCK_REALTIME);
}

/*
 * How many times longer than usual to wait before something is given up: SIM_TIME_SCALE, rounded up,
 * from 1 to 10,000. On an emulated processor everything takes 20 to 60 times as long, and is right
 * all the same. What the user has written down (a step's timeout, --wait) is not multiplied.
 */
unsigned clock_scale(void);

#endif
