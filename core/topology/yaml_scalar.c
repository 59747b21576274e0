/* Scalars: their variables replaced, then read as what they are to be. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "topology/yaml.h"

enum { TEXT_MOST = 64 * 1024 * 1024 }; /* bytes of all texts of a file */

static int yaml_append(struct yaml_source *source, const yaml_node_t *node, const char *bytes,
	size_t length, struct text *text, struct error *error)
{
	source->text_bytes += length;
	if (source->text_bytes > TEXT_MOST)
		return yaml_limit(source, yaml_mark(node), error,
			"ranges, aliases and variables stand for over %d MiB of text here",
			TEXT_MOST / 1024 / 1024);
	text_append_bytes(text, bytes, length);
	return 0;
}

/* What stands for the variable: in front of a command, its files by their full paths. */
static const char *yaml_stands_for(
	struct yaml_source *source, struct variable *variable, const struct text *before)
{
	bool begins = source->in_command && !before->length;
	variable->program = variable->program || begins;
	source->brought = source->brought || (variable->command && !variable->own);
	return begins && variable->command ? variable->command : variable->value;
}

static int yaml_replace(struct yaml_source *source, const yaml_node_t *node, const char *name,
	struct text *text, struct error *error)
{
	struct topology *topology = source->variables;
	const char *names[64];
	size_t count = 0;
	for (size_t i = 0; topology && i < topology->variable_count; i++) {
		if (strcmp(topology->variables[i].name, name) == 0) {
			const char *value = yaml_stands_for(source, &topology->variables[i], text);
			return yaml_append(source, node, value, strlen(value), text, error);
		}
		if (count < ARRAY_LENGTH(names))
			names[count++] = topology->variables[i].name;
	}
	const char *nearest = text_nearest(name, names, count);
	return yaml_fail(source, yaml_mark(node), error, "'${%s}' names no entry of vars%s%s%s",
		name, nearest ? "; did you mean '${" : "", nearest ? nearest : "",
		nearest ? "}'?" : "");
}

/* What begins with "${" at *at; moves *at behind it. */
static int yaml_expand_variable(struct yaml_source *source, const yaml_node_t *node,
	const char **at, struct text *text, struct error *error)
{
	const char *end = strchr(*at, '}');
	char name[TOPOLOGY_NAME_MOST + 1];
	if (!end || (size_t)(end - *at - 2) >= sizeof(name))
		return yaml_fail(source, yaml_mark(node), error,
			"'${' opens a variable's name and no '}' ends it; write '$$' for a '$'");
	snprintf(name, sizeof(name), "%.*s", (int)(end - *at - 2), *at + 2);
	*at = end + 1;
	int status = yaml_count(source, node, 1, error);
	return status < 0 ? status : yaml_replace(source, node, name, text, error);
}

static int yaml_expand(struct yaml_source *source, const yaml_node_t *node, const char *at,
	struct text *text, struct error *error)
{
	int status = 0;
	while (status == 0 && *at) {
		size_t plain = strcspn(at, "$");
		if (plain) {
			status = yaml_append(source, node, at, plain, text, error);
			at += plain;
		} else if (at[1] == '{') {
			status = yaml_expand_variable(source, node, &at, text, error);
		} else {
			status = yaml_append(source, node, at, 1, text, error);
			at += at[1] == '$' ? 2 : 1;
		}
	}
	return status;
}

int yaml_read_written(struct yaml_source *source, const yaml_node_t *node, const char *written,
	char **ret_text, struct error *error)
{
	CLEANUP(text_finish) struct text text = {0};
	int status = yaml_expand(source, node, written, &text, error);
	if (status < 0)
		return status;
	char *taken = text_take(&text);
	if (!taken)
		return error_set(error, -ENOMEM, "out of memory");
	free(*ret_text);
	*ret_text = taken;
	return 0;
}

int yaml_read_command(
	const struct yaml_value *value, char **ret_text, bool *ret_brought, struct error *error)
{
	struct yaml_source *source = value->source;
	source->in_command = true;
	source->brought = false;
	int status = yaml_read_text(source, value->node, value->name, ret_text, error);
	source->in_command = false;
	*ret_brought = source->brought;
	return status;
}

int yaml_read_text(struct yaml_source *source, yaml_node_t *node, const char *what, char **ret_text,
	struct error *error)
{
	int status = yaml_count(source, node, 1, error);
	if (status < 0)
		return status;
	if (!yaml_is_scalar(node))
		return yaml_fail(source, yaml_mark(node), error,
			"%s must be one value, not a list or pairs", what);
	if (strlen((char *)node->data.scalar.value) != node->data.scalar.length)
		return yaml_fail(source, yaml_mark(node), error, "%s holds a NUL character", what);
	return yaml_read_written(
		source, node, (const char *)node->data.scalar.value, ret_text, error);
}

