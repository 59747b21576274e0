/*
 * The whole of our unit-test support: a failed EXPECT prints where and what and goes on; main()
 * returns unit_finish(). pytest runs every tests/unit/X_test.c as one test.
 */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static unsigned unit_checks, unit_failures;

__attribute__((format(printf, 4, 5))) static inline void unit_expect(
	bool held, const char *file, int line, const char *format, ...)
{
	unit_checks++;
	if (held)
		return;
	unit_failures++;
	fprintf(stderr, "%s:%d: ", file, line);
	__builtin_va_list arguments;
	__builtin_va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	__builtin_va_end(arguments);
	fputc('\n', stderr);
}

/* EXPECT(condition, "what was expected and seen", ...) */
#define EXPECT(condition, ...) unit_expect((condition), __FILE__, __LINE__, __VA_ARGS__)

#define EXPECT_NUMBER(seen, expected)                                                              \
	do {                                                                                       \
		long long seen_ = (long long)(seen), expected_ = (long long)(expected);            \
		unit_expect(seen_ == expected_, __FILE__, __LINE__, "%s: expected %lld, saw %lld", \
			#seen, expected_, seen_);                                                  \
	} while (0)

#define EXPECT_TEXT(seen, expected)                                                                \
	do {                                                                                       \
		const char *seen_ = (seen), *expected_ = (expected);                               \
		unit_expect(seen_ &&strcmp(seen_, expected_) == 0, __FILE__, __LINE__,             \
			"%s: expected \"%s\", saw \"%s\"", #seen, expected_,                       \
			seen_ ? seen_ : "(null)");                                                 \
	} while (0)

#define EXPECT_BYTES(seen, seen_length, expected, expected_length)                                 \
	unit_expect((size_t)(seen_length) == (size_t)(expected_length) &&                          \
			    memcmp((seen), (expected), (size_t)(expected_length)) == 0,            \
		__FILE__, __LINE__, "%s: %zu bytes differ from the %zu expected", #seen,           \
		(size_t)(seen_length), (size_t)(expected_length))

static inline int unit_finish(void)
{
	printf("%u checks, %u failed\n", unit_checks, unit_failures);
	return unit_failures || !unit_checks ? 1 : 0;
}

#endif
