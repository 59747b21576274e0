#include "base/array.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void *array_grow(void *address_of_array, size_t *count, size_t element_size)
{
	void *elements;
	memcpy(&elements, address_of_array, sizeof(elements));
	size_t used = *count;
	/* Full exactly when the count is 0 or a power of two: that is what doubling leaves. */
	if ((used & (used - 1)) == 0) {
		size_t capacity = used ? used * 2 : 1;
		if (capacity > SIZE_MAX / element_size)
			return NULL;
		elements = realloc(elements, capacity * element_size);
		if (!elements)
			return NULL;
		memcpy(address_of_array, &elements, sizeof(elements));
	}
	void *added = (char *)elements + used * element_size;
	memset(added, 0, element_size);
	*count = used + 1;
	return added;
}
