/* ftp/: the bytes of a control connection: input lines, commands, replies. */
#include "base/cleanup.h"
#include "ftp/command.h"
#include "ftp/input.h"
#include "ftp/reply.h"
#include "unit.h"

static void test_commands(void)
{
	static const struct {
		const char *line;
		enum ftp_command_fault fault;
		enum ftp_verb verb;
		const char *argument;
		const char *described;
	} lines[] = {
		{"USER anonymous", FTP_COMMAND_GOOD, FTP_USER, "anonymous", "USER anonymous"},
		{"user Joe Doe", FTP_COMMAND_GOOD, FTP_USER, "Joe Doe", "user Joe Doe"},
		{"PASS s3cret words", FTP_COMMAND_GOOD, FTP_PASS, "s3cret words", "PASS ***"},
		{"PASS", FTP_COMMAND_GOOD, FTP_PASS, "", "PASS"},
		{"pAsS x\r\n", FTP_COMMAND_GOOD, FTP_PASS, "x", "pAsS ***"},
		{"RETR a b ", FTP_COMMAND_GOOD, FTP_RETR, "a b ", "RETR a b "},
		{"RETR  ", FTP_COMMAND_GOOD, FTP_RETR, " ", "RETR  "},
		{"RETR", FTP_COMMAND_WANTS_ARGUMENT, FTP_RETR, "", "RETR"},
		{"RETR ", FTP_COMMAND_WANTS_ARGUMENT, FTP_RETR, "", "RETR "},
		{"LIST", FTP_COMMAND_GOOD, FTP_LIST, "", "LIST"},
		{"QUIT", FTP_COMMAND_GOOD, FTP_QUIT, "", "QUIT"},
		{"QUIT \t ", FTP_COMMAND_GOOD, FTP_QUIT, "", "QUIT \\x09 "},
		{"QUIT now", FTP_COMMAND_WANTS_NONE, FTP_QUIT, "now", "QUIT now"},
		{"XPWD", FTP_COMMAND_GOOD, FTP_PWD, "", "XPWD"},
		{"xcup", FTP_COMMAND_GOOD, FTP_CDUP, "", "xcup"},
		{"CLNT x 1.0", FTP_COMMAND_GOOD, FTP_CLNT, "x 1.0", "CLNT x 1.0"},
		{"xsha256 f", FTP_COMMAND_GOOD, FTP_OTHER, "f", "xsha256 f"},
		{"-", FTP_COMMAND_UNKNOWN, FTP_UNKNOWN, "", "-"},
		{"STOR a\rb", FTP_COMMAND_GOOD, FTP_STOR, "a\rb", "STOR a\\x0db"},
		{"CWD \xff%n", FTP_COMMAND_GOOD, FTP_CWD, "\xff%n", "CWD \\xff%n"},
		{"PASSWORD hidden", FTP_COMMAND_UNKNOWN, FTP_UNKNOWN, "hidden", "PASSWORD ***"},
		{"RE", FTP_COMMAND_UNKNOWN, FTP_UNKNOWN, "", "RE"},
		{"RETRX f", FTP_COMMAND_UNKNOWN, FTP_UNKNOWN, "f", "RETRX ***"},
		{" QUIT", FTP_COMMAND_UNKNOWN, FTP_UNKNOWN, "QUIT", " ***"},
		{"?", FTP_COMMAND_UNKNOWN, FTP_UNKNOWN, "", "?"},
		{"", FTP_COMMAND_UNKNOWN, FTP_UNKNOWN, "", ""},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(lines); i++) {
		struct ftp_command command;
		char text[64];
		const char *line = lines[i].line;
		enum ftp_command_fault fault = ftp_command_parse(line, strlen(line), &command);
		EXPECT(fault == lines[i].fault, "'%s': fault %d", line, (int)fault);
		EXPECT(command.verb == lines[i].verb, "'%s': verb %s", line,
			ftp_verb_name(command.verb));
		EXPECT_BYTES(command.argument, command.argument_length, lines[i].argument,
			strlen(lines[i].argument));
		EXPECT_TEXT(ftp_command_describe(&command, line, strlen(line), text, sizeof(text)),
			lines[i].described);
	}
	struct ftp_command command;
	EXPECT_NUMBER(ftp_command_parse("RETR a\0b", 8, &command), FTP_COMMAND_NUL);
	EXPECT_NUMBER(command.verb, FTP_RETR);
	EXPECT_NUMBER(ftp_command_parse("QU\0T", 4, &command), FTP_COMMAND_NUL);
	for (unsigned verb = 1; verb < FTP_VERB_COUNT; verb++) {
		const struct ftp_verb_rule *rule = ftp_verb_rule((enum ftp_verb)verb);
		EXPECT(rule->verb == verb && rule->name, "the rule of verb %u is missing", verb);
	}
	EXPECT(ftp_verb_rule(FTP_PASS)->secret && !ftp_verb_rule(FTP_USER)->secret, "secrets");
}

