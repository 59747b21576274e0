/* Between the files report*.c: the parts of a report, as Markdown. */
#ifndef RESULTS_REPORT_PARTS_H
#define RESULTS_REPORT_PARTS_H

#include "results/run.h"

/* Text for a cell of a table or a sentence: what means something in Markdown is escaped. */
void report_cell(struct text *text, const char *cell);

/* From the scenario's beginning. */
double report_seconds(uint64_t from_ns, uint64_t to_ns);

/* "held", "**failed**" or "interrupted" */
const char *report_verdict(const struct scenario_result *result);

/* The first columns of a table of messages: `| frame | at (s) | sent by | from, to | message `. */
#define REPORT_MESSAGE_HEAD "| frame | at (s) | sent by | from \u2192 to | message "
void report_message(const struct plan *plan, const struct scenario_result *result,
	const struct fact *fact, struct text *text);

/* Whether the node's hardware address is in a DHCP message's chaddr. */
bool dhcp_is_about(const struct plan_node *node, const struct fact_message *message);

/* One scenario, with everything about it. */
void report_scenario(
	const struct run_result *run, const struct scenario_result *result, struct text *text);

/* The frames that its `messages` steps have counted; nothing where there is none. */
void report_evidence(
	const struct run_result *run, const struct scenario_result *result, struct text *text);

/* The TCP connections; nothing where there was none. */
void report_connections(const struct scenario_result *result, struct text *text);

#endif
