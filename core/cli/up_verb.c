/* sim up and sim down: a lab that stays, until it is taken down. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/live.h"
#include "cli/verb.h"
#include "lab/attach.h"
#include "lab/live.h"
#include "lab/verbs.h"

static void on_tick(void *argument)
{
	live_tick(argument);
}

static bool on_progress(void *argument, const char *what, size_t done, size_t total)
{
	return live_progress(argument, what, done, total);
}

static int print_up(const struct arguments *arguments, const char *name)
{
	struct registered lab;
	struct error error;
	if (attach_find(name, &lab, &error) < 0)
		return verb_fail(STATUS_SYSTEM, &error);
	if (arguments->json)
		return verb_print_labs_json(&lab, 1);
	int status = verb_print_lab(&lab);
	if (status == STATUS_HELD)
		printf("\nwork in it:  sim shell %s:NODE  or  sim exec %s:NODE COMMAND...\n"
		       "end it:      sim down %s\n",
			name, name, name);
	return status;
}

/* Lines, which are cut. */
static void print_notes(char *lines)
{
	for (char *line; (line = strsep(&lines, "\n"));) {
		if (!*line)
			continue;
		fputs("sim: note: ", stderr);
		verb_print(stderr, line);
		fputc('\n', stderr);
	}
}

static int print_failure(const struct live_report *report)
{
	fprintf(stderr, "sim: ");
	verb_print(stderr, report->failure);
	fprintf(stderr, "\nsim: the lab was taken down again; its logs are in %s/up/logs\n",
		folder_shown(&report->folder));
	return STATUS_FAILED;
}

/* -1: none. Behind the standard streams, which the lab gives up. */
static int lifeline_open(const char *text, int *ret_fd, struct error *error)
{
	uint64_t number;
	*ret_fd = -1;
	if (!text)
		return 0;
	if (!text_parse_number(text, 0, INT_MAX, &number))
		return error_set(
			error, -EINVAL, "--lifeline needs a descriptor's number, not '%s'", text);
	*ret_fd = fcntl((int)number, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	return *ret_fd < 0 ? error_system(error, -errno, "--lifeline %s", text) : 0;
}

int verb_up(const struct arguments *arguments)
{
	CLEANUP(subject_finish) struct subject subject = {0};
	struct live_report report;
	struct live live;
	struct error error;
	CLEANUP(close_fd) int lifeline = -1;
	if (lifeline_open(arguments->lifeline, &lifeline, &error) < 0)
		return verb_fail(STATUS_MISUSE, &error);
	if (subject_open(arguments->operands[0], arguments->settings, arguments->setting_count,
		    &subject, &error) < 0)
		return verb_fail(STATUS_MISUSE, &error);
	if (places_set_path(&subject.places, &error) < 0)
		return verb_fail(STATUS_SYSTEM, &error);
	const char *name = arguments->name ? arguments->name : subject.topology.name;
	const char *kept[] = {
		subject.places.root, subject.places.programs, subject.places.working, NULL};
	struct live_options options = {.name = name,
		.results = arguments->results ? arguments->results : subject.places.results,
		.kept = kept,
		.observed = arguments->observe,
		.lifeline_fd = lifeline,
		.tick = on_tick,
		.progress = on_progress,
		.argument = &live};
	live_prepare(&live, stdout, (int)strlen(name));
	live_begin(&live, name, "coming up");
	int status = lab_live(&subject.plan, &options, &report, &error);
	live_erase(&live);
	if (status < 0)
		return verb_fail(
			status == -EEXIST || status == -EINVAL ? STATUS_MISUSE : STATUS_SYSTEM,
			&error);
	if (report.interrupted)
		verb_end_by_signal(report.interrupted);
	print_notes(report.notes);
	return report.up ? print_up(arguments, name) : print_failure(&report);
}

/* Returns whether it could be ended. */
static bool down(const struct registered *lab)
{
	struct attach_fall end;
	struct error error;
	if (attach_down(lab, &end, &error) < 0) {
		verb_fail(STATUS_SYSTEM, &error);
		return false;
	}
	if (end.killed)
		fprintf(stderr, "sim: the lab '%s' did not answer and was killed\n", lab->name);
	print_notes(end.notes);
	return true;
}

static int down_all(void)
{
	CLEANUP(free_pointer) struct registered *labs = NULL;
	struct error error;
	size_t count;
	int status = STATUS_HELD;
	if (registry_list(&labs, &count, &error) < 0)
		return verb_fail(STATUS_SYSTEM, &error);
	for (size_t i = 0; i < count; i++)
		if (labs[i].up && !down(&labs[i]))
			status = STATUS_SYSTEM;
	return status;
}

int verb_down(const struct arguments *arguments)
{
	struct registered lab;
	struct error error;
	if (arguments->all && arguments->operand_count) {
		error_set(&error, -EINVAL, "down takes a lab's name or --all, not both");
		return verb_fail(STATUS_MISUSE, &error);
	}
	if (arguments->all)
		return down_all();
	int status =
		attach_find(arguments->operand_count ? arguments->operands[0] : NULL, &lab, &error);
	if (status < 0)
		return verb_fail(status == -ENOMEM ? STATUS_SYSTEM : STATUS_MISUSE, &error);
	return down(&lab) ? STATUS_HELD : STATUS_SYSTEM;
}
