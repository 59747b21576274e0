#include "lab/steps.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "lab/act.h"
#include "lab/exec.h"

enum { READY_MS = 10000, READY_MS_A_SERVICE = 20 /* of those that start with it */ };

static struct step_result *result_add(
	struct lab *lab, const struct step *step, char *take_description)
{
	struct step_result *result = array_add(&lab->result->steps, &lab->result->step_count);
	if (!result) {
		free(take_description);
		return NULL;
	}
	result->step = step;
	result->description = take_description;
	result->started_ns = clock_realtime_ns();
	return result;
}

static int result_say(struct step_result *result, bool held, char *take_expected, char *take_seen,
	const char *log, struct error *error)
{
	result->held = held;
	result->ended_ns = clock_realtime_ns();
	result->expected = take_expected;
	result->seen = take_seen;
	result->log = log ? strdup(log) : NULL;
	if (!result->description || !result->expected || !result->seen || (log && !result->log))
		return error_set(error, -ENOMEM, "out of memory");
	return 0;
}

static uint64_t ready_ms(const struct lab *lab)
{
	uint64_t ms = READY_MS;
	for (size_t i = 0; i < lab->plan->node_count; i++)
		ms += READY_MS_A_SERVICE * lab->plan->nodes[i].process_count;
	return ms * clock_scale();
}

static char *ready_words(const struct lab *lab, const struct ready *ready)
{
	static const char *const words[] = {[READY_AT_ONCE] = "to run",
		[READY_NOTIFY] = "READY=1 from it",
		[READY_PORT] = "a program at port",
		[READY_LOG] = "its ready line in the log"};
	struct text text = {0};
	text_append(&text, "%s", words[ready->kind]);
	if (ready->kind == READY_PORT)
		text_append(&text, " %u", ready->port);
	text_append(&text, " within %llu s", (unsigned long long)ready_ms(lab) / 1000);
	return text_take(&text);
}

int lab_beginning_failed(struct lab *lab, char *take_what, char *take_expected, char *take_seen,
	const struct lab_process *process, struct error *error)
{
	struct step_result *result = result_add(lab, NULL, take_what);
	if (!result) {
		free(take_expected);
		free(take_seen);
		return error_set(error, -ENOMEM, "out of memory");
	}
	return result_say(
		result, false, take_expected, take_seen, process ? process->log : NULL, error);
}

/* One failed result for a service, saying what it did instead. */
static int service_failed(struct lab *lab, size_t node, const struct plan_process *service,
	const struct lab_process *process, char *take_seen, struct error *error)
{
	char *description = text_format(
		"service %s of %s starts", service->spec->name, lab->plan->nodes[node].node->name);
	return lab_beginning_failed(lab, description, ready_words(lab, &service->spec->ready),
		take_seen, process, error);
}

char *lab_last_words(const struct lab_process *of)
{
	const struct process *process = &of->process;
	struct text text = {0};
	if (process->running && !of->service)
		text_append(&text, "it still runs");
	else if (process->running)
		text_append(&text, process->ready ? "it runs" : "it still runs and is not ready");
	else if (process->exit_status == 0 && of->service)
		text_append(&text, "it ended with exit status 0, and a service has to stay");
	else
		text_append(&text, "it ended with exit status %d", process->exit_status);
	const char *output = text_view(&process->output);
	size_t end = strlen(output);
	while (end && output[end - 1] == '\n')
		end--;
	size_t start = end;
	while (start && output[start - 1] != '\n' && end - start < 200)
		start--;
	CLEANUP(free_pointer) char *line = text_sanitize(output + start, end - start);
	text_append(&text, end ? "; last printed '%s'" : "; it printed nothing", line ? line : "");
	return text_take(&text);
}

static int services_start(struct lab *lab, const bool *only, bool *ret_all, struct error *error)
{
	for (size_t i = 0; i < lab->plan->node_count; i++) {
		if (only && !only[i])
			continue;
		const struct plan_node *node = &lab->plan->nodes[i];
		for (size_t j = 0; j < node->process_count; j++) {
			struct lab_command command = {.node = i,
				.brought = node->processes[j].spec->brought,
				.service = true,
				.name = node->processes[j].spec->name,
				.words = node->processes[j].words.list,
				.ready = node->processes[j].spec->ready};
			struct lab_process *process;
			struct error reason;
			int status = lab_start(lab, &command, &process, &reason);
			if (status == -ENOEXEC) {
				*ret_all = false;
				return service_failed(lab, i, &node->processes[j], NULL,
					strdup(reason.text), error);
			}
			if (status < 0)
				return error_set(error, status, "%s", reason.text);
			/* What runs already is heard meanwhile. */
			lab_turn(lab, 0);
		}
		progress_tell(&lab->progress, "nodes' services started", i, lab->plan->node_count);
	}
	return 0;
}

