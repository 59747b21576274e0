/* A whole run, and what is written of it when it is over. */
#ifndef RESULTS_RUN_H
#define RESULTS_RUN_H

#include "base/json.h"
#include "plan/plan.h"
#include "results/folder.h"
#include "scenario/result.h"

struct run_result {
	const struct plan *plan; /* borrowed */
	const char *version; /* of sim */
	uint64_t started_ns, ended_ns; /* CLOCK_REALTIME */
	bool as_root;
	int interrupted; /* by this signal; 0: not */
	const char *refused; /* what the system refused, ending it early; NULL: nothing */
	bool has_picture;
	struct scenario_result *scenarios;
	size_t scenario_count;
	size_t scenarios_held;
};

/* For CLEANUP(). */
void run_result_finish(struct run_result *run);

/* result.json in the scenario's folder. */
int result_write(const struct scenario_result *result, const struct plan *plan,
	const struct folder *scenario, struct error *error);

/* The run as JSON (what `sim run --json` prints and result.json of the run holds). */
json_t *run_result_json(const struct run_result *run);

/* report.md in the run's folder, and the same as report.html. */
int report_write(const struct run_result *run, const struct folder *folder, struct error *error);

/*
 * manifest.json: versions, parameters, and every file with its size and SHA-256; null where a GiB
 * was hashed already, which takes seconds, or the file would go beyond it. Written last.
 */
int manifest_write(const struct run_result *run, const struct folder *folder, struct error *error);

/* A time of CLOCK_REALTIME as "2026-11-22 09:30:12 UTC"; returns `text`. */
char *time_shown(uint64_t time_ns, char text[static 32]);

#endif
