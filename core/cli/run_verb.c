/* sim run: a line a scenario, live on a terminal, plain when piped. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/live.h"
#include "cli/verb.h"
#include "lab/verbs.h"

/* What the lines are made from. */
struct screen {
	FILE *verdicts; /* standard output; with --json, standard error */
	struct live live;
};

static void on_scenario(void *argument, const struct scenario *scenario)
{
	struct screen *screen = argument;
	live_begin(&screen->live, scenario->name, "building");
}

static void on_step(void *argument, size_t index, size_t count, const char *description)
{
	struct screen *screen = argument;
	CLEANUP(free_pointer)
	char *step = text_format("%zu/%zu %s", index + 1, count, description);
	live_step(&screen->live, step ? step : "");
}

static void on_tick(void *argument)
{
	struct screen *screen = argument;
	live_tick(&screen->live);
}

static bool on_progress(void *argument, const char *what, size_t done, size_t total)
{
	struct screen *screen = argument;
	return live_progress(&screen->live, what, done, total);
}

static void print_failure(const struct screen *screen, const struct scenario_result *result,
	const struct folder *folder)
{
	const struct step_result *failure = scenario_result_failure(result);
	if (!failure)
		return;
	fputs("        step      ", screen->verdicts);
	verb_print(screen->verdicts, failure->description);
	if (failure->step)
		fprintf(screen->verdicts, " (line %u)", failure->step->mark.line);
	fputs("\n        expected  ", screen->verdicts);
	verb_print(screen->verdicts, failure->expected);
	fputs("\n        saw       ", screen->verdicts);
	verb_print(screen->verdicts, failure->seen);
	fputc('\n', screen->verdicts);
	if (failure->log)
		fprintf(screen->verdicts, "        read      %s/%s\n", folder_shown(folder),
			failure->log);
}

static void on_scenario_end(
	void *argument, const struct scenario_result *result, const struct folder *folder)
{
	struct screen *screen = argument;
	live_erase(&screen->live);
	fprintf(screen->verdicts, "%s%s%s  %-*s %6.2f s  ",
		live_colour(&screen->live, result->held ? "\033[32m" : "\033[1;31m"),
		result->held ? "held  " : "FAILED", live_colour(&screen->live, "\033[0m"),
		screen->live.name_width, result->scenario->name,
		(double)(result->ended_ns - result->started_ns) / 1e9);
	verb_print(screen->verdicts, result->scenario->title);
	fputc('\n', screen->verdicts);
	if (!result->held)
		print_failure(screen, result, folder);
	for (size_t i = 0; i < result->note_count; i++) {
		fputs("        note      ", screen->verdicts);
		verb_print(screen->verdicts, result->notes[i]);
		fputc('\n', screen->verdicts);
	}
	fflush(screen->verdicts);
}

static void screen_prepare(
	struct screen *screen, const struct topology *topology, const struct arguments *arguments)
{
	int width = 0;
	for (size_t i = 0; i < topology->scenario_count; i++)
		if ((int)strlen(topology->scenarios[i].name) > width)
			width = (int)strlen(topology->scenarios[i].name);
	screen->verdicts = arguments->json ? stderr : stdout;
	live_prepare(&screen->live, screen->verdicts, width);
}

static int print_end(const struct screen *screen, const struct arguments *arguments,
	const struct run_result *run, const struct folder *folder)
{
	live_erase(&screen->live);
	if (run->interrupted)
		fprintf(stderr, "sim: interrupted; what was done so far is in %s\n",
			folder_shown(folder));
	else
		fprintf(screen->verdicts,
			"%zu of %zu scenarios held in %.2f s\nreport: %s/report.md\n",
			run->scenarios_held, run->scenario_count,
			(double)(run->ended_ns - run->started_ns) / 1e9, folder_shown(folder));
	if (arguments->json) {
		CLEANUP(json_release) json_t *value = run_result_json(run);
		if (value) {
			CLEANUP(free_pointer)
			char *path = text_sanitize(folder->path, strlen(folder->path));
			json_object_set_new(value, "folder", json_string(path ? path : ""));
			json_dumpf(value, stdout, JSON_INDENT(2));
			putchar('\n');
		}
	}
	return run->scenarios_held == run->scenario_count ? STATUS_HELD : STATUS_FAILED;
}

