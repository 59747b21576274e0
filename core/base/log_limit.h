/*
 * A limit for log lines that peers can cause: a token bucket. A line that is not allowed is not
 * even formatted, only counted, and once in a while (a second) the program says how many:
 *
 *	if (log_limit_allows(&limit, now_ns))
 *		log_line(...);
 *	...
 *	uint64_t kept_back = log_limit_take(&limit);
 *
 * Pure: the caller says what time it is, of any clock that never goes back.
 */
#ifndef BASE_LOG_LIMIT_H
#define BASE_LOG_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

struct log_limit {
	uint32_t rate; /* lines a second in the long run */
	uint32_t burst; /* lines at once, after a quiet time */
	/* Private; zero at first. */
	uint64_t used_ns; /* the time until which what was allowed has used the rate up */
	uint64_t kept_back;
};

/* Whether one more line may be written now; where not, it is counted. */
static inline bool log_limit_allows(struct log_limit *limit, uint64_t now_ns)
{
	uint64_t line_ns = NS_PER_SECOND / limit->rate;
	uint64_t used_ns = limit->used_ns > now_ns ? limit->used_ns : now_ns;
	if (used_ns + line_ns - now_ns > limit->burst * line_ns) {
		limit->kept_back++;
		return false;
	}
	limit->used_ns = used_ns + line_ns;
	return true;
}

/* How many were not allowed since the last call. */
static inline uint64_t log_limit_take(struct log_limit *limit)
{
	uint64_t kept_back = limit->kept_back;
	limit->kept_back = 0;
	return kept_back;
}

#endif
