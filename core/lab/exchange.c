#include "lab/exchange.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "exchange/export.h"
#include "results/drawing.h"

static const struct {
	const char *name;
	void (*write)(const struct plan *plan, struct text *text);
} formats[] = {{"script", export_script}, {"containerlab", export_containerlab},
	{"graphviz", drawing_describe}};

const char exchange_formats[] = "script, containerlab or graphviz";

int exchange_export(
	const struct plan *plan, const char *format, struct text *ret_text, struct error *error)
{
	const char *names[ARRAY_LENGTH(formats)];
	for (size_t i = 0; i < ARRAY_LENGTH(formats); i++) {
		names[i] = formats[i].name;
		if (strcmp(names[i], format) != 0)
			continue;
		formats[i].write(plan, ret_text);
		return ret_text->failed ? error_set(error, -ENOMEM, "out of memory") : 0;
	}
	const char *nearest = text_nearest(format, names, ARRAY_LENGTH(formats));
	return error_set(error, -EINVAL, "--format is %s, not '%s'%s%s%s", exchange_formats, format,
		nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
}

int exchange_write(const char *path, const struct text *text, struct error *error)
{
	bool script = text_starts_with(text_view(text), "#!");
	CLEANUP(close_fd)
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, script ? 0777 : 0666);
	if (fd < 0)
		return error_system(error, -errno, "cannot write '%s'", path);
	for (size_t done = 0; done < text->length;) {
		ssize_t written = write(fd, text->bytes + done, text->length - done);
		if (written < 0 && errno != EINTR)
			return error_system(error, -errno, "cannot write '%s'", path);
		done += written > 0 ? (size_t)written : 0;
	}
	if (close(take_fd(&fd)) < 0)
		return error_system(error, -errno, "cannot write '%s'", path);
	return 0;
}
