/*
 * Listings as a client reads them: the lines of MLSD (RFC 3659 section 7) and those of LIST, whose
 * form RFC 959 leaves open. Of LIST these are understood: `ls -l` with or without a group, with the
 * dates "Jan 31 12:00", "Jan 31 2024" and "2024-01-31 12:00", and the form of MS-DOS that Windows'
 * servers send. The names of days and months are English ones.
 *
 * One line at a time; nothing is allocated or kept, a name is borrowed from its line. A name is the
 * server's word: whoever makes a file of it asks ftp_list_name_is_safe() first.
 */
#ifndef FTP_LIST_PARSE_H
#define FTP_LIST_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ftp_entry_kind {
	FTP_ENTRY_FILE,
	FTP_ENTRY_DIRECTORY,
	FTP_ENTRY_LINK, /* symbolic; its target is not kept */
	FTP_ENTRY_OTHER, /* a device, a pipe, something with a type we do not know */
};

struct ftp_entry {
	enum ftp_entry_kind kind;
	const char *name; /* borrowed from the line, not NUL-terminated */
	size_t name_length; /* at least 1 */
	bool size_known;
	uint64_t size_bytes;
	bool modified_known; /* from MLSD alone: LIST does not say whose time it is */
	int64_t modified_seconds; /* since 1970, UTC */
};

enum ftp_list_line {
	FTP_LIST_ENTRY,
	FTP_LIST_NOTHING, /* well formed, but no entry: "total 12", an empty line, "." and ".." */
	FTP_LIST_MALFORMED, /* a form that is not known, or a NUL byte */
};

/* One line of MLSD, or of MLST without its leading space; a trailing CR LF or LF is taken off. */
enum ftp_list_line ftp_list_parse_facts(
	const char *line, size_t length, struct ftp_entry *ret_entry);

/* One line of LIST; a trailing CR LF or LF is taken off. */
enum ftp_list_line ftp_list_parse_long(
	const char *line, size_t length, struct ftp_entry *ret_entry);

/*
 * Whether a server's name may become that of one local file in a given directory: it is not empty,
 * "." or "..", at most FTP_PATH_NAME_MAX bytes, and holds no slash, backslash, NUL or other control
 * character. So it cannot lead out of the directory, forge a line, or move a terminal's cursor.
 */
bool ftp_list_name_is_safe(const char *name, size_t length);

#endif
