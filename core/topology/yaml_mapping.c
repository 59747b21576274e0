/* Mappings: by a table of their keys, several over each other, or with free keys. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "topology/problems.h"
#include "topology/yaml.h"

enum { YAML_KEYS_MOST = 32 };

/* The pair's key as text; a key is taken as it is written, variables are not replaced in it. */
static int yaml_key_text(struct yaml_source *source, const yaml_node_t *key, const char *what,
	const char **ret_text, struct error *error)
{
	int status = yaml_count(source, key, 1, error);
	if (status < 0)
		return status;
	if (!yaml_is_scalar(key) ||
		strlen((char *)key->data.scalar.value) != key->data.scalar.length)
		return yaml_fail(source, yaml_mark(key), error, "a key of %s must be a word", what);
	*ret_text = (const char *)key->data.scalar.value;
	return 0;
}

static int yaml_unknown_key(
	const struct yaml_value *value, const struct yaml_form *form, struct error *error)
{
	const char *names[YAML_KEYS_MOST];
	struct text known = {0};
	for (size_t i = 0; i < form->key_count && i < YAML_KEYS_MOST; i++) {
		names[i] = form->keys[i].name;
		text_append(&known, "%s%s", i ? ", " : "", names[i]);
	}
	const char *nearest = text_nearest(value->name, names, form->key_count);
	struct mark mark = yaml_mark(value->key);
	if (nearest)
		yaml_fail(value->source, mark, error, "unknown key '%s' in %s; did you mean '%s'?",
			value->name, form->what, nearest);
	else
		yaml_fail(value->source, mark, error, "unknown key '%s' in %s; known are: %s",
			value->name, form->what, text_view(&known));
	text_finish(&known);
	return -EINVAL;
}

static int yaml_read_pair(const struct yaml_value *value, const struct yaml_form *form, bool *given,
	void *target, struct error *error)
{
	for (size_t i = 0; i < form->key_count; i++) {
		if (strcmp(form->keys[i].name, value->name) != 0)
			continue;
		if (given[i])
			return yaml_fail(value->source, yaml_mark(value->key), error,
				"key '%s' is given twice in %s", value->name, form->what);
		given[i] = true;
		return form->keys[i].read(value, target, error);
	}
	return yaml_unknown_key(value, form, error);
}

static bool yaml_is_known(const struct yaml_form *form, const struct yaml_value *value)
{
	for (size_t i = 0; value->name && i < form->key_count; i++)
		if (strcmp(form->keys[i].name, value->name) == 0)
			return true;
	return false;
}

static struct yaml_value yaml_pair_value(struct yaml_source *source, const yaml_node_pair_t *pair)
{
	return (struct yaml_value){.source = source,
		.key = yaml_document_get_node(&source->document, pair->key),
		.node = yaml_document_get_node(&source->document, pair->value)};
}

static int yaml_check_required(struct yaml_source *source, yaml_node_t *node,
	const struct yaml_form *form, const bool *given, struct error *error)
{
	for (size_t i = 0; i < form->key_count; i++)
		if (form->keys[i].required && !given[i])
			return yaml_fail(source, yaml_mark(node), error, "%s needs the key '%s'",
				form->what, form->keys[i].name);
	return 0;
}

int yaml_read_form(struct yaml_source *source, yaml_node_t *node, const struct yaml_form *form,
	void *target, struct error *error)
{
	bool given[YAML_KEYS_MOST] = {false}, all_known = true;
	int result = 0, status = yaml_count(source, node, 1, error);
	if (status < 0)
		return status;
	if (!yaml_is_mapping(node) && !yaml_is_empty(node))
		return yaml_fail(source, yaml_mark(node), error,
			"%s must be written as `key: value` pairs", form->what);
	const yaml_node_pair_t *pair =
		yaml_is_mapping(node) ? node->data.mapping.pairs.start : NULL;
	for (; pair && pair < node->data.mapping.pairs.top; pair++) {
		struct yaml_value value = yaml_pair_value(source, pair);
		status = yaml_key_text(source, value.key, form->what, &value.name, error);
		if (status == 0)
			status = yaml_read_pair(&value, form, given, target, error);
		all_known = all_known && (status == 0 || yaml_is_known(form, &value));
		if (!problems_go_on(source->problems, status, &result))
			return result;
	}
	/* What is missing may be what is not known. */
	if (all_known)
		problems_go_on(source->problems,
			yaml_check_required(source, node, form, given, error), &result);
	return result;
}

yaml_node_t *yaml_find(struct yaml_source *source, yaml_node_t *mapping, const char *key)
{
	if (!yaml_is_mapping(mapping))
		return NULL;
	const yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
	for (; pair < mapping->data.mapping.pairs.top; pair++) {
		const yaml_node_t *name = yaml_document_get_node(&source->document, pair->key);
		if (yaml_is_scalar(name) && strcmp((char *)name->data.scalar.value, key) == 0)
			return yaml_document_get_node(&source->document, pair->value);
	}
	return NULL;
}

