#include "topology/block.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

/* How deep line `line` of the file is indented; 0 where it cannot be told any more. */
static unsigned indent_of(const char *path, unsigned line)
{
	CLEANUP(close_file) FILE *file = fopen(path, "re");
	CLEANUP(free_pointer) char *text = NULL;
	size_t size = 0;
	ssize_t length = file ? 0 : -1;
	for (unsigned i = 0; i < line && length >= 0; i++)
		length = getline(&text, &size, file);
	return length < 0 ? 0 : (unsigned)strspn(text, " ");
}

/* Spaces that the text itself has before what it says in that line. */
static unsigned own_indent(const char *text, unsigned line)
{
	while (--line && text)
		text = strchr(text, '\n') ? strchr(text, '\n') + 1 : NULL;
	return text ? (unsigned)strspn(text, " ") : 0;
}

struct mark block_place(const struct topology *topology, const struct block *block, unsigned line,
	unsigned column, bool *ret_exact)
{
	struct mark place = block->mark;
	*ret_exact = block->by_lines && line;
	if (!*ret_exact)
		return place;
	place.line += line;
	unsigned deep = indent_of(topology->files[place.file], place.line);
	unsigned own = own_indent(block->text, line);
	place.column = (deep > own ? deep - own : 0) + (column ? column : 1);
	return place;
}
