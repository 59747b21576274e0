/* Texts of others in files that we write: on one line and printable. */
#ifndef EXCHANGE_COMMENT_H
#define EXCHANGE_COMMENT_H

#include "base/text.h"

/*
 * Append `string` as part of a comment: white space becomes one blank, so do the characters that end
 * a line in YAML or on a terminal but not in C; what cannot be printed becomes U+FFFD.
 */
void comment_append(struct text *text, const char *string);

/* The same of at most COMMENT_EXCERPT bytes; what is longer ends in "...". */
void comment_excerpt(struct text *text, const char *string);
enum { COMMENT_EXCERPT = 160 };

/* The excerpt as a double-quoted YAML scalar of a topology file of ours: `$` is doubled. */
void comment_quote(struct text *text, const char *string);

#endif
