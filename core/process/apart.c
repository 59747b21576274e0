#include "process/apart.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <grp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "process/fork.h"
#include "process/mounts.h"
#include "process/told.h"

enum { PLACES_MOST = 8 };

#define NAMESPACES (CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWUTS)

/* The child's ends of what connects it with its maker. */
struct apart_ends {
	int told; /* struct error, twice: it waits to be mapped, it runs */
	int go; /* a byte: mapped */
	int lifeline; /* closed when the maker has ended */
};

static int place_new(const struct apart_place *place, const char *path,
	const struct userns_user *user, struct error *error)
{
	char options[128];
	/* Of a new user namespace the only user is 0. */
	snprintf(options, sizeof(options), "mode=0755,size=%zum,nr_inodes=16384,uid=%u,gid=%u",
		place->size_mib, user->other ? user->uid : 0, user->other ? user->gid : 0);
	int status = mount_point(path, error);
	return status < 0 ? status : mount_new("tmpfs", path, MS_NOSUID | MS_NODEV, options, error);
}

static int places_show(const struct apart_setup *setup, const struct userns_user *user,
	const int *sources, struct error *error)
{
	int status = mount_new("tmpfs", "/run", MS_NOSUID | MS_NODEV, "mode=0755,size=1m", error);
	if (status == 0)
		status = mount_point(APART_FOLDER, error);
	for (size_t i = 0; status == 0 && i < setup->place_count; i++) {
		const struct apart_place *place = &setup->places[i];
		char path[256], source[32];
		snprintf(path, sizeof(path), APART_FOLDER "/%s", place->name);
		snprintf(source, sizeof(source), "/proc/self/fd/%d", sources[i]);
		if (!place->source)
			status = place_new(place, path, user, error);
		else if (sources[i] < 0)
			status = error_system(error, -ENOENT, "cannot open '%s'", place->source);
		else
			status = mount_shown(source, path, error);
	}
	return status;
}

static void fts_finish(FTS **tree)
{
	if (*tree)
		fts_close(*tree);
}

/* Give what is in a new folder to the user. Links are changed, not followed. */
static void place_give(const char *path, const struct userns_user *user)
{
	char *const paths[] = {(char *)path, NULL};
	CLEANUP(fts_finish) FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_XDEV, NULL);
	for (FTSENT *entry; user->other && tree && (entry = fts_read(tree));)
		if (lchown(entry->fts_accpath, user->uid, user->gid) < 0)
			continue; /* then it cannot be read, which is told by who needs it */
}

static int places_settle(
	const struct apart_setup *setup, const struct userns_user *user, struct error *error)
{
	int status = 0;
	for (size_t i = 0; status == 0 && i < setup->place_count; i++) {
		const struct apart_place *place = &setup->places[i];
		char path[256];
		snprintf(path, sizeof(path), APART_FOLDER "/%s", place->name);
		if (!place->source)
			place_give(path, user);
		if (!place->writable)
			status = mount_read_only(path, error);
	}
	return status;
}

