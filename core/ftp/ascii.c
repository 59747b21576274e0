#include "ftp/ascii.h"

#include <string.h>

size_t ftp_ascii_encode(const char *in, size_t length, char *out)
{
	size_t used = 0;
	while (length > 0) {
		const char *newline = memchr(in, '\n', length);
		size_t plain = newline ? (size_t)(newline - in) : length;
		memcpy(out + used, in, plain);
		used += plain;
		if (newline) {
			out[used++] = '\r';
			out[used++] = '\n';
			plain++;
		}
		in += plain;
		length -= plain;
	}
	return used;
}

size_t ftp_ascii_decode(struct ftp_ascii_decoder *decoder, const char *in, size_t length, char *out)
{
	size_t used = 0;
	for (size_t i = 0; i < length; i++) {
		if (decoder->held_cr && in[i] != '\n')
			out[used++] = '\r';
		decoder->held_cr = in[i] == '\r';
		if (!decoder->held_cr)
			out[used++] = in[i];
	}
	return used;
}

size_t ftp_ascii_decode_end(struct ftp_ascii_decoder *decoder, char *out)
{
	if (!decoder->held_cr)
		return 0;
	decoder->held_cr = false;
	out[0] = '\r';
	return 1;
}

size_t ftp_ascii_cover(const char *in, size_t length, uint64_t *wire_bytes)
{
	size_t covered = 0;
	while (*wire_bytes > 0 && covered < length) {
		/* Up to the next LF a byte is a byte. */
		size_t left = length - covered;
		const char *line_end = memchr(in + covered, '\n', left);
		uint64_t plain = line_end ? (size_t)(line_end - (in + covered)) : left;
		if (plain > *wire_bytes)
			plain = *wire_bytes;
		covered += plain;
		*wire_bytes -= plain;
		if (covered == length || in[covered] != '\n' || *wire_bytes < 2)
			break;
		covered++;
		*wire_bytes -= 2;
	}
	return covered;
}
