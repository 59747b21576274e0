/*
 * A plan as Graphviz text: what `sim graph`, `sim export` and the report draw. Pure.
 *
 * Hosts are boxes, routers ellipses, switches rounded boxes with their subnets; hosts that are alike
 * are drawn as one (figures.h). An interface's name and addresses stand on its link, at its end:
 * each link has a label that is a node of the graph, so that Graphviz makes room for it and nothing
 * overlaps. What is too large for labels is drawn with the names of nodes alone.
 */
#ifndef RESULTS_DRAWING_H
#define RESULTS_DRAWING_H

#include "plan/plan.h"

/* Append it; the text is marked failed where memory is gone. */
void drawing_describe(const struct plan *plan, struct text *text);

#endif
