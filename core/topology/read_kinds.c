/* `defaults:` and `kinds:` of a file, and what the nodes of an entry take from them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "topology/problems.h"
#include "topology/read_parts.h"

static bool kind_known(const char *text, enum node_kind *ret_kind)
{
	for (size_t i = 0; i < ARRAY_LENGTH(node_kind_names); i++) {
		if (strcmp(text, node_kind_names[i]) == 0) {
			*ret_kind = (enum node_kind)i;
			return true;
		}
	}
	return false;
}

static int kind_unknown(const struct reading *reading, struct yaml_source *source,
	const yaml_node_t *node, const char *text, struct error *error)
{
	const char *names[64];
	size_t count = 0;
	for (; count < ARRAY_LENGTH(node_kind_names); count++)
		names[count] = node_kind_names[count];
	for (size_t i = 0; i < reading->kind_count && count < ARRAY_LENGTH(names); i++)
		names[count++] = reading->kinds[i].kind;
	const char *nearest = text_nearest(text, names, count);
	return yaml_fail(source, yaml_mark(node), error,
		"kind must be host, router%s, not '%s'%s%s%s",
		reading->kind_count ? ", switch or one of kinds" : " or switch", text,
		nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
}

/* The highest `kind` of the layers: *ret_text, NULL where none has one. */
static int layers_kind(const struct yaml_layer *layers, size_t count, char **ret_text,
	const struct yaml_layer **ret_layer, struct error *error)
{
	for (size_t i = count; i-- > 0;) {
		yaml_node_t *node = yaml_find(layers[i].source, layers[i].node, "kind");
		*ret_layer = &layers[i];
		if (node)
			return yaml_read_text(layers[i].source, node, "kind", ret_text, error);
	}
	return 0;
}

/* An entry of `kinds` is of one of the three kinds: as its name says, or its own `kind`. */
static int kinds_kind(const struct reading *reading, const struct node_layer *entry,
	enum node_kind *ret_kind, struct error *error)
{
	struct yaml_layer layer = {entry->source, entry->node};
	const struct yaml_layer *at;
	CLEANUP(free_pointer) char *text = NULL;
	enum node_kind own;
	int status = layers_kind(&layer, 1, &text, &at, error);
	if (status < 0)
		return status;
	if (text && !kind_known(text, &own))
		return kind_unknown(reading, entry->source,
			yaml_find(entry->source, entry->node, "kind"), text, error);
	bool is_one = kind_known(entry->kind, ret_kind);
	if (is_one && text && own != *ret_kind)
		return yaml_fail(entry->source,
			yaml_mark(yaml_find(entry->source, entry->node, "kind")), error,
			"'%s' is a kind by itself, and not a %s", entry->kind, text);
	if (!is_one && text)
		*ret_kind = own;
	return 0;
}

static struct yaml_layer *layer_add(
	struct node_entry *entry, struct yaml_source *source, yaml_node_t *node)
{
	struct yaml_layer *layer = array_add(&entry->layers, &entry->layer_count);
	if (layer)
		*layer = (struct yaml_layer){source, node};
	return layer;
}

int node_entry_begin(const struct yaml_value *value, struct node_entry *entry, struct error *error)
{
	const struct reading *reading = value->source->reading;
	CLEANUP(free_pointer) char *text = NULL;
	const struct yaml_layer *from = NULL;
	entry->value = value;
	for (size_t i = 0; i < reading->default_count; i++)
		if (!layer_add(entry, reading->defaults[i].source, reading->defaults[i].node))
			return error_set(error, -ENOMEM, "out of memory");
	struct yaml_layer *own = layer_add(entry, value->source, value->node);
	if (!own)
		return error_set(error, -ENOMEM, "out of memory");
	int status = layers_kind(entry->layers, entry->layer_count, &text, &from, error);
	if (status < 0)
		return status;
	const char *kind = text ? text : node_kind_names[NODE_HOST];
	bool known = kind_known(kind, &entry->kind);
	entry->layer_count--;
	for (size_t i = 0; status == 0 && i < reading->kind_count; i++) {
		const struct node_layer *layer = &reading->kinds[i];
		if (strcmp(layer->kind, kind) != 0)
			continue;
		known = true;
		status = kinds_kind(reading, layer, &entry->kind, error);
		if (!layer_add(entry, layer->source, layer->node))
			return error_set(error, -ENOMEM, "out of memory");
	}
	if (status == 0 && !known)
		status = kind_unknown(reading, from->source,
			yaml_find(from->source, from->node, "kind"), kind, error);
	if (!layer_add(entry, value->source, value->node))
		return error_set(error, -ENOMEM, "out of memory");
	return status;
}

void node_entry_finish(struct node_entry *entry)
{
	free(entry->layers);
}

/* Kept for the nodes; read once into nothing, so that what is wrong is told though no node has it. */
static int read_layer(const struct yaml_value *value, const char *kind, struct node_layer **layers,
	size_t *count, struct error *error)
{
	struct node_layer *layer = array_add(layers, count);
	if (!layer)
		return error_set(error, -ENOMEM, "out of memory");
	*layer = (struct node_layer){kind, value->source, value->node};
	CLEANUP(node_finish) struct node scratch = {0};
	return yaml_read_form(value->source, value->node, &topology_node_form, &scratch, error);
}

int topology_read_defaults(const struct yaml_value *value, void *target, struct error *error)
{
	struct reading *reading = value->source->reading;
	(void)target;
	return read_layer(value, NULL, &reading->defaults, &reading->default_count, error);
}

static int read_kinds_entry(const struct yaml_value *value, void *target, struct error *error)
{
	struct reading *reading = target;
	enum node_kind kind;
	int result = 0, status = topology_check_name(value, value->name, "a kind", error);
	if (status == 0)
		status = read_layer(
			value, value->name, &reading->kinds, &reading->kind_count, error);
	if (problems_go_on(value->source->problems, status, &result) && reading->kind_count) {
		status =
			kinds_kind(reading, &reading->kinds[reading->kind_count - 1], &kind, error);
		problems_go_on(value->source->problems, status, &result);
	}
	return result;
}

int topology_read_kinds(const struct yaml_value *value, void *target, struct error *error)
{
	(void)target;
	return yaml_read_entries(value->source, value->node, "kinds", read_kinds_entry,
		value->source->reading, error);
}
