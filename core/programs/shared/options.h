/*
 * The options of our programs: one table read from the command line (`--lease 3600`,
 * `--lease=3600`) and from a `--config FILE` (`lease 3600` or `lease=3600`, one long option a line,
 * without the dashes; `#` at its start or behind white space begins a comment). An error names the
 * option and, in a file, file and line.
 */
#ifndef PROGRAMS_SHARED_OPTIONS_H
#define PROGRAMS_SHARED_OPTIONS_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/endpoint.h"
#include "base/error.h"

/* The exit status of every program; a program's --help lists those it can have. */
enum exit_status {
	EXIT_DONE = 0,
	EXIT_MISUSE = 2,
	EXIT_SYSTEM = 3,
	EXIT_NO_ADDRESS = 4, /* dhcp-client */
	EXIT_REFUSED = 5, /* ftp-client: the other side refused */
};

struct option_value {
	const char *name; /* the option's, without dashes */
	const char *text; /* its argument, NULL where it takes none; copy what is to be kept */
	const char *origin; /* "FILE:LINE", or "command line" */
	const char *file; /* the FILE, NULL for the command line */
};

/*
 * In a table, a row with nothing but `help` is the heading of those below it: a table with headings
 * begins with one.
 */
struct option {
	const char *name;
	/*
	 * What --help calls it; NULL: the option takes none. In brackets, "[SECONDS]", it may be
	 * left out; on the command line the next word is it unless that begins with a dash.
	 */
	const char *argument;
	const char *help; /* may have several lines */
	/* Store the value in `settings`; on failure the sentence says what is accepted. */
	int (*accept)(void *settings, const struct option_value *value, struct error *error);
};

struct program {
	const char *name;
	const char *synopsis; /* behind the name: "--interface IF [--once] ..." */
	const char *purpose; /* one or two sentences */
	const struct option *options;
	size_t option_count;
	const char *exit_status; /* NULL: "0 done, 2 misuse, 3 the system refused" */
	/* Words that may stand first instead of options, for --help alone: see operator.h. */
	const struct option *commands;
	size_t command_count;
};

/*
 * Read the command line up to the first operand. `--help` prints to standard output and exits 0;
 * `--version` likewise. `--config FILE` is read where it stands; it is an option of every program
 * that has at least one with an argument.
 * ret_operands: index in argv of the first operand, argc where there is none. May be NULL: then an
 * operand is an error.
 * Returns 0, or a negative errno: the program prints the sentence and exits EXIT_MISUSE.
 */
int options_read(const struct program *program, int argc, char **argv, void *settings,
	int *ret_operands, struct error *error);

/* Read one configuration file again (SIGHUP). */
int options_read_file(
	const struct program *program, const char *path, void *settings, struct error *error);

/*
 * For `accept`: a name that an interface can have, whether there is one or not. One over 15 characters
 * is an alternative name, of an interface that is there: ret_name is its short one.
 */
int option_interface(
	char ret_name[static IF_NAMESIZE], const struct option_value *value, struct error *error);

/* For `accept`: an endpoint; `port` is its port where none is given, see endpoint_parse(). */
int option_endpoint(struct endpoint *ret_endpoint, uint16_t port, const struct option_value *value,
	struct error *error);

/* For `accept`: a time in seconds, more than none, with decimals if need be. */
int option_seconds(uint64_t *ret_ns, const struct option_value *value, struct error *error);

/*
 * For `accept`: one of a few words, `ret_choice` its index. The sentence names them all, and the
 * nearest.
 */
int option_choice(const char *const *words, size_t count, unsigned *ret_choice,
	const struct option_value *value, struct error *error);

/* For `accept` of --protocol: the program's `own` ("dhcp", "ftp") or the report's "text". */
int option_protocol(
	bool *ret_text, const char *own, const struct option_value *value, struct error *error);

/* Print "NAME: sentence" to standard error and return `status`, for `return program_fail(...)`. */
int program_fail(const struct program *program, int status, const struct error *error);

/* The program's version, the same for all. */
#define SIM_VERSION "0.1"

#endif
