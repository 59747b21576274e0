#include "kernel/system_limits.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/cleanup.h"

uint64_t system_limit_read(const char *path)
{
	CLEANUP(close_file) FILE *file = fopen(path, "re");
	char line[32] = "";
	uint64_t number;
	if (!file || !fgets(line, sizeof(line), file))
		return UINT64_MAX;
	line[strcspn(line, "\n")] = '\0';
	return text_parse_number(line, 0, UINT64_MAX, &number) ? number : UINT64_MAX;
}

/* MemAvailable of /proc/meminfo, in bytes; UINT64_MAX where it is not told. */
static uint64_t memory_available(void)
{
	static const char name[] = "MemAvailable:";
	CLEANUP(close_file) FILE *file = fopen("/proc/meminfo", "re");
	char line[128];
	while (file && fgets(line, sizeof(line), file)) {
		uint64_t kib;
		char *at = line + strlen(name);
		if (!text_starts_with(line, name))
			continue;
		at += strspn(at, " ");
		at[strcspn(at, " \n")] = '\0';
		return text_parse_number(at, 0, UINT64_MAX / 1024, &kib) ? kib * 1024 : UINT64_MAX;
	}
	return UINT64_MAX;
}

static uint64_t open_files_allowed(void)
{
	struct rlimit limit;
	return getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_max == RLIM_INFINITY
		       ? UINT64_MAX
		       : limit.rlim_max;
}

void system_limits_list(
	const struct plan_needs *needs, struct system_limit ret_limits[static SYSTEM_LIMITS])
{
	const struct {
		const char *what, *path;
		uint64_t needed;
	} files[] = {
		{"network namespaces", "/proc/sys/user/max_net_namespaces",
			needs->network_namespaces},
		{"mount namespaces", "/proc/sys/user/max_mnt_namespaces", needs->rooms},
		{"UTS namespaces", "/proc/sys/user/max_uts_namespaces", needs->rooms},
		{"IPC namespaces", "/proc/sys/user/max_ipc_namespaces", 1},
		{"mounts", "/proc/sys/fs/mount-max", needs->mounts},
		{"processes", "/proc/sys/kernel/pid_max", needs->processes},
	};
	_Static_assert(ARRAY_LENGTH(files) + 2 == SYSTEM_LIMITS, "SYSTEM_LIMITS");
	size_t count = 0;
	for (; count < ARRAY_LENGTH(files); count++)
		ret_limits[count] = (struct system_limit){files[count].what, files[count].path,
			files[count].needed, system_limit_read(files[count].path)};
	ret_limits[count++] = (struct system_limit){
		SYSTEM_LIMIT_FILES, "ulimit -Hn", needs->open_files, open_files_allowed()};
	ret_limits[count++] = (struct system_limit){
		SYSTEM_LIMIT_MEMORY, "/proc/meminfo", needs->memory_bytes, memory_available()};
}

/* Whether it is enough, else the sentence. */
static int check(const struct system_limit *limit, struct error *error)
{
	unsigned long long needed = limit->needed, allowed = limit->allowed;
	if (needed <= allowed)
		return 0;
	if (strcmp(limit->what, SYSTEM_LIMIT_FILES) == 0)
		return error_set(error, -EMFILE,
			"this topology needs at least %llu open files, and %llu are allowed (%s)",
			needed, allowed, limit->where);
	if (strcmp(limit->what, SYSTEM_LIMIT_MEMORY) == 0)
		return error_set(error, -ENOMEM,
			"this topology needs about %llu MiB of kernel memory, and %llu MiB are "
			"available",
			needed >> 20, allowed >> 20);
	return error_set(error, -ENOSPC,
		"this topology needs %llu %s, and %llu are allowed: see %s", needed, limit->what,
		allowed, limit->where);
}

int system_limits_check(const struct plan_needs *needs, struct error *error)
{
	struct system_limit limits[SYSTEM_LIMITS];
	int status = 0;
	system_limits_list(needs, limits);
	for (size_t i = 0; status == 0 && i < ARRAY_LENGTH(limits); i++)
		status = check(&limits[i], error);
	return status;
}
