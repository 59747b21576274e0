#include "lab/exchange.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "exchange/export.h"
#include "exchange/import.h"
#include "results/drawing.h"
#include "topology/problems.h"
#include "topology/read.h"

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

/* At most `most` bytes and one, by which the caller sees that there are more. */
static int read_all(int fd, size_t most, struct text *text)
{
	char bytes[65536];
	ssize_t count = 1;
	while (count != 0 && text->length <= most) {
		count = read(fd, bytes, sizeof(bytes));
		if (count < 0 && errno != EINTR)
			return -errno;
		if (count > 0)
			text_append_bytes(text, bytes, (size_t)count);
		if (text->failed)
			return -ENOMEM;
	}
	return 0;
}

static int read_file(const char *path, struct text *text, struct error *error)
{
	bool standard = strcmp(path, "-") == 0;
	/* O_NONBLOCK: a FIFO in the file's place must not hang us before it is refused. */
	CLEANUP(close_fd)
	int fd = standard ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat file;
	if (fd < 0 || fstat(fd, &file) < 0)
		return error_system(error, -errno, "cannot read '%s'", path);
	if (!standard && !S_ISREG(file.st_mode))
		return error_set(error, -EINVAL, "'%s' is not a regular file", path);
	int status = read_all(fd, IMPORT_FILE_MOST, text);
	if (status < 0)
		return error_system(error, status, "cannot read '%s'", path);
	if (text->length > IMPORT_FILE_MOST)
		return error_set(
			error, -EFBIG, "'%s' is over 4 MiB: no network is that long", path);
	return text->length ? 0 : error_set(error, -EINVAL, "%s: the file is empty", path);
}

/* What is wrong with the outcome, as sim validate would say it. */
static int imported_check(struct imported *imported, struct error *error)
{
	char place[32];
	CLEANUP(problems_finish) struct problems problems = {0};
	CLEANUP(topology_finish) struct topology topology = {0};
	CLEANUP(plan_finish) struct plan plan = {0};
	CLEANUP(close_fd) int fd = memfd_create("imported", MFD_CLOEXEC);
	const struct text *text = &imported->text;
	if (fd < 0 || write(fd, text_view(text), text->length) != (ssize_t)text->length)
		return error_system(error, errno ? -errno : -EIO, "cannot look at the topology");
	snprintf(place, sizeof(place), "/proc/self/fd/%d", fd);
	struct topology_request request = {.path = place, .problems = &problems};
	struct error problem;
	int status = topology_read_with(&request, &topology, &problem);
	if (status == 0 || topology.faulty) {
		int planned = plan_make(&topology, &plan, &problem);
		status = status < 0 ? status : planned;
	}
	if (status == 0)
		return 0;
	problems_sort(&problems);
	if (problems.count)
		problem_error(&problems.list[0], &problem);
	/* Its place is in the outcome, which has no name yet. */
	const char *sentence = problem.text;
	if (text_starts_with(sentence, place))
		sentence += strlen(place) + 1;
	imported->problem = text_format("line %s", sentence);
	imported->more_problems = problems.count ? problems.count - 1 : 0;
	return imported->problem ? 0 : error_set(error, -ENOMEM, "out of memory");
}

int exchange_import(
	const char *path, unsigned hosts, struct imported *ret_imported, struct error *error)
{
	CLEANUP(text_finish) struct text bytes = {0};
	CLEANUP(network_finish) struct network network = {0};
	CLEANUP(imported_finish) struct imported imported = {0};
	int status = read_file(path, &bytes, error);
	if (status < 0)
		return status;
	struct import_request request = {strcmp(path, "-") == 0 ? "standard input" : path,
		text_view(&bytes), bytes.length, hosts};
	status = import_network(&request, &network, error);
	if (status < 0)
		return status;
	network_write(&network, request.path, &imported.text);
	imported.not_taken_over = network.note_count + network.notes_lost;
	if (imported.text.failed)
		return error_set(error, -ENOMEM, "out of memory");
	status = imported_check(&imported, error);
	if (status < 0)
		return status;
	*ret_imported = imported;
	imported = (struct imported){0};
	return 0;
}

void imported_finish(struct imported *imported)
{
	text_finish(&imported->text);
	free(imported->problem);
	*imported = (struct imported){0};
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
