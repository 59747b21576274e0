/* How far something long has come: told while it goes on, for people who wait. */
#ifndef BASE_PROGRESS_H
#define BASE_PROGRESS_H

#include <stddef.h>

/*
 * `what` is a few words: "making namespaces". total: 0 where it cannot be counted. Told often, by
 * the thread that was called; who is told chooses what to show. A zeroed one tells nobody.
 */
struct progress {
	void (*told)(void *argument, const char *what, size_t done, size_t total);
	void *argument;
};

static inline void progress_tell(
	const struct progress *progress, const char *what, size_t done, size_t total)
{
	if (progress->told)
		progress->told(progress->argument, what, done, total);
}

#endif
