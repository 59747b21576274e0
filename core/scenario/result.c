#include "scenario/result.h"

#include <stdlib.h>

void scenario_result_finish(struct scenario_result *result)
{
	for (size_t i = 0; i < result->step_count; i++) {
		free(result->steps[i].description);
		free(result->steps[i].expected);
		free(result->steps[i].seen);
		free(result->steps[i].log);
	}
	free(result->steps);
	free(result->messages);
	*result = (struct scenario_result){0};
}

const struct step_result *scenario_result_failure(const struct scenario_result *result)
{
	for (size_t i = 0; i < result->step_count; i++)
		if (!result->steps[i].held)
			return &result->steps[i];
	return NULL;
}
