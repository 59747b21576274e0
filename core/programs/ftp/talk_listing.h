/*
 * A directory of the server as a list of entries: by MLSD, or by LIST where the server knows no
 * MLSD. For recursion and completion, so what the server says meanwhile is not shown.
 */
#ifndef PROGRAMS_FTP_TALK_LISTING_H
#define PROGRAMS_FTP_TALK_LISTING_H

#include <stdbool.h>
#include <stddef.h>

#include "ftp/list_parse.h"
#include "programs/ftp/talk.h"

#define TALK_LISTING_BYTES (16 * 1024 * 1024) /* more than that is no listing */

struct talk_entry {
	enum ftp_entry_kind kind;
	bool safe; /* the name may become that of a local file */
	char *name;
};

struct talk_listing {
	size_t count;
	struct talk_entry *entries; /* owned, sorted by name */
	char *bytes; /* owned: the names */
};

/*
 * The entries of the directory `remote`; "" or "." is where we are. FTP_CLIENT_DONE, or why there
 * is no listing: the caller tells it (talk_listing_tell()).
 */
enum ftp_client_result talk_listing_fetch(
	struct talk *talk, const char *remote, struct talk_listing *ret_listing);

/* Tell and count that the last listing failed, in the server's words. */
void talk_listing_tell(struct talk *talk, const char *remote);

/* Frees; for CLEANUP. */
void talk_listing_finish(struct talk_listing *listing);

/*
 * The path in a 257 reply, which stands in quotes with those within it doubled (RFC 959 appendix
 * II); the caller's. NULL where there is none.
 */
char *talk_quoted_path(const char *reply);

/* "a" and "b" as "a/b"; the caller's. NULL where memory is gone. */
char *talk_remote_join(const char *directory, const char *name);

#endif
