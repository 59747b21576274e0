/* Steps that pull cables out and put them in. */
#ifndef LAB_ACT_LINK_H
#define LAB_ACT_LINK_H

#include "lab/lab.h"
#include "scenario/verdict.h"

/*
 * Carry out a STEP_LINK or STEP_MOVE on all its nodes, and wait until their kernels have noticed.
 * Fails only where the system refuses.
 */
int lab_act_link(
	struct lab *lab, const struct step *step, struct verdict *ret_verdict, struct error *error);

#endif
