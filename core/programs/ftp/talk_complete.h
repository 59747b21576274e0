/*
 * Completion of a command line, without a terminal: which word is under the cursor, and what the
 * names that fit make of it. Words are those of text_split_words(): a backslash takes the next
 * character as it is, quotes group.
 */
#ifndef PROGRAMS_FTP_TALK_COMPLETE_H
#define PROGRAMS_FTP_TALK_COMPLETE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

struct talk_word {
	char first[32]; /* the line's first word, "" where the cursor is still in it */
	char *directory; /* owned: of the word under the cursor, up to its last slash, "" */
	char *leaf; /* owned: what stands behind that, as far as the cursor */
};

/*
 * The word that ends at `length`. Returns false, and nothing is owned, where memory is gone or the
 * word is within quotes, which are not completed.
 */
bool talk_word_read(const char *line, size_t length, struct talk_word *ret_word);
void talk_word_finish(struct talk_word *word);

/* The names that fit, as they are added. */
struct talk_matches {
	size_t count;
	bool directory; /* of the first: a slash follows instead of a blank */
	struct text common; /* what all of them begin with */
	struct text shown; /* all of them, for people, a blank behind each */
};

/* Add `name` if it begins with `leaf`. A hidden name fits only where its dot was typed. */
void talk_matches_add(
	struct talk_matches *matches, const char *leaf, const char *name, bool directory);

/* What is to be inserted at the cursor: the rest of what is common, and what follows a whole name. */
void talk_matches_insertion(
	const struct talk_matches *matches, const char *leaf, struct text *ret_text);
void talk_matches_finish(struct talk_matches *matches);

#endif
