#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "lab/act_node.h"
#include "lab/lab_parts.h"

enum {
	CAPTURE_MOST = 64 * 1024 * 1024, /* bytes a scenario */
	DRAIN_MS = 5000, /* for the observer to tell its last facts, */
	DRAIN_MS_A_NODE = 5, /* many times what it takes */
};

static int out_of_memory(struct error *error)
{
	return error_set(error, -ENOMEM, "out of memory");
}

static void lab_keep_message(struct lab *lab, const struct fact *fact)
{
	struct scenario_result *result = lab->result;
	result->message_total++;
	if (result->message_count == RESULT_MESSAGES_MOST)
		return;
	struct fact *kept = array_add(&result->messages, &result->message_count);
	if (kept)
		*kept = *fact;
}

static void lab_take_fact(struct lab *lab, struct fact *fact)
{
	struct scenario_result *result = lab->result;
	if (fact->kind == FACT_MESSAGE || fact->kind == FACT_CAPTURE)
		fact->index = (uint32_t)lab->captured[fact->index];
	else if (fact->index >= lab->plan->node_count && fact->kind != FACT_END)
		fact->index = (uint32_t)lab->spares[fact->index - lab->plan->node_count].node;
	facts_write(&lab->files, fact);
	if (fact->kind == FACT_MESSAGE) {
		lab_keep_message(lab, fact);
	} else if (fact->kind == FACT_CAPTURE) {
		uint64_t kept = fact->capture.written + fact->capture.lost;
		result->frames += fact->capture.seen;
		result->frames_lost += fact->capture.lost;
		result->frames_unwritten +=
			fact->capture.seen > kept ? fact->capture.seen - kept : 0;
	} else if (fact->kind == FACT_END) {
		result->capture_bytes = fact->end.capture_bytes;
		if (fact->end.capture_error)
			error_system(&lab->failed, fact->end.capture_error,
				"cannot write '%s/capture.pcapng'", lab->folder.path);
		lab->observed = true;
	}
}

/* A bounded number a turn, so that a flood of facts does not keep steps waiting. */
static void lab_take_facts(struct lab *lab)
{
	struct fact fact;
	for (int i = 0; i < 256 && !lab->observed; i++) {
		struct error error;
		int status = observer_receive(&lab->observer, &fact, &error);
		if (status == 0)
			return;
		if (status < 0) {
			lab->failed = error;
			lab->observed = true;
			break;
		}
		lab_take_fact(lab, &fact);
	}
	if (lab->observed)
		event_del(lab->observer_event);
}

static void lab_on_facts(evutil_socket_t fd, short what, void *argument)
{
	struct lab *lab = argument;
	(void)fd, (void)what;
	lab_take_facts(lab);
	facts_flush(&lab->files);
}

/*
 * The end where a link is captured: the one that names it, or the other where a step switches the
 * first one's node off, which gets new namespaces, and none pulls the cable out, which is done at
 * the other.
 */
static unsigned captured_end(struct lab *lab, const struct plan_link *link)
{
	unsigned end = link->named_end;
	if (!lab_is_replaced(lab, link->ends[end].node))
		return end;
	bool neither = lab_is_replaced(lab, link->ends[!end].node) || lab_pulls_cables(lab);
	if (neither)
		scenario_result_note(lab->result,
			"frames of link %s are captured only until its node is switched off",
			link->name);
	return neither ? end : !end;
}

/* The links that are captured; the observer numbers them. */
static size_t describe_links(struct lab *lab, struct observed_link *links)
{
	size_t count = 0;
	for (size_t i = 0; i < lab->plan->link_count; i++) {
		const struct plan_link *link = &lab->plan->links[i];
		if (!link->captured)
			continue;
		lab->captured[count] = i;
		const struct plan_end *end = &link->ends[link->named_end];
		const struct plan_end *other = &link->ends[!link->named_end];
		const struct plan_interface *interface =
			&lab->plan->nodes[end->node].interfaces[end->interface];
		const struct plan_end *at = &link->ends[captured_end(lab, link)];
		links[count++] = (struct observed_link){.name = link->name,
			.interface = lab->plan->nodes[at->node].interfaces[at->interface].name,
			.node = at->node,
			.mac = interface->mac,
			.has_peer = lab->plan->nodes[other->node].node->kind != NODE_SWITCH,
			.peer = lab->plan->nodes[other->node].interfaces[other->interface].mac};
	}
	return count;
}

int lab_observe(struct lab *lab, struct error *error)
{
	const struct plan *plan = lab->plan;
	bool capture = plan->topology->capture;
	CLEANUP(free_pointer)
	struct observed_link *links = calloc(plan->link_count + 1, sizeof(*links));
	CLEANUP(free_pointer)
	struct observed_node *nodes =
		calloc(plan->node_count + lab->spare_count + 1, sizeof(*nodes));
	CLEANUP(free_pointer) char *path = folder_fresh(&lab->folder, "capture.pcapng");
	if (!links || !nodes || !path)
		return out_of_memory(error);
	lab->captured = calloc(plan->link_count + 1, sizeof(*lab->captured));
	if (!lab->captured)
		return out_of_memory(error);
	size_t link_count = describe_links(lab, links);
	size_t node_count = 0;
	for (size_t i = 0; i < plan->node_count; i++)
		if (plan->nodes[i].watched)
			nodes[node_count++] = (struct observed_node){plan->nodes[i].node->name, i};
	for (size_t i = 0; i < lab->spare_count; i++)
		if (plan->nodes[lab->spares[i].node].watched)
			nodes[node_count++] = (struct observed_node){
				plan->nodes[lab->spares[i].node].node->name, plan->node_count + i};
	if (capture) {
		lab->capture_fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
		if (lab->capture_fd < 0)
			return error_system(error, -errno, "cannot write '%s'", path);
	}
	struct observer_setup setup = {.shelf = &lab->fabric.shelf,
		.links = links,
		.link_count = link_count,
		.nodes = nodes,
		.node_count = node_count,
		.capture_fd = lab->capture_fd,
		.capture_limit = CAPTURE_MOST,
		.application = "sim"};
	int status = observer_start(&setup, &lab->observer, error);
	if (status < 0)
		return status;
	lab->observed = false;
	lab->observer_event = event_new(
		lab->base, observer_fd(&lab->observer), EV_READ | EV_PERSIST, lab_on_facts, lab);
	return lab->observer_event && event_add(lab->observer_event, NULL) == 0
		       ? 0
		       : out_of_memory(error);
}

void lab_stop_observer(struct lab *lab)
{
	uint64_t drain_ms = (DRAIN_MS + DRAIN_MS_A_NODE * lab->plan->node_count) * clock_scale();
	uint64_t until_ns = clock_monotonic_ns() + drain_ms * NS_PER_MS;
	if (!lab->observed)
		observer_stop(&lab->observer);
	while (!lab->observed && clock_monotonic_ns() < until_ns)
		lab_turn(lab, until_ns);
	if (!lab->observed)
		error_set(&lab->failed, -ETIME, "the observer did not finish within %llu ms",
			(unsigned long long)drain_ms);
}
