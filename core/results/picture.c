#include "results/picture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/privilege.h"
#include "results/drawing.h"

enum {
	DRAW_SECONDS = 60,
	NOT_FOUND = 127, /* exit status, as a shell has it */
};

/* What dot reads and where it writes to: it opens no file of ours itself. */
struct streams {
	int source, target;
	int errors; /* -1: what it has to say is nothing a run's reader can use, of fonts mostly */
};

static void limit(__rlimit_resource_t resource, rlim_t most)
{
	const struct rlimit limits = {most, most};
	setrlimit(resource, &limits);
}

/* Dies with sim. */
static _Noreturn void dot_main(const struct streams *streams, const char *format)
{
	char option[16];
	struct error ignored;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGINT, SIG_IGN); /* Ctrl-C is for sim */
	int nothing = open("/dev/null", O_RDWR);
	dup2(streams->source, STDIN_FILENO);
	dup2(streams->target, STDOUT_FILENO);
	dup2(streams->errors >= 0 ? streams->errors : nothing, STDERR_FILENO);
	close_range(STDERR_FILENO + 1, ~0U, 0);
	limit(RLIMIT_CPU, DRAW_SECONDS);
	limit(RLIMIT_AS, (rlim_t)2 << 30);
	limit(RLIMIT_FSIZE, (rlim_t)256 << 20);
	limit(RLIMIT_CORE, 0);
	privileges_keep(0, &ignored);
	privileges_read_only();
	snprintf(option, sizeof(option), "-T%s", format);
	/* Paper and today's screens have more dots than dot's 96; SVG and PDF have none. */
	execlp("dot", "dot", option, strcmp(format, "png") == 0 ? "-Gdpi=150" : NULL, (char *)NULL);
	_exit(NOT_FOUND);
}

static int dot_start(const struct streams *streams, const char *format, struct picture *ret_picture,
	struct error *error)
{
	pid_t pid = fork();
	if (pid < 0)
		return error_system(error, -errno, "cannot create a process");
	if (pid == 0)
		dot_main(streams, format);
	ret_picture->dot = pid;
	ret_picture->fd = (int)syscall(SYS_pidfd_open, pid, 0);
	return 0;
}

/* The text as a file that was never in a folder. */
static int text_file(const struct text *text, int *ret_fd, struct error *error)
{
	if (text->failed)
		return error_set(error, -ENOMEM, "out of memory");
	CLEANUP(close_fd) int fd = memfd_create("topology", MFD_CLOEXEC);
	size_t done = 0;
	while (fd >= 0 && done < text->length) {
		ssize_t written = write(fd, text->bytes + done, text->length - done);
		if (written < 0)
			break;
		done += (size_t)written;
	}
	if (fd < 0 || done < text->length || lseek(fd, 0, SEEK_SET) < 0)
		return error_system(error, -errno, "cannot keep the topology's drawing");
	*ret_fd = take_fd(&fd);
	return 0;
}

int picture_start(const struct plan *plan, const struct folder *run, struct picture *ret_picture,
	struct error *error)
{
	CLEANUP(text_finish) struct text text = {0};
	CLEANUP(free_pointer) char *target = folder_fresh(run, "topology.svg");
	CLEANUP(close_fd) int source_fd = -1;
	*ret_picture = PICTURE_NONE;
	drawing_describe(plan, &text);
	int status = folder_write(run, "topology.dot", &text, error);
	if (status == 0)
		status = text_file(&text, &source_fd, error);
	if (status < 0)
		return status;
	if (!target)
		return error_set(error, -ENOMEM, "out of memory");
	CLEANUP(close_fd)
	int target_fd = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (target_fd < 0)
		return error_system(error, -errno, "cannot write '%s'", target);
	return dot_start(&(struct streams){source_fd, target_fd, -1}, "svg", ret_picture, error);
}

void picture_cancel(struct picture *picture)
{
	if (picture->dot > 0)
		kill(picture->dot, SIGKILL);
	picture_finish(picture);
}

/* Its wait status. */
static int await_end(struct picture *picture)
{
	int status = 0;
	while (waitpid(picture->dot, &status, 0) < 0 && errno == EINTR)
		;
	picture->dot = 0;
	close_fd(&picture->fd);
	return status;
}

void picture_finish(struct picture *picture)
{
	if (picture->dot <= 0)
		return;
	int status = await_end(picture);
	picture->drawn = WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* The first line of what dot complained of. */
static int dot_failed(int status, int errors_fd, struct error *error)
{
	char line[256] = "";
	if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_FOUND)
		return error_set(error, -ENOENT,
			"there is no `dot` here, which draws: install Graphviz (apt-get install "
			"graphviz), or let -o FILE.dot write the text that it reads");
	ssize_t length = pread(errors_fd, line, sizeof(line) - 1, 0);
	line[length > 0 ? (size_t)length : 0] = '\0';
	line[strcspn(line, "\n")] = '\0';
	if (WIFSIGNALED(status))
		return error_set(error, -EIO, "Graphviz's dot was ended by signal %d%s%s",
			WTERMSIG(status), *line ? ": " : "", line);
	return error_set(error, -EIO, "Graphviz's dot failed (exit status %d)%s%s",
		WEXITSTATUS(status), *line ? ": " : "", line);
}

static int draw(const struct streams *streams, const char *format, struct error *error)
{
	struct picture picture = PICTURE_NONE;
	int status = dot_start(streams, format, &picture, error);
	if (status < 0)
		return status;
	struct pollfd ended = {.fd = picture.fd, .events = POLLIN};
	int ready;
	do
		ready = picture.fd >= 0 ? poll(&ended, 1, DRAW_SECONDS * 1000) : 1;
	while (ready < 0 && errno == EINTR);
	if (ready <= 0) {
		picture_cancel(&picture);
		return error_set(error, -ETIME,
			"Graphviz's dot did not finish within %d s: the topology is too large for "
			"it",
			DRAW_SECONDS);
	}
	int ended_with = await_end(&picture);
	return WIFEXITED(ended_with) && WEXITSTATUS(ended_with) == 0
		       ? 0
		       : dot_failed(ended_with, streams->errors, error);
}

int picture_draw(const struct plan *plan, const char *format, int *ret_fd, struct error *error)
{
	CLEANUP(text_finish) struct text text = {0};
	CLEANUP(close_fd) int source_fd = -1;
	drawing_describe(plan, &text);
	int status = text_file(&text, &source_fd, error);
	if (status == 0 && strcmp(format, "dot") == 0)
		*ret_fd = take_fd(&source_fd);
	if (status < 0 || source_fd < 0)
		return status;
	CLEANUP(close_fd) int target_fd = memfd_create("picture", MFD_CLOEXEC);
	CLEANUP(close_fd) int errors_fd = memfd_create("errors", MFD_CLOEXEC);
	if (target_fd < 0 || errors_fd < 0)
		return error_system(error, -errno, "cannot keep the picture");
	status = draw(&(struct streams){source_fd, target_fd, errors_fd}, format, error);
	if (status < 0)
		return status;
	if (lseek(target_fd, 0, SEEK_SET) < 0)
		return error_system(error, -errno, "cannot read the picture");
	*ret_fd = take_fd(&target_fd);
	return 0;
}
