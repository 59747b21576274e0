/*
 * What became of a folder of submissions: one table of verdicts and reasons, as result.json,
 * grades.csv (a row a check), grades.md and grades.html, beside a folder with the report of each.
 */
#ifndef RESULTS_GRADES_H
#define RESULTS_GRADES_H

#include "base/json.h"
#include "results/folder.h"
#include "topology/model.h"

struct grade_check {
	const struct scenario *scenario; /* borrowed */
	bool judged; /* false: it was not come to */
	bool held;
	double seconds;
	char *step, *expected, *seen; /* the reason, where judged and not held; else NULL */
	char *log; /* the file to read first, relative to the submission's folder, or NULL */
};

struct grade {
	char *name; /* printable */
	char *folder; /* its results, relative to the grades' folder; NULL: none */
	bool has_report;
	struct grade_check *checks; /* one a scenario, in their order */
	size_t check_count, held;
	char *problem; /* why not all was judged; NULL: all was */
	bool refused; /* ... which the system did: it is not the submission's fault */
	double seconds;
};

struct grades {
	const struct topology *topology; /* borrowed */
	const char *version; /* of sim */
	char *limits; /* what each submission may use, and what this machine cannot limit */
	uint64_t started_ns, ended_ns; /* CLOCK_REALTIME */
	int interrupted; /* by this signal; 0: not */
	const struct scenario **scenarios; /* those tried, in their order */
	size_t scenario_count;
	struct grade *list;
	size_t count;
	size_t all_held; /* submissions of which every check did */
	size_t refused;
};

/* For CLEANUP(). */
void grades_finish(struct grades *grades);

/* Why it is not all right: the problem, or what the first check that did not hold saw; NULL. */
const char *grade_reason(const struct grade *grade);

/* What `sim grade --json` prints and result.json holds. NULL when memory is gone. */
json_t *grades_json(const struct grades *grades);

int grades_write(const struct grades *grades, const struct folder *folder, struct error *error);

#endif
