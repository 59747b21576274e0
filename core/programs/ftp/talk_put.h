/* One file, or a tree of them, from here to the server. */
#ifndef PROGRAMS_FTP_TALK_PUT_H
#define PROGRAMS_FTP_TALK_PUT_H

#include <stdbool.h>

#include "programs/ftp/talk.h"

/* Send a file; local: "-" is standard input. Failures are told and counted. */
bool talk_put(struct talk *talk, const char *local, const char *remote, bool resume);

/*
 * Send a directory and what is below it; `local` may also be a file. Directories are made where
 * there are none; remote "" is where we are. Links to directories are not followed, and what is no
 * plain file is left.
 */
bool talk_put_tree(struct talk *talk, const char *local, const char *remote, bool resume);

#endif
