/* What became of a scenario: filled by lab/, written by results/. Texts are owned by the result. */
#ifndef SCENARIO_RESULT_H
#define SCENARIO_RESULT_H

#include "observe/fact.h"
#include "topology/model.h"

enum { RESULT_MESSAGES_MOST = 20000 }; /* kept in memory; the file has all of them */

struct step_result {
	const struct step *step; /* borrowed; NULL: a check of the lab itself */
	char *description;
	uint64_t started_ns, ended_ns; /* CLOCK_REALTIME */
	bool held;
	char *expected, *seen;
	char *log; /* the log to read, relative to the scenario's folder, or NULL */
	char *shown; /* what its commands printed, for a step with `show`; else NULL */
};

struct scenario_result {
	const struct scenario *scenario; /* borrowed */
	uint64_t started_ns, ended_ns; /* CLOCK_REALTIME */
	uint64_t build_ns; /* the topology in the kernel: how long it took */
	bool held;
	bool interrupted; /* no verdict: the run was ended from outside */
	struct step_result *steps; /* those tried, and checks of the lab itself */
	size_t step_count;
	struct fact *messages; /* FACT_MESSAGE, in the order they were seen */
	size_t message_count;
	size_t message_total; /* more than message_count where there were too many to keep */
	uint64_t frames, frames_lost, frames_unwritten; /* of the capture */
	uint64_t capture_bytes;
	char **notes; /* sentences on what was out of bounds, or cannot be held there */
	size_t note_count;
};

enum { RESULT_NOTES_MOST = 16 };

/* For CLEANUP(). */
void scenario_result_finish(struct scenario_result *result);

/* Add a note; one that is there already, or one too many, is not. */
void scenario_result_note(struct scenario_result *result, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Steps of the scenario that were tried. */
size_t scenario_result_tried(const struct scenario_result *result);

/* Forget the last one: it was interrupted, and has no verdict. */
void scenario_result_drop_step(struct scenario_result *result);

/* The first step that did not hold, or NULL. */
struct step_result *scenario_result_failure(const struct scenario_result *result);

#endif
