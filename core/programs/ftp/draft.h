/*
 * A file that appears under its name only when it is complete. Until then it has no name at all
 * (O_TMPFILE), or, on a file system without that, a hidden one that cannot be guessed; whatever
 * ends it early leaves nothing under the final name, which also keeps its old content until then.
 */
#ifndef PROGRAMS_FTP_DRAFT_H
#define PROGRAMS_FTP_DRAFT_H

#include <stdbool.h>

#define DRAFT_PREFIX ".draft-" /* of the hidden names */

struct draft {
	int directory; /* owned; -1: no draft */
	int fd; /* owned; write here */
	char name[256]; /* the final one, within the directory */
	char hidden[48]; /* "" while the file has no name */
};

#define DRAFT_NONE ((struct draft){.directory = -1, .fd = -1})

/*
 * take_directory: a directory descriptor (O_PATH will do), taken also on failure.
 * name: one name, not a path. Returns 0 or a negative errno: EISDIR where a directory has the name.
 */
int draft_create(int take_directory, const char *name, struct draft *ret_draft);

/*
 * Give the file its name, in place of any that has it, and close it. Returns 0 or a negative errno,
 * with nothing left behind either way.
 */
int draft_commit(struct draft *draft);

/* Close and forget it; does nothing where there is none. */
void draft_discard(struct draft *draft);

#endif
