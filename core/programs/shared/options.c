#include "programs/shared/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "programs/shared/interface_name.h"

enum { OPTIONS_MOST = 64 };

static const struct option *option_find(
	const struct program *program, const char *name, size_t length)
{
	for (size_t i = 0; i < program->option_count; i++) {
		const struct option *option = &program->options[i];
		if (option->name && strlen(option->name) == length &&
			strncmp(option->name, name, length) == 0)
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
		if (program->options[i].name)
			known[count++] = program->options[i].name;
	const char *nearest = text_nearest(name, known, count);
	if (nearest)
		return error_set(error, -EINVAL, "unknown option '%s%s'; did you mean '%s%s'?",
			dashes, name, dashes, nearest);
	return error_set(
		error, -EINVAL, "unknown option '%s%s'; --help lists the known ones", dashes, name);
}

static bool argument_needed(const struct option *option)
{
	return option->argument && option->argument[0] != '[';
}

/* value->name is not set yet. */
static int option_accept(
	const struct option *option, struct option_value value, void *settings, struct error *error)
{
	if (!option->argument && value.text)
		return error_set(error, -EINVAL, "option '%s' takes no argument", option->name);
	if (argument_needed(option) && !value.text)
		return error_set(
			error, -EINVAL, "option '%s' needs its %s", option->name, option->argument);
	value.name = option->name;
	return option->accept(settings, &value, error);
}

/* Where the comment of a line begins, or its end: a `#` behind white space, not in "quotes". */
static char *comment_start(char *line)
{
	bool quoted = false;
	char *at = line;
	for (; *at; at++) {
		if (*at == '"')
			quoted = !quoted;
		else if (*at == '#' && !quoted && (at == line || strchr(" \t", at[-1])))
			break;
	}
	return at;
}

/* One line of a configuration file, without its newline; changed in place. */
static int option_line(const struct program *program, char *line, struct option_value where,
	void *settings, struct error *error)
{
	char *name = line + strspn(line, " \t\r");
	char *end = comment_start(name);
	*end = '\0';
	while (end > name && strchr(" \t\r\n", end[-1]))
		*--end = '\0';
	if (!*name)
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
	where.text = *text ? text : NULL;
	return option_accept(option, where, settings, error);
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
	errno = 0;
	for (unsigned number = 1; (length = getline(&line, &size, file)) >= 0; number++) {
		char origin[512];
		snprintf(origin, sizeof(origin), "%s:%u", path, number);
		if (strlen(line) != (size_t)length)
			return error_set(error, -EINVAL, "%s: the line holds a NUL byte", origin);
		struct option_value where = {.origin = origin, .file = path};
		int status = option_line(program, line, where, settings, error);
		if (status < 0)
			return error_prefix(error, "%s: ", origin);
	}
	if (ferror(file))
		return error_system(
			error, errno ? -errno : -EIO, "cannot read the configuration '%s'", path);
	return 0;
}

/* "  --name ARGUMENT   what it does", the further lines of what it does below the first. */
static void help_row(const char *dashes, const struct option *option)
{
	enum { COLUMN = 28 };
	char left[128];
	int used = snprintf(left, sizeof(left), "  %s%s%s%s", dashes, option->name,
		option->argument ? " " : "", option->argument ? option->argument : "");
	printf("%s", left);
	if (used >= COLUMN) {
		printf("\n");
		used = 0;
	}
	const char *line = option->help;
	for (size_t length; *line; line += length + (line[length] == '\n')) {
		length = strcspn(line, "\n");
		printf("%*s%.*s\n", COLUMN - used, "", (int)length, line);
		used = 0;
	}
}

static void options_help(const struct program *program)
{
	static const struct option always[] = {
		{"config", "FILE", "read options from FILE, one a line, without the dashes", NULL},
		{"help", NULL, "print this and exit", NULL},
		{"version", NULL, "print the version and exit", NULL},
	};
	printf("usage: %s %s\n\n%s\n", program->name, program->synopsis, program->purpose);
	if (program->command_count > 0)
		printf("\ncommands:\n");
	for (size_t i = 0; i < program->command_count; i++)
		help_row("", &program->commands[i]);
	if (program->option_count == 0 || program->options[0].name)
		printf("\noptions:\n");
	for (size_t i = 0; i < program->option_count; i++) {
		if (program->options[i].name)
			help_row("--", &program->options[i]);
		else
			printf("\n%s:\n", program->options[i].help);
	}
	if (program->option_count > 0 && !program->options[0].name)
		printf("\ngeneral:\n");
	for (size_t i = 0; i < ARRAY_LENGTH(always); i++)
		help_row("--", &always[i]);
	printf("\nexit status: %s\n", program->exit_status
					      ? program->exit_status
					      : "0 done, 2 misuse, 3 the system refused");
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
	bool needed = config || argument_needed(option);
	bool offered = !config && option->argument && *at < argc && argv[*at][0] != '-';
	if (!text && *at < argc && (needed || offered))
		text = argv[(*at)++];
	if (config && !text)
		return error_set(error, -EINVAL, "option 'config' needs its FILE");
	if (config)
		return options_read_file(program, text, settings, error);
	struct option_value value = {.text = text, .origin = "command line"};
	return option_accept(option, value, settings, error);
}

static int word_unknown(const struct program *program, const char *word, struct error *error)
{
	const char *known[OPTIONS_MOST];
	size_t count = 0;
	for (; count < program->command_count && count < OPTIONS_MOST; count++)
		known[count] = program->commands[count].name;
	const char *nearest = text_nearest(word, known, count);
	if (nearest)
		return error_set(error, -EINVAL,
			"unknown command '%s'; did you mean '%s', as the first word?", word,
			nearest);
	return error_set(error, -EINVAL, "'%s' is one word too many; --help shows the usage", word);
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
		return word_unknown(program, argv[at], error);
	if (ret_operands)
		*ret_operands = at;
	return 0;
}

int option_interface(
	char ret_name[static IF_NAMESIZE], const struct option_value *value, struct error *error)
{
	if (!*value->text || strlen(value->text) > INTERFACE_NAME_MOST)
		return error_set(error, -EINVAL,
			"%s '%s' is no interface's name: 1 to %d characters", value->name,
			value->text, INTERFACE_NAME_MOST);
	return interface_name_find(value->text, ret_name, error);
}

int option_endpoint(struct endpoint *ret_endpoint, uint16_t port, const struct option_value *value,
	struct error *error)
{
	if (endpoint_parse(value->text, port, ret_endpoint))
		return 0;
	return error_set(error, -EINVAL,
		"%s wants ADDR:PORT (or ADDR, :PORT, [IPV6]:PORT), not '%s'", value->name,
		value->text);
}

int option_seconds(uint64_t *ret_ns, const struct option_value *value, struct error *error)
{
	uint64_t ns;
	if (!text_parse_seconds(value->text, &ns) || ns == 0)
		return error_set(error, -EINVAL,
			"--%s '%s' is no time: seconds above 0, with decimals if need be",
			value->name, value->text);
	*ret_ns = ns;
	return 0;
}

int option_choice(const char *const *words, size_t count, unsigned *ret_choice,
	const struct option_value *value, struct error *error)
{
	CLEANUP(text_finish) struct text all = {0};
	for (unsigned i = 0; i < count; i++) {
		if (strcmp(words[i], value->text) == 0) {
			*ret_choice = i;
			return 0;
		}
		text_append(&all, "%s%s", i == 0 ? "" : i + 1 < count ? ", " : " nor ", words[i]);
	}
	const char *nearest = text_nearest(value->text, words, count);
	return error_set(error, -EINVAL, "%s '%s' is neither %s%s%s%s", value->name, value->text,
		text_view(&all), nearest ? "; did you mean '" : "", nearest ? nearest : "",
		nearest ? "'?" : "");
}

int option_protocol(
	bool *ret_text, const char *own, const struct option_value *value, struct error *error)
{
	const char *const words[] = {own, "text"};
	unsigned choice;
	int status = option_choice(words, ARRAY_LENGTH(words), &choice, value, error);
	if (status == 0)
		*ret_text = choice == 1;
	return status;
}

int program_fail(const struct program *program, int status, const struct error *error)
{
	fprintf(stderr, "%s: %s\n", program->name, error->text);
	return status;
}
