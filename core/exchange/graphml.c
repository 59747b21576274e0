#include "exchange/graphml.h"

#include <errno.h>
#include <expat.h>
#include <search.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"

enum { DEPTH_MOST = 64, KEYS_MOST = 1000 };

enum element {
	ELEMENT_OTHER,
	ELEMENT_GRAPHML,
	ELEMENT_KEY,
	ELEMENT_DEFAULT,
	ELEMENT_GRAPH,
	ELEMENT_NODE,
	ELEMENT_EDGE,
	ELEMENT_HYPEREDGE,
	ELEMENT_DATA,
	ELEMENT_LABEL, /* of yEd: inside of a data element */
};

/* What the Zoo's attributes are here, by `attr.name`. */
static const struct {
	enum element of;
	const char *name;
	unsigned value;
} attributes[] = {
	{ELEMENT_GRAPH, "Network", GRAPH_NETWORK},
	{ELEMENT_GRAPH, "label", GRAPH_LABEL},
	{ELEMENT_GRAPH, "GeoLocation", GRAPH_LOCATION},
	{ELEMENT_GRAPH, "NetworkDate", GRAPH_DATE},
	{ELEMENT_GRAPH, "Source", GRAPH_SOURCE},
	{ELEMENT_NODE, "label", NODE_LABEL},
	{ELEMENT_NODE, "name", NODE_LABEL},
	{ELEMENT_NODE, "Latitude", NODE_LATITUDE},
	{ELEMENT_NODE, "Longitude", NODE_LONGITUDE},
	{ELEMENT_NODE, "Country", NODE_COUNTRY},
	{ELEMENT_NODE, "type", NODE_TYPE},
	{ELEMENT_NODE, "Internal", NODE_INTERNAL},
	{ELEMENT_NODE, "hyperedge", NODE_HYPEREDGE},
	{ELEMENT_EDGE, "LinkLabel", EDGE_LABEL},
	{ELEMENT_EDGE, "label", EDGE_LABEL},
	{ELEMENT_EDGE, "LinkType", EDGE_TYPE},
	{ELEMENT_EDGE, "LinkNote", EDGE_NOTE},
	{ELEMENT_EDGE, "LinkSpeed", EDGE_SPEED},
	{ELEMENT_EDGE, "LinkSpeedUnits", EDGE_SPEED_UNITS},
	{ELEMENT_EDGE, "LinkSpeedRaw", EDGE_SPEED_RAW},
};

/* A <key>: what data elements that name it say, and of what. */
struct key {
	char *id, *name, *given; /* given: its <default> */
	enum element of; /* ELEMENT_OTHER: of all */
	unsigned line;
	enum element unused; /* said of these, and nothing in a topology says it */
};

/* Where an element's own text goes. By its index: items move when there come more. */
struct target {
	enum element of; /* ELEMENT_OTHER: nowhere */
	size_t item;
	unsigned value;
};

struct frame {
	enum element element;
	size_t item; /* of a node, an edge, a hyperedge: its index */
	struct target target;
};

struct reading_graph {
	XML_Parser parser;
	const char *path;
	struct network *network;
	struct graphml *graph;
	struct error *error;
	int status;
	struct key *keys;
	size_t key_count;
	struct frame frames[DEPTH_MOST];
	size_t depth;
	struct text text;
	bool directed; /* of the innermost graph that says so */
};

static unsigned line_now(const struct reading_graph *reading)
{
	return (unsigned)XML_GetCurrentLineNumber(reading->parser);
}

__attribute__((format(printf, 3, 4))) static void stop(
	struct reading_graph *reading, int status, const char *format, ...)
{
	char sentence[sizeof(reading->error->text)];
	va_list arguments;
	if (reading->status < 0)
		return;
	va_start(arguments, format);
	vsnprintf(sentence, sizeof(sentence), format, arguments);
	va_end(arguments);
	reading->status = error_set(reading->error, status, "%s:%u:%lu: %s", reading->path,
		line_now(reading), XML_GetCurrentColumnNumber(reading->parser) + 1, sentence);
	XML_StopParser(reading->parser, XML_FALSE);
}

static void out_of_memory(struct reading_graph *reading)
{
	stop(reading, -ENOMEM, "out of memory");
}

