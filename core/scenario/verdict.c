#include "scenario/verdict.h"

#include <string.h>

#include "base/cleanup.h"
#include "scenario/selection.h"

enum { NAMED_MOST = 5, QUOTED_MOST = 160 };

/* "client1, client4 and 3 more" */
struct naming {
	struct text *text;
	size_t count;
};

static void naming_add(struct naming *naming, const char *name)
{
	if (naming->count < NAMED_MOST)
		text_append(naming->text, "%s%s", naming->count ? ", " : "", name);
	naming->count++;
}

static void naming_end(struct naming *naming)
{
	if (naming->count > NAMED_MOST)
		text_append(naming->text, " and %zu more", naming->count - NAMED_MOST);
}

static const char *nodes_word(size_t count)
{
	return count == 1 ? "node" : "nodes";
}

/* The last line that holds something, cut to a readable length. */
static void append_last_line(struct text *text, const char *output)
{
	size_t end = strlen(output);
	while (end && strchr("\r\n\t ", output[end - 1]))
		end--;
	size_t start = end;
	while (start && output[start - 1] != '\n')
		start--;
	if (end - start > QUOTED_MOST)
		start = end - QUOTED_MOST;
	if (end == start) {
		text_append(text, "printed nothing");
		return;
	}
	CLEANUP(free_pointer) char *line = text_sanitize(output + start, end - start);
	text_append(text, "last printed '%s'", line ? line : "");
}

static size_t nodes_with_status(const struct step_facts *facts, int status)
{
	size_t count = 0;
	for (size_t i = 0; i < facts->outcome_count; i++)
		count += facts->outcomes[i].ended && facts->outcomes[i].exit_status == status;
	return count;
}

static size_t nodes_ended(const struct step_facts *facts)
{
	size_t count = 0;
	for (size_t i = 0; i < facts->outcome_count; i++)
		count += facts->outcomes[i].ended;
	return count;
}

/* A `run` without an expectation of its exit expects 0. */
static const struct exit_expectation *expected_exits(const struct step *step, size_t *ret_count)
{
	static const struct exit_expectation done = {.status = 0, .every = true};
	bool implied = step->kind == STEP_RUN && !step->expect.exit_count;
	*ret_count = implied ? 1 : step->expect.exit_count;
	return implied ? &done : step->expect.exits;
}

static void describe_statuses(const struct step_facts *facts, struct text *text)
{
	bool first = true;
	for (int status = 0; status < 256; status++) {
		size_t count = nodes_with_status(facts, status);
		if (!count)
			continue;
		text_append(text, "%s%d on %zu %s", first ? "exit status " : ", ", status, count,
			nodes_word(count));
		struct naming naming = {.text = text};
		if (count < facts->outcome_count) {
			text_append(text, " (");
			for (size_t i = 0; i < facts->outcome_count; i++)
				if (facts->outcomes[i].ended &&
					facts->outcomes[i].exit_status == status)
					naming_add(&naming, facts->outcomes[i].node);
			naming_end(&naming);
			text_append(text, ")");
		}
		first = false;
	}
	size_t running = facts->outcome_count - nodes_ended(facts);
	if (running)
		text_append(text, "%sstill running on %zu %s", first ? "" : ", ", running,
			nodes_word(running));
}

/* A node that ended as fewer should, or has not ended at all. */
static const struct outcome *outcome_unexpected(
	const struct step_facts *facts, const struct exit_expectation *exits, size_t count)
{
	for (size_t i = 0; i < facts->outcome_count; i++) {
		const struct outcome *outcome = &facts->outcomes[i];
		bool fits = false;
		for (size_t j = 0; outcome->ended && j < count; j++)
			fits |= exits[j].status == outcome->exit_status &&
				(exits[j].every || nodes_with_status(facts, exits[j].status) <=
							   exits[j].nodes);
		if (!fits)
			return outcome;
	}
	return facts->outcome_count ? &facts->outcomes[0] : NULL;
}

static bool judge_exits(
	const struct step *step, const struct step_facts *facts, struct verdict *verdict)
{
	size_t count;
	const struct exit_expectation *exits = expected_exits(step, &count);
	if (!count)
		return true;
	bool holds = true;
	for (size_t i = 0; i < count; i++) {
		size_t wanted = exits[i].every ? facts->outcome_count : exits[i].nodes;
		text_append(&verdict->expected, "%s%d on %zu %s", i ? ", " : "exit status ",
			exits[i].status, wanted, nodes_word(wanted));
		holds &= nodes_with_status(facts, exits[i].status) == wanted;
	}
	describe_statuses(facts, &verdict->seen);
	const struct outcome *other = holds ? NULL : outcome_unexpected(facts, exits, count);
	if (other) {
		verdict->log = other->log;
		text_append(&verdict->seen, "; %s ", other->node);
		append_last_line(&verdict->seen, other->output);
	}
	return holds;
}

