#include "results/picture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

enum { GROUP_LEAST = 4 };

/* A host with one interface, without address and process of its own: like its neighbours. */
static bool is_plain(const struct plan *plan, const struct plan_node *node)
{
	if (node->node->kind != NODE_HOST || node->interface_count != 1 || node->process_count ||
		plan_has_address(&node->interfaces[0], IPV4) ||
		plan_has_address(&node->interfaces[0], IPV6))
		return false;
	const struct plan_interface *interface = &node->interfaces[0];
	const struct plan_end *peer = &plan->links[interface->link].ends[!interface->end];
	return plan->nodes[peer->node].node->kind == NODE_SWITCH;
}

static size_t plain_peer(const struct plan *plan, const struct plan_node *node)
{
	const struct plan_interface *interface = &node->interfaces[0];
	return plan->links[interface->link].ends[!interface->end].node;
}

/* How many nodes from `index` on are drawn as one; 1 where it stands alone. */
static size_t group_length(const struct plan *plan, size_t index)
{
	size_t length = 1;
	if (!is_plain(plan, &plan->nodes[index]))
		return 1;
	while (index + length < plan->node_count && is_plain(plan, &plan->nodes[index + length]) &&
		plain_peer(plan, &plan->nodes[index + length]) ==
			plain_peer(plan, &plan->nodes[index]))
		length++;
	return length >= GROUP_LEAST ? length : 1;
}

static void describe_group(const struct plan *plan, size_t index, size_t length, struct text *text)
{
	text_append(text,
		"\tn%zu [shape=box3d, label=<<b>%s ... %s</b><br/><font point-size=\"10\" "
		"color=\"#555555\">%zu hosts, address by DHCP</font>>];\n",
		index, plan->nodes[index].node->name, plan->nodes[index + length - 1].node->name,
		length);
}

/* A switch's subnets, each on a line; a switch without links is in no segment. */
static void describe_subnets(
	const struct plan *plan, const struct plan_node *node, struct text *text)
{
	bool any = false;
	for (size_t i = 0; node->interface_count && i < IP_FAMILIES; i++) {
		const struct plan_segment *segment =
			&plan->segments[plan->links[node->interfaces[0].link].segment];
		if (!plan_has_subnet(segment, (enum ip_family)i))
			continue;
		text_append(text, "<br/><font point-size=\"10\">%s</font>",
			IP_PREFIX_TEXT(segment->subnets[i]));
		any = true;
	}
	if (!any)
		text_append(text, "<br/><font point-size=\"10\">no subnet</font>");
}

static void describe_node(const struct plan *plan, size_t index, struct text *text)
{
	const struct plan_node *node = &plan->nodes[index];
	static const char *const looks[] = {
		[NODE_HOST] = "shape=box, fillcolor=\"#e8f1fa\", color=\"#3b6ea5\"",
		[NODE_ROUTER] =
			"shape=circle, fillcolor=\"#fdf1dc\", color=\"#b7791f\", margin=0.02",
		[NODE_SWITCH] =
			"shape=box, style=\"filled,rounded\", fillcolor=\"#eeeeee\", color=gray45",
	};
	text_append(text, "\tn%zu [%s, label=<<b>%s</b>", index, looks[node->node->kind],
		node->node->name);
	if (node->node->kind == NODE_SWITCH)
		describe_subnets(plan, node, text);
	for (size_t i = 0; i < node->process_count; i++)
		text_append(text, "<br/><font point-size=\"10\" color=\"#555555\">%s</font>",
			node->processes[i].spec->name);
	text_append(text, ">];\n");
}

/* How far each node is from where the drawing begins: ranks grow along the way packets go. */
static int picture_ranks(const struct plan *plan, size_t *ranks)
{
	CLEANUP(free_pointer) size_t *queue = calloc(plan->node_count + 1, sizeof(*queue));
	CLEANUP(free_pointer) bool *seen = calloc(plan->node_count + 1, sizeof(*seen));
	if (!queue || !seen)
		return -ENOMEM;
	size_t start = 0;
	while (start < plan->node_count &&
		(plan->nodes[start].node->kind != NODE_HOST || !plan->nodes[start].process_count))
		start++;
	/* A host that serves, where there is one; then whatever is not connected to it. */
	for (size_t i = 0; i <= plan->node_count; i++) {
		size_t root = i == 0 ? start : i - 1, queued = 1;
		if (root == plan->node_count || seen[root])
			continue;
		queue[0] = root;
		seen[root] = true;
		for (size_t at = 0; at < queued; at++) {
			const struct plan_node *node = &plan->nodes[queue[at]];
			for (size_t j = 0; j < node->interface_count; j++) {
				const struct plan_interface *interface = &node->interfaces[j];
				size_t peer =
					plan->links[interface->link].ends[!interface->end].node;
				if (seen[peer])
					continue;
				seen[peer] = true;
				ranks[peer] = ranks[queue[at]] + 1;
				queue[queued++] = peer;
			}
		}
	}
	return 0;
}

