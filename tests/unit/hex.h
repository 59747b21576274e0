/* Bytes of a test written in hexadecimal. */
#ifndef TESTS_UNIT_HEX_H
#define TESTS_UNIT_HEX_H

#include <stdint.h>
#include <stdlib.h>

/* The bytes of `hex` into `ret_bytes`, which has room for them. Returns their number. */
static inline size_t from_hex(const char *hex, uint8_t *ret_bytes)
{
	size_t length = 0;
	for (; hex[0] && hex[1]; hex += 2) {
		char pair[] = {hex[0], hex[1], '\0'};
		ret_bytes[length++] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return length;
}

#endif
