/* A topology's picture as a file: what `sim graph` writes. */
#ifndef LAB_GRAPH_H
#define LAB_GRAPH_H

#include <limits.h>

#include "plan/plan.h"

/*
 * Draw the plan into `path`, in the form that its end names: .svg, .png, .pdf, or .dot (.gv) for
 * Graphviz's own text; "-" is standard output, as SVG. A file is written only when all is drawn, and
 * belongs to the user who called sudo.
 * Errors: -EINVAL where the end names no form, else those of results/picture.h and of writing.
 */
int graph_write(const struct plan *plan, const char *path, struct error *error);

#endif
