#include "lab/grade_worker.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "lab/copy_tree.h"
#include "process/mounts.h"
#include "topology/read.h"

/* What the process apart sees of the machine, besides its programs. */
#define FOLDER_PROGRAMS	  APART_FOLDER "/bin"
#define FOLDER_SUBMISSION APART_FOLDER "/submission"
#define FOLDER_TOPOLOGY	  APART_FOLDER "/topology"
#define FOLDER_RESULTS	  APART_FOLDER "/results"
#define FOLDER_NODES	  APART_FOLDER "/nodes"

/* Once in the process apart. */
struct work {
	const struct grade_worker *worker;
	FILE *told;
	char **settings; /* the instructor's first; those behind are ours */
};

static void work_tell(const struct work *work, json_t *take_line)
{
	struct error ignored;
	/* Where nobody listens any more the process is about to be killed. */
	json_write_line(take_line, work->told, &ignored);
	fflush(work->told);
}

static void on_scenario(void *argument, const struct scenario *scenario)
{
	work_tell(argument, json_pack("{s:s}", "scenario", scenario->name));
}

static void on_step(void *argument, size_t index, size_t count, const char *description)
{
	CLEANUP(free_pointer)
	char *step = text_format("%zu/%zu %s", index + 1, count, description);
	work_tell(argument, json_pack("{s:o}", "step", json_text(step)));
}

static void on_scenario_end(
	void *argument, const struct scenario_result *result, const struct folder *folder)
{
	struct scenario_result *ended = (struct scenario_result *)result;
	const struct step_result *failure = scenario_result_failure(ended);
	(void)folder;
	CLEANUP(free_pointer)
	char *log = failure && failure->log
			    ? text_format("%s/%s", result->scenario->name, failure->log)
			    : NULL;
	work_tell(argument,
		json_pack("{s:s, s:b, s:f, s:o, s:o, s:o, s:o}", "check", result->scenario->name,
			"held", result->held, "seconds",
			(double)(result->ended_ns - result->started_ns) / 1e9, "step",
			json_text(failure ? failure->description : NULL), "expected",
			json_text(failure ? failure->expected : NULL), "seen",
			json_text(failure ? failure->seen : NULL), "log", json_text(log)));
}

/* Where the process apart sees a file of the topology: all of them as far apart as they are. */
static int topology_place(const char *path, char ret_place[static PATH_MAX], struct error *error)
{
	char here[PATH_MAX] = "";
	if (*path != '/' && !getcwd(here, sizeof(here)))
		return error_system(error, -errno, "cannot find '%s'", path);
	if (snprintf(ret_place, PATH_MAX, FOLDER_TOPOLOGY "%s%s%s", here, *path == '/' ? "" : "/",
		    path) >= PATH_MAX)
		return error_set(error, -ENAMETOOLONG, "the path '%.60s...' is too long", path);
	return 0;
}

static int copy_topology(const struct topology *topology, struct error *error)
{
	int status = 0;
	for (size_t i = 0; status == 0 && i < topology->file_count; i++) {
		struct copy_budget budget = {
			.bytes = UINT64_C(4) * 1024 * 1024, .files = 1, .through_link = true};
		char place[PATH_MAX];
		status = topology_place(topology->files[i], place, error);
		if (status < 0)
			break;
		*strrchr(place, '/') = '\0';
		status = mount_point(place, error);
		if (status == 0)
			status = copy_tree(topology->files[i], place, &budget, error);
	}
	return status;
}

/* With the caller's rights: what only those can read is copied to where it can be read. */
static int work_prepare(void *argument, struct error *error)
{
	struct grade_worker *worker = argument;
	struct copy_budget budget = {
		.bytes = SUBMISSION_MIB * UINT64_C(1024 * 1024), .files = SUBMISSION_FILES};
	const struct topology *topology = &worker->subject->topology;
	int status = topology_place(topology->path, worker->topology, error);
	if (status == 0)
		status = copy_topology(topology, error);
	if (status < 0)
		return status;
	status = copy_tree(worker->submission->path, FOLDER_SUBMISSION, &budget, error);
	return status != -EFBIG
		       ? status
		       : error_set(error, status, "the submission has more than %d MiB or %d files",
				 SUBMISSION_MIB, SUBMISSION_FILES);
}

