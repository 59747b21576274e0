/*
 * The reply parser: what a server sends, followed line by line as a client does it. Input: a byte
 * (in pieces of how many bytes the rest is received, 0 all at once), and the bytes.
 *
 * Beside the reader stands the rule of RFC 959 section 4.2 in other words: a reply begins with a line
 * of three digits, and ends with the first line that has the same ones and no hyphen.
 */
#include "fuzz_ftp.h"

#include "ftp/port.h"
#include "ftp/reply.h"

static struct {
	struct ftp_reply_reader reader;
	char open[4]; /* the digits of the reply that is open; "" between two */
} world;

static bool begins_with_code(const char *line, size_t length)
{
	if (length < 3 || line[0] < '1' || line[0] > '5' || (length > 3 && !strchr(" -", line[3])))
		return false;
	return line[1] >= '0' && line[1] <= '9' && line[2] >= '0' && line[2] <= '9';
}

/* One line by itself: the code, a separator and the text are the line again. */
static void check_line(const char *line, size_t length)
{
	struct ftp_reply_line parsed;
	bool coded = ftp_reply_line_parse(line, length, &parsed);
	HOLDS(coded == (parsed.code != 0));
	HOLDS(lies_within(parsed.text, parsed.text_length, line, length));
	if (!coded) {
		HOLDS(parsed.text == line && parsed.text_length == length && !parsed.last);
		return;
	}
	char code[12];
	HOLDS(parsed.code >= 100 && parsed.code <= 599);
	HOLDS(ftp_reply_class(parsed.code) >= FTP_REPLY_PRELIMINARY &&
		ftp_reply_class(parsed.code) <= FTP_REPLY_PERMANENT);
	snprintf(code, sizeof(code), "%u%c", parsed.code, parsed.last ? ' ' : '-');
	HOLDS(memcmp(line, code, length > 3 ? 4 : 3) == 0);
	HOLDS(parsed.text_length == (length > 3 ? length - 4 : 0));
}

/* What should come of a line. */
static enum ftp_reply_progress expected(const char *line, size_t length)
{
	bool coded = begins_with_code(line, length) && line[3 < length ? 3 : 0] != '\0';
	if (length && memchr(line, '\0', length))
		return FTP_REPLY_MALFORMED;
	if (!world.open[0] && !coded)
		return FTP_REPLY_MALFORMED;
	if (!world.open[0])
		memcpy(world.open, line, 3);
	bool last = coded && memcmp(line, world.open, 3) == 0 && (length == 3 || line[3] == ' ');
	return last ? FTP_REPLY_COMPLETE : FTP_REPLY_MORE;
}

static void look(const char *line, size_t length)
{
	struct ftp_reply_line parsed;
	check_line(line, length);
	unsigned before = world.reader.code;
	enum ftp_reply_progress wanted = expected(line, length);
	enum ftp_reply_progress progress =
		ftp_reply_reader_line(&world.reader, line, length, &parsed);
	TRACE("%u %.*s: %u", parsed.code, (int)length, line, progress);
	HOLDS(progress == wanted);
	HOLDS(lies_within(parsed.text, parsed.text_length, line, length));
	HOLDS(parsed.last == (progress == FTP_REPLY_COMPLETE));
	char code[12];
	if (progress == FTP_REPLY_MALFORMED) {
		HOLDS(world.reader.code == before);
		return;
	}
	snprintf(code, sizeof(code), "%u", parsed.code);
	HOLDS(strcmp(code, world.open) == 0);
	HOLDS(world.reader.code == (parsed.last ? 0 : parsed.code));
	if (parsed.last)
		world.open[0] = '\0';
	struct endpoint endpoint;
	uint16_t port = 1;
	if (parsed.code == FTP_REPLY_PASSIVE &&
		ftp_passive_parse(parsed.text, parsed.text_length, &endpoint))
		port = endpoint.port;
	if (parsed.code == FTP_REPLY_EXTENDED_PASSIVE)
		ftp_extended_passive_parse(parsed.text, parsed.text_length, &port);
	HOLDS(port > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct reader input = reader_over(bytes, length);
	memset(&world, 0, sizeof(world));
	each_line(&input, read_u8(&input), look);
	return 0;
}
