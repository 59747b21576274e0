/*
 * The lines that LIST and NLST send. RFC 959 leaves LIST's form open; clients read `ls -l`, so that
 * is what they get (times in UTC). Lines end with CR LF in every TYPE (RFC 959 section 4.1.3 has
 * listings in ASCII). What a file is comes in a struct: nothing here looks at one.
 *
 * A control character in a name, also CR and LF, shows as '?', so that no name can forge a line.
 * Not here: MLST and MLSD (RFC 3659).
 */
#ifndef FTP_LISTING_H
#define FTP_LISTING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/text.h"

struct ftp_listing_entry {
	const char *name;
	const char *target; /* of a symbolic link; NULL: not one, or not known */
	mode_t mode; /* type and rights as in stat(2) */
	uint64_t links;
	uint64_t size_bytes;
	int64_t modified_seconds; /* since 1970, UTC */
};

/*
 * Append one `ls -l` line.
 * now_seconds: since 1970. A file of the last half year shows its hour, any other its year.
 */
void ftp_listing_append_long(
	struct text *text, const struct ftp_listing_entry *entry, int64_t now_seconds);

/* Append the name alone, as NLST sends it. */
void ftp_listing_append_name(struct text *text, const char *name);

#endif
