/* A step of a scenario. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "topology/read_parts.h"

static int read_on(const struct yaml_value *value, void *target, struct error *error)
{
	struct step_target *at = target;
	CLEANUP(node_selection_finish) struct node_selection selection = {0};
	int status = topology_read_selection(value, at->topology, &selection, error);
	if (status < 0)
		return status;
	at->step->nodes = TAKE(selection.nodes);
	at->step->node_count = selection.count;
	at->step->nodes_written_as = TAKE(selection.written_as);
	return 0;
}

static int read_two_files(const struct yaml_value *value, struct step *step, struct error *error)
{
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

/* What the words of some kinds are. */
static int check_object(
	const struct yaml_value *value, const struct step_target *at, struct error *error)
{
	const char *object = at->step->object;
	struct mark mark = yaml_mark(value->node);
	if (at->step->kind == STEP_ROUTE && strcmp(object, "default") != 0)
		return yaml_fail(
			value->source, mark, error, "route can only be default, not '%s'", object);
	if (at->step->kind == STEP_LINK && strcmp(object, "up") != 0 && strcmp(object, "down") != 0)
		return yaml_fail(
			value->source, mark, error, "link must be up or down, not '%s'", object);
	if (at->step->kind == STEP_NODE && strcmp(object, "stop") != 0 &&
		strcmp(object, "start") != 0)
		return yaml_fail(
			value->source, mark, error, "node must be stop or start, not '%s'", object);
	if (at->step->kind == STEP_MOVE) {
		long node = topology_find_node(at->topology, object);
		if (node < 0 || at->topology->nodes[node].kind != NODE_SWITCH)
			return yaml_fail(value->source, mark, error,
				"'%s' is no switch of this topology", object);
	}
	return 0;
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
	if (step->kind == STEP_RUN || step->kind == STEP_START)
		return yaml_read_command(value, &step->object, &step->brought, error);
	if (step->kind == STEP_SAME_FILES)
		return read_two_files(value, step, error);
	int status = yaml_read_text(value->source, value->node, value->name, &step->object, error);
	return status < 0 ? status : check_object(value, at, error);
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

static int read_interface(const struct yaml_value *value, void *target, struct error *error)
{
	struct step_target *at = target;
	return yaml_read_text(value->source, value->node, "interface", &at->step->interface, error);
}

static int read_show(const struct yaml_value *value, void *target, struct error *error)
{
	struct step_target *at = target;
	return yaml_read_bool(value->source, value->node, "show", &at->step->show, error);
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

static int read_step_expect(const struct yaml_value *value, void *target, struct error *error)
{
	struct step_target *at = target;
	return topology_read_expect(value, &at->step->expect, error);
}

static const struct yaml_key step_keys[] = {
	{"on", read_on, false},
	{"name", read_step_name, false},
	{"run", read_act, false},
	{"start", read_act, false},
	{"send", read_act, false},
	{"watch", read_act, false},
	{"stop", read_act, false},
	{"kill", read_act, false},
	{"addresses", read_act, false},
	{"route", read_act, false},
	{"same-files", read_act, false},
	{"messages", read_act, false},
	{"link", read_act, false},
	{"move", read_act, false},
	{"node", read_act, false},
	{"as", read_process_reference, false},
	{"to", read_process_reference, false},
	{"ready", read_step_ready, false},
	{"giaddr", topology_read_filter, false},
	{"address", topology_read_filter, false},
	{"client", topology_read_filter, false},
	{"lease", topology_read_filter, false},
	{"port", topology_read_filter, false},
	{"text", topology_read_filter, false},
	{"interface", read_interface, false},
	{"show", read_show, false},
	{"timeout", read_timeout, false},
	{"expect", read_step_expect, false},
};

#define KIND(kind) (1u << (kind))

enum {
	KINDS_COMMANDS = KIND(STEP_RUN) | KIND(STEP_START) | KIND(STEP_SEND) | KIND(STEP_WATCH) |
			 KIND(STEP_STOP) | KIND(STEP_KILL),
};

/* Keys that go with some kinds of step only. */
static int check_keys(struct yaml_source *source, const struct step_target *at, struct error *error)
{
	const struct step *step = at->step;
	const struct {
		bool given;
		const char *keys;
		unsigned kinds;
	} rules[] = {
		{step->process, "'as' and 'to' do", KIND(STEP_START) | KIND(STEP_SEND)},
		{step->ready.kind != READY_AT_ONCE, "'ready' does", KIND(STEP_START)},
		{at->has_filter, "'giaddr', 'address', 'client', 'lease', 'port' and 'text' do",
			KIND(STEP_MESSAGES)},
		{step->interface, "'interface' does", KIND(STEP_LINK) | KIND(STEP_MOVE)},
		{step->show, "'show' does", KINDS_COMMANDS},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(rules); i++)
		if (rules[i].given && !(rules[i].kinds & KIND(step->kind)))
			return yaml_fail(source, step->mark, error, "%s not go with '%s'",
				rules[i].keys, step_kind_names[step->kind]);
	return 0;
}

/* What belongs together in one step. */
static int check_step(
	const struct yaml_value *value, const struct step_target *at, struct error *error)
{
	const struct step *step = at->step;
	struct yaml_source *source = value->source;
	if (!at->has_kind)
		return yaml_fail(source, step->mark, error,
			"the step does nothing: it needs run, start, send, watch, stop, kill, "
			"addresses, route, same-files, messages, link, move or node");
	const char *kind = step_kind_names[step->kind];
	if (step->kind != STEP_SAME_FILES && !step->node_count)
		return yaml_fail(
			source, step->mark, error, "a step with '%s' needs 'on', the nodes", kind);
	if ((step->kind == STEP_START || step->kind == STEP_SEND) && !step->process)
		return yaml_fail(source, step->mark, error,
			"a step with '%s' needs '%s', the process's name", kind,
			step->kind == STEP_START ? "as" : "to");
	int status = check_keys(source, at, error);
	if (status < 0)
		return status;
	for (size_t i = 0; i < step->node_count; i++)
		if (at->topology->nodes[step->nodes[i]].kind == NODE_SWITCH)
			return yaml_fail(source, step->mark, error,
				"'%s' is a switch: steps are for hosts and "
				"routers",
				at->topology->nodes[step->nodes[i]].name);
	return topology_check_expect(source, step, error);
}

int topology_read_step(struct yaml_source *source, yaml_node_t *item,
	const struct topology *topology, struct step *step, struct error *error)
{
	struct step_target at = {.topology = topology, .step = step};
	static const struct yaml_form form = {"a step", step_keys, ARRAY_LENGTH(step_keys)};
	struct yaml_value value = {.source = source, .node = item};
	step->mark = yaml_mark(item);
	int status = yaml_read_form(source, item, &form, &at, error);
	if (status < 0)
		return status;
	/* A command may take its time; a fact about the kernel is there or a moment later. */
	if (!step->timeout_ns)
		step->timeout_ns =
			(KINDS_COMMANDS & KIND(step->kind) ? UINT64_C(30) : UINT64_C(5)) *
			NS_PER_SECOND;
	return check_step(&value, &at, error);
}
