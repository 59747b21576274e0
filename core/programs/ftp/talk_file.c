#include "programs/ftp/talk_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

static bool is_plain(int fd, uint64_t *ret_bytes)
{
	struct stat status;
	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
		return false;
	*ret_bytes = (uint64_t)status.st_size;
	return true;
}

/* Standard input or output, as a descriptor of our own. */
static int open_standard(int standard, struct talk_file *ret_file, struct error *error)
{
	struct talk_file file = TALK_FILE_NONE;
	uint64_t bytes = 0;
	file.fd = fcntl(standard, F_DUPFD_CLOEXEC, 3);
	if (file.fd < 0)
		return error_system(error, -errno, "cannot use standard %s",
			standard == STDIN_FILENO ? "input" : "output");
	file.waits = !is_plain(file.fd, &bytes);
	*ret_file = file;
	return 0;
}

int talk_file_open(const char *path, struct talk_file *ret_file, struct error *error)
{
	struct talk_file file = TALK_FILE_NONE;
	if (strcmp(path, "-") == 0)
		return open_standard(STDIN_FILENO, ret_file, error);
	CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return error_system(error, -errno, "cannot read '%s'", path);
	if (!is_plain(fd, &file.bytes))
		return error_set(error, -EINVAL, "'%s' is not a plain file", path);
	file.fd = take_fd(&fd);
	*ret_file = file;
	return 0;
}

/* What is kept of an earlier draft, else the file itself; -ENOENT where there is neither. */
static int resume_at(int directory, const char *name, struct talk_file *ret_file)
{
	struct talk_file file = TALK_FILE_NONE;
	int copy = fcntl(directory, F_DUPFD_CLOEXEC, 3);
	if (copy < 0)
		return -errno;
	if (draft_reopen(copy, name, true, &file.draft) == 0) {
		file.fd = file.draft.fd;
	} else {
		file.fd = openat(directory, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
		if (file.fd < 0)
			return errno == ENOENT ? -ENOENT : -errno;
	}
	if (!is_plain(file.fd, &file.bytes) || lseek(file.fd, 0, SEEK_END) < 0) {
		talk_file_close(&file);
		return -EINVAL;
	}
	*ret_file = file;
	return 0;
}

int talk_file_create_at(int directory, const char *name, bool resume, struct talk_file *ret_file,
	struct error *error)
{
	struct talk_file file = TALK_FILE_NONE;
	int status = resume ? resume_at(directory, name, &file) : -ENOENT;
	if (status == -ENOENT) {
		int copy = fcntl(directory, F_DUPFD_CLOEXEC, 3);
		status = copy < 0 ? -errno : draft_create(copy, name, true, &file.draft);
		file.fd = file.draft.fd;
	}
	if (status < 0)
		return error_system(error, status, "cannot write '%s'", name);
	*ret_file = file;
	return 0;
}

/* A device or a pipe is not replaced by a file, but written to. */
static int open_special(const char *path, struct talk_file *ret_file, struct error *error)
{
	struct talk_file file = TALK_FILE_NONE;
	file.fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	if (file.fd < 0)
		return error_system(error, -errno, "cannot write '%s'", path);
	file.waits = true;
	*ret_file = file;
	return 0;
}

int talk_file_create(const char *path, bool resume, struct talk_file *ret_file, struct error *error)
{
	char folder[PATH_MAX] = ".";
	struct stat status;
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	size_t length = slash ? (size_t)(slash - path) + 1 : 0;
	if (strcmp(path, "-") == 0)
		return open_standard(STDOUT_FILENO, ret_file, error);
	if (length >= sizeof(folder))
		return error_set(error, -ENAMETOOLONG, "the name '%.64s...' is too long", path);
	if (stat(path, &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode))
		return open_special(path, ret_file, error);
	if (slash) {
		memcpy(folder, path, length);
		folder[length] = '\0';
	}
	CLEANUP(close_fd) int directory = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return error_system(error, -errno, "cannot write '%s'", path);
	if (talk_file_create_at(directory, name, resume, ret_file, error) < 0)
		return slash ? error_prefix(error, "in '%s': ", folder) : error->code;
	return 0;
}

int talk_file_commit(struct talk_file *file, const char *path, struct error *error)
{
	int status = 0;
	if (file->draft.fd >= 0) {
		char kept[sizeof(file->draft.name) + sizeof(KEPT_PREFIX)];
		int directory = fcntl(file->draft.directory, F_DUPFD_CLOEXEC, 3);
		snprintf(kept, sizeof(kept), KEPT_PREFIX "%s", file->draft.name);
		file->fd = -1;
		status = draft_commit(&file->draft);
		/* What an earlier attempt left is of no more use. */
		if (status == 0 && directory >= 0)
			unlinkat(directory, kept, 0);
		close_fd(&directory);
	}
	talk_file_close(file);
	return status < 0 ? error_system(error, status, "cannot write '%s'", path) : 0;
}

uint64_t talk_file_abandon(struct talk_file *file, bool keep)
{
	uint64_t bytes = 0;
	if (file->draft.fd >= 0 && keep && is_plain(file->fd, &bytes) && bytes > 0) {
		file->fd = -1;
		if (draft_keep(&file->draft) < 0)
			bytes = 0;
	}
	talk_file_close(file);
	return bytes;
}

void talk_file_close(struct talk_file *file)
{
	if (file->draft.fd >= 0)
		draft_discard(&file->draft);
	else
		close_fd(&file->fd);
	*file = TALK_FILE_NONE;
}
