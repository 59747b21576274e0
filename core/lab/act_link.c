#include "lab/act_link.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "kernel/cable.h"
#include "observe/state.h"

enum { LOOK_MS = 5 };

static int act_on_node(struct lab *lab, const struct step *step, size_t node, struct error *error)
{
	const struct plan_interface *interface =
		plan_cable(&lab->plan->nodes[node], step->interface);
	if (step->kind == STEP_LINK)
		return cable_set(
			lab->plan, &lab->fabric, interface, strcmp(step->object, "up") == 0, error);
	long target = topology_find_node(lab->plan->topology, step->object);
	return cable_move(lab->plan, &lab->fabric, interface, (size_t)target, error);
}

static int gather_links(
	struct lab *lab, const struct step *step, struct step_facts *facts, struct error *error)
{
	int status = 0;
	facts->node_count = step->node_count;
	for (size_t i = 0; status == 0 && i < step->node_count; i++) {
		size_t node = step->nodes[i];
		const struct plan_interface *interface =
			plan_cable(&lab->plan->nodes[node], step->interface);
		CLEANUP(close_fd) int netns = -1;
		bool running = false;
		status = fabric_netns(&lab->fabric, node, &netns, error);
		if (status == 0)
			status = observe_running(netns, interface->name, &running, error);
		facts->linked_count += status == 0 && running;
	}
	return status;
}

/* Act, and look until the kernels have noticed or it is `until_ns`. */
static int act_and_await(struct lab *lab, const struct step *step, uint64_t until_ns,
	struct verdict *ret_verdict, struct error *error)
{
	int status = 0;
	for (size_t i = 0; status == 0 && i < step->node_count; i++)
		status = act_on_node(lab, step, step->nodes[i], error);
	while (status == 0) {
		struct step_facts facts = {0};
		status = gather_links(lab, step, &facts, error);
		if (status < 0)
			break;
		verdict_finish(ret_verdict);
		verdict_of(step, &facts, ret_verdict);
		uint64_t now_ns = clock_monotonic_ns();
		uint64_t next_ns = now_ns + LOOK_MS * NS_PER_MS;
		if (ret_verdict->final || now_ns >= until_ns ||
			!lab_turn(lab, next_ns < until_ns ? next_ns : until_ns))
			break;
	}
	return status;
}

int lab_act_link(
	struct lab *lab, const struct step *step, struct verdict *ret_verdict, struct error *error)
{
	uint64_t until_ns = clock_monotonic_ns() + step->timeout_ns;
	if (step->kind == STEP_MOVE) {
		/*
		 * No person is as fast as the kernel, which tells of a carrier that went and came
		 * within a second as of nothing.
		 */
		char down[] = "down";
		struct step pull = *step;
		pull.kind = STEP_LINK;
		pull.object = down;
		int status = act_and_await(lab, &pull, until_ns, ret_verdict, error);
		if (status < 0 || !ret_verdict->holds)
			return status;
	}
	return act_and_await(lab, step, until_ns, ret_verdict, error);
}
