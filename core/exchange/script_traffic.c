/* The shell script: what nodes do to packets on their way. */
#include "exchange/script_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

void script_rates(const struct plan *plan, struct text *text)
{
	bool heard = false;
	for (size_t i = 0; i < plan->node_count; i++) {
		const struct plan_node *node = &plan->nodes[i];
		for (size_t j = 0; j < node->interface_count; j++) {
			const struct plan_interface *interface = &node->interfaces[j];
			struct plan_queue queue = plan_queue(plan, interface);
			if (!interface->rate)
				continue;
			if (!heard)
				text_append(text,
					"\n# ---- Rates\n"
					"# What an end of a cable sends at most: a token bucket. "
					"`burst` bytes may go at once, what is\n"
					"# more waits, and what finds `limit` bytes waiting is "
					"dropped (`tc -n NODE -s qdisc` counts it).\n");
			heard = true;
			text_append(text,
				"tc -n %s qdisc add dev %s root tbf rate %llubit burst %llu limit "
				"%llu\n",
				node->node->name, interface->name,
				(unsigned long long)interface->rate,
				(unsigned long long)queue.burst, (unsigned long long)queue.limit);
		}
	}
}

/* Whether a line of the text is the word. */
static bool has_line(const char *text, const char *word)
{
	size_t length = strlen(word);
	for (; text; text = strchr(text, '\n') ? strchr(text, '\n') + 1 : NULL)
		if (strncmp(text, word, length) == 0 && (!text[length] || text[length] == '\n'))
			return true;
	return false;
}

/* A text of several lines as a command's input, whatever stands in it. */
static void here_document(const char *content, struct text *text)
{
	CLEANUP(text_finish) struct text end = {0};
	text_append(&end, "END");
	while (has_line(content, text_view(&end)) && !end.failed)
		text_append(&end, "_");
	text->failed |= end.failed;
	size_t length = strlen(content);
	text_append(text, "<<'%s'\n%s%s%s\n", text_view(&end), content,
		length && content[length - 1] != '\n' ? "\n" : "", text_view(&end));
}

void script_rules(const struct plan *plan, struct text *text)
{
	bool heard = false;
	for (size_t i = 0; i < plan->node_count; i++) {
		const struct plan_node *node = &plan->nodes[i];
		if (!node->rules)
			continue;
		if (!heard) {
			text_append(text,
				"\n# ---- NAT and firewall rules\n"
				"# nft loads them into the node's own tables (`ip netns exec NODE "
				"nft list ruleset`). Names of\n"
				"# nodes may stand in them: /etc/hosts is another one while it "
				"reads.\n"
				"hosts=$(mktemp)\n"
				"cat >\"$hosts\" ");
			here_document(plan->hosts, text);
			text_append(text,
				"rules() {\n"
				"\tip netns exec \"$1\" sh -c 'mount --bind \"$0\" /etc/hosts && "
				"nft -f -' \"$hosts\"\n"
				"}\n");
		}
		heard = true;
		text_append(text, "\nrules %s ", node->node->name);
		here_document(node->rules, text);
	}
	if (heard)
		text_append(text, "rm \"$hosts\"\n");
}
