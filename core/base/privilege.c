#include "base/privilege.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

int privileges_keep(uint64_t kept, struct error *error)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_system(error, -errno, "cannot give up gaining privileges");
	/* The bounding and ambient sets matter to exec alone, which no_new_privs has tamed. */
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);

	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
	if (syscall(SYS_capget, &header, sets) < 0)
		return error_system(error, -errno, "cannot read the process's capabilities");
	for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		uint32_t word = (uint32_t)(kept >> (32 * i));
		sets[i].permitted &= word;
		sets[i].effective = sets[i].permitted;
		sets[i].inheritable = 0;
	}
	if (syscall(SYS_capset, &header, sets) < 0)
		return error_system(error, -errno, "cannot give up capabilities");
	return 0;
}

bool privileges_read_only(void)
{
	/* Version 1 has thirteen rights, to refer (2) and to truncate (3) came later. */
	static const uint64_t rights_of[] = {
		0, (UINT64_C(1) << 13) - 1, (UINT64_C(1) << 14) - 1, (UINT64_C(1) << 15) - 1};
	long version =
		syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	if (version < 1)
		return false;
	long known = (long)ARRAY_LENGTH(rights_of) - 1;
	struct landlock_ruleset_attr writes = {
		.handled_access_fs =
			rights_of[version < known ? version : known] &
			~(uint64_t)(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE |
				    LANDLOCK_ACCESS_FS_READ_DIR),
	};
	CLEANUP(close_fd)
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &writes, sizeof(writes), 0);
	return ruleset >= 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
}
