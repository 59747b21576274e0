#include "programs/shared/operator.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "programs/shared/control_socket.h"

enum { OPTIONS_MOST = 16 };

static int accept_control(void *target, const struct option_value *value, struct error *error)
{
	struct operator_request *request = target;
	free(request->control);
	request->control = strdup(value->text);
	return request->control ? 0 : error_set(error, -ENOMEM, "out of memory");
}

static int accept_json(void *target, const struct option_value *value, struct error *error)
{
	struct operator_request *request = target;
	(void)value, (void)error;
	request->json = true;
	return 0;
}

static void request_finish(struct operator_request *request)
{
	free(request->control);
	text_finish(&request->line);
}

static const struct operator_command *command_find(
	const struct operator_program *asking, const char *name)
{
	for (size_t i = 0; i < asking->command_count; i++)
		if (strcmp(asking->commands[i].name, name) == 0)
			return &asking->commands[i];
	return NULL;
}

/* What --help calls the command's operand. */
static const char *operand_name(const struct operator_program *asking, const char *command)
{
	const struct program *program = asking->program;
	for (size_t i = 0; i < program->command_count; i++)
		if (strcmp(program->commands[i].name, command) == 0 &&
			program->commands[i].argument)
			return program->commands[i].argument;
	return "operand";
}

/* A word of the request line that text_split_words() gives back as it is. */
static void append_word(struct text *line, const char *word)
{
	text_append_bytes(line, " \"", 2);
	for (; *word; word++) {
		if (*word == '"' || *word == '\\')
			text_append_bytes(line, "\\", 1);
		text_append_bytes(line, *word == '\n' ? " " : word, 1);
	}
	text_append_bytes(line, "\"", 1);
}

/* Options and operands behind the command, in any order; they end up in request->line. */
static int read_words(const struct operator_program *asking, int argc, char **argv,
	struct operator_request *request, struct error *error)
{
	static const struct option shared[] = {
		{"control", "PATH", "the program's control socket; default: /run/PROGRAM.sock",
			accept_control},
		{"json", NULL, "print the answer as JSON", accept_json},
	};
	struct option options[OPTIONS_MOST];
	struct program program = *asking->program;
	size_t own = asking->option_count;
	if (own > OPTIONS_MOST - ARRAY_LENGTH(shared))
		own = OPTIONS_MOST - ARRAY_LENGTH(shared);
	if (own > 0)
		memcpy(options, asking->options, own * sizeof(*options));
	memcpy(options + own, shared, sizeof(shared));
	program.synopsis = "COMMAND [options]";
	program.purpose = "Ask the one that runs.";
	program.exit_status = "0 done, 2 misuse, 3 nobody answers there, or it could not be done";
	program.options = options;
	program.option_count = own + ARRAY_LENGTH(shared);
	const struct operator_command *command = command_find(asking, argv[0]);
	size_t wanted = command->has_operand ? 1 : 0, operands = 0;
	for (int at = 0; argc > 1; argc -= at, argv += at) {
		int status = options_read(&program, argc, argv, request, &at, error);
		if (status < 0)
			return status;
		if (at == argc)
			break;
		if (operands++ == wanted)
			return error_set(error, -EINVAL,
				"'%s' is one word too many; --help shows the usage", argv[at]);
		append_word(&request->line, argv[at]);
	}
	if (operands < wanted)
		return error_set(error, -EINVAL, "%s needs its %s", command->name,
			operand_name(asking, command->name));
	return request->line.failed ? error_set(error, -ENOMEM, "out of memory") : 0;
}

static int ask(const struct operator_command *command, const struct operator_request *request,
	struct error *error)
{
	CLEANUP(json_release) json_t *answer = NULL;
	int status = control_socket_ask(
		request->program, request->control, text_view(&request->line), &answer, error);
	if (status == 0 && command->complete)
		status = command->complete(request, answer, error);
	if (status < 0)
		return status;
	if (!request->json)
		command->print(answer);
	else if (json_dumpf(answer, stdout, JSON_INDENT(2)) < 0 || putchar('\n') == EOF)
		return error_set(error, -EIO, "cannot print the answer");
	return fflush(stdout) == 0 ? 0 : error_system(error, -errno, "cannot print the answer");
}

bool operator_run(const struct operator_program *asking, int argc, char **argv, int *ret_status)
{
	const struct operator_command *command = argc > 1 ? command_find(asking, argv[1]) : NULL;
	if (!command)
		return false;
	struct error error;
	CLEANUP(request_finish)
	struct operator_request request = {.program = asking->program->name, .limit = -1};
	text_append(&request.line, "%s", command->name);
	int status = read_words(asking, argc - 1, argv + 1, &request, &error);
	if (status < 0) {
		*ret_status = program_fail(asking->program, EXIT_MISUSE, &error);
		return true;
	}
	status = ask(command, &request, &error);
	*ret_status = status == 0 ? EXIT_DONE
				  : program_fail(asking->program,
					    status == -EINVAL ? EXIT_MISUSE : EXIT_SYSTEM, &error);
	return true;
}
