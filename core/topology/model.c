#include "topology/model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int mark_compare(struct mark a, struct mark b)
{
	if (a.file != b.file)
		return a.file < b.file ? -1 : 1;
	if (a.line != b.line)
		return a.line < b.line ? -1 : 1;
	return a.column < b.column ? -1 : a.column > b.column;
}

const char *const node_kind_names[3] = {"host", "router", "switch"};

const char *const step_kind_names[STEP_KINDS] = {"run", "start", "send", "watch", "stop", "kill",
	"addresses", "route", "same-files", "messages", "link", "move", "node"};

/* FNV-1a. */
static size_t name_hash(const char *name)
{
	uint64_t hash = UINT64_C(14695981039346656037);
	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * UINT64_C(1099511628211);
	return (size_t)(hash ^ hash >> 32);
}

/* The slot that holds `name`, or the empty one where it belongs. */
static size_t *name_slot(const struct topology *topology, const char *name)
{
	size_t mask = topology->node_slot_count - 1;
	size_t at = name_hash(name) & mask;
	while (topology->node_slots[at] &&
		strcmp(topology->nodes[topology->node_slots[at] - 1].name, name) != 0)
		at = (at + 1) & mask;
	return &topology->node_slots[at];
}

static int name_slots_double(struct topology *topology)
{
	size_t *old = topology->node_slots;
	size_t old_count = topology->node_slot_count;
	size_t count = old_count ? old_count * 2 : 64;
	size_t *slots = calloc(count, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	topology->node_slots = slots;
	topology->node_slot_count = count;
	for (size_t i = 0; i < old_count; i++)
		if (old[i])
			*name_slot(topology, topology->nodes[old[i] - 1].name) = old[i];
	free(old);
	return 0;
}

long topology_index_node(struct topology *topology, size_t index)
{
	if ((index + 1) * 2 > topology->node_slot_count && name_slots_double(topology) < 0)
		return -ENOMEM;
	size_t *slot = name_slot(topology, topology->nodes[index].name);
	if (*slot)
		return (long)*slot - 1;
	*slot = index + 1;
	return (long)index;
}

long topology_find_node(const struct topology *topology, const char *name)
{
	if (!topology->node_slot_count)
		return -1;
	return (long)*name_slot(topology, name) - 1;
}

static void texts_free(char **texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(texts[i]);
	free(texts);
}

void process_spec_finish(struct process_spec *process)
{
	free(process->name);
	free(process->command);
	free(process->ready.text);
}

void sysctl_spec_finish(struct sysctl_spec *sysctl)
{
	free(sysctl->name);
	free(sysctl->path);
	free(sysctl->value);
}

void node_forget_details(struct node *node)
{
	for (size_t i = 0; i < node->bind_count; i++) {
		free(node->binds[i].source);
		free(node->binds[i].target);
	}
	for (size_t i = 0; i < node->exec_count; i++)
		free(node->execs[i].command);
	free(node->binds);
	free(node->execs);
	free(node->workdir);
	node->binds = NULL;
	node->execs = NULL;
	node->workdir = NULL;
	node->bind_count = node->exec_count = 0;
	node->cpu_thousandths = 0;
	node->memory_bytes = 0;
}

void node_finish(struct node *node)
{
	free(node->name);
	free(node->written_as);
	for (size_t i = 0; i < node->mac_count; i++)
		free(node->macs[i].interface);
	free(node->macs);
	for (size_t i = 0; i < node->route_count; i++)
		free(node->routes[i].node);
	free(node->routes);
	for (size_t i = 0; i < node->process_count; i++)
		process_spec_finish(&node->processes[i]);
	free(node->processes);
	texts_free(node->environment, node->environment_count);
	for (size_t i = 0; i < node->file_count; i++) {
		free(node->files[i].path);
		free(node->files[i].content);
	}
	free(node->files);
	free(node->rules.text);
	for (size_t i = 0; i < node->sysctl_count; i++)
		sysctl_spec_finish(&node->sysctls[i]);
	free(node->sysctls);
	node_forget_details(node);
}

void step_finish(struct step *step)
{
	free(step->name);
	free(step->object);
	free(step->other_object);
	free(step->process);
	free(step->nodes);
	free(step->nodes_written_as);
	free(step->ready.text);
	free(step->filter.text);
	free(step->interface);
	free(step->expect.exits);
	texts_free(step->expect.outputs, step->expect.output_count);
}

bool scenario_sends_to(const struct scenario *scenario, const char *name)
{
	for (size_t i = 0; i < scenario->step_count; i++)
		if (scenario->steps[i].kind == STEP_SEND &&
			strcmp(scenario->steps[i].process, name) == 0)
			return true;
	return false;
}

static void scenario_free(struct scenario *scenario)
{
	free(scenario->name);
	free(scenario->title);
	free(scenario->description);
	free(scenario->explains);
	for (size_t i = 0; i < scenario->step_count; i++)
		step_finish(&scenario->steps[i]);
	free(scenario->steps);
}

void topology_finish(struct topology *topology)
{
	free(topology->path);
	texts_free(topology->files, topology->file_count);
	free(topology->name);
	free(topology->title);
	free(topology->description);
	for (size_t i = 0; i < topology->variable_count; i++) {
		free(topology->variables[i].name);
		free(topology->variables[i].value);
		free(topology->variables[i].command);
	}
	free(topology->variables);
	free(topology->captured);
	texts_free(topology->brought, topology->brought_count);
	for (size_t i = 0; i < topology->node_count; i++)
		node_finish(&topology->nodes[i]);
	free(topology->nodes);
	free(topology->node_slots);
	for (size_t i = 0; i < topology->link_count; i++)
		for (size_t j = 0; j < 2; j++)
			free(topology->links[i].ends[j].interface);
	free(topology->links);
	for (size_t i = 0; i < topology->scenario_count; i++)
		scenario_free(&topology->scenarios[i]);
	free(topology->scenarios);
	*topology = (struct topology){0};
}
