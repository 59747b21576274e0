/* What nodes are given besides their network: binds, sysctls, commands at start, limits. */
#include "plan/describe.h"

#include "base/cleanup.h"

static void describe_line(const struct plan_node *node, int width, const char *what,
	const struct text *value, struct text *text, bool *heading)
{
	if (!*heading)
		text_append(text, "\n%-*s  %-7s  %s\n", width, "node", "detail", "value");
	*heading = true;
	text_append(text, "%-*s  %-7s  %s\n", width, node->node->name, what, text_view(value));
	text->failed |= value->failed;
}

static void describe_limits(
	const struct plan_node *plan_node, int width, struct text *text, bool *heading)
{
	const struct node *node = plan_node->node;
	CLEANUP(text_finish) struct text value = {0};
	if (node->cpu_thousandths) {
		text_append(&value, "%g of a processor", node->cpu_thousandths / 1000.0);
		describe_line(plan_node, width, "cpu", &value, text, heading);
	}
	text_clear(&value);
	if (node->memory_bytes) {
		text_append(&value, "%llu bytes", (unsigned long long)node->memory_bytes);
		describe_line(plan_node, width, "memory", &value, text, heading);
	}
}

static void describe_node(
	const struct plan_node *plan_node, int width, struct text *text, bool *heading)
{
	const struct node *node = plan_node->node;
	CLEANUP(text_finish) struct text value = {0};
	for (size_t i = 0; i < node->bind_count; i++) {
		text_clear(&value);
		text_append(&value, "%s at %s%s", node->binds[i].source, node->binds[i].target,
			node->binds[i].read_only ? ", read-only" : "");
		describe_line(plan_node, width, "bind", &value, text, heading);
	}
	for (size_t i = 0; i < node->sysctl_count; i++) {
		text_clear(&value);
		text_append(&value, "%s = %s", node->sysctls[i].name, node->sysctls[i].value);
		describe_line(plan_node, width, "sysctl", &value, text, heading);
	}
	for (size_t i = 0; i < node->exec_count; i++) {
		text_clear(&value);
		text_append(&value, "%s", node->execs[i].command);
		describe_line(plan_node, width, "exec", &value, text, heading);
	}
	if (node->workdir) {
		text_clear(&value);
		text_append(&value, "%s", node->workdir);
		describe_line(plan_node, width, "workdir", &value, text, heading);
	}
	describe_limits(plan_node, width, text, heading);
}

void plan_describe_details(const struct plan *plan, int width, struct text *text)
{
	bool heading = false;
	for (size_t i = 0; i < plan->node_count; i++)
		describe_node(&plan->nodes[i], width, text, &heading);
}

static json_t *lists_json(const struct node *node)
{
	json_t *binds = json_array(), *sysctls = json_object(), *execs = json_array();
	for (size_t i = 0; i < node->bind_count; i++)
		json_array_append_new(binds,
			json_pack("{s:o, s:o, s:b}", "source", json_text(node->binds[i].source),
				"target", json_text(node->binds[i].target), "read_only",
				node->binds[i].read_only));
	for (size_t i = 0; i < node->sysctl_count; i++)
		json_object_set_new(
			sysctls, node->sysctls[i].name, json_text(node->sysctls[i].value));
	for (size_t i = 0; i < node->exec_count; i++)
		json_array_append_new(execs, json_text(node->execs[i].command));
	return json_pack("{s:o, s:o, s:o}", "binds", binds, "sysctls", sysctls, "exec", execs);
}

json_t *plan_details_json(const struct plan_node *plan_node)
{
	const struct node *node = plan_node->node;
	json_t *value = lists_json(node);
	if (value && node->workdir)
		json_object_set_new(value, "workdir", json_text(node->workdir));
	if (value && node->cpu_thousandths)
		json_object_set_new(value, "cpu", json_real(node->cpu_thousandths / 1000.0));
	if (value && node->memory_bytes)
		json_object_set_new(
			value, "memory_bytes", json_integer((json_int_t)node->memory_bytes));
	return value;
}
