/*
 * The topology's picture, drawn by Graphviz's `dot` from drawing.h's text: beside the scenarios of a
 * run, or for who asks for it. dot runs without capabilities, changes no file, and has a limit on
 * its time and memory: what it reads comes from somebody's topology.
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

/*
 * Draw it in `format`, one that dot knows ("svg", "png", "pdf"), or its own text ("dot"), and wait
 * until that is done. ret_fd: the picture, to be read from its beginning; the caller closes it.
 * Errors: -ENOENT where there is no dot, -ETIME where it takes too long, -EIO where it fails.
 */
int picture_draw(const struct plan *plan, const char *format, int *ret_fd, struct error *error);

#endif
