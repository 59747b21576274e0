/*
 * A copy of a folder that somebody made who is not trusted: regular files and folders alone, and no
 * more of them than a budget has. Links, devices and FIFOs are left out; none is followed or opened.
 */
#ifndef LAB_COPY_TREE_H
#define LAB_COPY_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* What is left of it; a copy uses it up. */
struct copy_budget {
	uint64_t bytes;
	size_t files; /* folders too */
	bool through_link; /* `from` itself may be one */
	size_t left_out; /* what was no file or folder, or deeper than 12 folders: counted */
};

/*
 * Copy what is in the folder `from`, or the one file that it is, into the folder `to`. Nobody may
 * change `to` meanwhile; `from` may change. A file that begins with "#!" or as programs do can be
 * run in the copy. -EFBIG: the budget was used up; what fits is there.
 * -ELOOP: `from` itself is a link.
 */
int copy_tree(const char *from, const char *to, struct copy_budget *budget, struct error *error);

#endif
