#include "lab/grade.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "lab/grade_worker.h"
#include "lab/submission.h"
#include "process/cell.h"
#include "topology/read.h"

enum {
	LINE_MOST = 4 * 1024 * 1024, /* bytes of a line of a worker's */
	TICK_MS = 100,
	GRACE_MS = 15000, /* for a worker that was asked to end: it writes its report */
};

struct grading {
	const struct subject *subject;
	const struct grade_options *options;
	struct grades *grades;
	struct folder folder;
	struct userns_user user;
	int signal_fd;
	int interrupted; /* by this signal; 0: not */
};

/* One worker, watched. */
struct watch {
	struct grading *grading;
	struct grade *grade;
	struct apart apart;
	int told_fd;
	struct text line; /* the beginning of the one that is coming */
	char scenario[TOPOLOGY_NAME_MOST + 1]; /* that is being tried */
	uint64_t until_ns; /* CLOCK_MONOTONIC: then it is asked to end, and then killed */
	bool asked;
};

static void watch_finish(struct watch *watch)
{
	apart_end(&watch->apart);
	close_fd(&watch->told_fd);
	text_finish(&watch->line);
}

static struct grade_check *check_find(struct grade *grade, const char *scenario)
{
	for (size_t i = 0; scenario && i < grade->check_count; i++)
		if (strcmp(grade->checks[i].scenario->name, scenario) == 0)
			return &grade->checks[i];
	return NULL;
}

static char *line_text(const json_t *line, const char *key)
{
	const char *text = json_string_value(json_object_get(line, key));
	return text ? strdup(text) : NULL;
}

static void watch_take_check(struct watch *watch, const json_t *line)
{
	struct grade_check *check =
		check_find(watch->grade, json_string_value(json_object_get(line, "check")));
	if (!check || check->judged)
		return;
	check->judged = true;
	check->held = json_is_true(json_object_get(line, "held"));
	check->seconds = json_number_value(json_object_get(line, "seconds"));
	check->step = line_text(line, "step");
	check->expected = line_text(line, "expected");
	check->seen = line_text(line, "seen");
	check->log = line_text(line, "log");
	watch->grade->held += check->held;
	watch->grade->has_report = true;
}

static void problem_set(struct grade *grade, bool refused, const char *text)
{
	if (grade->problem)
		return;
	grade->problem = strdup(text);
	grade->refused = refused;
}

static void watch_take_line(struct watch *watch, const char *text, size_t length)
{
	const struct grade_hooks *hooks = &watch->grading->options->hooks;
	CLEANUP(json_release) json_t *line = json_loadb(text, length, 0, NULL);
	const char *scenario = json_string_value(json_object_get(line, "scenario"));
	const char *step = json_string_value(json_object_get(line, "step"));
	const char *problem = json_string_value(json_object_get(line, "problem"));
	if (scenario)
		snprintf(watch->scenario, sizeof(watch->scenario), "%s", scenario);
	if (json_object_get(line, "check"))
		watch_take_check(watch, line);
	else if (problem)
		problem_set(watch->grade, json_is_true(json_object_get(line, "refused")), problem);
	else if (hooks->step)
		hooks->step(hooks->argument, watch->scenario, step ? step : "building");
}

/* Returns false at the end: the worker has closed it, or says what no worker says. */
static bool watch_read(struct watch *watch)
{
	char bytes[16384];
	ssize_t length = read(watch->told_fd, bytes, sizeof(bytes));
	if (length < 0)
		return errno == EAGAIN || errno == EINTR;
	if (length == 0)
		return false;
	text_append_bytes(&watch->line, bytes, (size_t)length);
	size_t taken = 0;
	for (char *end; watch->line.bytes &&
			(end = memchr(watch->line.bytes + taken, '\n', watch->line.length - taken));
		taken = (size_t)(end - watch->line.bytes) + 1)
		watch_take_line(watch, watch->line.bytes + taken,
			(size_t)(end - watch->line.bytes) - taken);
	if (taken) {
		memmove(watch->line.bytes, watch->line.bytes + taken, watch->line.length - taken);
		watch->line.length -= taken;
	}
	return !watch->line.failed && watch->line.length < LINE_MOST;
}

/* Ask it to end, the first time; then it is over. Returns false where nobody waits any more. */
static bool watch_ask(struct watch *watch)
{
	if (watch->asked)
		return false;
	watch->asked = true;
	watch->until_ns = clock_monotonic_ns() + GRACE_MS * NS_PER_MS;
	kill(watch->apart.pid, SIGTERM);
	return true;
}

