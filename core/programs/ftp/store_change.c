/* What a client changes: files and directories removed, made, renamed, dated. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "ftp/path.h"
#include "programs/ftp/store.h"

/* After a system call that gave `result`. */
static enum ftp_outcome outcome_of(int result)
{
	return result < 0 ? store_outcome(-errno) : FTP_OUTCOME_DONE;
}

enum ftp_outcome store_delete(const struct store *store, const char *path, int *ret_gone)
{
	CLEANUP(close_fd) int parent = store_parent(store, path);
	*ret_gone = -1;
	if (parent < 0)
		return store_outcome(parent);
	*ret_gone = openat(parent, ftp_path_leaf(path), O_PATH | O_NOFOLLOW | O_CLOEXEC);
	int result = unlinkat(parent, ftp_path_leaf(path), 0);
	if (result < 0 && errno == EISDIR)
		return FTP_OUTCOME_NOT_A_FILE;
	return outcome_of(result);
}

enum ftp_outcome store_remove_directory(const struct store *store, const char *path)
{
	CLEANUP(close_fd) int parent = store_parent(store, path);
	if (parent < 0)
		return store_outcome(parent);
	if (!*ftp_path_leaf(path))
		return FTP_OUTCOME_DENIED; /* the root itself */
	return outcome_of(unlinkat(parent, ftp_path_leaf(path), AT_REMOVEDIR));
}

enum ftp_outcome store_make_directory(const struct store *store, const char *path)
{
	CLEANUP(close_fd) int parent = store_parent(store, path);
	if (parent < 0)
		return store_outcome(parent);
	if (!*ftp_path_leaf(path))
		return FTP_OUTCOME_EXISTS;
	return outcome_of(mkdirat(parent, ftp_path_leaf(path), 0777));
}

enum ftp_outcome store_set_time(const struct store *store, const char *path, int64_t seconds)
{
	CLEANUP(close_fd) int parent = store_parent(store, path);
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = (time_t)seconds}};
	if (parent < 0)
		return store_outcome(parent);
	const char *leaf = *ftp_path_leaf(path) ? ftp_path_leaf(path) : ".";
	return outcome_of(utimensat(parent, leaf, times, AT_SYMLINK_NOFOLLOW));
}

enum ftp_outcome store_rename(
	const struct store *store, const char *path, const char *other, int *ret_gone)
{
	CLEANUP(close_fd) int from = store_parent(store, path);
	CLEANUP(close_fd) int to = store_parent(store, other);
	*ret_gone = -1;
	if (from < 0 || to < 0)
		return store_outcome(from < 0 ? from : to);
	*ret_gone = openat(to, ftp_path_leaf(other), O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (!*ftp_path_leaf(path) || !*ftp_path_leaf(other))
		return FTP_OUTCOME_DENIED;
	return outcome_of(renameat(from, ftp_path_leaf(path), to, ftp_path_leaf(other)));
}
