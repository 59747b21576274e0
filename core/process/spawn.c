#include "process/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "process/limits.h"
#include "process/terminal.h"
#include "process/told.h"

/* What the child gets of the caller's descriptors. */
struct child_ends {
	int input, output, errors, notify, told;
};

/*
 * A path name, because an abstract socket is not reached across network namespaces; bound from
 * inside the node, so it lies in the node's /run and vanishes with it.
 */
static int bind_notify(int fd, struct error *error)
{
	static const char directory[] = "/run/notify";
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	CLEANUP(free_pointer) char *path = text_format("%s/%d", directory, (int)getpid());
	if (!path || strlen(path) >= sizeof(address.sun_path))
		return error_set(error, -ENOMEM, "out of memory");
	memcpy(address.sun_path, path, strlen(path));
	if ((mkdir(directory, 0755) < 0 && errno != EEXIST) ||
		bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return error_system(error, -errno, "cannot create the readiness socket '%s'", path);
	/* The program may give its privileges up before it tells. */
	chmod(path, 0666);
	return setenv("NOTIFY_SOCKET", path, 1) < 0 ? error_set(error, -ENOMEM, "out of memory")
						    : 0;
}

/* What a command gets of the caller's environment: a run should not depend on the rest of it. */
static const char *const inherited[] = {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG",
	"LANGUAGE", "LC_ALL", "TERM", "TZ", "LD_LIBRARY_PATH", "PYTHONPATH",
	"PYTHONDONTWRITEBYTECODE", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"};

static int child_environment(const struct process_setup *setup, struct error *error)
{
	char *kept[ARRAY_LENGTH(inherited)];
	for (size_t i = 0; i < ARRAY_LENGTH(inherited); i++) {
		const char *value = getenv(inherited[i]);
		kept[i] = value ? text_format("%s=%s", inherited[i], value) : NULL;
	}
	if (clearenv() != 0 || setenv("PWD", setup->directory_path, 1) < 0)
		return error_set(error, -ENOMEM, "out of memory");
	for (size_t i = 0; i < ARRAY_LENGTH(inherited); i++)
		if (kept[i] && putenv(kept[i]) != 0)
			return error_set(error, -ENOMEM, "out of memory");
	for (char *const *entry = setup->environment; *entry; entry++)
		if (putenv(*entry) != 0)
			return error_set(error, -ENOMEM, "out of memory");
	return 0;
}

static void child_signals(void)
{
	sigset_t none;
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* By name where it can be seen in the node, so that getcwd() works. */
static int child_directory(const struct process_setup *setup, struct error *error)
{
	if (chdir(setup->directory_path) == 0)
		return 0;
	if (setup->directory_fd < 0)
		return error_set(error, -ENOEXEC, "cannot work in '%s' of the node: %s",
			setup->directory_path, strerror(errno));
	return fchdir(setup->directory_fd) < 0
		       ? error_system(error, -errno, "cannot work in '%s'", setup->directory_path)
		       : 0;
}

/* First of all: nothing of it is born outside. */
static int child_bounds(const struct process_setup *setup, struct error *error)
{
	struct rlimit limit = {setup->user_processes, setup->user_processes};
	if (setup->user_processes && setrlimit(RLIMIT_NPROC, &limit) < 0)
		return error_system(error, -errno, "cannot limit the processes of the command");
	return setup->group ? group_join(setup->group, error) : 0;
}

static int child_prepare(
	const struct process_setup *setup, const struct child_ends *ends, struct error *error)
{
	int status = child_bounds(setup, error);
	if (status == 0)
		status = room_enter(&setup->room, error);
	if (status == 0)
		status = child_environment(setup, error);
	if (status == 0 && ends->notify >= 0)
		status = bind_notify(ends->notify, error);
	if (status < 0)
		return status;
	status = child_directory(setup, error);
	if (status < 0)
		return status;
	if (dup2(ends->input, STDIN_FILENO) < 0 || dup2(ends->output, STDOUT_FILENO) < 0 ||
		dup2(ends->errors, STDERR_FILENO) < 0)
		return error_system(error, -errno, "cannot connect the command's input and output");
	/* Nothing that sim holds, or was given by its own caller, reaches the command. */
	close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
	limits_restore();
	setsid();
	child_signals();
	return setup->terminal < 0 || !setup->descriptors ? 0
							  : terminal_lead(setup->terminal, error);
}

/* exec(3) says EACCES of a word it found nowhere, when a folder of PATH cannot be searched. */
static bool is_in_path(const char *word)
{
	const char *path = getenv("PATH");
	for (const char *at = path ? path : ""; *at; at += strspn(at, ":")) {
		size_t length = strcspn(at, ":");
		CLEANUP(free_pointer) char *file = text_format("%.*s/%s", (int)length, at, word);
		if (file && access(file, F_OK) == 0)
			return true;
		at += length;
	}
	return false;
}

/* Why it cannot be run, for whoever wrote the command: always -ENOEXEC. */
static int exec_fail(const char *word, int code, struct error *error)
{
	if (code == ENOENT && strchr(word, '/') && access(word, F_OK) == 0)
		return error_set(error, -ENOEXEC,
			"the interpreter that the first line of '%s' names does not exist", word);
	if (code == ENOENT || (code == EACCES && !strchr(word, '/') && !is_in_path(word)))
		return error_set(error, -ENOEXEC, "the command '%s' does not exist", word);
	return error_set(
		error, -ENOEXEC, "the command '%s' cannot be run: %s", word, strerror(code));
}

static _Noreturn void child_main(const struct process_setup *setup, const struct child_ends *ends)
{
	struct error error = {0};
	int status = child_prepare(setup, ends, &error);
	if (status == 0 && setup->cell)
		status = cell_enter(setup->cell, setup->directory_path, setup->network, &error);
	if (status == 0) {
		execvp(setup->words[0], setup->words);
		exec_fail(setup->words[0], errno, &error);
	}
	told_send(ends->told, &error);
	_exit(127);
}

/* Its own end of each pipe; what the caller gave is no pipe of ours. */
struct pipes {
	int input, input_child, output, output_child;
};

#define PIPES_NONE ((struct pipes){-1, -1, -1, -1})

static void pipes_close(struct pipes *pipes)
{
	close_fd(&pipes->input);
	close_fd(&pipes->input_child);
	close_fd(&pipes->output);
	close_fd(&pipes->output_child);
}

static int open_input(
	const struct process_setup *setup, int *ret_child, int *ret_parent, struct error *error)
{
	int ends[2];
	if (!setup->keep_input) {
		*ret_child = setup->input_fd < 0 ? open("/dev/null", O_RDONLY | O_CLOEXEC)
						 : fcntl(setup->input_fd, F_DUPFD_CLOEXEC, 0);
		return *ret_child < 0
			       ? error_system(error, -errno, "cannot prepare its standard input")
			       : 0;
	}
	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_system(error, -errno, "cannot create a pipe");
	*ret_child = ends[0];
	*ret_parent = ends[1];
	return fcntl(ends[1], F_SETFL, O_NONBLOCK) < 0
		       ? error_system(error, -errno, "cannot prepare a pipe")
		       : 0;
}

static int spawn_child(const struct process_setup *setup, const struct child_ends *ends,
	int *told_by, int *tell_to, struct spawned *spawned, struct error *error)
{
	spawned->pid = lab_init_fork(setup->init, error);
	if (spawned->pid < 0)
		return spawned->pid;
	if (spawned->pid == 0)
		child_main(setup, ends);
	close_fd(tell_to);
	int status = told_await(*told_by, true, "the command's process", error);
	if (status < 0) {
		kill(spawned->pid, SIGKILL);
		while (waitpid(spawned->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	return status;
}

static int open_pipes(
	const struct process_setup *setup, struct pipes *ret_pipes, struct error *error)
{
	CLEANUP(pipes_close) struct pipes pipes = PIPES_NONE;
	int output[2];
	int status = open_input(setup, &pipes.input_child, &pipes.input, error);
	if (status < 0)
		return status;
	if (pipe2(output, O_CLOEXEC) < 0)
		return error_system(error, -errno, "cannot create a pipe");
	pipes.output = output[0];
	pipes.output_child = output[1];
	fcntl(pipes.output, F_SETFL, O_NONBLOCK);
	*ret_pipes = pipes;
	pipes = PIPES_NONE;
	return 0;
}

int spawn(const struct process_setup *setup, struct spawned *ret_spawned, struct error *error)
{
	CLEANUP(pipes_close) struct pipes pipes = PIPES_NONE;
	CLEANUP(close_fd) int notify = -1;
	int status = setup->descriptors ? 0 : open_pipes(setup, &pipes, error);
	if (status < 0)
		return status;
	int told_ends[2];
	if (pipe2(told_ends, O_CLOEXEC) < 0)
		return error_system(error, -errno, "cannot create a pipe");
	CLEANUP(close_fd) int told_by = told_ends[0], tell_to = told_ends[1];
	if (setup->ready.kind == READY_NOTIFY) {
		notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (notify < 0)
			return error_system(error, -errno, "cannot create the readiness socket");
	}

	struct spawned spawned;
	const int own[] = {pipes.input_child, pipes.output_child, pipes.output_child};
	const int *fds = setup->descriptors ? setup->descriptors : own;
	struct child_ends ends = {.input = fds[STDIN_FILENO],
		.output = fds[STDOUT_FILENO],
		.errors = fds[STDERR_FILENO],
		.notify = notify,
		.told = tell_to};
	status = spawn_child(setup, &ends, &told_by, &tell_to, &spawned, error);
	if (status < 0)
		return status;
	spawned.input_fd = take_fd(&pipes.input);
	spawned.output_fd = take_fd(&pipes.output);
	spawned.notify_fd = take_fd(&notify);
	*ret_spawned = spawned;
	return 0;
}
