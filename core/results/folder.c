#include "results/folder.h"

#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

static void fts_finish(FTS **tree)
{
	if (*tree)
		fts_close(*tree);
}

/* Who called sudo; false where nobody did, or where we are not really root. */
static bool sudo_caller(uid_t *ret_uid, gid_t *ret_gid)
{
	const char *uid = getenv("SUDO_UID"), *gid = getenv("SUDO_GID");
	uint64_t uid_number, gid_number;
	if (geteuid() != 0 || !uid || !gid || !text_parse_number(uid, 0, UINT32_MAX, &uid_number) ||
		!text_parse_number(gid, 0, UINT32_MAX, &gid_number))
		return false;
	*ret_uid = (uid_t)uid_number;
	*ret_gid = (gid_t)gid_number;
	return true;
}

void folder_give(const char *path)
{
	uid_t uid;
	gid_t gid;
	/* In a user namespace the caller's identifier may not exist: then it is his already. */
	if (sudo_caller(&uid, &gid) && lchown(path, uid, gid) < 0)
		return;
}

static int make(const char *path, struct error *error)
{
	if (mkdir(path, 0755) < 0)
		return error_system(error, -errno, "cannot create '%s'", path);
	return 0;
}

static bool is_folder(const char *path)
{
	struct stat status;
	return lstat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* mkdir -p. Links are followed in the first `trusted` bytes of the path alone. */
static int make_all(char *path, size_t trusted, struct error *error)
{
	for (char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
		if (slash)
			*slash = '\0';
		struct error reason;
		int status = make(path, &reason);
		if (status < 0 && status != -EEXIST)
			return error_set(error, status, "%s", reason.text);
		/*
		 * Inside a run all is handed over at its end: root without privileges, as a server
		 * is, cannot write to a folder that is somebody else's.
		 */
		if (status == 0 && strlen(path) <= trusted)
			folder_give(path);
		if (status == -EEXIST && strlen(path) > trusted && !is_folder(path))
			return error_set(error, -ENOTDIR,
				"'%s' is not the folder that was made there", path);
		if (!slash)
			return 0;
		*slash = '/';
	}
}

static int join(
	char path[static PATH_MAX], const char *first, const char *second, struct error *error)
{
	int length = snprintf(path, PATH_MAX, "%s/%s", first, second);
	if (length < 0 || length >= PATH_MAX)
		return error_set(
			error, -ENAMETOOLONG, "the path '%s/%s' is too long", first, second);
	return 0;
}

int folder_create(const char *results, const char *topology, uint64_t started_ns,
	struct folder *ret_folder, struct error *error)
{
	char parent[PATH_MAX], stamp[32], name[48], real[PATH_MAX];
	int status = join(parent, results, topology, error);
	if (status == 0)
		status = make_all(parent, strlen(parent), error);
	if (status < 0)
		return status;
	if (!realpath(parent, real))
		return error_system(error, -errno, "cannot find '%s'", parent);
	time_t seconds = (time_t)(started_ns / NS_PER_SECOND);
	struct tm utc;
	gmtime_r(&seconds, &utc);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H-%M-%SZ", &utc);
	for (int i = 1; i < 1000; i++) {
		struct error reason;
		snprintf(name, sizeof(name), i == 1 ? "%s" : "%s.%d", stamp, i);
		status = join(ret_folder->path, real, name, error);
		if (status < 0)
			return status;
		status = make(ret_folder->path, &reason);
		if (status == 0) {
			folder_give(ret_folder->path);
			return 0;
		}
		if (status != -EEXIST)
			return error_set(error, status, "%s", reason.text);
	}
	return error_set(error, -EEXIST, "too many runs in one second in '%s'", parent);
}

int folder_create_inside(const struct folder *parent, const char *name, struct folder *ret_folder,
	struct error *error)
{
	struct folder made = {0};
	int status = join(made.path, parent->path, name, error);
	if (status == 0)
		status = make_all(made.path, strlen(parent->path), error);
	if (status == 0)
		*ret_folder = made;
	return status;
}

int folder_set_latest(const struct folder *run, struct error *error)
{
	CLEANUP(free_pointer) char *parent = strdup(run->path);
	char *slash = parent ? strrchr(parent, '/') : NULL;
	if (!slash)
		return error_set(error, -ENOMEM, "out of memory");
	*slash = '\0';
	CLEANUP(free_pointer) char *latest = text_format("%s/latest", parent);
	CLEANUP(free_pointer) char *fresh = text_format("%s/.latest.%d", parent, (int)getpid());
	if (!latest || !fresh)
		return error_set(error, -ENOMEM, "out of memory");
	/* Renamed into place: whoever follows `latest` always finds a run. */
	if ((symlink(slash + 1, fresh) < 0 && errno != EEXIST) || rename(fresh, latest) < 0) {
		int code = -errno;
		unlink(fresh);
		return error_system(error, code, "cannot point '%s' at the run", latest);
	}
	folder_give(latest);
	return 0;
}

int folder_settle(const struct folder *run, struct error *error)
{
	char *const paths[] = {(char *)run->path, NULL};
	CLEANUP(fts_finish)
	FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
	if (!tree)
		return error_system(error, -errno, "cannot read '%s'", run->path);
	for (FTSENT *entry; (entry = fts_read(tree));) {
		if (entry->fts_info == FTS_DP && entry->fts_level > 0 &&
			rmdir(entry->fts_path) == 0)
			continue; /* it was empty */
		/* A file of several names may be one of the host's, linked here. */
		bool linked = entry->fts_info == FTS_F && entry->fts_statp->st_nlink > 1;
		if (entry->fts_info != FTS_D && !linked)
			folder_give(entry->fts_path);
	}
	return 0;
}

int folder_lend(const struct folder *folder, uid_t uid, gid_t gid, struct error *error)
{
	if (lchown(folder->path, uid, gid) < 0)
		return error_system(error, -errno, "cannot hand '%s' over", folder->path);
	return 0;
}

int folder_take_back(const struct folder *folder, struct error *error)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	char *const paths[] = {(char *)folder->path, NULL};
	sudo_caller(&uid, &gid);
	CLEANUP(fts_finish)
	FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
	if (!tree)
		return error_system(error, -errno, "cannot read '%s'", folder->path);
	for (FTSENT *entry; (entry = fts_read(tree));)
		if (entry->fts_info != FTS_D && lchown(entry->fts_path, uid, gid) < 0)
			return error_system(
				error, -errno, "cannot take '%s' back", entry->fts_path);
	return 0;
}

char *folder_path(const struct folder *folder, const char *name)
{
	return text_format("%s/%s", folder->path, name);
}

char *folder_fresh(const struct folder *folder, const char *name)
{
	char *path = folder_path(folder, name);
	if (path)
		unlink(path);
	return path;
}

int folder_write(
	const struct folder *folder, const char *name, const struct text *text, struct error *error)
{
	CLEANUP(free_pointer) char *path = folder_fresh(folder, name);
	if (!path || text->failed)
		return error_set(error, -ENOMEM, "out of memory");
	CLEANUP(close_file) FILE *file = fopen(path, "we");
	if (!file || fwrite(text_view(text), 1, text->length, file) != text->length ||
		fflush(file) != 0)
		return error_system(error, errno ? -errno : -EIO, "cannot write '%s'", path);
	return 0;
}

const char *folder_shown(const struct folder *folder)
{
	char here[PATH_MAX];
	size_t length = getcwd(here, sizeof(here)) ? strlen(here) : 0;
	if (length && strncmp(folder->path, here, length) == 0 && folder->path[length] == '/')
		return folder->path + length + 1;
	return folder->path;
}
