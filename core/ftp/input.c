#include "ftp/input.h"

#include <stdlib.h>
#include <string.h>

/* RFC 854 */
enum telnet_code { TELNET_WILL = 251, TELNET_DONT = 254, TELNET_IAC = FTP_INPUT_IAC };

size_t ftp_input_room(const struct ftp_input *input)
{
	size_t held = input->length - input->taken;
	return held < FTP_INPUT_MAX ? FTP_INPUT_MAX - held : 0;
}

/* Whether `byte` is text, and not (part of) a Telnet command. */
static bool telnet_passes(struct ftp_input *input, unsigned char byte)
{
	unsigned char code = input->telnet;
	if (code == 0) {
		if (byte != TELNET_IAC)
			return true;
		input->telnet = TELNET_IAC;
		return false;
	}
	if (code == TELNET_IAC) {
		bool option_follows = byte >= TELNET_WILL && byte <= TELNET_DONT;
		input->telnet = option_follows ? byte : 0;
		return byte == TELNET_IAC;
	}
	input->telnet = 0; /* the option of WILL, WONT, DO or DONT */
	return false;
}

bool ftp_input_feed(struct ftp_input *input, const void *bytes, size_t length)
{
	const unsigned char *at = bytes;
	size_t held = input->length - input->taken;
	if (input->taken && held)
		memmove(input->bytes, input->bytes + input->taken, held);
	input->taken = 0;
	input->length = held;
	if (length == 0)
		return true;
	char *grown = realloc(input->bytes, held + length);
	if (!grown)
		return false;
	input->bytes = grown;
	for (size_t i = 0; i < length; i++)
		if (telnet_passes(input, at[i]))
			input->bytes[input->length++] = (char)at[i];
	return true;
}

/* Forget `count` waiting bytes, and the memory with the last of them. */
static void input_drop(struct ftp_input *input, size_t count)
{
	input->taken += count;
	if (input->taken < input->length)
		return;
	free(input->bytes);
	input->bytes = NULL;
	input->taken = input->length = 0;
}

enum ftp_input_kind ftp_input_peek(
	struct ftp_input *input, const char **ret_line, size_t *ret_length)
{
	size_t held = input->length - input->taken;
	if (held == 0)
		return FTP_INPUT_NOTHING;
	const char *start = input->bytes + input->taken;
	const char *end = memchr(start, '\n', held);
	if (!end) {
		/* One byte more than a line may have: its CR may be here and its LF not yet. */
		if (input->skipping || held > FTP_INPUT_LINE_MAX + 1) {
			input->skipping = true;
			input_drop(input, held);
		}
		return FTP_INPUT_NOTHING;
	}
	size_t length = ftp_input_trim(start, (size_t)(end - start) + 1);
	if (input->skipping || length > FTP_INPUT_LINE_MAX)
		return FTP_INPUT_TOO_LONG;
	*ret_line = start;
	*ret_length = length;
	return FTP_INPUT_LINE;
}

bool ftp_input_find(const struct ftp_input *input, bool (*is)(const char *line, size_t length))
{
	for (size_t at = input->taken; at < input->length;) {
		const char *line = input->bytes + at;
		const char *end = memchr(line, '\n', input->length - at);
		if (!end)
			return false;
		size_t length = (size_t)(end - line) + 1;
		bool whole = !input->skipping || at > input->taken;
		if (whole && is(line, ftp_input_trim(line, length)))
			return true;
		at += length;
	}
	return false;
}

void ftp_input_take(struct ftp_input *input)
{
	size_t held = input->length - input->taken;
	const char *start = held ? input->bytes + input->taken : NULL;
	const char *end = start ? memchr(start, '\n', held) : NULL;
	if (!end)
		return;
	input->skipping = false;
	input_drop(input, (size_t)(end - start) + 1);
}

void ftp_input_finish(struct ftp_input *input)
{
	free(input->bytes);
	*input = (struct ftp_input){0};
}

size_t ftp_input_trim(const char *line, size_t length)
{
	if (length > 0 && line[length - 1] == '\n') {
		length--;
		if (length > 0 && line[length - 1] == '\r')
			length--;
	}
	return length;
}
