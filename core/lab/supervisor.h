/*
 * The supervisor of a lab that stays up: the process that built it and holds all of it, so that its
 * end, however it comes, is the lab's. It answers on the lab's control socket (lab_control.h).
 *
 * Who may ask: the lab's owner. Where root holds the lab for the user who called sudo, that user
 * may look at it and take it down without sudo; to do anything in it is root's.
 */
#ifndef LAB_SUPERVISOR_H
#define LAB_SUPERVISOR_H

#include <stdbool.h>

#include "lab/lab.h"
#include "lab/registry.h"

struct supervisor;

struct supervisor_setup {
	struct lab *lab; /* up; it outlives the supervisor */
	struct registration *registration; /* told already */
	bool *ending; /* set where the lab is to go; lab->interrupted points at it */
};

/* Answer from now on, in the lab's loop. ret_supervisor: supervisor_end(). */
int supervisor_start(const struct supervisor_setup *setup, struct supervisor **ret_supervisor,
	struct error *error);

/* Run the loop until the lab is to go, or lab->interrupted. */
void supervisor_serve(struct supervisor *supervisor);

/*
 * Nobody is answered any more, and what was started for somebody ends: before lab_down(). Those who
 * asked for the end are told it by supervisor_finish(), for CLEANUP(), when all is gone.
 */
void supervisor_end(struct supervisor *supervisor);
void supervisor_finish(struct supervisor **supervisor);

#endif
