/* ftp/: paths, patterns, listings, the text conversion of TYPE A. */
#include <sys/stat.h>
#include <time.h>

#include "base/cleanup.h"
#include "ftp/ascii.h"
#include "ftp/glob.h"
#include "ftp/listing.h"
#include "ftp/path.h"
#include "unit.h"

static void test_paths(void)
{
	static const struct {
		const char *directory, *name, *path;
	} names[] = {
		{"/", "a", "/a"},
		{"/", "", "/"},
		{"/a/b", "", "/a/b"},
		{"/a/b", "c", "/a/b/c"},
		{"/a/b", "/c", "/c"},
		{"/a/b", "..", "/a"},
		{"/a/b", "../..", "/"},
		{"/a/b", "../../../../etc/passwd", "/etc/passwd"},
		{"/", "..", "/"},
		{"/", "/..", "/"},
		{"/a", "./b//c/.", "/a/b/c"},
		{"/a", "b/../../..", "/"},
		{"/a", "...", "/a/..."},
		{"/a", "..b", "/a/..b"},
		{"/a", " ", "/a/ "},
		{"/", "//", "/"},
		{"/", "\\..\\x", "/\\..\\x"},
		{"/", "a\r\nb", "/a\r\nb"},
	};
	char path[FTP_PATH_SIZE];
	for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
		EXPECT(ftp_path_resolve(
			       names[i].directory, names[i].name, strlen(names[i].name), path),
			"'%s' in '%s'", names[i].name, names[i].directory);
		EXPECT_TEXT(path, names[i].path);
	}
	memcpy(path, "kept", sizeof("kept"));
	EXPECT(!ftp_path_resolve("/", "a\0b", 3, path), "a NUL");
	EXPECT_TEXT(path, "kept");

	char longest[FTP_PATH_SIZE + 300];
	memset(longest, 'x', sizeof(longest));
	EXPECT(ftp_path_resolve("/", longest, FTP_PATH_NAME_MAX, path), "the longest name");
	EXPECT(!ftp_path_resolve("/", longest, FTP_PATH_NAME_MAX + 1, path), "one longer");
	for (size_t i = 0; i < sizeof(longest); i += 2)
		longest[i] = '/';
	EXPECT(ftp_path_resolve("/", longest, FTP_PATH_SIZE - 2, path), "the longest path");
	EXPECT_NUMBER(strlen(path), FTP_PATH_SIZE - 2);
	EXPECT(!ftp_path_resolve("/", longest, FTP_PATH_SIZE, path), "a longer one");
	EXPECT(!ftp_path_resolve(path, "yy", 2, path), "below the longest");

	EXPECT_TEXT(ftp_path_leaf("/a/b"), "b");
	EXPECT_TEXT(ftp_path_leaf("/"), "");
	EXPECT_TEXT(ftp_path_relative("/a/b"), "a/b");
	EXPECT_TEXT(ftp_path_relative("/"), ".");
}

static void test_listing(void)
{
	static const int64_t now = 1795340000; /* 2026-11-22 */
	static const struct {
		struct ftp_listing_entry entry;
		const char *line;
	} entries[] = {
		{{.name = "hello.txt",
			 .mode = S_IFREG | 0644,
			 .links = 1,
			 .size_bytes = 12,
			 .modified_seconds = now - 3600},
			"-rw-r--r--   1 ftp      ftp                12 Nov 22 08:33 hello.txt\r\n"},
		{{.name = "pub",
			 .mode = S_IFDIR | S_ISVTX | 0777,
			 .links = 2,
			 .size_bytes = 4096,
			 .modified_seconds = 0},
			"drwxrwxrwt   2 ftp      ftp              4096 Jan  1  1970 pub\r\n"},
		{{.name = "in",
			 .target = "a\nb",
			 .mode = S_IFLNK | 0777,
			 .links = 1,
			 .size_bytes = 3,
			 .modified_seconds = now + 10 * 86400},
			"lrwxrwxrwx   1 ftp      ftp                 3 Dec  2  2026 in -> a?b\r\n"},
		{{.name = "a\r\n226 forged",
			 .mode = S_IFREG | S_ISUID,
			 .links = 1,
			 .size_bytes = UINT64_MAX,
			 .modified_seconds = now},
			"---S------   1 ftp      ftp      18446744073709551615 Nov 22 09:33 a??226 "
			"forged\r\n"},
		{{.name = "x", .mode = S_IFIFO, .modified_seconds = INT64_MAX},
			"p---------   0 ftp      ftp                 0 Jan  1  1970 x\r\n"},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(entries); i++) {
		CLEANUP(text_finish) struct text text = {0};
		ftp_listing_append_long(&text, &entries[i].entry, now);
		EXPECT_TEXT(text_view(&text), entries[i].line);
	}
	CLEANUP(text_finish) struct text names = {0};
	ftp_listing_append_name(&names, "plain");
	ftp_listing_append_name(&names, "h\xc3\xa4\x7f\x1b[1m");
	EXPECT_TEXT(text_view(&names), "plain\r\nh\xc3\xa4??[1m\r\n");
}

