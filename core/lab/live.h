/* `sim up`: a lab that stays, in the hands of a supervisor of its own (supervisor.h). */
#ifndef LAB_LIVE_H
#define LAB_LIVE_H

#include <stdbool.h>

#include "plan/plan.h"
#include "results/folder.h"

struct live_options {
	const char *name; /* of the lab; NULL: the topology's */
	const char *results; /* the folder of all results */
	const char *const *kept; /* directories that nodes see: NULL-terminated */
	bool observed; /* capture, messages and events are written as a run does */
	/* A pipe or socket whose other end's closing ends the lab; a byte from there lets it stay.
	 * -1: none. The caller's. */
	int lifeline_fd;
	void (*tick)(void *argument); /* often, while it comes up; may be NULL */
	bool (*progress)(
		void *argument, const char *what, size_t done, size_t total); /* likewise */
	void *argument;
};

struct live_report {
	bool up; /* else a service did not get ready, and nothing is left */
	int interrupted; /* the signal that came before it was up, or 0: nothing is left then either */
	char failure[512]; /* what the service did instead */
	char notes
		[2048]; /* lines: what of the lab's bounds cannot be held here; what went beyond them,
				 of a lab that did not come up */
	struct folder folder; /* with the services' logs */
};

/*
 * Build the lab and start its services, in a process that goes on when the caller has ended.
 * Returns when all are ready. -EEXIST: a lab of that name is up; -EINVAL: it cannot be a name. Fails
 * else where the system refuses; then nothing is left.
 */
int lab_live(const struct plan *plan, const struct live_options *options,
	struct live_report *ret_report, struct error *error);

#endif