static void describe_end(const struct plan *plan, const struct plan_end *end, struct text *text)
{
	const struct plan_node *node = &plan->nodes[end->node];
	const struct plan_interface *interface = &node->interfaces[end->interface];
	if (node->node->kind == NODE_SWITCH)
		return;
	text_append(text, " %s", plan_shown_name(interface));
	if (plan_has_address(interface, IPV4) || plan_has_address(interface, IPV6))
		text_append(text, "<br/>");
	plan_append_addresses(interface, "<br/>", text);
	text_append(text, " ");
}

/* A group's links are drawn once, by its first node: `drawn` are the nodes that stand for
 * themselves. */
static void describe_links(
	const struct plan *plan, const bool *drawn, const size_t *ranks, struct text *text)
{
	for (size_t i = 0; i < plan->link_count; i++) {
		const struct plan_end *first = &plan->links[i].ends[0],
				      *second = &plan->links[i].ends[1];
		if (!drawn[first->node] || !drawn[second->node])
			continue;
		if (ranks[first->node] > ranks[second->node]) {
			const struct plan_end *swapped = first;
			first = second;
			second = swapped;
		}
		text_append(text, "\tn%zu -- n%zu [label=<", first->node, second->node);
		describe_end(plan, first, text);
		if (plan->nodes[first->node].node->kind != NODE_SWITCH &&
			plan->nodes[second->node].node->kind != NODE_SWITCH)
			text_append(text, "<br/>&#8211;<br/>");
		describe_end(plan, second, text);
		text_append(text, ">];\n");
	}
}

void picture_describe(const struct plan *plan, struct text *text)
{
	CLEANUP(free_pointer) bool *drawn = calloc(plan->node_count + 1, sizeof(*drawn));
	CLEANUP(free_pointer) size_t *ranks = calloc(plan->node_count + 1, sizeof(*ranks));
	if (!drawn || !ranks || picture_ranks(plan, ranks) < 0) {
		text->failed = true;
		return;
	}
	text_append(text,
		"graph \"%s\" {\n"
		"\tgraph [rankdir=LR, ranksep=0.3, nodesep=0.35, bgcolor=white, pad=0.2];\n"
		"\tnode [fontname=\"DejaVu Sans\", fontsize=13, style=filled, "
		"fillcolor=\"#e8f1fa\", "
		"color=\"#3b6ea5\", margin=\"0.18,0.1\"];\n"
		"\tedge [fontname=\"DejaVu Sans\", fontsize=10, color=\"#666666\"];\n",
		plan->topology->name);
	for (size_t i = 0; i < plan->node_count;) {
		size_t length = group_length(plan, i);
		if (length > 1)
			describe_group(plan, i, length, text);
		else
			describe_node(plan, i, text);
		drawn[i] = true;
		i += length;
	}
	describe_links(plan, drawn, ranks, text);
	text_append(text, "}\n");
}

/* Dies with sim; what it has to say, of fonts mostly, is nothing a run's reader can use. */
static _Noreturn void dot_main(const char *source, const char *target)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGINT, SIG_IGN); /* Ctrl-C is for sim */
	int nothing = open("/dev/null", O_RDWR);
	dup2(nothing, STDIN_FILENO);
	dup2(nothing, STDOUT_FILENO);
	dup2(nothing, STDERR_FILENO);
	close_range(STDERR_FILENO + 1, ~0U, 0);
	execlp("dot", "dot", "-Tsvg", "-o", target, source, (char *)NULL);
	_exit(127);
}

int picture_start(const struct plan *plan, const struct folder *run, struct picture *ret_picture,
	struct error *error)
{
	CLEANUP(text_finish) struct text text = {0};
	CLEANUP(free_pointer) char *source = folder_path(run, "topology.dot");
	CLEANUP(free_pointer) char *target = folder_fresh(run, "topology.svg");
	*ret_picture = PICTURE_NONE;
	picture_describe(plan, &text);
	int status = folder_write(run, "topology.dot", &text, error);
	if (status < 0)
		return status;
	if (!source || !target)
		return error_set(error, -ENOMEM, "out of memory");
	ret_picture->dot = fork();
	if (ret_picture->dot < 0)
		return error_system(error, -errno, "cannot create a process");
	if (ret_picture->dot == 0)
		dot_main(source, target);
	ret_picture->fd = (int)syscall(SYS_pidfd_open, ret_picture->dot, 0);
	return 0;
}

void picture_cancel(struct picture *picture)
{
	if (picture->dot > 0)
		kill(picture->dot, SIGKILL);
	picture_finish(picture);
}

void picture_finish(struct picture *picture)
{
	int status = 0;
	pid_t ended;
	if (picture->dot <= 0)
		return;
	do
		ended = waitpid(picture->dot, &status, 0);
	while (ended < 0 && errno == EINTR);
	picture->drawn = ended == picture->dot && WIFEXITED(status) && WEXITSTATUS(status) == 0;
	picture->dot = 0;
	close_fd(&picture->fd);
}
