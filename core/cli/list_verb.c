/* sim list: what topologies there are, what each teaches, and how their last runs ended. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/verb.h"
#include "lab/verbs.h"

enum { INDENT = 18 };

/* The newest run of a topology: they come in the order of their times. NULL: it was never run. */
static json_t *find_last(const json_t *runs, const char *topology)
{
	for (size_t i = json_array_size(runs); topology && i > 0; i--) {
		json_t *run = json_array_get(runs, i - 1);
		if (strcmp(json_string_value(json_object_get(run, "topology")), topology) == 0)
			return run;
	}
	return NULL;
}

static int list_json(const struct places *places, json_t **ret_value, struct error *error)
{
	char **names = NULL;
	size_t count = 0;
	int status = places_list(places, &names, &count, error);
	if (status < 0)
		return status;
	json_t *topologies = json_array(), *runs = history_read(places->results);
	for (size_t i = 0; i < count; i++) {
		json_t *summary = subject_summary(places, names[i]);
		const char *topology = json_string_value(json_object_get(summary, "topology"));
		json_t *last = find_last(runs, topology);
		json_object_set_new(summary, "last", last ? json_incref(last) : json_null());
		json_array_append_new(topologies, summary);
		free(names[i]);
	}
	free(names);
	*ret_value = json_pack("{s:o, s:o}", "topologies", topologies, "runs", runs);
	return 0;
}

static const char *word(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "";
}

/* "5 of 5 held, 2026-11-22 10:16:28 UTC". */
static void print_verdict(const json_t *run)
{
	if (!json_object_get(run, "held"))
		printf("did not end");
	else
		printf("%lld of %lld held",
			(long long)json_integer_value(json_object_get(run, "scenarios_held")),
			(long long)json_integer_value(json_object_get(run, "scenario_count")));
	printf(", ");
	verb_print(stdout, *word(run, "started") ? word(run, "started") : word(run, "run"));
}

static void print_topology(const json_t *topology)
{
	const json_t *last = json_object_get(topology, "last");
	size_t i;
	json_t *scenario;
	printf("%-*s", INDENT, word(topology, "name"));
	if (*word(topology, "error")) {
		verb_print(stdout, word(topology, "error"));
		printf("\n\n");
		return;
	}
	verb_print(stdout, word(topology, "title"));
	if (*word(topology, "lesson")) {
		printf("\n%-*s", INDENT, "");
		verb_print(stdout, word(topology, "lesson"));
	}
	printf("\n%-*sscenarios: ", INDENT, "");
	json_array_foreach(json_object_get(topology, "scenarios"), i, scenario)
		printf("%s%s", i ? ", " : "", json_string_value(scenario));
	if (!i)
		printf("none");
	if (json_is_object(last)) {
		printf("\n%-*slast run: ", INDENT, "");
		print_verdict(last);
	}
	printf("\n\n");
}

/* Of topologies that are files elsewhere the last run too. */
static void print_others(const json_t *topologies, const json_t *runs)
{
	size_t i, j;
	json_t *run, *topology;
	bool any = false;
	json_array_foreach(runs, i, run)
	{
		const char *name = word(run, "topology");
		bool listed = find_last(runs, name) != run;
		json_array_foreach(topologies, j, topology) listed |=
			strcmp(word(topology, "topology"), name) == 0;
		if (listed)
			continue;
		printf("%s%-*s", any ? "" : "runs of other files\n", INDENT, name);
		print_verdict(run);
		putchar('\n');
		any = true;
	}
	if (any)
		putchar('\n');
}

int verb_list(const struct arguments *arguments)
{
	struct places places;
	struct error error;
	CLEANUP(json_release) json_t *list = NULL;
	size_t i;
	json_t *topology;
	int status = places_find(&places, &error);
	if (status == 0 && arguments->results)
		snprintf(places.results, sizeof(places.results), "%s", arguments->results);
	if (status == 0)
		status = list_json(&places, &list, &error);
	if (status < 0)
		return verb_fail(STATUS_SYSTEM, &error);
	if (arguments->json)
		return verb_print_json(TAKE(list));
	const json_t *topologies = json_object_get(list, "topologies"),
		     *runs = json_object_get(list, "runs");
	json_array_foreach(topologies, i, topology) print_topology(topology);
	print_others(topologies, runs);
	printf("%zu topologies, %zu run%s in ", json_array_size(topologies), json_array_size(runs),
		TEXT_PLURAL(json_array_size(runs)));
	verb_print(stdout, places.results);
	putchar('\n');
	return STATUS_HELD;
}
