#include "programs/ftp/draft.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
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

static int draft_open(struct draft *draft)
{
	/* linkat() names an unnamed file through /proc, which a bare namespace may not have. */
	if (access("/proc/self/fd", X_OK) == 0) {
		draft->fd = openat(draft->directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, MODE);
		if (draft->fd >= 0)
			return 0;
		/* EISDIR is how file systems and kernels say that they do not know O_TMPFILE. */
		if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)
			return -errno;
	}
	int status = hidden_name(draft->hidden, sizeof(draft->hidden));
	if (status < 0)
		return status;
	draft->fd = openat(draft->directory, draft->hidden,
		O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW | O_CLOEXEC, MODE);
	if (draft->fd < 0) {
		status = -errno;
		draft->hidden[0] = '\0';
	}
	return status;
}

int draft_create(int take_directory, const char *name, struct draft *ret_draft)
{
	CLEANUP(draft_discard) struct draft draft = {.directory = take_directory, .fd = -1};
	struct stat there;
	size_t length = strlen(name);
	if (length == 0 || length >= sizeof(draft.name))
		return -ENAMETOOLONG;
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strchr(name, '/'))
		return -EINVAL;
	memcpy(draft.name, name, length + 1);
	if (fstatat(draft.directory, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
		S_ISDIR(there.st_mode))
		return -EISDIR;
	int status = draft_open(&draft);
	if (status < 0)
		return status;
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

static int draft_name(struct draft *draft)
{
	int status;
	if (!draft->hidden[0]) {
		status = draft_link(draft, draft->name);
		if (status != -EEXIST)
			return status;
		/* linkat() replaces nothing and rename() needs a name: go by a hidden one. */
		char hidden[sizeof(draft->hidden)];
		status = hidden_name(hidden, sizeof(hidden));
		if (status == 0)
			status = draft_link(draft, hidden);
		if (status < 0)
			return status;
		memcpy(draft->hidden, hidden, sizeof(hidden));
	}
	if (renameat(draft->directory, draft->hidden, draft->directory, draft->name) < 0)
		return -errno;
	draft->hidden[0] = '\0';
	return 0;
}

int draft_commit(struct draft *draft)
{
	int status = draft_name(draft);
	/* Some file systems tell only now that there was no room. */
	int fd = take_fd(&draft->fd);
	if (close(fd) < 0 && status == 0)
		status = -errno;
	draft_discard(draft);
	return status;
}

void draft_discard(struct draft *draft)
{
	if (draft->hidden[0])
		unlinkat(draft->directory, draft->hidden, 0);
	close_fd(&draft->fd);
	close_fd(&draft->directory);
	*draft = DRAFT_NONE;
}
