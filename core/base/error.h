/*
 * One error convention for the whole tree.
 *
 * A function that can fail returns 0 or a negative errno value and takes a `struct error *` last.
 * On failure it holds one sentence for a person, made where the fact is known; callers may prepend
 * where they were. On success it is untouched. Ordinary outcomes (no free address, nothing to read)
 * are values, not errors. Nothing here allocates, so an error can be told when memory is gone.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdarg.h>

struct error {
	int code; /* negative errno */
	char text[512];
};

/*
 * Fill `error` with `code` and the formatted sentence. Returns `code`, so that
 * `return error_set(error, -EINVAL, "...")` is one statement. `error` may be NULL.
 */
int error_set(struct error *error, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * As error_set(), with `: ` and the system's words for `code` appended:
 * "cannot open 'x': No such file or directory".
 */
int error_system(struct error *error, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Put the formatted text before the sentence in `error`, not NULL. Returns the error's code. */
int error_prefix(struct error *error, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
