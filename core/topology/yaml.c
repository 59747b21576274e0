#include "topology/yaml.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "topology/problems.h"

enum {
	YAML_FILE_MOST = 4 * 1024 * 1024,
	YAML_VISITS_MOST = 1000000,
	YAML_DEPTH_MOST = 64,
};

struct mark yaml_mark(const yaml_node_t *node)
{
	return (struct mark){.line = (unsigned)node->start_mark.line + 1,
		.column = (unsigned)node->start_mark.column + 1,
		.file = (unsigned)node->start_mark.index};
}

int yaml_fail(const struct yaml_source *source, struct mark mark, struct error *error,
	const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	int status = problem_fail(source->problems, source->path, mark, error, format, arguments);
	va_end(arguments);
	return status;
}

int yaml_limit(const struct yaml_source *source, struct mark mark, struct error *error,
	const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	problem_fail(source->problems, source->path, mark, error, format, arguments);
	va_end(arguments);
	return error->code = -E2BIG;
}

static int yaml_open_file(const char *path, FILE **ret_file, struct error *error)
{
	/* O_NONBLOCK: a FIFO in the file's place must not hang us before it is refused. */
	CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat status;
	if (fd < 0 || fstat(fd, &status) < 0)
		return error_system(error, -errno, "cannot read '%s'", path);
	if (!S_ISREG(status.st_mode))
		return error_set(error, -EINVAL, "'%s' is not a regular file", path);
	if (status.st_size > YAML_FILE_MOST)
		return error_set(
			error, -EFBIG, "'%s' is over 4 MiB: no topology is that long", path);
	*ret_file = fdopen(fd, "r");
	if (!*ret_file)
		return error_system(error, -errno, "cannot read '%s'", path);
	take_fd(&fd);
	return 0;
}

static int yaml_syntax_error(const yaml_parser_t *parser, const char *path, struct error *error)
{
	if (parser->error == YAML_MEMORY_ERROR)
		return error_set(error, -ENOMEM, "%s: out of memory", path);
	const char *problem = parser->problem ? parser->problem : "this is not YAML";
	if (parser->error == YAML_READER_ERROR)
		return error_set(
			error, -EINVAL, "%s: byte %zu: %s", path, parser->problem_offset, problem);
	return error_set(error, -EINVAL, "%s:%zu:%zu: %s%s%s", path, parser->problem_mark.line + 1,
		parser->problem_mark.column + 1, problem, parser->context ? " " : "",
		parser->context ? parser->context : "");
}

/* Marks name their file; libyaml's have a place for it: the index of the byte, which nothing uses. */
static void yaml_number_nodes(struct yaml_source *source)
{
	yaml_node_t *node = source->document.nodes.start;
	for (; node < source->document.nodes.top; node++)
		node->start_mark.index = source->file;
}

static int yaml_load(yaml_parser_t *parser, struct yaml_source *source, struct error *error)
{
	if (!yaml_parser_load(parser, &source->document))
		return yaml_syntax_error(parser, source->path, error);
	source->loaded = true;
	yaml_number_nodes(source);
	if (!yaml_document_get_root_node(&source->document))
		return error_set(error, -EINVAL, "%s: the file is empty", source->path);

	yaml_document_t second;
	if (!yaml_parser_load(parser, &second))
		return yaml_syntax_error(parser, source->path, error);
	yaml_node_t *root = yaml_document_get_root_node(&second);
	struct mark mark = root ? yaml_mark(root) : (struct mark){0};
	yaml_document_delete(&second);
	if (mark.line)
		return yaml_fail(
			source, mark, error, "a second document begins: one file, one topology");
	return 0;
}

