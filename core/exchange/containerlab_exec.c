/*
 * Commands that set up a node's network, as they stand in `exec:` of containerlab's files: those of ip
 * and sysctl that a plan can say. Whatever else they are is noted.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "exchange/containerlab.h"
#include "topology/rate.h"

enum { SHELL_DEPTH = 3, ROUTES_MOST = 1000 }; /* that a node has */

static const char not_set_up[] =
	"no link, address or route is made of it; `exec` can run what this machine has";

/* Words that are still to be read. */
struct command {
	char **words; /* NULL-terminated */
	struct clab *lab;
	size_t node;
	unsigned line;
};

static struct clab_node *node_of(const struct command *command)
{
	return &command->lab->nodes[command->node];
}

bool clab_mac(const char *text, struct mac *ret_mac)
{
	return mac_parse(text, ret_mac) && !(ret_mac->bytes[0] & 1) &&
	       !mac_equal(*ret_mac, (struct mac){{0}});
}

static bool is_word(const char *word, const char *whole, size_t least)
{
	return word && strlen(word) >= least && text_starts_with(whole, word);
}

static struct network_route *add_route(const struct command *command)
{
	struct network_node *node = &command->lab->network->nodes[command->node];
	if (node->route_count == ROUTES_MOST)
		return NULL;
	return array_add(&node->routes, &node->route_count);
}

struct clab_interface *clab_interface(struct clab_node *node, const char *name)
{
	for (size_t i = 0; i < node->interface_count; i++)
		if (strcmp(node->interfaces[i].name, name) == 0)
			return &node->interfaces[i];
	struct clab_interface *interface = array_add(&node->interfaces, &node->interface_count);
	if (interface && !(interface->name = strdup(name))) {
		node->interface_count--;
		return NULL;
	}
	return interface;
}

/* ADDRESS or ADDRESS/LENGTH. */
static bool parse_prefix(const char *text, struct ip_prefix *ret_prefix)
{
	if (ip_prefix_parse(text, ret_prefix))
		return true;
	if (!ip_parse(text, &ret_prefix->address))
		return false;
	ret_prefix->length = ip_bits(ret_prefix->address.family);
	return true;
}

/* ip addr add ADDRESS [brd +] dev NAME */
static bool take_address(const struct command *command, char **words)
{
	struct ip_prefix prefix;
	const char *device = NULL;
	if (!is_word(words[0], "add", 1) && !is_word(words[0], "replace", 3))
		return false;
	if (!words[1] || !parse_prefix(words[1], &prefix) || !ip_is_hosts(prefix.address))
		return false;
	for (words += 2; *words; words++) {
		bool value = is_word(*words, "dev", 3) || is_word(*words, "brd", 3) ||
			     is_word(*words, "broadcast", 5) || is_word(*words, "scope", 5);
		if (!value && strcmp(*words, "nodad") != 0)
			return false;
		if (value && !words[1])
			return false;
		if (is_word(*words, "dev", 3))
			device = words[1];
		words += value;
	}
	struct clab_interface *interface = device ? clab_interface(node_of(command), device) : NULL;
	if (!interface || !ip_is_none(interface->addresses[prefix.address.family].address))
		return false; /* it has one: ours have one of a family */
	interface->addresses[prefix.address.family] = prefix;
	interface->line = command->line;
	return true;
}

/* One that ip would take: else it is noted. */
static bool is_route(const struct network_route *route)
{
	struct ip_prefix to = route->destination;
	return ip_is_hosts(route->gateway) &&
	       (route->is_default || (to.address.family == route->gateway.family &&
					     ip_equal(ip_prefix_network(to).address, to.address)));
}

/* ip route add DESTINATION via GATEWAY [dev NAME] */
static bool take_route(const struct command *command, char **words)
{
	struct network_route route = {0};
	bool has_gateway = false;
	if (is_word(words[0], "delete", 3) && words[1] && strcmp(words[1], "default") == 0)
		return true; /* the management network's, which is not here */
	if (!is_word(words[0], "add", 1) && !is_word(words[0], "replace", 3))
		return false;
	if (!words[1])
		return false;
	route.is_default = strcmp(words[1], "default") == 0 || strcmp(words[1], "0.0.0.0/0") == 0 ||
			   strcmp(words[1], "::/0") == 0;
	if (!route.is_default && !parse_prefix(words[1], &route.destination))
		return false;
	for (words += 2; *words && words[1]; words += 2) {
		if (strcmp(*words, "via") == 0)
			has_gateway = ip_parse(words[1], &route.gateway);
		else if (!is_word(*words, "dev", 3) && !is_word(*words, "proto", 5))
			return false;
	}
	if (!has_gateway || *words || !is_route(&route))
		return false;
	struct network_route *taken = add_route(command);
	if (taken)
		*taken = route;
	return taken;
}

