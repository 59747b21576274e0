#include "lab/run.h"

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "kernel/system_limits.h"
#include "lab/copy_tree.h"
#include "lab/steps.h"
#include "process/limits.h"
#include "process/mounts.h"
#include "process/userns.h"
#include "results/picture.h"

enum { DISK_LEAST = 128 * 1024 };

/* What lasts as long as the run. */
struct run {
	const struct plan *plan;
	const struct run_options *options;
	struct event_base *base;
	struct event *signals[3];
	bool interrupted;
	int signal; /* the one that interrupted it, or 0 */
	struct folder folder;
	const char *kept[16]; /* the caller's and the folder: NULL-terminated */
	struct run_result *result;
	struct fabric retired; /* of the scenario that is over */
	bool last; /* no scenario comes behind this one */
	bool kept_lab; /* it stayed until it was taken down: nothing comes any more */
};

static void run_finish(struct run *run)
{
	fabric_finish(&run->retired);
	if (run->options->stay)
		stay_over(run->options->stay);
	for (size_t i = 0; i < ARRAY_LENGTH(run->signals); i++)
		if (run->signals[i])
			event_free(run->signals[i]);
	if (run->base)
		event_base_free(run->base);
}

static void run_on_signal(evutil_socket_t number, short what, void *argument)
{
	struct run *run = argument;
	(void)what;
	run->interrupted = true;
	run->signal = (int)number;
	event_base_loopbreak(run->base);
}

static int run_loop(struct run *run, struct error *error)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
	run->base = event_base_new();
	if (!run->base)
		return error_set(error, -ENOMEM, "cannot create the event loop");
	for (size_t i = 0; i < ARRAY_LENGTH(numbers); i++) {
		run->signals[i] = evsignal_new(run->base, numbers[i], run_on_signal, run);
		if (!run->signals[i] || evsignal_add(run->signals[i], NULL) < 0)
			return error_set(error, -ENOMEM, "cannot wait for signals");
	}
	signal(SIGPIPE, SIG_IGN);
	return 0;
}

/* Told before there are results: too few open files would end the program in its event loop. */
static int run_check_limits(const struct plan *plan, struct error *error)
{
	struct plan_needs needs;
	int status = plan_count_needs(plan, &needs, error);
	return status < 0 ? status : system_limits_check(&needs, error);
}

static const struct scenario *scenario_find(const struct topology *topology, const char *name)
{
	for (size_t i = 0; i < topology->scenario_count; i++)
		if (strcmp(topology->scenarios[i].name, name) == 0)
			return &topology->scenarios[i];
	return NULL;
}