static bool judge_outputs(
	const struct step *step, const struct step_facts *facts, struct verdict *verdict)
{
	bool all = true;
	for (size_t i = 0; i < step->expect.output_count; i++) {
		const char *wanted = step->expect.outputs[i];
		text_append(&verdict->expected, "%soutput with '%s'",
			verdict->expected.length ? "; " : "", wanted);
		const struct outcome *missing = NULL;
		size_t count = 0;
		for (size_t j = 0; j < facts->outcome_count; j++) {
			if (strstr(facts->outcomes[j].output, wanted))
				continue;
			missing = missing ? missing : &facts->outcomes[j];
			count++;
		}
		if (verdict->seen.length)
			text_append(&verdict->seen, "; ");
		if (!missing) {
			text_append(&verdict->seen, "it is there");
			continue;
		}
		text_append(&verdict->seen, "not on %zu of %zu %s; %s ", count,
			facts->outcome_count, nodes_word(facts->outcome_count), missing->node);
		append_last_line(&verdict->seen, missing->output);
		if (!verdict->log)
			verdict->log = missing->log;
		all = false;
	}
	return all;
}

static void judge_commands(
	const struct step *step, const struct step_facts *facts, struct verdict *verdict)
{
	bool all_ended = nodes_ended(facts) == facts->outcome_count;
	bool exits = judge_exits(step, facts, verdict);
	bool outputs = judge_outputs(step, facts, verdict);
	size_t exit_count;
	expected_exits(step, &exit_count);
	verdict->holds = exits && outputs;
	/* A run and a stop are over when all have ended, others as soon as it is there. */
	bool to_the_end = step->kind == STEP_RUN || step->kind == STEP_STOP ||
			  step->kind == STEP_KILL || exit_count;
	verdict->final = all_ended || (verdict->holds && !to_the_end);
	if (to_the_end && !all_ended)
		verdict->holds = false;
	if (!verdict->expected.length) {
		text_append(&verdict->expected, to_the_end ? "its end" : "it runs");
		text_append(&verdict->seen,
			verdict->holds ? to_the_end ? "it ended" : "it does"
				       : "still running on %zu of %zu",
			facts->outcome_count - nodes_ended(facts), facts->outcome_count);
	}
}

static bool in_range(const struct expectation *expect, struct ip address)
{
	return address.family == expect->family && address.number >= expect->first.number &&
	       address.number <= expect->last.number;
}

static const char *address_word(const struct step *step, size_t count)
{
	if (step->kind == STEP_ROUTE)
		return count == 1 ? "default route" : "default routes";
	return count == 1 ? "address" : "addresses";
}

static void describe_address_expectation(const struct step *step, struct text *text)
{
	const struct expectation *expect = &step->expect;
	if (expect->has_count)
		text_append(text, "%zu ", expect->count);
	text_append(text, "%s%s", expect->distinct ? "distinct " : "",
		address_word(step, expect->has_count ? expect->count : 0));
	if (expect->has_within)
		text_append(text, " within %s-%s", IP_TEXT(expect->first), IP_TEXT(expect->last));
	if (expect->has_is)
		text_append(text, step->kind == STEP_ROUTE ? " through %s" : ": %s",
			IP_TEXT(expect->is));
	if (expect->has_not)
		text_append(text, ", none of them %s", IP_TEXT(expect->not_address));
}

/* The first thing wrong with one address, as text; nothing where it is as expected. */
static bool address_is_wrong(const struct expectation *expect, const struct step_facts *facts,
	size_t index, struct text *seen)
{
	const struct held_address *held = &facts->addresses[index];
	for (size_t i = 0; expect->distinct && i < index; i++) {
		if (!ip_equal(facts->addresses[i].address, held->address))
			continue;
		text_append(seen, "; %s and %s both have %s", facts->addresses[i].node, held->node,
			IP_TEXT(held->address));
		return true;
	}
	if ((expect->has_within && !in_range(expect, held->address)) ||
		(expect->has_is && !ip_equal(held->address, expect->is)) ||
		(expect->has_not && ip_equal(held->address, expect->not_address))) {
		text_append(seen, "; %s has %s", held->node, IP_TEXT(held->address));
		return true;
	}
	return false;
}

static void judge_addresses(
	const struct step *step, const struct step_facts *facts, struct verdict *verdict)
{
	const struct expectation *expect = &step->expect;
	size_t wrong = 0;
	describe_address_expectation(step, &verdict->expected);
	text_append(&verdict->seen, "%zu %s", facts->address_count,
		address_word(step, facts->address_count));
	if (facts->address_count == 1)
		text_append(&verdict->seen, ": %s", IP_TEXT(facts->addresses[0].address));
	for (size_t i = 0; i < facts->address_count && wrong < NAMED_MOST; i++)
		wrong += address_is_wrong(expect, facts, i, &verdict->seen);
	bool count_fits = !expect->has_count || facts->address_count == expect->count;
	bool is_there = !expect->has_is || facts->address_count >= facts->node_count;
	verdict->holds = !wrong && count_fits && is_there;
	verdict->final = verdict->holds;
}

