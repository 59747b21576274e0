/* GraphML to a topology. Input: a byte for --hosts, then the file. */
#include "fuzz_import.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	return import_fuzz(bytes, length, import_graph);
}
