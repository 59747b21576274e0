#include "lab/exec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "lab/steps.h"

enum { NODES_AT_ONCE = 64, EXEC_SECONDS = 30 };

/* A node whose commands are being run. */
struct executing {
	size_t node, next; /* the index of the next command */
	struct lab_process *process; /* NULL: the place is free */
	uint64_t until_ns;
};

struct execution {
	struct lab *lab;
	const bool *only;
	size_t node; /* the next to begin */
	struct executing places[NODES_AT_ONCE];
	bool failed;
};

static const struct node *node_of(const struct execution *execution, size_t node)
{
	return execution->lab->plan->nodes[node].node;
}

static int exec_failed(struct execution *execution, const struct executing *at, char *take_seen,
	struct error *error)
{
	const struct node *node = node_of(execution, at->node);
	char *what = text_format("exec of %s: %s", node->name, node->execs[at->next - 1].command);
	execution->failed = true;
	return lab_beginning_failed(execution->lab, what,
		text_format("exit status 0 within %u s", EXEC_SECONDS * clock_scale()), take_seen,
		at->process, error);
}

static int exec_start(struct execution *execution, struct executing *at, struct error *error)
{
	const struct exec_spec *exec = &node_of(execution, at->node)->execs[at->next++];
	struct words words;
	struct error reason;
	int status = text_split_words(exec->command, &words, error);
	if (status < 0)
		return status;
	CLEANUP(free_pointer) char **list = words.list;
	CLEANUP(free_pointer) char *name = text_format("exec-%zu", at->next);
	struct lab_command command = {
		.node = at->node, .brought = exec->brought, .name = name, .words = list};
	if (!name)
		return error_set(error, -ENOMEM, "out of memory");
	at->process = NULL;
	at->until_ns = clock_monotonic_ns() + EXEC_SECONDS * clock_scale() * NS_PER_SECOND;
	status = lab_start(execution->lab, &command, &at->process, &reason);
	if (status == -ENOEXEC)
		return exec_failed(execution, at, strdup(reason.text), error);
	return status < 0 ? error_set(error, status, "%s: %s", node_of(execution, at->node)->name,
				    reason.text)
			  : 0;
}

/* The next node that has commands takes the place, if there is one. */
static int place_fill(struct execution *execution, struct executing *at, struct error *error)
{
	const struct plan *plan = execution->lab->plan;
	at->process = NULL;
	while (execution->node < plan->node_count) {
		size_t node = execution->node++;
		if ((execution->only && !execution->only[node]) ||
			!plan->nodes[node].node->exec_count)
			continue;
		*at = (struct executing){.node = node};
		return exec_start(execution, at, error);
	}
	return 0;
}

/* Look at one place, and go on there. */
static int place_turn(struct execution *execution, struct executing *at, struct error *error)
{
	if (!at->process)
		return place_fill(execution, at, error);
	const struct process *process = &at->process->process;
	bool late = process->running && clock_monotonic_ns() >= at->until_ns;
	if (process->running && !late)
		return 0;
	if (late || process->exit_status != 0)
		return exec_failed(execution, at, lab_last_words(at->process), error);
	process_forget_output(&at->process->process);
	return at->next < node_of(execution, at->node)->exec_count
		       ? exec_start(execution, at, error)
		       : place_fill(execution, at, error);
}

/* Until when nothing but an event changes anything; 0: nothing is left to do. */
static uint64_t next_ns(const struct execution *execution)
{
	uint64_t next = 0;
	for (size_t i = 0; i < NODES_AT_ONCE; i++)
		if (execution->places[i].process && (!next || execution->places[i].until_ns < next))
			next = execution->places[i].until_ns;
	return next;
}

int lab_exec(struct lab *lab, const bool *only, bool *ret_all, struct error *error)
{
	struct execution execution = {.lab = lab, .only = only};
	int status = 0;
	for (;;) {
		for (size_t i = 0; status == 0 && !execution.failed && i < NODES_AT_ONCE; i++)
			status = place_turn(&execution, &execution.places[i], error);
		uint64_t until_ns = next_ns(&execution);
		if (status < 0 || execution.failed || !until_ns || !lab_turn(lab, until_ns))
			break;
	}
	for (size_t i = 0; i < NODES_AT_ONCE; i++)
		if (execution.places[i].process)
			process_kill(&execution.places[i].process->process);
	*ret_all = *ret_all && !execution.failed;
	return status;
}
