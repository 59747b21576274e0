/* A file of containerlab to a topology. Input: a byte that is not looked at, then the file. */
#include "fuzz_import.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	return import_fuzz(bytes, length, import_containerlab);
}
