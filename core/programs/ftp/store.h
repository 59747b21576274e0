/*
 * The server's files: everything below one root directory, and nothing else. Each path is opened by
 * openat2(2) beneath the root's descriptor with RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS, so neither
 * "..", nor a symbolic link, nor a rename at the wrong moment leads out; what would lead out does
 * not exist. Paths are ftp/path.h's: absolute within the root, normalised.
 */
#ifndef PROGRAMS_FTP_STORE_H
#define PROGRAMS_FTP_STORE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/text.h"
#include "ftp/session.h"
#include "programs/ftp/draft.h"

struct store_list; /* private to store_list.c */

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

/* What a draft is to become, and what it begins with. */
struct store_sink {
	struct draft draft; /* owned */
	/*
	 * Copy the beginning of this file into the draft before anything is received (-1: of none):
	 * as much as `restart_bytes` of the wire cover, all of it where it is UINT64_MAX.
	 */
	int former; /* owned */
	int replaced; /* owned, O_PATH: a large file that it takes the place of; -1: none */
	uint64_t restart_bytes;
	bool former_is_draft; /* the draft was kept: nothing to copy, only to cut */
};

#define STORE_SINK_NONE ((struct store_sink){.draft = DRAFT_NONE, .former = -1, .replaced = -1})

struct store_sink_request {
	enum ftp_sink kind;
	uint64_t restart_bytes; /* of FTP_SINK_RESUME, counted on the wire */
	bool may_change; /* replace, or go on with, a file that is there */
	bool keeps; /* cut-off uploads are kept: one may be gone on with */
};

/* A draft that will become the file `path`, or one like it. */
enum ftp_outcome store_open_sink(const struct store *store, const char *path,
	const struct store_sink_request *request, struct store_sink *ret_sink);
void store_sink_finish(struct store_sink *sink);

/* What was kept of an upload to `path` that was cut off, where there is no file of that name. */
enum ftp_outcome store_open_kept(
	const struct store *store, const char *path, int *ret_fd, uint64_t *ret_size_bytes);

/* What `path` is, a symbolic link itself; the entry's name and target are not set. */
enum ftp_outcome store_look(
	const struct store *store, const char *path, struct ftp_listing_entry *ret_entry);

/* store_change.c: one change each. Nothing follows a symbolic link in the last place. */
/* ret_gone: the file that went, O_PATH, or -1; the caller's: what holds it last ends it. */
enum ftp_outcome store_delete(const struct store *store, const char *path, int *ret_gone);
enum ftp_outcome store_remove_directory(const struct store *store, const char *path);
enum ftp_outcome store_make_directory(const struct store *store, const char *path);
enum ftp_outcome store_set_time(const struct store *store, const char *path, int64_t seconds);
/* Where `other` is there already it is replaced, as rename(2) does; ret_gone: that, as above. */
enum ftp_outcome store_rename(
	const struct store *store, const char *path, const char *other, int *ret_gone);

/* How a listing is to be. */
struct store_listing {
	enum ftp_listing_form form;
	struct ftp_listing_view view; /* of FTP_LISTING_FACTS */
	const char *before; /* each line; "" */
	const char *asked; /* the client's words for the path: FTP_LISTING_NAMES begin with them */
};

/*
 * store_list.c: the lines of a directory (sorted, without names that begin with a dot), and, not
 * for FTP_LISTING_FACTS, of one file, or of all in one directory whose names the pattern takes that
 * the path ends with (ftp/glob.h). They come piece by piece; of a directory of any size about 1 MiB
 * of names is held. What is made or renamed meanwhile may be told or not, but nothing is told twice.
 *
 * One thread at a time may work on a list, which need not be the one that made it. The store must
 * outlive it. NULL where memory is gone.
 */
struct store_list *store_list_create(
	const struct store *store, const char *path, const struct store_listing *how);
void store_list_free(struct store_list **list);

/*
 * Append the next lines to `text` until it has `bytes`, or there are no more: store_list_ended().
 * The first call opens what is listed, and tells by its outcome that this cannot be. It ends early
 * where `*unwanted` becomes true.
 */
enum ftp_outcome store_list_more(
	struct store_list *list, size_t bytes, const atomic_bool *unwanted, struct text *text);
bool store_list_ended(const struct store_list *list);

/* What a failed system call of a store or draft means to a client; `status` is negative. */
enum ftp_outcome store_outcome(int status);

/*
 * For the store's own files: a descriptor of `path`, or of the directory that it is in, or a
 * negative errno.
 */
int store_at(const struct store *store, const char *path, uint64_t flags);
int store_parent(const struct store *store, const char *path);
void store_entry(const struct stat *file, struct ftp_listing_entry *ret_entry);

#endif