/* "y:NodeLabel" is NodeLabel: prefixes are the file's own choice. */
static const char *local_name(const char *name)
{
	const char *colon = strrchr(name, ':');
	return colon ? colon + 1 : name;
}

static enum element element_named(const char *name)
{
	static const struct {
		const char *name;
		enum element element;
	} elements[] = {{"graphml", ELEMENT_GRAPHML}, {"key", ELEMENT_KEY},
		{"default", ELEMENT_DEFAULT}, {"graph", ELEMENT_GRAPH}, {"node", ELEMENT_NODE},
		{"edge", ELEMENT_EDGE}, {"hyperedge", ELEMENT_HYPEREDGE}, {"data", ELEMENT_DATA},
		{"NodeLabel", ELEMENT_LABEL}, {"EdgeLabel", ELEMENT_LABEL}};
	for (size_t i = 0; i < ARRAY_LENGTH(elements); i++)
		if (strcmp(elements[i].name, local_name(name)) == 0)
			return elements[i].element;
	return ELEMENT_OTHER;
}

static const char *attribute(const XML_Char **attributes_given, const char *name)
{
	for (size_t i = 0; attributes_given[i]; i += 2)
		if (strcmp(attributes_given[i], name) == 0)
			return attributes_given[i + 1];
	return NULL;
}

static char *copy(struct reading_graph *reading, const char *string)
{
	char *result = strdup(string);
	if (!result)
		out_of_memory(reading);
	return result;
}

/* The value that a key's data is, of one sort of element. */
static bool key_value(const struct key *key, enum element of, unsigned *ret_value)
{
	for (size_t i = 0; i < ARRAY_LENGTH(attributes); i++)
		if (attributes[i].of == of && strcmp(attributes[i].name, key->name) == 0) {
			*ret_value = attributes[i].value;
			return true;
		}
	return false;
}

static void begin_key(struct reading_graph *reading, const XML_Char **given)
{
	const char *id = attribute(given, "id"), *name = attribute(given, "attr.name"),
		   *of = attribute(given, "for");
	if (reading->key_count == KEYS_MOST) {
		stop(reading, -E2BIG, "more than %d keys", KEYS_MOST);
		return;
	}
	struct key *key = array_add(&reading->keys, &reading->key_count);
	if (!key) {
		out_of_memory(reading);
		return;
	}
	key->id = copy(reading, id ? id : "");
	key->name = copy(reading, name ? name : "");
	key->of = of ? element_named(of) : ELEMENT_OTHER;
	key->line = line_now(reading);
}

static struct graphml_item *item_add(struct reading_graph *reading, bool edge)
{
	struct graphml *graph = reading->graph;
	size_t most = edge ? TOPOLOGY_LINKS_MOST : TOPOLOGY_NODES_MOST;
	if ((edge ? graph->edge_count : graph->node_count) == most) {
		stop(reading, -E2BIG, "more than %zu %s, the most that a topology has", most,
			edge ? "edges" : "nodes");
		return NULL;
	}
	struct graphml_item *item = edge ? array_add(&graph->edges, &graph->edge_count)
					 : array_add(&graph->nodes, &graph->node_count);
	if (!item)
		out_of_memory(reading);
	else
		item->line = line_now(reading);
	return item;
}

static void begin_node(struct reading_graph *reading, const XML_Char **given, struct frame *frame)
{
	const char *id = attribute(given, "id");
	if (!id) {
		stop(reading, -EINVAL, "a node needs an id");
		return;
	}
	struct graphml_item *node = item_add(reading, false);
	if (!node)
		return;
	node->id = copy(reading, id);
	frame->item = reading->graph->node_count - 1;
}

static void begin_edge(struct reading_graph *reading, const XML_Char **given, struct frame *frame)
{
	const char *source = attribute(given, "source"), *target = attribute(given, "target"),
		   *directed = attribute(given, "directed");
	if (!source || !target) {
		stop(reading, -EINVAL, "an edge needs a source and a target");
		return;
	}
	struct graphml_item *edge = item_add(reading, true);
	if (!edge)
		return;
	edge->ends[0] = copy(reading, source);
	edge->ends[1] = copy(reading, target);
	edge->directed = directed ? strcmp(directed, "true") == 0 : reading->directed;
	frame->item = reading->graph->edge_count - 1;
}

