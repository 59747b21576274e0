/*
 * Names for nodes: any text becomes letters, digits, '-', '_' and '.', and no two are equal. Letters of
 * the Latin alphabet lose their accents (Zürich is zurich); what has no such letters gets a number.
 */
#ifndef EXCHANGE_NAMES_H
#define EXCHANGE_NAMES_H

#include <search.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct names {
	struct hsearch_data taken;
	char **list; /* owned: the table points to them */
	size_t count;
	bool made;
};

/* For at most `most` names. names_finish() frees it; `= {0}` is an empty one that takes none. */
int names_make(size_t most, struct names *ret_names, struct error *error);
void names_finish(struct names *names);

/*
 * The name that `label` gives, another one than all before. `fallback` ("n7") stands where nothing of
 * the label can be kept; `lower`: in lower case. Owned by the caller; NULL when memory is gone.
 */
char *names_choose(struct names *names, const char *label, const char *fallback, bool lower);

/* The same without looking at others: for a topology or an interface. */
char *name_fit(const char *label, const char *fallback, bool lower);

#endif