static void test_reply_lines(void)
{
	static const struct {
		const char *line;
		unsigned code;
		bool last;
		const char *text;
	} lines[] = {
		{"220 Ready.", 220, true, "Ready."},
		{"220-You are number 1", 220, false, "You are number 1"},
		{"220 Ready.\r\n", 220, true, "Ready."},
		{"220", 220, true, ""},
		{"220 ", 220, true, ""},
		{"220-", 220, false, ""},
		{"2200 x", 0, false, "2200 x"},
		{"22", 0, false, "22"},
		{"620 x", 0, false, "620 x"},
		{"020 x", 0, false, "020 x"},
		{" 220 x", 0, false, " 220 x"},
		{"2x0 x", 0, false, "2x0 x"},
		{"", 0, false, ""},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(lines); i++) {
		struct ftp_reply_line seen;
		const char *line = lines[i].line;
		bool coded = ftp_reply_line_parse(line, strlen(line), &seen);
		EXPECT(coded == (lines[i].code != 0), "'%s'", line);
		EXPECT(seen.code == lines[i].code && seen.last == lines[i].last, "'%s': %u %d",
			line, seen.code, seen.last);
		EXPECT_BYTES(seen.text, seen.text_length, lines[i].text, strlen(lines[i].text));
	}
}

static void test_replies(void)
{
	static const struct {
		const char *line;
		enum ftp_reply_progress progress;
		unsigned code;
	} lines[] = {
		{"220-You are number 2 in line", FTP_REPLY_MORE, 220},
		{"220-You are number 1 in line", FTP_REPLY_MORE, 220},
		{"331 this is text", FTP_REPLY_MORE, 220},
		{"no code", FTP_REPLY_MORE, 220},
		{"", FTP_REPLY_MORE, 220},
		{"220 Ready", FTP_REPLY_COMPLETE, 220},
		{"331 Password", FTP_REPLY_COMPLETE, 331},
		{"no reply", FTP_REPLY_MALFORMED, 0},
		{"211-Features:", FTP_REPLY_MORE, 211},
		{" EPSV", FTP_REPLY_MORE, 211},
		{"211 End", FTP_REPLY_COMPLETE, 211},
	};
	struct ftp_reply_reader reader = {0};
	struct ftp_reply_line seen;
	for (size_t i = 0; i < ARRAY_LENGTH(lines); i++) {
		const char *line = lines[i].line;
		enum ftp_reply_progress progress =
			ftp_reply_reader_line(&reader, line, strlen(line), &seen);
		EXPECT(progress == lines[i].progress, "'%s': %d", line, (int)progress);
		EXPECT_NUMBER(seen.code, lines[i].code);
		EXPECT(seen.last == (progress == FTP_REPLY_COMPLETE), "'%s': last", line);
	}
	EXPECT_NUMBER(ftp_reply_reader_line(&reader, "220 a\0b", 7, &seen), FTP_REPLY_MALFORMED);
}

