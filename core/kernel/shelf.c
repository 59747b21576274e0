#include "kernel/shelf.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/cleanup.h"

enum { NAME_SIZE = 32 };

#ifndef NS_GET_MNTNS_ID /* came with Linux 6.11 */
#define NS_GET_MNTNS_ID _IOR(NSIO, 0x5, uint64_t)
#endif

static void shelf_name(char name[static NAME_SIZE], const char *kind, size_t number)
{
	snprintf(name, NAME_SIZE, "%s%zu", kind, number);
}

/*
 * A mount namespace may lie only in one with a lower number than its own. These were given out in
 * order until Linux 6.17; since then each processor has a stock of them, and what is made later on
 * another may have a lower one. So one is made on each processor, and the lowest of them is lower
 * than all that come. Leaves the caller in it. Returns an errno, or 0.
 */
static int shelf_unshare(void)
{
	cpu_set_t allowed;
	uint64_t lowest = UINT64_MAX, number;
	CLEANUP(close_fd) int chosen = -1;
	if (sched_getaffinity(0, sizeof(allowed), &allowed) < 0)
		CPU_ZERO(&allowed); /* more than 1,024 processors: as they come */
	for (size_t i = 0; i < CPU_SETSIZE; i++) {
		cpu_set_t one;
		CPU_ZERO(&one);
		CPU_SET(i, &one);
		if (!CPU_ISSET(i, &allowed) || sched_setaffinity(0, sizeof(one), &one) < 0)
			continue;
		if (unshare(CLONE_NEWNS) < 0)
			return errno;
		CLEANUP(close_fd) int made = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
		if (made < 0 || ioctl(made, NS_GET_MNTNS_ID, &number) < 0)
			return made < 0 ? errno : 0; /* before Linux 6.11: the first will do */
		if (number < lowest) {
			lowest = number;
			close_fd(&chosen);
			chosen = take_fd(&made);
		}
	}
	if (chosen < 0)
		return unshare(CLONE_NEWNS) < 0 ? errno : 0;
	return setns(chosen, CLONE_NEWNS) < 0 ? errno : 0;
}

/*
 * In the child that makes it. Where the machine's first root cannot be exchanged, what is mounted
 * on the host stays below the shelf, out of the way. Returns an errno, or 0.
 */
static int shelf_mount(void)
{
	int code = shelf_unshare();
	if (code)
		return code;
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return errno;
	/* A folder that is there on every machine; which one does not matter. */
	if (mount("shelf", "/proc", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		    "mode=0700,nr_inodes=0") < 0 ||
		chdir("/proc") < 0)
		return errno;
	if (syscall(SYS_pivot_root, ".", ".") == 0)
		umount2(".", MNT_DETACH);
	return 0;
}

/* It tells how it went, and stays until what it has made is held by descriptors. */
static _Noreturn void shelf_child(int told, int hold)
{
	char byte;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	int answer = shelf_mount();
	if (write(told, &answer, sizeof(answer)) < 0 || read(hold, &byte, 1) < 0)
		_exit(1);
	_exit(0);
}

static int shelf_hold(int told, pid_t pid, struct shelf *shelf, struct error *error)
{
	char path[64];
	int answer;
	ssize_t length;
	do
		length = read(told, &answer, sizeof(answer));
	while (length < 0 && errno == EINTR);
	if (length != (ssize_t)sizeof(answer))
		return error_set(error, -EIO, "the process that prepares the lab ended at once");
	if (answer == ENOSPC)
		return error_set(error, -ENOSPC,
			"cannot create the lab's mount namespace: no more are allowed; see "
			"/proc/sys/user/max_mnt_namespaces");
	if (answer)
		return error_system(error, -answer, "cannot create the lab's mount namespace");
	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)pid);
	shelf->mntns_fd = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%d/cwd", (int)pid);
	shelf->directory_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return shelf->mntns_fd < 0 || shelf->directory_fd < 0
		       ? error_system(error, -errno, "cannot open the lab's mount namespace")
		       : 0;
}

