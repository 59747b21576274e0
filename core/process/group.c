#include "process/group.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

/* Processes of the lab count as well where a user's are counted; there are some hundred at most. */
enum { PROCESSES_OF_USER = 2 * GROUP_PROCESSES };

#define MIB ((rlim_t)1024 * 1024)

static bool write_value(const char *folder, const char *name, const char *value)
{
	CLEANUP(free_pointer) char *path = text_format("%s/%s", folder, name);
	CLEANUP(close_fd) int fd = path ? open(path, O_WRONLY | O_CLOEXEC) : -1;
	return fd >= 0 && write(fd, value, strlen(value)) == (ssize_t)strlen(value);
}

/* Whether the list of words in FOLDER/NAME has `word`; an absent file has none. */
static bool file_has_word(const char *folder, const char *name, const char *word)
{
	char words[512] = "";
	CLEANUP(free_pointer) char *path = text_format("%s/%s", folder, name);
	CLEANUP(close_file) FILE *file = path ? fopen(path, "re") : NULL;
	if (!file || !fgets(words, sizeof(words), file))
		return false;
	char *rest = words;
	for (char *found; (found = strsep(&rest, " \n"));)
		if (strcmp(found, word) == 0)
			return true;
	return false;
}

/*
 * Where the hierarchy with the controller is mounted: of a line of /proc/self/mountinfo
 * ("36 35 98:0 ROOT MOUNTPOINT options - cgroup cgroup rw,pids") root and mount point. `controller`
 * is NULL for version 2.
 */
static bool mount_find(const char *controller, char root[static PATH_MAX], char at[static PATH_MAX])
{
	CLEANUP(close_file) FILE *file = fopen("/proc/self/mountinfo", "re");
	CLEANUP(free_pointer) char *line = NULL;
	size_t size = 0;
	while (file && getline(&line, &size, file) > 0) {
		char *words[16], *rest = line;
		size_t count = 0;
		char *behind = strstr(line, " - ");
		if (!behind || !text_starts_with(behind, controller ? " - cgroup " : " - cgroup2 "))
			continue;
		*behind = '\0';
		char *option = strrchr(behind + 3, ' ');
		bool found = !controller;
		for (char *word; option && !found && (word = strsep(&option, " ,\n"));)
			found = strcmp(word, controller) == 0;
		while (count < ARRAY_LENGTH(words) && (words[count] = strsep(&rest, " ")))
			count++;
		if (!found || count < 5)
			continue;
		snprintf(root, PATH_MAX, "%s", words[3]);
		snprintf(at, PATH_MAX, "%s", words[4]);
		return true;
	}
	return false;
}

/* The folder of our own control group: /proc/self/cgroup has "8:pids:/a/b", or "0::/a/b". */
static char *own_folder(const char *controller)
{
	char root[PATH_MAX], at[PATH_MAX];
	CLEANUP(close_file) FILE *file = fopen("/proc/self/cgroup", "re");
	CLEANUP(free_pointer) char *line = NULL;
	size_t size = 0;
	if (!mount_find(controller, root, at))
		return NULL;
	while (file && getline(&line, &size, file) > 0) {
		char *path = line;
		char *number = strsep(&path, ":"), *names = strsep(&path, ":");
		bool found = path && (controller ? false : strcmp(number, "0") == 0);
		for (char *name; path && controller && (name = strsep(&names, ","));)
			found = found || strcmp(name, controller) == 0;
		if (!found)
			continue;
		path[strcspn(path, "\n")] = '\0';
		/* A container sees a part of the tree: its root is not the mount's. */
		size_t length = strcmp(root, "/") == 0 ? 0 : strlen(root);
		bool below = strncmp(path, root, length) == 0;
		return text_format("%s%s", at, below ? path + length : "");
	}
	return NULL;
}

/* A group in there, ready to let processes in. Takes `take_folder`. */
static bool group_add(struct group *group, char *take_folder)
{
	CLEANUP(free_pointer) char *folder = take_folder;
	CLEANUP(free_pointer) char *procs = text_format("%s/cgroup.procs", folder);
	CLEANUP(close_fd) int fd = procs ? open(procs, O_WRONLY | O_CLOEXEC) : -1;
	if (fd < 0) {
		rmdir(folder);
		return false;
	}
	group->folders[group->folder_count] = TAKE(folder);
	group->procs_fds[group->folder_count++] = take_fd(&fd);
	return true;
}

static char *group_make(const char *parent)
{
	char *folder = text_format("%s/sim.%d", parent, (int)getpid());
	if (folder && (mkdir(folder, 0755) == 0 || errno == EEXIST))
		return folder;
	free(folder);
	return NULL;
}

static void memory_value(char value[static 32], unsigned mib)
{
	snprintf(value, 32, "%llu", (unsigned long long)(mib * MIB));
}

