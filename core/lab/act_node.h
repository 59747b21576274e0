/* Steps that switch nodes off and on (kernel/replace.h). */
#ifndef LAB_ACT_NODE_H
#define LAB_ACT_NODE_H

#include "lab/lab.h"
#include "scenario/verdict.h"

/*
 * Before the lab is observed: the network namespaces that its nodes will have when the scenario
 * switches them off, in the order of the steps.
 */
int lab_prepare_nodes(struct lab *lab, struct error *error);

/* Whether the scenario switches the node off. */
bool lab_is_replaced(const struct lab *lab, size_t node);

/* Whether the scenario pulls cables out, or moves them. */
bool lab_pulls_cables(const struct lab *lab);

/*
 * Carry out a STEP_NODE on all its nodes. Off: all that runs there is asked to end, and killed. On:
 * `exec` and services have begun when it returns. Fails only where the system refuses.
 */
int lab_act_node(
	struct lab *lab, const struct step *step, struct verdict *ret_verdict, struct error *error);

#endif
