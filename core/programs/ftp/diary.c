#include "programs/ftp/diary.h"

#include <event2/event.h>

#include "base/log.h"

static const struct {
	struct log_limit limit; /* a second, and at once: a classroom's worth, not a flood's */
	const char *name;
} kinds[DIARY_KIND_COUNT] = {
	[DIARY_CLIENT] = {{.rate = 5000, .burst = 50000}, "arrivals and leavings"},
	[DIARY_REQUEST] = {{.rate = 500, .burst = 2000}, "requests"},
};

static void diary_tell(struct diary *diary)
{
	for (unsigned i = 0; i < DIARY_KIND_COUNT; i++) {
		uint64_t kept_back = log_limit_take(&diary->limits[i]);
		if (kept_back)
			log_line("%llu lines about %s are not written: too many at once",
				(unsigned long long)kept_back, kinds[i].name);
	}
}

static void diary_time(evutil_socket_t fd, short what, void *argument)
{
	(void)fd, (void)what;
	diary_tell(argument);
}

void diary_init(struct diary *diary, struct event_base *base)
{
	for (unsigned i = 0; i < DIARY_KIND_COUNT; i++)
		diary->limits[i] = kinds[i].limit;
	event_assign(&diary->event, base, -1, 0, diary_time, diary);
}

bool diary_allows(struct diary *diary, enum diary_kind kind)
{
	static const struct timeval a_second = {.tv_sec = 1};
	if (log_limit_allows(&diary->limits[kind], clock_monotonic_ns()))
		return true;
	if (!evtimer_pending(&diary->event, NULL))
		evtimer_add(&diary->event, &a_second);
	return false;
}

void diary_finish(struct diary *diary)
{
	event_del(&diary->event);
	diary_tell(diary);
}
