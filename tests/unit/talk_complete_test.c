/* programs/ftp/talk_complete: the word under the cursor, and what fits it. */
#include "base/cleanup.h"
#include "programs/ftp/talk_complete.h"
#include "unit.h"

static void test_words(void)
{
	static const struct {
		const char *line, *first, *directory, *leaf;
	} rows[] = {
		{"", "", "", ""},
		{"ge", "", "", "ge"},
		{"  ge", "", "", "ge"},
		{"get ", "get", "", ""},
		{"get a", "get", "", "a"},
		{"get a\\ b", "get", "", "a b"},
		{"get a/b/c", "get", "a/b/", "c"},
		{"get /", "get", "/", ""},
		{"put x y/", "put", "y/", ""},
		{"get a\\", "get", "", "a\\"},
		{"a-first-word-that-is-longer-than-any-command x",
			"a-first-word-that-is-longer-tha", "", "x"},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		struct talk_word word;
		const char *line = rows[i].line;
		bool read = talk_word_read(line, strlen(line), &word);
		EXPECT(read, "'%s'", line);
		if (!read)
			continue;
		EXPECT_TEXT(word.first, rows[i].first);
		EXPECT_TEXT(word.directory, rows[i].directory);
		EXPECT_TEXT(word.leaf, rows[i].leaf);
		talk_word_finish(&word);
	}
	struct talk_word word;
	EXPECT(!talk_word_read("get \"a", 6, &word), "within quotes");
	EXPECT(!talk_word_read("get 'a b' ", 10, &word), "behind quotes");
}

static void test_matches(void)
{
	static const struct {
		const char *leaf, *names[4]; /* a slash behind the name: a directory */
		const char *inserted, *shown;
	} rows[] = {
		{"", {NULL}, "", ""},
		{"x", {"a", "b"}, "", ""},
		{"a", {"abc", "b"}, "bc ", "abc  "},
		{"d", {"dir/"}, "ir/", "dir/  "},
		{"", {"a b"}, "a\\ b ", "a b  "},
		{"a ", {"a \"b\""}, "\\\"b\\\" ", "a \"b\"  "},
		{"p", {"poem-one", "poem-two"}, "oem-", "poem-one  poem-two  "},
		{"poem-", {"poem-one", "poem-two"}, "", "poem-one  poem-two  "},
		{"", {".hidden", "a"}, "a ", "a  "},
		{".", {".hidden", "a"}, "hidden ", ".hidden  "},
		/* What two names share of a character's bytes is no character. */
		{"", {"aä", "aö"}, "a", "aä  aö  "},
		{"abc", {"abc"}, " ", "abc  "},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		CLEANUP(talk_matches_finish) struct talk_matches matches = {0};
		CLEANUP(text_finish) struct text inserted = {0};
		for (size_t k = 0; k < 4 && rows[i].names[k]; k++) {
			char name[32];
			snprintf(name, sizeof(name), "%s", rows[i].names[k]);
			size_t length = strlen(name);
			bool directory = name[length - 1] == '/';
			name[length - directory] = '\0';
			talk_matches_add(&matches, rows[i].leaf, name, directory);
		}
		talk_matches_insertion(&matches, rows[i].leaf, &inserted);
		EXPECT_TEXT(text_view(&inserted), rows[i].inserted);
		EXPECT_TEXT(text_view(&matches.shown), rows[i].shown);
	}
}

int main(void)
{
	test_words();
	test_matches();
	return unit_finish();
}
