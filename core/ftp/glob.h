/*
 * Names by pattern, for `NLST *.txt`, which is how a client's `mget` finds out what there is. No RFC
 * speaks of it, every server does it. A pattern is matched against one name; it knows `*`, `?`,
 * `[a-z]`, `[!a-z]` and `\` before a character that is meant as it stands. Bytes, not characters.
 */
#ifndef FTP_GLOB_H
#define FTP_GLOB_H

#include <stdbool.h>

/* Whether a name is a pattern, and not just a name. */
bool ftp_glob_is(const char *name);

/* Takes at most strlen(pattern) * strlen(name) steps: no pattern is expensive. */
bool ftp_glob_match(const char *pattern, const char *name);

#endif
