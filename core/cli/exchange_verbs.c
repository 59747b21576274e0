/* sim export, sim import: topologies for other tools and from them. No privilege needed. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/verb.h"
#include "lab/exchange.h"
#include "lab/verbs.h"

const char verb_export_help[] =
	"  --format FORMAT   script: a commented shell script of ip, sysctl and tc commands that "
	"builds the\n"
	"                    same network by hand; containerlab: a file for that; graphviz: a "
	"drawing's\n"
	"                    source for dot\n"
	"  -o, --output FILE  to this file; -, or nothing, is standard output\n";

const char verb_import_help[] =
	"  -o, --output FILE  to this file; -, or nothing, is standard output\n"
	"  --hosts N         so many hosts at each router of a graph, behind a switch (else none)\n"
	"FILE is a topology file of containerlab (YAML), or GraphML as the Internet Topology Zoo "
	"has it, "
	"whose\n"
	"nodes become routers; - is standard input. Addresses and routes that it does not say are "
	"found "
	"by the\n"
	"plan. What of it has no place in a topology is said in comments at the head of the "
	"outcome. Exit "
	"status\n"
	"2, with the outcome, also where that is not right yet, as when two nodes of it have one "
	"address.\n";

/* To the file of -o, else to standard output. */
static int hand_over(const struct arguments *arguments, const struct text *text)
{
	struct error error;
	if (!arguments->output || strcmp(arguments->output, "-") == 0) {
		fwrite(text_view(text), 1, text->length, stdout);
		return STATUS_HELD; /* what could not be written is noticed by main() */
	}
	if (exchange_write(arguments->output, text, &error) < 0)
		return verb_fail(STATUS_SYSTEM, &error);
	return STATUS_HELD;
}

int verb_export(const struct arguments *arguments)
{
	CLEANUP(subject_finish) struct subject subject = {0};
	CLEANUP(text_finish) struct text text = {0};
	struct error error;
	if (!arguments->format) {
		fprintf(stderr, "sim: export needs --format: %s\n", exchange_formats);
		return STATUS_MISUSE;
	}
	if (subject_open(arguments->operands[0], arguments->settings, arguments->setting_count,
		    &subject, &error) < 0 ||
		exchange_export(&subject.plan, arguments->format, &text, &error) < 0)
		return verb_fail(STATUS_MISUSE, &error);
	return hand_over(arguments, &text);
}

static void tell_imported(const struct arguments *arguments, const struct imported *imported)
{
	const char *path = arguments->operands[0];
	if (imported->not_taken_over) {
		fputs("sim: ", stderr);
		verb_print(stderr, path);
		fprintf(stderr,
			": %zu thing%s in it %s not taken over; the head of the topology says "
			"which, and why\n",
			imported->not_taken_over, TEXT_PLURAL(imported->not_taken_over),
			imported->not_taken_over == 1 ? "is" : "are");
	}
	if (!imported->problem)
		return;
	fputs("sim: the topology is not right yet: ", stderr);
	verb_print(stderr, imported->problem);
	if (imported->more_problems)
		fprintf(stderr, " (and %zu more: see sim validate)", imported->more_problems);
	fputc('\n', stderr);
}

int verb_import(const struct arguments *arguments)
{
	CLEANUP(imported_finish) struct imported imported = {0};
	struct error error;
	if (exchange_import(arguments->operands[0], arguments->hosts, &imported, &error) < 0)
		return verb_fail(STATUS_MISUSE, &error);
	int status = hand_over(arguments, &imported.text);
	if (status == STATUS_HELD)
		tell_imported(arguments, &imported);
	return imported.problem && status == STATUS_HELD ? STATUS_MISUSE : status;
}