/* The view of the file system, with the rights of the caller. */
static int apart_furnish(
	const struct apart_setup *setup, const struct userns_user *user, struct error *error)
{
	int sources[PLACES_MOST];
	for (size_t i = 0; i < setup->place_count; i++)
		sources[i] = setup->places[i].source
				     ? open(setup->places[i].source, O_PATH | O_CLOEXEC)
				     : -1;
	int status = mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0
			     ? error_system(error, -errno, "cannot make the mounts private")
			     : places_show(setup, user, sources, error);
	for (size_t i = 0; i < setup->place_count; i++)
		close_fd(&sources[i]);
	if (status == 0)
		status = setup->prepare(setup->argument, error);
	if (status == 0)
		status = places_settle(setup, user, error);
	return status < 0
		       ? status
		       : mount_new("proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL, error);
}

/* Ask the maker to map us, and wait. */
static int apart_await_map(const struct apart_ends *ends, struct error *error)
{
	char byte;
	told_send(ends->told, NULL);
	if (read(ends->go, &byte, 1) != 1)
		return error_set(error, -ECHILD, "the process that began this one has ended");
	return 0;
}

/* Root becomes somebody else, in a user namespace where he is root. */
static int apart_become_other(const struct apart_ends *ends, struct error *error)
{
	if (setgroups(0, NULL) < 0)
		return error_system(error, -errno, "cannot leave root's groups");
	if (unshare(CLONE_NEWUSER) < 0)
		return error_system(error, -errno, "cannot create a user namespace");
	int status = apart_await_map(ends, error);
	if (status < 0)
		return status;
	if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return error_system(error, -errno, "cannot become an unprivileged user");
	if (unshare(NAMESPACES) < 0)
		return namespaces_refused(
			-errno, "namespaces for a submission", "mnt,ipc,net,uts", error);
	return 0;
}

/* What holds for all that is born from here on. */
static int apart_confine(const struct apart_ends *ends, struct error *error)
{
	static const char most[] = "/proc/sys/user/max_user_namespaces";
	CLEANUP(close_fd) int fd = open(most, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0\n", 2) < 0)
		return error_system(error, -errno,
			"cannot forbid further user namespaces to a submission in '%s'", most);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_system(error, -errno, "cannot give up gaining privileges");
	/* A change of user makes a process undumpable, and its children's namespaces closed to it. */
	prctl(PR_SET_DUMPABLE, 1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* The maker may have died before that line. */
	struct pollfd maker = {.fd = ends->lifeline, .events = POLLIN};
	if (poll(&maker, 1, 0) > 0)
		return error_set(error, -ECHILD, "the process that began this one has ended");
	return 0;
}

static _Noreturn void apart_main(const struct apart_setup *setup, const struct userns_user *user,
	const struct apart_ends *ends)
{
	struct error error = {0};
	int status = user->other ? 0 : apart_await_map(ends, &error);
	if (status == 0)
		status = apart_furnish(setup, user, &error);
	if (status == 0 && user->other)
		status = apart_become_other(ends, &error);
	if (status == 0)
		status = apart_confine(ends, &error);
	/* Where it fails early the maker still waits to map us: it takes any error it is told. */
	told_send(ends->told, status < 0 ? &error : NULL);
	if (status < 0)
		_exit(1);
	close(ends->told);
	close(ends->go);
	int result = setup->run(setup->argument);
	fflush(NULL);
	_exit(result);
}

/* In the maker: map the child when it asks, then wait until it runs. */
static int apart_attend(
	const struct userns_user *user, pid_t pid, int told, int go, struct error *error)
{
	static const char what[] = "the process for a submission";
	int status = told_await(told, false, what, error);
	if (status == 0)
		status = userns_map(pid, user, error);
	if (status == 0 && write(go, "", 1) < 0)
		status = error_system(error, -errno, "cannot go on with %s", what);
	return status < 0 ? status : told_await(told, false, what, error);
}

int apart_start(const struct apart_setup *setup, const struct userns_user *user,
	struct apart *ret_apart, struct error *error)
{
	int told[2], go[2], lifeline[2];
	if (pipe2(told, O_CLOEXEC) < 0)
		return error_system(error, -errno, "cannot create a pipe");
	CLEANUP(close_fd) int told_by = told[0], tell_to = told[1];
	if (pipe2(go, O_CLOEXEC) < 0)
		return error_system(error, -errno, "cannot create a pipe");
	CLEANUP(close_fd) int go_in = go[0], go_out = go[1];
	if (pipe2(lifeline, O_CLOEXEC) < 0)
		return error_system(error, -errno, "cannot create a pipe");
	CLEANUP(close_fd) int lifeline_in = lifeline[0], lifeline_out = lifeline[1];
	fflush(NULL);
	pid_t pid = fork_with(user->other ? CLONE_NEWPID | CLONE_NEWNS
					  : CLONE_NEWUSER | CLONE_NEWPID | NAMESPACES);
	if (pid == 0) {
		struct apart_ends ends = {tell_to, go_in, lifeline_in};
		close_fd(&go_out);
		close_fd(&lifeline_out);
		apart_main(setup, user, &ends);
	}
	if (pid < 0)
		return userns_forbidden(-errno, error);
	close_fd(&tell_to);
	struct apart apart = {.pid = pid, .lifeline = take_fd(&lifeline_out)};
	apart.pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	int status = apart_attend(user, pid, told_by, go_out, error);
	if (status < 0)
		apart_end(&apart);
	else
		*ret_apart = apart;
	return status;
}

void apart_end(struct apart *apart)
{
	if (apart->pid <= 0)
		return;
	kill(apart->pid, SIGKILL);
	while (waitpid(apart->pid, NULL, 0) < 0 && errno == EINTR)
		;
	close_fd(&apart->pidfd);
	close_fd(&apart->lifeline);
	*apart = (struct apart){.pidfd = -1, .lifeline = -1};
}
