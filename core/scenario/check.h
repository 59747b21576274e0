/*
 * Whether the steps of a plan's scenarios can tell anything at all: a message that no protocol has,
 * an interface that a node lacks or a process that nothing starts would make a check that always
 * holds, or never.
 */
#ifndef SCENARIO_CHECK_H
#define SCENARIO_CHECK_H

#include "plan/plan.h"

/* Errors: "FILE:LINE:COLUMN: sentence". */
int scenario_check(const struct plan *plan, struct error *error);

#endif
