/*
 * The server's files: everything below one root directory, and nothing else. Each path is opened by
 * openat2(2) beneath the root's descriptor with RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS, so neither
 * "..", nor a symbolic link, nor a rename at the wrong moment leads out; what would lead out does
 * not exist. Paths are ftp/path.h's: absolute within the root, normalised.
 */
#ifndef PROGRAMS_FTP_STORE_H
#define PROGRAMS_FTP_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "ftp/session.h"
#include "programs/ftp/draft.h"

#define STORE_LISTING_BYTES_MAX (32 * 1024 * 1024)

struct store {
	int root; /* owned */
};

/* Fails with a sentence: no such directory, or a kernel without openat2(2) (Linux before 5.6). */
int store_open(struct store *store, const char *directory, struct error *error);
void store_close(struct store *store);

/* Whether a client may enter `path`: DONE, NOT_FOUND, NOT_A_DIRECTORY or DENIED. */
enum ftp_outcome store_check_directory(const struct store *store, const char *path);

/* A plain file for reading. ret_fd is the caller's. */
enum ftp_outcome store_open_source(
	const struct store *store, const char *path, int *ret_fd, uint64_t *ret_size_bytes);

/* A draft that will become the file `path`. */
enum ftp_outcome store_open_sink(
	const struct store *store, const char *path, struct draft *ret_draft);

/*
 * LIST, or NLST where names_only, of a directory (sorted, without names that begin with a dot) or
 * of one file. ret_text is the caller's.
 */
enum ftp_outcome store_list(
	const struct store *store, const char *path, bool names_only, struct text *ret_text);

/* What a failed system call of a store or draft means to a client; `status` is negative. */
enum ftp_outcome store_outcome(int status);

#endif