/* The topology, with what the submission brings. What is wrong from here on is its own fault. */
static int work_read(struct work *work, struct subject *subject, struct error *error)
{
	const struct grade_worker *worker = work->worker;
	const struct grade_options *options = worker->options;
	char **brought = NULL;
	size_t brought_count = 0;
	int status = submission_settings(
		&worker->subject->topology, options->program, &brought, &brought_count, error);
	if (status < 0)
		return status;
	work->settings =
		calloc(options->setting_count + brought_count + 1, sizeof(*work->settings));
	if (!work->settings)
		return error_set(error, -ENOMEM, "out of memory");
	for (size_t i = 0; i < options->setting_count; i++)
		work->settings[i] = (char *)options->settings[i];
	for (size_t i = 0; i < brought_count; i++)
		work->settings[options->setting_count + i] = brought[i];
	struct topology_request request = {.path = worker->topology,
		.settings = (const char *const *)work->settings,
		.setting_count = options->setting_count + brought_count,
		.own_settings = options->setting_count};
	return subject_open_brought(&request, subject, error);
}

static int work_run(struct work *work, const struct subject *subject, struct error *error)
{
	static const char *const kept[] = {APART_FOLDER, NULL};
	const struct grade_options *options = work->worker->options;
	struct cell cell = {.files = FOLDER_SUBMISSION, .group = work->worker->group};
	struct run_options run_options = {.version = options->version,
		.scenarios = options->scenarios,
		.scenario_count = options->scenario_count,
		.kept = kept,
		.folder = FOLDER_RESULTS,
		.nodes = FOLDER_NODES,
		.cell = &cell,
		.hooks = {.scenario_begun = on_scenario,
			.step_begun = on_step,
			.scenario_ended = on_scenario_end,
			.argument = work}};
	struct run_result result = {0};
	struct folder folder;
	return lab_run(&subject->plan, &run_options, &result, &folder, error);
}

/* The process ends behind this, and all its memory with it. */
static int work_main(void *argument)
{
	const struct grade_worker *worker = argument;
	struct work work = {.worker = worker, .told = fdopen(worker->told_fd, "w")};
	static struct subject subject;
	struct places places = {.programs = FOLDER_PROGRAMS};
	struct error error;
	sigset_t none;
	if (!work.told)
		return 1;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	unsetenv("SUDO_UID");
	int status = chdir(FOLDER_SUBMISSION) < 0
			     ? error_system(&error, -errno, "cannot enter '%s'", FOLDER_SUBMISSION)
			     : work_read(&work, &subject, &error);
	bool read = status == 0;
	if (status == 0)
		status = places_set_path(&places, &error);
	if (status == 0)
		status = work_run(&work, &subject, &error);
	if (status < 0)
		work_tell(&work,
			json_pack("{s:o, s:b}", "problem", json_text(error.text), "refused", read));
	return status < 0;
}

int grade_worker_start(struct grade_worker *worker, const struct userns_user *user,
	struct apart *ret_apart, struct error *error)
{
	const struct apart_place places[] = {
		{.name = "bin", .source = worker->subject->places.programs},
		{.name = "topology", .size_mib = 8},
		{.name = "submission", .size_mib = SUBMISSION_MIB + 8},
		{.name = "results", .source = worker->folder->path, .writable = true},
		{.name = "nodes", .size_mib = 1, .writable = true},
	};
	struct apart_setup setup = {.places = places,
		.place_count = ARRAY_LENGTH(places),
		.prepare = work_prepare,
		.run = work_main,
		.argument = worker};
	return apart_start(&setup, user, ret_apart, error);
}
