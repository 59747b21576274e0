/*
 * A transfer's progress in one line of a terminal: name, part, bar, bytes, rate, time left. The
 * caller prints it, at most once in TALK_PROGRESS_NS; nothing here writes or reads a clock.
 */
#ifndef PROGRAMS_FTP_TALK_PROGRESS_H
#define PROGRAMS_FTP_TALK_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

#define TALK_PROGRESS_NS	(NS_PER_SECOND / 10)
#define TALK_PROGRESS_TEXT_SIZE 512

struct talk_progress {
	const char *name; /* borrowed; printable UTF-8 */
	uint64_t before_bytes; /* what was there before: resumed */
	bool total_known;
	uint64_t total_bytes; /* with what was there before */
	uint64_t begun_ns, seen_ns;
	uint64_t seen_bytes;
	double rate; /* bytes a second, smoothed over the last seconds; 0: not known yet */
};

void talk_progress_begin(struct talk_progress *progress, const char *name, uint64_t now_ns);

/* So many bytes have moved by now, without those from before. */
void talk_progress_see(struct talk_progress *progress, uint64_t bytes, uint64_t now_ns);

/* The line, at most `width` columns. Returns `text`. */
char *talk_progress_format(const struct talk_progress *progress, unsigned width,
	char text[static TALK_PROGRESS_TEXT_SIZE]);

/* The line that is left standing when all is done. Returns `text`. */
char *talk_progress_format_end(const struct talk_progress *progress, unsigned width,
	char text[static TALK_PROGRESS_TEXT_SIZE]);

#endif
