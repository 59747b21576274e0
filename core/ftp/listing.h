/*
 * What LIST, NLST, MLSD and MLST say of a file. RFC 959 leaves LIST's form open; clients read `ls
 * -l`, so that is what they get (times in UTC). Lines end with CR LF in every TYPE (RFC 959 section
 * 4.1.3 has listings in ASCII). What a file is comes in a struct: nothing here looks at one.
 *
 * A control character in a name, also CR and LF, shows as '?', so that no name can forge a line.
 */
#ifndef FTP_LISTING_H
#define FTP_LISTING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/text.h"

enum ftp_listing_form {
	FTP_LISTING_LONG, /* LIST: as `ls -l` */
	FTP_LISTING_NAMES, /* NLST */
	FTP_LISTING_FACTS, /* MLSD: RFC 3659 section 7 */
};

struct ftp_listing_entry {
	const char *name;
	const char *target; /* of a symbolic link; NULL: not one, or not known */
	mode_t mode; /* type and rights as in stat(2) */
	uint64_t links;
	uint64_t size_bytes;
	int64_t modified_seconds; /* since 1970, UTC */
	uint64_t device, inode; /* together one for each file: the fact `unique` */
};

/* The facts that are known, a set: RFC 3659 section 7.5. */
enum ftp_fact {
	FTP_FACT_TYPE = 1,
	FTP_FACT_SIZE = 2,
	FTP_FACT_MODIFY = 4,
	FTP_FACT_PERM = 8,
	FTP_FACT_UNIQUE = 16,
	FTP_FACT_MODE = 32, /* UNIX.mode */
};
#define FTP_FACTS_ALL 63U

/*
 * The facts named in `OPTS MLST` ("type;size;"); unknown ones are ignored, as section 7.9 has it.
 */
unsigned ftp_facts_parse(const char *names, size_t length);

/* The facts of a set, "type;size;"; with `all` every fact, those of the set marked by '*': FEAT. */
void ftp_facts_append_names(struct text *text, unsigned facts, bool all);

/* Append one `ls -l` line. now_seconds: since 1970. A file of the last half year shows its hour. */
void ftp_listing_append_long(
	struct text *text, const struct ftp_listing_entry *entry, int64_t now_seconds);

/* Append the name alone, as NLST sends it. */
void ftp_listing_append_name(struct text *text, const char *name);

/* How an entry looks to whom. */
struct ftp_listing_view {
	unsigned facts; /* which are shown */
	unsigned rights; /* the reader's, a set of enum ftp_right: the fact `perm` */
	const char *type; /* "cdir" or "pdir" instead of "dir"; else NULL */
};

/* Append `facts name` and a line end, as MLSD and MLST send it. */
void ftp_listing_append_facts(struct text *text, const struct ftp_listing_entry *entry,
	const struct ftp_listing_view *view);

#define FTP_TIME_TEXT_SIZE 32

/*
 * "YYYYMMDDHHMMSS", UTC: MDTM and the fact `modify` (RFC 3659 section 2.3). A time outside the years
 * 1 to 9999 is shown as the beginning of 1970, also in LIST. Returns `text`.
 */
char *ftp_time_format(int64_t seconds, char text[static FTP_TIME_TEXT_SIZE]);

/* The same read; a fraction behind a dot is dropped. False for anything else. */
bool ftp_time_parse(const char *text, size_t length, int64_t *ret_seconds);

#endif
