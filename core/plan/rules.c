/* nftables texts as the kernel takes them: it knows interfaces by their short names only. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "plan/parts.h"

static bool in_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_' || c == '.';
}

/* The interface whose long name is the whole word at `word`; NULL where none is. */
static const struct plan_interface *long_named(
	const struct plan_node *node, const char *word, size_t length)
{
	for (size_t i = 0; i < node->interface_count; i++) {
		const char *name = node->interfaces[i].long_name;
		if (name && strlen(name) == length && memcmp(name, word, length) == 0)
			return &node->interfaces[i];
	}
	return NULL;
}

static char *rules_of(const struct plan_node *node)
{
	CLEANUP(text_finish) struct text text = {0};
	const char *at = node->node->rules.text;
	while (*at) {
		size_t length = 0;
		while (in_name(at[length]))
			length++;
		const struct plan_interface *interface =
			length >= PLAN_INTERFACE_NAME_SIZE ? long_named(node, at, length) : NULL;
		length += !length;
		if (interface)
			text_append(&text, "%s", interface->name);
		else
			text_append_bytes(&text, at, length);
		at += length;
	}
	return text_take(&text);
}

int plan_rules(struct plan *plan, struct error *error)
{
	for (size_t i = 0; i < plan->node_count; i++) {
		struct plan_node *node = &plan->nodes[i];
		if (!node->node->rules.text)
			continue;
		node->rules = rules_of(node);
		if (!node->rules)
			return plan_out_of_memory(error);
	}
	return 0;
}