/* A hyperedge is a node that has an edge to each of its ends. */
static void begin_hyperedge(struct reading_graph *reading, struct frame *frame)
{
	struct graphml_item *node = item_add(reading, false);
	if (!node)
		return;
	node->values[NODE_HYPEREDGE] = copy(reading, "1");
	frame->item = reading->graph->node_count - 1;
}

static void begin_endpoint(
	struct reading_graph *reading, const XML_Char **given, const struct frame *hyperedge)
{
	const char *node = attribute(given, "node");
	struct graphml_item *edge = node ? item_add(reading, true) : NULL;
	if (!node)
		stop(reading, -EINVAL, "an endpoint needs a node");
	if (!edge)
		return;
	edge->nodes[0] = hyperedge->item;
	edge->ends[1] = copy(reading, node);
}

/* What encloses a data element or a label: an element that has values. */
static struct target target_around(const struct reading_graph *reading)
{
	for (size_t i = reading->depth; i-- > 0;) {
		const struct frame *frame = &reading->frames[i];
		if (frame->element == ELEMENT_HYPEREDGE)
			return (struct target){ELEMENT_NODE, frame->item, 0};
		if (frame->element == ELEMENT_NODE || frame->element == ELEMENT_EDGE ||
			frame->element == ELEMENT_GRAPH)
			return (struct target){frame->element, frame->item, 0};
	}
	return (struct target){0};
}

/* NULL: nowhere. */
static char **target_value(struct reading_graph *reading, const struct target *target)
{
	struct graphml *graph = reading->graph;
	switch (target->of) {
	case ELEMENT_KEY:
		return &reading->keys[target->item].given;
	case ELEMENT_NODE:
		return &graph->nodes[target->item].values[target->value];
	case ELEMENT_EDGE:
		return &graph->edges[target->item].values[target->value];
	case ELEMENT_GRAPH:
		return &graph->itself.values[target->value];
	default:
		return NULL;
	}
}

static void begin_data(struct reading_graph *reading, const XML_Char **given, struct frame *frame)
{
	const char *id = attribute(given, "key");
	struct target target = target_around(reading);
	size_t at = 0;
	while (at < reading->key_count && (!id || strcmp(reading->keys[at].id, id) != 0))
		at++;
	if (at == reading->key_count)
		network_note(reading->network, line_now(reading),
			"no key of the file says what it means", "data of key '%s'", id ? id : "");
	else if (key_value(&reading->keys[at], target.of, &target.value))
		frame->target = target;
	else
		reading->keys[at].unused = target.of;
}

static void begin_label(struct reading_graph *reading, struct frame *frame)
{
	struct target target = target_around(reading);
	target.value = target.of == ELEMENT_EDGE ? EDGE_LABEL : NODE_LABEL;
	if (target.of != ELEMENT_GRAPH)
		frame->target = target;
}

static void begin_other(struct reading_graph *reading, const char *name, const XML_Char **given)
{
	const struct frame *outer = reading->depth ? &reading->frames[reading->depth - 1] : NULL;
	if (!outer)
		stop(reading, -EINVAL, "this is <%.60s>, not GraphML", name);
	else if (outer->element == ELEMENT_HYPEREDGE && strcmp(local_name(name), "endpoint") == 0)
		begin_endpoint(reading, given, outer);
	else if (strcmp(local_name(name), "locator") == 0)
		network_note(
			reading->network, line_now(reading), "other files are not read", "locator");
}

static void begin_graph(struct reading_graph *reading, const XML_Char **given)
{
	const char *directed = attribute(given, "edgedefault");
	reading->directed = directed && strcmp(directed, "directed") == 0;
	for (size_t i = 0; i < reading->depth; i++)
		if (reading->frames[i].element == ELEMENT_GRAPH) {
			network_note(reading->network, line_now(reading),
				"its nodes are nodes like all others", "that a graph is nested");
			break;
		}
}

