#include "programs/ftp/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "ftp/listing.h"
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

static int store_at(const struct store *store, const char *path, uint64_t flags)
{
	return open_beneath(store->root, ftp_path_relative(path), flags);
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
		{ENAMETOOLONG, FTP_OUTCOME_BAD_NAME},
		{ENOSPC, FTP_OUTCOME_NO_SPACE},
		{EDQUOT, FTP_OUTCOME_NO_SPACE},
		{EFBIG, FTP_OUTCOME_NO_SPACE},
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

enum ftp_outcome store_open_sink(
	const struct store *store, const char *path, struct draft *ret_draft)
{
	char parent[FTP_PATH_SIZE];
	if (!ftp_path_resolve(path, "..", 2, parent))
		return FTP_OUTCOME_BAD_NAME;
	int directory = store_at(store, parent, O_PATH | O_DIRECTORY);
	if (directory < 0)
		return store_outcome(directory);
	int status = draft_create(directory, ftp_path_leaf(path), ret_draft);
	return status < 0 ? store_outcome(status) : FTP_OUTCOME_DONE;
}

static void append_entry(struct text *text, int directory, const char *name, bool names_only)
{
	char target[FTP_PATH_SIZE];
	struct stat file;
	if (names_only) {
		ftp_listing_append_name(text, name);
		return;
	}
	if (fstatat(directory, name, &file, AT_SYMLINK_NOFOLLOW) < 0)
		return; /* gone since its name was read */
	struct ftp_listing_entry entry = {
		.name = name,
		.mode = file.st_mode,
		.links = file.st_nlink,
		.size_bytes = (uint64_t)file.st_size,
		.modified_seconds = file.st_mtime,
	};
	if (S_ISLNK(file.st_mode)) {
		ssize_t length = readlinkat(directory, name, target, sizeof(target) - 1);
		if (length >= 0) {
			target[length] = '\0';
			entry.target = target;
		}
	}
	int64_t now_seconds = (int64_t)(clock_realtime_ns() / NS_PER_SECOND);
	ftp_listing_append_long(text, &entry, now_seconds);
}

struct names {
	char **list;
	size_t count;
};

static void names_finish(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->list[i]);
	free(names->list);
}

static int names_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void close_directory(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}

/* The visible names of a directory, sorted. */
static enum ftp_outcome names_read(DIR *directory, struct names *names)
{
	size_t bytes = 0;
	const struct dirent *entry;
	while ((entry = readdir(directory))) {
		if (entry->d_name[0] == '.')
			continue;
		char **name = array_add(&names->list, &names->count);
		if (!name)
			return FTP_OUTCOME_LOCAL_ERROR;
		*name = strdup(entry->d_name);
		bytes += strlen(entry->d_name) + 80;
		if (!*name || bytes > STORE_LISTING_BYTES_MAX)
			return FTP_OUTCOME_LOCAL_ERROR;
	}
	if (names->count)
		qsort(names->list, names->count, sizeof(*names->list), names_compare);
	return FTP_OUTCOME_DONE;
}

static enum ftp_outcome list_file(
	const struct store *store, const char *path, bool names_only, struct text *text)
{
	char parent[FTP_PATH_SIZE];
	if (!ftp_path_resolve(path, "..", 2, parent))
		return FTP_OUTCOME_BAD_NAME;
	CLEANUP(close_fd) int fd = store_at(store, parent, O_PATH | O_DIRECTORY);
	if (fd < 0)
		return store_outcome(fd);
	append_entry(text, fd, ftp_path_leaf(path), names_only);
	return FTP_OUTCOME_DONE;
}

enum ftp_outcome store_list(
	const struct store *store, const char *path, bool names_only, struct text *ret_text)
{
	CLEANUP(text_finish) struct text text = {0};
	CLEANUP(names_finish) struct names names = {0};
	CLEANUP(close_fd) int probe = store_at(store, path, O_PATH);
	if (probe < 0)
		return store_outcome(probe);
	CLEANUP(close_fd) int fd = openat(probe, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum ftp_outcome outcome;
	if (fd < 0 && errno == ENOTDIR) {
		outcome = list_file(store, path, names_only, &text);
	} else if (fd < 0) {
		outcome = store_outcome(-errno);
	} else {
		CLEANUP(close_directory) DIR *directory = fdopendir(fd);
		if (!directory)
			return FTP_OUTCOME_LOCAL_ERROR;
		int descriptor = take_fd(&fd); /* the stream's now */
		outcome = names_read(directory, &names);
		for (size_t i = 0; i < names.count && outcome == FTP_OUTCOME_DONE; i++)
			append_entry(&text, descriptor, names.list[i], names_only);
	}
	if (outcome == FTP_OUTCOME_DONE && text.failed)
		outcome = FTP_OUTCOME_LOCAL_ERROR;
	if (outcome == FTP_OUTCOME_DONE) {
		*ret_text = text;
		text = (struct text){0};
	}
	return outcome;
}
