#include "process/group.h"

#include <dirent.h>
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
#include "base/text.h"

enum { CPU_PERIOD_US = 100 * 1000 };

static const char *const controllers[GROUP_RESOURCES] = {
	[GROUP_PROCESSES] = "pids", [GROUP_MEMORY] = "memory", [GROUP_CPU] = "cpu"};

/* Where those of no part are: of version 2, a group with parts holds no process itself. */
#define REST "rest"

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

static bool limits_have(const struct group_limits *limits, enum group_resource resource)
{
	const bool have[GROUP_RESOURCES] = {[GROUP_PROCESSES] = limits->processes,
		[GROUP_MEMORY] = limits->memory_bytes,
		[GROUP_CPU] = limits->cpu_thousandths};
	return have[resource];
}

/* One limit into the files of its controller. */
static bool limit_write(const char *folder, bool unified, const struct group_limits *limits,
	enum group_resource resource)
{
	char value[64];
	unsigned long long quota =
		(unsigned long long)limits->cpu_thousandths * CPU_PERIOD_US / 1000;
	switch (resource) {
	case GROUP_PROCESSES:
		snprintf(value, sizeof(value), "%u", limits->processes);
		return write_value(folder, "pids.max", value);
	case GROUP_MEMORY:
		snprintf(value, sizeof(value), "%llu", (unsigned long long)limits->memory_bytes);
		if (!write_value(folder, unified ? "memory.max" : "memory.limit_in_bytes", value))
			return false;
		/* Where there is swap, it counts too. */
		write_value(folder, unified ? "memory.swap.max" : "memory.memsw.limit_in_bytes",
			unified ? "0" : value);
		return true;
	case GROUP_CPU:
		snprintf(value, sizeof(value), "%llu %d", quota, CPU_PERIOD_US);
		if (unified)
			return write_value(folder, "cpu.max", value);
		snprintf(value, sizeof(value), "%llu", quota);
		return write_value(folder, "cpu.cfs_quota_us", value);
	case GROUP_RESOURCES:
		break;
	}
	return false;
}

static int procs_open(const char *folder)
{
	CLEANUP(free_pointer) char *procs = text_format("%s/cgroup.procs", folder);
	return procs ? open(procs, O_WRONLY | O_CLOEXEC) : -1;
}

/* A folder PARENT/NAME, or NULL. */
static char *folder_make(const char *parent, const char *name)
{
	char *folder = parent ? text_format("%s/%s", parent, name) : NULL;
	if (folder && (mkdir(folder, 0755) == 0 || errno == EEXIST))
		return folder;
	free(folder);
	return NULL;
}

/*
 * Whether a process can really move there: where a part of the tree is delegated to us, our own
 * place may lie outside of it.
 */
static bool can_join(int procs_fd)
{
	int status = 1;
	pid_t pid = procs_fd < 0 ? -1 : fork();
	if (pid == 0)
		_exit(write(procs_fd, "0", 1) == 1 ? 0 : 1);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return pid > 0 && status == 0;
}

/* Those to be limited in the group or its parts. */
struct wanted {
	const struct group_limits *limits, *parts;
	bool resources[GROUP_RESOURCES];
	size_t count;
};

static struct wanted wanted_of(const struct group_limits *limits, const struct group_limits *parts)
{
	struct wanted wanted = {.limits = limits, .parts = parts};
	for (size_t i = 0; i < GROUP_RESOURCES; i++) {
		enum group_resource resource = (enum group_resource)i;
		wanted.resources[i] =
			limits_have(limits, resource) || (parts && limits_have(parts, resource));
		wanted.count += wanted.resources[i];
	}
	return wanted;
}

/* How many of the wanted controllers children of the folder may have. */
static size_t folder_offers(const char *folder, const struct wanted *wanted)
{
	size_t count = 0;
	for (size_t i = 0; i < GROUP_RESOURCES; i++)
		count += wanted->resources[i] &&
			 file_has_word(folder, "cgroup.subtree_control", controllers[i]);
	return count;
}

/* The limits of a group of version 2 whose folder is made. */
static void unified_limit(struct group *group)
{
	for (size_t i = 0; i < GROUP_RESOURCES; i++)
		group->holds[i] = limits_have(&group->limits, (enum group_resource)i) &&
				  limit_write(group->folders[0], true, &group->limits,
					  (enum group_resource)i);
}

