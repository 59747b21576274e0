#include "cli/synopsis.h"

#include <string.h>

#define BLANKS " \t\n"

/* Without brackets and "...". */
static void word_copy(const char *word, size_t length, char ret_text[static SYNOPSIS_WORD_MOST])
{
	size_t used = 0;
	for (size_t i = 0; i < length && used < SYNOPSIS_WORD_MOST - 1; i++)
		if (word[i] != '[' && word[i] != ']' && word[i] != '.')
			ret_text[used++] = word[i];
	ret_text[used] = '\0';
}

void synopsis_read(const char *text, struct synopsis *ret_synopsis)
{
	struct synopsis synopsis = {0};
	bool wants_value = false;
	for (const char *at = text + strspn(text, BLANKS); *at; at += strspn(at, BLANKS)) {
		size_t length = strcspn(at, BLANKS);
		struct synopsis_part *part = &synopsis.parts[synopsis.count];
		bool option = at[*at == '['] == '-';
		if (wants_value && !option && *at != '[')
			word_copy(at, length, (--part)->what);
		else if (synopsis.count == SYNOPSIS_PARTS_MOST)
			break;
		else {
			word_copy(at, length, option ? part->option : part->what);
			synopsis.count++;
		}
		wants_value = option && at[length - 1] != ']';
		part->repeated = part->repeated || memmem(at, length, "...", 3);
		at += length;
	}
	*ret_synopsis = synopsis;
}

const struct synopsis_part *synopsis_operand(const struct synopsis *synopsis, size_t index)
{
	const struct synopsis_part *last = NULL;
	for (size_t i = 0; i < synopsis->count; i++) {
		if (*synopsis->parts[i].option)
			continue;
		last = &synopsis->parts[i];
		if (index-- == 0)
			return last;
	}
	return last && last->repeated ? last : NULL;
}

const struct synopsis_part *synopsis_option(const struct synopsis *synopsis, const char *word)
{
	size_t length = strcspn(word, "=");
	for (size_t i = 0; i < synopsis->count; i++) {
		const char *option = synopsis->parts[i].option;
		if (*option && strlen(option) == length && memcmp(option, word, length) == 0)
			return &synopsis->parts[i];
	}
	return NULL;
}
