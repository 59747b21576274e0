#include "process/lab_init.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "process/fork.h"
#include "process/told.h"

static int init_mounts(struct error *error)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return error_system(error, -errno, "cannot make the lab's mounts private");
	if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		return error_system(error, -errno, "cannot mount /proc for the lab");
	return 0;
}

/* It must not hold what its maker has open, an earlier lab's namespaces for one, as it lives on. */
static void keep_descriptors(int *lifeline, int *told)
{
	enum { FIRST = STDERR_FILENO + 1 };
	/* Above the places they are to have, so that neither is overwritten. */
	int high[2] = {fcntl(*lifeline, F_DUPFD, FIRST + 2), fcntl(*told, F_DUPFD, FIRST + 2)};
	if (high[0] < 0 || high[1] < 0 || dup2(high[0], FIRST) < 0 || dup2(high[1], FIRST + 1) < 0)
		_exit(1);
	/* Whoever waits for the end of what sim prints does not wait for the lab's. */
	int nothing = open("/dev/null", O_RDWR);
	for (int fd = 0; nothing >= 0 && fd < FIRST; fd++)
		dup2(nothing, fd);
	*lifeline = FIRST;
	*told = FIRST + 1;
	close_range(FIRST + 2, ~0U, 0);
}

/* PID 1: waits for the lifeline's end; children that lost their parent are reaped by the kernel. */
static _Noreturn void init_main(int lifeline, int told)
{
	struct error error;
	char byte;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "lab-init");
	keep_descriptors(&lifeline, &told);
	signal(SIGCHLD, SIG_IGN);
	signal(SIGINT, SIG_IGN); /* Ctrl-C is for sim, which decides what becomes of the lab */
	signal(SIGTERM, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	if (init_mounts(&error) < 0) {
		told_send(told, &error);
		_exit(1);
	}
	told_send(told, NULL);
	close(told);
	/* The death signal may have been armed too late; the lifeline cannot be. */
	while (read(lifeline, &byte, 1) < 0 && errno == EINTR)
		;
	_exit(0);
}

static int init_fork(struct lab_init *init, int told[2], struct error *error)
{
	int lifeline[2];
	if (pipe2(lifeline, O_CLOEXEC) < 0)
		return error_system(error, -errno, "cannot create a pipe");
	pid_t pid = fork_with(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC);
	if (pid == 0) {
		close(lifeline[1]);
		close(told[0]);
		init_main(lifeline[0], told[1]);
	}
	int code = -errno;
	close(lifeline[0]);
	close_fd(&told[1]);
	if (pid < 0) {
		close(lifeline[1]);
		return namespaces_refused(
			code, "the lab's PID, mount and IPC namespaces", "pid,mnt,ipc", error);
	}
	init->pid = pid;
	init->lifeline = lifeline[1];
	return 0;
}

int lab_init_start(struct lab_init *ret_init, struct error *error)
{
	CLEANUP(lab_init_stop) struct lab_init init = LAB_INIT_NONE;
	int told[2];
	if (pipe2(told, O_CLOEXEC) < 0)
		return error_system(error, -errno, "cannot create a pipe");
	CLEANUP(close_fd) int told_by = told[0];
	int status = init_fork(&init, told, error);
	if (status == 0)
		status = told_await(told_by, false, "the lab's first process", error);
	if (status == 0)
		status = namespace_open(init.pid, "pid", &init.pidns_fd, error);
	if (status == 0)
		status = namespace_open(init.pid, "mnt", &init.mntns_fd, error);
	if (status == 0)
		status = namespace_open(init.pid, "ipc", &init.ipcns_fd, error);
	if (status < 0)
		return status;
	*ret_init = init;
	init = LAB_INIT_NONE;
	return 0;
}

/*
 * In the caller's memory, as the child of a vfork(2): the caller's is copied once, for the new child.
 * Between the caller and its new child: it enters the PID namespace, which can only be entered by
 * what is born later, and makes the child its sibling. (The caller itself could not leave the
 * namespace again without privilege over the one it came from.)
 */
static pid_t fork_between(const struct lab_init *init, int told)
{
	bool entered = setns(init->pidns_fd, CLONE_NEWPID) == 0 &&
		       setns(init->ipcns_fd, CLONE_NEWIPC) == 0;
	pid_t pid = entered ? fork_with(CLONE_PARENT) : -1;
	if (pid == 0)
		return 0;
	int answer = pid < 0 ? -errno : pid;
	if (write(told, &answer, sizeof(answer)) < 0)
		_exit(1);
	_exit(0);
}

/*
 * Whether it ends or has ended; waitid() tells only when all of its namespace are reaped. The ninth
 * word of /proc/PID/stat are the kernel's flags of the process (proc(5)).
 */
static bool init_is_dying(const struct lab_init *init)
{
	enum { EXITING = 0x4 }; /* PF_EXITING */
	char path[32], line[512];
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)init->pid);
	CLEANUP(close_file) FILE *file = fopen(path, "re");
	const char *at = file && fgets(line, sizeof(line), file) ? strrchr(line, ')') : NULL;
	for (int word = 2; at && word < 9; word++)
		at = strchr(at + 1, ' ');
	return at && strtoul(at, NULL, 10) & EXITING;
}

pid_t lab_init_fork(const struct lab_init *init, struct error *error)
{
	int told[2], answer = -EIO;
	if (pipe2(told, O_CLOEXEC) < 0)
		return error_system(error, -errno, "cannot create a pipe");
	CLEANUP(close_fd) int told_by = told[0], tell_to = told[1];
	pid_t between = vfork();
	if (between < 0)
		return error_system(error, -errno, "cannot create a process");
	if (between == 0)
		return fork_between(init, tell_to);
	close_fd(&tell_to);
	while (read(told_by, &answer, sizeof(answer)) < 0 && errno == EINTR)
		;
	while (waitpid(between, NULL, 0) < 0 && errno == EINTR)
		;
	if (answer < 0 && init_is_dying(init))
		return error_set(error, -ECHILD,
			"the lab's first process was killed, and all that "
			"ran in the lab with it");
	if (answer < 0)
		return error_system(error, answer, "cannot create a process in the lab");
	return answer;
}

void lab_init_stop(struct lab_init *init)
{
	if (init->pid > 0) {
		kill(init->pid, SIGKILL);
		while (waitpid(init->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	close_fd(&init->lifeline);
	close_fd(&init->pidns_fd);
	close_fd(&init->mntns_fd);
	close_fd(&init->ipcns_fd);
	*init = LAB_INIT_NONE;
}
