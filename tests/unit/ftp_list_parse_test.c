/* ftp/list_parse: what a client makes of a server's listings, line by line. */
#include "base/cleanup.h"
#include "ftp/list_parse.h"
#include "unit.h"

#define FILE_  FTP_ENTRY_FILE
#define DIR_   FTP_ENTRY_DIRECTORY
#define LINK_  FTP_ENTRY_LINK
#define OTHER_ FTP_ENTRY_OTHER

typedef enum ftp_list_line (*parse_function)(const char *, size_t, struct ftp_entry *);

/* size -1: not known */
struct row {
	const char *line;
	const char *name;
	enum ftp_entry_kind kind;
	long long size;
};

static void expect_entries(parse_function parse, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct row *row = &rows[i];
		struct ftp_entry entry = {0};
		enum ftp_list_line result = parse(row->line, strlen(row->line), &entry);
		long long size = entry.size_known ? (long long)entry.size_bytes : -1;
		EXPECT(result == FTP_LIST_ENTRY, "'%s': no entry (%d)", row->line, (int)result);
		if (result != FTP_LIST_ENTRY)
			continue;
		EXPECT_BYTES(entry.name, entry.name_length, row->name, strlen(row->name));
		EXPECT(entry.kind == row->kind, "'%s': kind %d", row->line, (int)entry.kind);
		EXPECT(size == row->size, "'%s': size %lld", row->line, size);
	}
}

static void expect_others(
	parse_function parse, enum ftp_list_line expected, const char *const *lines, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct ftp_entry entry = {.name = "untouched"};
		enum ftp_list_line result = parse(lines[i], strlen(lines[i]), &entry);
		EXPECT(result == expected, "'%s': saw %d", lines[i], (int)result);
		EXPECT_TEXT(entry.name, "untouched");
	}
}

static void test_facts(void)
{
	static const struct row rows[] = {
		{"type=file;size=12;modify=20240131120000; a.txt", "a.txt", FILE_, 12},
		{"Type=Dir;Modify=20240131120000.123; sub folder\r\n", "sub folder", DIR_, -1},
		{"size=3;type=file;x.unknown=y;  two blanks", " two blanks", FILE_, 3},
		{"type=OS.unix=slink:/etc/passwd;size=11; link", "link", LINK_, 11},
		{"type=OS.unix=symlink; link", "link", LINK_, -1},
		{"type=OS.unix=chr-1/3; null", "null", OTHER_, -1},
		{"type=OS.unix=special; pipe", "pipe", OTHER_, -1},
		{"size=5; no type", "no type", OTHER_, 5},
		{" bare name", "bare name", OTHER_, -1},
		{"type=file;size=18446744073709551616; too many", "too many", FILE_, -1},
		{"type=file;size=-1; negative", "negative", FILE_, -1},
		{"type=file; a;b=c; d", "a;b=c; d", FILE_, -1},
		{"type=file; ../up", "../up", FILE_, -1},
	};
	static const char *const nothing[] = {"", "\r\n", "type=cdir;size=1; /home/me",
		"type=pdir; ..", "type=dir; .", "type=dir; .."};
	static const char *const malformed[] = {
		"type=file;size=1;", "type=file;size=1; ", "type=file a", "name", " "};
	expect_entries(ftp_list_parse_facts, rows, ARRAY_LENGTH(rows));
	expect_others(ftp_list_parse_facts, FTP_LIST_NOTHING, nothing, ARRAY_LENGTH(nothing));
	expect_others(ftp_list_parse_facts, FTP_LIST_MALFORMED, malformed, ARRAY_LENGTH(malformed));

	struct ftp_entry entry;
	static const char dated[] = "type=file;modify=19700102000000.5; x";
	EXPECT_NUMBER(ftp_list_parse_facts(dated, strlen(dated), &entry), FTP_LIST_ENTRY);
	EXPECT(entry.modified_known, "a time");
	EXPECT_NUMBER(entry.modified_seconds, 86400);
	EXPECT_NUMBER(ftp_list_parse_facts("type=file; a\0b", 14, &entry), FTP_LIST_MALFORMED);
}

