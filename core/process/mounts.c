#include "process/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/cleanup.h"

int mount_new(const char *type, const char *target, unsigned long flags, const char *options,
	struct error *error)
{
	if (mount(type, target, type, flags, options) < 0)
		return error_system(error, -errno, "cannot mount a %s on %s", type, target);
	return 0;
}

int mount_point(const char *path, struct error *error)
{
	char part[PATH_MAX];
	snprintf(part, sizeof(part), "%s", path);
	for (char *slash = strchr(part + 1, '/');; slash = strchr(slash + 1, '/')) {
		if (slash)
			*slash = '\0';
		if (mkdir(part, 0755) < 0 && errno != EEXIST)
			return error_system(error, -errno, "cannot create '%s' in the node", part);
		if (!slash)
			return 0;
		*slash = '/';
	}
}

/* An empty file as the mount point of a file. */
static int mount_point_file(const char *path, struct error *error)
{
	char folder[PATH_MAX];
	snprintf(folder, sizeof(folder), "%s", path);
	*strrchr(folder, '/') = '\0';
	int status = *folder ? mount_point(folder, error) : 0;
	if (status < 0)
		return status;
	CLEANUP(close_fd) int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	return fd < 0 ? error_system(error, -errno, "cannot create '%s'", path) : 0;
}

int mount_shown(const char *source, const char *target, struct error *error)
{
	struct stat file;
	if (stat(source, &file) < 0)
		return error_system(error, -errno, "cannot find '%s'", source);
	int status = S_ISDIR(file.st_mode) ? mount_point(target, error)
					   : mount_point_file(target, error);
	if (status == 0 && mount(source, target, NULL, MS_BIND | MS_REC, NULL) < 0)
		return error_system(error, -errno, "cannot show '%s' at '%s'", source, target);
	return status;
}

int mount_read_only(const char *path, struct error *error)
{
	/* mount_setattr(2), which came with Linux 5.12; the C library may be older. */
	struct {
		uint64_t set, clear, propagation, user_namespace;
	} attributes = {.set = 0x1 | 0x2}; /* MOUNT_ATTR_RDONLY, MOUNT_ATTR_NOSUID */
	enum { MOUNT_SETATTR = 442, RECURSIVE = 0x8000 };
	if (syscall(MOUNT_SETATTR, AT_FDCWD, path, RECURSIVE, &attributes, sizeof(attributes)) == 0)
		return 0;
	if (errno == ENOSYS)
		return error_set(error, -ENOSYS,
			"this kernel cannot make a folder read-only with all below it: Linux 5.12 "
			"or newer can");
	return error_system(error, -errno, "cannot make '%s' read-only", path);
}
