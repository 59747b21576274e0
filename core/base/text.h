/*
 * Text: a growable string, splitting a command line into words without a shell, numbers with units
 * of time, and the nearest known word for a wrong one.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/*
 * A growable, always NUL-terminated string. `= {0}` is an empty one. When memory is gone it is
 * marked `failed` and stays as it was, so a whole text is built and then tested once.
 */
struct text {
	char *bytes; /* NULL while empty: use text_view() */
	size_t length;
	size_t capacity;
	bool failed;
};

void text_append(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_append_bytes(struct text *text, const void *bytes, size_t length);
const char *text_view(const struct text *text);
void text_clear(struct text *text);
/* Frees; for CLEANUP(text_finish). */
void text_finish(struct text *text);

/* The string on the heap, owned by the caller, `text` empty again; NULL when memory was gone. */
char *text_take(struct text *text);

/* asprintf() that returns the string, or NULL when memory is gone. */
char *text_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A list of strings, NULL-terminated, in one allocation: release with free(). */
struct words {
	size_t count;
	char **list;
};

/*
 * Split a command line at white space. 'single' and "double" quotes group, a backslash takes the
 * next character as it is (not within single quotes). Nothing is expanded: there is no shell.
 * ret_words->list is owned by the caller (one free()). Fails on an unfinished quote or no word.
 */
int text_split_words(const char *text, struct words *ret_words, struct error *error);

/* Append a blank, where the text is not empty, and `word`, quoted so that text_split_words() finds it. */
void text_append_word(struct text *text, const char *word);

/*
 * The candidate nearest to `word` by edit distance, or NULL where none is near enough to be what
 * was meant. `candidates` are `count` strings; the result is one of them.
 */
const char *text_nearest(const char *word, const char *const *candidates, size_t count);

/* A whole decimal number, nothing before or behind it, minimum..maximum. */
bool text_parse_number(const char *text, uint64_t minimum, uint64_t maximum, uint64_t *ret_value);

/* Seconds with up to nine decimals ("2", "0.25"), as nanoseconds; at most 2^32 seconds. */
bool text_parse_seconds(const char *text, uint64_t *ret_ns);

/* Behind a noun that is counted: "%zu lease%s". */
#define TEXT_PLURAL(count) ((count) == 1 ? "" : "s")

/* A glob-free test. */
bool text_starts_with(const char *text, const char *start);

/* Whether all of it is UTF-8 (RFC 3629). */
bool text_is_utf8(const void *bytes, size_t length);

/*
 * Bytes from anywhere as a printable, valid UTF-8 string: control characters other than newline and
 * tab, those from U+0080 to U+009F too, and bytes that are no UTF-8, become U+FFFD. Owned by the
 * caller; NULL when memory is gone.
 */
char *text_sanitize(const void *bytes, size_t length);

#endif
