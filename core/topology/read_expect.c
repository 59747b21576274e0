/* `expect:` of a step. */
#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "topology/range.h"
#include "topology/read_parts.h"

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

/* The addresses looked at are of the family of those expected; IPv4 where none is. */
static int expect_family(const struct yaml_value *value, struct expectation *expect,
	struct ip address, struct error *error)
{
	if (expect->has_family && expect->family != address.family)
		return yaml_fail(value->source, yaml_mark(value->node), error,
			"one expectation cannot be of IPv4 and IPv6: make two steps of it");
	expect->has_family = true;
	expect->family = address.family;
	return 0;
}

static int read_within(const struct yaml_value *value, void *target, struct error *error)
{
	struct expectation *expect = target;
	CLEANUP(free_pointer) char *text = NULL;
	int status = yaml_read_text(value->source, value->node, "within", &text, error);
	if (status < 0)
		return status;
	if (!ip_range_parse(text, &expect->first, &expect->last))
		return yaml_fail(value->source, yaml_mark(value->node), error,
			"within must be FIRST-LAST like 10.0.2.100-10.0.2.119, not '%s'", text);
	expect->has_within = true;
	return expect_family(value, expect, expect->first, error);
}

static int read_not(const struct yaml_value *value, void *target, struct error *error)
{
	struct expectation *expect = target;
	expect->has_not = true;
	int status = yaml_read_ip(value, &expect->not_address, error);
	return status < 0 ? status : expect_family(value, expect, expect->not_address, error);
}

static int read_is(const struct yaml_value *value, void *target, struct error *error)
{
	struct expectation *expect = target;
	expect->has_is = true;
	int status = yaml_read_ip(value, &expect->is, error);
	return status < 0 ? status : expect_family(value, expect, expect->is, error);
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
	[STEP_KILL] = EXPECT_EXIT | EXPECT_OUTPUT,
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

int topology_read_expect(const struct yaml_value *value, void *target, struct error *error)
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
	struct expectation *expect = target;
	expect->mark = yaml_mark(value->key);
	return yaml_read_form(value->source, value->node, &form, expect, error);
}

int topology_check_expect(struct yaml_source *source, const struct step *step, struct error *error)
{
	const char *kind = step_kind_names[step->kind];
	unsigned given = expectation_kinds(&step->expect);
	if (given & ~step_expectations[step->kind])
		return yaml_fail(source, step->expect.mark, error,
			"this 'expect' has a key that '%s' cannot tell anything about", kind);
	if (!given && (step->kind == STEP_ADDRESSES || step->kind == STEP_MESSAGES ||
			      step->kind == STEP_WATCH || step->kind == STEP_ROUTE))
		return yaml_fail(
			source, step->mark, error, "'%s' without an 'expect' checks nothing", kind);
	return 0;
}