static size_t decode_in_steps(const char *in, size_t length, size_t step, char *out)
{
	struct ftp_ascii_decoder decoder = {0};
	size_t used = 0;
	for (size_t at = 0; at < length; at += step)
		used += ftp_ascii_decode(
			&decoder, in + at, length - at < step ? length - at : step, out + used);
	return used + ftp_ascii_decode_end(&decoder, out + used);
}

static void test_ascii(void)
{
	static const struct {
		const char *file, *wire;
	} texts[] = {
		{"a\nb\n", "a\r\nb\r\n"},
		{"no end", "no end"},
		{"", ""},
		{"\n\n", "\r\n\r\n"},
		{"dos\r\nline\r\n", "dos\r\r\nline\r\r\n"},
		{"lone\rcr\r", "lone\rcr\r"},
		{"\r", "\r"},
		{"\r\r\n\r", "\r\r\r\n\r"},
	};
	char out[64];
	for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
		const char *file = texts[i].file, *wire = texts[i].wire;
		size_t length = ftp_ascii_encode(file, strlen(file), out);
		EXPECT_BYTES(out, length, wire, strlen(wire));
		for (size_t step = 1; step < 5; step++) {
			length = decode_in_steps(wire, strlen(wire), step, out);
			EXPECT_BYTES(out, length, file, strlen(file));
		}
	}
	size_t length = decode_in_steps("unix\nstays", 10, 3, out);
	EXPECT_BYTES(out, length, "unix\nstays", 10);
}

static void test_patterns(void)
{
	static const struct {
		const char *pattern, *name;
		bool taken;
	} cases[] = {
		{"a", "a", true},
		{"a", "b", false},
		{"a", "aa", false},
		{"*", "", true},
		{"*", "anything", true},
		{"*.txt", "a.txt", true},
		{"*.txt", ".txt", true},
		{"*.txt", "a.txt.gz", false},
		{"a*b*c", "a-b-b-c", true},
		{"a*b*c", "a-c-b", false},
		{"**a**", "bab", true},
		{"f?", "f1", true},
		{"f?", "f", false},
		{"f?", "f12", false},
		{"f[0-35]", "f2", true},
		{"f[0-35]", "f5", true},
		{"f[0-35]", "f4", false},
		{"f[!0-3]", "f4", true},
		{"f[!0-3]", "f2", false},
		{"[]]", "]", true},
		{"[a-]", "-", true},
		{"[\\]x]", "x", true},
		{"[a", "[a", true}, /* never closed */
		{"[a", "a", false},
		{"[", "[", true},
		{"a\\*", "a*", true},
		{"a\\*", "ab", false},
		{"a\\", "a\\", true},
		{"\xc3\xa9*", "\xc3\xa9t\xc3\xa9", true},
		{"[\x80-\xff]*", "\xc3\xa9", true},
		{"[a][b*[c", "a[bx[c", true},
		{"*[[[]", "a[[", true},
		/* Backtracking would take for ever. */
		{"*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b",
			"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
			"aa",
			false},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
		EXPECT(ftp_glob_match(cases[i].pattern, cases[i].name) == cases[i].taken, "%s: %s",
			cases[i].pattern, cases[i].name);
	EXPECT(ftp_glob_is("a*") && ftp_glob_is("?") && ftp_glob_is("[a]"), "patterns");
	EXPECT(!ftp_glob_is("a.txt") && !ftp_glob_is("") && !ftp_glob_is("a]"), "names");
}

/* Processor time of matching "*bbb...bx" with "bbb...b": what else the machine does is no matter. */
static double seconds_of_matches(char byte)
{
	char pattern[128], name[256];
	struct timespec from, to;
	memset(pattern, byte, sizeof(pattern));
	memset(name, byte, sizeof(name));
	pattern[0] = '*';
	pattern[sizeof(pattern) - 2] = 'x';
	pattern[sizeof(pattern) - 1] = name[sizeof(name) - 1] = '\0';
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
	for (unsigned i = 0; i < 100; i++)
		EXPECT(!ftp_glob_match(pattern, name), "%s", pattern);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
	return (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
}

/* Looking for the end of each set anew, for each byte of a name, took forty times as long. */
static void test_sets_never_closed_are_cheap(void)
{
	double plain = seconds_of_matches('b'), sets = seconds_of_matches('[');
	EXPECT(sets < 10 * plain, "%g s, and %g s with sets that are never closed", plain, sets);
}

int main(void)
{
	test_paths();
	test_patterns();
	test_sets_never_closed_are_cheap();
	test_listing();
	test_ascii();
	return unit_finish();
}
