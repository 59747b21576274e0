/*
 * The words of a picture: names of any length in lines, what several names and several addresses
 * have in common. All append to a label in Graphviz's HTML.
 */
#ifndef RESULTS_DRAWING_WORDS_H
#define RESULTS_DRAWING_WORDS_H

#include "plan/plan.h"

/* A name, broken where it is long; returns the length of its longest line. */
size_t drawing_name(const char *name, struct text *text);

/* "client1 ... client25", "a, b, c": names in their order; returns the same. */
size_t drawing_names(const char *const *names, size_t count, struct text *text);

/*
 * The addresses of some interfaces, a family a line: "10.0.1.5/24", "10.0.1.5 – 10.0.1.9/24" where
 * all between are theirs, else "10.0.1.5 … 10.0.9.9/24". Nothing where they have none; returns the
 * longest line's length.
 */
size_t drawing_addresses(
	const struct plan_interface *const *interfaces, size_t count, struct text *text);

#endif
