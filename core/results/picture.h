/*
 * The topology's picture: a Graphviz file, and the SVG that `dot` draws of it while the scenarios
 * run. Hosts that differ in nothing but their number are drawn as one.
 */
#ifndef RESULTS_PICTURE_H
#define RESULTS_PICTURE_H

#include <sys/types.h>

#include "plan/plan.h"
#include "results/folder.h"

struct picture {
	pid_t dot; /* 0: not running */
	int fd; /* readable when it has ended */
	bool drawn;
};

#define PICTURE_NONE ((struct picture){.fd = -1})

/* The Graphviz source. */
void picture_describe(const struct plan *plan, struct text *text);

/*
 * Write topology.dot and start drawing topology.svg. Where Graphviz is missing there is no picture,
 * and that is no error.
 */
int picture_start(const struct plan *plan, const struct folder *run, struct picture *ret_picture,
	struct error *error);

/* Wait for its end; picture->drawn says whether topology.svg is there. */
void picture_finish(struct picture *picture);

/* Do without it. */
void picture_cancel(struct picture *picture);

#endif
