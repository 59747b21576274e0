/*
 * The command line, from received bytes to verb, argument and path. Input: a byte (its low half: in
 * pieces of how many bytes the rest is received, 0 all at once; its highest bit: every argument is
 * resolved many times, so that paths reach their limit), and what a client sends.
 */
#include <strings.h>

#include "fuzz_ftp.h"

#include "base/cleanup.h"
#include "ftp/command.h"
#include "ftp/listing.h"

enum { TIMES_MANY = 20, RESOLUTIONS_MOST = 60 };

static struct {
	unsigned times, left; /* resolutions of an argument, and of all */
	char directory[FTP_PATH_SIZE];
} world;

/* What the table says is what the parser does. */
static void check_rule(enum ftp_command_fault fault, const struct ftp_command *command)
{
	const struct ftp_verb_rule *rule = ftp_verb_rule(command->verb);
	size_t length = command->argument_length;
	HOLDS(rule->verb == command->verb && rule->secret == command->secret);
	if (fault == FTP_COMMAND_NUL)
		return;
	HOLDS((fault == FTP_COMMAND_UNKNOWN) == (command->verb == FTP_UNKNOWN));
	if (fault == FTP_COMMAND_UNKNOWN)
		return;
	HOLDS((fault == FTP_COMMAND_WANTS_ARGUMENT) ==
		(rule->argument == FTP_ARGUMENT_REQUIRED && length == 0));
	HOLDS((fault == FTP_COMMAND_WANTS_NONE) ==
		(rule->argument == FTP_ARGUMENT_NONE && length > 0));
}

/* A line for the log is printable, and a secret is not in it: another one would look the same. */
static void check_description(const struct ftp_command *command, const char *line, size_t length)
{
	char shown[200], again[200], longer[40];
	size_t size = length % 2 ? sizeof(shown) : 16 + length % 32;
	ftp_command_describe(command, line, length, shown, size);
	HOLDS(strlen(shown) < size);
	for (const char *at = shown; *at; at++)
		HOLDS(*at >= ' ' && *at <= '~');
	size_t verb = length - command->argument_length;
	if (!command->secret || command->argument_length == 0 || verb + 3 > sizeof(longer))
		return;
	struct ftp_command other;
	memcpy(longer, line, verb);
	memcpy(longer + verb, "xyz", 3);
	ftp_command_parse(longer, verb + 3, &other);
	ftp_command_describe(&other, longer, verb + 3, again, size);
	HOLDS(other.secret && strcmp(shown, again) == 0);
}

/* False where it leads nowhere. */
static bool check_path(const char *name, size_t length, char path[static FTP_PATH_SIZE])
{
	path[0] = '\0';
	if (!ftp_path_resolve(world.directory, name, length, path)) {
		HOLDS(path[0] == '\0'); /* untouched */
		HOLDS(memchr(name, '\0', length) || length > FTP_PATH_NAME_MAX ||
			strlen(world.directory) + 1 + length >= FTP_PATH_SIZE);
		return false;
	}
	memcpy(world.directory, path, strlen(path) + 1);
	return true;
}

static void check_paths(const char *name, size_t length)
{
	char path[FTP_PATH_SIZE], again[FTP_PATH_SIZE];
	for (unsigned i = 0; i < world.times && world.left > 0; i++, world.left--)
		if (!check_path(name, length, path))
			break;
	const char *directory = world.directory;
	HOLDS(is_normalised(directory));
	HOLDS(ftp_path_resolve("/", directory, strlen(directory), again) &&
		strcmp(directory, again) == 0);
	HOLDS(!strchr(ftp_path_leaf(directory), '/'));
	const char *relative = ftp_path_relative(directory);
	HOLDS(*relative && *relative != '/');
}

/* What else an argument may be: facts of OPTS MLST, the time of MFMT. */
static void check_parts(const char *argument, size_t length)
{
	CLEANUP(text_finish) struct text names = {0};
	char text[FTP_TIME_TEXT_SIZE];
	int64_t seconds, again;
	unsigned facts = ftp_facts_parse(argument, length);
	HOLDS(facts <= FTP_FACTS_ALL);
	ftp_facts_append_names(&names, facts, false);
	HOLDS(ftp_facts_parse(text_view(&names), names.length) == facts);
	if (!ftp_time_parse(argument, length, &seconds))
		return;
	ftp_time_format(seconds, text);
	HOLDS(ftp_time_parse(text, strlen(text), &again) && again == seconds);
	if (memcmp(argument + 12, "60", 2) != 0)
		HOLDS(strlen(text) == 14 && memcmp(text, argument, 14) == 0);
}

static void look(const char *line, size_t length)
{
	struct ftp_command command;
	enum ftp_command_fault fault = ftp_command_parse(line, length, &command);
	const char *argument = command.argument;
	TRACE("%s, fault %u, %zu bytes", ftp_verb_name(command.verb), fault,
		command.argument_length);
	HOLDS(argument && (command.argument_length == 0 ||
				  lies_within(argument, command.argument_length, line, length)));
	HOLDS((length && memchr(line, '\0', length)) == (fault == FTP_COMMAND_NUL));
	check_rule(fault, &command);
	check_description(&command, line, length);
	if (command.argument_length == 0)
		return;
	check_parts(argument, command.argument_length);
	check_paths(argument, command.argument_length);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct reader input = reader_over(bytes, length);
	uint8_t how = read_u8(&input);
	world.times = how & 0x80 ? TIMES_MANY : 1;
	world.left = RESOLUTIONS_MOST;
	memcpy(world.directory, "/", 2);
	each_line(&input, how & 0x0f, look);
	return 0;
}
