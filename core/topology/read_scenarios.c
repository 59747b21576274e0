/* `scenarios:` of a file. */
#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "topology/problems.h"
#include "topology/read_parts.h"

/* A scenario being read. */
struct scenario_target {
	const struct topology *topology;
	struct scenario *scenario;
};

static int read_steps(const struct yaml_value *value, void *target, struct error *error)
{
	struct scenario_target *at = target;
	struct scenario *scenario = at->scenario;
	int result = yaml_require_sequence(value->source, value->node, "steps", error);
	for (size_t i = 0; i < yaml_sequence_length(value->node); i++) {
		struct step *step = array_add(&scenario->steps, &scenario->step_count);
		if (!step)
			return error_set(error, -ENOMEM, "out of memory");
		int status = topology_read_step(value->source,
			yaml_sequence_item(value->source, value->node, i), at->topology, step,
			error);
		if (status < 0) {
			step_finish(step);
			scenario->step_count--;
		}
		if (!problems_go_on(value->source->problems, status, &result))
			break;
	}
	if (result < 0)
		value->source->reading->topology->missing |= MISSING_STEPS;
	if (result == 0 && scenario->step_count == 0)
		return yaml_fail(value->source, yaml_mark(value->key), error,
			"the scenario has no steps: it would hold whatever happened");
	return result;
}

static int read_scenario_title(const struct yaml_value *value, void *target, struct error *error)
{
	struct scenario_target *at = target;
	return yaml_read_text(value->source, value->node, "title", &at->scenario->title, error);
}

static int read_scenario_description(
	const struct yaml_value *value, void *target, struct error *error)
{
	struct scenario_target *at = target;
	return yaml_read_text(
		value->source, value->node, "description", &at->scenario->description, error);
}

static int read_scenario_explains(const struct yaml_value *value, void *target, struct error *error)
{
	struct scenario_target *at = target;
	return yaml_read_text(
		value->source, value->node, "explains", &at->scenario->explains, error);
}

static int read_scenario(const struct yaml_value *value, void *target, struct error *error)
{
	static const struct yaml_key keys[] = {
		{"title", read_scenario_title, true},
		{"description", read_scenario_description, false},
		{"explains", read_scenario_explains, false},
		{"steps", read_steps, true},
	};
	static const struct yaml_form form = {"a scenario", keys, ARRAY_LENGTH(keys)};
	struct topology *topology = target;
	int status = topology_check_name(value, value->name, "a scenario", error);
	if (status < 0)
		return status;
	/* Its folder stands beside report.md and the like. */
	if (strchr(value->name, '.') || strcmp(value->name, "topology") == 0)
		return yaml_fail(value->source, yaml_mark(value->key), error,
			"'%s' cannot name a scenario: its results' folder must not look like a "
			"file's name",
			value->name);
	struct scenario *scenario = array_add(&topology->scenarios, &topology->scenario_count);
	if (!scenario || !(scenario->name = strdup(value->name)))
		return error_set(error, -ENOMEM, "out of memory");
	scenario->mark = yaml_mark(value->key);
	struct scenario_target at = {.topology = topology, .scenario = scenario};
	return yaml_read_form(value->source, value->node, &form, &at, error);
}

int topology_read_scenarios(const struct yaml_value *value, void *target, struct error *error)
{
	return yaml_read_entries(
		value->source, value->node, "scenarios", read_scenario, target, error);
}
