#include "lab/copy_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"

enum { DEPTH_MOST = 12, BLOCK = 64 * 1024 };

/* A folder being copied. */
struct copying {
	int from, to;
	unsigned depth;
	struct copy_budget *budget;
};

static int copy_into(const struct copying *at, struct error *error);

static int used_up(struct error *error)
{
	return error_set(error, -EFBIG, "there are more files, or larger ones, than are allowed");
}

/* Zips lose the permission to run; what is a program by its first bytes gets it back. */
static bool is_program(const char *bytes, ssize_t length)
{
	return (length >= 2 && memcmp(bytes, "#!", 2) == 0) ||
	       (length >= 4 && memcmp(bytes, "\177ELF", 4) == 0);
}

static int copy_bytes(int from, int to, struct copy_budget *budget, struct error *error)
{
	char bytes[BLOCK];
	bool first = true;
	for (;;) {
		ssize_t length = read(from, bytes, sizeof(bytes));
		if (length < 0)
			return error_system(error, -errno, "cannot read a file to be copied");
		if (length == 0)
			return 0;
		if ((uint64_t)length > budget->bytes)
			return used_up(error);
		budget->bytes -= (uint64_t)length;
		if (first && is_program(bytes, length))
			fchmod(to, 0755);
		first = false;
		if (write(to, bytes, (size_t)length) != length)
			return error_system(
				error, errno ? -errno : -ENOSPC, "cannot write a copied file");
	}
}

static int copy_file(const struct copying *at, int from, const char *name, struct error *error)
{
	struct stat status;
	if (fstat(from, &status) < 0)
		return error_system(error, -errno, "cannot look at '%s'", name);
	mode_t mode = status.st_mode & S_IXUSR ? 0755 : 0644;
	CLEANUP(close_fd)
	int to = openat(at->to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (to < 0)
		return error_system(error, -errno, "cannot create the copy of '%s'", name);
	return copy_bytes(from, to, at->budget, error);
}

static int copy_folder(const struct copying *at, int from, const char *name, struct error *error)
{
	if (mkdirat(at->to, name, 0755) < 0)
		return error_system(error, -errno, "cannot create the copy of '%s'", name);
	CLEANUP(close_fd)
	int to = openat(at->to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (to < 0)
		return error_system(error, -errno, "cannot open the copy of '%s'", name);
	struct copying inside = {from, to, at->depth + 1, at->budget};
	return copy_into(&inside, error);
}

/* What the name stands for is looked at through one descriptor, so that it cannot be exchanged. */
static int copy_entry(const struct copying *at, const char *name, struct error *error)
{
	struct stat status;
	/* Opening a device may do something: an O_PATH descriptor is none of its. */
	CLEANUP(close_fd) int path = openat(at->from, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (path < 0 || fstat(path, &status) < 0 ||
		(!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) || at->depth == DEPTH_MOST) {
		at->budget->left_out++;
		return 0;
	}
	if (at->budget->files == 0)
		return used_up(error);
	at->budget->files--;
	char itself[32];
	snprintf(itself, sizeof(itself), "/proc/self/fd/%d", path);
	CLEANUP(close_fd) int from = open(itself, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (from < 0)
		return error_system(error, -errno, "cannot read '%s'", name);
	return S_ISDIR(status.st_mode) ? copy_folder(at, from, name, error)
				       : copy_file(at, from, name, error);
}

static void directory_close(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}

static int copy_into(const struct copying *at, struct error *error)
{
	CLEANUP(close_fd) int duplicate = fcntl(at->from, F_DUPFD_CLOEXEC, 0);
	CLEANUP(directory_close) DIR *directory = duplicate < 0 ? NULL : fdopendir(duplicate);
	if (!directory)
		return error_system(error, -errno, "cannot read a folder to be copied");
	take_fd(&duplicate);
	int status = 0;
	for (struct dirent *entry; status == 0 && (entry = readdir(directory));)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			status = copy_entry(at, entry->d_name, error);
	return status;
}

int copy_tree(const char *from, const char *to, struct copy_budget *budget, struct error *error)
{
	struct stat status;
	CLEANUP(close_fd)
	int source = open(
		from, O_RDONLY | O_NONBLOCK | O_CLOEXEC | (budget->through_link ? 0 : O_NOFOLLOW));
	CLEANUP(close_fd) int target = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (source < 0 && errno == ELOOP)
		return error_set(error, -ELOOP, "'%s' is a link, and none is followed", from);
	if (source < 0 || fstat(source, &status) < 0)
		return error_system(error, -errno, "cannot read '%s'", from);
	if (target < 0)
		return error_system(error, -errno, "cannot open '%s'", to);
	struct copying at = {source, target, 0, budget};
	if (S_ISDIR(status.st_mode))
		return copy_into(&at, error);
	char name[PATH_MAX];
	snprintf(name, sizeof(name), "%s", from);
	return S_ISREG(status.st_mode)
		       ? copy_file(&at, source, basename(name), error)
		       : error_set(error, -EINVAL, "'%s' is no file or folder", from);
}