static void XMLCALL begin(void *target, const XML_Char *name, const XML_Char **given)
{
	struct reading_graph *reading = target;
	if (reading->status < 0)
		return;
	if (reading->depth == DEPTH_MOST) {
		stop(reading, -E2BIG, "elements stand over %d deep in each other", DEPTH_MOST);
		return;
	}
	struct frame frame = {.element = element_named(name)};
	switch (frame.element) {
	case ELEMENT_KEY:
		begin_key(reading, given);
		break;
	case ELEMENT_DEFAULT:
		if (reading->depth && reading->key_count &&
			reading->frames[reading->depth - 1].element == ELEMENT_KEY)
			frame.target = (struct target){ELEMENT_KEY, reading->key_count - 1, 0};
		break;
	case ELEMENT_GRAPH:
		begin_graph(reading, given);
		break;
	case ELEMENT_NODE:
		begin_node(reading, given, &frame);
		break;
	case ELEMENT_EDGE:
		begin_edge(reading, given, &frame);
		break;
	case ELEMENT_HYPEREDGE:
		begin_hyperedge(reading, &frame);
		break;
	case ELEMENT_DATA:
		begin_data(reading, given, &frame);
		break;
	case ELEMENT_LABEL:
		begin_label(reading, &frame);
		break;
	case ELEMENT_GRAPHML:
		break;
	case ELEMENT_OTHER:
		begin_other(reading, name, given);
		break;
	}
	text_clear(&reading->text);
	reading->frames[reading->depth++] = frame;
}

static void XMLCALL characters(void *target, const XML_Char *bytes, int length)
{
	struct reading_graph *reading = target;
	if (reading->status < 0 || !reading->depth ||
		reading->frames[reading->depth - 1].target.of == ELEMENT_OTHER)
		return;
	size_t room = GRAPHML_VALUE_MOST - reading->text.length;
	text_append_bytes(&reading->text, bytes, (size_t)length < room ? (size_t)length : room);
	if (reading->text.failed)
		out_of_memory(reading);
}

static void XMLCALL end(void *user, const XML_Char *name)
{
	struct reading_graph *reading = user;
	(void)name;
	if (reading->status < 0 || !reading->depth)
		return;
	char **target = target_value(reading, &reading->frames[--reading->depth].target);
	const char *value = text_view(&reading->text);
	value += strspn(value, " \t\r\n");
	if (target && !*target && *value)
		*target = copy(reading, value);
	text_clear(&reading->text);
}

/* Entities can stand for gigabytes, or for other files; no graph needs them. */
static void XMLCALL entity(void *target, const XML_Char *name, int is_parameter,
	const XML_Char *value, int length, const XML_Char *base, const XML_Char *system,
	const XML_Char *public, const XML_Char *notation)
{
	(void)is_parameter, (void)value, (void)length, (void)base, (void)system, (void)public;
	(void)notation;
	stop(target, -EINVAL, "it declares the entity '%.60s': files with entities are not read",
		name);
}

static void XMLCALL skipped(void *target, const XML_Char *name, int is_parameter)
{
	(void)is_parameter;
	stop(target, -EINVAL, "the entity '%.60s' is not in this file, and others are not read",
		name);
}

/* One note for all attributes of nodes, one for those of edges, one for those of the graph. */
static void note_unused(const struct reading_graph *reading)
{
	static const struct {
		enum element of;
		const char *name;
	} sorts[] = {
		{ELEMENT_GRAPH, "the graph"}, {ELEMENT_NODE, "nodes"}, {ELEMENT_EDGE, "edges"}};
	for (size_t i = 0; i < ARRAY_LENGTH(sorts); i++) {
		CLEANUP(text_finish) struct text names = {0};
		for (size_t j = 0; j < reading->key_count; j++)
			if (reading->keys[j].unused == sorts[i].of)
				text_append(&names, "%s%.60s", names.length ? ", " : "",
					reading->keys[j].name);
		if (names.length)
			network_note(reading->network, 0, "nothing in a topology says it",
				"attributes of %s: %s", sorts[i].name, text_view(&names));
	}
}

/* The values that keys give to what has none of its own. */
static void give_defaults(struct reading_graph *reading)
{
	static const enum element sorts[] = {ELEMENT_NODE, ELEMENT_EDGE};
	struct graphml *graph = reading->graph;
	for (size_t i = 0; i < reading->key_count; i++)
		for (size_t j = 0; reading->keys[i].given && j < ARRAY_LENGTH(sorts); j++) {
			const struct key *key = &reading->keys[i];
			bool nodes = sorts[j] == ELEMENT_NODE;
			struct graphml_item *items = nodes ? graph->nodes : graph->edges;
			size_t count = nodes ? graph->node_count : graph->edge_count;
			unsigned value;
			if ((key->of != sorts[j] && key->of != ELEMENT_OTHER) ||
				!key_value(key, sorts[j], &value))
				continue;
			for (size_t k = 0; k < count; k++)
				if (!items[k].values[value])
					items[k].values[value] = copy(reading, key->given);
		}
}

