/* `run:` of a node: its processes, and how they tell that they are ready. */
#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "topology/problems.h"
#include "topology/read_parts.h"

static int read_ready_port(const struct yaml_value *value, void *target, struct error *error)
{
	struct ready *ready = target;
	uint64_t port;
	int status = yaml_read_number(value->source, value->node, "port", UINT16_MAX, &port, error);
	if (status < 0)
		return status;
	if (port == 0)
		return yaml_fail(
			value->source, yaml_mark(value->node), error, "no port has the number 0");
	ready->kind = READY_PORT;
	ready->port = (uint16_t)port;
	return 0;
}

static int read_ready_log(const struct yaml_value *value, void *target, struct error *error)
{
	struct ready *ready = target;
	ready->kind = READY_LOG;
	int status = yaml_read_text(value->source, value->node, "log", &ready->text, error);
	if (status == 0 && !*ready->text)
		return yaml_fail(value->source, yaml_mark(value->node), error,
			"an empty text is in every log at once");
	return status;
}

int topology_read_ready(
	const struct yaml_value *value, struct ready *ret_ready, struct error *error)
{
	static const struct yaml_key keys[] = {
		{"port", read_ready_port, false},
		{"log", read_ready_log, false},
	};
	static const struct yaml_form form = {"ready", keys, ARRAY_LENGTH(keys)};
	if (yaml_is_mapping(value->node)) {
		int form_status =
			yaml_read_form(value->source, value->node, &form, ret_ready, error);
		if (form_status == 0 && yaml_mapping_length(value->node) != 1)
			return yaml_fail(value->source, yaml_mark(value->node), error,
				"ready needs one of port and log");
		return form_status;
	}
	CLEANUP(free_pointer) char *text = NULL;
	int status = yaml_read_text(value->source, value->node, "ready", &text, error);
	if (status < 0)
		return status;
	bool notify = strcmp(text, "true") == 0 || strcmp(text, "yes") == 0;
	if (!notify && strcmp(text, "false") != 0 && strcmp(text, "no") != 0)
		return yaml_fail(value->source, yaml_mark(value->node), error,
			"ready must be true (the program tells by READY=1), {port: N} or {log: "
			"TEXT}");
	ret_ready->kind = notify ? READY_NOTIFY : READY_AT_ONCE;
	return 0;
}

static int read_process_name(const struct yaml_value *value, void *target, struct error *error)
{
	struct process_spec *process = target;
	int status = yaml_read_text(value->source, value->node, "name", &process->name, error);
	struct yaml_value itself = {.source = value->source, .node = value->node};
	return status < 0 ? status
			  : topology_check_name(&itself, process->name, "a process", error);
}

static int read_process_command(const struct yaml_value *value, void *target, struct error *error)
{
	struct process_spec *process = target;
	return yaml_read_command(value, &process->command, &process->brought, error);
}

static int read_process_ready(const struct yaml_value *value, void *target, struct error *error)
{
	struct process_spec *process = target;
	return topology_read_ready(value, &process->ready, error);
}

/* One that cannot be read is none. */
static int read_process(
	struct yaml_source *source, yaml_node_t *item, struct node *node, struct error *error)
{
	static const struct yaml_key keys[] = {
		{"name", read_process_name, true},
		{"cmd", read_process_command, true},
		{"ready", read_process_ready, false},
	};
	static const struct yaml_form form = {"an entry of run", keys, ARRAY_LENGTH(keys)};
	struct process_spec *process = array_add(&node->processes, &node->process_count);
	if (!process)
		return error_set(error, -ENOMEM, "out of memory");
	process->mark = yaml_mark(item);
	int status = yaml_read_form(source, item, &form, process, error);
	for (size_t i = 0; status == 0 && i + 1 < node->process_count; i++)
		if (strcmp(node->processes[i].name, process->name) == 0)
			status = yaml_fail(source, yaml_mark(item), error,
				"two processes of one node are named '%s'", process->name);
	if (status < 0) {
		process_spec_finish(process);
		node->process_count--;
	}
	return status;
}

int topology_read_processes(const struct yaml_value *value, void *target, struct error *error)
{
	struct node *node = target;
	int status = yaml_require_sequence(value->source, value->node, "run", error);
	if (status == 0 && yaml_sequence_length(value->node) > TOPOLOGY_PROCESSES_MOST)
		return yaml_fail(value->source, yaml_mark(value->node), error,
			"a node runs at most %d processes", TOPOLOGY_PROCESSES_MOST);
	int result = status;
	for (size_t i = 0; i < yaml_sequence_length(value->node); i++) {
		yaml_node_t *item = yaml_sequence_item(value->source, value->node, i);
		status = read_process(value->source, item, node, error);
		if (!problems_go_on(value->source->problems, status, &result))
			break;
	}
	return result;
}
