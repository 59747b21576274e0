/*
 * A run whose lab stays when its scenario is over: for a shell where a check failed, or as long as
 * somebody wants it (--keep). Until then the lab is found and worked in as one of `sim up`.
 */
#ifndef LAB_STAY_H
#define LAB_STAY_H

#include "lab/lab.h"
#include "lab/registry.h"
#include "lab/supervisor.h"

struct stay {
	struct registration registration; /* taken before the run begins */
	bool keep; /* the lab of the first scenario that failed, else of the last one */
	bool shell; /* a shell on the terminal, in the node where a check failed */
	/* Told before: `node` is where the shell is; NULL: the lab is kept, and the caller goes. */
	void (*begun)(void *argument, const struct scenario_result *result,
		const struct folder *folder, const char *node);
	void *argument;

	/* Inside. */
	bool ending;
	pid_t caller;
	int caller_fd; /* -1: it has been told, or there is none */
	struct supervisor *supervisor;
};

/*
 * With `keep` the run goes on in a child, so that the caller can end before the lab does. Returns 1
 * in the caller when its part is over, with what `sim` is to end with in *ret_status (negative: by
 * that signal); 0 in the child, and without `keep`.
 */
int stay_fork(struct stay *stay, int *ret_status, struct error *error);

/* The child dies with its caller until the lab is kept: after a change of privileges, again. */
void stay_follow(const struct stay *stay);

/*
 * A scenario of a lab that stands has its verdict: do what is wanted then. *ret_kept: it was kept,
 * and is to go now: nothing more is run. stay_over() follows when all that belongs to it is done.
 */
int lab_stay(struct lab *lab, struct stay *stay, bool last, bool *ret_kept, struct error *error);

/* Tell those who asked for the end. */
void stay_over(struct stay *stay);

#endif