static int fail_at(
	const struct reading_graph *reading, unsigned line, const char *what, const char *id)
{
	return error_set(
		reading->error, -EINVAL, "%s:%u: %s '%.60s'", reading->path, line, what, id);
}

/* Edges name nodes, which may come later in the file: by now all are known. */
static int find_ends(struct reading_graph *reading)
{
	struct graphml *graph = reading->graph;
	struct hsearch_data table = {0};
	ENTRY *found;
	int status = 0;
	if (!hcreate_r(2 * graph->node_count + 16, &table))
		return error_set(reading->error, -ENOMEM, "out of memory");
	for (size_t i = 0; status == 0 && i < graph->node_count; i++) {
		ENTRY entry = {.key = graph->nodes[i].id, .data = &graph->nodes[i]};
		if (!entry.key)
			continue;
		if (hsearch_r(entry, FIND, &found, &table))
			status = fail_at(reading, graph->nodes[i].line,
				"there is another node of the id", entry.key);
		else
			hsearch_r(entry, ENTER, &found, &table);
	}
	for (size_t i = 0; status == 0 && i < 2 * graph->edge_count; i++) {
		struct graphml_item *edge = &graph->edges[i / 2];
		ENTRY entry = {.key = edge->ends[i % 2]};
		if (!entry.key)
			continue;
		if (!hsearch_r(entry, FIND, &found, &table))
			status = fail_at(
				reading, edge->line, "there is no node of the id", entry.key);
		else
			edge->nodes[i % 2] =
				(size_t)((struct graphml_item *)found->data - graph->nodes);
	}
	hdestroy_r(&table);
	return status;
}

static int parse(struct reading_graph *reading, const char *bytes, size_t length)
{
	XML_SetUserData(reading->parser, reading);
	XML_SetElementHandler(reading->parser, begin, end);
	XML_SetCharacterDataHandler(reading->parser, characters);
	XML_SetEntityDeclHandler(reading->parser, entity);
	XML_SetSkippedEntityHandler(reading->parser, skipped);
	enum XML_Status parsed = XML_Parse(reading->parser, bytes, (int)length, XML_TRUE);
	if (reading->status < 0)
		return reading->status;
	if (parsed != XML_STATUS_OK) {
		enum XML_Error code = XML_GetErrorCode(reading->parser);
		stop(reading, code == XML_ERROR_NO_MEMORY ? -ENOMEM : -EINVAL,
			"this is not well-formed XML: %s", XML_ErrorString(code));
		return reading->status;
	}
	give_defaults(reading);
	note_unused(reading);
	return reading->status < 0 ? reading->status : find_ends(reading);
}

int graphml_read(const char *bytes, size_t length, const char *path, struct network *network,
	struct graphml *ret_graph, struct error *error)
{
	struct reading_graph reading = {
		.path = path, .network = network, .graph = ret_graph, .error = error};
	*ret_graph = (struct graphml){0};
	reading.parser = XML_ParserCreate(NULL);
	if (!reading.parser)
		return error_set(error, -ENOMEM, "out of memory");
	int status = parse(&reading, bytes, length);
	XML_ParserFree(reading.parser);
	for (size_t i = 0; i < reading.key_count; i++) {
		free(reading.keys[i].id);
		free(reading.keys[i].name);
		free(reading.keys[i].given);
	}
	free(reading.keys);
	text_finish(&reading.text);
	return status;
}

static void item_finish(struct graphml_item *item)
{
	for (size_t i = 0; i < GRAPHML_VALUES; i++)
		free(item->values[i]);
	free(item->id);
	free(item->ends[0]);
	free(item->ends[1]);
}

void graphml_finish(struct graphml *graph)
{
	item_finish(&graph->itself);
	for (size_t i = 0; i < graph->node_count; i++)
		item_finish(&graph->nodes[i]);
	for (size_t i = 0; i < graph->edge_count; i++)
		item_finish(&graph->edges[i]);
	free(graph->nodes);
	free(graph->edges);
	*graph = (struct graphml){0};
}
