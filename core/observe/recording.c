#include "observe/recording.h"

#include <errno.h>
#include <unistd.h>

struct recording recording_over(int fd, uint64_t limit, uint64_t kept_back)
{
	return (struct recording){.fd = fd, .limit = limit, .kept_back = kept_back};
}

bool recording_has_room(struct recording *recording, uint64_t pending, size_t size)
{
	if (recording->fd < 0 || recording->full || recording->failure < 0)
		return false;
	uint64_t needed = recording->size + pending + size + recording->kept_back;
	if (recording->limit && needed > recording->limit)
		recording->full = true;
	return !recording->full;
}

static int write_whole(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t written = write(fd, bytes, length);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		if (written == 0)
			return -EIO;
		bytes += written;
		length -= (size_t)written;
	}
	return 0;
}

bool recording_append(struct recording *recording, const void *blocks, size_t length)
{
	if (recording->fd < 0 || recording->failure < 0)
		return false;
	int status = write_whole(recording->fd, blocks, length);
	if (status < 0) {
		recording->failure = status;
		if (ftruncate(recording->fd, (off_t)recording->size) == 0)
			lseek(recording->fd, (off_t)recording->size, SEEK_SET);
		return false;
	}
	recording->size += length;
	return true;
}

void recording_close(struct recording *recording, const void *blocks, size_t length)
{
	int failure = recording->failure;
	recording->failure = 0;
	recording_append(recording, blocks, length);
	if (failure < 0)
		recording->failure = failure;
}