/* Feed `text` in pieces of `step` bytes and join the lines that come out with '|'. */
static void input_join(const char *text, size_t length, size_t step, char *joined, size_t size)
{
	struct ftp_input input = {0};
	size_t used = 0;
	for (size_t at = 0; at < length; at += step) {
		size_t piece = length - at < step ? length - at : step;
		const char *line;
		size_t line_length;
		enum ftp_input_kind kind;
		EXPECT(ftp_input_room(&input) >= piece, "no room");
		EXPECT(ftp_input_feed(&input, text + at, piece), "feed");
		while ((kind = ftp_input_peek(&input, &line, &line_length)) != FTP_INPUT_NOTHING) {
			int put = kind == FTP_INPUT_TOO_LONG
					  ? snprintf(joined + used, size - used, "<long>|")
					  : snprintf(joined + used, size - used, "%.*s|",
						    (int)line_length, line);
			used += (size_t)put;
			ftp_input_take(&input);
		}
	}
	ftp_input_finish(&input);
	joined[used] = '\0';
}

static void test_input(void)
{
	static const struct {
		const char *bytes, *joined;
	} streams[] = {
		{"USER a\r\nPASS b\r\n", "USER a|PASS b|"}, {"NOOP\nQUIT\n", "NOOP|QUIT|"},
		{"NOOP", ""}, {"\r\n\n", "||"}, {"RETR a\r\r\n", "RETR a\r|"},
		{"\xff\xf4\xff\xf2"
		 "ABOR\r\n",
			"ABOR|"},
		{"\xff\xf4\xf2"
		 "ABOR\r\n",
			"\xf2"
			"ABOR|"},
		{"a\xff\xff"
		 "b\r\n",
			"a\xff"
			"b|"},
		{"a\xff\xfd\x01"
		 "b\r\n",
			"ab|"},
		{"\xff\xfe\r\nNOOP\r\n", "|NOOP|"}, /* the option happens to be a CR */
	};
	char joined[256];
	for (size_t i = 0; i < ARRAY_LENGTH(streams); i++)
		for (size_t step = 1; step < 8; step++) {
			input_join(streams[i].bytes, strlen(streams[i].bytes), step, joined,
				sizeof(joined));
			EXPECT_TEXT(joined, streams[i].joined);
		}

	/* Exactly as long as may be, one longer, far longer; what follows is as it was. */
	static char big[60000];
	static const size_t lengths[] = {FTP_INPUT_LINE_MAX, FTP_INPUT_LINE_MAX + 1, 20000, 50000};
	static char out[8192];
	for (size_t i = 0; i < ARRAY_LENGTH(lengths); i++) {
		memset(big, 'x', lengths[i]);
		memcpy(big + lengths[i], "\r\nNOOP\r\n", 8);
		static const size_t steps[] = {1, 700, 4096};
		for (size_t j = 0; j < ARRAY_LENGTH(steps); j++) {
			input_join(big, lengths[i] + 8, steps[j], out, sizeof(out));
			if (i == 0)
				EXPECT_NUMBER(strlen(out), FTP_INPUT_LINE_MAX + 6);
			else
				EXPECT_TEXT(out, "<long>|NOOP|");
		}
	}

	/* What is not taken is kept, and no more than fits. */
	struct ftp_input input = {0};
	memset(big, 'N', sizeof(big));
	for (size_t i = 0; i < FTP_INPUT_MAX / 1024; i++)
		EXPECT(ftp_input_feed(&input, big, 1024), "feed");
	EXPECT_NUMBER(ftp_input_room(&input), 0);
	ftp_input_finish(&input);
}

int main(void)
{
	test_commands();
	test_reply_lines();
	test_replies();
	test_input();
	return unit_finish();
}