static int scenario_unknown(const struct topology *topology, const char *name, struct error *error)
{
	const char *names[64];
	size_t count = 0;
	for (; count < topology->scenario_count && count < ARRAY_LENGTH(names); count++)
		names[count] = topology->scenarios[count].name;
	const char *nearest = text_nearest(name, names, count);
	return error_set(error, -EINVAL, "'%s' is no scenario of %s%s%s%s", name, topology->name,
		nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
}

int lab_check_run(
	const struct topology *topology, const struct run_options *options, struct error *error)
{
	if (!topology->scenario_count)
		return error_set(error, -EINVAL, "%s has no scenarios to run", topology->path);
	for (size_t i = 0; i < options->scenario_count; i++) {
		if (!scenario_find(topology, options->scenarios[i]))
			return scenario_unknown(topology, options->scenarios[i], error);
		for (size_t j = 0; j < i; j++)
			if (strcmp(options->scenarios[i], options->scenarios[j]) == 0)
				return error_set(error, -EINVAL,
					"the scenario '%s' is named twice: its results have one "
					"folder",
					options->scenarios[i]);
	}
	return 0;
}

static int nodes_mount(const char *path, struct error *error)
{
	char options[64];
	snprintf(options, sizeof(options), "mode=0755,size=%dm,nr_inodes=16384", RUN_NODES_MIB);
	return mount_new("tmpfs", path, MS_NOSUID | MS_NODEV, options, error);
}

/* What nodes have left in memory goes to the results, as far as it fits; a full disk is told. */
static int nodes_keep(struct lab *lab, struct error *error)
{
	struct copy_budget budget = {.bytes = RUN_KEPT_MIB * UINT64_C(1024 * 1024), .files = 4096};
	struct statvfs disk;
	struct folder kept;
	struct step_result *failure = scenario_result_failure(lab->result);
	if (failure && statvfs(lab->nodes, &disk) == 0 &&
		(disk.f_bavail * disk.f_frsize < DISK_LEAST || disk.f_favail < 16)) {
		char *seen = text_format("%s; the %d MiB for the files of all nodes are used up",
			failure->seen, RUN_NODES_MIB);
		if (seen) {
			free(failure->seen);
			failure->seen = seen;
		}
	}
	int status = folder_create_inside(&lab->folder, "nodes", &kept, error);
	if (status == 0)
		status = copy_tree(lab->nodes, kept.path, &budget, error);
	umount2(lab->nodes, MNT_DETACH);
	return status == -EFBIG ? 0 : status;
}

/* Bring the lab up, try the steps, and take it down again whatever happened. */
static int scenario_carry_out(struct run *run, struct lab *lab, struct error *error)
{
	const struct run_hooks *hooks = &run->options->hooks;
	struct error after;
	int status = lab->nodes ? nodes_mount(lab->nodes, error) : 0;
	if (status == 0)
		status = lab_up(lab, error);
	/*
	 * The kernel frees network namespaces in the background, and whoever builds meanwhile waits
	 * for its locks: those of the last scenario go only now that this one stands.
	 */
	fabric_finish(&run->retired);
	if (status == 0)
		status = lab_steps(lab, hooks->step_begun, hooks->argument, error);
	if (status == 0 && run->options->stay && !run->interrupted)
		status = lab_stay(lab, run->options->stay, run->last, &run->kept_lab, error);
	int down = lab_down(lab, &after);
	run->retired = lab->fabric;
	if (run->options->stay && !run->kept_lab)
		stay_over(run->options->stay);
	if (lab->nodes && down == 0)
		down = nodes_keep(lab, &after);
	/* Built half-way: there is nothing to judge. */
	if (status == -EINTR && run->interrupted)
		status = 0;
	if (status == 0 && down < 0)
		return error_set(error, down, "%s", after.text);
	return status;
}

/* Programs that could not write their files fail in ways that say nothing of the cause. */
static int disk_check(const struct folder *folder, struct error *error)
{
	struct statvfs disk;
	if (statvfs(folder->path, &disk) < 0 || disk.f_bavail * disk.f_frsize >= DISK_LEAST)
		return 0;
	return error_system(error, -ENOSPC, "the disk under '%s' is full (%llu KiB left)",
		folder->path, (unsigned long long)(disk.f_bavail * disk.f_frsize / 1024));
}

static int scenario_run(struct run *run, const struct scenario *scenario, struct error *error)
{
	const struct run_hooks *hooks = &run->options->hooks;
	struct scenario_result *result =
		array_add(&run->result->scenarios, &run->result->scenario_count);
	if (!result)
		return error_set(error, -ENOMEM, "out of memory");
	result->scenario = scenario;
	result->started_ns = clock_realtime_ns();
	struct lab lab = {.plan = run->plan,
		.base = run->base,
		.kept = run->kept,
		.nodes = run->options->nodes,
		.cell = run->options->cell,
		.bounds_told = run->result->scenario_count > 1,
		.result = result,
		.interrupted = &run->interrupted,
		.tick = hooks->tick,
		.tick_argument = hooks->argument,
		.progress = {hooks->progress, hooks->argument}};
	int status = folder_create_inside(&run->folder, scenario->name, &lab.folder, error);
	if (status < 0)
		return status;
	if (hooks->scenario_begun)
		hooks->scenario_begun(hooks->argument, scenario);
	status = scenario_carry_out(run, &lab, error);
	result->ended_ns = clock_realtime_ns();
	if (status == 0 && !result->held)
		status = disk_check(&lab.folder, error);
	if (status < 0) {
		struct error unwritten;
		result_write(result, run->plan, &lab.folder, &unwritten); /* as far as it goes */
		return error_prefix(error, "%s: ", scenario->name);
	}
	result->interrupted = run->interrupted;
	run->result->scenarios_held += result->held;
	if (!run->interrupted && hooks->scenario_ended)
		hooks->scenario_ended(hooks->argument, result, &lab.folder);
	return result_write(result, run->plan, &lab.folder, error);
}

static int run_scenarios(struct run *run, struct error *error)
{
	const struct topology *topology = run->plan->topology;
	const struct run_options *options = run->options;
	size_t count = options->scenario_count ? options->scenario_count : topology->scenario_count;
	int status = 0;
	for (size_t i = 0; status == 0 && !run->interrupted && !run->kept_lab && i < count; i++) {
		run->last = i + 1 == count;
		status = scenario_run(run,
			options->scenario_count ? scenario_find(topology, options->scenarios[i])
						: &topology->scenarios[i],
			error);
	}
	return status;
}

static void run_on_picture(evutil_socket_t fd, short what, void *argument)
{
	struct run *run = argument;
	(void)fd, (void)what;
	event_base_loopbreak(run->base);
}

enum { PICTURE_SECONDS = 10 };

/* The picture, unless it takes too long or nobody wants to wait any more. */
static void run_await_picture(struct run *run, struct picture *picture)
{
	struct timeval most = {.tv_sec = (time_t)(PICTURE_SECONDS * clock_scale())};
	if (picture->fd >= 0 && !run->signal &&
		event_base_once(run->base, picture->fd, EV_READ, run_on_picture, run, NULL) == 0 &&
		event_base_loopexit(run->base, &most) == 0)
		event_base_dispatch(run->base);
	struct pollfd ended = {.fd = picture->fd, .events = POLLIN};
	if (poll(&ended, 1, 0) > 0)
		picture_finish(picture);
	else
		picture_cancel(picture);
	run->result->has_picture = picture->drawn;
}

static int run_write(struct run *run, struct error *error)
{
	CLEANUP(free_pointer) char *path = folder_fresh(&run->folder, "result.json");
	CLEANUP(json_release) json_t *value = run_result_json(run->result);
	if (!path || !value)
		return error_set(error, -ENOMEM, "out of memory");
	int status = json_write_file(value, path, error);
	if (status == 0)
		status = report_write(run->result, &run->folder, error);
	/* Settled before it is listed, and the list itself handed over. */
	if (status == 0)
		status = folder_settle(&run->folder, error);
	if (status == 0)
		status = manifest_write(run->result, &run->folder, error);
	return status;
}

static int run_in_folder(struct run *run, struct error *error)
{
	struct picture picture = PICTURE_NONE;
	struct error after;
	int status = picture_start(run->plan, &run->folder, &picture, error);
	if (status == 0)
		status = run_scenarios(run, error);
	if (status < 0)
		run->result->refused = error->text;
	run_await_picture(run, &picture);
	run->result->interrupted = run->signal;
	run->result->ended_ns = clock_realtime_ns();
	/* What was done is told and handed to the caller of sudo also when the system refused the rest. */
	int written = run_write(run, &after);
	int settled = folder_settle(&run->folder, written < 0 ? NULL : &after);
	if (written == 0)
		written = settled < 0 || run->options->folder
				  ? settled
				  : folder_set_latest(&run->folder, &after);
	run->result->refused = NULL;
	if (status == 0 && written < 0)
		return error_set(error, written, "%s", after.text);
	return status;
}

int lab_run(const struct plan *plan, const struct run_options *options, struct run_result *ret_run,
	struct folder *ret_folder, struct error *error)
{
	CLEANUP(run_result_finish)
	struct run_result result = {.plan = plan,
		.version = options->version,
		.started_ns = clock_realtime_ns(),
		.as_root = geteuid() == 0 && !options->cell};
	CLEANUP(run_finish)
	struct run run = {.plan = plan, .options = options, .result = &result};
	int status = userns_enter_if_needed(error);
	if (options->stay)
		stay_follow(options->stay);
	limits_raise();
	if (status == 0)
		status = run_check_limits(plan, error);
	if (status == 0)
		status = run_loop(&run, error);
	if (status < 0)
		return status;
	if (options->folder)
		snprintf(run.folder.path, sizeof(run.folder.path), "%s", options->folder);
	else
		status = folder_create(options->results, plan->topology->name, result.started_ns,
			&run.folder, error);
	run.kept[0] = run.folder.path;
	size_t kept = 1;
	for (size_t i = 0; options->kept[i] && kept + 1 < ARRAY_LENGTH(run.kept); i++)
		run.kept[kept++] = options->kept[i];
	for (size_t i = 0; i < plan->topology->brought_count && kept + 1 < ARRAY_LENGTH(run.kept);
		i++)
		run.kept[kept++] = plan->topology->brought[i];
	if (status == 0)
		status = run_in_folder(&run, error);
	if (status < 0)
		return status;
	*ret_run = result;
	*ret_folder = run.folder;
	result = (struct run_result){0};
	return 0;
}
