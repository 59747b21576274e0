/* The arguments of a verb: operands and the options it takes, in any order. */
#ifndef CLI_ARGUMENTS_H
#define CLI_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct verb;

enum {
	ARGUMENT_SET = 1,
	ARGUMENT_JSON = 2,
	ARGUMENT_RESULTS = 4,
	ARGUMENT_GRADE = 8,
	ARGUMENT_NAME = 0x100,
	ARGUMENT_ALL = 0x200,
	ARGUMENT_NAMES = 0x400,
	ARGUMENT_WRITE = 0x800,
	ARGUMENT_KEEP = 0x1000,
	/* A command follows: what is behind the first operand is its own. */
	ARGUMENT_COMMAND = 0x2000,
	ARGUMENT_OUTPUT = 0x4000,
	ARGUMENT_EXPORT = 0x8000,
	ARGUMENT_IMPORT = 0x40000,
	ARGUMENT_UP = 0x10000,
	ARGUMENT_GRAPH = 0x20000, /* no option: what -o means */
};

enum { ARGUMENT_SETTINGS_MOST = 64 };

struct arguments {
	char **operands; /* in argv */
	int operand_count;
	const char *settings[ARGUMENT_SETTINGS_MOST]; /* --set */
	size_t setting_count;
	const char *results; /* --results, or NULL */
	const char *submissions, *program; /* of grade; or NULL */
	uint64_t time_ns; /* --time; 0: not given */
	unsigned hosts; /* --hosts */
	const char *format, *output; /* of export and import, -o of graph too; or NULL */
	const char *name, *write, *lifeline; /* --name, --write and --lifeline, or NULL */
	bool json, all, names, keep, shell_on_failure, observe, help;
};

/*
 * argv[0] is the verb; argv is reordered, operands last. `accepted` are ARGUMENT_ bits.
 * Fails on an option that the verb does not take and where the operands are too few or too many.
 */
int arguments_read(const struct verb *verb, int argc, char **argv, struct arguments *ret_arguments,
	struct error *error);

#endif