static void test_long(void)
{
	static const struct row rows[] = {
		{"-rw-r--r--   1 ftp      ftp            12 Jan 31 12:00 a.txt", "a.txt", FILE_,
			12},
		{"-rw-r--r--    1 0        0               0 Jan 31  2024 two  words \r\n",
			"two  words ", FILE_, 0},
		{"drwxr-xr-x+ 12 me users 4096 Feb  1 2024 sub", "sub", DIR_, 4096},
		{"-rw-r--r-- 1 me 77 Dec 24 9:05 no group", "no group", FILE_, 77},
		{"-rw-r--r-- me 78 Dec 24 09:05 no links", "no links", FILE_, 78},
		{"-rw-r--r-- 1 domain users of it 9 Dec 24 09:05 group of words", "group of words",
			FILE_, 9},
		{"-rw-r--r-- 1 me users 5 2024-01-31 12:00 iso", "iso", FILE_, 5},
		{"lrwxrwxrwx 1 me users 5 Jan 31 12:00 here -> there", "here", LINK_, 5},
		{"lrwxrwxrwx 1 me users 5 Jan 31 12:00 no target", "no target", LINK_, 5},
		{"-rw-r--r-- 1 me users 5 Jan 31 12:00 a -> b", "a -> b", FILE_, 5},
		{"crw-rw-rw- 1 root root 1, 3 Jan 31 12:00 null", "null", OTHER_, 3},
		{"-rw-r--r-- 1 may jun 5 Jan 31 12:00 Mar 1 12:00", "Mar 1 12:00", FILE_, 5},
		{"-rw-r--r-- 1 me users 5 Jan 31 12:00  led by a blank", " led by a blank", FILE_,
			5},
		{"01-31-24  12:00PM       <DIR>          Program Files", "Program Files", DIR_, -1},
		{"01-31-2024  12:00PM             123456 setup.exe", "setup.exe", FILE_, 123456},
	};
	static const char *const nothing[] = {"lrwxrwxrwx 1 me users 5 Jan 31 12:00 . -> there",
		"lrwxrwxrwx 1 me users 5 Jan 31 12:00 .. -> /", "", "total 12", "total 0\r\n",
		"drwxr-xr-x 2 me users 4096 Jan 31 12:00 .",
		"drwxr-xr-x 2 me users 4096 Jan 31 12:00 ..",
		"01-31-24  12:00PM       <DIR>          ."};
	static const char *const malformed[] = {"hello", "-", "d", "-rw-r--r--",
		"-rw-r--r-- 1 me users 5 Jan 31 12:00", "-rw-r--r-- 1 me users 5 Jan 31 12:00 ",
		"-rw-r--r-- 1 me users 5 Jan 32 12:00 x", "-rw-r--r-- 1 me users 5 Foo 31 12:00 x",
		"-rw-r--r-- a b c d e f g h i Jan 31 12:00 x", "01-31-24 noon 5 x",
		"01-31-24  12:00PM  many x", "01-31-24  12:00PM", "\x1b[2J",
		"ls: cannot access 'x': No such file or directory"};
	expect_entries(ftp_list_parse_long, rows, ARRAY_LENGTH(rows));
	expect_others(ftp_list_parse_long, FTP_LIST_NOTHING, nothing, ARRAY_LENGTH(nothing));
	expect_others(ftp_list_parse_long, FTP_LIST_MALFORMED, malformed, ARRAY_LENGTH(malformed));
	struct ftp_entry entry;
	EXPECT_NUMBER(ftp_list_parse_long("-rw-r--r-- 1 me users 5 Jan 31 12:00 a\0b", 41, &entry),
		FTP_LIST_MALFORMED);
}

static void test_names(void)
{
	static const char *const good[] = {
		"a", "...", ".hidden", "a b", "-r", "~", "\xff", "ä", "a%n", "C:"};
	static const char *const bad[] = {"", ".", "..", "/", "a/b", "../a", "/etc/passwd", "a\nb",
		"a\rb", "\x1b[2J", "a\x7f", "\t", "..\\up"};
	static char longest[257];
	for (size_t i = 0; i < ARRAY_LENGTH(good); i++)
		EXPECT(ftp_list_name_is_safe(good[i], strlen(good[i])), "good %zu", i);
	for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
		EXPECT(!ftp_list_name_is_safe(bad[i], strlen(bad[i])), "bad %zu", i);
	EXPECT(!ftp_list_name_is_safe("a\0b", 3), "NUL");
	memset(longest, 'n', 256);
	EXPECT(ftp_list_name_is_safe(longest, 255), "255 bytes");
	EXPECT(!ftp_list_name_is_safe(longest, 256), "256 bytes");
}

int main(void)
{
	test_facts();
	test_long();
	test_names();
	return unit_finish();
}
