/* sim: argv to one verb. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "cli/verb.h"

const char sim_version[] = "0.1";

static const struct verb verbs[] = {
	{"run",
		"TOPOLOGY [SCENARIO...] [--set NAME=VALUE]... [--results DIR] [--json]\n"
		"               [--keep] [--shell-on-failure] [--name NAME]",
		"build the topology, run its scenarios (all, or those named), write the results",
		verb_run,
		ARGUMENT_SET | ARGUMENT_RESULTS | ARGUMENT_JSON | ARGUMENT_KEEP | ARGUMENT_NAME, 1,
		INT_MAX},
	{"grade",
		"TOPOLOGY [SCENARIO...] --submissions DIR [--program VARIABLE] [--time SECONDS]\n"
		"                 [--set NAME=VALUE]... [--results DIR] [--json]",
		"run the scenarios with each of many submissions in the place of our programs",
		verb_grade, ARGUMENT_SET | ARGUMENT_RESULTS | ARGUMENT_JSON | ARGUMENT_GRADE, 1,
		INT_MAX},
	{"up",
		"TOPOLOGY [--name NAME] [--set NAME=VALUE]... [--results DIR] [--json]\n"
		"              [--observe] [--lifeline FD]",
		"build the topology, start its services, and leave it up to work in by hand",
		verb_up,
		ARGUMENT_NAME | ARGUMENT_SET | ARGUMENT_RESULTS | ARGUMENT_JSON | ARGUMENT_UP, 1,
		1},
	{"ps", "[LAB] [--names] [--json]",
		"show the labs that are up: their nodes, addresses and processes", verb_ps,
		ARGUMENT_NAMES | ARGUMENT_JSON, 0, 1},
	{"exec", "[LAB:]NODE COMMAND [ARGUMENT...]", "run a command in a node of a lab that is up",
		verb_exec, ARGUMENT_COMMAND, 2, INT_MAX},
	{"shell", "[LAB:]NODE", "a shell in a node of a lab that is up", verb_shell, 0, 1, 1},
	{"capture", "[LAB:]NODE[:INTERFACE] [-w FILE]",
		"write what passes at an interface as pcapng, to a file or to a pipe", verb_capture,
		ARGUMENT_WRITE, 1, 1},
	{"down", "[LAB] [--all]", "take a lab down that is up, and all that runs in it", verb_down,
		ARGUMENT_ALL, 0, 1},
	{"validate", "TOPOLOGY [--set NAME=VALUE]... [--json]",
		"read the file and say whether it is right", verb_validate,
		ARGUMENT_SET | ARGUMENT_JSON, 1, 1},
	{"plan", "TOPOLOGY [--set NAME=VALUE]... [--json]",
		"print every address, route and process that a run would make", verb_plan,
		ARGUMENT_SET | ARGUMENT_JSON, 1, 1},
	{"export", "TOPOLOGY --format FORMAT [-o FILE] [--set NAME=VALUE]...",
		"hand the network to other tools: as a shell script, for containerlab, for "
		"Graphviz",
		verb_export, ARGUMENT_SET | ARGUMENT_EXPORT | ARGUMENT_OUTPUT, 1, 1},
	{"import", "FILE [-o FILE] [--hosts N]",
		"make a topology file of one of containerlab, or of a graph in GraphML",
		verb_import, ARGUMENT_IMPORT | ARGUMENT_OUTPUT, 1, 1},
	{"graph", "TOPOLOGY [-o FILE] [--set NAME=VALUE]...",
		"draw the topology: its nodes, links and addresses", verb_graph,
		ARGUMENT_GRAPH | ARGUMENT_OUTPUT | ARGUMENT_SET, 1, 1},
	{"list", "[--results DIR] [--json]", "show what topologies and runs there are", verb_list,
		ARGUMENT_RESULTS | ARGUMENT_JSON, 0, 0},
	{"doctor", "[--json]",
		"try what labs need of this machine, and say what is missing and how to mend it",
		verb_doctor, ARGUMENT_JSON, 0, 0},
};

const struct verb *verb_all(size_t *ret_count)
{
	*ret_count = ARRAY_LENGTH(verbs);
	return verbs;
}

void verb_print(FILE *file, const char *text)
{
	CLEANUP(free_pointer) char *clean = text ? text_sanitize(text, strlen(text)) : NULL;
	for (char *at = clean; at && *at; at++)
		if (*at == '\n' || *at == '\t')
			*at = ' ';
	fputs(clean ? clean : "(out of memory)", file);
}

int verb_fail(int status, const struct error *error)
{
	fputs("sim: ", stderr);
	verb_print(stderr, error->text);
	fputc('\n', stderr);
	return error->code == -ENOMEM ? STATUS_SYSTEM : status;
}

void verb_end_by_signal(int number)
{
	fflush(NULL);
	signal(number, SIG_DFL);
	raise(number);
	_exit(STATUS_FAILED);
}

static void help(FILE *file)
{
	fprintf(file, "usage: sim VERB ...\n\n"
		      "A network testbed: real Linux stacks in namespaces, built from one "
		      "file.\n\nverbs:\n");
	for (size_t i = 0; i < ARRAY_LENGTH(verbs); i++)
		fprintf(file, "  %-9s %s\n", verbs[i].name, verbs[i].purpose);
	fprintf(file, "\n"
		      "  sim VERB --help   says what a verb takes\n"
		      "  sim --version     prints the version\n"
		      "  man sim           the manual (in the source tree core/cli/README.md)\n"
		      "  man sim-topology  what a file can say (topologies/README.md)\n\n"
		      "TOPOLOGY is a name (two-subnets is topologies/two-subnets.yaml) or a path.\n"
		      "Exit status: 0 all held, 1 a check failed, 2 misuse or a faulty file, 3 the "
		      "system "
		      "refused.\n");
}

/* What an option, or another thing that several verbs take, does. */
static const struct {
	unsigned bit;
	const char *text;
} helps[] = {
	{ARGUMENT_GRADE, verb_grade_help},
	{ARGUMENT_EXPORT, verb_export_help},
	{ARGUMENT_IMPORT, verb_import_help},
	{ARGUMENT_SET, "  --set NAME=VALUE  give an entry of the file's vars another value\n"},
	{ARGUMENT_RESULTS, "  --results DIR     the folder of all results (else results/ of the "
			   "source tree)\n"},
	{ARGUMENT_KEEP, "  --keep            leave the lab of the first scenario that fails up, "
			"else of the last;\n"
			"                    sim down takes it down\n"
			"  --shell-on-failure  a shell in the node where a check failed, while the "
			"lab stands\n"},
	{ARGUMENT_NAME, "  --name NAME       what the lab is called (else as the topology); "
			"several copies of\n"
			"                    one topology need several names\n"},
	{ARGUMENT_UP, "  --observe         capture and decode as a run does: capture.pcapng, "
		      "messages.jsonl and\n"
		      "                    events.jsonl in the lab's folder, as they come\n"
		      "  --lifeline FD     the lab ends when this descriptor, a pipe or a socket, "
		      "has no other\n"
		      "                    end any more: with whoever holds that, however he ends. "
		      "A byte that\n"
		      "                    is written to it before lets the lab stay\n"},
	{ARGUMENT_WRITE,
		"  -w, --write FILE  to this file; -, or nothing, is standard output:\n"
		"                    sim capture client1:eth0 | wireshark -k -i -\n"
		"LAB can be left out where one lab is up, INTERFACE where the node has one.\n"},
	{ARGUMENT_GRAPH,
		"  -o, --output FILE  to this file, in the form that its end names: .svg, .png, "
		".pdf, or\n"
		"                    .dot for Graphviz's own text; -: SVG to standard output\n"
		"                    (without it: TOPOLOGY.svg in the working directory)\n"},
	{ARGUMENT_ALL, "  --all             all labs that are yours\n"},
	{ARGUMENT_NAMES, "  --names           only LAB:NODE and LAB:NODE:INTERFACE, a line each\n"},
	{ARGUMENT_COMMAND, "LAB can be left out where one lab is up. The exit status is the "
			   "command's (127: it cannot be\n"
			   "run, 128 and more: a signal ended it).\n"},
	{ARGUMENT_JSON, "  --json            print the facts as JSON on standard output\n"},
};

