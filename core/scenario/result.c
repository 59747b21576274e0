#include "scenario/result.h"

#include <stdlib.h>

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
	*result = (struct scenario_result){0};
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