/* libyaml takes time that is quadratic in the depth, which no topology needs: look at it first. */
static int yaml_check_depth(FILE *file, const char *path, struct error *error)
{
	yaml_parser_t parser;
	if (!yaml_parser_initialize(&parser))
		return error_set(error, -ENOMEM, "out of memory");
	yaml_parser_set_input_file(&parser, file);
	int depth = 0;
	bool more = true;
	struct mark mark = {0};
	while (more && depth <= YAML_DEPTH_MOST) {
		yaml_event_t event;
		if (!yaml_parser_parse(&parser, &event))
			break; /* yaml_load() will say what is wrong */
		depth += event.type == YAML_SEQUENCE_START_EVENT ||
			 event.type == YAML_MAPPING_START_EVENT;
		depth -= event.type == YAML_SEQUENCE_END_EVENT ||
			 event.type == YAML_MAPPING_END_EVENT;
		more = event.type != YAML_STREAM_END_EVENT;
		mark = (struct mark){.line = (unsigned)event.start_mark.line + 1,
			.column = (unsigned)event.start_mark.column + 1};
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	rewind(file);
	if (depth <= YAML_DEPTH_MOST)
		return 0;
	return error_set(error, -EINVAL,
		"%s:%u:%u: lists and pairs stand over %d deep in each other", path, mark.line,
		mark.column, YAML_DEPTH_MOST);
}

static int yaml_source_read(FILE *file, const char *path, unsigned number,
	struct yaml_source *ret_source, struct error *error)
{
	int status = yaml_check_depth(file, path, error);
	if (status < 0)
		return status;
	yaml_parser_t parser;
	if (!yaml_parser_initialize(&parser))
		return error_set(error, -ENOMEM, "out of memory");
	yaml_parser_set_input_file(&parser, file);
	struct yaml_source source = {.path = path, .file = number};
	status = yaml_load(&parser, &source, error);
	yaml_parser_delete(&parser);
	if (status < 0)
		yaml_source_finish(&source);
	else
		*ret_source = source;
	return status;
}

int yaml_source_open(
	const char *path, unsigned number, struct yaml_source *ret_source, struct error *error)
{
	CLEANUP(close_file) FILE *file = NULL;
	int status = yaml_open_file(path, &file, error);
	return status < 0 ? status : yaml_source_read(file, path, number, ret_source, error);
}

int yaml_source_parse(const char *bytes, size_t length, const char *path,
	struct yaml_source *ret_source, struct error *error)
{
	if (!length)
		return error_set(error, -EINVAL, "%s: the file is empty", path);
	CLEANUP(close_file) FILE *file = fmemopen((void *)(uintptr_t)bytes, length, "r");
	if (!file)
		return error_set(error, -ENOMEM, "out of memory");
	return yaml_source_read(file, path, 0, ret_source, error);
}

void yaml_source_finish(struct yaml_source *source)
{
	if (source->loaded)
		yaml_document_delete(&source->document);
	source->loaded = false;
}

yaml_node_t *yaml_root(struct yaml_source *source)
{
	return yaml_document_get_root_node(&source->document);
}

bool yaml_is_scalar(const yaml_node_t *node)
{
	return node->type == YAML_SCALAR_NODE;
}

bool yaml_is_mapping(const yaml_node_t *node)
{
	return node->type == YAML_MAPPING_NODE;
}

bool yaml_is_sequence(const yaml_node_t *node)
{
	return node->type == YAML_SEQUENCE_NODE;
}

int yaml_count(
	struct yaml_source *source, const yaml_node_t *node, size_t values, struct error *error)
{
	source->visits += values;
	if (source->visits <= YAML_VISITS_MOST)
		return 0;
	return yaml_limit(source, yaml_mark(node), error,
		"ranges and aliases stand for over %d values here", YAML_VISITS_MOST);
}

bool yaml_is_empty(const yaml_node_t *node)
{
	return yaml_is_scalar(node) && node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	       (node->data.scalar.length == 0 ||
		       strcmp((char *)node->data.scalar.value, "~") == 0 ||
		       strcmp((char *)node->data.scalar.value, "null") == 0);
}

int yaml_require_sequence(
	struct yaml_source *source, yaml_node_t *node, const char *what, struct error *error)
{
	if (!yaml_is_sequence(node) && !yaml_is_empty(node))
		return yaml_fail(source, yaml_mark(node), error, "%s must be a list", what);
	return yaml_count(source, node, 1, error);
}

size_t yaml_sequence_length(const yaml_node_t *node)
{
	if (!yaml_is_sequence(node))
		return 0;
	return (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
}

size_t yaml_mapping_length(const yaml_node_t *node)
{
	if (!yaml_is_mapping(node))
		return 0;
	return (size_t)(node->data.mapping.pairs.top - node->data.mapping.pairs.start);
}

yaml_node_t *yaml_sequence_item(struct yaml_source *source, yaml_node_t *node, size_t index)
{
	return yaml_document_get_node(&source->document, node->data.sequence.items.start[index]);
}
