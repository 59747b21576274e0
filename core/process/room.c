#include "process/room.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "kernel/sysctls.h"
#include "process/binds.h"
#include "process/mounts.h"
#include "process/told.h"

enum { ROOM_KEPT_MOST = 16 };

static int write_file(const char *path, const char *text, struct error *error)
{
	CLEANUP(close_fd) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	size_t length = strlen(text);
	if (fd < 0 || write(fd, text, length) != (ssize_t)length)
		return error_system(error, errno ? -errno : -EIO, "cannot write '%s'", path);
	return 0;
}

/*
 * The overlay's upper half lies on a tmpfs at /tmp that is then covered by the node's own /tmp: it
 * stays mounted below, out of everybody's way.
 */
static int mount_etc(const struct room_setup *setup, struct error *error)
{
	int status = mount_new("tmpfs", "/tmp", MS_NOSUID | MS_NODEV, "mode=0755,size=16m", error);
	if (status < 0)
		return status;
	if (mkdir("/tmp/upper", 0755) < 0 || mkdir("/tmp/work", 0755) < 0)
		return error_system(error, -errno, "cannot prepare the node's /etc");
	CLEANUP(free_pointer) char *name = text_format("%s\n", setup->room.node->name);
	status = write_file("/tmp/upper/hosts", setup->hosts, error);
	if (status == 0)
		status = write_file("/tmp/upper/hostname", name ? name : "", error);
	if (status == 0)
		status = write_file("/tmp/upper/resolv.conf", "", error);
	if (status < 0)
		return status;
	static const char options[] = "lowerdir=/etc,upperdir=/tmp/upper,workdir=/tmp/work";
	if (mount("overlay", "/etc", "overlay", 0, options) < 0 &&
		mount("overlay", "/etc", "overlay", 0,
			"lowerdir=/etc,upperdir=/tmp/upper,workdir=/tmp/work,userxattr") < 0)
		return error_system(error, -errno,
			"cannot lay an overlay over /etc (kernel 5.11 or newer, or root, can)");
	return 0;
}

static int mount_own(const struct room_setup *setup, struct error *error)
{
	int kept[ROOM_KEPT_MOST];
	size_t count = 0;
	for (; count < ROOM_KEPT_MOST && setup->kept[count]; count++) {
		const char *path = setup->kept[count];
		bool covered = text_starts_with(path, "/tmp/") || text_starts_with(path, "/run/");
		/* One that cannot be opened here could not be used there either. */
		kept[count] = covered ? open(path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	}
	int status = mount_etc(setup, error);
	if (status == 0)
		status = mount_new(
			"tmpfs", "/run", MS_NOSUID | MS_NODEV, "mode=0755,size=64m", error);
	if (status == 0)
		status = mount_new(
			"tmpfs", "/tmp", MS_NOSUID | MS_NODEV, "mode=1777,size=256m", error);
	for (size_t i = 0; i < count; i++) {
		char source[32];
		snprintf(source, sizeof(source), "/proc/self/fd/%d", kept[i]);
		if (kept[i] < 0)
			continue;
		if (status == 0)
			status = mount_shown(source, setup->kept[i], error);
		close(kept[i]);
	}
	return status;
}

/* What is the room's own, as in /proc/PID/ns and on the shelf. */
static const char *const kinds[] = {"mnt", "uts", "ipc"};

static bool room_has(const struct room *room, const char *kind)
{
	return strcmp(kind, "ipc") != 0 || sysctls_need_ipc(room->node);
}

static int room_join(const struct room *room, const char *kind, struct error *error)
{
	CLEANUP(close_fd) int fd = -1;
	int status = shelf_open(room->shelf, kind, room->number, &fd, error);
	if (status == 0 && setns(fd, 0) < 0)
		return error_system(error, -errno, "cannot enter the node's namespaces");
	return status;
}

static int room_furnish(const struct room_setup *setup, struct error *error)
{
	prctl(PR_SET_NAME, "room");
	if (setns(setup->init->mntns_fd, CLONE_NEWNS) < 0)
		return error_system(error, -errno, "cannot enter the lab's namespaces");
	int status = room_join(&setup->room, SHELF_NETNS, error);
	if (status < 0)
		return status;
	CLEANUP(free_pointer) int *binds = NULL;
	int ipc = sysctls_need_ipc(setup->room.node) ? CLONE_NEWIPC : 0;
	if (unshare(CLONE_NEWNS | CLONE_NEWUTS | ipc) < 0)
		return namespaces_refused(
			-errno, "the node's mount, UTS and IPC namespaces", "mnt,uts,ipc", error);
	if (sethostname(setup->room.node->name, strlen(setup->room.node->name)) < 0)
		return error_system(error, -errno, "cannot set the host name");
	status = sysctls_write(setup->room.node, SYSCTLS_ROOM, error);
	if (status == 0)
		status = binds_open(setup->room.node, &binds, error);
	if (status == 0)
		status = mount_own(setup, error);
	return status < 0 ? status : binds_show(setup->room.node, binds, error);
}

/* In the room's first process: its own namespaces onto the shelf. */
static int room_shelve(const struct room *room, struct error *error)
{
	int fds[ARRAY_LENGTH(kinds)];
	int status = 0;
	for (size_t i = 0; status == 0 && i < ARRAY_LENGTH(kinds); i++)
		status = namespace_open(getpid(), kinds[i], &fds[i], error);
	if (status == 0)
		status = shelf_enter(room->shelf, error);
	for (size_t i = 0; status == 0 && i < ARRAY_LENGTH(kinds); i++)
		if (room_has(room, kinds[i]))
			status = shelf_place(room->shelf, kinds[i], room->number, fds[i], error);
	return status;
}

static _Noreturn void room_child(const struct room_setup *setup, int told)
{
	struct error error = {0};
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	int status = room_furnish(setup, &error);
	if (status == 0)
		status = room_shelve(&setup->room, &error);
	told_send(told, status < 0 ? &error : NULL);
	_exit(0);
}

int room_create(const struct room_setup *setup, struct error *error)
{
	int told[2];
	if (pipe2(told, O_CLOEXEC) < 0)
		return error_system(error, -errno, "cannot create a pipe");
	CLEANUP(close_fd) int told_by = told[0], tell_to = told[1];
	pid_t pid = lab_init_fork(setup->init, error);
	if (pid < 0)
		return pid;
	if (pid == 0)
		room_child(setup, tell_to);
	close_fd(&tell_to);
	int status = told_await(told_by, false, "the process that prepares the node", error);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return status;
}

int room_enter(const struct room *room, struct error *error)
{
	int status = room_join(room, SHELF_NETNS, error);
	for (size_t i = 0; status == 0 && i < ARRAY_LENGTH(kinds); i++)
		if (room_has(room, kinds[i]))
			status = room_join(room, kinds[i], error);
	return status;
}
