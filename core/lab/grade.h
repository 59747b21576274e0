/*
 * Grading: the scenarios of a topology, tried with each of many submissions in the place of its
 * programs. A submission is not trusted: all of its run is a process apart (process/apart.h), and its
 * programs are in cells in there (process/cell.h). What it does is its own verdict's matter alone.
 */
#ifndef LAB_GRADE_H
#define LAB_GRADE_H

#include "lab/run.h"
#include "lab/verbs.h"
#include "results/grades.h"

/* Told while it goes on; any may be NULL. */
struct grade_hooks {
	void (*begun)(void *argument, size_t index, size_t count, const char *submission);
	void (*step)(void *argument, const char *scenario, const char *step);
	void (*tick)(void *argument); /* often */
	void (*ended)(void *argument, const struct grade *grade);
	void *argument;
};

struct grade_options {
	const char *submissions; /* the folder of all */
	const char *results;
	const char *version;
	const char *program; /* the variable that a single file stands for, or NULL */
	const char *const *settings; /* NAME=VALUE: the instructor's */
	size_t setting_count;
	const char *const *scenarios; /* names; none: all */
	size_t scenario_count;
	uint64_t time_ns; /* for all scenarios of a submission */
	struct grade_hooks hooks;
};

/* Whether there is something to grade: what the caller named exists. */
int lab_check_grade(
	const struct subject *subject, const struct grade_options *options, struct error *error);

/*
 * Grade them, checked before. `subject` has been read with the same settings.
 * ret_grades: grades_finish() frees it; ret_folder: where the table is. Both are set when grading
 * could begin, whatever the verdicts. A signal ends it in order: grades->interrupted.
 */
int lab_grade(const struct subject *subject, const struct grade_options *options,
	struct grades *ret_grades, struct folder *ret_folder, struct error *error);

#endif