/*
 * Version 2: below the nearest of our parents that may have children with these controllers; our own
 * may not, since it holds processes.
 */
static void group_create_unified(struct group *group)
{
	char processes[32], memory[32];
	CLEANUP(free_pointer) char *folder = own_folder(NULL);
	snprintf(processes, sizeof(processes), "%d", GROUP_PROCESSES);
	memory_value(memory, GROUP_MEMORY_MIB);
	for (char *slash; folder && *folder; *slash = '\0') {
		bool usable = file_has_word(folder, "cgroup.subtree_control", "pids");
		char *made = usable ? group_make(folder) : NULL;
		if (made && group_add(group, made)) {
			made = group->folders[0];
			group->processes = write_value(made, "pids.max", processes);
			group->memory = write_value(made, "memory.max", memory);
			write_value(made, "memory.swap.max", "0");
			return;
		}
		slash = strrchr(folder, '/');
		if (!slash)
			return;
	}
}

static bool group_create_for(
	struct group *group, const char *controller, const char *name, const char *value)
{
	CLEANUP(free_pointer) char *folder = own_folder(controller);
	char *made = folder ? group_make(folder) : NULL;
	return made && write_value(made, name, value) && group_add(group, made);
}

/*
 * Folders of control groups are all that outlives processes. Whoever made them may be killed at any
 * moment: so a process of its own waits for his end, and removes them.
 */
static _Noreturn void keeper_main(const struct group *group, int lifeline)
{
	enum { TRIES = 2000, WAIT_MS = 5 };
	sigset_t all;
	char byte;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	setsid();
	dup2(lifeline, 0);
	close_range(1, ~0U, 0);
	while (read(0, &byte, 1) < 0 && errno == EINTR)
		;
	/* Their processes are dead; that they are gone takes the kernel a moment. */
	for (size_t i = 0; i < group->folder_count; i++)
		for (int left = TRIES; rmdir(group->folders[i]) < 0 && errno == EBUSY && left;
			left--)
			poll(NULL, 0, WAIT_MS);
	_exit(0);
}

static void group_keep(struct group *group)
{
	int lifeline[2];
	if (!group->folder_count || pipe2(lifeline, O_CLOEXEC) < 0)
		return;
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		close(lifeline[1]);
		keeper_main(group, lifeline[0]);
	}
	close(lifeline[0]);
	group->keeper = pid > 0 ? pid : 0;
	group->lifeline = lifeline[1];
}

void group_remove(struct group *group)
{
	for (size_t i = 0; i < group->folder_count; i++)
		close_fd(&group->procs_fds[i]);
	close_fd(&group->lifeline);
	while (group->keeper && waitpid(group->keeper, NULL, 0) < 0 && errno == EINTR)
		;
	for (size_t i = 0; i < group->folder_count; i++) {
		rmdir(group->folders[i]); /* where there was no keeper */
		free(group->folders[i]);
	}
	*group = GROUP_NONE;
}

void group_create(struct group *ret_group)
{
	char value[32];
	*ret_group = GROUP_NONE;
	group_create_unified(ret_group);
	if (!ret_group->processes) {
		group_remove(ret_group);
		snprintf(value, sizeof(value), "%d", GROUP_PROCESSES);
		ret_group->processes = group_create_for(ret_group, "pids", "pids.max", value);
		memory_value(value, GROUP_MEMORY_MIB);
		ret_group->memory =
			group_create_for(ret_group, "memory", "memory.limit_in_bytes", value);
	}
	group_keep(ret_group);
}

int group_join(const struct group *group, struct error *error)
{
	for (size_t i = 0; i < group->folder_count; i++)
		if (write(group->procs_fds[i], "0", 1) < 0)
			return error_system(
				error, -errno, "cannot enter the control group of the submission");
	return 0;
}

rlim_t group_processes(const struct group *group)
{
	return group->processes ? RLIM_INFINITY : PROCESSES_OF_USER;
}

rlim_t group_memory(const struct group *group)
{
	return group->memory ? RLIM_INFINITY : GROUP_MEMORY_MIB * MIB;
}

void group_describe(const struct group *group, struct text *text)
{
	if (group->processes)
		text_append(text, "%d processes (control group)", GROUP_PROCESSES);
	else
		text_append(text,
			"about %d processes (a limit of the user: this machine lets us make no "
			"control group with `pids`)",
			GROUP_PROCESSES);
	if (group->memory)
		text_append(text, ", %d MiB of memory (control group)", GROUP_MEMORY_MIB);
	else
		text_append(text,
			", %d MiB of memory each process; how much all of them use together "
			"cannot be limited on this machine (no control group with `memory`)",
			GROUP_MEMORY_MIB);
}
