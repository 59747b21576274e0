#include "programs/shared/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

enum { OPTIONS_MOST = 64 };

static const struct option *option_find(
	const struct program *program, const char *name, size_t length)
{
	for (size_t i = 0; i < program->option_count; i++) {
		const struct option *option = &program->options[i];
		if (strlen(option->name) == length && strncmp(option->name, name, length) == 0)
			return option;
	}
	return NULL;
}

static int option_unknown(
	const struct program *program, const char *name, const char *dashes, struct error *error)
{
	const char *known[OPTIONS_MOST] = {"help", "version", "config"};
	size_t count = 3;
	for (size_t i = 0; i < program->option_count && count < OPTIONS_MOST; i++)
		known[count++] = program->options[i].name;
	const char *nearest = text_nearest(name, known, count);
	if (nearest)
		return error_set(error, -EINVAL, "unknown option '%s%s'; did you mean '%s%s'?",
			dashes, name, dashes, nearest);
	return error_set(
		error, -EINVAL, "unknown option '%s%s'; --help lists the known ones", dashes, name);
}

static int option_accept(const struct option *option, const char *text, const char *origin,
	void *settings, struct error *error)
{
	if (!option->argument && text)
		return error_set(error, -EINVAL, "option '%s' takes no argument", option->name);
	if (option->argument && !text)
		return error_set(
			error, -EINVAL, "option '%s' needs its %s", option->name, option->argument);
	struct option_value value = {.name = option->name, .text = text, .origin = origin};
	return option->accept(settings, &value, error);
}

/* One line of a configuration file, without its newline; changed in place. */
static int option_line(const struct program *program, char *line, const char *origin,
	void *settings, struct error *error)
{
	char *name = line + strspn(line, " \t\r");
	char *end = name + strlen(name);
	while (end > name && strchr(" \t\r\n", end[-1]))
		*--end = '\0';
	if (!*name || *name == '#')
		return 0;
	size_t length = strcspn(name, " \t=");
	const struct option *option = option_find(program, name, length);
	char *text = name + length;
	text += strspn(text, " \t");
	if (*text == '=')
		text += 1 + strspn(text + 1, " \t");
	if (!option) {
		name[length] = '\0';
		return option_unknown(program, name, "", error);
	}
	return option_accept(option, *text ? text : NULL, origin, settings, error);
}

int options_read_file(
	const struct program *program, const char *path, void *settings, struct error *error)
{
	CLEANUP(close_file) FILE *file = fopen(path, "re");
	if (!file)
		return error_system(error, -errno, "cannot read the configuration '%s'", path);
	CLEANUP(free_pointer) char *line = NULL;
	size_t size = 0;
	ssize_t length;
	for (unsigned number = 1; (length = getline(&line, &size, file)) >= 0; number++) {
		char origin[512];
		snprintf(origin, sizeof(origin), "%s:%u", path, number);
		if (strlen(line) != (size_t)length)
			return error_set(error, -EINVAL, "%s: the line holds a NUL byte", origin);
		int status = option_line(program, line, origin, settings, error);
		if (status < 0)
			return error_prefix(error, "%s: ", origin);
	}
	if (ferror(file))
		return error_system(error, -EIO, "cannot read the configuration '%s'", path);
	return 0;
}

static void options_help(const struct program *program)
{
	printf("usage: %s %s\n\n%s\n\noptions:\n", program->name, program->synopsis,
		program->purpose);
	for (size_t i = 0; i < program->option_count; i++) {
		const struct option *option = &program->options[i];
		char left[64];
		snprintf(left, sizeof(left), "--%s%s%s", option->name, option->argument ? " " : "",
			option->argument ? option->argument : "");
		printf("  %-26s %s\n", left, option->help);
	}
	printf("  %-26s %s\n", "--config FILE",
		"read options from FILE, one a line, without the dashes");
	printf("  %-26s %s\n", "--help, --version", "print this, or the version, and exit");
	printf("\nexit status: 0 done, 2 misuse, 3 the system refused, 4 no address to be had\n"
	       "(dhcp-client), 5 the other side refused (ftp-client)\n");
}

/* One option at argv[*at]; moves *at behind it and its argument. */
static int option_argument(const struct program *program, int argc, char **argv, int *at,
	void *settings, struct error *error)
{
	const char *name = argv[(*at)++] + 2;
	size_t length = strcspn(name, "=");
	const char *text = name[length] ? name + length + 1 : NULL;
	if (strcmp(name, "help") == 0 || strcmp(name, "version") == 0) {
		if (*name == 'h')
			options_help(program);
		else
			printf("%s %s\n", program->name, SIM_VERSION);
		exit(EXIT_DONE);
	}
	bool config = length == strlen("config") && strncmp(name, "config", length) == 0;
	const struct option *option = option_find(program, name, length);
	if (!option && !config) {
		CLEANUP(free_pointer) char *word = strndup(name, length);
		return option_unknown(program, word ? word : name, "--", error);
	}
	if (!text && (config || option->argument) && *at < argc)
		text = argv[(*at)++];
	if (config && !text)
		return error_set(error, -EINVAL, "option 'config' needs its FILE");
	if (config)
		return options_read_file(program, text, settings, error);
	return option_accept(option, text, "command line", settings, error);
}

int options_read(const struct program *program, int argc, char **argv, void *settings,
	int *ret_operands, struct error *error)
{
	int at = 1;
	while (at < argc && argv[at][0] == '-' && argv[at][1]) {
		if (strcmp(argv[at], "--") == 0) {
			at++;
			break;
		}
		if (argv[at][1] != '-')
			return error_set(error, -EINVAL,
				"unknown option '%s'; options are long here, --help lists them",
				argv[at]);
		int status = option_argument(program, argc, argv, &at, settings, error);
		if (status < 0)
			return status;
	}
	if (!ret_operands && at < argc)
		return error_set(error, -EINVAL,
			"'%s' is one word too many; --help shows the usage", argv[at]);
	if (ret_operands)
		*ret_operands = at;
	return 0;
}

int program_fail(const struct program *program, int status, const struct error *error)
{
	fprintf(stderr, "%s: %s\n", program->name, error->text);
	return status;
}
