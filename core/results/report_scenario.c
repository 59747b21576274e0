/* One scenario of report.md. */
#include <string.h>

#include "base/cleanup.h"
#include "results/report_parts.h"

enum { ROWS_MOST = 60, NAMES_MOST = 128, LINES_MOST = 40 };

/* "client1: run `dhcp-client --once`", or the step's own name. */
static void append_step(struct text *text, const struct step_result *result)
{
	const struct step *step = result->step;
	bool command = step && (step->kind == STEP_RUN || step->kind == STEP_START);
	if (!command || step->name || strpbrk(step->object, "`\n")) {
		report_cell(text, result->description);
		return;
	}
	report_cell(text, step->nodes_written_as);
	text_append(text, ": %s `", step_kind_names[step->kind]);
	for (const char *at = step->object; *at; at++)
		text_append(text, *at == '|' ? "\\%c" : "%c", *at);
	text_append(text, "`");
}

static void report_steps(const struct scenario_result *result, struct text *text)
{
	text_append(text, "### Steps\n\n| at (s) | step | expected | seen | |\n"
			  "|--:|---|---|---|---|\n");
	for (size_t i = 0; i < result->step_count; i++) {
		const struct step_result *step = &result->steps[i];
		text_append(
			text, "| %.3f | ", report_seconds(result->started_ns, step->started_ns));
		append_step(text, step);
		text_append(text, " | ");
		report_cell(text, step->expected);
		text_append(text, " | ");
		report_cell(text, step->seen);
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
		report_cell(text, names[i].name);
	}
	text_append(text, "%s.\n\n", name_count ? "" : "none");
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
				dhcp_is_about(&plan->nodes[i], message))
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

static void report_messages(
	const struct run_result *run, const struct scenario_result *result, struct text *text)
{
	size_t rows = 0, count = 0;
	if (!run->plan->topology->capture)
		return;
	text_append(text, "### Messages\n\n");
	report_leases(run->plan, result, text);
	report_message_counts(result, text);
	for (size_t i = 0; i < result->message_count; i++) {
		const struct fact *fact = &result->messages[i];
		if (fact->message.protocol == FACT_TCP || count++ >= ROWS_MOST)
			continue;
		if (rows++ == 0)
			text_append(text, REPORT_MESSAGE_HEAD "|\n|--:|--:|---|---|---|\n");
		report_message(run->plan, result, fact, text);
		text_append(text, "|\n");
	}
	if (count > rows)
		text_append(text,
			"\nThe first %zu of %zu messages; all are in "
			"[messages.jsonl](%s/messages.jsonl).\n",
			rows, count, result->scenario->name);
	text_append(text, "\n");
}

/* Indented, so that nothing in it means anything to Markdown. */
static void append_lines(struct text *text, const char *output)
{
	CLEANUP(free_pointer) char *clean = text_sanitize(output, strlen(output));
	size_t lines = 0;
	for (const char *at = clean ? clean : ""; *at && lines < LINES_MOST; lines++) {
		size_t length = strcspn(at, "\n");
		text_append(text, "    %.*s\n", (int)length, at);
		at += length + (at[length] == '\n');
		if (*at && lines + 1 == LINES_MOST)
			text_append(text, "    ...\n");
	}
	text_append(text, "\n");
}

static void report_shown(const struct scenario_result *result, struct text *text)
{
	bool first = true;
	for (size_t i = 0; i < result->step_count; i++) {
		const struct step_result *step = &result->steps[i];
		if (!step->shown)
			continue;
		if (first)
			text_append(text, "### What was printed\n\n");
		first = false;
		text_append(text, "%.3f s: ", report_seconds(result->started_ns, step->started_ns));
		append_step(text, step);
		text_append(text, "\n\n");
		append_lines(text, step->shown);
	}
}

static void report_explanation(const struct scenario_result *result, struct text *text)
{
	if (!result->scenario->explains)
		return;
	text_append(
		text, "> **%s** ", result->held ? "What was seen." : "What is seen when it holds.");
	report_cell(text, result->scenario->explains);
	text_append(text, "\n\n");
}

static void report_files(
	const struct run_result *run, const struct scenario_result *result, struct text *text)
{
	const char *name = result->scenario->name;
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
		"[kernel events](%s/events.jsonl), [logs](%s/logs), [result](%s/result.json). "
		"The topology was built in %.1f ms.\n\n",
		name, name, name, (double)result->build_ns / 1e6);
}

static void report_notes(const struct scenario_result *result, struct text *text)
{
	for (size_t i = 0; i < result->note_count; i++) {
		text_append(text, "- **Note**: ");
		report_cell(text, result->notes[i]);
		text_append(text, ".\n%s", i + 1 == result->note_count ? "\n" : "");
	}
}

void report_scenario(
	const struct run_result *run, const struct scenario_result *result, struct text *text)
{
	text_append(text, "## %s\n\n**%s**: %s.\n\n", result->scenario->name,
		result->scenario->title, report_verdict(result));
	if (result->scenario->description)
		text_append(text, "%s\n\n", result->scenario->description);
	report_explanation(result, text);
	report_evidence(run, result, text);
	report_shown(result, text);
	report_connections(result, text);
	report_steps(result, text);
	report_notes(result, text);
	report_messages(run, result, text);
	report_files(run, result, text);
}
