/* The plan for people (tables) and for programs (JSON): what `sim plan` prints. */
#ifndef PLAN_DESCRIBE_H
#define PLAN_DESCRIBE_H

#include "base/json.h"
#include "plan/plan.h"

/* Tables of addresses, routes, processes and what else nodes are given. */
void plan_describe(const struct plan *plan, struct text *text);

/* The same facts; NULL when memory is gone. */
json_t *plan_describe_json(const struct plan *plan);

/* Of these, the table of details (`binds`, `sysctls` and the like), and its part of a node's JSON. */
void plan_describe_details(const struct plan *plan, int node_width, struct text *text);
json_t *plan_details_json(const struct plan_node *node);

#endif
