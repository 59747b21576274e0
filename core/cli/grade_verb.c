/* sim grade: a line a submission, live on a terminal, plain when piped. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/live.h"
#include "cli/verb.h"
#include "lab/grade.h"

const char verb_grade_help[] =
	"  --submissions DIR   an entry for each: a folder with programs named after the "
	"variables\n"
	"                      whose place they take (dhcp_server.py), or with a run.yaml that "
	"says\n"
	"                      how to call them (dhcp_server: python3 main.py --pool ${pool})\n"
	"  --program VARIABLE  what a submission replaces that is one file, or does not say\n"
	"  --time SECONDS      for all scenarios of a submission (300)\n";

enum { TIME_SECONDS = 300, NAME_WIDTH = 24 };

struct screen {
	FILE *verdicts; /* standard output; with --json, standard error */
	struct live live;
};

static void on_begun(void *argument, size_t index, size_t count, const char *submission)
{
	struct screen *screen = argument;
	CLEANUP(free_pointer)
	char *name = text_format("%zu/%zu %s", index + 1, count, submission);
	live_begin(&screen->live, name ? name : "", "copying");
}

static void on_step(void *argument, const char *scenario, const char *step)
{
	struct screen *screen = argument;
	CLEANUP(free_pointer) char *text = text_format("%s: %s", scenario, step);
	live_step(&screen->live, text ? text : "");
}

static void on_tick(void *argument)
{
	struct screen *screen = argument;
	live_tick(&screen->live);
}

/* How many columns a name of UTF-8 takes, nearly. */
static int columns(const char *name)
{
	int count = 0;
	for (; *name; name++)
		count += ((unsigned char)*name & 0xC0) != 0x80;
	return count;
}

static void on_ended(void *argument, const struct grade *grade)
{
	struct screen *screen = argument;
	const char *reason = grade_reason(grade);
	live_erase(&screen->live);
	fprintf(screen->verdicts, "%s%s%s  ",
		live_colour(&screen->live, reason ? "\033[1;31m" : "\033[32m"),
		grade->refused ? "ERROR "
		: reason       ? "FAILED"
			       : "held  ",
		live_colour(&screen->live, "\033[0m"));
	verb_print(screen->verdicts, grade->name);
	fprintf(screen->verdicts, "%*s  %zu of %zu %7.2f s%s",
		columns(grade->name) < NAME_WIDTH ? NAME_WIDTH - columns(grade->name) : 0, "",
		grade->held, grade->check_count, grade->seconds, reason ? "  " : "");
	for (size_t i = 0; !grade->problem && i < grade->check_count; i++)
		if (grade->checks[i].seen) {
			fprintf(screen->verdicts, "%s: ", grade->checks[i].scenario->name);
			break;
		}
	if (reason)
		verb_print(screen->verdicts, reason);
	fputc('\n', screen->verdicts);
	fflush(screen->verdicts);
}

static int print_end(const struct screen *screen, const struct arguments *arguments,
	const struct grades *grades, const struct folder *folder)
{
	live_erase(&screen->live);
	fprintf(screen->verdicts,
		"%s%zu of %zu submissions held in all checks, in %.2f s\ntable: %s/grades.html\n",
		grades->interrupted ? "interrupted; " : "", grades->all_held, grades->count,
		(double)(grades->ended_ns - grades->started_ns) / 1e9, folder_shown(folder));
	if (arguments->json) {
		CLEANUP(json_release) json_t *value = grades_json(grades);
		CLEANUP(free_pointer)
		char *path = text_sanitize(folder->path, strlen(folder->path));
		json_object_set_new(value, "folder", json_string(path ? path : ""));
		json_dumpf(value, stdout, JSON_INDENT(2));
		putchar('\n');
	}
	if (grades->refused)
		return STATUS_SYSTEM;
	return grades->all_held == grades->count ? STATUS_HELD : STATUS_FAILED;
}

int verb_grade(const struct arguments *arguments)
{
	CLEANUP(subject_finish) struct subject subject = {0};
	CLEANUP(grades_finish) struct grades grades = {0};
	struct folder folder;
	struct error error;
	struct screen screen = {.verdicts = arguments->json ? stderr : stdout};
	if (subject_open(arguments->operands[0], arguments->settings, arguments->setting_count,
		    &subject, &error) < 0)
		return verb_fail(STATUS_MISUSE, &error);
	struct grade_options options = {.submissions = arguments->submissions,
		.results = arguments->results ? arguments->results : subject.places.results,
		.version = sim_version,
		.program = arguments->program,
		.settings = arguments->settings,
		.setting_count = arguments->setting_count,
		.scenarios = (const char *const *)arguments->operands + 1,
		.scenario_count = (size_t)arguments->operand_count - 1,
		.time_ns = arguments->time_ns ? arguments->time_ns : TIME_SECONDS * NS_PER_SECOND,
		.hooks = {on_begun, on_step, on_tick, on_ended, &screen}};
	if (lab_check_grade(&subject, &options, &error) < 0)
		return verb_fail(STATUS_MISUSE, &error);
	live_prepare(&screen.live, screen.verdicts, NAME_WIDTH);
	if (!screen.live.shown)
		options.hooks.tick = NULL;
	int status = lab_grade(&subject, &options, &grades, &folder, &error);
	if (status < 0) {
		live_erase(&screen.live);
		return verb_fail(status == -ENOENT ? STATUS_MISUSE : STATUS_SYSTEM, &error);
	}
	status = print_end(&screen, arguments, &grades, &folder);
	if (grades.interrupted)
		verb_end_by_signal(grades.interrupted);
	return status;
}
