/* What proves a scenario: the frames its steps have counted, and the TCP connections. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "results/connections.h"
#include "results/report_parts.h"
#include "scenario/selection.h"

enum { FRAMES_A_STEP = 8, CONNECTIONS_MOST = 24 };

/* A frame, and the step that it proves. */
struct exhibit {
	const struct fact *fact;
	const struct step_result *step;
};

struct exhibits {
	struct exhibit *list;
	size_t count;
	size_t more; /* there were, of the same kind */
};

static bool is_exhibited(const struct exhibits *exhibits, const struct fact *fact)
{
	for (size_t i = 0; i < exhibits->count; i++)
		if (exhibits->list[i].fact == fact)
			return true;
	return false;
}

/* Fails when memory is gone. */
static bool collect_step(const struct plan *plan, const struct scenario_result *result,
	const struct step_result *step, struct exhibits *exhibits)
{
	size_t count = 0;
	for (size_t i = 0; i < result->message_count; i++) {
		const struct fact *fact = &result->messages[i];
		/* What came later was not counted. */
		if (fact->time_ns > step->ended_ns || !selection_fits(plan, step->step, fact) ||
			is_exhibited(exhibits, fact))
			continue;
		if (count++ >= FRAMES_A_STEP) {
			exhibits->more++;
			continue;
		}
		struct exhibit *exhibit = array_add(&exhibits->list, &exhibits->count);
		if (!exhibit)
			return false;
		*exhibit = (struct exhibit){fact, step};
	}
	return true;
}

static int exhibit_order(const void *a, const void *b)
{
	const struct fact *first = ((const struct exhibit *)a)->fact;
	const struct fact *second = ((const struct exhibit *)b)->fact;
	return first < second ? -1 : first > second;
}

static void append_exhibit(const struct plan *plan, const struct scenario_result *result,
	const struct exhibit *exhibit, struct text *text)
{
	report_message(plan, result, exhibit->fact, text);
	text_append(text, "| ");
	report_cell(text, exhibit->step->description);
	text_append(text, "%s |\n", exhibit->step->held ? "" : " (**failed**)");
}

void report_evidence(
	const struct run_result *run, const struct scenario_result *result, struct text *text)
{
	struct exhibits exhibits = {0};
	bool whole = true;
	for (size_t i = 0; whole && i < result->step_count; i++) {
		const struct step_result *step = &result->steps[i];
		if (step->step && step->step->kind == STEP_MESSAGES)
			whole = collect_step(run->plan, result, step, &exhibits);
	}
	text->failed |= !whole;
	CLEANUP(free_pointer) struct exhibit *list = exhibits.list;
	if (!exhibits.count)
		return;
	qsort(list, exhibits.count, sizeof(*list), exhibit_order);
	text_append(text, "### %s\n\n" REPORT_MESSAGE_HEAD "| shows |\n|--:|--:|---|---|---|---|\n",
		result->held ? "The frames that prove it" : "The frames that were counted");
	for (size_t i = 0; i < exhibits.count; i++)
		append_exhibit(run->plan, result, &list[i], text);
	if (exhibits.more)
		text_append(
			text, "\n%zu more of the same kind are left out here.\n", exhibits.more);
	text_append(text,
		"\nIn Wireshark, in [capture.pcapng](%s/capture.pcapng): "
		"`frame.number == %llu`.\n\n",
		result->scenario->name, (unsigned long long)list[0].fact->message.frame);
}

static void append_frame(struct text *text, const char *before, const struct fact *fact)
{
	if (fact)
		text_append(text, "%s%s %llu", before, fact->message.name,
			(unsigned long long)fact->message.frame);
}

/* "227 in frame 34: 161 * 256 + 223 = 41439" */
static void append_announcement(const struct connection *connection, struct text *text)
{
	const struct fact_message *syn = &connection->syn->message;
	const struct fact *by = connection->announced;
	if (!by) {
		text_append(text, "port %u is the server's own", syn->destination.port);
		return;
	}
	const char *name = by->message.name;
	text_append(
		text, "told by %s in frame %llu: ", name, (unsigned long long)by->message.frame);
	if (strcmp(name, "227") == 0 || strcmp(name, "PORT") == 0)
		text_append(text, "%u \u00d7 256 + %u = %u", syn->destination.port >> 8,
			syn->destination.port & 255, syn->destination.port);
	else
		text_append(text, "port %u", syn->destination.port);
}

/* "69 bytes", of the FIN that a side has sent. */
static void append_sent(const struct connection *connection, bool by_client, struct text *text)
{
	for (size_t i = 0; i < connection->closing_count; i++) {
		const struct fact_message *message = &connection->closing[i]->message;
		bool from_client =
			fact_endpoint_equal(message->source, connection->syn->message.source);
		if (from_client != by_client || strcmp(message->name, "FIN") != 0)
			continue;
		const char *space = strchr(message->detail, ' ');
		text_append(
			text, "%.*s", space ? (int)(space - message->detail) : 0, message->detail);
		return;
	}
	text_append(text, "?");
}

static void append_connection(const struct connection *connection, size_t number, struct text *text)
{
	const struct fact_message *syn = &connection->syn->message;
	text_append(text, "| %zu%s | %s \u2192 %s | ", number,
		connection->announced	      ? " data"
		: syn->destination.port == 21 ? " control"
					      : "",
		FACT_ENDPOINT_TEXT(syn->source), FACT_ENDPOINT_TEXT(syn->destination));
	append_announcement(connection, text);
	text_append(text, " | ");
	append_frame(text, "", connection->syn);
	append_frame(text, ", ", connection->syn_ack);
	append_frame(text, ", ", connection->ack);
	text_append(text, " | ");
	append_sent(connection, true, text);
	text_append(text, " \u2192, \u2190 ");
	append_sent(connection, false, text);
	text_append(text, " | ");
	for (size_t i = 0; i < connection->closing_count; i++)
		append_frame(text, i ? ", " : "", connection->closing[i]);
	text_append(text, "%s |\n", connection->closing_count ? "" : "not seen");
}

void report_connections(const struct scenario_result *result, struct text *text)
{
	CLEANUP(free_pointer) struct connection *list = NULL;
	size_t count = 0;
	struct error error;
	if (connections_find(result->messages, result->message_count, &list, &count, &error) < 0)
		text->failed = true;
	if (!count)
		return;
	text_append(text,
		"### TCP connections\n\n"
		"| | from \u2192 to | the port | opened by frames | bytes | closed by frames |\n"
		"|---|---|---|---|---|---|\n");
	for (size_t i = 0; i < count && i < CONNECTIONS_MOST; i++)
		append_connection(&list[i], i + 1, text);
	if (count > CONNECTIONS_MOST)
		text_append(text, "\nThe first %d of %zu connections.\n", CONNECTIONS_MOST, count);
	text_append(text, "\n");
}
