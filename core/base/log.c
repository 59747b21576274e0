#include "base/log.h"

#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

static const char *log_name = "sim";

static const char *log_before = "", *log_after = "";

static bool log_is_file; /* which always has room, or never will */

static unsigned log_lost; /* lines since the last one that was written */

void log_open(const char *name)
{
	struct stat log;
	log_name = name;
	log_is_file = fstat(STDERR_FILENO, &log) == 0 && S_ISREG(log.st_mode);
	signal(SIGPIPE, SIG_IGN);
}

void log_surround(const char *before, const char *after)
{
	log_before = before ? before : "";
	log_after = after ? after : "";
}

/* A pipe that has room takes a line of less than PIPE_BUF at once (pipe(7)). */
static bool log_has_room(void)
{
	struct pollfd log = {.fd = STDERR_FILENO, .events = POLLOUT};
	return log_is_file || poll(&log, 1, 0) == 1;
}

__attribute__((format(printf, 1, 0))) static void log_write(const char *format, va_list arguments)
{
	char line[1024];
	uint64_t now_ns = clock_realtime_ns();
	/* A day of POSIX's has 86,400 seconds, whatever the Earth does. */
	unsigned second = (unsigned)(now_ns / NS_PER_SECOND % 86400);
	size_t used = (size_t)snprintf(line, sizeof(line) / 4, "%s", log_before);
	used += (size_t)snprintf(line + used, sizeof(line) - used,
		"%02u:%02u:%02u.%03u %s: ", second / 3600, second / 60 % 60, second % 60,
		(unsigned)(now_ns % NS_PER_SECOND / NS_PER_MS), log_name);
	int length = vsnprintf(line + used, sizeof(line) - used - 1, format, arguments);
	used = length < 0 ? used : used + (size_t)length;
	if (used > sizeof(line) - 2)
		used = sizeof(line) - 2;
	line[used++] = '\n';
	size_t after = strlen(log_after);
	if (used + after <= sizeof(line))
		memcpy(line + used, log_after, after);
	else
		after = 0;
	used += after;
	/* One write a line: lines of processes that share a log do not mix. A lost line is lost. */
	if (write(STDERR_FILENO, line, used) < 0)
		return;
}

__attribute__((format(printf, 1, 2))) static void log_now(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	log_write(format, arguments);
	va_end(arguments);
}

void log_line(const char *format, ...)
{
	if (log_lost > 0 && log_has_room()) {
		log_now("%u lines are missing here: nobody read the log", log_lost);
		log_lost = 0;
	}
	if (!log_has_room()) {
		log_lost++;
		return;
	}
	va_list arguments;
	va_start(arguments, format);
	log_write(format, arguments);
	va_end(arguments);
}

char *log_quote(const void *bytes, size_t length, char *text, size_t size)
{
	const unsigned char *at = bytes;
	size_t used = 0;
	for (size_t i = 0; i < length; i++) {
		if (used + 8 > size) { /* room for \xHH, the dots and NUL */
			memcpy(text + used, "...", 4);
			return text;
		}
		if (at[i] >= 0x20 && at[i] < 0x7f && at[i] != '\\')
			text[used++] = (char)at[i];
		else
			used += (size_t)snprintf(text + used, size - used, "\\x%02x", at[i]);
	}
	text[used] = '\0';
	return text;
}
