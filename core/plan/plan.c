#include "plan/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "plan/parts.h"

int plan_fail(
	const struct plan *plan, struct mark mark, struct error *error, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	int status = mark_fail(plan->topology->path, mark, error, format, arguments);
	va_end(arguments);
	return status;
}

int plan_out_of_memory(struct error *error)
{
	return error_set(error, -ENOMEM, "out of memory");
}

/* The first address of a node, or none. */
static struct ipv4 plan_node_address(const struct plan_node *node)
{
	for (size_t i = 0; i < node->interface_count; i++)
		if (node->interfaces[i].has_ipv4)
			return node->interfaces[i].ipv4.address;
	return (struct ipv4){0};
}

static int plan_processes(struct plan *plan, struct error *error)
{
	for (size_t i = 0; i < plan->node_count; i++) {
		struct plan_node *node = &plan->nodes[i];
		node->process_count = node->node->process_count;
		node->processes = calloc(node->process_count + 1, sizeof(*node->processes));
		if (!node->processes)
			return plan_out_of_memory(error);
		for (size_t j = 0; j < node->process_count; j++) {
			struct plan_process *process = &node->processes[j];
			struct error reason;
			process->spec = &node->node->processes[j];
			if (text_split_words(process->spec->command, &process->words, &reason) < 0)
				return plan_fail(plan, process->spec->mark, error,
					"process '%s': %s", process->spec->name, reason.text);
		}
	}
	return 0;
}

/* Commands of steps are split again when they run; here their form is checked. */
static int plan_check_steps(const struct plan *plan, struct error *error)
{
	for (size_t i = 0; i < plan->topology->scenario_count; i++) {
		const struct scenario *scenario = &plan->topology->scenarios[i];
		for (size_t j = 0; j < scenario->step_count; j++) {
			const struct step *step = &scenario->steps[j];
			struct error reason;
			CLEANUP(free_pointer) char **list = NULL;
			struct words words = {0};
			if (step->kind != STEP_RUN && step->kind != STEP_START)
				continue;
			if (text_split_words(step->object, &words, &reason) < 0)
				return plan_fail(plan, step->mark, error, "%s", reason.text);
			list = words.list;
		}
	}
	return 0;
}

static int plan_hosts(struct plan *plan, struct error *error)
{
	struct text text = {0};
	text_append(&text, "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost\n");
	for (size_t i = 0; i < plan->node_count; i++) {
		struct ipv4 address = plan_node_address(&plan->nodes[i]);
		if (!ipv4_is_none(address))
			text_append(
				&text, "%s\t%s\n", IPV4_TEXT(address), plan->nodes[i].node->name);
	}
	plan->hosts = text_take(&text);
	return plan->hosts ? 0 : plan_out_of_memory(error);
}

static int plan_fill(struct plan *plan, struct error *error)
{
	const struct topology *topology = plan->topology;
	plan->node_count = topology->node_count;
	plan->link_count = topology->link_count;
	plan->nodes = calloc(plan->node_count + 1, sizeof(*plan->nodes));
	plan->links = calloc(plan->link_count + 1, sizeof(*plan->links));
	if (!plan->nodes || !plan->links)
		return plan_out_of_memory(error);
	for (size_t i = 0; i < plan->node_count; i++) {
		plan->nodes[i].node = &topology->nodes[i];
		plan->nodes[i].forwarding = topology->nodes[i].kind == NODE_ROUTER;
	}
	for (size_t i = 0; i < plan->link_count; i++)
		plan->links[i].link = &topology->links[i];

	int (*const stages[])(struct plan *, struct error *) = {plan_interfaces, plan_segments,
		plan_addresses, plan_routes, plan_processes, plan_hosts};
	int status = 0;
	for (size_t i = 0; status == 0 && i < ARRAY_LENGTH(stages); i++)
		status = stages[i](plan, error);
	return status < 0 ? status : plan_check_steps(plan, error);
}

int plan_make(const struct topology *topology, struct plan *ret_plan, struct error *error)
{
	CLEANUP(plan_finish) struct plan plan = {.topology = topology};
	int status = plan_fill(&plan, error);
	if (status < 0)
		return status;
	*ret_plan = plan;
	plan = (struct plan){0};
	return 0;
}

void plan_finish(struct plan *plan)
{
	for (size_t i = 0; plan->nodes && i < plan->node_count; i++) {
		struct plan_node *node = &plan->nodes[i];
		for (size_t j = 0; node->processes && j < node->process_count; j++)
			free(node->processes[j].words.list);
		free(node->processes);
		free(node->interfaces);
		free(node->routes);
	}
	for (size_t i = 0; plan->links && i < plan->link_count; i++)
		free(plan->links[i].name);
	free(plan->nodes);
	free(plan->links);
	free(plan->segments);
	free(plan->hosts);
	*plan = (struct plan){0};
}

const struct plan_interface *plan_cable(const struct plan_node *node, const char *name)
{
	if (!name)
		return node->interface_count == 1 ? &node->interfaces[0] : NULL;
	for (size_t i = 0; i < node->interface_count; i++)
		if (strcmp(node->interfaces[i].name, name) == 0)
			return &node->interfaces[i];
	return NULL;
}
