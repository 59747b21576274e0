#include "ftp/reply.h"

#include <string.h>

#include "ftp/input.h"

/* The code at the line's beginning; 0 where there is none. */
static unsigned code_parse(const char *line, size_t length)
{
	if (length < 3 || line[0] < '1' || line[0] > '5')
		return 0;
	unsigned code = 0;
	for (size_t i = 0; i < 3; i++) {
		if (line[i] < '0' || line[i] > '9')
			return 0;
		code = code * 10 + (unsigned)(line[i] - '0');
	}
	return length == 3 || line[3] == ' ' || line[3] == '-' ? code : 0;
}

bool ftp_reply_line_parse(const char *line, size_t length, struct ftp_reply_line *ret_line)
{
	length = ftp_input_trim(line, length);
	unsigned code = code_parse(line, length);
	if (!code) {
		*ret_line = (struct ftp_reply_line){.text = line, .text_length = length};
		return false;
	}
	size_t skipped = length > 3 ? 4 : 3;
	*ret_line = (struct ftp_reply_line){
		.code = code,
		.last = length == 3 || line[3] == ' ',
		.text = line + skipped,
		.text_length = length - skipped,
	};
	return true;
}

enum ftp_reply_progress ftp_reply_reader_line(struct ftp_reply_reader *reader, const char *line,
	size_t length, struct ftp_reply_line *ret_line)
{
	struct ftp_reply_line parsed;
	bool coded = ftp_reply_line_parse(line, length, &parsed);
	if ((length && memchr(line, '\0', length)) || (!coded && !reader->code)) {
		parsed.last = false;
		*ret_line = parsed;
		return FTP_REPLY_MALFORMED;
	}
	if (!reader->code)
		reader->code = parsed.code;
	bool complete = parsed.code == reader->code && parsed.last;
	if (parsed.code != reader->code) {
		parsed.text = line;
		parsed.text_length = ftp_input_trim(line, length);
	}
	parsed.code = reader->code;
	parsed.last = complete;
	*ret_line = parsed;
	if (complete)
		reader->code = 0;
	return complete ? FTP_REPLY_COMPLETE : FTP_REPLY_MORE;
}
