/*
 * The local end of a transfer. What is received appears under its name only when the server has
 * said that it was all; what came of a transfer that was cut off is kept beside it under a hidden
 * name (draft.h) for --resume. "-" is standard input or output, and what is no plain file, a
 * device or a pipe, is written to as it is.
 */
#ifndef PROGRAMS_FTP_TALK_FILE_H
#define PROGRAMS_FTP_TALK_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "programs/ftp/draft.h"

struct talk_file {
	int fd; /* owned, but borrowed from `draft` where there is one; -1: none */
	struct draft draft; /* owned */
	bool waits; /* no plain file: it may keep us waiting */
	uint64_t bytes; /* to send: in all; to receive: what is there already */
};

#define TALK_FILE_NONE ((struct talk_file){.fd = -1, .draft = DRAFT_NONE})

/* To send: a plain file, or "-". */
int talk_file_open(const char *path, struct talk_file *ret_file, struct error *error);

/*
 * To receive. resume: go on with what was kept, or else with the file of that name, as other
 * clients leave it half under its own name.
 */
int talk_file_create(
	const char *path, bool resume, struct talk_file *ret_file, struct error *error);

/*
 * The same in a directory and by one name, which talk_file.h's caller has found safe: no link is
 * followed, and nothing but a plain file is written to.
 */
int talk_file_create_at(int directory, const char *name, bool resume, struct talk_file *ret_file,
	struct error *error);

/* All is there: the file gets its name. */
int talk_file_commit(struct talk_file *file, const char *path, struct error *error);

/*
 * It was cut off. keep: what came is worth keeping. Returns how many bytes are kept for --resume,
 * 0 where none are.
 */
uint64_t talk_file_abandon(struct talk_file *file, bool keep);

/* Close; for CLEANUP. What was neither committed nor abandoned leaves nothing behind. */
void talk_file_close(struct talk_file *file);

#endif
