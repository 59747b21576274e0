/*
 * The log of a program: lines on standard error. Only `cli/` and `programs/` log; everything below
 * them returns errors. Lines start with the time (UTC, milliseconds) and the program's name.
 * Text that came from a peer must pass log_quote() first, so that it cannot forge a line.
 *
 * A log never holds a program up: where standard error takes no more (a pipe that nobody reads, a
 * stopped terminal) lines are counted instead, and the next one that is written is preceded by
 * their number.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stddef.h>

/* `name` is borrowed for the life of the process. A log whose reader is gone ends no program. */
void log_open(const char *name);

void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * For a status line on the terminal that also shows the log: written before and after each line,
 * with it at once. Borrowed until the next call; NULL: nothing.
 */
void log_surround(const char *before, const char *after);

/*
 * `length` bytes from a peer as printable ASCII in `text` of `size` bytes: anything else as \xHH,
 * cut with "..." where it does not fit. Returns `text`.
 */
char *log_quote(const void *bytes, size_t length, char *text, size_t size);

#endif
