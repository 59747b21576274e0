/* Values of options that the programs of this folder share; programs/shared/options.h. */
#ifndef BENCH_LOAD_OPTIONS_H
#define BENCH_LOAD_OPTIONS_H

#include <stdint.h>

#include "base/address.h"
#include "base/error.h"
#include "programs/shared/options.h"

int load_accept_number(const struct option_value *value, uint64_t minimum, uint64_t maximum,
	uint64_t *number, struct error *error);
int load_accept_address(
	const struct option_value *value, struct ipv4 *address, struct error *error);

/* A time above 0 and up to an hour. */
int load_accept_seconds(const struct option_value *value, uint64_t *ns, struct error *error);

/* A file, of the command line: argv outlives everything, a --config file's lines do not. */
int load_accept_path(const struct option_value *value, const char **path, struct error *error);

#endif
