#include "plan/needs.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "plan/parts.h"

/* Measured: what is refused by these did not work with so many either. */
enum {
	LAB_FILES_FEW = 20, /* of sim, besides: */
	LAB_FILES_OF_NODE = 1, /* while it is built */
	LAB_FILES_OF_PROCESS = 3, /* when it stands */
	OBSERVER_FILES_FEW = 32, /* of its observer */
	OBSERVER_FILES_OF_NODE = 1,
	OBSERVER_FILES_OF_LINK = 1, /* where it captures */
	NODE_MEMORY = 320 * 1024,
};

static size_t larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

/* The nodes where a scenario runs something, and how many commands it runs at once at most. */
static void count_scenario(const struct plan *plan, const struct scenario *scenario, bool *runs,
	struct plan_needs *needs)
{
	size_t rooms = 0, services = 0, most = 0;
	for (size_t i = 0; i < plan->node_count; i++) {
		runs[i] = plan->nodes[i].node->process_count || plan->nodes[i].node->exec_count;
		rooms += runs[i];
		services += plan->nodes[i].node->process_count;
	}
	for (size_t i = 0; i < scenario->step_count; i++) {
		const struct step *step = &scenario->steps[i];
		if (step->kind != STEP_RUN && step->kind != STEP_START)
			continue;
		for (size_t j = 0; j < step->node_count; j++) {
			rooms += !runs[step->nodes[j]];
			runs[step->nodes[j]] = true;
		}
		if (step->node_count > most)
			most = step->node_count;
	}
	needs->rooms = larger(needs->rooms, rooms);
	needs->processes = larger(needs->processes, services + most);
}

int plan_count_needs(const struct plan *plan, struct plan_needs *ret_needs, struct error *error)
{
	static const struct scenario none;
	const struct topology *topology = plan->topology;
	CLEANUP(free_pointer) bool *runs = calloc(plan->node_count + 1, sizeof(*runs));
	if (!runs)
		return plan_out_of_memory(error);
	struct plan_needs needs = {.network_namespaces = plan->node_count,
		.memory_bytes = (uint64_t)plan->node_count * NODE_MEMORY};
	count_scenario(plan, &none, runs, &needs);
	for (size_t i = 0; i < topology->scenario_count; i++)
		count_scenario(plan, &topology->scenarios[i], runs, &needs);
	size_t observer = OBSERVER_FILES_FEW + OBSERVER_FILES_OF_NODE * plan->node_count +
			  (topology->capture ? OBSERVER_FILES_OF_LINK * plan->link_count : 0);
	size_t built = LAB_FILES_FEW + LAB_FILES_OF_NODE * plan->node_count;
	size_t stands = LAB_FILES_FEW + LAB_FILES_OF_PROCESS * needs.processes;
	needs.open_files = larger(observer, larger(built, stands));
	*ret_needs = needs;
	return 0;
}

void plan_describe_needs(const struct plan *plan, const struct plan_needs *needs, struct text *text)
{
	double mib = (double)needs->memory_bytes / 1024 / 1024;
	text_append(text,
		"%zu node%s and %zu link%s need %zu network namespace%s, at least %zu open files "
		"and about %.1f %s of kernel memory\n",
		plan->node_count, TEXT_PLURAL(plan->node_count), plan->link_count,
		TEXT_PLURAL(plan->link_count), needs->network_namespaces,
		TEXT_PLURAL(needs->network_namespaces), needs->open_files,
		mib < 1024 ? mib : mib / 1024, mib < 1024 ? "MiB" : "GiB");
}
