/*
 * The folder of a run: results/<topology>/<UTC time>/, a folder a scenario inside, and
 * results/<topology>/latest pointing at the newest. All of it belongs to the user who called sudo.
 */
#ifndef RESULTS_FOLDER_H
#define RESULTS_FOLDER_H

#include <limits.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/text.h"

struct folder {
	char path[PATH_MAX]; /* absolute */
};

/*
 * Make the folder of a run that started at `started_ns` (CLOCK_REALTIME) below `results`, which is
 * made too. Two runs in one second get two folders.
 */
int folder_create(const char *results, const char *topology, uint64_t started_ns,
	struct folder *ret_folder, struct error *error);

/*
 * Make `name`, of one component or more, inside `parent`. Fails where something else than a folder
 * is in its place: a link that a node's program has put there is not followed.
 */
int folder_create_inside(const struct folder *parent, const char *name, struct folder *ret_folder,
	struct error *error);

/* Point `latest` beside the run's folder at it. */
int folder_set_latest(const struct folder *run, struct error *error);

/*
 * Remove empty folders below it, and hand everything to the user who called sudo, but for files that
 * have another name (hard links).
 */
int folder_settle(const struct folder *run, struct error *error);

/* Hand the folder itself to another user, who is to fill it. */
int folder_lend(const struct folder *folder, uid_t uid, gid_t gid, struct error *error);

/* ... and everything in it back, to the user who called sudo, or to the caller. */
int folder_take_back(const struct folder *folder, struct error *error);

/* Hand a file to the user who called sudo, where somebody did. */
void folder_give(const char *path);

/* "PATH/NAME" on the heap, NULL when memory is gone. */
char *folder_path(const struct folder *folder, const char *name);

/*
 * The same, for a file to be written: what a node's program may have put in its place is removed, so
 * that no link is followed and no FIFO waited for.
 */
char *folder_fresh(const struct folder *folder, const char *name);

/* Write a text file; takes a failed text for memory that is gone. */
int folder_write(const struct folder *folder, const char *name, const struct text *text,
	struct error *error);

/* The path as a person would write it: relative to the working directory where it lies below it. */
const char *folder_shown(const struct folder *folder);

#endif
