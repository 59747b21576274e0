/* A synopsis taken apart: what is said of a verb is what is completed. */
#include <string.h>

#include "base/cleanup.h"
#include "cli/synopsis.h"
#include "unit.h"

static void test_parts(void)
{
	static const struct {
		const char *text;
		const char *parts; /* "option what" with * where repeated, each with a semicolon */
	} rows[] = {
		{"", ""},
		{"[LAB]", " LAB;"},
		{"TOPOLOGY [SCENARIO...]", " TOPOLOGY; SCENARIO*;"},
		{"TOPOLOGY [--set NAME=VALUE]... [--json]\n   [--keep]",
			" TOPOLOGY;--set NAME=VALUE*;--json ;--keep ;"},
		{"TOPOLOGY --submissions DIR [--program VARIABLE]",
			" TOPOLOGY;--submissions DIR;--program VARIABLE;"},
		{"[LAB:]NODE[:INTERFACE] [-w FILE]", " LAB:NODE:INTERFACE;-w FILE;"},
		{"[LAB:]NODE COMMAND [ARGUMENT...]", " LAB:NODE; COMMAND; ARGUMENT*;"},
		{"TOPOLOGY --to svg|png [FILE]", " TOPOLOGY;--to svg|png; FILE;"},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		struct synopsis synopsis;
		char seen[512] = "";
		synopsis_read(rows[i].text, &synopsis);
		for (size_t j = 0; j < synopsis.count; j++)
			snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "%s %s%s;",
				synopsis.parts[j].option, synopsis.parts[j].what,
				synopsis.parts[j].repeated ? "*" : "");
		EXPECT_TEXT(seen, rows[i].parts);
	}
}

static void test_operands_and_options(void)
{
	struct synopsis synopsis;
	synopsis_read("TOPOLOGY [--set NAME=VALUE]... [SCENARIO...]", &synopsis);
	EXPECT_TEXT(synopsis_operand(&synopsis, 0)->what, "TOPOLOGY");
	EXPECT_TEXT(synopsis_operand(&synopsis, 1)->what, "SCENARIO");
	EXPECT_TEXT(synopsis_operand(&synopsis, 7)->what, "SCENARIO");
	EXPECT_TEXT(synopsis_option(&synopsis, "--set")->what, "NAME=VALUE");
	EXPECT_TEXT(synopsis_option(&synopsis, "--set=a=b")->what, "NAME=VALUE");
	EXPECT(!synopsis_option(&synopsis, "--se"), "the beginning of an option is none");
	EXPECT(!synopsis_option(&synopsis, ""), "an operand is no option");
	synopsis_read("[LAB]", &synopsis);
	EXPECT(!synopsis_operand(&synopsis, 1), "a second operand where there is one");
}

/* More parts than there is room for, and words that are longer. */
static void test_too_much(void)
{
	char text[4096] = "";
	struct synopsis synopsis;
	for (size_t i = 0; i < 100; i++)
		memcpy(text + 17 * i, "[--option VALUE] ", 18);
	synopsis_read(text, &synopsis);
	EXPECT_NUMBER(synopsis.count, SYNOPSIS_PARTS_MOST);
	memset(text, 'X', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	synopsis_read(text, &synopsis);
	EXPECT_NUMBER(synopsis.count, 1);
	EXPECT_NUMBER(strlen(synopsis.parts[0].what), SYNOPSIS_WORD_MOST - 1);
}

int main(void)
{
	test_parts();
	test_operands_and_options();
	test_too_much();
	return unit_finish();
}
