/* The steps of a scenario, carried out in a lab. */
#ifndef LAB_STEPS_H
#define LAB_STEPS_H

#include "lab/lab.h"

/* Told of each step before it begins; `description` lives for the call. */
typedef void step_begun(void *argument, size_t index, size_t count, const char *description);

/*
 * What nodes begin with: their `exec`, then the topology's services, until those are ready. only:
 * of which nodes, by their index; NULL: of all. *ret_all is false where one did not do its part: the
 * last of lab->result says which, and what it did instead.
 */
int lab_begin(struct lab *lab, const bool *only, bool *ret_all, struct error *error);

/*
 * A failed result for something that is no step. process: whose log tells more, or NULL. The texts
 * are taken; NULL ones are memory that is gone.
 */
int lab_beginning_failed(struct lab *lab, char *take_what, char *take_expected, char *take_seen,
	const struct lab_process *process, struct error *error);

/* How a process ended or that it runs, and what it printed last: on the heap. */
char *lab_last_words(const struct lab_process *process);

/*
 * Start the topology's services and wait until they are ready, then try the steps until one does
 * not hold; each is added to lab->result, which is marked as held when all have. A service that
 * does not start, or does not live to the end, is a step that did not hold.
 * Fails only where the system refuses. Ends early, without a verdict, when interrupted.
 */
int lab_steps(struct lab *lab, step_begun *begun, void *argument, struct error *error);

#endif
