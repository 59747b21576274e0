#include "results/picture.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/cleanup.h"

extern char **environ;

enum { GROUP_LEAST = 4 };

/* A host with one interface, without address and process of its own: like its neighbours. */
static bool is_plain(const struct plan *plan, const struct plan_node *node)
{
	if (node->node->kind != NODE_HOST || node->interface_count != 1 || node->process_count ||
		node->interfaces[0].has_ipv4)
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
		"\tn%zu [shape=box3d, label=<<b>%s</b> &#8230; <b>%s</b><br/><font "
		"point-size=\"10\" "
		"color=\"#555555\">%zu hosts, address by DHCP</font>>];\n"
		"\tn%zu -- n%zu [penwidth=2, taillabel=<<font point-size=\"10\">eth0</font>>];\n",
		index, plan->nodes[index].node->name, plan->nodes[index + length - 1].node->name,
		length, index, plain_peer(plan, &plan->nodes[index]));
}

static const char *segment_subnet(
	const struct plan *plan, size_t node, char text[static PREFIX_TEXT_SIZE])
{
	for (size_t i = 0; i < plan->nodes[node].interface_count; i++) {
		const struct plan_segment *segment =
			&plan->segments[plan->links[plan->nodes[node].interfaces[i].link].segment];
		if (segment->has_ipv4)
			return prefix_format(segment->ipv4, text);
	}
	return "no subnet";
}

static void describe_node(const struct plan *plan, size_t index, struct text *text)
{
	const struct plan_node *node = &plan->nodes[index];
	char subnet[PREFIX_TEXT_SIZE];
	static const char *const looks[] = {
		[NODE_HOST] = "shape=box, fillcolor=\"#e8f1fa\", color=\"#3b6ea5\"",
		[NODE_ROUTER] =
			"shape=circle, fillcolor=\"#fdf1dc\", color=\"#b7791f\", margin=0.02",
		[NODE_SWITCH] = "shape=box, style=\"filled,rounded\", fillcolor=\"#eeeeee\", "
				"color=\"#777777\"",
	};
	text_append(text, "\tn%zu [%s, label=<<b>%s</b>", index, looks[node->node->kind],
		node->node->name);
	if (node->node->kind == NODE_SWITCH)
		text_append(text, "<br/><font point-size=\"10\">%s</font>",
			segment_subnet(plan, index, subnet));
	for (size_t i = 0; i < node->process_count; i++)
		text_append(text, "<br/><font point-size=\"10\" color=\"#555555\">%s</font>",
			node->processes[i].spec->name);
	text_append(text, ">];\n");
}

static void describe_end(
	const struct plan *plan, const struct plan_end *end, const char *which, struct text *text)
{
	const struct plan_node *node = &plan->nodes[end->node];
	const struct plan_interface *interface = &node->interfaces[end->interface];
	if (node->node->kind == NODE_SWITCH)
		return;
	text_append(text, "%slabel=<<font point-size=\"10\">%s<br/>%s</font>>, ", which,
		interface->name, interface->has_ipv4 ? PREFIX_TEXT(interface->ipv4) : "no address");
}

/* Links of nodes that stand alone; a group draws its own. */
static void describe_links(const struct plan *plan, const bool *grouped, struct text *text)
{
	for (size_t i = 0; i < plan->link_count; i++) {
		const struct plan_link *link = &plan->links[i];
		if (grouped[link->ends[0].node] || grouped[link->ends[1].node])
			continue;
		text_append(text, "\tn%zu -- n%zu [", link->ends[0].node, link->ends[1].node);
		describe_end(plan, &link->ends[0], "tail", text);
		describe_end(plan, &link->ends[1], "head", text);
		text_append(text, "];\n");
	}
}

void picture_describe(const struct plan *plan, struct text *text)
{
	CLEANUP(free_pointer) bool *grouped = calloc(plan->node_count + 1, sizeof(*grouped));
	if (!grouped) {
		text->failed = true;
		return;
	}
	text_append(text,
		"graph \"%s\" {\n"
		"\tgraph [rankdir=LR, ranksep=1.5, nodesep=0.4, bgcolor=white, fontname=\"DejaVu "
		"Sans\"];\n"
		"\tnode [fontname=\"DejaVu Sans\", fontsize=13, style=filled, "
		"fillcolor=\"#e8f1fa\", "
		"color=\"#3b6ea5\", margin=\"0.18,0.1\"];\n"
		"\tedge [fontname=\"DejaVu Sans\", color=\"#666666\", labeldistance=2.6, "
		"labelangle=-28];\n",
		plan->topology->name);
	for (size_t i = 0; i < plan->node_count;) {
		size_t length = group_length(plan, i);
		if (length > 1)
			describe_group(plan, i, length, text);
		else
			describe_node(plan, i, text);
		for (size_t j = 0; length > 1 && j < length; j++)
			grouped[i + j] = true;
		i += length;
	}
	describe_links(plan, grouped, text);
	text_append(text, "}\n");
}

int picture_start(const struct plan *plan, const struct folder *run, struct picture *ret_picture,
	struct error *error)
{
	CLEANUP(text_finish) struct text text = {0};
	CLEANUP(free_pointer) char *source = folder_path(run, "topology.dot");
	CLEANUP(free_pointer) char *target = folder_path(run, "topology.svg");
	*ret_picture = (struct picture){0};
	picture_describe(plan, &text);
	int status = folder_write(run, "topology.dot", &text, error);
	if (status < 0)
		return status;
	if (!source || !target)
		return error_set(error, -ENOMEM, "out of memory");
	char *const words[] = {"dot", "-Tsvg", "-o", target, source, NULL};
	posix_spawn_file_actions_t actions;
	if (posix_spawn_file_actions_init(&actions) != 0)
		return error_set(error, -ENOMEM, "out of memory");
	/* What it has to say about fonts is nothing a run's reader can use. */
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (posix_spawnp(&ret_picture->dot, "dot", &actions, NULL, words, environ) != 0)
		ret_picture->dot = 0;
	posix_spawn_file_actions_destroy(&actions);
	return 0;
}

void picture_finish(struct picture *picture)
{
	int status = 0;
	pid_t ended;
	if (!picture->dot)
		return;
	do
		ended = waitpid(picture->dot, &status, 0);
	while (ended < 0 && errno == EINTR);
	picture->drawn = ended == picture->dot && WIFEXITED(status) && WEXITSTATUS(status) == 0;
	picture->dot = 0;
}
