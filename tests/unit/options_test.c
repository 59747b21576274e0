/* programs/shared: options from the command line and from a file are the same options. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "programs/shared/options.h"
#include "unit.h"

struct settings {
	char seen[512];
};

static int accept_any(void *target, const struct option_value *value, struct error *error)
{
	struct settings *settings = target;
	size_t used = strlen(settings->seen);
	if (value->text && strcmp(value->text, "bad") == 0)
		return error_set(error, -EINVAL, "'bad' is not accepted");
	snprintf(settings->seen + used, sizeof(settings->seen) - used, "%s=%s(%s) ", value->name,
		value->text ? value->text : "", value->file ? "f" : "c");
	return 0;
}

static const struct option options[] = {
	{"lease", "SECONDS", "how long", accept_any},
	{.help = "a heading"},
	{"once", NULL, "only once", accept_any},
	{"probe", "[SECONDS]", "look first", accept_any},
};

static const struct option commands[] = {{"status", NULL, "how it is", NULL}};

static const struct program program = {
	.name = "p",
	.synopsis = "[--lease SECONDS]",
	.purpose = "Tests.",
	.options = options,
	.option_count = ARRAY_LENGTH(options),
	.commands = commands,
	.command_count = ARRAY_LENGTH(commands),
};

static void test_line(void)
{
	static const struct {
		const char *words[6];
		const char *seen, *error;
		int operands; /* where they begin; 0: not asked for */
	} lines[] = {
		{{"p", "--lease", "3"}, "lease=3(c) ", NULL, 0},
		{{"p", "--lease=3", "--once"}, "lease=3(c) once=(c) ", NULL, 0},
		{{"p", "--once", "get", "--lease"}, "once=(c) ", NULL, 2},
		{{"p", "--", "--once"}, "", NULL, 2},
		{{"p", "--leese", "3"}, "", "unknown option '--leese'; did you mean '--lease'?", 0},
		{{"p", "--zzzzzzz"}, "", "unknown option '--zzzzzzz'; --help lists the known ones",
			0},
		{{"p", "--lease"}, "", "option 'lease' needs its SECONDS", 0},
		{{"p", "--once=1"}, "", "option 'once' takes no argument", 0},
		{{"p", "-l"}, "", "unknown option '-l'; options are long here, --help lists them",
			0},
		{{"p", "more"}, "", "'more' is one word too many; --help shows the usage", 0},
		{{"p", "--lease", "bad"}, "", "'bad' is not accepted", 0},
		{{"p", "stauts"}, "",
			"unknown command 'stauts'; did you mean 'status', as the first word?", 0},
		{{"p", "--probe", "2", "--once"}, "probe=2(c) once=(c) ", NULL, 0},
		{{"p", "--probe", "--once"}, "probe=(c) once=(c) ", NULL, 0},
		{{"p", "--probe=2", "--probe"}, "probe=2(c) probe=(c) ", NULL, 0},
		{{"p", "--config"}, "", "option 'config' needs its FILE", 0},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(lines); i++) {
		struct settings settings = {0};
		struct error error = {0};
		char *words[6];
		int count = 0, operands = 0;
		for (; count < 6 && lines[i].words[count]; count++)
			words[count] = (char *)lines[i].words[count];
		int status = options_read(&program, count, words, &settings,
			lines[i].operands ? &operands : NULL, &error);
		EXPECT((status < 0) == (lines[i].error != NULL), "line %zu: %s", i, error.text);
		EXPECT_TEXT(settings.seen, lines[i].seen);
		EXPECT_TEXT(error.text, lines[i].error ? lines[i].error : "");
		EXPECT_NUMBER(operands, lines[i].operands);
	}
}

static void test_file(void)
{
	static const struct {
		const char *text, *seen, *error;
	} files[] = {
		{"lease 3\n# a comment\n\n  once\nlease = 4\nlease=5 \n",
			"lease=3(f) once=(f) lease=4(f) lease=5(f) ", NULL},
		{"once", "once=(f) ", NULL},
		{"  # only this\nlease 3 # why\nlease a#b\nlease \"x # y\" #z\n",
			"lease=3(f) lease=a#b(f) lease=\"x # y\"(f) ", NULL},
		{"probe\nprobe 3\n", "probe=(f) probe=3(f) ", NULL},
		{"once\nlese 3\n", "once=(f) ", ":2: unknown option 'lese'; did you mean 'lease'?"},
		{"lease\n", "", ":1: option 'lease' needs its SECONDS"},
		{"\n\nlease bad\n", "", ":3: 'bad' is not accepted"},
	};
	char path[] = "/tmp/options_test.XXXXXX";
	int fd = mkstemp(path);
	EXPECT(fd >= 0, "mkstemp");
	close(fd);
	for (size_t i = 0; i < ARRAY_LENGTH(files); i++) {
		struct settings settings = {0};
		struct error error = {0};
		char expected[256] = "";
		FILE *file = fopen(path, "we");
		if (!file || fputs(files[i].text, file) < 0 || fclose(file) != 0)
			abort();
		char *words[] = {(char *)"p", (char *)"--config", path};
		int status = options_read(&program, 3, words, &settings, NULL, &error);
		if (files[i].error)
			snprintf(expected, sizeof(expected), "%s%s", path, files[i].error);
		EXPECT((status < 0) == (files[i].error != NULL), "file %zu: %s", i, error.text);
		EXPECT_TEXT(settings.seen, files[i].seen);
		EXPECT_TEXT(error.text, expected);
	}
	unlink(path);
	struct settings settings = {0};
	struct error error = {0};
	EXPECT_NUMBER(options_read_file(&program, path, &settings, &error), -ENOENT);
	EXPECT_NUMBER(options_read_file(&program, "/tmp", &settings, &error), -EISDIR);
}

#define LETTERS_127                                                                                \
	"a-name-that-has-as-many-letters-as-an-alternative-name-can-have-which-nobody-needs-but-"  \
	"somebody-will-try-sooner-or-later-of-127"

static void test_interface(void)
{
	static const struct {
		const char *text;
		int status;
		const char *error;
	} names[] = {
		{"eth0", 0, ""},
		{"fifteen-letters", 0, ""},
		{"sixteen-letters!", -ENODEV, "there is no interface 'sixteen-letters!'"},
		{LETTERS_127, -ENODEV, "there is no interface '" LETTERS_127 "'"},
		{LETTERS_127 "x", -EINVAL,
			"interface '" LETTERS_127 "x' is no interface's name: 1 to 127 characters"},
		{"", -EINVAL, "interface '' is no interface's name: 1 to 127 characters"},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
		char name[IF_NAMESIZE] = "";
		struct error error = {0};
		struct option_value value = {.name = "interface", .text = names[i].text};
		int status = option_interface(name, &value, &error);
		EXPECT_NUMBER(status, names[i].status);
		EXPECT_TEXT(error.text, names[i].error);
		EXPECT_TEXT(name, names[i].status < 0 ? "" : names[i].text);
	}
}

int main(void)
{
	test_line();
	test_file();
	test_interface();
	return unit_finish();
}
