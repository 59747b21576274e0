/*
 * What a topology takes of the system that builds it. Counted low, so that what is refused for its
 * needs could not have been built: of commands in steps, those of one step at a time.
 */
#ifndef PLAN_NEEDS_H
#define PLAN_NEEDS_H

#include "plan/plan.h"

struct plan_needs {
	size_t network_namespaces; /* one a node */
	size_t rooms; /* mount and UTS namespaces: nodes where something runs in one scenario */
	size_t processes; /* at the same time */
	size_t mounts; /* where the namespaces lie */
	size_t open_files; /* of sim or of its observer, whichever has more */
	uint64_t memory_bytes; /* the kernel's, for namespaces, links and captures */
};

/* What a topology has, as far as needs go. */
struct plan_size {
	size_t nodes;
	size_t watched; /* those whose kernels are listened to */
	size_t captured; /* links */
	size_t switched_off; /* nodes, by the steps of one scenario: each gets namespaces anew */
	size_t rooms; /* nodes where something runs */
	size_t processes, process_files; /* at the same time; descriptors of sim for these */
};

/* What topologies of that size need, whatever they are. */
struct plan_needs plan_needs_of(const struct plan_size *size);

int plan_count_needs(const struct plan *plan, struct plan_needs *ret_needs, struct error *error);

/* Of a lab that is up with its services, where nothing is observed and no scenario runs. */
int plan_count_needs_up(const struct plan *plan, struct plan_needs *ret_needs, struct error *error);

/* "12 nodes and 14 links take ..." and a full stop, for people. */
void plan_describe_needs(
	const struct plan *plan, const struct plan_needs *needs, struct text *text);

#endif
