#include "results/run.h"

#include <errno.h>
#include <fts.h>
#include <sha256.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "results/report_parts.h"

void run_result_finish(struct run_result *run)
{
	for (size_t i = 0; i < run->scenario_count; i++)
		scenario_result_finish(&run->scenarios[i]);
	free(run->scenarios);
	*run = (struct run_result){0};
}

char *time_shown(uint64_t time_ns, char text[static 32])
{
	time_t seconds = (time_t)(time_ns / NS_PER_SECOND);
	struct tm utc;
	gmtime_r(&seconds, &utc);
	strftime(text, 32, "%Y-%m-%d %H:%M:%S UTC", &utc);
	return text;
}

static json_t *step_json(const struct scenario_result *result, const struct step_result *step)
{
	json_t *value = json_pack("{s:o, s:f, s:f, s:b, s:o, s:o, s:s?}", "step",
		json_text(step->description), "at",
		report_seconds(result->started_ns, step->started_ns), "seconds",
		report_seconds(step->started_ns, step->ended_ns), "held", step->held, "expected",
		json_text(step->expected), "seen", json_text(step->seen), "log", step->log);
	if (value && step->step) {
		json_object_set_new(value, "kind", json_string(step_kind_names[step->step->kind]));
		json_object_set_new(value, "line", json_integer(step->step->mark.line));
	}
	if (value && step->shown)
		json_object_set_new(value, "printed", json_text(step->shown));
	return value;
}

static json_t *scenario_json(const struct scenario_result *result)
{
	json_t *steps = json_array();
	for (size_t i = 0; i < result->step_count; i++)
		json_array_append_new(steps, step_json(result, &result->steps[i]));
	json_t *notes = json_array();
	for (size_t i = 0; i < result->note_count; i++)
		json_array_append_new(notes, json_text(result->notes[i]));
	return json_pack("{s:s, s:s, s:o, s:b, s:b, s:f, s:f, s:f, s:o, s:{s:I, s:I, s:I, s:I}, "
			 "s:I, s:o}",
		"scenario", result->scenario->name, "title", result->scenario->title, "explains",
		json_text(result->scenario->explains), "held", result->held, "interrupted",
		result->interrupted, "started", (double)result->started_ns / 1e9, "seconds",
		report_seconds(result->started_ns, result->ended_ns), "build_seconds",
		(double)result->build_ns / 1e9, "steps", steps, "capture", "frames",
		(json_int_t)result->frames, "lost", (json_int_t)result->frames_lost, "unwritten",
		(json_int_t)result->frames_unwritten, "bytes", (json_int_t)result->capture_bytes,
		"messages", (json_int_t)result->message_total, "notes", notes);
}

int result_write(const struct scenario_result *result, const struct plan *plan,
	const struct folder *scenario, struct error *error)
{
	CLEANUP(json_release) json_t *value = scenario_json(result);
	CLEANUP(free_pointer) char *path = folder_fresh(scenario, "result.json");
	if (!value || !path)
		return error_set(error, -ENOMEM, "out of memory");
	json_object_set_new(value, "topology", json_string(plan->topology->name));
	return json_write_file(value, path, error);
}

static json_t *variables_json(const struct topology *topology)
{
	json_t *variables = json_object();
	for (size_t i = 0; i < topology->variable_count; i++)
		json_object_set_new(variables, topology->variables[i].name,
			json_string(topology->variables[i].value));
	return variables;
}

json_t *run_result_json(const struct run_result *run)
{
	char started[32];
	json_t *scenarios = json_array();
	for (size_t i = 0; i < run->scenario_count; i++)
		json_array_append_new(scenarios, scenario_json(&run->scenarios[i]));
	return json_pack("{s:s, s:s, s:f, s:b, s:b, s:i, s:i, s:o, s:o}", "topology",
		run->plan->topology->name, "started", time_shown(run->started_ns, started),
		"seconds", report_seconds(run->started_ns, run->ended_ns), "held",
		!run->interrupted && !run->refused && run->scenarios_held == run->scenario_count,
		"interrupted", run->interrupted != 0, "scenarios_held", (int)run->scenarios_held,
		"scenario_count", (int)run->scenario_count, "variables",
		variables_json(run->plan->topology), "scenarios", scenarios);
}

static void fts_finish(FTS **tree)
{
	if (*tree)
		fts_close(*tree);
}

enum { HASHED_MOST = 1024 * 1024 * 1024 }; /* bytes: some seconds of work */

/* Every regular file below the run's folder, by its path there. */
static int manifest_files(const struct folder *folder, json_t *files, struct error *error)
{
	char *const paths[] = {(char *)folder->path, NULL};
	CLEANUP(fts_finish)
	FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
	if (!tree)
		return error_system(error, -errno, "cannot read '%s'", folder->path);
	off_t left = HASHED_MOST;
	for (FTSENT *entry; (entry = fts_read(tree));) {
		char digest[SHA256_DIGEST_STRING_LENGTH];
		const char *name = entry->fts_path + strlen(folder->path) + 1;
		if (entry->fts_info != FTS_F)
			continue;
		/* A program's sparse file may be as long as a file can be. */
		off_t size = entry->fts_statp->st_size;
		bool hashed = size <= left && SHA256File(entry->fts_path, digest);
		left -= hashed ? size : 0;
		CLEANUP(free_pointer) char *shown = text_sanitize(name, strlen(name));
		json_object_set_new(files, shown ? shown : "",
			json_pack("{s:I, s:s?}", "bytes", (json_int_t)size, "sha256",
				hashed ? digest : NULL));
	}
	return 0;
}

int manifest_write(const struct run_result *run, const struct folder *folder, struct error *error)
{
	struct utsname system;
	char started[32];
	uname(&system);
	CLEANUP(json_release)
	json_t *manifest = json_pack("{s:s, s:s, s:s, s:s, s:o, s:s, s:b, s:o}", "sim",
		run->version, "kernel", system.release, "machine", system.machine, "topology",
		run->plan->topology->name, "file", json_text(run->plan->topology->path), "started",
		time_shown(run->started_ns, started), "as_root", run->as_root, "variables",
		variables_json(run->plan->topology));
	json_t *files = json_object();
	CLEANUP(free_pointer) char *path = folder_fresh(folder, "manifest.json");
	if (!manifest || !files || !path) {
		json_decref(files);
		return error_set(error, -ENOMEM, "out of memory");
	}
	int status = manifest_files(folder, files, error);
	json_object_set_new(manifest, "files", files);
	return status < 0 ? status : json_write_file(manifest, path, error);
}
