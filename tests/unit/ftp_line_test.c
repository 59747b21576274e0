/* ftp/line: who is served, who waits, who is refused. */
#include <stdint.h>

#include "base/cleanup.h"
#include "ftp/line.h"
#include "unit.h"

/* Letters of those who wait, in order. */
static const char *waiting(const struct ftp_line *line, const struct ftp_line_member *members)
{
	static char text[32];
	size_t used = 0;
	for (struct ftp_line_member *at = ftp_line_first(line); at; at = ftp_line_next(at))
		text[used++] = (char)('a' + (at - members));
	text[used] = '\0';
	return text;
}

/* A script: a letter arrives, '-' and a letter leaves, '!' calls one. */
static void test_scripts(void)
{
	static const struct {
		size_t clients, places;
		const char *script;
		size_t served;
		const char *waiting;
	} scripts[] = {
		{3, 2, "abc", 3, ""},
		{3, 2, "abcde", 3, "de"},
		{3, 2, "abcdef", 3, "de"}, /* f is refused */
		{3, 2, "abcde-b!", 3, "e"},
		{3, 2, "abcde-b!-a!", 3, ""},
		{3, 2, "abcde!", 3, "de"}, /* no place is free: nobody is called */
		{3, 2, "abcde-d", 3, "e"},
		{3, 2, "abcde-dgh", 3, "eg"}, /* d gave up: g fits, h does not */
		{3, 2, "abcde-a-b-c!!!", 2, ""},
		{3, 2, "abcd-af", 2, "df"}, /* f stands behind d, though a place is free */
		{3, 2, "abcd-af!", 3, "f"},
		{1, 0, "ab", 1, ""},
		{1, 0, "a-ab", 1, ""},
		{1, 3, "abcd-c-b-d", 1, ""},
		{1, 3, "abcd-c", 1, "bd"},
		{2, 1, "-a", 0, ""}, /* leaving without having come */
		{2, 1, "abc-c-c", 2, ""},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(scripts); i++) {
		struct ftp_line line;
		struct ftp_line_member members[26] = {0};
		ftp_line_init(&line, scripts[i].clients, scripts[i].places);
		for (const char *at = scripts[i].script; *at; at++) {
			if (*at == '!')
				ftp_line_call(&line);
			else if (*at == '-')
				ftp_line_leave(&line, &members[*++at - 'a']);
			else
				ftp_line_arrive(&line, &members[*at - 'a']);
			EXPECT(line.served <= line.clients && line.waiting <= line.places,
				"'%s': more than allowed", scripts[i].script);
		}
		EXPECT(line.served == scripts[i].served, "'%s': served %zu", scripts[i].script,
			line.served);
		EXPECT_TEXT(waiting(&line, members), scripts[i].waiting);
		EXPECT_NUMBER(line.waiting, strlen(scripts[i].waiting));
	}
}

#define MEMBERS 40U

/* Whatever happens in whatever order: never more than N, and first come, first served. */
static void test_at_random(void)
{
	struct ftp_line line;
	struct ftp_line_member members[MEMBERS] = {0};
	unsigned came[MEMBERS] = {0}, clock = 0, last_called = 0;
	uint32_t random = 2026;
	ftp_line_init(&line, 4, 9);
	for (unsigned turn = 0; turn < 200000; turn++) {
		random = random * 1664525 + 1013904223;
		unsigned i = (random >> 16) % MEMBERS;
		struct ftp_line_member *called;
		if (members[i].state != FTP_LINE_OUTSIDE) {
			ftp_line_leave(&line, &members[i]);
		} else if (ftp_line_arrive(&line, &members[i]) == FTP_LINE_WAITING) {
			came[i] = ++clock;
		}
		while (random & 0x8000 && (called = ftp_line_call(&line))) {
			unsigned order = came[called - members];
			EXPECT(order > last_called, "%u was called after %u", order, last_called);
			last_called = order;
		}
		size_t served = 0, waits = 0;
		for (unsigned j = 0; j < MEMBERS; j++) {
			served += members[j].state == FTP_LINE_SERVED;
			waits += members[j].state == FTP_LINE_WAITING;
		}
		EXPECT(served == line.served && served <= 4, "served %zu", served);
		EXPECT(waits == line.waiting && waits <= 9, "waiting %zu", waits);
	}
	EXPECT(clock > 1000, "too few ever waited");
}

int main(void)
{
	test_scripts();
	test_at_random();
	return unit_finish();
}
