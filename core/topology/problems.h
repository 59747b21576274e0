/*
 * What is wrong with a topology, all of it: problems are collected as they are found, one for each
 * place in the files (the first one found there: the others often follow from it), and told in the
 * order of the files.
 */
#ifndef TOPOLOGY_PROBLEMS_H
#define TOPOLOGY_PROBLEMS_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "topology/model.h"

struct problem {
	struct mark mark; /* line 0: of no place, as of a --set */
	char *file; /* its path */
	char *sentence;
};

struct problems {
	struct problem *list; /* owned; at most PROBLEMS_MOST */
	size_t count;
	bool more; /* there are others that found no room */
};

enum { PROBLEMS_MOST = 100 };

/*
 * Fill `error` with "FILE:LINE:COLUMN: sentence" (of line 0: the sentence alone) and keep it in
 * `problems` too, where that is not NULL. Returns -EINVAL.
 */
int problem_fail(struct problems *problems, const char *file, struct mark mark, struct error *error,
	const char *format, va_list arguments) __attribute__((format(printf, 5, 0)));

/*
 * For loops over parts of a file: whether to look at the next part though `status` says that this
 * one is wrong. *result keeps the first failure. Only what the file says (-EINVAL) is passed over.
 */
bool problems_go_on(const struct problems *problems, int status, int *result);

/* In the order of the files. */
void problems_sort(struct problems *problems);

/* One as an error. Returns -EINVAL. */
int problem_error(const struct problem *problem, struct error *error);

/* For CLEANUP(). */
void problems_finish(struct problems *problems);

#endif
