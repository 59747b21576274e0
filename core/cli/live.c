#include "cli/live.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"

enum { DRAW_NS = 100 * 1000 * 1000, BAR_NS = 1000 * 1000 * 1000 };

static int terminal_columns(void)
{
	struct winsize size;
	return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
}

void live_prepare(struct live *live, FILE *stays, int name_width)
{
	const char *terminal = getenv("TERM");
	bool dumb = !terminal || strcmp(terminal, "dumb") == 0;
	*live = (struct live){.name_width = name_width,
		.shown = isatty(STDERR_FILENO) && !dumb,
		.colour = isatty(fileno(stays)) && !dumb && !getenv("NO_COLOR")};
}

void live_erase(const struct live *live)
{
	if (live->shown)
		fputs("\r\033[K", stderr);
}

/* "[#####     ] 2500 of 10000 started  ", or nothing. */
static void live_bar(const struct live *live, char *bar, size_t size)
{
	static const char full[] = "####################";
	int width = (int)sizeof(full) - 1;
	*bar = '\0';
	if (!live->total || live->drawn_ns - live->step_ns < BAR_NS)
		return;
	int marks = (int)(live->done * (size_t)width / live->total);
	snprintf(bar, size, "[%-*.*s] %zu of %zu %s  ", width, marks < width ? marks : width, full,
		live->done, live->total, live->what);
}

static void live_draw(struct live *live)
{
	char line[768], bar[160];
	if (!live->shown)
		return;
	live->drawn_ns = clock_monotonic_ns();
	live_bar(live, bar, sizeof(bar));
	snprintf(line, sizeof(line), "  ...   %-*s %6.2f s  %s%s", live->name_width, live->name,
		(double)(live->drawn_ns - live->begun_ns) / 1e9, bar, live->step);
	/* Cut before the last column: a line that wraps cannot be erased. */
	fprintf(stderr, "\r\033[K%.*s", terminal_columns() - 1, line);
	fflush(stderr);
}

void live_begin(struct live *live, const char *name, const char *step)
{
	snprintf(live->name, sizeof(live->name), "%s", name);
	live->begun_ns = clock_monotonic_ns();
	live_step(live, step);
}

void live_step(struct live *live, const char *step)
{
	CLEANUP(free_pointer) char *clean = text_sanitize(step, strcspn(step, "\n"));
	snprintf(live->step, sizeof(live->step), "%s", clean ? clean : "");
	live->step_ns = clock_monotonic_ns();
	live->total = 0;
	live_draw(live);
}

void live_tick(struct live *live)
{
	if (live->shown && clock_monotonic_ns() - live->drawn_ns > DRAW_NS)
		live_draw(live);
}

bool live_progress(struct live *live, const char *what, size_t done, size_t total)
{
	snprintf(live->what, sizeof(live->what), "%s", what);
	live->done = done;
	live->total = total;
	live_tick(live);
	return true;
}
