/*
 * A file that appears under its name only when it is complete. Until then it has no name at all
 * (O_TMPFILE), or, on a file system without that, a hidden one that cannot be guessed; whatever
 * ends it early leaves nothing under the final name, which also keeps its old content until then.
 *
 * Where it is asked for, what was received of a draft that ended early is kept under a hidden name
 * made from the final one, so that the client can go on with it (draft_keep(), draft_reopen()).
 */
#ifndef PROGRAMS_FTP_DRAFT_H
#define PROGRAMS_FTP_DRAFT_H

#include <stdbool.h>

#define DRAFT_PREFIX ".draft-" /* of the hidden names that cannot be guessed */
/* The end of a file larger than this takes its time: whoever holds it last waits for the disk. */
#define DRAFT_LARGE_BYTES (16 * 1024 * 1024)
#define KEPT_PREFIX	  ".kept-" /* of those that can: KEPT_PREFIX and the final name */

struct draft {
	int directory; /* owned; -1: no draft */
	int fd; /* owned; write here */
	int replaced; /* owned, O_PATH: the large file whose place it takes; -1: none */
	bool replace; /* it may take the place of another file */
	bool forgets; /* once it is there, what was kept for its name is void and goes */
	char name[256]; /* the final one, within the directory */
	char hidden[256]; /* "" while the file has no name */
};

#define DRAFT_NONE ((struct draft){.directory = -1, .fd = -1, .replaced = -1})

/*
 * take_directory: a directory descriptor (O_PATH will do), taken also on failure.
 * name: one name, not a path. Returns 0 or a negative errno: EISDIR where a directory has the name,
 * EEXIST where another file has it and is not to be replaced.
 */
int draft_create(int take_directory, const char *name, bool replace, struct draft *ret_draft);

/* The same, going on with what draft_keep() has kept; -ENOENT where nothing was. */
int draft_reopen(int take_directory, const char *name, bool replace, struct draft *ret_draft);

/*
 * Give the file its name and close it. Returns 0 or a negative errno, with nothing left behind
 * either way: EEXIST where another has the name by now and is not to be replaced.
 */
int draft_commit(struct draft *draft);

/*
 * Keep what is there under the hidden name made from the final one, in place of what is kept. Where
 * a file has the final name it goes: a client could not tell which of the two it goes on with.
 */
int draft_keep(struct draft *draft);

/*
 * Remove what a process that was killed has left: a hidden name of ours that nobody uses any more.
 * Returns whether it did. Of any other name nothing is done.
 */
bool draft_sweep(int directory, const char *name);

/* Close and forget it; does nothing where there is none. */
void draft_discard(struct draft *draft);

#endif
