/*
 * Names with a range: `client[1-25]` stands for client1 to client25, `pc[08-11]` for pc08 to pc11.
 * One range a name; what stands before and behind it is kept.
 */
#ifndef TOPOLOGY_RANGE_H
#define TOPOLOGY_RANGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct range {
	const char *text; /* borrowed */
	size_t before; /* characters before the bracket */
	const char *behind;
	unsigned long first, last;
	int width; /* of the numbers, for leading zeros */
	bool single;
};

/* A text without brackets is a range of one. */
int range_parse(const char *text, struct range *ret_range, struct error *error);

size_t range_length(const struct range *range);

/* The name at `index`, on the heap; NULL when memory is gone. */
char *range_name(const struct range *range, size_t index);

#endif