static void watch_time_over(struct watch *watch)
{
	CLEANUP(free_pointer)
	char *text = text_format("the time of %g s was over%s%s",
		(double)watch->grading->options->time_ns / 1e9, *watch->scenario ? " in " : "",
		watch->scenario);
	problem_set(watch->grade, false, text ? text : "the time was over");
}

static void watch_worker(struct watch *watch)
{
	struct grading *grading = watch->grading;
	const struct grade_hooks *hooks = &grading->options->hooks;
	struct pollfd polled[] = {{.fd = watch->told_fd, .events = POLLIN},
		{.fd = grading->signal_fd, .events = POLLIN}};
	for (;;) {
		uint64_t now_ns = clock_monotonic_ns();
		if (now_ns >= watch->until_ns) {
			watch_time_over(watch);
			if (!watch_ask(watch))
				return;
		}
		int wait_ms = (int)((watch->until_ns - now_ns) / NS_PER_MS % 1000000) + 1;
		if (poll(polled, 2, hooks->tick && wait_ms > TICK_MS ? TICK_MS : wait_ms) < 0 &&
			errno != EINTR)
			return;
		struct signalfd_siginfo info;
		if (polled[1].revents && read(grading->signal_fd, &info, sizeof(info)) > 0) {
			grading->interrupted = (int)info.ssi_signo;
			problem_set(watch->grade, false, "the grading was interrupted");
			if (!watch_ask(watch))
				return;
		}
		if (polled[0].revents && !watch_read(watch))
			return;
		if (hooks->tick)
			hooks->tick(hooks->argument);
	}
}

static int grade_begin(struct grading *grading, const struct submission *submission,
	struct grade *grade, struct folder *ret_folder, struct error *error)
{
	const struct grades *grades = grading->grades;
	grade->name = strdup(submission->name);
	grade->folder = text_format("submissions/%s", submission->name);
	grade->checks = calloc(grades->scenario_count + 1, sizeof(*grade->checks));
	if (!grade->name || !grade->folder || !grade->checks)
		return error_set(error, -ENOMEM, "out of memory");
	grade->check_count = grades->scenario_count;
	for (size_t i = 0; i < grade->check_count; i++)
		grade->checks[i].scenario = grades->scenarios[i];
	int status = folder_create_inside(&grading->folder, grade->folder, ret_folder, error);
	if (status == 0 && grading->user.other)
		status = folder_lend(ret_folder, grading->user.uid, grading->user.gid, error);
	return status;
}

/* Start the worker and watch it to its end; a submission that cannot be run is no failure. */
static int grade_run(struct grading *grading, const struct submission *submission,
	const struct folder *folder, struct grade *grade, struct error *error)
{
	int told[2];
	CLEANUP(group_remove) struct group group;
	CLEANUP(watch_finish)
	struct watch watch = {.grading = grading,
		.grade = grade,
		.told_fd = -1,
		.apart = {.pidfd = -1, .lifeline = -1}};
	if (pipe2(told, O_CLOEXEC) < 0)
		return error_system(error, -errno, "cannot create a pipe");
	watch.told_fd = told[0];
	fcntl(watch.told_fd, F_SETFL, O_NONBLOCK);
	cell_group_create(&group);
	if (!grading->grades->limits) {
		struct text limits = {0};
		cell_describe(&group, &limits);
		text_append(&limits, ", %d MiB for files, and %g s", RUN_NODES_MIB,
			(double)grading->options->time_ns / 1e9);
		grading->grades->limits = text_take(&limits);
	}
	struct grade_worker worker = {.subject = grading->subject,
		.options = grading->options,
		.submission = submission,
		.folder = folder,
		.group = &group,
		.told_fd = told[1]};
	struct error reason;
	int status = grade_worker_start(&worker, &grading->user, &watch.apart, &reason);
	close(told[1]);
	watch.until_ns = clock_monotonic_ns() + grading->options->time_ns;
	if (status == 0)
		watch_worker(&watch);
	else
		problem_set(grade, status != -EFBIG && status != -ELOOP, reason.text);
	/* What forbids it to one forbids it to all. */
	if (status == -EPERM || status == -ENOSPC || status == -ENOSYS)
		return error_set(error, status, "%s", reason.text);
	return 0;
}

static int grade_one(
	struct grading *grading, const struct submission *submission, struct error *error)
{
	struct folder folder;
	struct error after;
	struct grade *grade = array_add(&grading->grades->list, &grading->grades->count);
	if (!grade)
		return error_set(error, -ENOMEM, "out of memory");
	uint64_t begun_ns = clock_monotonic_ns();
	int status = grade_begin(grading, submission, grade, &folder, error);
	if (status < 0)
		return status;
	status = grade_run(grading, submission, &folder, grade, error);
	int taken = folder_take_back(&folder, status < 0 ? &after : error);
	if (status < 0 || taken < 0)
		return status < 0 ? status : taken;
	size_t judged = 0;
	for (size_t i = 0; i < grade->check_count; i++)
		judged += grade->checks[i].judged;
	if (judged < grade->check_count)
		problem_set(grade, true, "its run ended without a word");
	grade->seconds = (double)(clock_monotonic_ns() - begun_ns) / 1e9;
	grading->grades->all_held += grade->held == grade->check_count && !grade->problem;
	grading->grades->refused += grade->refused;
	return 0;
}