/* A property of an interface: how many words it takes, 0 where a plan has none for it. */
static int take_property(struct clab_interface *interface, char **words)
{
	struct mac mac;
	if (strcmp(words[0], "up") == 0)
		return 1;
	if (strcmp(words[0], "master") == 0 && words[1]) {
		interface->is_port = true;
		return 2;
	}
	if (strcmp(words[0], "address") != 0 || !words[1] || !clab_mac(words[1], &mac))
		return 0;
	interface->mac = mac;
	interface->has_mac = true;
	return 2;
}

/* ip link set [dev] NAME up | master BRIDGE | address MAC ... */
static bool take_link_set(const struct command *command, char **words)
{
	if (is_word(words[0], "dev", 3))
		words++;
	if (!words[0])
		return false;
	struct clab_interface *interface = clab_interface(node_of(command), words[0]);
	if (!interface)
		return false;
	interface->line = command->line;
	words++;
	while (*words) {
		int length = take_property(interface, words);
		if (!length)
			return false;
		words += length;
	}
	return true;
}

/* ip link add [name] NAME type bridge; ip link property add dev NAME altname NAME */
static bool take_link(const struct command *command, char **words)
{
	if (is_word(words[0], "set", 1) && words[1])
		return take_link_set(command, words + 1);
	if (is_word(words[0], "property", 4) && words[1] && strcmp(words[1], "add") == 0) {
		words += 2;
		if (!words[0] || !is_word(words[0], "dev", 3) || !words[1] || !words[2] ||
			strcmp(words[2], "altname") != 0 || !words[3] || words[4])
			return false;
		struct clab_interface *interface = clab_interface(node_of(command), words[1]);
		if (!interface || interface->long_name)
			return false;
		interface->long_name = strdup(words[3]);
		return interface->long_name;
	}
	if (!is_word(words[0], "add", 1) || !words[1])
		return false;
	words += strcmp(words[1], "name") == 0 ? 2 : 1;
	if (!words[0] || !words[1] || !words[2] || words[3] || strcmp(words[1], "type") != 0 ||
		strcmp(words[2], "bridge") != 0 || node_of(command)->has_bridge)
		return false;
	node_of(command)->has_bridge = true;
	return true;
}

static bool take_ip(const struct command *command)
{
	char **words = command->words + 1;
	while (*words && (strcmp(*words, "-4") == 0 || strcmp(*words, "-6") == 0))
		words++;
	if (!*words || !words[1])
		return false;
	if (is_word(*words, "address", 1))
		return take_address(command, words + 1);
	if (is_word(*words, "route", 1))
		return take_route(command, words + 1);
	return is_word(*words, "link", 1) && take_link(command, words + 1);
}

bool clab_sysctl(struct clab_node *node, const char *key, const char *value)
{
	static const char *const forward[] = {"net.ipv4.ip_forward", "net.ipv4.conf.all.forwarding",
		"net.ipv6.conf.all.forwarding"};
	static const char *const by_themselves[] = {
		".disable_ipv6", ".accept_dad", ".accept_ra", ".autoconf"};
	CLEANUP(free_pointer) char *dotted = strdup(key);
	for (char *at = dotted; at && *at; at++)
		if (*at == '/')
			*at = '.';
	for (size_t i = 0; dotted && i < ARRAY_LENGTH(forward); i++)
		if (strcmp(dotted, forward[i]) == 0) {
			node->forwards = strcmp(value, "1") == 0;
			return true;
		}
	/* The plan turns IPv6 on where there are addresses of it, and sees to the rest then. */
	const char *last = dotted ? strrchr(dotted, '.') : NULL;
	for (size_t i = 0; last && i < ARRAY_LENGTH(by_themselves); i++)
		if (text_starts_with(dotted, "net.ipv6.conf.") &&
			strcmp(last, by_themselves[i]) == 0)
			return true;
	return false;
}

