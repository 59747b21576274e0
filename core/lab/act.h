/* One step, carried out and judged. */
#ifndef LAB_ACT_H
#define LAB_ACT_H

#include "lab/lab.h"
#include "scenario/verdict.h"

/*
 * Do what `step` says and wait until its verdict is final or its time is over. `number` is its
 * place in the scenario, from 1, for the names of logs.
 * Fails only where the system refuses: a command that does not exist is a verdict.
 */
int lab_act(struct lab *lab, const struct step *step, size_t number, struct verdict *ret_verdict,
	struct error *error);

#endif
