/*
 * Verdicts: what a step expected against what was seen. Pure: the lab gathers facts, calls
 * verdict_of() whenever they change, and stops waiting when it holds or when nothing can change it
 * any more. Expected and seen are said for people, whether it holds or not.
 */
#ifndef SCENARIO_VERDICT_H
#define SCENARIO_VERDICT_H

#include "base/text.h"
#include "topology/model.h"

/* A command on one node, as far as it has come. */
struct outcome {
	const char *node;
	bool ended;
	int exit_status; /* once ended */
	const char *output; /* all it has printed */
	const char *log; /* path of its log, for people */
};

struct held_address {
	const char *node;
	struct ip address;
};

/* What a step's kind needs is filled; the rest is zero. Everything is borrowed. */
struct step_facts {
	const struct outcome *outcomes; /* run, start, send, watch, stop, kill: one a node */
	size_t outcome_count;
	const struct held_address *addresses; /* addresses, route: all of all nodes */
	size_t address_count;
	size_t node_count;
	size_t message_count; /* messages */
	bool messages_uncounted; /* there were more than can be counted */
	size_t linked_count; /* link, move: nodes whose interface has a carrier; node: with a
			       * carrier at the other ends (stop: of any link, start: of all) */
	bool files_equal; /* same-files */
	const char *files_differ; /* how, where they are not equal */
};

struct verdict {
	bool holds;
	bool final; /* no later fact can change it: waiting is over */
	struct text expected, seen; /* sentences without a full stop */
	const char *log; /* the log to read first, or NULL */
	struct text shown; /* filled by the lab: what the commands of a step with `show` printed */
};

/* ret_verdict: verdict_finish() frees its texts. */
void verdict_of(
	const struct step *step, const struct step_facts *facts, struct verdict *ret_verdict);

/* For CLEANUP(). */
void verdict_finish(struct verdict *verdict);

/* A step in a few words: "client[1-25] run dhcp-client --once". */
void step_describe(const struct step *step, struct text *text);

#endif
