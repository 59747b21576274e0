#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

static const char *log_name = "sim";

void log_open(const char *name)
{
	log_name = name;
}

void log_line(const char *format, ...)
{
	char line[1024];
	uint64_t now_ns = clock_realtime_ns();
	time_t seconds = (time_t)(now_ns / NS_PER_SECOND);
	struct tm utc;
	gmtime_r(&seconds, &utc);
	size_t used = strftime(line, sizeof(line), "%H:%M:%S", &utc);
	used += (size_t)snprintf(line + used, sizeof(line) - used,
		".%03u %s: ", (unsigned)(now_ns % NS_PER_SECOND / NS_PER_MS), log_name);

	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(line + used, sizeof(line) - used - 1, format, arguments);
	va_end(arguments);
	used = length < 0 ? used : used + (size_t)length;
	if (used > sizeof(line) - 2)
		used = sizeof(line) - 2;
	line[used++] = '\n';
	/* One write a line: lines of processes that share a log do not mix. A lost line is lost. */
	if (write(STDERR_FILENO, line, used) < 0)
		return;
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
