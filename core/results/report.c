/* report.md: a run for people. */
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "results/run.h"

enum { ROWS_MOST = 60, NAMES_MOST = 128 };

/* Text for a cell of a Markdown table: what would end the cell or mean something is escaped. */
static void append_cell(struct text *text, const char *cell)
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

static double seconds_between(uint64_t from_ns, uint64_t to_ns)
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
		seconds_between(run->started_ns, run->ended_ns), run->version, system.release,
		run->as_root ? "as root" : "in a user namespace, without root");
	if (run->refused)
		text_append(text, "**The run could not go on:** %s\n\n", run->refused);
	if (topology->description)
		text_append(text, "%s\n\n", topology->description);
	if (topology->variable_count) {
		text_append(text, "| parameter | value |\n|---|---|\n");
		for (size_t i = 0; i < topology->variable_count; i++) {
			text_append(text, "| `%s` | ", topology->variables[i].name);
			append_cell(text, topology->variables[i].value);
			text_append(text, " |\n");
		}
		text_append(text, "\n");
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
	for (size_t i = 0; i < plan->node_count; i++) {
		const struct plan_node *node = &plan->nodes[i];
		for (size_t j = 0; node->node->kind != NODE_SWITCH && j < node->interface_count;
			j++) {
			const struct plan_interface *interface = &node->interfaces[j];
			const struct plan_end *peer =
				&plan->links[interface->link].ends[!interface->end];
			text_append(text, "| %s | %s | %s | %s | ", node->node->name,
				node_kind_names[node->node->kind], plan_shown_name(interface),
				MAC_TEXT(interface->mac));
			if (!plan_append_addresses(interface, ", ", text))
				text_append(text, "at run time");
			text_append(text, " | %s |\n", plan->nodes[peer->node].node->name);
		}
	}
	text_append(text, "\n");
}

static const char *verdict_word(const struct scenario_result *result)
{
	return result->interrupted ? "interrupted" : result->held ? "held" : "**failed**";
}

static void report_verdicts(const struct run_result *run, struct text *text)
{
	text_append(text, "## Verdicts\n\n| scenario | what it shows | verdict | seconds "
			  "|\n|---|---|---|---|\n");
	for (size_t i = 0; i < run->scenario_count; i++) {
		const struct scenario_result *result = &run->scenarios[i];
		text_append(text, "| [%s](#%s) | ", result->scenario->name, result->scenario->name);
		append_cell(text, result->scenario->title);
		text_append(text, " | %s | %.2f |\n", verdict_word(result),
			seconds_between(result->started_ns, result->ended_ns));
	}
	text_append(text, "\n");
}

/* "client1: run `dhcp-client --once`", or the step's own name. */
static void append_step(struct text *text, const struct step_result *result)
{
	const struct step *step = result->step;
	bool command = step && (step->kind == STEP_RUN || step->kind == STEP_START);
	if (!command || step->name || strpbrk(step->object, "`\n")) {
		append_cell(text, result->description);
		return;
	}
	append_cell(text, step->nodes_written_as);
	text_append(text, ": %s `", step_kind_names[step->kind]);
	for (const char *at = step->object; *at; at++)
		text_append(text, *at == '|' ? "\\%c" : "%c", *at);
	text_append(text, "`");
}

static void report_steps(const struct scenario_result *result, struct text *text)
{
	text_append(text, "| at (s) | step | expected | seen | |\n|---|---|---|---|---|\n");
	for (size_t i = 0; i < result->step_count; i++) {
		const struct step_result *step = &result->steps[i];
		text_append(
			text, "| %.3f | ", seconds_between(result->started_ns, step->started_ns));
		append_step(text, step);
		text_append(text, " | ");
		append_cell(text, step->expected);
		text_append(text, " | ");
		append_cell(text, step->seen);
		text_append(text, " | %s |\n", step->held ? "held" : "**failed**");
	}
	if (scenario_result_tried(result) < result->scenario->step_count)
		text_append(text, "\nThe remaining steps were not tried.\n");
	const struct step_result *failure = scenario_result_failure(result);
	if (failure && failure->log)
		text_append(text, "\nRead first: [%s](%s/%s)\n", failure->log,
			result->scenario->name, failure->log);
	text_append(text, "\n");
}

/* How often each message was sent, in the order of first appearance. */
static void report_message_counts(const struct scenario_result *result, struct text *text)
{
	struct {
		const char *name;
		size_t count;
	} names[NAMES_MOST];
	size_t name_count = 0;
	for (size_t i = 0; i < result->message_count; i++) {
		if (result->messages[i].message.protocol == FACT_TCP)
			continue;
		const char *name = result->messages[i].message.name;
		size_t at = 0;
		while (at < name_count && strcmp(names[at].name, name) != 0)
			at++;
		if (at == NAMES_MOST)
			continue;
		if (at == name_count) {
			names[name_count].name = name;
			names[name_count++].count = 0;
		}
		names[at].count++;
	}
	text_append(text, "Messages sent: ");
	for (size_t i = 0; i < name_count; i++) {
		text_append(text, "%s%zu \u00d7 ", i ? ", " : "", names[i].count);
		append_cell(text, names[i].name);
	}
	text_append(text, "%s.\n\n", name_count ? "" : "none");
}

