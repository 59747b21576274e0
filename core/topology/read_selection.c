/* Nodes named by a value: `server`, `client[1-9]`, or a list of such. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "topology/range.h"
#include "topology/read_parts.h"

struct selecting {
	const struct yaml_value *value;
	const struct topology *topology;
	struct node_selection *selection;
	bool *selected; /* by node: it stands there already */
};

static int select_node(
	struct selecting *selecting, const yaml_node_t *item, const char *name, struct error *error)
{
	const struct yaml_value *value = selecting->value;
	long index = topology_find_node(selecting->topology, name);
	if (index < 0)
		return yaml_fail(value->source, yaml_mark(item), error,
			"'%s' is no node of this topology", name);
	if (selecting->selected[index])
		return yaml_fail(value->source, yaml_mark(item), error, "'%s' stands twice in '%s'",
			name, value->name);
	selecting->selected[index] = true;
	size_t *node = array_add(&selecting->selection->nodes, &selecting->selection->count);
	if (!node)
		return error_set(error, -ENOMEM, "out of memory");
	*node = (size_t)index;
	return 0;
}

static int select_nodes(struct selecting *selecting, yaml_node_t *item, struct error *error)
{
	struct yaml_source *source = selecting->value->source;
	CLEANUP(free_pointer) char *text = NULL;
	int status = yaml_read_text(source, item, selecting->value->name, &text, error);
	if (status < 0)
		return status;
	struct range range;
	struct error reason;
	if (range_parse(text, &range, &reason) < 0)
		return yaml_fail(source, yaml_mark(item), error, "%s", reason.text);
	status = yaml_count(source, item, range_length(&range), error);
	for (size_t i = 0; status == 0 && i < range_length(&range); i++) {
		CLEANUP(free_pointer) char *name = range_name(&range, i);
		status = name ? select_node(selecting, item, name, error)
			      : error_set(error, -ENOMEM, "out of memory");
	}
	if (status < 0)
		return status;
	struct node_selection *selection = selecting->selection;
	char *joined = selection->written_as ? text_format("%s, %s", selection->written_as, text)
					     : strdup(text);
	if (!joined)
		return error_set(error, -ENOMEM, "out of memory");
	free(selection->written_as);
	selection->written_as = joined;
	return 0;
}

int topology_read_selection(const struct yaml_value *value, const struct topology *topology,
	struct node_selection *selection, struct error *error)
{
	CLEANUP(free_pointer)
	bool *selected = calloc(topology->node_count + 1, sizeof(*selected));
	struct selecting selecting = {value, topology, selection, selected};
	if (!selected)
		return error_set(error, -ENOMEM, "out of memory");
	if (!yaml_is_sequence(value->node))
		return select_nodes(&selecting, value->node, error);
	int status = 0;
	for (size_t i = 0; status == 0 && i < yaml_sequence_length(value->node); i++)
		status = select_nodes(
			&selecting, yaml_sequence_item(value->source, value->node, i), error);
	return status;
}

void node_selection_finish(struct node_selection *selection)
{
	free(selection->nodes);
	free(selection->written_as);
}
