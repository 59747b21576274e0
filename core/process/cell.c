#include "process/cell.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/privilege.h"
#include "process/fork.h"
#include "process/mounts.h"

/* Processes of the lab count as well where a user's are counted; there are some hundred at most. */
enum { PROCESSES_OF_USER = 2 * CELL_PROCESSES };

#define MEMORY (UINT64_C(1024) * 1024 * CELL_MEMORY_MIB)

#define CELL_ROOT "/tmp" /* the node's own, which the cell does without */

static int cell_path(char path[static 512], const char *inside, struct error *error)
{
	if (snprintf(path, 512, CELL_ROOT "%s", inside) >= 512)
		return error_set(error, -ENAMETOOLONG, "the path '%.60s...' is too long", inside);
	return 0;
}

/* Show a path of the node in the cell as it is: what is missing, or a link, is so there. */
static int cell_show(const char *path, struct error *error)
{
	char target[512], link[512];
	struct stat file;
	int status = cell_path(target, path, error);
	if (status < 0 || lstat(path, &file) < 0)
		return status;
	ssize_t length = S_ISLNK(file.st_mode) ? readlink(path, link, sizeof(link) - 1) : -1;
	if (length < 0)
		return mount_shown(path, target, error);
	link[length] = '\0';
	return symlink(link, target) < 0
		       ? error_system(error, -errno, "cannot create the link '%s'", target)
		       : 0;
}

/* Programs expect these to be there; what can be written to is the working directory alone. */
static int cell_link_all(const char *working, struct error *error)
{
	const struct {
		const char *path, *target;
	} links[] = {{"/tmp", working}, {"/dev/shm", working}, {"/dev/fd", "/proc/self/fd"},
		{"/dev/stdin", "fd/0"}, {"/dev/stdout", "fd/1"}, {"/dev/stderr", "fd/2"}};
	int status = 0;
	for (size_t i = 0; status == 0 && i < ARRAY_LENGTH(links); i++) {
		char path[512];
		status = cell_path(path, links[i].path, error);
		if (status == 0 && symlink(links[i].target, path) < 0)
			status = error_system(error, -errno, "cannot create the link '%s'", path);
	}
	return status;
}

static int cell_show_all(const struct cell *cell, struct error *error)
{
	static const char *const shown[] = {"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64",
		"/libx32", "/opt", "/nix/store", "/etc", "/dev/null", "/dev/zero", "/dev/full",
		"/dev/random", "/dev/urandom"};
	const char *notify = getenv("NOTIFY_SOCKET");
	int status = 0;
	for (size_t i = 0; status == 0 && i < ARRAY_LENGTH(shown); i++)
		status = cell_show(shown[i], error);
	if (status == 0)
		status = cell_show(cell->files, error);
	if (status == 0 && notify)
		status = cell_show(notify, error);
	return status;
}

static int cell_turn_root(struct error *error)
{
	if (chdir(CELL_ROOT) < 0)
		return error_system(error, -errno, "cannot enter the cell");
	if (syscall(SYS_pivot_root, ".", ".") == 0 && umount2(".", MNT_DETACH) == 0)
		return 0;
	/* The first root of a machine cannot be exchanged. Without CAP_SYS_CHROOT nobody gets out. */
	if (errno == EINVAL && mount(".", "/", NULL, MS_MOVE, NULL) == 0 && chroot(".") == 0)
		return 0;
	return error_system(error, -errno, "cannot make the cell its own root");
}

