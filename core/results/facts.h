/*
 * Facts as they come, a line of JSON each: events.jsonl (what the kernel changed) and
 * messages.jsonl (what was said), in a scenario's folder.
 */
#ifndef RESULTS_FACTS_H
#define RESULTS_FACTS_H

#include <stdio.h>

#include "observe/fact.h"
#include "plan/plan.h"
#include "results/folder.h"

struct facts_files {
	const struct plan *plan; /* borrowed: names nodes and links */
	struct facts_file {
		FILE *file;
		bool cut; /* it has become too long, which its last line says */
	} events, messages;
	struct error failed; /* the first write that failed; code 0: none */
};

int facts_open(const struct plan *plan, const struct folder *scenario,
	struct facts_files *ret_files, struct error *error);

/* Write what belongs in one of the files; a failure is kept in `failed`. */
void facts_write(struct facts_files *files, const struct fact *fact);

/* What was written so far can be read by others. */
void facts_flush(struct facts_files *files);

/* Close, and say whether everything could be written. */
int facts_close(struct facts_files *files, struct error *error);

#endif
