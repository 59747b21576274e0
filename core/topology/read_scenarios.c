/* `scenarios:` of a file: steps and what they expect. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "topology/range.h"
#include "topology/read_parts.h"

/* A step being read: nodes are looked up in the topology. */
struct step_target {
	const struct topology *topology;
	struct step *step;
	bool has_kind;
	bool *selected; /* while `on` is read, by node: it stands there already */
};

static int read_exit_entry(const struct yaml_value *value, void *target, struct error *error)
{
	struct expectation *expect = target;
	uint64_t exit_status, nodes;
	if (!text_parse_number(value->name, 0, 255, &exit_status))
		return yaml_fail(value->source, yaml_mark(value->key), error,
			"an exit status is 0 to 255, not '%s'", value->name);
	int status = yaml_read_number(value->source, value->node, "a number of nodes",
		TOPOLOGY_NODES_MOST, &nodes, error);
	if (status < 0)
		return status;
	struct exit_expectation *entry = array_add(&expect->exits, &expect->exit_count);
	if (!entry)
		return error_set(error, -ENOMEM, "out of memory");
	for (size_t i = 0; i + 1 < expect->exit_count; i++)
		if (expect->exits[i].status == (int)exit_status)
			return yaml_fail(value->source, yaml_mark(value->key), error,
				"the exit status %d stands here twice", (int)exit_status);
	*entry = (struct exit_expectation){.status = (int)exit_status, .nodes = (size_t)nodes};
	return 0;
}

/* `exit: 0` is for every node, `exit: {0: 20, 4: 5}` counts them. */
static int read_exit(const struct yaml_value *value, void *target, struct error *error)
{
	struct expectation *expect = target;
	if (yaml_is_mapping(value->node)) {
		int entries = yaml_read_entries(
			value->source, value->node, "exit", read_exit_entry, target, error);
		if (entries == 0 && !expect->exit_count)
			return yaml_fail(value->source, yaml_mark(value->node), error,
				"exit names no status: write exit: 0, or exit: {0: 20, 4: 5}");
		return entries;
	}
	uint64_t exit_status;
	int status = yaml_read_number(value->source, value->node, "exit", 255, &exit_status, error);
	if (status < 0)
		return status;
	struct exit_expectation *entry = array_add(&expect->exits, &expect->exit_count);
	if (!entry)
		return error_set(error, -ENOMEM, "out of memory");
	*entry = (struct exit_expectation){.status = (int)exit_status, .every = true};
	return 0;
}

static int read_output(const struct yaml_value *value, void *target, struct error *error)
{
	struct expectation *expect = target;
	bool list = yaml_is_sequence(value->node);
	size_t length = list ? yaml_sequence_length(value->node) : 1;
	for (size_t i = 0; i < length; i++) {
		yaml_node_t *item =
			list ? yaml_sequence_item(value->source, value->node, i) : value->node;
		char **output = array_add(&expect->outputs, &expect->output_count);
		if (!output)
			return error_set(error, -ENOMEM, "out of memory");
		int status = yaml_read_text(value->source, item, "output", output, error);
		if (status < 0)
			return status;
	}
	return 0;
}

static int read_size(
	const struct yaml_value *value, size_t *ret_size, bool *ret_given, struct error *error)
{
	uint64_t number;
	int status =
		yaml_read_number(value->source, value->node, value->name, 1000000, &number, error);
	if (status < 0)
		return status;
	*ret_size = (size_t)number;
	*ret_given = true;
	return 0;
}

static int read_count(const struct yaml_value *value, void *target, struct error *error)
{
	struct expectation *expect = target;
	return read_size(value, &expect->count, &expect->has_count, error);
}

static int read_at_least(const struct yaml_value *value, void *target, struct error *error)
{
	struct expectation *expect = target;
	return read_size(value, &expect->at_least, &expect->has_at_least, error);
}

