/* How far something long has come: told while it goes on, for people who wait and may not want to. */
#ifndef BASE_PROGRESS_H
#define BASE_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * `what` is a few words: "making namespaces". total: 0 where it cannot be counted. Told often, by
 * the thread that was called; who is told chooses what to show, and returns false where it is to
 * end as soon as it can. A zeroed one tells nobody.
 */
struct progress {
	bool (*told)(void *argument, const char *what, size_t done, size_t total);
	void *argument;
};

static inline bool progress_tell(
	const struct progress *progress, const char *what, size_t done, size_t total)
{
	return !progress->told || progress->told(progress->argument, what, done, total);
}

#endif
