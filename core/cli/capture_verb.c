/* sim capture: frames of a lab that is up, to a file or into a pipe. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/verb.h"
#include "lab/attach.h"

static void on_begun(const char *name)
{
	fprintf(stderr, "sim: capturing at %s; Ctrl-C ends it\n", name);
}

static int open_output(const char *path, int *ret_fd, struct error *error)
{
	bool piped = !path || strcmp(path, "-") == 0;
	if (piped && isatty(STDOUT_FILENO))
		return error_set(error, -EINVAL,
			"frames are nothing for a terminal: -w FILE writes them to a file, and a "
			"pipe takes them, as in sim capture NODE:IF | wireshark -k -i -");
	*ret_fd = piped ? dup(STDOUT_FILENO)
			: open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	return *ret_fd < 0 ? error_system(error, -errno, "cannot write '%s'", piped ? "-" : path)
			   : 0;
}

/* "LAB:NODE:IF", "NODE:IF" and "NODE": of two words the first is a lab if one of that name is up. */
static int find(
	const char *where, struct registered *ret_lab, const char **ret_rest, struct error *error)
{
	const char *colon = strchr(where, ':');
	struct error ignored;
	if (colon && strchr(colon + 1, ':'))
		return attach_find_at(where, ret_lab, ret_rest, error);
	if (colon && attach_find_at(where, ret_lab, ret_rest, &ignored) == 0)
		return 0;
	*ret_rest = where;
	return attach_find(NULL, ret_lab, error);
}

int verb_capture(const struct arguments *arguments)
{
	struct registered lab;
	struct error error;
	const char *where;
	CLEANUP(close_fd) int fd = -1;
	int status = find(arguments->operands[0], &lab, &where, &error);
	if (status < 0)
		return verb_fail(STATUS_MISUSE, &error);
	status = open_output(arguments->write, &fd, &error);
	if (status < 0)
		return verb_fail(status == -EINVAL ? STATUS_MISUSE : STATUS_SYSTEM, &error);
	status = attach_capture(&lab, where, fd, on_begun, &error);
	if (status < 0)
		return verb_fail(status == -ENOENT ? STATUS_MISUSE : STATUS_SYSTEM, &error);
	return STATUS_HELD;
}
