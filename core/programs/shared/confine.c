#include "programs/shared/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <pwd.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

/* Rights that came with later versions than the headers that we may be built with. */
#define RIGHT_REFER    (UINT64_C(1) << 13) /* version 2: move between directories */
#define RIGHT_TRUNCATE (UINT64_C(1) << 14) /* version 3 */
#define RIGHTS_FIRST   ((UINT64_C(1) << 13) - 1) /* version 1: thirteen of them */
#define RIGHTS_READ    (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
/* Of a file, not of a directory. */
#define RIGHTS_OF_FILE                                                                             \
	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | RIGHT_TRUNCATE)
/* Nobody of ours runs or makes any of these. */
#define RIGHTS_NEVER                                                                               \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK)

static uint64_t rights_known(long version)
{
	uint64_t rights = RIGHTS_FIRST;
	if (version >= 2)
		rights |= RIGHT_REFER;
	if (version >= 3)
		rights |= RIGHT_TRUNCATE;
	return rights;
}

static int allow(int ruleset, const struct confine_path *path, uint64_t known, struct error *error)
{
	struct stat file;
	CLEANUP(close_fd) int fd = open(path->path, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return 0;
	struct landlock_path_beneath_attr rule = {
		.allowed_access = known & (path->write ? ~(uint64_t)RIGHTS_NEVER : RIGHTS_READ),
		.parent_fd = fd,
	};
	if (fstat(fd, &file) == 0 && !S_ISDIR(file.st_mode))
		rule.allowed_access &= RIGHTS_OF_FILE;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
		return error_system(
			error, -errno, "cannot confine the program to '%s'", path->path);
	return 0;
}

/* At its end a sanitized program looks for leaks, and for its own threads in /proc. */
#ifdef __SANITIZE_ADDRESS__
#define SANITIZED true
#else
#define SANITIZED false
#endif

int confine_files(
	const struct confine_path *paths, size_t count, bool *ret_confined, struct error *error)
{
	long version =
		syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	*ret_confined = version >= 1;
	if (version < 1)
		return 0;
	struct landlock_ruleset_attr all = {.handled_access_fs = rights_known(version)};
	CLEANUP(close_fd)
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0);
	if (ruleset < 0)
		return error_system(error, -errno, "cannot confine the program to its files");
	struct confine_path processes = {.path = "/proc"};
	if (SANITIZED && allow(ruleset, &processes, all.handled_access_fs, error) < 0)
		return error->code;
	for (size_t i = 0; i < count; i++)
		if (allow(ruleset, &paths[i], all.handled_access_fs, error) < 0)
			return error->code;
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		return error_system(error, -errno, "cannot confine the program to its files");
	return 0;
}

int confine_to_user(const char *name, struct error *error)
{
	const struct passwd *user = getpwnam(name);
	if (!user)
		return error_set(error, -ENOENT, "there is no user '%s' on this system", name);
	if (initgroups(user->pw_name, user->pw_gid) < 0 ||
		setresgid(user->pw_gid, user->pw_gid, user->pw_gid) < 0 ||
		setresuid(user->pw_uid, user->pw_uid, user->pw_uid) < 0)
		return error_system(error, -errno, "cannot become the user '%s'", name);
	return 0;
}
