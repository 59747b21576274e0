#include "programs/shared/file_replace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/text.h"

static int write_all(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t written = write(fd, bytes, length);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		bytes += written;
		length -= (size_t)written;
	}
	return 0;
}

int file_replace(
	const char *path, const void *bytes, size_t length, mode_t mode, struct error *error)
{
	CLEANUP(free_pointer) char *temporary = text_format("%s.XXXXXX", path);
	if (!temporary)
		return error_set(error, -ENOMEM, "out of memory");
	CLEANUP(close_fd) int fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return error_system(error, -errno, "cannot write '%s'", path);
	int status = write_all(fd, bytes, length);
	if (status == 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0 || rename(temporary, path) < 0))
		status = -errno;
	if (status < 0) {
		unlink(temporary);
		return error_system(error, status, "cannot write '%s'", path);
	}
	return 0;
}
