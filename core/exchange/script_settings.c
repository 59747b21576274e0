/* `sysctls` and `exec` of nodes in the shell script, as far as they are the network's. */
#include <string.h>

#include "base/cleanup.h"
#include "exchange/comment.h"
#include "exchange/script_parts.h"

/* In single quotes, where there is anything that a shell could read. */
static void quote(struct text *text, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-_.,:/=+@%";
	if (*word && strspn(word, plain) == strlen(word)) {
		text_append(text, "%s", word);
		return;
	}
	text_append(text, "'");
	for (; *word; word++)
		text_append(text, *word == '\'' ? "'\\''" : "%c", *word);
	text_append(text, "'");
}

static bool is_early(const struct sysctl_spec *sysctl)
{
	return strstr(sysctl->path, "/default/");
}

/* Those of IPC and of names are of namespaces that the script's nodes have not. */
static bool is_network(const struct sysctl_spec *sysctl)
{
	return text_starts_with(sysctl->path, "net/");
}

void script_sysctls(const struct plan *plan, bool early, struct text *text)
{
	bool heard = false;
	for (size_t i = 0; i < plan->node_count; i++) {
		const struct node *node = plan->nodes[i].node;
		for (size_t j = 0; j < node->sysctl_count; j++) {
			const struct sysctl_spec *sysctl = &node->sysctls[j];
			if (early != (is_network(sysctl) && is_early(sysctl)))
				continue;
			if (!heard)
				text_append(text, "\n# Settings that the topology asks for.\n");
			heard = true;
			text_append(text, "%sip netns exec %s sysctl -qw ",
				is_network(sysctl) ? "" : "# not in a network namespace: ",
				node->name);
			CLEANUP(free_pointer)
			char *pair = text_format("%s=%s", sysctl->path, sysctl->value);
			text->failed |= !pair;
			if (is_network(sysctl))
				quote(text, pair ? pair : "");
			else
				comment_append(text, pair ? pair : "");
			text_append(text, "\n");
		}
	}
}

bool export_sets_up(const char *command)
{
	static const char *const programs[] = {
		"ip ", "bridge ", "tc ", "sysctl ", "nft ", "iptables ", "ip6tables ", "ethtool "};
	for (size_t i = 0; i < ARRAY_LENGTH(programs); i++)
		if (text_starts_with(command, programs[i]))
			return true;
	return false;
}

static void script_command(const struct node *node, const char *command, struct text *text)
{
	struct words words;
	struct error ignored;
	if (!export_sets_up(command)) {
		text_append(text, "# ip netns exec %s ", node->name);
		comment_append(text, command);
		text_append(text, "\n");
		return;
	}
	if (text_split_words(command, &words, &ignored) < 0) {
		text->failed = true;
		return;
	}
	CLEANUP(free_pointer) char **list = words.list;
	text_append(text, "ip netns exec %s", node->name);
	for (size_t i = 0; i < words.count; i++) {
		text_append(text, " ");
		quote(text, list[i]);
	}
	text_append(text, "\n");
}

void script_commands(const struct plan *plan, struct text *text)
{
	bool heard = false;
	for (size_t i = 0; i < plan->node_count; i++) {
		const struct node *node = plan->nodes[i].node;
		for (size_t j = 0; j < node->exec_count; j++) {
			if (!heard)
				text_append(text,
					"\n# ---- Commands of the topology\n"
					"# Those that set up the network; others, in comments, may "
					"need the node's folder and files.\n");
			heard = true;
			script_command(node, node->execs[j].command, text);
		}
	}
}