/* The working directory last: all else is read-only by then. */
static int cell_furnish(const struct cell *cell, const char *working, struct error *error)
{
	char proc[512], inside[512];
	CLEANUP(close_fd) int directory = open(working, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int status = mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0
			     ? error_system(error, -errno, "cannot make the cell's mounts private")
			     : mount_new("tmpfs", CELL_ROOT, MS_NOSUID | MS_NODEV,
				       "mode=0755,size=1m", error);
	if (status == 0)
		status = cell_show_all(cell, error);
	if (status == 0)
		status = cell_link_all(working, error);
	if (status == 0)
		status = cell_path(proc, "/proc", error);
	if (status == 0)
		status = mount_point(proc, error);
	if (status == 0)
		status = mount_new("proc", proc, MS_NOSUID | MS_NODEV | MS_NOEXEC,
			"hidepid=ptraceable", error);
	if (status == 0)
		status = cell_path(inside, working, error);
	if (status == 0)
		status = mount_point(inside, error);
	if (status == 0)
		status = mount_read_only(CELL_ROOT, error);
	char source[32];
	snprintf(source, sizeof(source), "/proc/self/fd/%d", directory);
	if (status == 0 && mount(source, inside, NULL, MS_BIND, NULL) < 0)
		status = error_system(error, -errno, "cannot show '%s' in the cell", working);
	return status < 0 ? status : cell_turn_root(error);
}

/* Nothing of it is of use to anybody: no descriptor, no capability, no memory to be read. */
static void cell_bare(uint64_t kept)
{
	struct error ignored;
	close_range(0, ~0U, 0);
	prctl(PR_SET_DUMPABLE, 0);
	if (privileges_keep(kept, &ignored) < 0)
		_exit(127);
}

/* Wait for `child`, handing on what is sent to it, and end as it does. All signals are blocked. */
static _Noreturn void cell_wait(pid_t child)
{
	sigset_t all;
	sigfillset(&all);
	for (;;) {
		int status, number = sigwaitinfo(&all, NULL);
		if (number > 0 && number != SIGCHLD)
			kill(child, number);
		for (pid_t ended; (ended = waitpid(-1, &status, WNOHANG)) > 0;)
			if (ended == child)
				_exit(WIFEXITED(status) ? WEXITSTATUS(status)
							: 128 + WTERMSIG(status));
	}
}

static void signals_block(int how)
{
	sigset_t all;
	sigfillset(&all);
	sigprocmask(how, &all, NULL);
}

void cell_group_create(struct group *ret_group)
{
	const struct group_limits limits = {.processes = CELL_PROCESSES, .memory_bytes = MEMORY};
	group_create(&limits, NULL, ret_group);
}

void cell_describe(const struct group *group, struct text *text)
{
	if (group->holds[GROUP_PROCESSES])
		text_append(text, "%d processes (control group)", CELL_PROCESSES);
	else
		text_append(text,
			"about %d processes (a limit of the user: this machine lets us make no "
			"control group with `pids`)",
			CELL_PROCESSES);
	if (group->holds[GROUP_MEMORY])
		text_append(text, ", %d MiB of memory (control group)", CELL_MEMORY_MIB);
	else
		text_append(text,
			", %d MiB of memory each process; how much all of them use together "
			"cannot be limited on this machine (no control group with `memory`)",
			CELL_MEMORY_MIB);
}

static int cell_limit(const struct cell *cell, struct error *error)
{
	const bool *held = cell->group->holds;
	const struct {
		__rlimit_resource_t resource;
		rlim_t limit;
	} limits[] = {{RLIMIT_CORE, 0}, {RLIMIT_FSIZE, CELL_FILE_MOST},
		{RLIMIT_NPROC, held[GROUP_PROCESSES] ? RLIM_INFINITY : PROCESSES_OF_USER},
		{RLIMIT_DATA, held[GROUP_MEMORY] ? RLIM_INFINITY : MEMORY}};
	for (size_t i = 0; i < ARRAY_LENGTH(limits); i++) {
		struct rlimit limit;
		getrlimit(limits[i].resource, &limit);
		if (limits[i].limit < limit.rlim_max)
			limit = (struct rlimit){limits[i].limit, limits[i].limit};
		if (setrlimit(limits[i].resource, &limit) < 0)
			return error_system(error, -errno, "cannot limit the program");
	}
	return 0;
}

static int cell_inhabit(
	const struct cell *cell, const char *working, bool network, struct error *error)
{
	uint64_t kept = CAPABILITY(CAP_NET_BIND_SERVICE) | CAPABILITY(CAP_NET_RAW);
	kept |= network ? CAPABILITY(CAP_NET_ADMIN) : 0;
	int status = cell_limit(cell, error);
	if (status == 0 && (setenv("HOME", working, 1) < 0 || setenv("TMPDIR", working, 1) < 0))
		status = error_set(error, -ENOMEM, "out of memory");
	if (status == 0 && chdir(working) < 0)
		status = error_system(error, -errno, "cannot work in '%s'", working);
	if (status == 0)
		status = privileges_keep(kept, error);
	signals_block(SIG_UNBLOCK);
	return status;
}

int cell_enter(const struct cell *cell, const char *working, bool network, struct error *error)
{
	signals_block(SIG_BLOCK);
	pid_t init = fork_with(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC);
	if (init < 0)
		return error_system(error, -errno, "cannot create the cell's namespaces");
	if (init > 0) {
		cell_bare(0);
		cell_wait(init);
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	int status = cell_furnish(cell, working, error);
	if (status == 0)
		status = group_join(cell->group, error);
	/* In this process fails what is told to sim: it still has the descriptors. */
	if (status < 0)
		return status;
	pid_t program = fork();
	if (program < 0)
		return error_system(error, -errno, "cannot create a process in the cell");
	if (program > 0) {
		cell_bare(0);
		cell_wait(program);
	}
	return cell_inhabit(cell, working, network, error);
}
