/* A verb of sim: one function, one exit status. */
#ifndef CLI_VERB_H
#define CLI_VERB_H

#include <stdio.h>

#include "base/json.h"
#include "cli/arguments.h"

enum { STATUS_HELD = 0, STATUS_FAILED = 1, STATUS_MISUSE = 2, STATUS_SYSTEM = 3 };

struct verb {
	const char *name;
	const char *synopsis; /* behind "sim NAME" */
	const char *purpose; /* one line */
	int (*run)(const struct arguments *arguments);
	unsigned accepted; /* ARGUMENT_ bits */
	int operands_least, operands_most;
};

int verb_run(const struct arguments *arguments);
int verb_grade(const struct arguments *arguments);
int verb_validate(const struct arguments *arguments);
int verb_plan(const struct arguments *arguments);
int verb_import(const struct arguments *arguments);
int verb_export(const struct arguments *arguments);
int verb_graph(const struct arguments *arguments);
int verb_doctor(const struct arguments *arguments);
int verb_list(const struct arguments *arguments);
int verb_up(const struct arguments *arguments);
int verb_down(const struct arguments *arguments);
int verb_ps(const struct arguments *arguments);
int verb_exec(const struct arguments *arguments);
int verb_capture(const struct arguments *arguments);
int verb_shell(const struct arguments *arguments);

/* All there are, `*ret_count` of them. */
const struct verb *verb_all(size_t *ret_count);

/* sim complete, for a shell: what the last of these words can become. Always STATUS_HELD. */
int verb_complete(int count, char **words);

extern const char sim_version[];
extern const char verb_grade_help[], verb_export_help[], verb_import_help[];

/* Print a text that may be from anywhere as printable, on one line, without ending that. */
void verb_print(FILE *file, const char *text);

/* On standard output, indented. Takes `take_value`, NULL where memory is gone; an exit status. */
int verb_print_json(json_t *take_value);

/* "sim: sentence" on standard error; returns `status`, or STATUS_SYSTEM where memory is gone. */
int verb_fail(int status, const struct error *error);

struct registered;

/* What there is in a lab that is up: as a table, or several as JSON. Both return an exit status. */
int verb_print_lab(const struct registered *lab);
int verb_print_labs_json(const struct registered *labs, size_t count);

/* An interrupted program ends by the signal, so that a shell's loop around it ends as well. */
_Noreturn void verb_end_by_signal(int number);

#endif