/* Whether a higher layer has the key, and it is not one of those that are merged. */
static bool yaml_is_covered(const struct yaml_layers *layers, size_t layer, const char *key)
{
	for (size_t i = 0; layers->merged[i]; i++)
		if (strcmp(layers->merged[i], key) == 0)
			return false;
	for (size_t i = layer + 1; i < layers->count; i++)
		if (yaml_find(layers->list[i].source, layers->list[i].node, key))
			return true;
	return false;
}

static int yaml_read_layer(const struct yaml_layers *layers, size_t layer,
	const struct yaml_form *form, void *target, struct error *error)
{
	struct yaml_source *source = layers->list[layer].source;
	const yaml_node_t *node = layers->list[layer].node;
	int result = 0;
	if (!yaml_is_mapping(node))
		return 0;
	const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
	for (; pair < node->data.mapping.pairs.top; pair++) {
		struct yaml_value value = yaml_pair_value(source, pair);
		bool given[YAML_KEYS_MOST] = {false};
		int status = yaml_key_text(source, value.key, form->what, &value.name, error);
		if (status == 0 && !yaml_is_covered(layers, layer, value.name))
			status = yaml_read_pair(&value, form, given, target, error);
		if (!problems_go_on(source->problems, status, &result))
			break;
	}
	return result;
}

int yaml_read_layers(const struct yaml_layers *layers, const struct yaml_form *form, void *target,
	struct error *error)
{
	const struct yaml_layer *highest = &layers->list[layers->count - 1];
	int result = 0;
	for (size_t i = 0; i + 1 < layers->count; i++) {
		int status = yaml_read_layer(layers, i, form, target, error);
		if (!problems_go_on(layers->list[i].source->problems, status, &result))
			return result;
	}
	int status = yaml_read_form(highest->source, highest->node, form, target, error);
	problems_go_on(highest->source->problems, status, &result);
	return result;
}

/* A mapping's key while they are sorted. */
struct sorted_key {
	const yaml_node_t *node;
	size_t index; /* of the pair */
};

static int sorted_key_compare(const void *a, const void *b)
{
	const struct sorted_key *left = a, *right = b;
	int order = strcmp((const char *)left->node->data.scalar.value,
		(const char *)right->node->data.scalar.value);
	return order ? order : (left->index > right->index) - (left->index < right->index);
}

/* No key may stand twice in a mapping; that all are words is known. */
static int yaml_check_twice(
	struct yaml_source *source, const yaml_node_t *node, const char *what, struct error *error)
{
	const yaml_node_pair_t *pairs = node->data.mapping.pairs.start;
	size_t count = (size_t)(node->data.mapping.pairs.top - pairs);
	CLEANUP(free_pointer) struct sorted_key *keys = calloc(count + 1, sizeof(*keys));
	if (!keys)
		return error_set(error, -ENOMEM, "out of memory");
	for (size_t i = 0; i < count; i++)
		keys[i] = (struct sorted_key){
			yaml_document_get_node(&source->document, pairs[i].key), i};
	qsort(keys, count, sizeof(*keys), sorted_key_compare);
	size_t twice = 0; /* the one that comes first in the file */
	for (size_t i = 1; i < count; i++)
		if (strcmp((const char *)keys[i - 1].node->data.scalar.value,
			    (const char *)keys[i].node->data.scalar.value) == 0 &&
			(!twice || keys[i].index < keys[twice].index))
			twice = i;
	if (!twice)
		return 0;
	return yaml_fail(source, yaml_mark(keys[twice].node), error,
		"'%s' is given twice in %s: first in line %u", keys[twice].node->data.scalar.value,
		what, yaml_mark(keys[twice - 1].node).line);
}

static int yaml_check_keys(
	struct yaml_source *source, const yaml_node_t *node, const char *what, struct error *error)
{
	const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
	int status = 0;
	for (; status == 0 && pair < node->data.mapping.pairs.top; pair++) {
		const char *name;
		status = yaml_key_text(source, yaml_document_get_node(&source->document, pair->key),
			what, &name, error);
	}
	return status < 0 ? status : yaml_check_twice(source, node, what, error);
}

int yaml_read_entries(struct yaml_source *source, yaml_node_t *node, const char *what,
	yaml_read *read, void *target, struct error *error)
{
	int status = yaml_count(source, node, 1, error);
	if (status < 0)
		return status;
	if (yaml_is_empty(node))
		return 0;
	if (!yaml_is_mapping(node))
		return yaml_fail(source, yaml_mark(node), error,
			"%s must be written as `name: value` pairs", what);
	const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
	if (node->data.mapping.pairs.top - pair > TOPOLOGY_NODES_MOST)
		return yaml_fail(source, yaml_mark(node), error, "%s has more than %d entries",
			what, TOPOLOGY_NODES_MOST);
	int result = 0;
	if (!problems_go_on(source->problems, yaml_check_keys(source, node, what, error), &result))
		return result;
	for (; pair < node->data.mapping.pairs.top; pair++) {
		struct yaml_value value = yaml_pair_value(source, pair);
		if (!yaml_is_scalar(value.key))
			continue;
		value.name = (const char *)value.key->data.scalar.value;
		status = read(&value, target, error);
		if (!problems_go_on(source->problems, status, &result))
			break;
	}
	return result;
}
