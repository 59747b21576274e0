/*
 * Growable arrays, as a pointer and a count that stand side by side in a struct:
 *
 *	struct node *nodes; size_t node_count;
 *	struct node *node = array_add(&nodes, &node_count);	zeroed, or NULL when memory is gone
 *
 * Capacity is the next power of two, so it needs no field of its own. Adding may move the elements:
 * keep indexes, not pointers, across an array_add().
 */
#ifndef BASE_ARRAY_H
#define BASE_ARRAY_H

#include <stddef.h>

/* Use array_add(), which supplies the element size and the type. */
void *array_grow(void *address_of_array, size_t *count, size_t element_size);

#define array_add(array, count)                                                                    \
	((__typeof__(*(array)))array_grow((array), (count), sizeof(**(array))))

#endif
