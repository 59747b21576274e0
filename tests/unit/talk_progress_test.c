/* programs/ftp/talk_progress: one line of a terminal, whatever the numbers and its width. */
#include "base/cleanup.h"
#include "programs/ftp/talk_progress.h"
#include "unit.h"

enum { WIDE = 79 };

static char text[TALK_PROGRESS_TEXT_SIZE];

static unsigned columns_of(const char *line)
{
	unsigned columns = 0;
	for (; *line; line++)
		columns += ((unsigned char)*line & 0xc0) != 0x80;
	return columns;
}

static struct talk_progress begun(const char *name, uint64_t total)
{
	struct talk_progress progress;
	talk_progress_begin(&progress, name, 0);
	progress.total_known = total > 0;
	progress.total_bytes = total;
	return progress;
}

static void test_lines(void)
{
	static const struct {
		uint64_t total, before, seen, seconds;
		unsigned width;
		const char *line;
	} rows[] = {
		{1000000, 0, 250000, 1, WIDE,
			"file   25% [=========>                          ]  250 kB  250 kB/s  0:03 "
			"left"},
		{1000000, 0, 1000000, 1, WIDE,
			"file  100% [====================================]  1.0 MB  1.0 MB/s  0:00 "
			"left"},
		/* What was there before counts for the part and not for the rate. */
		{1000000, 500000, 250000, 1, 50, "file   75%  750 kB  250 kB/s  0:01 left"},
		{7200, 0, 1, 1, 50, "file    0% [>         ]  1 B  1 B/s  1:59:59 left"},
		{UINT64_MAX, 0, 1, 1, 50, "file    0%  1 B  1 B/s  99:59:59 left"},
		{1000, 0, 0, 1, 50, "file    0% [>            ]  0 B  0 B/s  -:-- left"},
		/* More than was announced. */
		{10, 0, 2000, 1, 50, "file  100%  2.0 kB  2.0 kB/s  0:00 left"},
		{0, 0, 12345678, 2, WIDE, "file  12.3 MB  6.2 MB/s"},
		{0, 0, 999499, 1, WIDE, "file  999 kB  999 kB/s"},
		{0, 0, 999500, 1, WIDE, "file  1.0 MB  1.0 MB/s"},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		struct talk_progress progress = begun("file", rows[i].total);
		progress.before_bytes = rows[i].before;
		talk_progress_see(&progress, rows[i].seen, rows[i].seconds * NS_PER_SECOND);
		const char *line = talk_progress_format(&progress, rows[i].width, text);
		EXPECT(columns_of(line) <= rows[i].width, "[%zu] is too wide: '%s'", i, line);
		EXPECT_TEXT(line, rows[i].line);
	}
}

static void test_width(void)
{
	static const char name[] =
		"ein sehr langer Näme, länger als jede Zeile, die ein Terminal hat, und "
		"noch ein bisschen mehr, damit auch die breiteste ihn nicht fasst";
	for (unsigned width = 1; width <= 400; width++) {
		struct talk_progress progress = begun(name, width % 2 ? 1000 : 0);
		talk_progress_see(&progress, 400, NS_PER_SECOND);
		talk_progress_format(&progress, width, text);
		EXPECT(columns_of(text) <= width, "%u: '%s'", width, text);
		talk_progress_format_end(&progress, width, text);
		EXPECT(columns_of(text) <= width, "%u: '%s'", width, text);
	}
}

static void test_rate(void)
{
	/* A burst at the end moves the rate, and does not become it. */
	struct talk_progress progress = begun("file", 1000000);
	for (uint64_t i = 1; i <= 100; i++)
		talk_progress_see(&progress, i * 100, i * NS_PER_SECOND / 10);
	EXPECT(progress.rate > 999 && progress.rate < 1001, "steady: %f", progress.rate);
	talk_progress_see(&progress, 10000 + 10000, 101 * NS_PER_SECOND / 10);
	EXPECT(progress.rate > 1001 && progress.rate < 20000, "a burst: %f", progress.rate);
	/* Time that does not pass, and bytes that come back, change nothing. */
	double rate = progress.rate;
	talk_progress_see(&progress, 30000, 101 * NS_PER_SECOND / 10);
	talk_progress_see(&progress, 5, 102 * NS_PER_SECOND / 10);
	EXPECT(progress.rate <= rate && progress.rate >= rate, "as it was: %f", progress.rate);
	EXPECT_NUMBER(progress.seen_bytes, 20000);

	progress = begun("file", 0);
	EXPECT_TEXT(talk_progress_format_end(&progress, WIDE, text), "file  0 B in 0:00, 0 B/s");
	talk_progress_see(&progress, 3000000, 2 * NS_PER_SECOND);
	EXPECT_TEXT(
		talk_progress_format_end(&progress, WIDE, text), "file  3.0 MB in 0:02, 1.5 MB/s");
}

int main(void)
{
	test_lines();
	test_width();
	test_rate();
	return unit_finish();
}
