#include "lab/act.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "lab/act_link.h"
#include "lab/act_node.h"
#include "lab/lab_notes.h"
#include "lab/same_files.h"
#include "observe/state.h"
#include "scenario/selection.h"

enum {
	SHOWN_MOST = 16 * 1024,
	LOOK_REST_NS = 10000, /* for each process that is looked at */
	TELL_NS = 100 * 1000 * 1000,
};

/* The processes of a step, one a node, and what the verdict is told of them. */
struct act {
	struct lab *lab;
	const struct step *step;
	struct lab_process **processes;
	struct outcome *outcomes;
	size_t count;
	uint64_t until_ns, told_ns;
};

static void act_finish(struct act *act)
{
	free(act->processes);
	free(act->outcomes);
}

static const char *node_name(const struct lab *lab, size_t node)
{
	return lab->plan->nodes[node].node->name;
}

/* A verdict that needs no facts: the step could not even begin. */
static int verdict_refuse(struct verdict *ret_verdict, const char *expected, const char *seen)
{
	*ret_verdict = (struct verdict){.final = true};
	text_append(&ret_verdict->expected, "%s", expected);
	text_append(&ret_verdict->seen, "%s", seen);
	return 0;
}

static void act_judge(struct act *act, struct verdict *ret_verdict)
{
	for (size_t i = 0; i < act->count; i++) {
		const struct process *process = &act->processes[i]->process;
		act->outcomes[i] =
			(struct outcome){.node = node_name(act->lab, act->processes[i]->node),
				.ended = !process->running,
				.exit_status = process->exit_status,
				.output = text_view(&process->output),
				.log = act->processes[i]->log};
	}
	struct step_facts facts = {
		.outcomes = act->outcomes, .outcome_count = act->count, .node_count = act->count};
	verdict_finish(ret_verdict);
	verdict_of(act->step, &facts, ret_verdict);
}

/* What the commands have printed, for the report; behind their nodes' names where they are several. */
static void act_show(const struct act *act, struct text *text)
{
	for (size_t i = 0; act->step->show && i < act->count && text->length < SHOWN_MOST; i++) {
		const struct text *output = &act->processes[i]->process.output;
		size_t room = SHOWN_MOST - text->length;
		if (act->count > 1)
			text_append(text, "%s%s:\n", i ? "\n" : "",
				node_name(act->lab, act->processes[i]->node));
		text_append_bytes(
			text, text_view(output), output->length < room ? output->length : room);
	}
}

static bool act_all_ready(const struct act *act)
{
	for (size_t i = 0; i < act->count; i++)
		if (!process_poll_ready(&act->processes[i]->process) &&
			act->processes[i]->process.running)
			return false;
	return true;
}

static bool act_all_ended(const struct act *act)
{
	for (size_t i = 0; i < act->count; i++)
		if (act->processes[i]->process.running)
			return false;
	return true;
}

/* Steps of these kinds wait for the end of what runs, the others for what it prints. */
static bool act_to_the_end(const struct act *act)
{
	return act->step->kind == STEP_RUN || act->step->kind == STEP_STOP ||
	       act->step->kind == STEP_KILL;
}

/* Counted now and then alone: there may be thousands. */
static void act_tell(struct act *act, uint64_t now_ns)
{
	bool to_the_end = act_to_the_end(act);
	size_t done = 0;
	if (!act->lab->progress.told || now_ns < act->told_ns + TELL_NS)
		return;
	act->told_ns = now_ns;
	for (size_t i = 0; i < act->count; i++) {
		const struct process *process = &act->processes[i]->process;
		done += !process->running || (!to_the_end && process->ready);
	}
	progress_tell(&act->lab->progress, to_the_end ? "ended" : "ready", done, act->count);
}

/*
 * Until the verdict is final (and, for `start`, all are ready), or the time is over. To look at every
 * output after each event would cost most of a large lab's time: it rests after each look.
 */
static void act_await(struct act *act, struct verdict *ret_verdict)
{
	bool ready = act->step->kind != STEP_START;
	uint64_t look_ns = 0;
	for (;;) {
		uint64_t now_ns = clock_monotonic_ns(), next_ns = act->until_ns;
		bool over = now_ns >= act->until_ns;
		act_tell(act, now_ns);
		ready = ready || act_all_ready(act);
		if (over ||
			(act_to_the_end(act) ? act_all_ended(act) : ready && now_ns >= look_ns)) {
			act_judge(act, ret_verdict);
			look_ns = now_ns + act->count * LOOK_REST_NS;
			if ((ready && ret_verdict->final) || over)
				break;
		} else if (ready && !act_to_the_end(act)) {
			next_ns = look_ns;
		}
		uint64_t poll_ns = now_ns + 20 * NS_PER_MS;
		if (!ready && act->step->ready.kind == READY_PORT && poll_ns < next_ns)
			next_ns = poll_ns;
		if (!lab_turn(act->lab, next_ns < act->until_ns ? next_ns : act->until_ns))
			break;
	}
	/* A process that never got ready, or ended before, has not been started. */
	for (size_t i = 0; act->step->kind == STEP_START && i < act->count; i++) {
		const struct process *process = &act->processes[i]->process;
		if ((process->ready && process->running) || !ret_verdict->holds)
			continue;
		ret_verdict->holds = false;
		ret_verdict->log = act->processes[i]->log;
		text_append(&ret_verdict->seen, "; on %s it %s",
			node_name(act->lab, act->processes[i]->node),
			process->running ? "is not ready" : "has ended");
	}
}