/* Its parts get the controllers; those of no part have a folder beside them. */
static bool unified_divide(const struct group *group, const struct wanted *wanted)
{
	for (size_t i = 0; i < GROUP_RESOURCES; i++) {
		char enable[16];
		snprintf(enable, sizeof(enable), "+%s", controllers[i]);
		if (limits_have(wanted->parts, (enum group_resource)i))
			write_value(group->folders[0], "cgroup.subtree_control", enable);
	}
	CLEANUP(free_pointer) char *rest = folder_make(group->folders[0], REST);
	return rest;
}

static bool unified_create_in(const char *parent, const struct wanted *wanted, struct group *group)
{
	char name[32];
	snprintf(name, sizeof(name), "sim.%d", (int)getpid());
	group->unified = true;
	group->folders[0] = folder_make(parent, name);
	if (!group->folders[0])
		return false;
	unified_limit(group);
	bool divided = wanted->parts && unified_divide(group, wanted);
	CLEANUP(free_pointer)
	char *home = text_format("%s%s", group->folders[0], divided ? "/" REST : "");
	group->procs_fds[0] = home ? procs_open(home) : -1;
	return can_join(group->procs_fds[0]);
}

/*
 * Version 2: below the nearest of our parents whose children may have all of these controllers, else
 * some; our own may have no children with any, since it holds processes.
 */
static bool unified_create(const struct wanted *wanted, struct group *group)
{
	for (size_t least = wanted->count; least; least--) {
		CLEANUP(free_pointer) char *folder = own_folder(NULL);
		for (char *slash; folder && *folder; *slash = '\0') {
			if (folder_offers(folder, wanted) >= least) {
				if (unified_create_in(folder, wanted, group))
					return true;
				group_remove(group);
				group->limits = *wanted->limits;
			}
			slash = strrchr(folder, '/');
			if (!slash)
				break;
		}
	}
	return false;
}

/* Version 1: each controller has a tree of its own. */
static void split_add(struct group *group, enum group_resource resource, char *take_folder)
{
	group->folders[resource] = take_folder;
	if (!take_folder)
		return;
	group->procs_fds[resource] = procs_open(take_folder);
	group->holds[resource] = group->procs_fds[resource] >= 0 &&
				 limits_have(&group->limits, resource) &&
				 limit_write(take_folder, false, &group->limits, resource);
}

static void split_create(const struct wanted *wanted, struct group *group)
{
	char name[32];
	snprintf(name, sizeof(name), "sim.%d", (int)getpid());
	for (size_t i = 0; i < GROUP_RESOURCES; i++) {
		CLEANUP(free_pointer)
		char *parent = wanted->resources[i] ? own_folder(controllers[i]) : NULL;
		split_add(group, (enum group_resource)i, folder_make(parent, name));
	}
}

/* Remove a folder and those in it, as soon as what was in there is gone; false where it stays. */
static bool folder_remove(const char *folder, int tries)
{
	enum { WAIT_MS = 5 };
	while (rmdir(folder) < 0 && errno == EBUSY && tries-- > 0) {
		DIR *list = opendir(folder);
		for (struct dirent *entry; list && (entry = readdir(list));) {
			CLEANUP(free_pointer)
			char *inside = entry->d_type == DT_DIR && entry->d_name[0] != '.'
					       ? text_format("%s/%s", folder, entry->d_name)
					       : NULL;
			if (inside)
				rmdir(inside);
		}
		if (list)
			closedir(list);
		if (rmdir(folder) == 0)
			return true;
		poll(NULL, 0, tries ? WAIT_MS : 0);
	}
	return access(folder, F_OK) < 0;
}

/*
 * Folders of control groups are all that outlives processes. Whoever made them may be killed at any
 * moment: so a process of its own waits for his end, and removes them.
 */
static _Noreturn void keeper_main(const struct group *group, int lifeline)
{
	enum { TRIES = 2000 };
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
	for (size_t i = 0; i < GROUP_RESOURCES; i++)
		if (group->folders[i])
			folder_remove(group->folders[i], TRIES);
	_exit(0);
}

