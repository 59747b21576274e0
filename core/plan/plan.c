#include "plan/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "plan/parts.h"
#include "topology/problems.h"

int plan_fail(
	const struct plan *plan, struct mark mark, struct error *error, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	const struct topology *topology = plan->topology;
	const char *file =
		mark.file < topology->file_count ? topology->files[mark.file] : topology->path;
	int status = problem_fail(topology->problems, file, mark, error, format, arguments);
	va_end(arguments);
	return status;
}

int plan_out_of_memory(struct error *error)
{
	return error_set(error, -ENOMEM, "out of memory");
}

bool plan_goes_on(const struct plan *plan, int status, int *result)
{
	return problems_go_on(plan->topology->problems, status, result);
}

bool plan_uses(const struct plan *plan, enum ip_family family)
{
	for (size_t i = 0; i < plan->segment_count; i++)
		if (plan_has_subnet(&plan->segments[i], family))
			return true;
	return false;
}

bool plan_append_addresses(
	const struct plan_interface *interface, const char *between, struct text *text)
{
	bool any = false;
	for (size_t i = 0; i < IP_FAMILIES; i++) {
		if (!plan_has_address(interface, (enum ip_family)i))
			continue;
		text_append(
			text, "%s%s", any ? between : "", IP_PREFIX_TEXT(interface->addresses[i]));
		any = true;
	}
	return any;
}

static int plan_processes(struct plan *plan, struct error *error)
{
	int result = 0;
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
			int status = 0;
			if (text_split_words(process->spec->command, &process->words, &reason) < 0)
				status = plan_fail(plan, process->spec->mark, error,
					"process '%s': %s", process->spec->name, reason.text);
			if (!plan_goes_on(plan, status, &result))
				return result;
		}
	}
	return result;
}

/* Commands of steps are split again when they run; here their form is checked. */
static int plan_check_steps(struct plan *plan, struct error *error)
{
	int result = 0;
	for (size_t i = 0; i < plan->topology->scenario_count; i++) {
		const struct scenario *scenario = &plan->topology->scenarios[i];
		for (size_t j = 0; j < scenario->step_count; j++) {
			const struct step *step = &scenario->steps[j];
			struct error reason;
			CLEANUP(free_pointer) char **list = NULL;
			struct words words = {0};
			if (step->kind != STEP_RUN && step->kind != STEP_START)
				continue;
			int status = 0;
			if (text_split_words(step->object, &words, &reason) < 0)
				status = plan_fail(plan, step->mark, error, "%s", reason.text);
			list = words.list;
			if (!plan_goes_on(plan, status, &result))
				return result;
		}
	}
	return result;
}

/* A node goes by the first address of each family. */
static void hosts_add(const struct plan_node *node, enum ip_family family, struct text *text)
{
	for (size_t i = 0; i < node->interface_count; i++) {
		if (!plan_has_address(&node->interfaces[i], family))
			continue;
		text_append(text, "%s\t%s\n",
			IP_TEXT(node->interfaces[i].addresses[family].address), node->node->name);
		return;
	}
}

static int plan_hosts(struct plan *plan, struct error *error)
{
	struct text text = {0};
	text_append(&text, "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost\n");
	for (size_t i = 0; i < plan->node_count; i++)
		for (size_t family = 0; family < IP_FAMILIES; family++)
			hosts_add(&plan->nodes[i], (enum ip_family)family, &text);
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
		plan->nodes[i].watched = !topology->captured || topology->captured[i];
	}
	for (size_t i = 0; i < plan->link_count; i++)
		plan->links[i].link = &topology->links[i];
	return 0;
}

/* Where problems are collected a stage goes on after a faulty one: each leaves the plan whole. */
static int plan_decide(struct plan *plan, struct error *error)
{
	int (*const stages[])(struct plan *, struct error *) = {plan_interfaces, plan_segments,
		plan_pools, plan_check_subnets, plan_addresses, plan_routes, plan_processes,
		plan_rules, plan_hosts, plan_check_steps};
	int result = 0;
	for (size_t i = 0; i < ARRAY_LENGTH(stages); i++)
		if (!plan_goes_on(plan, stages[i](plan, error), &result))
			break;
	return result;
}

int plan_make(const struct topology *topology, struct plan *ret_plan, struct error *error)
{
	CLEANUP(plan_finish) struct plan plan = {.topology = topology};
	int status = plan_fill(&plan, error);
	if (status == 0)
		status = plan_decide(&plan, error);
	if (status < 0 && (status != -EINVAL || !topology->problems))
		return status;
	*ret_plan = plan;
	plan = (struct plan){0};
	return status;
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
		free(node->rules);
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
	if (name)
		return plan_find_interface(node, name);
	return node->interface_count == 1 ? &node->interfaces[0] : NULL;
}
