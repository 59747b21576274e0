/*
 * The run of one submission, in a process apart. It tells its maker by lines of JSON how far it is:
 *
 *	{"scenario": NAME}
 *	{"step": TEXT}
 *	{"check": NAME, "held": BOOL, "seconds": N, "step":, "expected":, "seen":, "log": TEXT or null}
 *	{"problem": TEXT, "refused": BOOL}
 */
#ifndef LAB_GRADE_WORKER_H
#define LAB_GRADE_WORKER_H

#include "lab/grade.h"
#include "lab/submission.h"
#include "process/apart.h"
#include "process/cell.h"

struct grade_worker {
	const struct subject *subject; /* the topology as the instructor has it */
	const struct grade_options *options;
	const struct submission *submission;
	const struct folder *folder; /* for its results */
	const struct group *group;
	int told_fd; /* for the lines */
	char topology[PATH_MAX]; /* where the process sees the file: filled in there */
};

/* Start it. `worker` is used until this returns. */
int grade_worker_start(struct grade_worker *worker, const struct userns_user *user,
	struct apart *ret_apart, struct error *error);

#endif