static bool has_mac(const struct plan_node *node, struct mac mac)
{
	for (size_t i = 0; i < node->interface_count; i++)
		if (mac_equal(node->interfaces[i].mac, mac))
			return true;
	return false;
}

/* Which node was given which address last: what the plan could only call "at run time". */
static void report_leases(
	const struct plan *plan, const struct scenario_result *result, struct text *text)
{
	size_t count = 0;
	for (size_t i = 0; i < plan->node_count; i++) {
		const struct fact_message *last = NULL;
		for (size_t j = 0; j < result->message_count; j++) {
			const struct fact_message *message = &result->messages[j].message;
			if (message->protocol == FACT_DHCP &&
				strcmp(message->name, "DHCPACK") == 0 &&
				!ipv4_is_none(message->dhcp.yiaddr) &&
				has_mac(&plan->nodes[i], message->dhcp.chaddr))
				last = message;
		}
		if (!last)
			continue;
		text_append(text, "%s%s %s",
			count++ ? ", " : "Addresses leased: ", plan->nodes[i].node->name,
			IPV4_TEXT(last->dhcp.yiaddr));
	}
	if (count)
		text_append(text, ".\n\n");
}

static void append_dhcp(struct text *text, const struct fact_dhcp *dhcp)
{
	text_append(text, "xid 0x%08x, %s", dhcp->xid, MAC_TEXT(dhcp->chaddr));
	const struct {
		const char *name;
		struct ipv4 address;
	} addresses[] = {{"ciaddr", dhcp->ciaddr}, {"yiaddr", dhcp->yiaddr},
		{"giaddr", dhcp->giaddr}, {"requested", dhcp->requested}, {"server", dhcp->server}};
	for (size_t i = 0; i < ARRAY_LENGTH(addresses); i++)
		if (!ipv4_is_none(addresses[i].address))
			text_append(text, ", %s %s", addresses[i].name,
				IPV4_TEXT(addresses[i].address));
	if (dhcp->has_lease)
		text_append(text, ", lease %u s", dhcp->lease_seconds);
}

static void report_messages(
	const struct run_result *run, const struct scenario_result *result, struct text *text)
{
	if (!run->plan->topology->capture)
		return;
	report_leases(run->plan, result, text);
	report_message_counts(result, text);
	if (!result->message_count)
		return;
	text_append(
		text, "| at (s) | sent at | from | to | message | |\n|---|---|---|---|---|---|\n");
	size_t rows = 0, count = 0;
	for (size_t i = 0; i < result->message_count; i++) {
		const struct fact *fact = &result->messages[i];
		const struct fact_message *message = &fact->message;
		if (message->protocol == FACT_TCP || count++ >= ROWS_MOST)
			continue;
		rows++;
		text_append(text, "| %.3f | %s | %s:%u | %s:%u | ",
			seconds_between(result->started_ns, fact->time_ns),
			run->plan->links[fact->index].name, IPV4_TEXT(message->source.address),
			message->source.port, IPV4_TEXT(message->destination.address),
			message->destination.port);
		append_cell(text, message->name);
		text_append(text, " | ");
		if (message->protocol == FACT_DHCP)
			append_dhcp(text, &message->dhcp);
		else
			append_cell(text, message->detail);
		text_append(text, " |\n");
	}
	if (count > rows)
		text_append(text,
			"\nThe first %zu of %zu messages; all are in "
			"[messages.jsonl](%s/messages.jsonl).\n",
			rows, count, result->scenario->name);
	text_append(text, "\n");
}

static void report_scenario(
	const struct run_result *run, const struct scenario_result *result, struct text *text)
{
	const char *name = result->scenario->name;
	text_append(text, "## %s\n\n**%s**: %s. ", name, result->scenario->title,
		result->interrupted ? "interrupted"
		: result->held	    ? "held"
				    : "failed");
	text_append(text, "The topology was built in %.1f ms.\n\n", (double)result->build_ns / 1e6);
	if (result->scenario->description)
		text_append(text, "%s\n\n", result->scenario->description);
	report_steps(result, text);
	report_messages(run, result, text);
	text_append(text, "Evidence: ");
	if (run->plan->topology->capture) {
		text_append(text, "[capture](%s/capture.pcapng) (%llu frames", name,
			(unsigned long long)result->frames);
		if (result->frames_lost || result->frames_unwritten)
			text_append(text, ", %llu lost, %llu over the limit",
				(unsigned long long)result->frames_lost,
				(unsigned long long)result->frames_unwritten);
		text_append(text, "), [messages](%s/messages.jsonl), ", name);
	}
	text_append(text,
		"[kernel events](%s/events.jsonl), [logs](%s/logs), [result](%s/result.json).\n\n",
		name, name, name);
}

int report_write(const struct run_result *run, const struct folder *folder, struct error *error)
{
	CLEANUP(text_finish) struct text text = {0};
	report_heading(run, &text);
	report_verdicts(run, &text);
	report_addresses(run, &text);
	for (size_t i = 0; i < run->scenario_count; i++)
		report_scenario(run, &run->scenarios[i], &text);
	return folder_write(folder, "report.md", &text, error);
}
