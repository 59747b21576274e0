#include "plan/needs.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "plan/parts.h"

/* Measured: what is refused by these did not work with so many either. */
enum {
	LAB_FILES_FEW = 24, /* of sim, besides: */
	LAB_FILES_OF_NODE = 1, /* while it is built */
	LAB_FILES_OF_PROCESS = 1, /* when it stands: its output, */
	LAB_FILES_OF_NOTICE = 1, /* until it has said that it is ready, */
	LAB_FILES_OF_INPUT = 1, /* where it is sent something */
	OBSERVER_FILES_FEW = 32, /* of its observer */
	OBSERVER_FILES_OF_NODE = 1,
	OBSERVER_FILES_OF_LINK = 1, /* where it captures */
	MOUNTS_OF_NODE = 1, /* on the shelf */
	MOUNTS_OF_ROOM = 2,
	NODE_MEMORY = 320 * 1024,
	CAPTURE_MEMORY = 1024 * 1024, /* of a link: its ring */
};

static size_t larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

static size_t process_files(const struct ready *ready, bool sent_to)
{
	size_t files = LAB_FILES_OF_PROCESS;
	files += ready->kind == READY_NOTIFY ? LAB_FILES_OF_NOTICE : 0;
	return files + (sent_to ? LAB_FILES_OF_INPUT : 0);
}

/* What runs at the same time, and the descriptors it takes. */
struct running {
	size_t processes, files;
};

static struct running count_services(const struct plan *plan, bool *runs, size_t *rooms)
{
	struct running services = {0};
	for (size_t i = 0; i < plan->node_count; i++) {
		const struct node *node = plan->nodes[i].node;
		runs[i] = node->process_count || node->exec_count;
		*rooms += runs[i];
		services.processes += node->process_count;
		for (size_t j = 0; j < node->process_count; j++)
			services.files += process_files(&node->processes[j].ready, false);
	}
	return services;
}

/* The nodes where a scenario runs something, and how many commands it runs at once at most. */
static void count_scenario(const struct plan *plan, const struct scenario *scenario, bool *runs,
	struct plan_size *size)
{
	size_t rooms = 0, switched_off = 0;
	struct running services = count_services(plan, runs, &rooms), most = {0};
	for (size_t i = 0; i < scenario->step_count; i++) {
		const struct step *step = &scenario->steps[i];
		if (step->kind == STEP_NODE && strcmp(step->object, "stop") == 0)
			switched_off += step->node_count;
		if (step->kind != STEP_RUN && step->kind != STEP_START)
			continue;
		for (size_t j = 0; j < step->node_count; j++) {
			rooms += !runs[step->nodes[j]];
			runs[step->nodes[j]] = true;
		}
		bool sent_to =
			step->kind == STEP_START && scenario_sends_to(scenario, step->process);
		most.processes = larger(most.processes, step->node_count);
		most.files =
			larger(most.files, step->node_count * process_files(&step->ready, sent_to));
	}
	size->rooms = larger(size->rooms, rooms + switched_off);
	size->switched_off = larger(size->switched_off, switched_off);
	size->processes = larger(size->processes, services.processes + most.processes);
	size->process_files = larger(size->process_files, services.files + most.files);
}

struct plan_needs plan_needs_of(const struct plan_size *size)
{
	size_t all = size->nodes + size->switched_off;
	size_t observer = OBSERVER_FILES_FEW +
			  OBSERVER_FILES_OF_NODE * (size->watched + size->switched_off) +
			  OBSERVER_FILES_OF_LINK * size->captured;
	size_t built = LAB_FILES_FEW + LAB_FILES_OF_NODE * size->nodes;
	size_t stands = LAB_FILES_FEW + size->process_files;
	return (struct plan_needs){.network_namespaces = all,
		.rooms = size->rooms,
		.processes = size->processes,
		.mounts = MOUNTS_OF_NODE * all + MOUNTS_OF_ROOM * size->rooms,
		.open_files = larger(observer, larger(built, stands)),
		.memory_bytes =
			(uint64_t)all * NODE_MEMORY + (uint64_t)size->captured * CAPTURE_MEMORY};
}

/* With its scenarios and what they observe, or services alone. */
static int count_needs(
	const struct plan *plan, bool scenarios, struct plan_needs *ret_needs, struct error *error)
{
	static const struct scenario none;
	const struct topology *topology = plan->topology;
	CLEANUP(free_pointer) bool *runs = calloc(plan->node_count + 1, sizeof(*runs));
	if (!runs)
		return plan_out_of_memory(error);
	struct plan_size size = {.nodes = plan->node_count};
	count_scenario(plan, &none, runs, &size);
	for (size_t i = 0; scenarios && i < topology->scenario_count; i++)
		count_scenario(plan, &topology->scenarios[i], runs, &size);
	for (size_t i = 0; scenarios && i < plan->node_count; i++)
		size.watched += plan->nodes[i].watched;
	for (size_t i = 0; scenarios && i < plan->link_count; i++)
		size.captured += plan->links[i].captured;
	*ret_needs = plan_needs_of(&size);
	return 0;
}

int plan_count_needs(const struct plan *plan, struct plan_needs *ret_needs, struct error *error)
{
	return count_needs(plan, true, ret_needs, error);
}

int plan_count_needs_up(const struct plan *plan, struct plan_needs *ret_needs, struct error *error)
{
	return count_needs(plan, false, ret_needs, error);
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
