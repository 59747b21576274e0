#include "cli/arguments.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "cli/verb.h"
#include "lab/exchange.h"

enum {
	OPTION_HELP = 'h',
	OPTION_WRITE = 'w',
	OPTION_OUTPUT = 'o',
	OPTION_SET = 256,
	OPTION_JSON,
	OPTION_RESULTS,
	OPTION_SUBMISSIONS,
	OPTION_PROGRAM,
	OPTION_TIME,
	OPTION_NAME,
	OPTION_ALL,
	OPTION_NAMES,
	OPTION_KEEP,
	OPTION_SHELL,
	OPTION_FORMAT,
	OPTION_HOSTS,
	OPTION_OBSERVE,
	OPTION_LIFELINE,
};

static const struct option known_options[] = {
	{"help", no_argument, NULL, OPTION_HELP},
	{"set", required_argument, NULL, OPTION_SET},
	{"json", no_argument, NULL, OPTION_JSON},
	{"results", required_argument, NULL, OPTION_RESULTS},
	{"submissions", required_argument, NULL, OPTION_SUBMISSIONS},
	{"program", required_argument, NULL, OPTION_PROGRAM},
	{"time", required_argument, NULL, OPTION_TIME},
	{"name", required_argument, NULL, OPTION_NAME},
	{"all", no_argument, NULL, OPTION_ALL},
	{"names", no_argument, NULL, OPTION_NAMES},
	{"write", required_argument, NULL, OPTION_WRITE},
	{"keep", no_argument, NULL, OPTION_KEEP},
	{"shell-on-failure", no_argument, NULL, OPTION_SHELL},
	{"format", required_argument, NULL, OPTION_FORMAT},
	{"output", required_argument, NULL, OPTION_OUTPUT},
	{"hosts", required_argument, NULL, OPTION_HOSTS},
	{"observe", no_argument, NULL, OPTION_OBSERVE},
	{"lifeline", required_argument, NULL, OPTION_LIFELINE},
	{0},
};

static int option_unknown(const struct verb *verb, const char *word, struct error *error)
{
	const char *names[ARRAY_LENGTH(known_options)];
	size_t count = 0;
	for (size_t i = 0; known_options[i].name; i++)
		names[count++] = known_options[i].name;
	const char *name = word + strspn(word, "-");
	const char *nearest = text_nearest(name, names, count);
	return error_set(error, -EINVAL, "%s: unknown option '%s'%s%s%s", verb->name, word,
		nearest ? "; did you mean '--" : "", nearest ? nearest : "", nearest ? "'?" : "");
}

static int option_check(const struct verb *verb, int option, struct error *error)
{
	static const struct {
		int option;
		unsigned bit;
		const char *name;
	} bits[] = {{OPTION_SET, ARGUMENT_SET, "set"}, {OPTION_JSON, ARGUMENT_JSON, "json"},
		{OPTION_RESULTS, ARGUMENT_RESULTS, "results"},
		{OPTION_SUBMISSIONS, ARGUMENT_GRADE, "submissions"},
		{OPTION_PROGRAM, ARGUMENT_GRADE, "program"}, {OPTION_TIME, ARGUMENT_GRADE, "time"},
		{OPTION_NAME, ARGUMENT_NAME, "name"}, {OPTION_ALL, ARGUMENT_ALL, "all"},
		{OPTION_NAMES, ARGUMENT_NAMES, "names"}, {OPTION_WRITE, ARGUMENT_WRITE, "write"},
		{OPTION_KEEP, ARGUMENT_KEEP, "keep"},
		{OPTION_SHELL, ARGUMENT_KEEP, "shell-on-failure"},
		{OPTION_FORMAT, ARGUMENT_EXPORT, "format"},
		{OPTION_OUTPUT, ARGUMENT_OUTPUT, "output"},
		{OPTION_HOSTS, ARGUMENT_IMPORT, "hosts"}, {OPTION_OBSERVE, ARGUMENT_UP, "observe"},
		{OPTION_LIFELINE, ARGUMENT_UP, "lifeline"}};
	for (size_t i = 0; i < ARRAY_LENGTH(bits); i++)
		if (bits[i].option == option && !(verb->accepted & bits[i].bit))
			return error_set(
				error, -EINVAL, "%s does not take --%s", verb->name, bits[i].name);
	return 0;
}

