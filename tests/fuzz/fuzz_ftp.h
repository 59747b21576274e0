/* What the FTP targets share: the bytes of a control connection as lines, names and paths. */
#ifndef TESTS_FUZZ_FTP_H
#define TESTS_FUZZ_FTP_H

#include "base/reader.h"
#include "ftp/input.h"
#include "ftp/path.h"
#include "fuzz.h"

/*
 * What is left of the input, received in pieces of `piece` bytes (0: all at once), line by line, as
 * an edge does it.
 */
static inline void each_line(
	struct reader *received, size_t piece, void (*look)(const char *line, size_t length))
{
	struct ftp_input input = {0};
	const char *line;
	size_t length;
	enum ftp_input_kind kind;
	while (reader_left(received) > 0) {
		size_t left = reader_left(received), room = ftp_input_room(&input);
		size_t size = piece == 0 || piece > left ? left : piece;
		HOLDS(room > 0);
		size = size < room ? size : room;
		HOLDS(ftp_input_feed(&input, reader_take(received, size), size));
		HOLDS(ftp_input_room(&input) <= FTP_INPUT_MAX);
		while ((kind = ftp_input_peek(&input, &line, &length)) != FTP_INPUT_NOTHING) {
			if (kind == FTP_INPUT_LINE) {
				HOLDS(length <= FTP_INPUT_LINE_MAX);
				HOLDS(length == 0 || !memchr(line, '\n', length));
				look(line, length);
			}
			ftp_input_take(&input);
		}
	}
	ftp_input_finish(&input);
}

/* Whether `length` bytes at `part` lie within `whole`. */
static inline bool lies_within(
	const char *part, size_t length, const char *whole, size_t whole_length)
{
	return part >= whole && length <= whole_length &&
	       (size_t)(part - whole) <= whole_length - length;
}

/* "/", or names that are none of "", "." and "..", each behind a slash. */
static inline bool is_normalised(const char *path)
{
	if (strcmp(path, "/") == 0)
		return true;
	if (strlen(path) >= FTP_PATH_SIZE)
		return false;
	while (*path == '/') {
		size_t length = strcspn(++path, "/");
		bool dots = (length == 1 && path[0] == '.') ||
			    (length == 2 && path[0] == '.' && path[1] == '.');
		if (length == 0 || length > FTP_PATH_NAME_MAX || dots)
			return false;
		path += length;
	}
	return *path == '\0';
}

#endif
