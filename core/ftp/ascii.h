/*
 * TYPE A (RFC 959 section 3.1.1.1): lines end with CR LF on the wire and with LF in a file. Both
 * ways stream. The conversion is strict, so that any file comes back as it was: each LF becomes
 * CR LF, also behind a CR, and each CR LF becomes LF, while a CR or an LF alone stays.
 */
#ifndef FTP_ASCII_H
#define FTP_ASCII_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * File to wire. `out` has room for twice `length` bytes and does not overlap `in`.
 * Returns the bytes written.
 */
size_t ftp_ascii_encode(const char *in, size_t length, char *out);

/* Wire to file; `= {0}` at the beginning of a stream. */
struct ftp_ascii_decoder {
	bool held_cr; /* a CR whose next byte is not yet known */
};

/* `out` has room for `length` + 1 bytes and does not overlap `in`. Returns the bytes written. */
size_t ftp_ascii_decode(
	struct ftp_ascii_decoder *decoder, const char *in, size_t length, char *out);

/* At the stream's end: a held CR, 0 or 1 byte. */
size_t ftp_ascii_decode_end(struct ftp_ascii_decoder *decoder, char *out);

/*
 * How far `wire_bytes` of the converted form reach into `in`: returns the bytes of `in` that they
 * cover and takes from *wire_bytes what those make on the wire. 1 is left where the next byte is an
 * LF, of whose CR LF the first half is covered; otherwise 0 is left, or all of `in` is covered.
 */
size_t ftp_ascii_cover(const char *in, size_t length, uint64_t *wire_bytes);

#endif
