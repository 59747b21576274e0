#include "exchange/names.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "topology/model.h"

enum { SUFFIX_ROOM = 8 }; /* "-20000" */

int names_make(size_t most, struct names *ret_names, struct error *error)
{
	struct names names = {.made = true};
	/* The table does not grow: names and their stems, half full. */
	if (!hcreate_r(4 * most + 16, &names.taken))
		return error_set(error, -ENOMEM, "out of memory");
	*ret_names = names;
	return 0;
}

void names_finish(struct names *names)
{
	if (names->made)
		hdestroy_r(&names->taken);
	for (size_t i = 0; i < names->count; i++)
		free(names->list[i]);
	free(names->list);
	*names = (struct names){0};
}

/* U+00C0 to U+017F without their accents; two letters where one does not do. */
static const char *const plain_letters[] = {"A", "A", "A", "A", "A", "A", "AE", "C", "E", "E", "E",
	"E", "I", "I", "I", "I", "D", "N", "O", "O", "O", "O", "O", "-", "O", "U", "U", "U", "U",
	"Y", "Th", "ss", "a", "a", "a", "a", "a", "a", "ae", "c", "e", "e", "e", "e", "i", "i", "i",
	"i", "d", "n", "o", "o", "o", "o", "o", "-", "o", "u", "u", "u", "u", "y", "th", "y", "A",
	"a", "A", "a", "A", "a", "C", "c", "C", "c", "C", "c", "C", "c", "D", "d", "D", "d", "E",
	"e", "E", "e", "E", "e", "E", "e", "E", "e", "G", "g", "G", "g", "G", "g", "G", "g", "H",
	"h", "H", "h", "I", "i", "I", "i", "I", "i", "I", "i", "I", "i", "IJ", "ij", "J", "j", "K",
	"k", "k", "L", "l", "L", "l", "L", "l", "L", "l", "L", "l", "N", "n", "N", "n", "N", "n",
	"n", "N", "n", "O", "o", "O", "o", "O", "o", "OE", "oe", "R", "r", "R", "r", "R", "r", "S",
	"s", "S", "s", "S", "s", "S", "s", "T", "t", "T", "t", "T", "t", "U", "u", "U", "u", "U",
	"u", "U", "u", "U", "u", "U", "u", "W", "w", "Y", "y", "Y", "Z", "z", "Z", "z", "Z", "z",
	"s"};
enum { PLAIN_FIRST = 0xc0, PLAIN_END = 0x180 };
_Static_assert(ARRAY_LENGTH(plain_letters) == PLAIN_END - PLAIN_FIRST, "one for each letter");

/* What stands for the character at *at in a name, moving behind it: "-" for what cannot. */
static const char *letter_fit(const char **at, char one[static 2])
{
	const unsigned char *bytes = (const unsigned char *)*at;
	bool two = (bytes[0] & 0xe0) == 0xc0 && (bytes[1] & 0xc0) == 0x80;
	unsigned point = two ? (bytes[0] & 0x1fU) << 6 | (bytes[1] & 0x3fU) : 0;
	*at += two ? 2 : 1;
	one[0] = (char)bytes[0];
	one[1] = '\0';
	if (point >= PLAIN_FIRST && point < PLAIN_END)
		return plain_letters[point - PLAIN_FIRST];
	bool fits = bytes[0] < 0x80 && (isalnum(bytes[0]) || bytes[0] == '_' || bytes[0] == '.');
	return fits ? one : "-";
}

char *name_fit(const char *label, const char *fallback, bool lower)
{
	char name[TOPOLOGY_NAME_MOST - SUFFIX_ROOM + 1];
	size_t length = 0;
	while (*label && length + 2 < sizeof(name)) {
		char one[2];
		for (const char *plain = letter_fit(&label, one); *plain; plain++) {
			bool hyphen = length && name[length - 1] == '-';
			/* One for many, and none at the beginning, where '.' and '_' are none either. */
			if ((*plain == '-' && hyphen) || (!length && !isalnum(*plain)))
				continue;
			name[length++] = lower ? (char)tolower(*plain) : *plain;
		}
	}
	while (length && !isalnum((unsigned char)name[length - 1]))
		length--;
	return length ? strndup(name, length) : strdup(fallback);
}

/* Whether it was free and is taken now; `next` is the number its next namesake tries. */
static int name_take(struct names *names, const char *name, uintptr_t next)
{
	char **copy = array_add(&names->list, &names->count);
	if (!copy || !(*copy = strdup(name)))
		return -ENOMEM;
	ENTRY *found, entry = {.key = *copy, .data = (void *)next}; /* NOLINT: a number */
	return hsearch_r(entry, ENTER, &found, &names->taken) ? 0 : -ENOMEM;
}

char *names_choose(struct names *names, const char *label, const char *fallback, bool lower)
{
	CLEANUP(free_pointer) char *stem = name_fit(label, fallback, lower);
	ENTRY *found, wanted = {.key = stem};
	if (!names->made || !stem)
		return NULL;
	if (!hsearch_r(wanted, FIND, &found, &names->taken))
		return name_take(names, stem, 2) < 0 ? NULL : TAKE(stem);
	for (;;) {
		uintptr_t number = (uintptr_t)found->data;
		found->data = (void *)(number + 1);
		CLEANUP(free_pointer) char *name = text_format("%s-%zu", stem, (size_t)number);
		ENTRY *other, numbered = {.key = name};
		if (!name)
			return NULL;
		if (!hsearch_r(numbered, FIND, &other, &names->taken))
			return name_take(names, name, 2) < 0 ? NULL : TAKE(name);
	}
}
