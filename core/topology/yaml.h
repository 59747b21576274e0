/*
 * YAML values with their places. libyaml parses the text into a document; the functions here read
 * single values out of it and say `FILE:LINE:COLUMN: sentence` where one is not what it must be.
 * Mappings are described by tables of keys, so an unknown key can name the nearest known one, and a
 * key given twice or missing is found in one place. Where problems are collected, what is wrong with
 * one entry does not keep the others from being read.
 *
 * `${name}` in any scalar is replaced by the variable's value; `$$` stands for one `$`.
 */
#ifndef TOPOLOGY_YAML_H
#define TOPOLOGY_YAML_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <yaml.h>

#include "base/error.h"
#include "base/ip.h"
#include "topology/model.h"

struct reading;

struct yaml_source {
	const char *path; /* borrowed, for messages */
	unsigned file; /* its number, in marks */
	struct reading *reading; /* what it is read for; of no meaning here */
	yaml_document_t document;
	bool loaded;
	struct problems *problems; /* borrowed: what is wrong is kept there; may be NULL */
	struct topology *variables; /* whose variables replace ${name}; NULL: none yet */
	bool in_command; /* yaml_read_command() reads */
	bool brought; /* ... and met a variable of --set */
	size_t text_bytes; /* read so far, variables replaced */
	unsigned long visits; /* values read so far: aliases may multiply them */
};

/* Read and parse the one document in `path` (a regular file of at most 4 MiB), the file `number`. */
int yaml_source_open(
	const char *path, unsigned number, struct yaml_source *ret_source, struct error *error);

/* The same of `length` bytes that came from `path`. */
int yaml_source_parse(const char *bytes, size_t length, const char *path,
	struct yaml_source *ret_source, struct error *error);

/* For CLEANUP(). */
void yaml_source_finish(struct yaml_source *source);

/* The document's root, never NULL. */
yaml_node_t *yaml_root(struct yaml_source *source);

struct mark yaml_mark(const yaml_node_t *node);

/* An error at `mark`: "FILE:LINE:COLUMN: sentence". */
int yaml_fail(const struct yaml_source *source, struct mark mark, struct error *error,
	const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The same where a limit is exceeded: -E2BIG, and reading does not go on after it. */
int yaml_limit(const struct yaml_source *source, struct mark mark, struct error *error,
	const char *format, ...) __attribute__((format(printf, 4, 5)));

/* What a mapping's reader is called with for each of its keys. */
struct yaml_value {
	struct yaml_source *source;
	yaml_node_t *key;
	yaml_node_t *node;
	const char *name; /* the key's text */
};

typedef int yaml_read(const struct yaml_value *value, void *target, struct error *error);

struct yaml_key {
	const char *name;
	yaml_read *read;
	bool required;
};

/* The value of a key in a mapping; NULL where it has none, or is no mapping. */
yaml_node_t *yaml_find(struct yaml_source *source, yaml_node_t *mapping, const char *key);

/*
 * Read a mapping by a table of its keys. `what` names the mapping in messages ("a link").
 * A key that is unknown, given twice, or required and missing is an error.
 */
struct yaml_form {
	const char *what;
	const struct yaml_key *keys;
	size_t key_count;
};
int yaml_read_form(struct yaml_source *source, yaml_node_t *node, const struct yaml_form *form,
	void *target, struct error *error);

/*
 * Read mappings of one form that lie over each other: the highest one that has a key gives its
 * value. Of the keys in `merged` (NULL-terminated) all are read, the lowest first. Whether keys are
 * known is not looked at but in the highest.
 */
struct yaml_layer {
	struct yaml_source *source;
	yaml_node_t *node;
};
struct yaml_layers {
	const struct yaml_layer *list; /* the lowest first */
	size_t count;
	const char *const *merged;
};
int yaml_read_layers(const struct yaml_layers *layers, const struct yaml_form *form, void *target,
	struct error *error);

/* Read a mapping of free keys (node names, variables): `read` is called for each. */
int yaml_read_entries(struct yaml_source *source, yaml_node_t *node, const char *what,
	yaml_read *read, void *target, struct error *error);

/*
 * Count `values` more as read. Ranges and aliases let a short file stand for endlessly many: beyond
 * a limit this is an error. The functions that read do it by themselves, for what they read.
 */
int yaml_count(
	struct yaml_source *source, const yaml_node_t *node, size_t values, struct error *error);

/* The items of a sequence: 0 and the item, or -ENOENT behind the last one. */
int yaml_require_sequence(
	struct yaml_source *source, yaml_node_t *node, const char *what, struct error *error);
size_t yaml_sequence_length(const yaml_node_t *node);
size_t yaml_mapping_length(const yaml_node_t *node);
yaml_node_t *yaml_sequence_item(struct yaml_source *source, yaml_node_t *node, size_t index);

/* A scalar with its variables replaced, on the heap. `what` names it in messages. */
int yaml_read_text(struct yaml_source *source, yaml_node_t *node, const char *what, char **ret_text,
	struct error *error);

/* A scalar as it stands in the file, up to its first NUL; NULL where it is none. */
const char *yaml_plain_text(const yaml_node_t *node);

/* The same of a text that is not in the file but stands for `node`. */
int yaml_read_written(struct yaml_source *source, const yaml_node_t *node, const char *written,
	char **ret_text, struct error *error);

/* A text of several lines: a block (`|`), or a single line. The value's name is its key. */
int yaml_read_block(const struct yaml_value *value, struct block *block, struct error *error);

/*
 * A command. Where it begins with a variable of --set, words of that which name files where the
 * caller stands are full paths. ret_brought: whether such a variable stands anywhere in it.
 */
int yaml_read_command(
	const struct yaml_value *value, char **ret_text, bool *ret_brought, struct error *error);

/* A whole number of minimum..maximum. */
int yaml_read_number(struct yaml_source *source, yaml_node_t *node, const char *what,
	uint64_t maximum, uint64_t *ret_number, struct error *error);

int yaml_read_bool(struct yaml_source *source, yaml_node_t *node, const char *what, bool *ret_bool,
	struct error *error);

int yaml_read_ipv4(struct yaml_source *source, yaml_node_t *node, const char *what,
	struct ipv4 *ret_address, struct error *error);

/* An address of either family; the value's name is its key. */
int yaml_read_ip(const struct yaml_value *value, struct ip *ret_address, struct error *error);

/* An address with its prefix length; the value's name is its key. */
int yaml_read_prefix(const struct yaml_value *value, enum ip_family family,
	struct ip_prefix *ret_prefix, struct error *error);

/* The same with host bits 0. */
int yaml_read_subnet(const struct yaml_value *value, enum ip_family family,
	struct ip_prefix *ret_subnet, struct error *error);

/* An empty value (`vars:`), which reads as an empty mapping or sequence. */
bool yaml_is_empty(const yaml_node_t *node);

bool yaml_is_scalar(const yaml_node_t *node);
bool yaml_is_mapping(const yaml_node_t *node);
bool yaml_is_sequence(const yaml_node_t *node);

#endif