/* The verdict comes before the lab goes: what follows is to be understood. */
static void on_stay(void *argument, const struct scenario_result *result,
	const struct folder *folder, const char *node)
{
	struct screen *screen = argument;
	live_erase(&screen->live);
	fprintf(screen->verdicts, "%s%s%s  %s\n",
		live_colour(&screen->live, result->held ? "\033[32m" : "\033[1;31m"),
		result->held ? "held  " : "FAILED", live_colour(&screen->live, "\033[0m"),
		result->scenario->name);
	print_failure(screen, result, folder);
	if (node)
		fprintf(screen->verdicts,
			"the lab stands: this is a shell in %s; its end takes the lab down and the "
			"run "
			"on\n",
			node);
	else
		fprintf(screen->verdicts,
			"the lab stays up: sim ps shows it, sim shell NODE works in it; sim down "
			"takes "
			"it down, and\nthen its report is written beside %s\n",
			folder_shown(folder));
	fflush(screen->verdicts);
}

/* What --keep and --shell-on-failure need, before anything is built. Returns an exit status. */
static int stay_prepare(const struct arguments *arguments, const char *topology, struct stay *stay)
{
	struct error error;
	stay->keep = arguments->keep;
	stay->shell = arguments->shell_on_failure;
	if (stay->shell && !(isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))) {
		error_set(&error, -EINVAL, "--shell-on-failure needs a terminal");
		return verb_fail(STATUS_MISUSE, &error);
	}
	const char *name = arguments->name ? arguments->name : topology;
	int status = registry_enter(name, &stay->registration, &error);
	return status < 0 ? verb_fail(status == -EEXIST || status == -EINVAL ? STATUS_MISUSE
									     : STATUS_SYSTEM,
				    &error)
			  : STATUS_HELD;
}

static void stay_finish(struct stay *stay)
{
	registration_leave(&stay->registration);
}

/* Returns whether this process's part is over, with its exit status. */
static bool stay_begin(
	const struct arguments *arguments, const char *topology, struct stay *stay, int *ret_status)
{
	struct error error;
	*ret_status = stay_prepare(arguments, topology, stay);
	if (*ret_status != STATUS_HELD)
		return true;
	int over = stay_fork(stay, ret_status, &error);
	if (over < 0)
		*ret_status = verb_fail(STATUS_SYSTEM, &error);
	else if (over && *ret_status < 0)
		verb_end_by_signal(-*ret_status);
	return over != 0;
}

int verb_run(const struct arguments *arguments)
{
	CLEANUP(subject_finish) struct subject subject = {0};
	CLEANUP(run_result_finish) struct run_result run = {0};
	struct folder folder;
	struct error error;
	struct screen screen;
	int status = subject_open(arguments->operands[0], arguments->settings,
		arguments->setting_count, &subject, &error);
	if (status < 0)
		return verb_fail(STATUS_MISUSE, &error);
	const char *kept[] = {
		subject.places.root, subject.places.programs, subject.places.working, NULL};
	struct run_options options = {
		.results = arguments->results ? arguments->results : subject.places.results,
		.version = sim_version,
		.scenarios = (const char *const *)arguments->operands + 1,
		.scenario_count = (size_t)arguments->operand_count - 1,
		.kept = kept,
		.hooks = {on_scenario, on_step, on_tick, on_progress, on_scenario_end, &screen}};
	if (lab_check_run(&subject.topology, &options, &error) < 0)
		return verb_fail(STATUS_MISUSE, &error);
	if (places_set_path(&subject.places, &error) < 0)
		return verb_fail(STATUS_SYSTEM, &error);
	screen_prepare(&screen, &subject.topology, arguments);
	CLEANUP(stay_finish)
	struct stay stay = {.registration = REGISTRATION_NONE,
		.begun = on_stay,
		.argument = &screen,
		.caller_fd = -1};
	if (arguments->keep || arguments->shell_on_failure) {
		options.stay = &stay;
		if (stay_begin(arguments, subject.topology.name, &stay, &status))
			return status;
	}
	if (!screen.live.shown) {
		options.hooks.tick = NULL;
		options.hooks.progress = NULL;
	}
	status = lab_run(&subject.plan, &options, &run, &folder, &error);
	if (status < 0) {
		live_erase(&screen.live);
		return verb_fail(STATUS_SYSTEM, &error);
	}
	status = print_end(&screen, arguments, &run, &folder);
	if (run.interrupted)
		verb_end_by_signal(run.interrupted);
	return status;
}
