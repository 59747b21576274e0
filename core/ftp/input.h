/*
 * The bytes of a control connection as lines, for either side. A line ends with CR LF or, as many
 * clients send it by hand, with a bare LF. Telnet codes (RFC 854, which RFC 959 section 2.2 builds
 * upon) are taken out: IAC IP and IAC DM before an ABOR, option negotiations, and IAC IAC is one
 * 0xff. Sub-negotiations are not FTP's and not understood: their bytes stay in the line.
 *
 * Everything is bounded: a line longer than FTP_INPUT_LINE_MAX is reported once, when its end has
 * come, and otherwise skipped; and at most FTP_INPUT_MAX bytes wait to be taken. Whoever feeds asks
 * ftp_input_room() first and stops reading the socket where there is none.
 */
#ifndef FTP_INPUT_H
#define FTP_INPUT_H

#include <stdbool.h>
#include <stddef.h>

#define FTP_INPUT_LINE_MAX 4096
#define FTP_INPUT_MAX	   16384
#define FTP_INPUT_IAC	   0xff /* begins a Telnet code; twice, as who sends it must, it is itself */

/* `= {0}` is an empty one. Holds memory only while bytes wait. */
struct ftp_input {
	char *bytes; /* owned */
	size_t length;
	size_t taken; /* of `bytes`, at their beginning */
	bool skipping; /* the beginning of a line that is too long is already gone */
	unsigned char telnet; /* the code within an unfinished Telnet command, 0 outside */
};

enum ftp_input_kind {
	FTP_INPUT_NOTHING, /* no whole line yet */
	FTP_INPUT_LINE,
	FTP_INPUT_TOO_LONG, /* a line was longer than FTP_INPUT_LINE_MAX; it is gone */
};

/* How many bytes may be fed now. */
size_t ftp_input_room(const struct ftp_input *input);

/* Feed received bytes, at most ftp_input_room(). Returns false when memory is gone. */
bool ftp_input_feed(struct ftp_input *input, const void *bytes, size_t length);

/*
 * Look at the next line without taking it.
 * ret_line: without its line end; not NUL-terminated; good until the next call that changes
 * `input`.
 */
enum ftp_input_kind ftp_input_peek(
	struct ftp_input *input, const char **ret_line, size_t *ret_length);

/* Whether `is` finds a line among all whole ones that wait. */
bool ftp_input_find(const struct ftp_input *input, bool (*is)(const char *line, size_t length));

/* Take the line that ftp_input_peek() showed. */
void ftp_input_take(struct ftp_input *input);

/* Frees; `input` is empty again. */
void ftp_input_finish(struct ftp_input *input);

/* The length of a line without a trailing CR LF or LF. */
size_t ftp_input_trim(const char *line, size_t length);

#endif
