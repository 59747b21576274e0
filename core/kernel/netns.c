#include "kernel/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

int netns_current(int *ret_fd, struct error *error)
{
	int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_system(error, -errno, "cannot open this process's network namespace");
	*ret_fd = fd;
	return 0;
}

int netns_create(int *ret_fd, struct error *error)
{
	if (unshare(CLONE_NEWNET) < 0) {
		if (errno == ENOSPC)
			return error_set(error, -ENOSPC,
				"no more network namespaces are allowed; see "
				"/proc/sys/user/max_net_namespaces");
		return error_system(error, -errno, "cannot create a network namespace");
	}
	return netns_current(ret_fd, error);
}

int netns_enter(int fd, struct error *error)
{
	if (setns(fd, CLONE_NEWNET) < 0)
		return error_system(error, -errno, "cannot enter a network namespace");
	return 0;
}

enum { PROC_USES = 32 };

/* A mount of /proc that nobody else sees. */
static _Thread_local struct {
	int fd; /* one more; 0: there is none */
	unsigned uses;
	bool refused;
} proc;

/* Returns a descriptor, or -1. The C library's own functions for these calls are younger than they. */
static int proc_mount(void)
{
	CLEANUP(close_fd) int context = (int)syscall(SYS_fsopen, "proc", FSOPEN_CLOEXEC);
	if (context < 0 || syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	return (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, 0);
}

void netns_sysctl_end(void)
{
	if (proc.fd)
		close(proc.fd - 1);
	proc.fd = 0;
	proc.uses = 0;
}

static int setting_open(const char *path)
{
	char name[256];
	if (proc.uses == PROC_USES)
		netns_sysctl_end();
	if (!proc.fd && !proc.refused) {
		proc.fd = proc_mount() + 1;
		proc.refused = proc.fd == 0;
	}
	proc.uses += proc.fd != 0;
	snprintf(name, sizeof(name), "%ssys/%s", proc.fd ? "" : "/proc/", path);
	return openat(proc.fd ? proc.fd - 1 : AT_FDCWD, name, O_WRONLY | O_CLOEXEC);
}

int netns_sysctl(const char *path, const char *value, struct error *error)
{
	CLEANUP(close_fd) int fd = setting_open(path);
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		return error_system(
			error, -errno, "cannot write '%s' to /proc/sys/%s", value, path);
	return 0;
}