static void group_keep(struct group *group)
{
	int lifeline[2];
	bool any = false;
	for (size_t i = 0; i < GROUP_RESOURCES; i++)
		any = any || group->folders[i];
	if (!any || pipe2(lifeline, O_CLOEXEC) < 0)
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
	for (size_t i = 0; i < GROUP_RESOURCES; i++)
		close_fd(&group->procs_fds[i]);
	close_fd(&group->lifeline);
	while (group->keeper && waitpid(group->keeper, NULL, 0) < 0 && errno == EINTR)
		;
	for (size_t i = 0; i < GROUP_RESOURCES; i++) {
		if (group->folders[i])
			folder_remove(group->folders[i], 1); /* where there was no keeper */
		free(group->folders[i]);
	}
	*group = GROUP_NONE;
}

void group_create(const struct group_limits *limits, const struct group_limits *parts,
	struct group *ret_group)
{
	struct wanted wanted = wanted_of(limits, parts);
	*ret_group = GROUP_NONE;
	ret_group->limits = *limits;
	if (!unified_create(&wanted, ret_group)) {
		*ret_group = GROUP_NONE;
		ret_group->limits = *limits;
		split_create(&wanted, ret_group);
	}
	group_keep(ret_group);
}

void group_create_part(const struct group *whole, const char *name,
	const struct group_limits *limits, struct group *ret_part)
{
	*ret_part = GROUP_NONE;
	ret_part->limits = *limits;
	ret_part->unified = whole->unified;
	ret_part->whole = whole;
	if (whole->unified) {
		ret_part->folders[0] = folder_make(whole->folders[0], name);
		if (ret_part->folders[0])
			unified_limit(ret_part);
		return;
	}
	for (size_t i = 0; i < GROUP_RESOURCES; i++) {
		enum group_resource resource = (enum group_resource)i;
		if (!limits_have(limits, resource))
			continue;
		ret_part->folders[i] = folder_make(whole->folders[i], name);
		ret_part->holds[i] = ret_part->folders[i] &&
				     limit_write(ret_part->folders[i], false, limits, resource);
	}
}

static int join(int procs_fd, struct error *error)
{
	return write(procs_fd, "0", 1) < 0
		       ? error_system(error, -errno, "cannot enter its control group")
		       : 0;
}

int group_join(const struct group *group, struct error *error)
{
	const struct group *whole = group->whole ? group->whole : group;
	int status = 0;
	for (size_t i = 0; status == 0 && i < GROUP_RESOURCES; i++) {
		const char *own = group->whole ? group->folders[i] : NULL;
		CLEANUP(close_fd) int fd = own ? procs_open(own) : -1;
		if (fd >= 0)
			status = join(fd, error);
		else if (whole->procs_fds[i] >= 0)
			status = join(whole->procs_fds[i], error);
	}
	return status;
}

size_t group_members(const struct group *group, pid_t *ret_pids, size_t most)
{
	size_t count = 0;
	int fd = group->procs_fds[group->unified ? 0 : GROUP_PROCESSES];
	char path[32], line[32];
	/* Open for writing is what we have; the same file is read by its name. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	CLEANUP(close_file) FILE *file = fd >= 0 ? fopen(path, "re") : NULL;
	while (file && count < most && fgets(line, sizeof(line), file))
		ret_pids[count++] = (pid_t)strtol(line, NULL, 10);
	return count;
}

uint64_t group_refused(const struct group *group, enum group_resource resource)
{
	static const struct {
		const char *file, *word;
	} counts[2][GROUP_RESOURCES] = {
		{[GROUP_PROCESSES] = {"pids.events", "max"},
			[GROUP_MEMORY] = {"memory.oom_control", "oom_kill"}},
		{[GROUP_PROCESSES] = {"pids.events", "max"},
			[GROUP_MEMORY] = {"memory.events", "oom_kill"}}};
	const char *folder = group->folders[group->unified ? 0 : resource];
	const char *word = counts[group->unified][resource].word;
	if (!folder || !word || !group->holds[resource])
		return 0;
	CLEANUP(free_pointer)
	char *path = text_format("%s/%s", folder, counts[group->unified][resource].file);
	CLEANUP(close_file) FILE *file = path ? fopen(path, "re") : NULL;
	char line[128];
	size_t length = strlen(word);
	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, word, length) == 0 && line[length] == ' ')
			return strtoull(line + length, NULL, 10);
	return 0;
}
