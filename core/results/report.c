/* report.md: a run for people. */
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "results/html.h"
#include "results/report_parts.h"

void report_cell(struct text *text, const char *cell)
{
	/* NULL: there was no memory for it when it was made. */
	CLEANUP(free_pointer) char *clean = cell ? text_sanitize(cell, strlen(cell)) : NULL;
	for (const char *at = clean ? clean : ""; *at; at++) {
		if (*at == '\n') {
			text_append(text, " ");
			continue;
		}
		if (strchr("|\\`*_<>[]", *at))
			text_append(text, "\\");
		text_append_bytes(text, at, 1);
	}
}

double report_seconds(uint64_t from_ns, uint64_t to_ns)
{
	return to_ns > from_ns ? (double)(to_ns - from_ns) / 1e9 : 0.0;
}

static void report_heading(const struct run_result *run, struct text *text)
{
	const struct topology *topology = run->plan->topology;
	char started[32];
	struct utsname system;
	uname(&system);
	text_append(text, "# %s\n\n", topology->title ? topology->title : topology->name);
	text_append(text,
		"**%zu of %zu scenarios held%s.** Run of topology `%s` on %s, %.2f s in all, by "
		"sim %s "
		"on Linux %s %s.\n\n",
		run->scenarios_held, run->scenario_count,
		run->interrupted ? "; the run was interrupted" : "", topology->name,
		time_shown(run->started_ns, started),
		report_seconds(run->started_ns, run->ended_ns), run->version, system.release,
		run->as_root ? "as root" : "in a user namespace, without root");
	if (run->refused)
		text_append(text, "**The run could not go on:** %s\n\n", run->refused);
	if (topology->description)
		text_append(text, "%s\n\n", topology->description);
	if (topology->variable_count) {
		text_append(text, "| parameter | value |\n|---|---|\n");
		for (size_t i = 0; i < topology->variable_count; i++) {
			text_append(text, "| `%s` | ", topology->variables[i].name);
			report_cell(text, topology->variables[i].value);
			text_append(text, " |\n");
		}
		text_append(text, "\n");
	}
}

/* One interface, whose address nothing has decided. */
static bool has_one_unplanned(const struct plan_node *node)
{
	return node->interface_count == 1 && !plan_has_address(&node->interfaces[0], IPV4) &&
	       !plan_has_address(&node->interfaces[0], IPV6);
}

/* How many nodes from here on differ in nothing but their number and hardware address. */
static size_t alike(const struct plan *plan, size_t first)
{
	const struct plan_node *node = &plan->nodes[first];
	size_t count = 1;
	if (!has_one_unplanned(node))
		return 1;
	while (first + count < plan->node_count) {
		const struct plan_node *next = &plan->nodes[first + count];
		if (strcmp(next->node->written_as, node->node->written_as) != 0 ||
			!has_one_unplanned(next) ||
			strcmp(next->interfaces[0].name, node->interfaces[0].name) != 0)
			break;
		count++;
	}
	return count;
}

static void append_node(const struct plan *plan, size_t first, size_t count, struct text *text)
{
	const struct plan_node *node = &plan->nodes[first];
	const struct plan_node *last = &plan->nodes[first + count - 1];
	for (size_t i = 0; node->node->kind != NODE_SWITCH && i < node->interface_count; i++) {
		const struct plan_interface *interface = &node->interfaces[i];
		const struct plan_end *peer = &plan->links[interface->link].ends[!interface->end];
		text_append(text, "| ");
		report_cell(text, node->node->name);
		if (count > 1)
			text_append(text, " \u2026 %s", last->node->name);
		text_append(text, " | %s | %s | %s", node_kind_names[node->node->kind],
			plan_shown_name(interface), MAC_TEXT(interface->mac));
		if (count > 1)
			text_append(text, " \u2026 %s", MAC_TEXT(last->interfaces[i].mac));
		text_append(text, " | ");
		if (!plan_append_addresses(interface, ", ", text))
			text_append(text, "at run time");
		text_append(text, " | %s |\n", plan->nodes[peer->node].node->name);
	}
}

static void report_addresses(const struct run_result *run, struct text *text)
{
	const struct plan *plan = run->plan;
	text_append(text, "## Topology\n\n");
	if (run->has_picture)
		text_append(text, "![The topology](topology.svg)\n\n");
	else
		text_append(text, "(No picture: Graphviz's `dot` is not installed or failed; "
				  "`topology.dot` is its "
				  "source.)\n\n");
	text_append(text,
		"| node | kind | interface | hardware address | %s | linked to |\n"
		"|---|---|---|---|---|---|\n",
		plan_uses(plan, IPV6) ? "addresses" : "IPv4 address");
	for (size_t i = 0; i < plan->node_count; i += alike(plan, i))
		append_node(plan, i, alike(plan, i), text);
	text_append(text, "\n");
}

const char *report_verdict(const struct scenario_result *result)
{
	return result->interrupted ? "interrupted" : result->held ? "held" : "**failed**";
}

static void report_verdicts(const struct run_result *run, struct text *text)
{
	text_append(text, "## Verdicts\n\n| scenario | what it shows | verdict | seconds "
			  "|\n|---|---|---|--:|\n");
	for (size_t i = 0; i < run->scenario_count; i++) {
		const struct scenario_result *result = &run->scenarios[i];
		text_append(text, "| [%s](#%s) | ", result->scenario->name, result->scenario->name);
		report_cell(text, result->scenario->title);
		text_append(text, " | %s | %.2f |\n", report_verdict(result),
			report_seconds(result->started_ns, result->ended_ns));
	}
	text_append(text, "\n");
}

int report_write(const struct run_result *run, const struct folder *folder, struct error *error)
{
	CLEANUP(text_finish) struct text text = {0};
	report_heading(run, &text);
	report_verdicts(run, &text);
	report_addresses(run, &text);
	for (size_t i = 0; i < run->scenario_count; i++)
		report_scenario(run, &run->scenarios[i], &text);
	int status = folder_write(folder, "report.md", &text, error);
	if (status < 0)
		return status;
	const struct topology *topology = run->plan->topology;
	CLEANUP(text_finish) struct text page = {.failed = text.failed};
	html_page(text_view(&text), topology->title ? topology->title : topology->name, &page);
	return folder_write(folder, "report.html", &page, error);
}
