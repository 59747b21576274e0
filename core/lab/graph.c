#include "lab/graph.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "results/folder.h"
#include "results/picture.h"

static const char *find_format(const char *path)
{
	static const struct {
		const char *end, *format;
	} formats[] = {
		{".svg", "svg"}, {".png", "png"}, {".pdf", "pdf"}, {".dot", "dot"}, {".gv", "dot"}};
	size_t length = strlen(path);
	if (strcmp(path, "-") == 0)
		return "svg";
	for (size_t i = 0; i < ARRAY_LENGTH(formats); i++) {
		size_t end = strlen(formats[i].end);
		if (length > end && strcmp(path + length - end, formats[i].end) == 0)
			return formats[i].format;
	}
	return NULL;
}

static int copy(int from, int to)
{
	char buffer[65536];
	ssize_t length;
	while ((length = read(from, buffer, sizeof(buffer))) > 0)
		for (ssize_t done = 0, written; done < length; done += written)
			if ((written = write(to, buffer + done, (size_t)(length - done))) < 0)
				return -errno;
	return length < 0 ? -errno : 0;
}

int graph_write(const struct plan *plan, const char *path, struct error *error)
{
	bool piped = strcmp(path, "-") == 0;
	CLEANUP(close_fd) int picture = -1;
	const char *format = find_format(path);
	if (!format)
		return error_set(error, -EINVAL,
			"'%s' names no form of picture: .svg, .png, .pdf and .dot do", path);
	int status = picture_draw(plan, format, &picture, error);
	if (status < 0)
		return status;
	CLEANUP(close_fd)
	int target = piped ? dup(STDOUT_FILENO)
			   : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	status = target < 0 ? -errno : copy(picture, target);
	if (status < 0)
		return error_system(error, status, "cannot write '%s'", path);
	if (!piped)
		folder_give(path);
	return 0;
}
