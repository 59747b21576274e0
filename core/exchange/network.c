#include "exchange/network.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"

static struct note *note_find(struct network *network, const char *what, const char *why)
{
	for (size_t i = 0; i < network->note_count; i++)
		if (strcmp(network->notes[i].what, what) == 0 &&
			strcmp(network->notes[i].why, why) == 0)
			return &network->notes[i];
	return NULL;
}

static struct note *note_add(struct network *network, const char *what, const char *why)
{
	if (network->note_count == NETWORK_NOTES_MOST)
		return NULL;
	struct note new = {.what = strdup(what), .why = strdup(why)}, *note = NULL;
	if (new.what &&new.why)
		note = array_add(&network->notes, &network->note_count);
	if (note) {
		*note = new;
		return note;
	}
	free(new.what);
	free(new.why);
	return NULL;
}

void network_note(struct network *network, unsigned line, const char *why, const char *format, ...)
{
	CLEANUP(free_pointer) char *what = NULL;
	va_list arguments;
	va_start(arguments, format);
	if (vasprintf(&what, format, arguments) < 0)
		what = NULL;
	va_end(arguments);
	struct note *note = what ? note_find(network, what, why) : NULL;
	if (what && !note)
		note = note_add(network, what, why);
	if (!note) {
		network->notes_lost++;
		return;
	}
	for (size_t i = 0; i < note->count && i < ARRAY_LENGTH(note->lines); i++)
		if (note->lines[i] == line)
			return;
	if (note->count < ARRAY_LENGTH(note->lines))
		note->lines[note->count] = line;
	note->count++;
}

struct network_node *network_add_node(struct network *network, struct error *error)
{
	if (network->node_count == TOPOLOGY_NODES_MOST) {
		error_set(error, -E2BIG, "it has more than %d nodes", TOPOLOGY_NODES_MOST);
		return NULL;
	}
	struct network_node *node = array_add(&network->nodes, &network->node_count);
	if (!node)
		error_set(error, -ENOMEM, "out of memory");
	return node;
}

struct network_link *network_add_link(struct network *network, struct error *error)
{
	if (network->link_count == TOPOLOGY_LINKS_MOST) {
		error_set(error, -E2BIG, "it has more than %d links", TOPOLOGY_LINKS_MOST);
		return NULL;
	}
	struct network_link *link = array_add(&network->links, &network->link_count);
	if (!link)
		error_set(error, -ENOMEM, "out of memory");
	return link;
}

static void network_node_finish(struct network_node *node)
{
	free(node->name);
	free(node->comment);
	free(node->routes);
	for (size_t i = 0; i < node->mac_count; i++)
		free(node->macs[i].interface);
	free(node->macs);
	for (size_t i = 0; i < node->environment_count; i++)
		free(node->environment[i]);
	free(node->environment);
}

void network_finish(struct network *network)
{
	for (size_t i = 0; i < network->node_count; i++)
		network_node_finish(&network->nodes[i]);
	for (size_t i = 0; i < network->link_count; i++) {
		free(network->links[i].ends[0].interface);
		free(network->links[i].ends[1].interface);
		free(network->links[i].comment);
	}
	for (size_t i = 0; i < network->note_count; i++) {
		free(network->notes[i].what);
		free(network->notes[i].why);
	}
	free(network->nodes);
	free(network->links);
	free(network->notes);
	free(network->name);
	free(network->title);
	free(network->heading);
	*network = (struct network){0};
}
