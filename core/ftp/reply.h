/*
 * FTP replies: their codes by meaning, what a client or a witness reads, and what a server writes.
 * RFC 959 section 4.2, with the codes of RFC 2389 (FEAT) and RFC 2428 (EPRT, EPSV).
 *
 * A reply is one line `NNN text`, or `NNN-text`, any lines, and `NNN text` with the same code.
 * ftp_reply_line_parse() looks at one line alone; struct ftp_reply_reader follows several.
 */
#ifndef FTP_REPLY_H
#define FTP_REPLY_H

#include <stdbool.h>
#include <stddef.h>

enum ftp_reply_code {
	FTP_REPLY_NONE = 0,
	FTP_REPLY_READY_SOON = 120,
	FTP_REPLY_DATA_ALREADY_OPEN = 125,
	FTP_REPLY_DATA_OPENING = 150,
	FTP_REPLY_OK = 200,
	FTP_REPLY_SUPERFLUOUS = 202,
	FTP_REPLY_FEATURES = 211, /* also the server's own status: STAT */
	FTP_REPLY_DIRECTORY_STATUS = 212,
	FTP_REPLY_FILE_STATUS = 213,
	FTP_REPLY_HELP = 214,
	FTP_REPLY_SYSTEM_NAME = 215,
	FTP_REPLY_READY = 220,
	FTP_REPLY_GOODBYE = 221,
	FTP_REPLY_TRANSFER_DONE = 226,
	FTP_REPLY_PASSIVE = 227,
	FTP_REPLY_EXTENDED_PASSIVE = 229,
	FTP_REPLY_LOGGED_IN = 230,
	FTP_REPLY_SECURITY_GOES_ON = 234, /* RFC 2228 section 5 */
	FTP_REPLY_FILE_DONE = 250,
	FTP_REPLY_PATH = 257,
	FTP_REPLY_NEED_PASSWORD = 331,
	FTP_REPLY_MORE_WANTED = 350,
	FTP_REPLY_CLOSING = 421,
	FTP_REPLY_NO_DATA_CONNECTION = 425,
	FTP_REPLY_TRANSFER_ABORTED = 426,
	FTP_REPLY_FILE_BUSY = 450,
	FTP_REPLY_LOCAL_ERROR = 451,
	FTP_REPLY_NO_SPACE = 452,
	FTP_REPLY_BAD_COMMAND = 500,
	FTP_REPLY_BAD_ARGUMENT = 501,
	FTP_REPLY_NOT_DONE = 502,
	FTP_REPLY_OUT_OF_ORDER = 503,
	FTP_REPLY_NOT_FOR_PARAMETER = 504,
	FTP_REPLY_DATA_IN_CLEAR = 521, /* RFC 4217 section 9 leaves the code to practice */
	FTP_REPLY_BAD_FAMILY = 522, /* RFC 2428 section 2 */
	FTP_REPLY_NOT_LOGGED_IN = 530,
	FTP_REPLY_POLICY = 534, /* RFC 2228 */
	FTP_REPLY_LEVEL_UNKNOWN = 536, /* RFC 2228: PROT */
	FTP_REPLY_FILE_UNAVAILABLE = 550,
	FTP_REPLY_BAD_RESTART = 554, /* RFC 1123 section 4.1.3.4 */
	FTP_REPLY_BAD_NAME = 553,
};

/* The first digit, RFC 959 section 4.2. */
enum ftp_reply_class {
	FTP_REPLY_PRELIMINARY = 1,
	FTP_REPLY_COMPLETION = 2,
	FTP_REPLY_INTERMEDIATE = 3,
	FTP_REPLY_TRANSIENT = 4,
	FTP_REPLY_PERMANENT = 5,
};

static inline enum ftp_reply_class ftp_reply_class(unsigned code)
{
	return (enum ftp_reply_class)(code / 100);
}

struct ftp_reply_line {
	unsigned code; /* 100..599; 0: the line does not begin with a code */
	bool last; /* `NNN text` or `NNN` alone: ends its reply; false for `NNN-text` */
	const char *text; /* behind the code and its separator; the whole line where code is 0 */
	size_t text_length;
};

/*
 * One line by itself.
 * line: `length` bytes; a trailing CR LF or LF is taken off. The text is borrowed from it.
 * Returns false, with code 0, where the line begins with no code: it then is either in the middle
 * of a reply of several lines or no FTP.
 */
bool ftp_reply_line_parse(const char *line, size_t length, struct ftp_reply_line *ret_line);

enum ftp_reply_progress {
	FTP_REPLY_MORE, /* the reply goes on */
	FTP_REPLY_COMPLETE, /* this was its last line */
	FTP_REPLY_MALFORMED, /* this line begins no reply, or holds a NUL: not an FTP server */
};

/* Follows the lines of one control connection; `= {0}` at its beginning. */
struct ftp_reply_reader {
	unsigned code; /* of the reply that is open; 0: between two replies */
};

/*
 * The next line.
 * ret_line: code is that of the whole reply also for its middle lines, `last` true only with
 * FTP_REPLY_COMPLETE. A code inside a reply that differs from the first is text, as RFC 959 has it.
 */
enum ftp_reply_progress ftp_reply_reader_line(struct ftp_reply_reader *reader, const char *line,
	size_t length, struct ftp_reply_line *ret_line);

#endif