static int read_distinct(const struct yaml_value *value, void *target, struct error *error)
{
	struct expectation *expect = target;
	return yaml_read_bool(value->source, value->node, "distinct", &expect->distinct, error);
}

static int read_within(const struct yaml_value *value, void *target, struct error *error)
{
	struct expectation *expect = target;
	CLEANUP(free_pointer) char *text = NULL;
	int status = yaml_read_text(value->source, value->node, "within", &text, error);
	if (status < 0)
		return status;
	if (!ipv4_range_parse(text, &expect->first, &expect->last))
		return yaml_fail(value->source, yaml_mark(value->node), error,
			"within must be FIRST-LAST like 10.0.2.100-10.0.2.119, not '%s'", text);
	expect->has_within = true;
	return 0;
}

static int read_not(const struct yaml_value *value, void *target, struct error *error)
{
	struct expectation *expect = target;
	expect->has_not = true;
	return yaml_read_ipv4(value->source, value->node, "not", &expect->not_address, error);
}

static int read_is(const struct yaml_value *value, void *target, struct error *error)
{
	struct expectation *expect = target;
	expect->has_is = true;
	return yaml_read_ipv4(value->source, value->node, "is", &expect->is, error);
}

/* Which expectations a step can meet; others are an error, for they would never be tried. */
enum {
	EXPECT_EXIT = 1,
	EXPECT_OUTPUT = 2,
	EXPECT_COUNT = 4,
	EXPECT_ADDRESS = 8,
	EXPECT_AT_LEAST = 16
};

static const unsigned step_expectations[STEP_KINDS] = {
	[STEP_RUN] = EXPECT_EXIT | EXPECT_OUTPUT,
	[STEP_START] = EXPECT_OUTPUT,
	[STEP_SEND] = EXPECT_EXIT | EXPECT_OUTPUT,
	[STEP_WATCH] = EXPECT_EXIT | EXPECT_OUTPUT,
	[STEP_STOP] = EXPECT_EXIT | EXPECT_OUTPUT,
	[STEP_ADDRESSES] = EXPECT_COUNT | EXPECT_ADDRESS,
	[STEP_ROUTE] = EXPECT_COUNT | EXPECT_ADDRESS,
	[STEP_SAME_FILES] = 0,
	[STEP_MESSAGES] = EXPECT_COUNT | EXPECT_AT_LEAST,
};

static unsigned expectation_kinds(const struct expectation *expect)
{
	return (expect->exit_count ? EXPECT_EXIT : 0u) |
	       (expect->output_count ? EXPECT_OUTPUT : 0u) |
	       (expect->has_count ? EXPECT_COUNT : 0u) |
	       (expect->has_at_least ? EXPECT_AT_LEAST : 0u) |
	       (expect->distinct || expect->has_within || expect->has_not || expect->has_is
			       ? EXPECT_ADDRESS
			       : 0u);
}

static int read_expect(const struct yaml_value *value, void *target, struct error *error)
{
	static const struct yaml_key keys[] = {
		{"exit", read_exit, false},
		{"output", read_output, false},
		{"count", read_count, false},
		{"at-least", read_at_least, false},
		{"distinct", read_distinct, false},
		{"within", read_within, false},
		{"not", read_not, false},
		{"is", read_is, false},
	};
	static const struct yaml_form form = {"expect", keys, ARRAY_LENGTH(keys)};
	struct step_target *at = target;
	at->step->expect.mark = yaml_mark(value->key);
	return yaml_read_form(value->source, value->node, &form, &at->step->expect, error);
}

static int select_node(const struct yaml_value *value, struct step_target *target,
	const yaml_node_t *item, const char *name, struct error *error)
{
	long index = topology_find_node(target->topology, name);
	if (index < 0)
		return yaml_fail(value->source, yaml_mark(item), error,
			"'%s' is no node of this topology", name);
	if (target->selected[index])
		return yaml_fail(
			value->source, yaml_mark(item), error, "'%s' stands twice in 'on'", name);
	target->selected[index] = true;
	size_t *node = array_add(&target->step->nodes, &target->step->node_count);
	if (!node)
		return error_set(error, -ENOMEM, "out of memory");
	*node = (size_t)index;
	return 0;
}

