#include "process/told.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

void told_send(int fd, const struct error *error)
{
	struct error well = {0};
	if (write(fd, error ? error : &well, sizeof(well)) < 0)
		_exit(1);
}

int told_await(int fd, bool closed_is_well, const char *what, struct error *error)
{
	struct error told;
	ssize_t length;
	do
		length = read(fd, &told, sizeof(told));
	while (length < 0 && errno == EINTR);
	if (length == 0 && closed_is_well)
		return 0;
	if (length != (ssize_t)sizeof(told))
		return error_set(error, -EIO, "%s ended at once", what);
	return told.code ? error_set(error, told.code, "%s", told.text) : 0;
}

int namespace_open(pid_t pid, const char *name, int *ret_fd, struct error *error)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_system(error, -errno, "cannot open the %s namespace of the lab", name);
	*ret_fd = fd;
	return 0;
}

int namespaces_refused(int code, const char *what, const char *names, struct error *error)
{
	if (code == -ENOSPC)
		return error_set(error, code,
			"cannot create %s: no more are allowed; see "
			"/proc/sys/user/max_{%s}_namespaces",
			what, names);
	return error_system(error, code, "cannot create %s", what);
}
