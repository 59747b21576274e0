/* The words of a `get` or `put`, taken apart: the same for FTP and for the text protocol. */
#ifndef PROGRAMS_FTP_TALK_REQUEST_H
#define PROGRAMS_FTP_TALK_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct talk_request {
	const char *usage; /* of the command, for the sentence about a slip */
	bool recursive, resume;
	const char *output; /* -o; NULL: none */
	const char *const *names;
	size_t count;
};

/*
 * Options may stand before the names and behind them, as `get a b -o c`; "--" ends them.
 * request: with its usage, and what options of the program have said already.
 * words: the command's name first.
 * names: room for `count` of them, which the request borrows.
 * Fails on a slip of the user's.
 */
int talk_request_read(struct talk_request *request, const char *const *words, size_t count,
	const char **names, struct error *error);

/* Where a name of the server goes; the caller's. NULL with a sentence. */
char *talk_request_target(
	const struct talk_request *request, const char *remote, struct error *error);

/*
 * What does not go together in a get: -o with several names that is no place for them. NULL where
 * all does.
 */
const char *talk_request_slip(const struct talk_request *request);

/* The last name of a path, without slashes behind it; the caller's, "" for "/". */
char *talk_last_name(const char *path);

bool talk_is_directory(const char *path);

#endif
