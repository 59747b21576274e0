/*
 * What the fuzz targets share. A target is one function over one input; what must hold is said with
 * HOLDS(), which ends the process, so that libFuzzer (`make fuzz`) and the replay of the corpus
 * (replay.c, in `make check`) both see it. The machines are pure: no target needs a stub.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

#define HOLDS(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__,          \
				#condition);                                                       \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* What happens, for a person: make BUILD=build/trace CFLAGS='-g -DFUZZ_TRACE' build/trace/fuzz/server */
#ifdef FUZZ_TRACE
#define TRACE(...) (fprintf(stderr, __VA_ARGS__), fputc('\n', stderr))
#else
#define TRACE(...) ((void)0)
#endif

#endif
