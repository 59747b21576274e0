/* sim graph: the topology as a picture. No privilege needed. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/verb.h"
#include "lab/graph.h"
#include "lab/verbs.h"

int verb_graph(const struct arguments *arguments)
{
	CLEANUP(subject_finish) struct subject subject = {0};
	struct error error;
	const char *output = arguments->output;
	if (output && strcmp(output, "-") == 0 && isatty(STDOUT_FILENO)) {
		error_set(&error, -EINVAL,
			"a picture is nothing for a terminal: -o FILE writes it to a file");
		return verb_fail(STATUS_MISUSE, &error);
	}
	if (subject_open(arguments->operands[0], arguments->settings, arguments->setting_count,
		    &subject, &error) < 0)
		return verb_fail(STATUS_MISUSE, &error);
	CLEANUP(free_pointer) char *here = text_format("%s.svg", subject.topology.name);
	if (!here) {
		error_set(&error, -ENOMEM, "out of memory");
		return verb_fail(STATUS_SYSTEM, &error);
	}
	const char *path = output ? output : here;
	int status = graph_write(&subject.plan, path, &error);
	if (status < 0)
		return verb_fail(status == -EINVAL ? STATUS_MISUSE : STATUS_SYSTEM, &error);
	if (strcmp(path, "-") != 0) {
		verb_print(stdout, path);
		putchar('\n');
	}
	return STATUS_HELD;
}
