#include "lab/act_node.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "kernel/replace.h"
#include "lab/steps.h"
#include "observe/state.h"

enum { GRACE_MS = 1000, LOOK_MS = 5, ROUNDS = 200 };

static bool is_stop(const struct step *step)
{
	return step->kind == STEP_NODE && strcmp(step->object, "stop") == 0;
}

static int prepare_step(struct lab *lab, const struct step *step, struct error *error)
{
	int status = 0;
	for (size_t i = 0; status == 0 && i < step->node_count; i++) {
		struct lab_spare *spare = array_add(&lab->spares, &lab->spare_count);
		if (!spare)
			return error_set(error, -ENOMEM, "out of memory");
		spare->node = step->nodes[i];
		status = replace_prepare(lab->plan, &lab->fabric, spare->node,
			lab->plan->node_count + lab->spare_count - 1, error);
	}
	return status;
}

int lab_prepare_nodes(struct lab *lab, struct error *error)
{
	const struct scenario *scenario = lab->result->scenario;
	int status = 0;
	for (size_t i = 0; status == 0 && scenario && i < scenario->step_count; i++)
		if (is_stop(&scenario->steps[i]))
			status = prepare_step(lab, &scenario->steps[i], error);
	return status;
}

bool lab_is_replaced(const struct lab *lab, size_t node)
{
	for (size_t i = 0; i < lab->spare_count; i++)
		if (lab->spares[i].node == node)
			return true;
	return false;
}

bool lab_pulls_cables(const struct lab *lab)
{
	const struct scenario *scenario = lab->result->scenario;
	for (size_t i = 0; scenario && i < scenario->step_count; i++)
		if (scenario->steps[i].kind == STEP_LINK || scenario->steps[i].kind == STEP_MOVE)
			return true;
	return false;
}

/* Those that lab_start() started there; in what they leave running, killed below, nobody is asked. */
static bool any_running(const struct lab *lab, const bool *only)
{
	for (size_t i = 0; i < lab->process_count; i++)
		if (only[lab->processes[i]->node] && lab->processes[i]->process.running)
			return true;
	return false;
}

static void end_started(struct lab *lab, const bool *only)
{
	uint64_t until_ns = clock_monotonic_ns() + GRACE_MS * NS_PER_MS;
	for (size_t i = 0; i < lab->process_count; i++) {
		if (!only[lab->processes[i]->node])
			continue;
		lab->processes[i]->stopped = true;
		process_signal(&lab->processes[i]->process, SIGTERM);
	}
	while (any_running(lab, only) && clock_monotonic_ns() < until_ns)
		if (!lab_turn(lab, until_ns))
			break;
	for (size_t i = 0; i < lab->process_count; i++)
		if (only[lab->processes[i]->node])
			process_end(&lab->processes[i]->process);
}

/* Kill a process if it is in the network namespace. Returns whether it was. */
static bool kill_in(const char *pid_name, const struct stat *netns)
{
	char path[64];
	struct stat own;
	int pid = (int)strtol(pid_name, NULL, 10);
	CLEANUP(close_fd) int pidfd = pidfd_open(pid, 0);
	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	if (pidfd < 0 || stat(path, &own) < 0 || own.st_ino != netns->st_ino ||
		own.st_dev != netns->st_dev)
		return false;
	return pidfd_send_signal(pidfd, SIGKILL, NULL, 0) == 0;
}

/* What was left running in the background: until there is none, for it may start others. */
static int end_others(struct lab *lab, size_t node, struct error *error)
{
	CLEANUP(close_fd) int netns = -1;
	struct stat own;
	int status = fabric_netns(&lab->fabric, node, &netns, error);
	if (status == 0 && fstat(netns, &own) < 0)
		status = error_system(error, -errno, "cannot look at a node's namespace");
	bool found = status == 0;
	for (int round = 0; found && round < ROUNDS; round++) {
		DIR *list = opendir("/proc");
		found = false;
		for (struct dirent *entry; list && (entry = readdir(list));)
			found = (isdigit((unsigned char)entry->d_name[0]) &&
					kill_in(entry->d_name, &own)) ||
				found;
		if (list)
			closedir(list);
		if (found && !lab_turn(lab, clock_monotonic_ns() + LOOK_MS * NS_PER_MS))
			break;
	}
	return status;
}

static int switch_off(struct lab *lab, size_t node, struct error *error)
{
	size_t at = 0;
	while (at < lab->spare_count && (lab->spares[at].node != node || lab->spares[at].used))
		at++;
	int status = end_others(lab, node, error);
	if (status < 0 || at == lab->spare_count)
		return status;
	lab->spares[at].used = true;
	lab->stopped[node] = true;
	lab->rooms[node] = false;
	return replace_off(lab->plan, &lab->fabric, node, lab->plan->node_count + at, error);
}

