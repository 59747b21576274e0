#include "kernel/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

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

int netns_sysctl(const char *path, const char *value, struct error *error)
{
	char name[256];
	snprintf(name, sizeof(name), "/proc/sys/%s", path);
	CLEANUP(close_fd) int fd = open(name, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		return error_system(error, -errno, "cannot write '%s' to %s", value, name);
	return 0;
}
