/* The plan for people (tables) and for programs (JSON): what `sim plan` prints. */
#ifndef PLAN_DESCRIBE_H
#define PLAN_DESCRIBE_H

#include "base/json.h"
#include "plan/plan.h"

/* Tables of addresses, routes and processes. */
void plan_describe(const struct plan *plan, struct text *text);

/* The same facts; NULL when memory is gone. */
json_t *plan_describe_json(const struct plan *plan);

#endif