/* How many of the node's links have a carrier, as the other ends see it, where those are on. */
static int count_carriers(const struct lab *lab, size_t node, size_t *ret_links,
	size_t *ret_carriers, struct error *error)
{
	const struct plan_node *plan_node = &lab->plan->nodes[node];
	int status = 0;
	for (size_t i = 0; status == 0 && i < plan_node->interface_count; i++) {
		const struct plan_interface *interface = &plan_node->interfaces[i];
		const struct plan_end *far =
			&lab->plan->links[interface->link].ends[!interface->end];
		CLEANUP(close_fd) int netns = -1;
		bool running = false;
		if (lab->stopped[far->node])
			continue;
		status = fabric_netns(&lab->fabric, far->node, &netns, error);
		if (status == 0)
			status = observe_running(netns,
				lab->plan->nodes[far->node].interfaces[far->interface].name,
				&running, error);
		*ret_links += 1;
		*ret_carriers += running;
	}
	return status;
}

static int gather(
	struct lab *lab, const struct step *step, struct step_facts *facts, struct error *error)
{
	int status = 0;
	facts->node_count = step->node_count;
	for (size_t i = 0; status == 0 && i < step->node_count; i++) {
		size_t links = 0, carriers = 0;
		/* A node that is on may have a cable that is out. */
		if (is_stop(step) || !lab_pulls_cables(lab))
			status = count_carriers(lab, step->nodes[i], &links, &carriers, error);
		facts->linked_count += is_stop(step) ? carriers > 0 : carriers == links;
	}
	return status;
}

/* Until the other ends have noticed, or it is `until_ns`. */
static int await(struct lab *lab, const struct step *step, uint64_t until_ns,
	struct verdict *ret_verdict, struct error *error)
{
	for (;;) {
		struct step_facts facts = {0};
		int status = gather(lab, step, &facts, error);
		if (status < 0)
			return status;
		verdict_finish(ret_verdict);
		verdict_of(step, &facts, ret_verdict);
		uint64_t now_ns = clock_monotonic_ns();
		uint64_t next_ns = now_ns + LOOK_MS * NS_PER_MS;
		if (ret_verdict->final || now_ns >= until_ns ||
			!lab_turn(lab, next_ns < until_ns ? next_ns : until_ns))
			return 0;
	}
}

/* What a node begins with did not: that is what this step has seen. */
static void tell_failure(struct lab *lab, struct verdict *verdict)
{
	const struct step_result *failure = &lab->result->steps[lab->result->step_count - 1];
	verdict->holds = false;
	text_clear(&verdict->seen);
	text_append(&verdict->seen, "%s: expected %s, saw %s", failure->description,
		failure->expected, failure->seen);
	scenario_result_drop_step(lab->result);
}

static int refuse(const struct lab *lab, size_t node, struct verdict *verdict)
{
	verdict->final = true;
	text_append(&verdict->expected, "a node that is %s",
		lab->stopped[node] ? "running" : "stopped");
	text_append(&verdict->seen, "%s is %s already", lab->plan->nodes[node].node->name,
		lab->stopped[node] ? "stopped" : "running");
	return 0;
}

static int act_stop(struct lab *lab, const struct step *step, const bool *only, struct error *error)
{
	int status = 0;
	end_started(lab, only);
	for (size_t i = 0; status == 0 && i < step->node_count; i++)
		status = switch_off(lab, step->nodes[i], error);
	return status;
}

static int act_start(struct lab *lab, const struct step *step, const bool *only, bool *ret_all,
	struct error *error)
{
	int status = 0;
	for (size_t i = 0; status == 0 && i < step->node_count; i++) {
		status = replace_on(lab->plan, &lab->fabric, step->nodes[i], error);
		lab->stopped[step->nodes[i]] = false;
	}
	return status < 0 ? status : lab_begin(lab, only, ret_all, error);
}

int lab_act_node(
	struct lab *lab, const struct step *step, struct verdict *ret_verdict, struct error *error)
{
	uint64_t until_ns = clock_monotonic_ns() + step->timeout_ns;
	CLEANUP(free_pointer) bool *only = calloc(lab->plan->node_count + 1, sizeof(*only));
	bool all = true;
	if (!only)
		return error_set(error, -ENOMEM, "out of memory");
	for (size_t i = 0; i < step->node_count; i++) {
		only[step->nodes[i]] = true;
		if (lab->stopped[step->nodes[i]] == is_stop(step))
			return refuse(lab, step->nodes[i], ret_verdict);
	}
	int status = is_stop(step) ? act_stop(lab, step, only, error)
				   : act_start(lab, step, only, &all, error);
	if (status == 0)
		status = await(lab, step, until_ns, ret_verdict, error);
	if (status == 0 && !all)
		tell_failure(lab, ret_verdict);
	return status;
}
