#include "cli/arguments.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "cli/verb.h"

enum {
	OPTION_HELP = 'h',
	OPTION_SET = 's',
	OPTION_JSON = 'j',
	OPTION_RESULTS = 'r',
	OPTION_SUBMISSIONS = 'S',
	OPTION_PROGRAM = 'p',
	OPTION_TIME = 't',
	OPTION_NAME = 'n',
	OPTION_ALL = 'a',
	OPTION_NAMES = 'N',
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

static int option_take(
	const struct verb *verb, int option, struct arguments *arguments, struct error *error)
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
		{OPTION_NAMES, ARGUMENT_NAMES, "names"}};
	for (size_t i = 0; i < ARRAY_LENGTH(bits); i++)
		if (bits[i].option == option && !(verb->accepted & bits[i].bit))
			return error_set(
				error, -EINVAL, "%s does not take --%s", verb->name, bits[i].name);
	switch (option) {
	case OPTION_HELP:
		arguments->help = true;
		break;
	case OPTION_JSON:
		arguments->json = true;
		break;
	case OPTION_RESULTS:
		if (!*optarg)
			return error_set(
				error, -EINVAL, "--results needs a folder's path, not nothing");
		arguments->results = optarg;
		break;
	case OPTION_NAME:
		arguments->name = optarg;
		break;
	case OPTION_ALL:
		arguments->all = true;
		break;
	case OPTION_NAMES:
		arguments->names = true;
		break;
	case OPTION_SUBMISSIONS:
		arguments->submissions = optarg;
		break;
	case OPTION_PROGRAM:
		arguments->program = optarg;
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

int arguments_read(const struct verb *verb, int argc, char **argv, struct arguments *ret_arguments,
	struct error *error)
{
	struct arguments arguments = {0};
	int option;
	opterr = 0;
	optind = 0;
	const char *order = verb->accepted & ARGUMENT_COMMAND ? "+:h" : ":h";
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
		return error_set(error, -EINVAL, "usage: sim %s %s", verb->name, verb->synopsis);
	*ret_arguments = arguments;
	return 0;
}
