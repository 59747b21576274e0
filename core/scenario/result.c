#include "scenario/result.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

static void step_result_free(struct step_result *step)
{
	free(step->description);
	free(step->expected);
	free(step->seen);
	free(step->log);
	free(step->shown);
}

void scenario_result_finish(struct scenario_result *result)
{
	for (size_t i = 0; i < result->step_count; i++)
		step_result_free(&result->steps[i]);
	free(result->steps);
	free(result->messages);
	for (size_t i = 0; i < result->note_count; i++)
		free(result->notes[i]);
	free(result->notes);
	*result = (struct scenario_result){0};
}

void scenario_result_note(struct scenario_result *result, const char *format, ...)
{
	va_list arguments;
	char *note;
	va_start(arguments, format);
	int length = vasprintf(&note, format, arguments);
	va_end(arguments);
	if (length < 0)
		return;
	bool known = result->note_count >= RESULT_NOTES_MOST;
	for (size_t i = 0; !known && i < result->note_count; i++)
		known = strcmp(result->notes[i], note) == 0;
	char **slot = known ? NULL : array_add(&result->notes, &result->note_count);
	if (slot)
		*slot = note;
	else
		free(note);
}

size_t scenario_result_tried(const struct scenario_result *result)
{
	size_t count = 0;
	for (size_t i = 0; i < result->step_count; i++)
		count += result->steps[i].step != NULL;
	return count;
}

void scenario_result_drop_step(struct scenario_result *result)
{
	if (result->step_count)
		step_result_free(&result->steps[--result->step_count]);
}

struct step_result *scenario_result_failure(const struct scenario_result *result)
{
	for (size_t i = 0; i < result->step_count; i++)
		if (!result->steps[i].held)
			return &result->steps[i];
	return NULL;
}
