/* sim run: a line a scenario, live on a terminal, plain when piped. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/verb.h"
#include "lab/verbs.h"

/* What the lines are made from. */
struct screen {
	FILE *verdicts; /* standard output; with --json, standard error */
	bool live; /* standard error is a terminal: a line changes while a scenario runs */
	bool colour;
	int name_width;
	const char *scenario;
	char step[256];
	uint64_t begun_ns, drawn_ns; /* CLOCK_MONOTONIC */
};

static int terminal_columns(void)
{
	struct winsize size;
	return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
}

static void screen_erase(const struct screen *screen)
{
	if (screen->live)
		fputs("\r\033[K", stderr);
}

static void screen_draw(struct screen *screen)
{
	char line[512];
	if (!screen->live)
		return;
	screen->drawn_ns = clock_monotonic_ns();
	snprintf(line, sizeof(line), "  ...   %-*s %6.2f s  %s", screen->name_width,
		screen->scenario, (double)(screen->drawn_ns - screen->begun_ns) / 1e9,
		screen->step);
	/* Cut before the last column: a line that wraps cannot be erased. */
	fprintf(stderr, "\r\033[K%.*s", terminal_columns() - 1, line);
	fflush(stderr);
}

static void on_scenario(void *argument, const struct scenario *scenario)
{
	struct screen *screen = argument;
	screen->scenario = scenario->name;
	screen->begun_ns = clock_monotonic_ns();
	snprintf(screen->step, sizeof(screen->step), "building");
	screen_draw(screen);
}

static void on_step(void *argument, size_t index, size_t count, const char *description)
{
	struct screen *screen = argument;
	CLEANUP(free_pointer) char *clean = text_sanitize(description, strcspn(description, "\n"));
	snprintf(screen->step, sizeof(screen->step), "%zu/%zu %s", index + 1, count,
		clean ? clean : "");
	screen_draw(screen);
}

static void on_tick(void *argument)
{
	struct screen *screen = argument;
	if (screen->live && clock_monotonic_ns() - screen->drawn_ns > 100 * NS_PER_MS)
		screen_draw(screen);
}

static const char *colour(const struct screen *screen, const char *code)
{
	return screen->colour ? code : "";
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
	screen_erase(screen);
	fprintf(screen->verdicts, "%s%s%s  %-*s %6.2f s  ",
		colour(screen, result->held ? "\033[32m" : "\033[1;31m"),
		result->held ? "held  " : "FAILED", colour(screen, "\033[0m"), screen->name_width,
		result->scenario->name, (double)(result->ended_ns - result->started_ns) / 1e9);
	verb_print(screen->verdicts, result->scenario->title);
	fputc('\n', screen->verdicts);
	if (!result->held)
		print_failure(screen, result, folder);
	fflush(screen->verdicts);
}

static void screen_prepare(
	struct screen *screen, const struct topology *topology, const struct arguments *arguments)
{
	const char *terminal = getenv("TERM");
	bool dumb = !terminal || strcmp(terminal, "dumb") == 0;
	*screen = (struct screen){.verdicts = arguments->json ? stderr : stdout};
	screen->live = isatty(STDERR_FILENO) && !dumb;
	screen->colour = isatty(fileno(screen->verdicts)) && !dumb && !getenv("NO_COLOR");
	for (size_t i = 0; i < topology->scenario_count; i++)
		if ((int)strlen(topology->scenarios[i].name) > screen->name_width)
			screen->name_width = (int)strlen(topology->scenarios[i].name);
}

static int print_end(const struct screen *screen, const struct arguments *arguments,
	const struct run_result *run, const struct folder *folder)
{
	screen_erase(screen);
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

/* An interrupted program ends by the signal, so that a shell's loop around it ends as well. */
static _Noreturn void end_by_signal(int number)
{
	fflush(NULL);
	signal(number, SIG_DFL);
	raise(number);
	_exit(STATUS_FAILED);
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
		.hooks = {on_scenario, on_step, on_tick, on_scenario_end, &screen}};
	if (lab_check_run(&subject.topology, &options, &error) < 0)
		return verb_fail(STATUS_MISUSE, &error);
	if (places_set_path(&subject.places, &error) < 0)
		return verb_fail(STATUS_SYSTEM, &error);
	screen_prepare(&screen, &subject.topology, arguments);
	if (!screen.live)
		options.hooks.tick = NULL;
	status = lab_run(&subject.plan, &options, &run, &folder, &error);
	if (status < 0) {
		screen_erase(&screen);
		return verb_fail(STATUS_SYSTEM, &error);
	}
	status = print_end(&screen, arguments, &run, &folder);
	if (run.interrupted)
		end_by_signal(run.interrupted);
	return status;
}
