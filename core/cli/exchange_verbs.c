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