static bool take_sysctl(const struct command *command)
{
	char **words = command->words + 1;
	bool taken = false;
	for (; *words; words++) {
		char *equals = strchr(*words, '=');
		if (**words == '-')
			continue;
		if (!equals)
			return false;
		*equals = '\0';
		bool known = clab_sysctl(node_of(command), *words, equals + 1);
		*equals = '=';
		if (!known)
			return false;
		taken = true;
	}
	return taken;
}

/* tc qdisc add dev NAME root tbf rate RATE burst ... limit ...: how long what waits may be goes by itself */
static bool take_rate(const struct command *command)
{
	char **words = command->words + 1;
	uint64_t rate = 0;
	if (!words[0] || strcmp(words[0], "qdisc") != 0 || !words[1] ||
		(strcmp(words[1], "add") != 0 && strcmp(words[1], "replace") != 0) || !words[2] ||
		strcmp(words[2], "dev") != 0 || !words[3] || !words[4] ||
		strcmp(words[4], "root") != 0 || !words[5] || strcmp(words[5], "tbf") != 0)
		return false;
	const char *device = words[3];
	for (words += 6; *words && words[1]; words += 2) {
		if (strcmp(*words, "rate") == 0 && !rate_parse(words[1], &rate))
			return false;
		if (strcmp(*words, "rate") != 0 && strcmp(*words, "burst") != 0 &&
			strcmp(*words, "limit") != 0 && strcmp(*words, "latency") != 0)
			return false;
	}
	struct clab_interface *interface =
		rate && !*words ? clab_interface(node_of(command), device) : NULL;
	if (!interface)
		return false;
	interface->rate = rate;
	return true;
}

static void note_command(const struct command *command, const char *written)
{
	network_note(command->lab->network, command->line, not_set_up, "exec of %.64s: %.200s",
		node_of(command)->name, written);
}

static int take_line(struct command *command, const char *written, int depth, struct error *error);

/* What a shell would do one after the other; where it is more than that, the whole is noted. */
static int take_script(struct command *command, const char *script, int depth, struct error *error)
{
	CLEANUP(free_pointer) char *copy = strdup(script);
	int status = copy ? 0 : error_set(error, -ENOMEM, "out of memory");
	for (char *at = copy; status == 0 && at && *at;) {
		size_t length = strcspn(at, ";&\n");
		size_t behind = length + strspn(at + length, ";&\n \t");
		CLEANUP(free_pointer) char *piece = strndup(at, length);
		at += behind;
		if (piece && piece[strspn(piece, " \t")])
			status = take_line(command, piece, depth + 1, error);
	}
	return status;
}

static bool is_shell(char **words)
{
	static const char *const shells[] = {"sh", "bash", "ash"};
	const char *slash = strrchr(words[0], '/');
	for (size_t i = 0; i < ARRAY_LENGTH(shells); i++)
		if (strcmp(slash ? slash + 1 : words[0], shells[i]) == 0)
			return words[1] && strcmp(words[1], "-c") == 0 && words[2] && !words[3];
	return false;
}

/* Pipes, redirections, variables and quotes in a script are a shell's matter, which none reads here. */
static bool is_plain_script(const char *script)
{
	return strcspn(script, "|<>$`(){}*?!#'\"\\") == strlen(script) && !strstr(script, "||");
}

static int take_line(struct command *command, const char *written, int depth, struct error *error)
{
	struct words words;
	struct error ignored;
	if (text_split_words(written, &words, &ignored) < 0) {
		note_command(command, written);
		return ignored.code == -ENOMEM ? error_set(error, -ENOMEM, "out of memory") : 0;
	}
	CLEANUP(free_pointer) char **list = words.list;
	command->words = list;
	bool taken = false;
	if (is_shell(list) && depth < SHELL_DEPTH && is_plain_script(list[2]))
		return take_script(command, list[2], depth, error);
	if (strcmp(list[0], "ip") == 0 || strcmp(list[0], "/sbin/ip") == 0)
		taken = take_ip(command);
	else if (strcmp(list[0], "sysctl") == 0)
		taken = take_sysctl(command);
	else if (strcmp(list[0], "tc") == 0)
		taken = take_rate(command);
	if (!taken)
		note_command(command, written);
	return 0;
}

int clab_exec(
	struct clab *lab, size_t node, const char *command, unsigned line, struct error *error)
{
	struct command reading = {.lab = lab, .node = node, .line = line};
	return take_line(&reading, command, 0, error);
}
