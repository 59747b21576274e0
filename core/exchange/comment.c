#include "exchange/comment.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"

/* U+0085 is no longer there (text_sanitize()); U+2028 and U+2029 end a line in YAML 1.1. */
static size_t blank_length(const char *at)
{
	if (strchr(" \n\t\r", *at))
		return 1;
	return strncmp(at, "\xe2\x80\xa8", 3) == 0 || strncmp(at, "\xe2\x80\xa9", 3) == 0 ? 3 : 0;
}

static bool continues(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

/* On one line; NULL when memory is gone. */
static char *comment_clean(const char *string, size_t most)
{
	size_t length = strnlen(string, most);
	bool cut = string[length];
	while (cut && length && continues(string[length]))
		length--;
	CLEANUP(free_pointer) char *clean = text_sanitize(string, length);
	CLEANUP(text_finish) struct text line = {0};
	for (const char *at = clean; at && *at;) {
		size_t blank = blank_length(at);
		if (!blank)
			text_append_bytes(&line, at, 1);
		else if (line.length && line.bytes[line.length - 1] != ' ')
			text_append(&line, " ");
		at += blank ? blank : 1;
	}
	if (line.length && line.bytes[line.length - 1] == ' ')
		line.bytes[--line.length] = '\0';
	text_append(&line, "%s", cut ? "..." : "");
	return clean && !line.failed ? strdup(text_view(&line)) : NULL;
}

static void append_clean(struct text *text, const char *string, size_t most)
{
	CLEANUP(free_pointer) char *line = comment_clean(string, most);
	text->failed |= !line;
	text_append(text, "%s", line ? line : "");
}

void comment_append(struct text *text, const char *string)
{
	append_clean(text, string, SIZE_MAX);
}

void comment_excerpt(struct text *text, const char *string)
{
	append_clean(text, string, COMMENT_EXCERPT);
}

void comment_quote(struct text *text, const char *string)
{
	CLEANUP(free_pointer) char *line = comment_clean(string, COMMENT_EXCERPT);
	text->failed |= !line;
	text_append(text, "\"");
	for (const char *at = line; at && *at; at++)
		text_append(text, "%s%c",
			*at == '$'		    ? "$"
			: *at == '"' || *at == '\\' ? "\\"
						    : "",
			*at);
	text_append(text, "\"");
}
