#include "programs/ftp/talk_complete.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

enum { SHOWN_BYTES = 4096 };

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

/* The next word, without its backslashes; false within quotes. *at: behind it. */
static bool take_word(const char *line, size_t length, size_t *at, struct text *ret_word)
{
	text_clear(ret_word);
	while (*at < length && is_blank(line[*at]))
		(*at)++;
	for (; *at < length && !is_blank(line[*at]); (*at)++) {
		if (line[*at] == '"' || line[*at] == '\'')
			return false;
		if (line[*at] == '\\' && *at + 1 < length)
			(*at)++;
		text_append_bytes(ret_word, line + *at, 1);
	}
	return true;
}

bool talk_word_read(const char *line, size_t length, struct talk_word *ret_word)
{
	CLEANUP(text_finish) struct text word = {0};
	struct talk_word result = {0};
	size_t at = 0;
	bool first = true;
	for (;;) {
		if (!take_word(line, length, &at, &word))
			return false;
		if (at == length)
			break;
		if (first)
			snprintf(result.first, sizeof(result.first), "%s", text_view(&word));
		first = false;
	}
	const char *whole = text_view(&word), *slash = strrchr(whole, '/');
	size_t directory = slash ? (size_t)(slash - whole) + 1 : 0;
	result.directory = strndup(whole, directory);
	result.leaf = strdup(whole + directory);
	if (!result.directory || !result.leaf || word.failed) {
		talk_word_finish(&result);
		return false;
	}
	*ret_word = result;
	return true;
}

void talk_word_finish(struct talk_word *word)
{
	free(word->directory);
	free(word->leaf);
	*word = (struct talk_word){0};
}

void talk_matches_add(
	struct talk_matches *matches, const char *leaf, const char *name, bool directory)
{
	if (!text_starts_with(name, leaf) || (name[0] == '.' && leaf[0] != '.'))
		return;
	if (matches->count++ == 0) {
		matches->directory = directory;
		text_append(&matches->common, "%s", name);
	}
	size_t same = 0;
	const char *common = text_view(&matches->common);
	while (common[same] && common[same] == name[same])
		same++;
	/* Not in the middle of a character. */
	while (same > 0 && ((unsigned char)common[same] & 0xc0) == 0x80)
		same--;
	if (same < matches->common.length) {
		matches->common.length = same;
		matches->common.bytes[same] = '\0';
	}
	if (matches->shown.length < SHOWN_BYTES)
		text_append(&matches->shown, "%s%s  ", name, directory ? "/" : "");
}

void talk_matches_insertion(
	const struct talk_matches *matches, const char *leaf, struct text *ret_text)
{
	const char *common = text_view(&matches->common);
	size_t typed = strlen(leaf);
	if (matches->count == 0 || typed > matches->common.length)
		return;
	for (const char *at = common + typed; *at; at++) {
		if (strchr(" \t\\\"'", *at))
			text_append_bytes(ret_text, "\\", 1);
		text_append_bytes(ret_text, at, 1);
	}
	if (matches->count == 1)
		text_append_bytes(ret_text, matches->directory ? "/" : " ", 1);
}

void talk_matches_finish(struct talk_matches *matches)
{
	text_finish(&matches->common);
	text_finish(&matches->shown);
	*matches = (struct talk_matches){0};
}