/* Wait for one; processes are in the order of the plan's, so its plan entry is found by name. */
static int service_await(struct lab *lab, struct lab_process *process, uint64_t until_ns,
	bool *ret_all, struct error *error)
{
	const struct plan_node *node = &lab->plan->nodes[process->node];
	size_t at = 0;
	while (strcmp(node->processes[at].spec->name, process->name) != 0)
		at++;
	while (!process_poll_ready(&process->process) && process->process.running) {
		/* A port has no event: look every few milliseconds. */
		uint64_t now_ns = clock_monotonic_ns();
		uint64_t next_ns = node->processes[at].spec->ready.kind == READY_PORT
					   ? now_ns + 5 * NS_PER_MS
					   : until_ns;
		if (now_ns >= until_ns || !lab_turn(lab, next_ns < until_ns ? next_ns : until_ns))
			break;
	}
	if (*lab->interrupted || (process->process.ready && process->process.running))
		return 0;
	*ret_all = false;
	return service_failed(
		lab, process->node, &node->processes[at], process, lab_last_words(process), error);
}

int lab_begin(struct lab *lab, const bool *only, bool *ret_all, struct error *error)
{
	*ret_all = true;
	int status = lab_exec(lab, only, ret_all, error);
	size_t first = lab->process_count;
	if (status == 0 && *ret_all && !*lab->interrupted)
		status = services_start(lab, only, ret_all, error);
	uint64_t until_ns = clock_monotonic_ns() + ready_ms(lab) * NS_PER_MS;
	for (size_t i = first; status == 0 && *ret_all && i < lab->process_count; i++)
		status = service_await(lab, lab->processes[i], until_ns, ret_all, error);
	return status;
}

/* Services that ended although nobody stopped them. */
static int services_check(struct lab *lab, struct error *error)
{
	struct text seen = {0};
	const struct lab_process *dead = NULL;
	size_t count = 0;
	for (size_t i = 0; i < lab->process_count; i++) {
		const struct lab_process *process = lab->processes[i];
		count += process->service;
		if (!process->service || process->stopped || process->process.running)
			continue;
		text_append(&seen, "%s%s of %s ended with exit status %d", dead ? "; " : "",
			process->name, lab->plan->nodes[process->node].node->name,
			process->process.exit_status);
		dead = dead ? dead : process;
	}
	if (!count)
		return 0;
	struct step_result *result =
		result_add(lab, NULL, strdup("every service lives to the end"));
	if (!dead)
		text_append(&seen, "they do");
	if (!result) {
		text_finish(&seen);
		return error_set(error, -ENOMEM, "out of memory");
	}
	return result_say(result, !dead, strdup("all of them running"), text_take(&seen),
		dead ? dead->log : NULL, error);
}

static int step_try(struct lab *lab, const struct step *step, size_t number, char *take_description,
	struct error *error)
{
	size_t index = lab->result->step_count;
	if (!result_add(lab, step, take_description))
		return error_set(error, -ENOMEM, "out of memory");
	CLEANUP(verdict_finish) struct verdict verdict = {0};
	int status = lab_act(lab, step, number, &verdict, error);
	struct step_result *result = &lab->result->steps[index]; /* others came and went */
	if (status < 0) {
		/* It has no verdict, but it is told, with what the system refused. */
		struct error lost;
		result_say(result, false, strdup("the step to be carried out"), strdup(error->text),
			NULL, &lost);
		return status;
	}
	/* Its log is the lab's: copied before the lab goes. */
	if (verdict.shown.length)
		result->shown = text_take(&verdict.shown);
	return result_say(result, verdict.holds, text_take(&verdict.expected),
		text_take(&verdict.seen), verdict.log, error);
}

/* What did not hold may be the fault of a program that --set brought: what it said last. */
static int brought_tell(struct lab *lab, struct error *error)
{
	struct step_result *failure = &lab->result->steps[lab->result->step_count - 1];
	for (size_t i = 0; !failure->held && i < lab->process_count; i++) {
		const struct lab_process *process = lab->processes[i];
		if (!process->service || !process->brought)
			continue;
		CLEANUP(free_pointer) char *words = lab_last_words(process);
		char *seen = text_format("%s; %s of %s: %s", failure->seen, process->name,
			lab->plan->nodes[process->node].node->name, words ? words : "");
		if (!seen)
			return error_set(error, -ENOMEM, "out of memory");
		free(failure->seen);
		failure->seen = seen;
		if (!failure->log)
			failure->log = strdup(process->log);
	}
	return 0;
}

int lab_steps(struct lab *lab, step_begun *begun, void *argument, struct error *error)
{
	const struct scenario *scenario = lab->result->scenario;
	bool up = true, all = true;
	int status = lab_begin(lab, NULL, &up, error);
	for (size_t i = 0;
		status == 0 && up && all && !*lab->interrupted && i < scenario->step_count; i++) {
		struct text text = {0};
		step_describe(&scenario->steps[i], &text);
		if (begun)
			begun(argument, i, scenario->step_count, text_view(&text));
		status = step_try(lab, &scenario->steps[i], i + 1, text_take(&text), error);
		if (status == 0)
			all = lab->result->steps[lab->result->step_count - 1].held;
		if (!all)
			status = brought_tell(lab, error);
		if (*lab->interrupted)
			scenario_result_drop_step(lab->result);
	}
	if (status < 0 || *lab->interrupted)
		return status;
	if (up)
		status = services_check(lab, error);
	lab->result->held = status == 0 && !scenario_result_failure(lab->result);
	return status;
}
