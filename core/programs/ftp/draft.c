#include "programs/ftp/draft.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define MODE 0666 /* the umask has its say */

static int hidden_name(char *text, size_t size)
{
	uint64_t random[2];
	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return -EAGAIN;
	snprintf(text, size, DRAFT_PREFIX "%016llx%016llx", (unsigned long long)random[0],
		(unsigned long long)random[1]);
	return 0;
}

/* Say that a hidden name is in use: draft_sweep() takes those of which nobody does. */
static int draft_lock(int fd)
{
	struct stat file;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0 || fstat(fd, &file) < 0)
		return -errno;
	return file.st_nlink > 0 ? 0 : -ENOENT;
}

static int draft_open_hidden(struct draft *draft)
{
	int status = hidden_name(draft->hidden, sizeof(draft->hidden));
	if (status < 0)
		return status;
	draft->fd = openat(draft->directory, draft->hidden,
		O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW | O_CLOEXEC, MODE);
	if (draft->fd < 0) {
		status = -errno;
		draft->hidden[0] = '\0';
		return status;
	}
	return draft_lock(draft->fd);
}

static int draft_open(struct draft *draft)
{
	/* linkat() names an unnamed file through /proc, which a bare namespace may not have. */
	static bool named_by_proc;
	named_by_proc = named_by_proc || access("/proc/self/fd", X_OK) == 0;
	if (named_by_proc) {
		draft->fd = openat(draft->directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, MODE);
		if (draft->fd >= 0)
			return 0;
		/* EISDIR is how file systems and kernels say that they do not know O_TMPFILE. */
		if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)
			return -errno;
	}
	return draft_open_hidden(draft);
}

/* The name is fit for a file, and free or to be replaced. */
static int draft_begin(struct draft *draft, const char *name, bool replace)
{
	struct stat there;
	size_t length = strlen(name);
	if (length == 0 || length >= sizeof(draft->name))
		return -ENAMETOOLONG;
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strchr(name, '/'))
		return -EINVAL;
	memcpy(draft->name, name, length + 1);
	draft->replace = replace;
	if (fstatat(draft->directory, name, &there, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (S_ISDIR(there.st_mode))
		return -EISDIR;
	if (replace && there.st_size > DRAFT_LARGE_BYTES)
		draft->replaced = openat(draft->directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	return replace ? 0 : -EEXIST;
}

int draft_create(int take_directory, const char *name, bool replace, struct draft *ret_draft)
{
	CLEANUP(draft_discard) struct draft draft = DRAFT_NONE;
	draft.directory = take_directory;
	int status = draft_begin(&draft, name, replace);
	if (status == 0)
		status = draft_open(&draft);
	if (status < 0)
		return status;
	*ret_draft = draft;
	draft = DRAFT_NONE;
	return 0;
}

/* A name too long to be kept under is not kept. */
static int kept_name(const char *name, char *text, size_t size)
{
	int length = snprintf(text, size, KEPT_PREFIX "%s", name);
	return length < 0 || (size_t)length >= size ? -ENAMETOOLONG : 0;
}

int draft_reopen(int take_directory, const char *name, bool replace, struct draft *ret_draft)
{
	CLEANUP(draft_discard) struct draft draft = DRAFT_NONE;
	char kept[sizeof(draft.hidden)], hidden[sizeof(draft.hidden)];
	draft.directory = take_directory;
	int status = draft_begin(&draft, name, replace);
	if (status == 0)
		status = kept_name(name, kept, sizeof(kept));
	if (status == 0)
		status = hidden_name(hidden, sizeof(hidden));
	if (status < 0)
		return status;
	draft.fd = openat(draft.directory, kept, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (draft.fd < 0)
		return -errno;
	status = draft_lock(draft.fd);
	if (status < 0)
		return status;
	/* Taken by a name of its own, so that two clients do not write to the same one. */
	if (renameat(draft.directory, kept, draft.directory, hidden) < 0)
		return -errno;
	memcpy(draft.hidden, hidden, sizeof(hidden));
	*ret_draft = draft;
	draft = DRAFT_NONE;
	return 0;
}

/* Give an unnamed file `name`. */
static int draft_link(const struct draft *draft, const char *name)
{
	char path[32];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", draft->fd);
	if (linkat(AT_FDCWD, path, draft->directory, name, AT_SYMLINK_FOLLOW) < 0)
		return -errno;
	return 0;
}

/* Give it the name `name`, in place of any that has it where `replace`. */
static int draft_name(struct draft *draft, const char *name, bool replace)
{
	if (!draft->hidden[0]) {
		int status = draft_link(draft, name);
		if (status != -EEXIST || !replace)
			return status;
		/* linkat() replaces nothing and rename() needs a name: go by a hidden one. */
		char hidden[sizeof(draft->hidden)];
		status = hidden_name(hidden, sizeof(hidden));
		if (status == 0 && flock(draft->fd, LOCK_EX | LOCK_NB) < 0)
			status = -errno;
		if (status == 0)
			status = draft_link(draft, hidden);
		if (status < 0)
			return status;
		memcpy(draft->hidden, hidden, sizeof(hidden));
	}
	int directory = draft->directory;
	/* Not every file system has RENAME_NOREPLACE; a second name and no first is the same. */
	if (replace ? renameat(directory, draft->hidden, directory, name) < 0
		    : linkat(directory, draft->hidden, directory, name, 0) < 0)
		return -errno;
	if (!replace)
		unlinkat(directory, draft->hidden, 0);
	draft->hidden[0] = '\0';
	return 0;
}

int draft_commit(struct draft *draft)
{
	char kept[sizeof(draft->hidden)];
	int status = draft_name(draft, draft->name, draft->replace);
	if (status == 0 && draft->forgets && kept_name(draft->name, kept, sizeof(kept)) == 0)
		unlinkat(draft->directory, kept, 0);
	/* Some file systems tell only now that there was no room. */
	int fd = take_fd(&draft->fd);
	if (close(fd) < 0 && status == 0)
		status = -errno;
	draft_discard(draft);
	return status;
}

int draft_keep(struct draft *draft)
{
	struct stat there;
	char kept[sizeof(draft->hidden)];
	int status = kept_name(draft->name, kept, sizeof(kept));
	if (status == 0 && fstatat(draft->directory, draft->name, &there, AT_SYMLINK_NOFOLLOW) == 0)
		status = -EEXIST;
	if (status == 0)
		status = draft_name(draft, kept, true);
	draft_discard(draft);
	return status;
}

bool draft_sweep(int directory, const char *name)
{
	if (strncmp(name, DRAFT_PREFIX, strlen(DRAFT_PREFIX)) != 0)
		return false;
	CLEANUP(close_fd)
	int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	return fd >= 0 && draft_lock(fd) == 0 && unlinkat(directory, name, 0) == 0;
}

void draft_discard(struct draft *draft)
{
	if (draft->hidden[0])
		unlinkat(draft->directory, draft->hidden, 0);
	close_fd(&draft->fd);
	close_fd(&draft->replaced);
	close_fd(&draft->directory);
	*draft = DRAFT_NONE;
}
