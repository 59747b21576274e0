/*
 * A verb's synopsis (verb.h) taken apart: "TOPOLOGY [SCENARIO...] [--set NAME=VALUE]..." has two
 * operands and an option with a value. What is said to people is what is completed.
 */
#ifndef CLI_SYNOPSIS_H
#define CLI_SYNOPSIS_H

#include <stdbool.h>
#include <stddef.h>

enum { SYNOPSIS_PARTS_MOST = 24, SYNOPSIS_WORD_MOST = 48 };

struct synopsis_part {
	char option[SYNOPSIS_WORD_MOST]; /* "--set"; "" for an operand */
	char what
		[SYNOPSIS_WORD_MOST]; /* without brackets: "NAME=VALUE", "LAB:NODE"; "": no value */
	bool repeated;
};

struct synopsis {
	struct synopsis_part parts[SYNOPSIS_PARTS_MOST]; /* in its order */
	size_t count;
};

void synopsis_read(const char *text, struct synopsis *ret_synopsis);

/* The operand at `index`, the last one again where it is repeated; NULL: there is none. */
const struct synopsis_part *synopsis_operand(const struct synopsis *synopsis, size_t index);

/* The option that `word` ("--set", "--set=...") is; NULL: none of them. */
const struct synopsis_part *synopsis_option(const struct synopsis *synopsis, const char *word);

#endif