static int select_nodes(const struct yaml_value *value, struct step_target *target,
	yaml_node_t *item, struct error *error)
{
	CLEANUP(free_pointer) char *text = NULL;
	int status = yaml_read_text(value->source, item, "on", &text, error);
	if (status < 0)
		return status;
	struct range range;
	struct error reason;
	if (range_parse(text, &range, &reason) < 0)
		return yaml_fail(value->source, yaml_mark(item), error, "%s", reason.text);
	status = yaml_count(value->source, item, range_length(&range), error);
	for (size_t i = 0; status == 0 && i < range_length(&range); i++) {
		CLEANUP(free_pointer) char *name = range_name(&range, i);
		status = name ? select_node(value, target, item, name, error)
			      : error_set(error, -ENOMEM, "out of memory");
	}
	if (status < 0)
		return status;
	struct step *step = target->step;
	char *joined = step->nodes_written_as ? text_format("%s, %s", step->nodes_written_as, text)
					      : strdup(text);
	if (!joined)
		return error_set(error, -ENOMEM, "out of memory");
	free(step->nodes_written_as);
	step->nodes_written_as = joined;
	return 0;
}

static int read_on(const struct yaml_value *value, void *target, struct error *error)
{
	struct step_target *at = target;
	CLEANUP(free_pointer)
	bool *selected = calloc(at->topology->node_count + 1, sizeof(*selected));
	if (!selected)
		return error_set(error, -ENOMEM, "out of memory");
	at->selected = selected;
	if (!yaml_is_sequence(value->node))
		return select_nodes(value, target, value->node, error);
	int status = 0;
	for (size_t i = 0; status == 0 && i < yaml_sequence_length(value->node); i++)
		status = select_nodes(
			value, target, yaml_sequence_item(value->source, value->node, i), error);
	return status;
}

/* The key that says what the step does: `run: dhcp-client ...`. */
static int read_act(const struct yaml_value *value, void *target, struct error *error)
{
	struct step_target *at = target;
	struct step *step = at->step;
	if (at->has_kind)
		return yaml_fail(value->source, yaml_mark(value->key), error,
			"a step does one thing: '%s' and '%s' both stand here",
			step_kind_names[step->kind], value->name);
	at->has_kind = true;
	for (size_t i = 0; i < STEP_KINDS; i++)
		if (strcmp(step_kind_names[i], value->name) == 0)
			step->kind = (enum step_kind)i;
	if (step->kind != STEP_SAME_FILES) {
		int status = yaml_read_text(
			value->source, value->node, value->name, &step->object, error);
		if (status == 0 && step->kind == STEP_ROUTE && strcmp(step->object, "default") != 0)
			return yaml_fail(value->source, yaml_mark(value->node), error,
				"route can only be default, not '%s'", step->object);
		return status;
	}
	if (!yaml_is_sequence(value->node) || yaml_sequence_length(value->node) != 2)
		return yaml_fail(value->source, yaml_mark(value->node), error,
			"same-files must be a list of two files like [\"server:a.txt\", "
			"\"client1:a.txt\"]");
	int status = yaml_read_text(value->source,
		yaml_sequence_item(value->source, value->node, 0), "a file", &step->object, error);
	if (status == 0)
		status = yaml_read_text(value->source,
			yaml_sequence_item(value->source, value->node, 1), "a file",
			&step->other_object, error);
	return status;
}

static int read_step_name(const struct yaml_value *value, void *target, struct error *error)
{
	struct step_target *at = target;
	return yaml_read_text(value->source, value->node, "name", &at->step->name, error);
}

