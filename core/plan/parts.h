/* Between the files of plan/: one stage each, called in this order by plan_make(). */
#ifndef PLAN_PARTS_H
#define PLAN_PARTS_H

#include "plan/plan.h"

/* Names, hardware addresses and indexes of all interfaces; the links' names. */
int plan_interfaces(struct plan *plan, struct error *error);

/* Which links form a segment, and its subnet. */
int plan_segments(struct plan *plan, struct error *error);

/* Addresses written and addresses chosen. */
int plan_addresses(struct plan *plan, struct error *error);

int plan_routes(struct plan *plan, struct error *error);

int plan_out_of_memory(struct error *error);

static inline const struct link_end *plan_written_end(
	const struct plan *plan, const struct plan_interface *interface)
{
	return &plan->links[interface->link].link->ends[interface->end];
}

static inline const struct plan_segment *plan_segment_of(
	const struct plan *plan, const struct plan_interface *interface)
{
	return &plan->segments[plan->links[interface->link].segment];
}

#endif