static int grade_all(
	struct grading *grading, const struct submissions *submissions, struct error *error)
{
	const struct grade_hooks *hooks = &grading->options->hooks;
	int status = 0;
	for (size_t i = 0; status == 0 && !grading->interrupted && i < submissions->count; i++) {
		if (hooks->begun)
			hooks->begun(
				hooks->argument, i, submissions->count, submissions->list[i].name);
		status = grade_one(grading, &submissions->list[i], error);
		if (status == 0 && hooks->ended)
			hooks->ended(hooks->argument,
				&grading->grades->list[grading->grades->count - 1]);
	}
	return status;
}

/* Those of the topology that are tried, in their order. */
static int grades_begin(const struct subject *subject, const struct grade_options *options,
	struct grades *grades, struct error *error)
{
	const struct topology *topology = &subject->topology;
	grades->topology = topology;
	grades->version = options->version;
	grades->started_ns = clock_realtime_ns();
	grades->scenarios = calloc(topology->scenario_count + 1, sizeof(*grades->scenarios));
	if (!grades->scenarios)
		return error_set(error, -ENOMEM, "out of memory");
	for (size_t i = 0; i < topology->scenario_count; i++) {
		bool wanted = !options->scenario_count;
		for (size_t j = 0; j < options->scenario_count; j++)
			wanted = wanted ||
				 strcmp(options->scenarios[j], topology->scenarios[i].name) == 0;
		if (wanted)
			grades->scenarios[grades->scenario_count++] = &topology->scenarios[i];
	}
	return 0;
}

static int signals_open(int *ret_fd, sigset_t *ret_before, struct error *error)
{
	sigset_t mask;
	sigemptyset(&mask);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGHUP);
	sigprocmask(SIG_BLOCK, &mask, ret_before);
	*ret_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	return *ret_fd < 0 ? error_system(error, -errno, "cannot wait for signals") : 0;
}

static int grades_settle(struct grading *grading, struct error *error)
{
	struct grades *grades = grading->grades;
	grades->interrupted = grading->interrupted;
	grades->ended_ns = clock_realtime_ns();
	int status = grades_write(grades, &grading->folder, error);
	if (status == 0)
		status = folder_settle(&grading->folder, error);
	return status < 0 ? status : folder_set_latest(&grading->folder, error);
}

int lab_check_grade(
	const struct subject *subject, const struct grade_options *options, struct error *error)
{
	const struct run_options run = {
		.scenarios = options->scenarios, .scenario_count = options->scenario_count};
	if (!options->submissions)
		return error_set(error, -EINVAL,
			"grade needs --submissions DIR, the folder with an entry for each "
			"submission");
	int status = lab_check_run(&subject->topology, &run, error);
	return status < 0 || !options->program
		       ? status
		       : topology_check_program(&subject->topology, options->program, error);
}

int lab_grade(const struct subject *subject, const struct grade_options *options,
	struct grades *ret_grades, struct folder *ret_folder, struct error *error)
{
	CLEANUP(submissions_finish) struct submissions submissions = {0};
	CLEANUP(grades_finish) struct grades grades = {0};
	struct grading grading = {.subject = subject, .options = options, .grades = &grades};
	sigset_t before;
	struct error after;
	CLEANUP(close_fd) int signal_fd = -1;
	int status = submissions_find(options->submissions, &submissions, error);
	if (status == 0)
		status = userns_unprivileged(&grading.user, error);
	if (status == 0)
		status = grades_begin(subject, options, &grades, error);
	if (status == 0)
		status = folder_create(options->results, subject->topology.name, grades.started_ns,
			&grading.folder, error);
	if (status < 0)
		return status;
	status = signals_open(&signal_fd, &before, error);
	grading.signal_fd = signal_fd;
	if (status == 0)
		status = grade_all(&grading, &submissions, error);
	sigprocmask(SIG_SETMASK, &before, NULL);
	int settled = grades_settle(&grading, status < 0 ? &after : error);
	if (status < 0 || settled < 0)
		return status < 0 ? status : settled;
	*ret_folder = grading.folder;
	*ret_grades = grades;
	grades = (struct grades){0};
	return 0;
}