static void judge_files(
	const struct step *step, const struct step_facts *facts, struct verdict *verdict)
{
	text_append(&verdict->expected, "%s and %s equal byte for byte", step->object,
		step->other_object);
	text_append(&verdict->seen, "%s", facts->files_equal ? "they are" : facts->files_differ);
	verdict->holds = facts->files_equal;
	verdict->final = true;
}

static void judge_messages(
	const struct step *step, const struct step_facts *facts, struct verdict *verdict)
{
	const struct expectation *expect = &step->expect;
	if (expect->has_count)
		text_append(&verdict->expected, "%zu \u00d7 %s", expect->count, step->object);
	if (expect->has_at_least)
		text_append(&verdict->expected, "%sat least %zu \u00d7 %s",
			expect->has_count ? ", " : "", expect->at_least, step->object);
	selection_describe(step, &verdict->expected);
	text_append(&verdict->expected, " sent by %s", step->nodes_written_as);
	text_append(&verdict->seen, "%zu", facts->message_count);
	if (facts->messages_uncounted) {
		text_append(&verdict->seen, " of the first that could be kept; there were more");
		verdict->final = true;
		return;
	}
	verdict->holds = (!expect->has_count || facts->message_count == expect->count) &&
			 (!expect->has_at_least || facts->message_count >= expect->at_least);
	/* More may come, but never fewer. */
	verdict->final =
		verdict->holds || (expect->has_count && facts->message_count > expect->count);
}

/* What a node's kernel says of the cable, told by its carrier. */
static void judge_link(
	const struct step *step, const struct step_facts *facts, struct verdict *verdict)
{
	bool plugged = step->kind == STEP_MOVE || strcmp(step->object, "up") == 0;
	size_t wanted = plugged ? facts->node_count : 0;
	text_append(&verdict->expected, "the link %s", plugged ? "up" : "down");
	if (step->kind == STEP_MOVE)
		text_append(&verdict->expected, " in %s", step->object);
	if (facts->linked_count == 0 || facts->linked_count == facts->node_count)
		text_append(&verdict->seen, "%s", facts->linked_count ? "up" : "down");
	else
		text_append(&verdict->seen, "up on %zu of %zu %s", facts->linked_count,
			facts->node_count, nodes_word(facts->node_count));
	verdict->holds = verdict->final = facts->linked_count == wanted;
}

/* A node that is off has no carrier at the other ends of its links; one that is on has all. */
static void judge_node(
	const struct step *step, const struct step_facts *facts, struct verdict *verdict)
{
	bool on = strcmp(step->object, "start") == 0;
	size_t wanted = on ? facts->node_count : 0;
	text_append(&verdict->expected, "the node %s", on ? "running" : "stopped");
	if (facts->linked_count == wanted)
		text_append(&verdict->seen, "%s", on ? "running" : "stopped");
	else
		text_append(&verdict->seen, "a carrier on the links of %zu of %zu %s",
			facts->linked_count, facts->node_count, nodes_word(facts->node_count));
	verdict->holds = verdict->final = facts->linked_count == wanted;
}

void verdict_of(
	const struct step *step, const struct step_facts *facts, struct verdict *ret_verdict)
{
	struct verdict verdict = {0};
	switch (step->kind) {
	case STEP_RUN:
	case STEP_START:
	case STEP_SEND:
	case STEP_WATCH:
	case STEP_STOP:
	case STEP_KILL:
		judge_commands(step, facts, &verdict);
		break;
	case STEP_ADDRESSES:
	case STEP_ROUTE:
		judge_addresses(step, facts, &verdict);
		break;
	case STEP_SAME_FILES:
		judge_files(step, facts, &verdict);
		break;
	case STEP_MESSAGES:
		judge_messages(step, facts, &verdict);
		break;
	case STEP_LINK:
	case STEP_MOVE:
		judge_link(step, facts, &verdict);
		break;
	case STEP_NODE:
		judge_node(step, facts, &verdict);
		break;
	case STEP_KINDS:
		break;
	}
	*ret_verdict = verdict;
}

void verdict_finish(struct verdict *verdict)
{
	text_finish(&verdict->expected);
	text_finish(&verdict->seen);
	text_finish(&verdict->shown);
}

void step_describe(const struct step *step, struct text *text)
{
	if (step->name) {
		text_append(text, "%s", step->name);
		return;
	}
	if (step->nodes_written_as)
		text_append(text, "%s: ", step->nodes_written_as);
	text_append(text, "%s %s", step_kind_names[step->kind], step->object);
	if (step->other_object)
		text_append(text, " %s", step->other_object);
	if (step->process && step->kind == STEP_SEND)
		text_append(text, " to %s", step->process);
	if (step->interface)
		text_append(text, " (%s)", step->interface);
	if (step->kind == STEP_MESSAGES)
		selection_describe(step, text);
}