static int read_process_reference(const struct yaml_value *value, void *target, struct error *error)
{
	struct step_target *at = target;
	int status =
		yaml_read_text(value->source, value->node, value->name, &at->step->process, error);
	struct yaml_value itself = {.source = value->source, .node = value->node};
	return status < 0 ? status
			  : topology_check_name(&itself, at->step->process, "a process", error);
}

static int read_step_ready(const struct yaml_value *value, void *target, struct error *error)
{
	struct step_target *at = target;
	return topology_read_ready(value, &at->step->ready, error);
}

static int read_giaddr(const struct yaml_value *value, void *target, struct error *error)
{
	struct step_target *at = target;
	at->step->has_giaddr = true;
	return yaml_read_ipv4(value->source, value->node, "giaddr", &at->step->giaddr, error);
}

static int read_timeout(const struct yaml_value *value, void *target, struct error *error)
{
	struct step_target *at = target;
	CLEANUP(free_pointer) char *text = NULL;
	int status = yaml_read_text(value->source, value->node, "timeout", &text, error);
	if (status < 0)
		return status;
	if (!text_parse_seconds(text, &at->step->timeout_ns) || at->step->timeout_ns == 0)
		return yaml_fail(value->source, yaml_mark(value->node), error,
			"timeout must be a number of seconds, not '%s'", text);
	return 0;
}

static const struct yaml_key step_keys[] = {
	{"on", read_on, false},
	{"name", read_step_name, false},
	{"run", read_act, false},
	{"start", read_act, false},
	{"send", read_act, false},
	{"watch", read_act, false},
	{"stop", read_act, false},
	{"addresses", read_act, false},
	{"route", read_act, false},
	{"same-files", read_act, false},
	{"messages", read_act, false},
	{"as", read_process_reference, false},
	{"to", read_process_reference, false},
	{"ready", read_step_ready, false},
	{"giaddr", read_giaddr, false},
	{"timeout", read_timeout, false},
	{"expect", read_expect, false},
};

/* What belongs together in one step. */
static int check_step(
	const struct yaml_value *value, const struct step_target *at, struct error *error)
{
	const struct step *step = at->step;
	struct yaml_source *source = value->source;
	if (!at->has_kind)
		return yaml_fail(source, step->mark, error,
			"the step does nothing: it needs run, start, send, watch, stop, addresses, "
			"route, "
			"same-files or messages");
	const char *kind = step_kind_names[step->kind];
	if (step->kind != STEP_SAME_FILES && !step->node_count)
		return yaml_fail(
			source, step->mark, error, "a step with '%s' needs 'on', the nodes", kind);
	if ((step->kind == STEP_START || step->kind == STEP_SEND) && !step->process)
		return yaml_fail(source, step->mark, error,
			"a step with '%s' needs '%s', the process's name", kind,
			step->kind == STEP_START ? "as" : "to");
	if (step->kind != STEP_START && step->kind != STEP_SEND && step->process)
		return yaml_fail(
			source, step->mark, error, "'as' and 'to' do not go with '%s'", kind);
	if (step->kind != STEP_START && step->ready.kind != READY_AT_ONCE)
		return yaml_fail(source, step->mark, error, "'ready' does not go with '%s'", kind);
	if (step->kind != STEP_MESSAGES && step->has_giaddr)
		return yaml_fail(source, step->mark, error, "'giaddr' does not go with '%s'", kind);
	if (expectation_kinds(&step->expect) & ~step_expectations[step->kind])
		return yaml_fail(source, step->expect.mark, error,
			"this 'expect' has a key that '%s' cannot tell anything about", kind);
	bool idle = expectation_kinds(&step->expect) == 0;
	if (idle && (step->kind == STEP_ADDRESSES || step->kind == STEP_MESSAGES ||
			    step->kind == STEP_WATCH || step->kind == STEP_ROUTE))
		return yaml_fail(
			source, step->mark, error, "'%s' without an 'expect' checks nothing", kind);
	for (size_t i = 0; i < step->node_count; i++)
		if (at->topology->nodes[step->nodes[i]].kind == NODE_SWITCH)
			return yaml_fail(source, step->mark, error,
				"'%s' is a switch: steps are for hosts and "
				"routers",
				at->topology->nodes[step->nodes[i]].name);
	return 0;
}

