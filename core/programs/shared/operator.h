/*
 * The asking side of a program: `dhcp-server status --json`, `dhcp-relay status`. A command is the
 * first word of the command line; its options and operands follow in any order. The request goes
 * to the running program over its control socket (control_socket.h), and the answer is printed: as a
 * table for people, or with --json as it came.
 *
 *	int status;
 *	if (operator_run(&relay_operator, argc, argv, &status))
 *		return status;
 *	... options_read() ...
 */
#ifndef PROGRAMS_SHARED_OPERATOR_H
#define PROGRAMS_SHARED_OPERATOR_H

#include <stdbool.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "programs/shared/options.h"

/* What was said behind the command; the target of the options' accept functions. */
struct operator_request {
	const char *program;
	char *control; /* owned; NULL: the default path */
	bool json;
	struct text line; /* the command, and what options and operands append to it */
	long long limit; /* for an option of the program's own; -1: it was not given */
};

struct operator_command {
	const char *name;
	bool has_operand; /* one, and needed */
	/* Ask for what the first answer has left out, and add it; may be NULL. */
	int (*complete)(
		const struct operator_request *request, json_t *answer, struct error *error);
	void (*print)(const json_t *answer); /* on standard output, for people */
};

struct operator_program {
	const struct program *program; /* `commands` there is what --help tells */
	const struct operator_command *commands;
	size_t command_count;
	const struct option *options; /* besides --control and --json */
	size_t option_count;
};

/*
 * Where the first word is a command: do it, print what came of it, set *ret_status to the exit
 * status (0 done, 2 the request is wrong, 3 nobody is there or it could not be done). False where
 * it is none.
 */
bool operator_run(const struct operator_program *asking, int argc, char **argv, int *ret_status);

#endif