int shelf_make(struct shelf *ret_shelf, struct error *error)
{
	CLEANUP(shelf_close) struct shelf shelf = SHELF_NONE;
	int told[2], hold[2];
	if (pipe2(told, O_CLOEXEC) < 0)
		return error_system(error, -errno, "cannot create a pipe");
	CLEANUP(close_fd) int told_by = told[0], tell_to = told[1];
	if (pipe2(hold, O_CLOEXEC) < 0)
		return error_system(error, -errno, "cannot create a pipe");
	CLEANUP(close_fd) int hold_in = hold[0], hold_out = hold[1];
	pid_t pid = fork();
	if (pid < 0)
		return error_system(error, -errno, "cannot create a process");
	if (pid == 0) {
		close(hold_out);
		shelf_child(tell_to, hold_in);
	}
	close_fd(&tell_to);
	int status = shelf_hold(told_by, pid, &shelf, error);
	close_fd(&hold_out);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (status < 0)
		return status;
	*ret_shelf = shelf;
	shelf = SHELF_NONE;
	return 0;
}

int shelf_enter(const struct shelf *shelf, struct error *error)
{
	return setns(shelf->mntns_fd, CLONE_NEWNS) < 0
		       ? error_system(error, -errno, "cannot enter the lab's mount namespace")
		       : 0;
}

/* Returns an errno, or 0. The C library's own functions for these calls are younger than they. */
static int shelf_bind(const struct shelf *shelf, const char *kind, size_t number, int fd)
{
	char name[NAME_SIZE];
	shelf_name(name, kind, number);
	CLEANUP(close_fd)
	int file = openat(shelf->directory_fd, name, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (file < 0)
		return errno;
	CLEANUP(close_fd)
	int tree = (int)syscall(
		SYS_open_tree, fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	return tree < 0 || syscall(SYS_move_mount, tree, "", file, "",
				   MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0
		       ? errno
		       : 0;
}

static int shelf_refused(int code, struct error *error)
{
	if (code == ENOSPC)
		return error_set(error, -ENOSPC,
			"a lab this large needs more mounts than are allowed; see "
			"/proc/sys/fs/mount-max");
	return error_system(error, -code, "cannot keep the namespaces of the lab");
}

int shelf_place(
	const struct shelf *shelf, const char *kind, size_t number, int fd, struct error *error)
{
	int code = shelf_bind(shelf, kind, number, fd);
	return code ? shelf_refused(code, error) : 0;
}

/* Numbers from `first` on. */
struct row {
	const int *fds;
	size_t first, count;
};

static _Noreturn void shelf_put_child(
	const struct shelf *shelf, const char *kind, const struct row *row)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	int code = setns(shelf->mntns_fd, CLONE_NEWNS) < 0 ? errno : 0;
	for (size_t i = 0; code == 0 && i < row->count; i++)
		code = shelf_bind(shelf, kind, row->first + i, row->fds[i]);
	_exit(code);
}

static int shelf_put_row(
	const struct shelf *shelf, const char *kind, const struct row *row, struct error *error)
{
	int status;
	/* Who has left the host's mounts may not be let back in: somebody else goes. */
	pid_t pid = fork();
	if (pid < 0)
		return error_system(error, -errno, "cannot create a process");
	if (pid == 0)
		shelf_put_child(shelf, kind, row);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!WIFEXITED(status))
		return error_set(error, -EIO, "the process that prepares the lab was killed");
	return WEXITSTATUS(status) ? shelf_refused(WEXITSTATUS(status), error) : 0;
}

int shelf_put(const struct shelf *shelf, const char *kind, const int *fds, size_t count,
	struct error *error)
{
	return shelf_put_row(shelf, kind, &(struct row){fds, 0, count}, error);
}

int shelf_put_one(
	const struct shelf *shelf, const char *kind, size_t number, int fd, struct error *error)
{
	return shelf_put_row(shelf, kind, &(struct row){&fd, number, 1}, error);
}

int shelf_open(const struct shelf *shelf, const char *kind, size_t number, int *ret_fd,
	struct error *error)
{
	char name[NAME_SIZE];
	shelf_name(name, kind, number);
	int fd = openat(shelf->directory_fd, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_system(error, -errno, "cannot open a namespace of the lab");
	*ret_fd = fd;
	return 0;
}

void shelf_close(struct shelf *shelf)
{
	close_fd(&shelf->directory_fd);
	close_fd(&shelf->mntns_fd);
}
