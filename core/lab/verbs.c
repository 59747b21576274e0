#include "lab/verbs.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "kernel/rules.h"
#include "kernel/system_limits.h"
#include "process/userns.h"
#include "scenario/check.h"
#include "topology/read.h"

static int subject_read(
	const struct topology_request *request, struct subject *subject, struct error *error)
{
	int status = topology_read_with(request, &subject->topology, error);
	if (status < 0 && !subject->topology.faulty)
		return status;
	int planned = plan_make(&subject->topology, &subject->plan, error);
	if (planned == 0 || (planned == -EINVAL && subject->plan.topology))
		problems_go_on(&subject->problems, scenario_check(&subject->plan, error), &planned);
	if (planned == 0 || (planned == -EINVAL && subject->plan.topology))
		problems_go_on(&subject->problems,
			rules_check(
				&subject->plan, userns_enter_if_needed, &subject->unchecked, error),
			&planned);
	return status < 0 ? status : planned;
}

/* Another tool's file, by its name: what is wrong with it as one of ours says nothing. */
static bool is_foreign(const char *path)
{
	static const char *const endings[] = {".graphml", ".xml", ".clab.yml", ".clab.yaml"};
	size_t length = strlen(path);
	for (size_t i = 0; i < ARRAY_LENGTH(endings); i++) {
		size_t behind = strlen(endings[i]);
		if (length > behind && strcmp(path + length - behind, endings[i]) == 0)
			return true;
	}
	return false;
}

static int subject_fail_foreign(const char *topology, int status, struct error *error)
{
	char first[sizeof(error->text)];
	snprintf(first, sizeof(first), "%s", error->text);
	return error_set(
		error, status, "%s (sim import %s makes a topology file of it)", first, topology);
}

static int subject_find(const char *topology, const char *const *settings, size_t setting_count,
	struct subject *subject, struct error *error);

int subject_open(const char *topology, const char *const *settings, size_t setting_count,
	struct subject *subject, struct error *error)
{
	int status = subject_find(topology, settings, setting_count, subject, error);
	return status < 0 && is_foreign(topology) ? subject_fail_foreign(topology, status, error)
						  : status;
}

static int subject_find(const char *topology, const char *const *settings, size_t setting_count,
	struct subject *subject, struct error *error)
{
	char path[PATH_MAX];
	*subject = (struct subject){0};
	int status = places_find(&subject->places, error);
	if (status == 0)
		status = places_topology(&subject->places, topology, path, error);
	if (status < 0)
		return status;
	struct topology_request request = {path, settings, setting_count, &subject->problems, 0};
	status = subject_read(&request, subject, error);
	struct problems *problems = &subject->problems;
	if (status == 0 || !problems->count)
		return status;
	problems_sort(problems);
	problem_error(&problems->list[0], error);
	if (problems->count == 1)
		return status;
	char first[sizeof(error->text)];
	snprintf(first, sizeof(first), "%s", error->text);
	return error_set(
		error, status, "%s (and %zu more: see sim validate)", first, problems->count - 1);
}

int subject_glance(const char *topology, struct subject *subject, struct error *error)
{
	char path[PATH_MAX];
	*subject = (struct subject){0};
	int status = places_find(&subject->places, error);
	if (status == 0)
		status = places_topology(&subject->places, topology, path, error);
	if (status < 0)
		return status;
	struct topology_request request = {.path = path, .problems = &subject->problems};
	status = topology_read_with(&request, &subject->topology, error);
	return subject->topology.faulty ? 0 : status;
}

int subject_open_brought(
	const struct topology_request *request, struct subject *subject, struct error *error)
{
	*subject = (struct subject){0};
	return subject_read(request, subject, error);
}

void subject_finish(struct subject *subject)
{
	plan_finish(&subject->plan);
	topology_finish(&subject->topology);
	problems_finish(&subject->problems);
}

int subject_check_machine(const struct plan_needs *needs, struct error *error)
{
	return system_limits_check(needs, error);
}

json_t *subject_scenarios(const struct topology *topology)
{
	json_t *names = json_array();
	for (size_t i = 0; i < topology->scenario_count; i++)
		json_array_append_new(names, json_string(topology->scenarios[i].name));
	return names;
}

/* Of a description; null where there is none. */
static json_t *first_sentence(const char *description)
{
	if (!description)
		return json_null();
	const char *end = strstr(description, ". ");
	size_t length = end ? (size_t)(end - description) + 1 : strlen(description);
	while (length && isspace((unsigned char)description[length - 1]))
		length--;
	CLEANUP(free_pointer) char *sentence = strndup(description, length);
	return sentence ? json_text(sentence) : NULL;
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
	return json_pack("{s:s, s:s, s:s, s:o, s:I, s:o}", "name", name, "topology", topology.name,
		"title", topology.title ? topology.title : topology.name, "lesson",
		first_sentence(topology.description), "nodes", (json_int_t)topology.node_count,
		"scenarios", subject_scenarios(&topology));
}