static int act_prepare(
	struct lab *lab, const struct step *step, struct act *ret_act, struct error *error)
{
	*ret_act = (struct act){
		.lab = lab, .step = step, .until_ns = clock_monotonic_ns() + step->timeout_ns};
	ret_act->processes = calloc(step->node_count + 1, sizeof(struct lab_process *));
	ret_act->outcomes = calloc(step->node_count + 1, sizeof(*ret_act->outcomes));
	if (!ret_act->processes || !ret_act->outcomes)
		return error_set(error, -ENOMEM, "out of memory");
	return 0;
}

/* "3-dhcp-client": the step's number and the command's own name. */
static char *command_name(const char *word, size_t number)
{
	const char *slash = strrchr(word, '/');
	CLEANUP(free_pointer) char *name = strndup(slash ? slash + 1 : word, 40);
	for (char *at = name; at && *at; at++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.",
			    *at))
			*at = '_';
	return name ? text_format("%zu-%s", number, name) : NULL;
}

static int act_start(
	struct act *act, size_t number, struct verdict *ret_verdict, struct error *error)
{
	const struct step *step = act->step;
	struct words words;
	struct error reason;
	int status = text_split_words(step->object, &words, error);
	if (status < 0)
		return status;
	CLEANUP(free_pointer) char **list = words.list;
	CLEANUP(free_pointer)
	char *name = step->process ? strdup(step->process) : command_name(list[0], number);
	if (!name)
		return error_set(error, -ENOMEM, "out of memory");
	for (size_t i = 0; i < step->node_count && !*act->lab->interrupted; i++) {
		struct lab_command command = {.node = step->nodes[i],
			.brought = step->brought,
			.name = name,
			.words = list,
			.ready = step->ready,
			.keep_input = step->kind == STEP_START,
			.sent_to = scenario_sends_to(act->lab->result->scenario, name)};
		status = lab_start(act->lab, &command, &act->processes[act->count], &reason);
		if (status == -ENOEXEC) {
			verdict_finish(ret_verdict);
			return verdict_refuse(ret_verdict, "the command to start", reason.text);
		}
		if (status < 0)
			return error_set(error, status, "%s: %s",
				node_name(act->lab, step->nodes[i]), reason.text);
		act->count++;
		progress_tell(&act->lab->progress, "started", act->count, step->node_count);
		/* What runs already is heard meanwhile. */
		lab_turn(act->lab, 0);
	}
	return 0;
}

/* What has not ended when a `run` is over must not run into the next step. */
static void act_end(struct act *act)
{
	lab_note_crowd(act->lab);
	for (size_t i = 0; i < act->count; i++) {
		process_kill(&act->processes[i]->process);
		if (act->step->kind == STEP_RUN)
			process_forget_output(&act->processes[i]->process);
	}
}

static int act_run(struct lab *lab, const struct step *step, size_t number,
	struct verdict *ret_verdict, struct error *error)
{
	CLEANUP(act_finish) struct act act;
	int status = act_prepare(lab, step, &act, error);
	if (status == 0)
		status = act_start(&act, number, ret_verdict, error);
	if (status < 0 || ret_verdict->final)
		return status;
	act_await(&act, ret_verdict);
	act_show(&act, &ret_verdict->shown);
	if (step->kind == STEP_RUN)
		act_end(&act);
	return 0;
}

/* send, watch, stop and kill: on processes that an earlier step, or the topology, has started. */
static int act_on_started(
	struct lab *lab, const struct step *step, struct verdict *ret_verdict, struct error *error)
{
	CLEANUP(act_finish) struct act act;
	int status = act_prepare(lab, step, &act, error);
	if (status < 0)
		return status;
	const char *name = step->kind == STEP_SEND ? step->process : step->object;
	CLEANUP(free_pointer) char *line = text_format("%s\n", step->object);
	for (size_t i = 0; i < step->node_count; i++) {
		struct lab_process *process = lab_find(lab, step->nodes[i], name);
		struct error reason;
		if (!process) {
			CLEANUP(free_pointer)
			char *seen = text_format("nothing was started under the name '%s' on %s",
				name, node_name(lab, step->nodes[i]));
			return verdict_refuse(ret_verdict, "a process to act on", seen ? seen : "");
		}
		act.processes[act.count++] = process;
		if (step->kind == STEP_STOP || step->kind == STEP_KILL) {
			process->stopped = true;
			if (step->kind == STEP_KILL)
				process_kill(&process->process);
			else
				process_signal(&process->process, SIGTERM);
		}
		if (step->kind == STEP_SEND &&
			process_send(&process->process, line ? line : "\n", &reason) < 0)
			return verdict_refuse(
				ret_verdict, "the process to take the line", reason.text);
	}
	act_await(&act, ret_verdict);
	act_show(&act, &ret_verdict->shown);
	if (step->kind == STEP_STOP)
		act_end(&act);
	return 0;
}

