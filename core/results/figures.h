/*
 * What a picture shows of a plan: figures, each a node or several hosts that differ in nothing but
 * their numbers, and the lines between them. Pure.
 */
#ifndef RESULTS_FIGURES_H
#define RESULTS_FIGURES_H

#include "plan/plan.h"

enum {
	FIGURE_GROUP_LEAST = 5, /* so many alike are drawn as one */
};

/* One node, or hosts with one interface each, all at the same neighbour. */
struct figure {
	size_t *members; /* plan nodes, in their order; part of figures.members */
	size_t count;
	unsigned rank; /* how many links from where the drawing begins */
};

/* A link, or the links of a group's members; from the lower rank to the higher one. */
struct line {
	size_t figures[2];
	struct plan_end ends[2]; /* of the first member's link */
};

struct figures {
	struct figure *list;
	size_t count;
	struct line *lines;
	size_t line_count;
	size_t *members;
};

/* Fails only where memory is gone. ret_figures: figures_finish() frees it. */
int figures_make(const struct plan *plan, struct figures *ret_figures, struct error *error);

/* For CLEANUP(). */
void figures_finish(struct figures *figures);

#endif