/* Those that are there or not, and those that are a text. Returns whether it is one of them. */
static bool option_plain(int option, struct arguments *arguments)
{
	struct {
		int option;
		bool *flag;
		const char **text;
	} const plain[] = {{OPTION_HELP, &arguments->help, NULL},
		{OPTION_JSON, &arguments->json, NULL}, {OPTION_ALL, &arguments->all, NULL},
		{OPTION_NAMES, &arguments->names, NULL}, {OPTION_KEEP, &arguments->keep, NULL},
		{OPTION_SHELL, &arguments->shell_on_failure, NULL},
		{OPTION_OBSERVE, &arguments->observe, NULL},
		{OPTION_LIFELINE, NULL, &arguments->lifeline},
		{OPTION_NAME, NULL, &arguments->name}, {OPTION_WRITE, NULL, &arguments->write},
		{OPTION_SUBMISSIONS, NULL, &arguments->submissions},
		{OPTION_PROGRAM, NULL, &arguments->program},
		{OPTION_FORMAT, NULL, &arguments->format},
		{OPTION_OUTPUT, NULL, &arguments->output}};
	for (size_t i = 0; i < ARRAY_LENGTH(plain); i++) {
		if (plain[i].option != option)
			continue;
		if (plain[i].flag)
			*plain[i].flag = true;
		else
			*plain[i].text = optarg;
		return true;
	}
	return false;
}

static int option_take(
	const struct verb *verb, int option, struct arguments *arguments, struct error *error)
{
	int status = option_check(verb, option, error);
	if (status < 0 || option_plain(option, arguments))
		return status;
	uint64_t number;
	switch (option) {
	case OPTION_HOSTS:
		if (!text_parse_number(optarg, 0, EXCHANGE_HOSTS_MOST, &number))
			return error_set(error, -EINVAL,
				"--hosts needs a number up to %d, not '%s'", EXCHANGE_HOSTS_MOST,
				optarg);
		arguments->hosts = (unsigned)number;
		break;
	case OPTION_RESULTS:
		if (!*optarg)
			return error_set(
				error, -EINVAL, "--results needs a folder's path, not nothing");
		arguments->results = optarg;
		break;
	case OPTION_TIME:
		if (!text_parse_seconds(optarg, &arguments->time_ns) || !arguments->time_ns)
			return error_set(error, -EINVAL,
				"--time needs a number of seconds, not '%s'", optarg);
		break;
	case OPTION_SET:
		if (arguments->setting_count == ARGUMENT_SETTINGS_MOST)
			return error_set(
				error, -EINVAL, "more than %d --set", ARGUMENT_SETTINGS_MOST);
		arguments->settings[arguments->setting_count++] = optarg;
		break;
	}
	return 0;
}

/* Its operands alone, which come first; options have not been the trouble. */
static int operands_wrong(const struct verb *verb, struct error *error)
{
	const char *end = verb->synopsis;
	while (*end && *end != '-' && strncmp(end, "[-", 2) != 0) {
		end += strcspn(end, " \n");
		end += strspn(end, " \n");
	}
	int length = (int)(end - verb->synopsis);
	while (length > 0 && strchr(" \n", verb->synopsis[length - 1]))
		length--;
	return error_set(error, -EINVAL, "usage: sim %s%s%.*s; 'sim %s --help' tells its options",
		verb->name, length ? " " : "", length, verb->synopsis, verb->name);
}

int arguments_read(const struct verb *verb, int argc, char **argv, struct arguments *ret_arguments,
	struct error *error)
{
	struct arguments arguments = {0};
	int option;
	opterr = 0;
	optind = 0;
	const char *order = verb->accepted & ARGUMENT_COMMAND ? "+:hw:o:" : ":hw:o:";
	while ((option = getopt_long(argc, argv, order, known_options, NULL)) != -1) {
		if (option == ':')
			return error_set(error, -EINVAL, "%s: '%s' needs its value", verb->name,
				argv[optind - 1]);
		if (option == '?')
			return option_unknown(verb, argv[optind - 1], error);
		int status = option_take(verb, option, &arguments, error);
		if (status < 0)
			return status;
	}
	arguments.operands = argv + optind;
	arguments.operand_count = argc - optind;
	if (!arguments.help && (arguments.operand_count < verb->operands_least ||
				       arguments.operand_count > verb->operands_most))
		return operands_wrong(verb, error);
	*ret_arguments = arguments;
	return 0;
}
