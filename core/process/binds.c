#include "process/binds.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "process/mounts.h"

int binds_open(const struct node *node, int **ret_fds, struct error *error)
{
	CLEANUP(free_pointer) int *fds = calloc(node->bind_count + 1, sizeof(*fds));
	if (!fds)
		return error_set(error, -ENOMEM, "out of memory");
	for (size_t i = 0; i < node->bind_count; i++) {
		fds[i] = open(node->binds[i].source, O_PATH | O_CLOEXEC);
		if (fds[i] < 0)
			return error_system(
				error, -errno, "binds: cannot open '%s'", node->binds[i].source);
	}
	*ret_fds = TAKE(fds);
	return 0;
}

/* Whether what is made at `path`, or in the nearest folder above that exists, is the node's own. */
static bool is_own(const char *path)
{
	static const char *const own[] = {"/run", "/tmp", "/etc"};
	char at[PATH_MAX];
	struct stat there, mine;
	snprintf(at, sizeof(at), "%s", path);
	while (stat(at, &there) < 0) {
		char *slash = strrchr(at, '/');
		if (errno != ENOENT || !slash || slash == at)
			return false;
		*slash = '\0';
	}
	for (size_t i = 0; i < ARRAY_LENGTH(own); i++)
		if (stat(own[i], &mine) == 0 && mine.st_dev == there.st_dev)
			return true;
	return false;
}

static int bind_show(const struct bind_spec *bind, int fd, struct error *error)
{
	char source[32];
	struct stat there;
	snprintf(source, sizeof(source), "/proc/self/fd/%d", fd);
	if (stat(bind->target, &there) < 0 && !is_own(bind->target))
		return error_set(error, -ENOENT,
			"there is no such path, and it cannot be made outside of the node's own "
			"/run, /tmp and /etc");
	int status = mount_shown(source, bind->target, error);
	return status < 0 || !bind->read_only ? status : mount_read_only(bind->target, error);
}

int binds_show(const struct node *node, int *fds, struct error *error)
{
	for (size_t i = 0; i < node->bind_count; i++) {
		const struct bind_spec *bind = &node->binds[i];
		int status = bind_show(bind, fds[i], error);
		close_fd(&fds[i]);
		if (status < 0)
			return error_prefix(
				error, "binds: '%s' at '%s': ", bind->source, bind->target);
	}
	return 0;
}
