#include "topology/problems.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

static int sentence_error(
	const char *file, struct mark mark, const char *sentence, struct error *error)
{
	enum { PATH_SHOWN = 100 }; /* of a long path the end, so that the sentence is told whole */
	size_t length = strlen(file);
	bool cut = length > PATH_SHOWN;
	if (!mark.line)
		return error_set(error, -EINVAL, "%s", sentence);
	return error_set(error, -EINVAL, "%s%s:%u:%u: %s", cut ? "..." : "",
		file + (cut ? length - PATH_SHOWN : 0), mark.line, mark.column, sentence);
}

int problem_error(const struct problem *problem, struct error *error)
{
	return sentence_error(problem->file, problem->mark, problem->sentence, error);
}

/* What finds no memory is not kept: the first problem is told by its error in any case. */
static void problem_keep(
	struct problems *problems, const char *file, struct mark mark, const char *sentence)
{
	for (size_t i = 0; mark.line && i < problems->count; i++)
		if (mark_compare(problems->list[i].mark, mark) == 0)
			return;
	if (problems->count == PROBLEMS_MOST) {
		problems->more = true;
		return;
	}
	struct problem kept = {mark, strdup(file), strdup(sentence)};
	struct problem *added = NULL;
	if (kept.file && kept.sentence)
		added = array_add(&problems->list, &problems->count);
	if (added) {
		*added = kept;
		return;
	}
	problems->more = true;
	free(kept.file);
	free(kept.sentence);
}

int problem_fail(struct problems *problems, const char *file, struct mark mark, struct error *error,
	const char *format, va_list arguments)
{
	char sentence[400];
	vsnprintf(sentence, sizeof(sentence), format, arguments);
	if (problems)
		problem_keep(problems, file, mark, sentence);
	return sentence_error(file, mark, sentence, error);
}

bool problems_go_on(const struct problems *problems, int status, int *result)
{
	if (status < 0 && *result == 0)
		*result = status;
	if (status < 0 && status != -EINVAL)
		*result = status;
	return status == 0 || (status == -EINVAL && problems);
}

static int problem_order(const void *a, const void *b)
{
	const struct problem *left = a, *right = b;
	return mark_compare(left->mark, right->mark);
}

void problems_sort(struct problems *problems)
{
	if (problems->count)
		qsort(problems->list, problems->count, sizeof(*problems->list), problem_order);
}

void problems_finish(struct problems *problems)
{
	for (size_t i = 0; i < problems->count; i++) {
		free(problems->list[i].file);
		free(problems->list[i].sentence);
	}
	free(problems->list);
	*problems = (struct problems){0};
}
