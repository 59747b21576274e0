#include "lab/lab_notes.h"

#include <stdint.h>

#include "base/cleanup.h"

enum { NAMED_MOST = 3 };

static const char *node_name(const struct lab *lab, size_t node)
{
	return lab->plan->nodes[node].node->name;
}

void lab_note_crowd(struct lab *lab)
{
	size_t node = SIZE_MAX;
	if (!bounds_reached(&lab->bounds, &lab->fabric, &node))
		return;
	if (node == SIZE_MAX)
		scenario_result_note(lab->result,
			"all of the %u processes that may be in this lab were there, and more were "
			"refused: something starts processes without end",
			lab->bounds.processes);
	else
		scenario_result_note(lab->result,
			"all of the %u processes that may be in this lab were there, and more were "
			"refused: something in %s starts processes without end",
			lab->bounds.processes, node_name(lab, node));
}

/* "a of b, c of d and 3 more" of the processes that `is` names. */
static size_t name_processes(
	const struct lab *lab, bool (*is)(const struct lab_process *process), struct text *text)
{
	size_t count = 0;
	for (size_t i = 0; i < lab->process_count; i++) {
		const struct lab_process *process = lab->processes[i];
		if (!is(process))
			continue;
		if (count < NAMED_MOST)
			text_append(text, "%s%s of %s", count ? ", " : "", process->name,
				node_name(lab, process->node));
		count++;
	}
	if (count > NAMED_MOST)
		text_append(text, " and %zu more", count - NAMED_MOST);
	return count;
}

static bool is_deaf(const struct lab_process *process)
{
	return process->process.running;
}

static bool is_cut(const struct lab_process *process)
{
	return process->process.log.bytes > process->process.log.most;
}

void lab_note_deaf(struct lab *lab, unsigned grace_ms)
{
	CLEANUP(text_finish) struct text names = {0};
	if (name_processes(lab, is_deaf, &names))
		scenario_result_note(lab->result,
			"%s did not end within %g s of SIGTERM and had to be killed",
			text_view(&names), grace_ms / 1000.0);
}

void lab_note_bounds(struct lab *lab)
{
	CLEANUP(text_finish) struct text cut = {0};
	CLEANUP(text_finish) struct text unheld = {0};
	if (name_processes(lab, is_cut, &cut))
		scenario_result_note(lab->result,
			"%s printed more than a log may hold: the rest is lost", text_view(&cut));
	for (size_t i = 0; i < lab->plan->node_count; i++) {
		uint64_t count = bounds_starved(&lab->bounds, i);
		if (count)
			scenario_result_note(lab->result,
				"%s wanted more than its memory (%llu bytes): the kernel ended "
				"%llu "
				"of its processes",
				node_name(lab, i),
				(unsigned long long)lab->plan->nodes[i].node->memory_bytes,
				(unsigned long long)count);
	}
	if (!lab->bounds_told)
		bounds_describe(&lab->bounds, &unheld);
	if (unheld.length)
		scenario_result_note(lab->result, "%s", text_view(&unheld));
}
