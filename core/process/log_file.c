#include "process/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

/* Neither through a link nor waiting for the reader of a FIFO that a program has put there. */
static int log_fd(const char *path)
{
	return open(
		path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);
}

int log_file_open(const char *path, uint64_t most, struct log_file *ret_log, struct error *error)
{
	CLEANUP(close_fd) int fd = log_fd(path);
	if (fd < 0)
		return error_system(error, -errno, "cannot write the log '%s'", path);
	struct log_file log = {.path = strdup(path), .most = most};
	if (!log.path)
		return error_set(error, -ENOMEM, "out of memory");
	*ret_log = log;
	return 0;
}

static int write_all(int fd, const char *bytes, size_t length)
{
	while (length) {
		ssize_t written = write(fd, bytes, length);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return errno ? -errno : -EIO;
		bytes += written;
		length -= (size_t)written;
	}
	return 0;
}

void log_file_append(struct log_file *log, const char *bytes, size_t length)
{
	char note[80] = "";
	if (!log->path || log->bytes > log->most)
		return;
	log->bytes += length;
	if (log->bytes > log->most)
		snprintf(note, sizeof(note), "\n[sim: the log is cut here: over %llu bytes]\n",
			(unsigned long long)log->most);
	CLEANUP(close_fd) int fd = log_fd(log->path);
	int status = fd < 0 ? -errno : write_all(fd, bytes, length);
	if (status == 0)
		status = write_all(fd, note, strlen(note));
	if (!log->failure)
		log->failure = status;
}

void log_file_close(struct log_file *log)
{
	free(log->path);
	*log = (struct log_file){0};
}
