#include "programs/ftp/talk_progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

enum { SMALL = 32, BAR_LEAST = 10, BAR_MOST = 40 };

/* How much of the newest rate goes into the smoothed one: that of about three seconds. */
static const double newest = 0.05;

void talk_progress_begin(struct talk_progress *progress, const char *name, uint64_t now_ns)
{
	*progress = (struct talk_progress){.name = name, .begun_ns = now_ns, .seen_ns = now_ns};
}

static double seconds(uint64_t ns)
{
	return (double)ns / (double)NS_PER_SECOND;
}

void talk_progress_see(struct talk_progress *progress, uint64_t bytes, uint64_t now_ns)
{
	if (now_ns <= progress->seen_ns || bytes < progress->seen_bytes)
		return;
	double passed = seconds(now_ns - progress->seen_ns);
	double rate = (double)(bytes - progress->seen_bytes) / passed;
	progress->rate =
		progress->rate > 0 ? progress->rate + newest * (rate - progress->rate) : rate;
	progress->seen_bytes = bytes;
	progress->seen_ns = now_ns;
}

/* "12.3 MB": 1 MB is 1,000,000 bytes. */
static char *format_bytes(double bytes, char text[static SMALL])
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
	size_t unit = 0;
	while (bytes >= 999.5 && unit + 1 < ARRAY_LENGTH(units)) {
		bytes /= 1000;
		unit++;
	}
	snprintf(text, SMALL, "%.*f %s", unit > 0 && bytes < 99.95 ? 1 : 0, bytes, units[unit]);
	return text;
}

/* "1:02:03" or "2:03" */
static char *format_time(double all, char text[static SMALL])
{
	uint64_t whole = all < 360000 ? (uint64_t)all : 359999;
	unsigned hours = (unsigned)(whole / 3600), minutes = (unsigned)(whole / 60 % 60);
	if (hours > 0)
		snprintf(text, SMALL, "%u:%02u:%02u", hours, minutes, (unsigned)(whole % 60));
	else
		snprintf(text, SMALL, "%u:%02u", minutes, (unsigned)(whole % 60));
	return text;
}

/* The bytes of `name` that fill at most `columns`, taking a character for a column. */
static int name_fit(const char *name, size_t columns)
{
	size_t length = 0;
	for (; name[length]; length++)
		if (((unsigned char)name[length] & 0xc0) != 0x80 && columns-- == 0)
			break;
	return (int)length;
}

static size_t columns_of(const char *text)
{
	size_t columns = 0;
	for (; *text; text++)
		columns += ((unsigned char)*text & 0xc0) != 0x80;
	return columns;
}

/* The name before `rest`, shortened where both are too much for the line. */
static char *join(const char *name, const char *rest, unsigned width, char *text)
{
	size_t used = columns_of(rest);
	size_t room = width > used ? width - used : 0;
	room = room < TALK_PROGRESS_TEXT_SIZE / 8 ? room : TALK_PROGRESS_TEXT_SIZE / 8;
	int rest_fit = name_fit(rest, width);
	snprintf(text, TALK_PROGRESS_TEXT_SIZE, "%.*s%.*s", name_fit(name, room), name, rest_fit,
		rest);
	return text;
}

/* "  45% [====>     ]", as long as the line has room for one; the part alone, or nothing. */
static void format_part(const struct talk_progress *progress, double part, size_t taken,
	unsigned width, char text[static 2 * BAR_MOST])
{
	char bar[BAR_MOST + 1];
	size_t name = columns_of(progress->name), used = taken + name + sizeof("  100% []");
	size_t room = width > used ? width - used : 0;
	unsigned percent = (unsigned)(part * 100);
	room = room < BAR_MOST ? room : BAR_MOST;
	if (room < BAR_LEAST) {
		snprintf(text, 2 * BAR_MOST, "  %3u%%", percent);
		return;
	}
	size_t filled = (size_t)(part * (double)room);
	for (size_t i = 0; i < room; i++)
		bar[i] = i < filled ? '=' : i == filled ? '>' : ' ';
	bar[room] = '\0';
	snprintf(text, 2 * BAR_MOST, "  %3u%% [%s]", percent, bar);
}

char *talk_progress_format(const struct talk_progress *progress, unsigned width,
	char text[static TALK_PROGRESS_TEXT_SIZE])
{
	char bytes[SMALL], rate[SMALL], left[SMALL] = "-:--", behind[4 * SMALL], rest[8 * SMALL];
	char part[2 * BAR_MOST] = "";
	uint64_t done = progress->before_bytes + progress->seen_bytes;
	uint64_t total = progress->total_bytes;
	format_bytes((double)done, bytes);
	format_bytes(progress->rate, rate);
	if (!progress->total_known) {
		snprintf(rest, sizeof(rest), "  %s  %s/s", bytes, rate);
		return join(progress->name, rest, width, text);
	}
	if (progress->rate >= 1)
		format_time((double)(total > done ? total - done : 0) / progress->rate, left);
	snprintf(behind, sizeof(behind), "  %s  %s/s  %s left", bytes, rate, left);
	double fraction = total > done ? (double)done / (double)total : 1;
	format_part(progress, fraction, columns_of(behind), width, part);
	snprintf(rest, sizeof(rest), "%s%s", part, behind);
	return join(progress->name, rest, width, text);
}

char *talk_progress_format_end(const struct talk_progress *progress, unsigned width,
	char text[static TALK_PROGRESS_TEXT_SIZE])
{
	char bytes[SMALL], rate[SMALL], passed[SMALL], rest[4 * SMALL];
	double took = seconds(progress->seen_ns - progress->begun_ns);
	format_bytes((double)progress->seen_bytes, bytes);
	format_bytes(took > 0 ? (double)progress->seen_bytes / took : 0, rate);
	snprintf(rest, sizeof(rest), "  %s in %s, %s/s", bytes, format_time(took, passed), rate);
	return join(progress->name, rest, width, text);
}
