#include "results/history.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"

static int keep_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && strcmp(entry->d_name, "latest") != 0;
}

static json_t *run_read(const char *topology, const char *run, const char *path)
{
	CLEANUP(free_pointer) char *file = text_format("%s/result.json", path);
	CLEANUP(json_release) json_t *result = file ? json_load_file(file, 0, NULL) : NULL;
	/* `make bench` keeps its measurements beside the runs. */
	if (!result && strcmp(topology, "bench") == 0)
		return NULL;
	/* A lab that was up to work in by hand is no run. */
	CLEANUP(free_pointer) char *up = text_format("%s/up", path);
	if (!result && up && access(up, F_OK) == 0)
		return NULL;
	json_t *entry =
		json_pack("{s:s, s:s, s:s}", "topology", topology, "run", run, "path", path);
	static const char *const keys[] = {
		"started", "held", "scenarios_held", "scenario_count", "seconds"};
	for (size_t i = 0; entry && i < ARRAY_LENGTH(keys); i++)
		if (json_object_get(result, keys[i]))
			json_object_set(entry, keys[i], json_object_get(result, keys[i]));
	return entry;
}

static void topology_runs(const char *results, const char *topology, json_t *runs)
{
	CLEANUP(free_pointer) char *path = text_format("%s/%s", results, topology);
	struct dirent **entries = NULL;
	int count = path ? scandir(path, &entries, keep_visible, alphasort) : 0;
	for (int i = 0; i < count; i++) {
		CLEANUP(free_pointer) char *run = text_format("%s/%s", path, entries[i]->d_name);
		json_t *entry = run ? run_read(topology, entries[i]->d_name, run) : NULL;
		if (entry)
			json_array_append_new(runs, entry);
		free(entries[i]);
	}
	free(entries);
}

json_t *history_read(const char *results)
{
	json_t *runs = json_array();
	struct dirent **entries = NULL;
	int count = runs ? scandir(results, &entries, keep_visible, alphasort) : 0;
	for (int i = 0; i < count; i++) {
		topology_runs(results, entries[i]->d_name, runs);
		free(entries[i]);
	}
	free(entries);
	return runs;
}
