#include "process/userns.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/cleanup.h"

static bool has_capability(unsigned capability)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {0};
	return syscall(SYS_capget, &header, sets) == 0 &&
	       (sets[capability / 32].effective & CAP_TO_MASK(capability));
}

/* The first character of a setting below /proc/sys, NUL where there is no such setting. */
static char setting(const char *path)
{
	CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	char value = '\0';
	if (fd >= 0 && read(fd, &value, 1) < 0)
		value = '\0';
	return value;
}

/* What can forbid user namespaces to ordinary users, and what lets them again. */
static const struct hindrance {
	const char *path, *name;
	char value;
	const char *better, *mend;
} hindrances[] = {
	{"/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
		"AppArmor: kernel.apparmor_restrict_unprivileged_userns", '1', "0",
		"printf 'abi <abi/4.0>,\\nprofile sim %s flags=(unconfined) {\\n  userns,\\n}\\n' "
		"| sudo tee /etc/apparmor.d/sim && sudo apparmor_parser -r /etc/apparmor.d/sim"},
	{"/proc/sys/kernel/unprivileged_userns_clone", "kernel.unprivileged_userns_clone", '0', "1",
		"sudo sysctl -w kernel.unprivileged_userns_clone=1"},
	{"/proc/sys/user/max_user_namespaces", "user.max_user_namespaces", '0', "more",
		"sudo sysctl -w user.max_user_namespaces=15000"},
};

static const struct hindrance *find_hindrance(void)
{
	for (size_t i = 0; i < ARRAY_LENGTH(hindrances); i++)
		if (setting(hindrances[i].path) == hindrances[i].value)
			return &hindrances[i];
	return NULL;
}

static int forbidden(int code, bool root, struct error *error)
{
	const struct hindrance *hindrance = find_hindrance();
	if (root && code != -ENOSPC)
		return error_system(error, code,
			"root lacks CAP_SYS_ADMIN or CAP_NET_ADMIN here, as in a container, and "
			"cannot enter a "
			"user namespace instead; give the container both capabilities");
	if (hindrance)
		return error_set(error, code,
			"the system forbids user namespaces to ordinary users (%s is %c): "
			"run this with "
			"sudo, or let an administrator set it to %s",
			hindrance->name, hindrance->value, hindrance->better);
	return error_system(error, code,
		"cannot enter a user namespace, which building a network without root needs; run "
		"this "
		"with sudo");
}

void userns_mend(const char *program, struct text *text)
{
	const struct hindrance *hindrance = find_hindrance();
	const char *program_at = hindrance ? strstr(hindrance->mend, "%s") : NULL;
	if (program_at)
		text_append(text, "%.*s%s%s", (int)(program_at - hindrance->mend), hindrance->mend,
			program, program_at + 2);
	else if (hindrance)
		text_append(text, "%s", hindrance->mend);
	else if (geteuid() == 0)
		text_append(text, "docker run --cap-add SYS_ADMIN --cap-add NET_ADMIN "
				  "--security-opt apparmor=unconfined ...");
	else
		text_append(text, "sudo %s ...", program);
}

static int write_map(const char *path, const char *text, bool root, struct error *error)
{
	CLEANUP(close_fd) int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && write(fd, text, strlen(text)) >= 0)
		return 0;
	/* Ubuntu's AppArmor lets the namespace be made and forbids its use only here. */
	if (errno == EPERM || errno == EACCES)
		return forbidden(-errno, root, error);
	return error_system(error, -errno, "cannot write %s", path);
}

/*
 * Root of a user namespace that somebody else has made (`unshare -Ur`, a container on the host's
 * network) may make network namespaces, and could not come back from them to the one it is in.
 */
static int own_network(struct error *error)
{
	CLEANUP(close_fd) int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (home < 0 || setns(home, CLONE_NEWNET) == 0 || unshare(CLONE_NEWNET) == 0)
		return 0;
	return error_system(error, -errno, "cannot create a network namespace");
}

/* `0 UID 1`, and the same of groups, in the files of /proc/WHO. */
static int write_maps(
	const char *who, const struct userns_user *user, bool root, struct error *error)
{
	char map[64], path[64];
	snprintf(map, sizeof(map), "0 %u 1\n", user->uid);
	snprintf(path, sizeof(path), "/proc/%s/uid_map", who);
	int status = write_map(path, map, root, error);
	snprintf(path, sizeof(path), "/proc/%s/setgroups", who);
	if (status == 0)
		status = write_map(path, "deny", root, error);
	snprintf(map, sizeof(map), "0 %u 1\n", user->gid);
	snprintf(path, sizeof(path), "/proc/%s/gid_map", who);
	return status < 0 ? status : write_map(path, map, root, error);
}

int userns_forbidden(int code, struct error *error)
{
	return forbidden(code, geteuid() == 0, error);
}

int userns_map(pid_t pid, const struct userns_user *user, struct error *error)
{
	char who[32];
	snprintf(who, sizeof(who), "%d", (int)pid);
	return write_maps(who, user, geteuid() == 0, error);
}

int userns_enter_if_needed(struct error *error)
{
	if (has_capability(CAP_SYS_ADMIN) && has_capability(CAP_NET_ADMIN))
		return own_network(error);
	struct userns_user user = {.uid = geteuid(), .gid = getegid()};
	bool root = user.uid == 0;
	if (unshare(CLONE_NEWUSER) < 0)
		return forbidden(-errno, root, error);
	int status = write_maps("self", &user, root, error);
	/* AppArmor lets the namespace be made, but takes its privilege: find out here. */
	if (status == 0 && unshare(CLONE_NEWNET) < 0)
		return forbidden(-errno, root, error);
	return status;
}

/* What `id` here is outside of our user namespace; false where it is nobody there. */
static bool id_outside(const char *map, uint64_t id, uint64_t *ret_outside)
{
	CLEANUP(close_file) FILE *file = fopen(map, "re");
	char line[128];
	while (file && fgets(line, sizeof(line), file)) {
		char *at = line;
		uint64_t inside = strtoull(at, &at, 10), outside = strtoull(at, &at, 10);
		uint64_t count = strtoull(at, &at, 10);
		if (id < inside || id - inside >= count)
			continue;
		*ret_outside = outside + (id - inside);
		return true;
	}
	return false;
}

/* An identifier of nobody, among those that systemd gives to services without a user. */
static bool nobodys(struct userns_user *ret_user)
{
	enum { FIRST = 61184, LAST = 65519 };
	uint64_t outside;
	for (unsigned id = LAST; id >= FIRST; id--) {
		if (getpwuid(id) || getgrgid(id) ||
			!id_outside("/proc/self/uid_map", id, &outside) || outside == 0 ||
			!id_outside("/proc/self/gid_map", id, &outside) || outside == 0)
			continue;
		*ret_user = (struct userns_user){.uid = id, .gid = id, .other = true};
		return true;
	}
	return false;
}

int userns_unprivileged(struct userns_user *ret_user, struct error *error)
{
	uint64_t outside;
	*ret_user = (struct userns_user){.uid = geteuid(), .gid = getegid()};
	if (geteuid() != 0 || (has_capability(CAP_SYS_ADMIN) && nobodys(ret_user)))
		return 0;
	if (id_outside("/proc/self/uid_map", 0, &outside) && outside != 0)
		return 0;
	return error_set(error, -EPERM,
		"root here is root of the machine, and cannot become an unprivileged user: run "
		"this "
		"as an ordinary user, or give the container CAP_SYS_ADMIN");
}
