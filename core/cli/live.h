/* A line on a terminal's standard error that changes while something runs; nothing when piped. */
#ifndef CLI_LIVE_H
#define CLI_LIVE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct live {
	bool shown; /* standard error is a terminal that can do it */
	bool colour; /* of the lines that stay */
	int name_width;
	char name[256], step[256];
	char what[64]; /* is counted */
	size_t done, total; /* 0: nothing is */
	uint64_t begun_ns, step_ns, drawn_ns; /* CLOCK_MONOTONIC */
};

/* `stays`: where the lines that stay are printed. */
void live_prepare(struct live *live, FILE *stays, int name_width);

/* Something has begun, and the time since then is shown. */
void live_begin(struct live *live, const char *name, const char *step);

/* What it does now; of several lines the first. */
void live_step(struct live *live, const char *step);

/* For struct progress. How far it has come: shown as a bar once the step takes over a second. */
bool live_progress(struct live *live, const char *what, size_t done, size_t total);

/* Often: the time goes on. */
void live_tick(struct live *live);

/* Before a line that stays. */
void live_erase(const struct live *live);

/* An escape sequence, where colours are wanted. */
static inline const char *live_colour(const struct live *live, const char *code)
{
	return live->colour ? code : "";
}

#endif
