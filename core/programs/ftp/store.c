#include "programs/ftp/store.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "ftp/path.h"

/* Open `path` beneath `directory`; a descriptor or a negative errno. */
static int open_beneath(int directory, const char *path, uint64_t flags)
{
	enum { ATTEMPTS = 16 };
	struct open_how how = {
		.flags = flags | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	for (int i = 0; i < ATTEMPTS; i++) {
		long fd = syscall(SYS_openat2, directory, path, &how, sizeof(how));
		if (fd >= 0)
			return (int)fd;
		/* EAGAIN: something was renamed on the way and the kernel cannot be sure. */
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
	}
	return -EAGAIN;
}

int store_at(const struct store *store, const char *path, uint64_t flags)
{
	return open_beneath(store->root, ftp_path_relative(path), flags);
}

int store_parent(const struct store *store, const char *path)
{
	char parent[FTP_PATH_SIZE];
	if (!ftp_path_resolve(path, "..", 2, parent))
		return -ENAMETOOLONG;
	return store_at(store, parent, O_PATH | O_DIRECTORY);
}

enum ftp_outcome store_outcome(int status)
{
	static const struct {
		int code;
		enum ftp_outcome outcome;
	} outcomes[] = {
		{ENOENT, FTP_OUTCOME_NOT_FOUND},
		{EXDEV, FTP_OUTCOME_NOT_FOUND}, /* leads out of the root: not there, for a client */
		{ELOOP, FTP_OUTCOME_NOT_FOUND},
		{EACCES, FTP_OUTCOME_DENIED},
		{EPERM, FTP_OUTCOME_DENIED},
		{EROFS, FTP_OUTCOME_DENIED},
		{ENOTDIR, FTP_OUTCOME_NOT_A_DIRECTORY},
		{EISDIR, FTP_OUTCOME_BAD_NAME},
		{EINVAL, FTP_OUTCOME_BAD_NAME},
		{ENAMETOOLONG, FTP_OUTCOME_NAME_TOO_LONG},
		{ENOSPC, FTP_OUTCOME_NO_SPACE},
		{EDQUOT, FTP_OUTCOME_NO_SPACE},
		{EFBIG, FTP_OUTCOME_NO_SPACE},
		{EEXIST, FTP_OUTCOME_EXISTS},
		{ENOTEMPTY, FTP_OUTCOME_NOT_EMPTY},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(outcomes); i++)
		if (outcomes[i].code == -status)
			return outcomes[i].outcome;
	return FTP_OUTCOME_LOCAL_ERROR;
}

int store_open(struct store *store, const char *directory, struct error *error)
{
	CLEANUP(close_fd) int root = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return error_system(
			error, -errno, "cannot open the root directory '%s'", directory);
	CLEANUP(close_fd) int probe = open_beneath(root, ".", O_PATH | O_DIRECTORY);
	if (probe == -ENOSYS || probe == -EPERM)
		return error_set(error, probe,
			"this system has no openat2(2) (Linux 5.6), which confines clients to "
			"the root directory");
	if (probe < 0)
		return error_system(error, probe, "cannot open the root directory '%s'", directory);
	store->root = take_fd(&root);
	return 0;
}

void store_close(struct store *store)
{
	close_fd(&store->root);
}

enum ftp_outcome store_check_directory(const struct store *store, const char *path)
{
	CLEANUP(close_fd) int fd = store_at(store, path, O_PATH | O_DIRECTORY);
	if (fd < 0)
		return store_outcome(fd);
	if (faccessat(fd, ".", X_OK, 0) < 0)
		return store_outcome(-errno);
	return FTP_OUTCOME_DONE;
}

void store_entry(const struct stat *file, struct ftp_listing_entry *ret_entry)
{
	*ret_entry = (struct ftp_listing_entry){
		.name = "",
		.mode = file->st_mode,
		.links = file->st_nlink,
		.size_bytes = (uint64_t)file->st_size,
		.modified_seconds = file->st_mtime,
		.device = file->st_dev,
		.inode = file->st_ino,
	};
}

enum ftp_outcome store_open_source(
	const struct store *store, const char *path, int *ret_fd, uint64_t *ret_size_bytes)
{
	struct stat file;
	/* O_NONBLOCK: to open a FIFO must not hang the server. */
	CLEANUP(close_fd) int fd = store_at(store, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return fd == -ENXIO ? FTP_OUTCOME_NOT_A_FILE : store_outcome(fd);
	if (fstat(fd, &file) < 0)
		return FTP_OUTCOME_LOCAL_ERROR;
	if (!S_ISREG(file.st_mode))
		return FTP_OUTCOME_NOT_A_FILE;
	*ret_size_bytes = (uint64_t)file.st_size;
	*ret_fd = take_fd(&fd);
	return FTP_OUTCOME_DONE;
}

/* A name like `name` that nothing has: the name, NAME.1, NAME.2, ... */
static int unique_draft(int directory, const char *name, struct draft *ret_draft)
{
	enum { NAMES_MAX = 10000 };
	char leaf[FTP_PATH_NAME_MAX + 1];
	int status = -EEXIST;
	for (int i = 0; i < NAMES_MAX && status == -EEXIST; i++) {
		int length = i ? snprintf(leaf, sizeof(leaf), "%s.%d", name, i)
			       : snprintf(leaf, sizeof(leaf), "%s", name);
		int copy = fcntl(directory, F_DUPFD_CLOEXEC, 0);
		if (copy < 0)
			return -errno;
		status = -ENAMETOOLONG;
		if ((size_t)length < sizeof(leaf))
			status = draft_create(copy, leaf, false, ret_draft);
		else
			close(copy);
	}
	return status;
}

/* What is there already, for FTP_SINK_APPEND and FTP_SINK_RESUME: it becomes the beginning. */
static enum ftp_outcome open_former(const struct store *store, const char *path,
	const struct store_sink_request *request, struct store_sink *sink)
{
	uint64_t size_bytes;
	enum ftp_outcome outcome = store_open_source(store, path, &sink->former, &size_bytes);
	bool append = request->kind == FTP_SINK_APPEND;
	sink->restart_bytes = append ? UINT64_MAX : request->restart_bytes;
	if (outcome == FTP_OUTCOME_DONE && !request->may_change)
		return FTP_OUTCOME_DENIED;
	return outcome;
}

enum ftp_outcome store_open_sink(const struct store *store, const char *path,
	const struct store_sink_request *request, struct store_sink *ret_sink)
{
	CLEANUP(store_sink_finish) struct store_sink sink = STORE_SINK_NONE;
	CLEANUP(close_fd) int directory = store_parent(store, path);
	const char *leaf = ftp_path_leaf(path);
	enum ftp_outcome outcome = FTP_OUTCOME_DONE;
	int status = -ENOENT;
	if (directory < 0)
		return store_outcome(directory);
	if (request->kind == FTP_SINK_APPEND || request->kind == FTP_SINK_RESUME)
		outcome = open_former(store, path, request, &sink);
	if (outcome == FTP_OUTCOME_NOT_FOUND && request->keeps) {
		status = draft_reopen(fcntl(directory, F_DUPFD_CLOEXEC, 0), leaf,
			request->may_change, &sink.draft);
		sink.former_is_draft = status == 0;
	}
	if (outcome == FTP_OUTCOME_NOT_FOUND && request->kind == FTP_SINK_RESUME)
		outcome = FTP_OUTCOME_BEYOND_END;
	if (sink.former_is_draft || outcome == FTP_OUTCOME_NOT_FOUND)
		outcome = FTP_OUTCOME_DONE;
	if (outcome == FTP_OUTCOME_DONE && request->kind == FTP_SINK_UNIQUE)
		status = unique_draft(directory, leaf, &sink.draft);
	else if (outcome == FTP_OUTCOME_DONE && !sink.former_is_draft)
		status = draft_create(take_fd(&directory), leaf, request->may_change, &sink.draft);
	if (outcome == FTP_OUTCOME_DONE && status < 0)
		outcome = store_outcome(status);
	if (outcome == FTP_OUTCOME_DONE) {
		sink.draft.forgets = request->keeps;
		sink.replaced = take_fd(&sink.draft.replaced);
		*ret_sink = sink;
		sink = STORE_SINK_NONE;
	}
	return outcome;
}

void store_sink_finish(struct store_sink *sink)
{
	draft_discard(&sink->draft);
	close_fd(&sink->former);
	close_fd(&sink->replaced);
	*sink = STORE_SINK_NONE;
}

enum ftp_outcome store_open_kept(
	const struct store *store, const char *path, int *ret_fd, uint64_t *ret_size_bytes)
{
	char kept[FTP_PATH_SIZE], name[FTP_PATH_NAME_MAX + 1];
	int length = snprintf(name, sizeof(name), "../" KEPT_PREFIX "%s", ftp_path_leaf(path));
	if (length < 0 || (size_t)length >= sizeof(name) ||
		!ftp_path_resolve(path, name, (size_t)length, kept))
		return FTP_OUTCOME_NOT_FOUND;
	return store_open_source(store, kept, ret_fd, ret_size_bytes);
}

enum ftp_outcome store_look(
	const struct store *store, const char *path, struct ftp_listing_entry *ret_entry)
{
	struct stat file;
	CLEANUP(close_fd) int fd = store_at(store, path, O_PATH | O_NOFOLLOW);
	if (fd < 0)
		return store_outcome(fd);
	if (fstat(fd, &file) < 0)
		return FTP_OUTCOME_LOCAL_ERROR;
	store_entry(&file, ret_entry);
	return FTP_OUTCOME_DONE;
}