static int read_step(
	struct yaml_source *source, yaml_node_t *item, struct step_target *at, struct error *error)
{
	static const struct yaml_form form = {"a step", step_keys, ARRAY_LENGTH(step_keys)};
	struct yaml_value value = {.source = source, .node = item};
	at->step->mark = yaml_mark(item);
	int status = yaml_read_form(source, item, &form, at, error);
	if (status < 0)
		return status;
	/* A command may take its time; a fact about the kernel is there or a moment later. */
	if (!at->step->timeout_ns)
		at->step->timeout_ns =
			(at->step->kind <= STEP_STOP ? UINT64_C(30) : UINT64_C(5)) * NS_PER_SECOND;
	return check_step(&value, at, error);
}

/* A scenario being read. */
struct scenario_target {
	const struct topology *topology;
	struct scenario *scenario;
};

static int read_steps(const struct yaml_value *value, void *target, struct error *error)
{
	struct scenario_target *at = target;
	int status = yaml_require_sequence(value->source, value->node, "steps", error);
	for (size_t i = 0; status == 0 && i < yaml_sequence_length(value->node); i++) {
		struct step *step = array_add(&at->scenario->steps, &at->scenario->step_count);
		if (!step)
			return error_set(error, -ENOMEM, "out of memory");
		struct step_target step_at = {.topology = at->topology, .step = step};
		status = read_step(value->source, yaml_sequence_item(value->source, value->node, i),
			&step_at, error);
	}
	if (status == 0 && at->scenario->step_count == 0)
		return yaml_fail(value->source, yaml_mark(value->key), error,
			"the scenario has no steps: it would hold whatever happened");
	return status;
}

static int read_scenario_title(const struct yaml_value *value, void *target, struct error *error)
{
	struct scenario_target *at = target;
	return yaml_read_text(value->source, value->node, "title", &at->scenario->title, error);
}

static int read_scenario_description(
	const struct yaml_value *value, void *target, struct error *error)
{
	struct scenario_target *at = target;
	return yaml_read_text(
		value->source, value->node, "description", &at->scenario->description, error);
}

static int read_scenario(const struct yaml_value *value, void *target, struct error *error)
{
	static const struct yaml_key keys[] = {
		{"title", read_scenario_title, true},
		{"description", read_scenario_description, false},
		{"steps", read_steps, true},
	};
	static const struct yaml_form form = {"a scenario", keys, ARRAY_LENGTH(keys)};
	struct topology *topology = target;
	int status = topology_check_name(value, value->name, "a scenario", error);
	if (status < 0)
		return status;
	/* Its folder stands beside report.md and the like. */
	if (strchr(value->name, '.') || strcmp(value->name, "topology") == 0)
		return yaml_fail(value->source, yaml_mark(value->key), error,
			"'%s' cannot name a scenario: its results' folder must not look like a "
			"file's name",
			value->name);
	struct scenario *scenario = array_add(&topology->scenarios, &topology->scenario_count);
	if (!scenario || !(scenario->name = strdup(value->name)))
		return error_set(error, -ENOMEM, "out of memory");
	scenario->mark = yaml_mark(value->key);
	struct scenario_target at = {.topology = topology, .scenario = scenario};
	return yaml_read_form(value->source, value->node, &form, &at, error);
}

int topology_read_scenarios(const struct yaml_value *value, void *target, struct error *error)
{
	return yaml_read_entries(
		value->source, value->node, "scenarios", read_scenario, target, error);
}
