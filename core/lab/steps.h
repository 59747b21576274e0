/* The steps of a scenario, carried out in a lab. */
#ifndef LAB_STEPS_H
#define LAB_STEPS_H

#include "lab/lab.h"

/* Told of each step before it begins; `description` lives for the call. */
typedef void step_begun(void *argument, size_t index, size_t count, const char *description);

/*
 * Start the topology's services and wait until they are ready. *ret_all is false where one did not
 * get so: the last of lab->result says which, and what it did instead.
 */
int lab_services(struct lab *lab, bool *ret_all, struct error *error);

/*
 * Start the topology's services and wait until they are ready, then try the steps until one does
 * not hold; each is added to lab->result, which is marked as held when all have. A service that
 * does not start, or does not live to the end, is a step that did not hold.
 * Fails only where the system refuses. Ends early, without a verdict, when interrupted.
 */
int lab_steps(struct lab *lab, step_begun *begun, void *argument, struct error *error);

#endif
