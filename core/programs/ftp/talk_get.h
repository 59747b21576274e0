/* One file, or a tree of them, from the server to here. */
#ifndef PROGRAMS_FTP_TALK_GET_H
#define PROGRAMS_FTP_TALK_GET_H

#include <stdbool.h>

#include "programs/ftp/talk.h"

/* Bounds of a recursive get or put: whatever a server lists, it comes to an end. */
#define TALK_TREE_DEPTH	  32
#define TALK_TREE_ENTRIES 100000

/* Fetch a file; local: "-" is standard output. Failures are told and counted. */
bool talk_get(struct talk *talk, const char *remote, const char *local, bool resume);

/*
 * Fetch a directory and what is below it into the directory `local`, which is made where there is
 * none. `remote` may also be a file. The server's names become those of files below `local` and of
 * nothing else: one that is not safe is told and left, no link is followed, and one that stands in
 * a listing is not fetched.
 */
bool talk_get_tree(struct talk *talk, const char *remote, const char *local, bool resume);

#endif