static int verb_help(const struct verb *verb)
{
	printf("usage: sim %s %s\n\n%s.\n", verb->name, verb->synopsis, verb->purpose);
	for (size_t i = 0; i < ARRAY_LENGTH(helps); i++)
		if (verb->accepted & helps[i].bit)
			fputs(helps[i].text, stdout);
	return STATUS_HELD;
}

static const struct verb *verb_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LENGTH(verbs); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

static int verb_unknown(const char *name)
{
	const char *names[ARRAY_LENGTH(verbs)];
	for (size_t i = 0; i < ARRAY_LENGTH(verbs); i++)
		names[i] = verbs[i].name;
	const char *nearest = text_nearest(name, names, ARRAY_LENGTH(verbs));
	fputs("sim: unknown verb '", stderr);
	verb_print(stderr, name);
	fprintf(stderr, "'%s%s%s 'sim help' lists the known ones\n",
		nearest ? "; did you mean '" : ";", nearest ? nearest : "", nearest ? "'?" : "");
	return STATUS_MISUSE;
}

/* Output that could not be written (a full disk, a closed pipe) is not success. */
static int flushed(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	fprintf(stderr, "sim: cannot write to standard output: %s\n", strerror(errno));
	return STATUS_SYSTEM;
}

/*
 * What would be opened first would take the place of a standard stream that is closed, and be
 * written to as if it were one. Opened the other way round, its use still fails.
 */
static void open_standard_streams(void)
{
	static const int ways[] = {O_WRONLY, O_RDONLY, O_RDONLY};
	for (int fd = 0; fd < (int)ARRAY_LENGTH(ways); fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", ways[fd]) != fd)
			_exit(STATUS_SYSTEM);
}

int main(int argc, char **argv)
{
	open_standard_streams();
	if (argc < 2) {
		help(stderr);
		return STATUS_MISUSE;
	}
	const char *name = argv[1];
	if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
		const struct verb *about = argc > 2 ? verb_find(argv[2]) : NULL;
		if (about)
			return flushed(verb_help(about));
		help(stdout);
		return flushed(STATUS_HELD);
	}
	if (strcmp(name, "--version") == 0) {
		printf("sim %s\n", sim_version);
		return flushed(STATUS_HELD);
	}
	if (strcmp(name, "complete") == 0)
		return flushed(verb_complete(argc - 2, argv + 2));
	const struct verb *verb = verb_find(name);
	if (!verb)
		return verb_unknown(name);
	struct arguments arguments;
	struct error error;
	if (arguments_read(verb, argc - 1, argv + 1, &arguments, &error) < 0)
		return verb_fail(STATUS_MISUSE, &error);
	return flushed(arguments.help ? verb_help(verb) : verb->run(&arguments));
}