static int collect_addresses(struct lab *lab, const struct step *step, size_t node,
	struct held_address **list, size_t *count, struct error *error)
{
	CLEANUP(free_pointer) struct observed_address *addresses = NULL;
	CLEANUP(close_fd) int netns = -1;
	size_t address_count = 0;
	const struct plan_interface *interface =
		plan_find_interface(&lab->plan->nodes[node], step->object);
	int status = fabric_netns(&lab->fabric, node, &netns, error);
	if (status == 0)
		status = observe_addresses(netns, interface ? interface->name : step->object,
			&addresses, &address_count, error);
	for (size_t i = 0; status == 0 && i < address_count; i++) {
		if (addresses[i].address.address.family != step->expect.family)
			continue;
		struct held_address *held = array_add(list, count);
		if (!held)
			return error_set(error, -ENOMEM, "out of memory");
		*held = (struct held_address){node_name(lab, node), addresses[i].address.address};
	}
	return status;
}

static int collect_default_routes(struct lab *lab, const struct step *step, size_t node,
	struct held_address **list, size_t *count, struct error *error)
{
	CLEANUP(free_pointer) struct observed_route *routes = NULL;
	CLEANUP(close_fd) int netns = -1;
	size_t route_count = 0;
	int status = fabric_netns(&lab->fabric, node, &netns, error);
	if (status == 0)
		status = observe_routes(netns, NULL, &routes, &route_count, error);
	for (size_t i = 0; status == 0 && i < route_count; i++) {
		if (routes[i].destination.length || ip_is_none(routes[i].gateway) ||
			routes[i].gateway.family != step->expect.family)
			continue;
		struct held_address *held = array_add(list, count);
		if (!held)
			return error_set(error, -ENOMEM, "out of memory");
		*held = (struct held_address){node_name(lab, node), routes[i].gateway};
	}
	return status;
}

static size_t count_messages(const struct lab *lab, const struct step *step)
{
	size_t count = 0;
	for (size_t i = 0; i < lab->result->message_count; i++)
		count += selection_fits(lab->plan, step, &lab->result->messages[i]);
	return count;
}

static int gather_state(struct lab *lab, const struct step *step, struct step_facts *facts,
	struct held_address **list, struct error *error)
{
	size_t count = 0;
	int status = 0;
	facts->node_count = step->node_count;
	for (size_t i = 0; status == 0 && step->kind != STEP_MESSAGES && i < step->node_count;
		i++) {
		progress_tell(&lab->progress, "looked at", i, step->node_count);
		status = step->kind == STEP_ROUTE ? collect_default_routes(lab, step,
							    step->nodes[i], list, &count, error)
						  : collect_addresses(lab, step, step->nodes[i],
							    list, &count, error);
	}
	facts->addresses = *list;
	facts->address_count = count;
	if (step->kind == STEP_MESSAGES)
		facts->message_count = count_messages(lab, step);
	facts->messages_uncounted = lab->result->message_total > lab->result->message_count;
	return status;
}

/* Facts about the kernel and the wire: looked at again until they hold or the time is over. */
static int act_check(
	struct lab *lab, const struct step *step, struct verdict *ret_verdict, struct error *error)
{
	uint64_t until_ns = clock_monotonic_ns() + step->timeout_ns;
	for (;;) {
		struct step_facts facts = {0};
		CLEANUP(free_pointer) struct held_address *list = NULL;
		int status = gather_state(lab, step, &facts, &list, error);
		if (status < 0)
			return status;
		verdict_finish(ret_verdict);
		verdict_of(step, &facts, ret_verdict);
		uint64_t now_ns = clock_monotonic_ns();
		if (ret_verdict->final || now_ns >= until_ns)
			return 0;
		uint64_t next_ns = now_ns + 10 * NS_PER_MS;
		if (!lab_turn(lab, next_ns < until_ns ? next_ns : until_ns))
			return 0;
	}
}

int lab_act(struct lab *lab, const struct step *step, size_t number, struct verdict *ret_verdict,
	struct error *error)
{
	switch (step->kind) {
	case STEP_RUN:
	case STEP_START:
		return act_run(lab, step, number, ret_verdict, error);
	case STEP_SEND:
	case STEP_WATCH:
	case STEP_STOP:
	case STEP_KILL:
		return act_on_started(lab, step, ret_verdict, error);
	case STEP_ADDRESSES:
	case STEP_ROUTE:
	case STEP_MESSAGES:
		return act_check(lab, step, ret_verdict, error);
	case STEP_SAME_FILES:
		lab_same_files(lab, step, ret_verdict);
		return 0;
	case STEP_LINK:
	case STEP_MOVE:
		return lab_act_link(lab, step, ret_verdict, error);
	case STEP_NODE:
		return lab_act_node(lab, step, ret_verdict, error);
	case STEP_KINDS:
		break;
	}
	return 0;
}
