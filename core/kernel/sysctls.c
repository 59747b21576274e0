#include "kernel/sysctls.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "kernel/netns.h"

#define HOSTNAME   "kernel/hostname"
#define DOMAINNAME "kernel/domainname"

static enum sysctls_when sysctl_when(const struct sysctl_spec *sysctl)
{
	if (!text_starts_with(sysctl->path, "net/"))
		return SYSCTLS_ROOM;
	return strstr(sysctl->path, "/default/") ? SYSCTLS_NEW : SYSCTLS_BUILT;
}

static int sysctl_failed(const struct sysctl_spec *sysctl, int code, struct error *error)
{
	char path[256];
	snprintf(path, sizeof(path), "/proc/sys/%s", sysctl->path);
	if (code == -ENOENT && access(path, F_OK) < 0)
		return error_set(error, code,
			"sysctl %s: a node has no such setting on this kernel (a module may be "
			"missing, or the setting is the whole machine's)",
			sysctl->name);
	if (code == -EACCES || code == -EPERM)
		return error_set(error, code,
			"sysctl %s: it cannot be written in a node on this kernel, or by root only",
			sysctl->name);
	return error_system(error, code, "sysctl %s: the kernel does not take '%s'", sysctl->name,
		sysctl->value);
}

/* The two of UTS are files of the host's root only; the system calls ask for rights in the node. */
static int sysctl_write(const struct sysctl_spec *sysctl)
{
	struct error reason;
	size_t length = strlen(sysctl->value);
	if (strcmp(sysctl->path, HOSTNAME) == 0)
		return sethostname(sysctl->value, length) < 0 ? -errno : 0;
	if (strcmp(sysctl->path, DOMAINNAME) == 0)
		return setdomainname(sysctl->value, length) < 0 ? -errno : 0;
	return netns_sysctl(sysctl->path, sysctl->value, &reason);
}

int sysctls_write(const struct node *node, enum sysctls_when when, struct error *error)
{
	for (size_t i = 0; i < node->sysctl_count; i++) {
		const struct sysctl_spec *sysctl = &node->sysctls[i];
		if (sysctl_when(sysctl) != when)
			continue;
		int status = sysctl_write(sysctl);
		if (status < 0)
			return sysctl_failed(sysctl, status, error);
	}
	return 0;
}

bool sysctls_need_ipc(const struct node *node)
{
	for (size_t i = 0; i < node->sysctl_count; i++)
		if (sysctl_when(&node->sysctls[i]) == SYSCTLS_ROOM &&
			strcmp(node->sysctls[i].path, HOSTNAME) != 0 &&
			strcmp(node->sysctls[i].path, DOMAINNAME) != 0)
			return true;
	return false;
}
