#include "kernel/system_limits.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/cleanup.h"

/* The number in a file of /proc/sys; UINT64_MAX where there is none. */
static uint64_t limit_read(const char *path)
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

static int check_open_files(const struct plan_needs *needs, struct error *error)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_max >= needs->open_files)
		return 0;
	return error_set(error, -EMFILE,
		"this topology needs at least %zu open files, and %llu are allowed (ulimit -Hn)",
		needs->open_files, (unsigned long long)limit.rlim_max);
}

static int check_memory(const struct plan_needs *needs, struct error *error)
{
	uint64_t available = memory_available();
	if (available >= needs->memory_bytes)
		return 0;
	return error_set(error, -ENOMEM,
		"this topology needs about %llu MiB of kernel memory, and %llu MiB are available",
		(unsigned long long)needs->memory_bytes >> 20, (unsigned long long)available >> 20);
}

int system_limits_check(const struct plan_needs *needs, struct error *error)
{
	const struct {
		size_t needed;
		const char *what, *path;
	} limits[] = {
		{needs->network_namespaces, "network namespaces",
			"/proc/sys/user/max_net_namespaces"},
		{needs->rooms, "mount namespaces", "/proc/sys/user/max_mnt_namespaces"},
		{needs->rooms, "UTS namespaces", "/proc/sys/user/max_uts_namespaces"},
		{1, "IPC namespaces", "/proc/sys/user/max_ipc_namespaces"},
		{needs->mounts, "mounts", "/proc/sys/fs/mount-max"},
		{needs->processes, "processes", "/proc/sys/kernel/pid_max"},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(limits); i++) {
		uint64_t allowed = limit_read(limits[i].path);
		if (limits[i].needed > allowed)
			return error_set(error, -ENOSPC,
				"this topology needs %zu %s, and %llu are allowed: see %s",
				limits[i].needed, limits[i].what, (unsigned long long)allowed,
				limits[i].path);
	}
	int status = check_open_files(needs, error);
	return status < 0 ? status : check_memory(needs, error);
}