static size_t count_lines(const char *text)
{
	size_t count = 0;
	for (; *text; text++)
		count += *text == '\n';
	return count;
}

int yaml_read_block(const struct yaml_value *value, struct block *block, struct error *error)
{
	const yaml_node_t *node = value->node;
	int status = yaml_read_text(value->source, value->node, value->name, &block->text, error);
	if (status < 0)
		return status;
	bool literal = node->data.scalar.style == YAML_LITERAL_SCALAR_STYLE;
	block->mark = yaml_mark(node);
	block->by_lines = literal && count_lines(block->text) ==
					     count_lines((const char *)node->data.scalar.value);
	if (!literal && node->end_mark.line > node->start_mark.line)
		return yaml_fail(value->source, block->mark, error,
			"%s has several lines, which YAML joins here: begin them with `%s: |`",
			value->name, value->name);
	return 0;
}

const char *yaml_plain_text(const yaml_node_t *node)
{
	return yaml_is_scalar(node) ? (const char *)node->data.scalar.value : NULL;
}

int yaml_read_number(struct yaml_source *source, yaml_node_t *node, const char *what,
	uint64_t maximum, uint64_t *ret_number, struct error *error)
{
	CLEANUP(free_pointer) char *text = NULL;
	int status = yaml_read_text(source, node, what, &text, error);
	if (status < 0)
		return status;
	if (!text_parse_number(text, 0, maximum, ret_number))
		return yaml_fail(source, yaml_mark(node), error,
			"%s must be a whole number up to %llu, not '%s'", what,
			(unsigned long long)maximum, text);
	return 0;
}

int yaml_read_bool(struct yaml_source *source, yaml_node_t *node, const char *what, bool *ret_bool,
	struct error *error)
{
	CLEANUP(free_pointer) char *text = NULL;
	int status = yaml_read_text(source, node, what, &text, error);
	if (status < 0)
		return status;
	bool yes = strcmp(text, "true") == 0 || strcmp(text, "yes") == 0;
	if (!yes && strcmp(text, "false") != 0 && strcmp(text, "no") != 0)
		return yaml_fail(source, yaml_mark(node), error,
			"%s must be true or false, not '%s'", what, text);
	*ret_bool = yes;
	return 0;
}

int yaml_read_ipv4(struct yaml_source *source, yaml_node_t *node, const char *what,
	struct ipv4 *ret_address, struct error *error)
{
	CLEANUP(free_pointer) char *text = NULL;
	int status = yaml_read_text(source, node, what, &text, error);
	if (status < 0)
		return status;
	if (!ipv4_parse(text, ret_address))
		return yaml_fail(source, yaml_mark(node), error,
			"%s must be an IPv4 address like 10.0.1.10, not '%s'", what, text);
	return 0;
}

int yaml_read_ip(const struct yaml_value *value, struct ip *ret_address, struct error *error)
{
	CLEANUP(free_pointer) char *text = NULL;
	int status = yaml_read_text(value->source, value->node, value->name, &text, error);
	if (status < 0)
		return status;
	if (!ip_parse(text, ret_address))
		return yaml_fail(value->source, yaml_mark(value->node), error,
			"%s must be an address like 10.0.1.10 or 2001:db8::10, not '%s'",
			value->name, text);
	return 0;
}

int yaml_read_prefix(const struct yaml_value *value, enum ip_family family,
	struct ip_prefix *ret_prefix, struct error *error)
{
	static const char *const examples[] = {"10.0.1.10/24", "2001:db8::10/64"};
	CLEANUP(free_pointer) char *text = NULL;
	struct ip_prefix prefix;
	int status = yaml_read_text(value->source, value->node, value->name, &text, error);
	if (status < 0)
		return status;
	if (!ip_prefix_parse(text, &prefix) || prefix.address.family != family)
		return yaml_fail(value->source, yaml_mark(value->node), error,
			"%s must be an address with its prefix length like %s, not '%s'",
			value->name, examples[family], text);
	if (ip_is_none(prefix.address))
		return yaml_fail(value->source, yaml_mark(value->node), error,
			"%s: %s is no interface's address", value->name, text);
	*ret_prefix = prefix;
	return 0;
}

int yaml_read_subnet(const struct yaml_value *value, enum ip_family family,
	struct ip_prefix *ret_subnet, struct error *error)
{
	struct ip_prefix prefix;
	int status = yaml_read_prefix(value, family, &prefix, error);
	if (status < 0)
		return status;
	struct ip_prefix subnet = ip_prefix_network(prefix);
	if (!ip_equal(subnet.address, prefix.address))
		return yaml_fail(value->source, yaml_mark(value->node), error,
			"%s: %s is one address, and a subnet is wanted: %s", value->name,
			IP_PREFIX_TEXT(prefix), IP_PREFIX_TEXT(subnet));
	*ret_subnet = subnet;
	return 0;
}
