/*
 * How much a server writes down of its clients: a flood of them must not turn into a flood of log
 * lines, which would cost more than serving them. What a limit keeps back is counted, and its
 * number told once a second.
 */
#ifndef PROGRAMS_FTP_DIARY_H
#define PROGRAMS_FTP_DIARY_H

#include <event2/event_struct.h>
#include <stdbool.h>

#include "base/log_limit.h"

enum diary_kind {
	DIARY_CLIENT, /* arrivals, turns and leavings */
	DIARY_REQUEST, /* commands, transfers, and steps forward in line */
	DIARY_KIND_COUNT
};

struct diary {
	struct log_limit limits[DIARY_KIND_COUNT];
	struct event event; /* set while something is kept back */
};

void diary_init(struct diary *diary, struct event_base *base);

/* Whether one more line of this kind may be logged now; where not, it is counted. */
bool diary_allows(struct diary *diary, enum diary_kind kind);

/* Tell what was kept back and not told yet. */
void diary_finish(struct diary *diary);

#endif
