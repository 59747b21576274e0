/* A run: scenarios of a topology one after another, each in a lab of its own, and their results. */
#ifndef LAB_RUN_H
#define LAB_RUN_H

#include "lab/stay.h"
#include "results/run.h"

/* Told while it goes on; any may be NULL. */
struct run_hooks {
	void (*scenario_begun)(void *argument, const struct scenario *scenario);
	void (*step_begun)(void *argument, size_t index, size_t count, const char *description);
	void (*tick)(void *argument); /* often */
	/* How far the longest part of it has come: struct progress */
	bool (*progress)(void *argument, const char *what, size_t done, size_t total);
	void (*scenario_ended)(
		void *argument, const struct scenario_result *result, const struct folder *folder);
	void *argument;
};

struct run_options {
	const char *results; /* the folder of all results */
	const char *version; /* of sim, for the report */
	const char *const *scenarios; /* names, in the order to run; none: all */
	size_t scenario_count;
	const char *const
		*kept; /* directories that nodes see, besides the run's: NULL-terminated */
	/*
	 * For programs that are not trusted: the run's folder, which is there already; a folder over
	 * which nodes' working directories are mounted, in memory; and where such programs run.
	 * All NULL: the run makes its folder, and nodes work in it.
	 */
	const char *folder, *nodes;
	const struct cell *cell;
	struct stay *stay; /* or NULL: every lab goes when its scenario is over */
	struct run_hooks hooks;
};

enum {
	RUN_NODES_MIB = 64, /* of memory for the working directories of a scenario */
	RUN_KEPT_MIB = 16, /* of that goes to the results */
};

/* Whether there is something to run: what the caller named exists, once. */
int lab_check_run(
	const struct topology *topology, const struct run_options *options, struct error *error);

/*
 * Run them, checked before. SIGINT, SIGTERM and SIGHUP end the run in order; the one that came is
 * in ret_run->interrupted.
 * ret_run: run_result_finish() frees it; ret_folder: where the results are. Both are set when the
 * run could be carried out, whatever its verdicts. Fails where the system refuses; what was done
 * until then is in the folder all the same.
 */
int lab_run(const struct plan *plan, const struct run_options *options, struct run_result *ret_run,
	struct folder *ret_folder, struct error *error);

#endif
