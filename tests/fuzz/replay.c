/*
 * Runs a fuzz target over files, in libFuzzer's place: where there is no clang, and for every
 * `make check`. usage: TARGET FILE...
 */
#include "fuzz.h"

#include "base/cleanup.h"

enum { SIZE_MOST = 1 << 16 };

int main(int count, char **names)
{
	static uint8_t bytes[SIZE_MOST];
	for (int i = 1; i < count; i++) {
		CLEANUP(close_file) FILE *file = fopen(names[i], "rb");
		if (!file) {
			perror(names[i]);
			return EXIT_FAILURE;
		}
		size_t length = fread(bytes, 1, sizeof(bytes), file);
		/* A copy of the very size, so that a byte beyond it is seen. */
		CLEANUP(free_pointer) uint8_t *copy = malloc(length ? length : 1);
		if (!copy)
			return EXIT_FAILURE;
		memcpy(copy, bytes, length);
		LLVMFuzzerTestOneInput(copy, length);
		printf("%s: %zu bytes\n", names[i], length);
	}
	return EXIT_SUCCESS;
}
