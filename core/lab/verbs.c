#include "lab/verbs.h"

#include <string.h>

#include "base/cleanup.h"
#include "scenario/check.h"
#include "topology/read.h"

int subject_open(const char *topology, const char *const *settings, size_t setting_count,
	struct subject *subject, struct error *error)
{
	char path[PATH_MAX];
	*subject = (struct subject){0};
	int status = places_find(&subject->places, error);
	if (status == 0)
		status = places_topology(&subject->places, topology, path, error);
	if (status == 0)
		status = topology_read(path, settings, setting_count, &subject->topology, error);
	if (status == 0)
		status = plan_make(&subject->topology, &subject->plan, error);
	if (status == 0)
		status = scenario_check(&subject->plan, error);
	return status;
}

void subject_finish(struct subject *subject)
{
	plan_finish(&subject->plan);
	topology_finish(&subject->topology);
}

json_t *subject_summary(const struct places *places, const char *name)
{
	char path[PATH_MAX];
	CLEANUP(topology_finish) struct topology topology = {0};
	struct error error;
	int status = places_topology(places, name, path, &error);
	if (status == 0)
		status = topology_read(path, NULL, 0, &topology, &error);
	if (status < 0) {
		CLEANUP(free_pointer) char *why = text_sanitize(error.text, strlen(error.text));
		return json_pack("{s:s, s:s}", "name", name, "error", why ? why : "");
	}
	json_t *scenarios = json_array();
	for (size_t i = 0; i < topology.scenario_count; i++)
		json_array_append_new(scenarios, json_string(topology.scenarios[i].name));
	return json_pack("{s:s, s:s, s:I, s:o}", "name", name, "title",
		topology.title ? topology.title : topology.name, "nodes",
		(json_int_t)topology.node_count, "scenarios", scenarios);
}
