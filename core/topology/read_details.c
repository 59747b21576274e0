/* What a node is given besides its network: `binds`, `sysctls`, `exec`, `workdir`, `cpu`, `memory`. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "topology/problems.h"
#include "topology/read_parts.h"

enum {
	DETAILS_MOST = 1000, /* binds, sysctls or commands of a node */
	CPU_LEAST = 10, /* thousandths: the kernel's least share is 1 ms of every 100 */
	CPU_MOST = 1000 * 1000,
	PATH_MOST = 1023,
};

#define MEMORY_LEAST (UINT64_C(1024) * 1024)

typedef int read_item(const struct yaml_value *item, struct node *node, struct error *error);

static int out_of_memory(struct error *error)
{
	return error_set(error, -ENOMEM, "out of memory");
}

/* The items of a list; what is wrong with one does not keep the others from being read. */
static int read_list(
	const struct yaml_value *value, struct node *node, read_item *read, struct error *error)
{
	int result = yaml_require_sequence(value->source, value->node, value->name, error);
	if (result == 0 && yaml_sequence_length(value->node) > DETAILS_MOST)
		return yaml_fail(value->source, yaml_mark(value->node), error,
			"%s has at most %d entries", value->name, DETAILS_MOST);
	for (size_t i = 0; i < yaml_sequence_length(value->node); i++) {
		struct yaml_value item = *value;
		item.node = yaml_sequence_item(value->source, value->node, i);
		if (!problems_go_on(value->source->problems, read(&item, node, error), &result))
			break;
	}
	return result;
}

bool topology_path_climbs(const char *path)
{
	size_t length = strlen(path);
	return strcmp(path, "..") == 0 || text_starts_with(path, "../") || strstr(path, "/../") ||
	       (length >= 3 && strcmp(path + length - 3, "/..") == 0);
}

/* The target's place: that of a lower layer, or a new one; NULL when memory is gone. */
static struct bind_spec *bind_entry(struct node *node, const char *target)
{
	for (size_t i = 0; i < node->bind_count; i++)
		if (strcmp(node->binds[i].target, target) == 0)
			return &node->binds[i];
	return array_add(&node->binds, &node->bind_count);
}

/* Whether there will be something to mount over without changing the host's own folders. */
static bool target_can_be(const struct node *node, const char *target)
{
	static const char *const own[] = {"/run/", "/tmp/", "/etc/"};
	struct stat file;
	for (size_t i = 0; i < ARRAY_LENGTH(own); i++)
		if (text_starts_with(target, own[i]))
			return true;
	for (size_t i = 0; i < node->bind_count; i++) {
		size_t length = strlen(node->binds[i].target);
		if (strncmp(target, node->binds[i].target, length) == 0 && target[length] == '/')
			return true;
	}
	return stat(target, &file) == 0;
}

static int check_bind_target(const struct yaml_value *item, const struct node *node,
	const char *target, struct error *error)
{
	struct mark mark = yaml_mark(item->node);
	if (*target != '/' || topology_path_climbs(target) || strlen(target) > PATH_MOST)
		return yaml_fail(item->source, mark, error,
			"the node's path in binds must be absolute, without '..', not '%.100s'",
			target);
	if (!target[1] || strcmp(target, "/proc") == 0 || text_starts_with(target, "/proc/"))
		return yaml_fail(item->source, mark, error,
			"nothing can be shown at '%s': the node needs its own", target);
	if (!target_can_be(node, target))
		return yaml_fail(item->source, mark, error,
			"there is no '%s' in a node to show something at, and none can be made "
			"outside of its own /run, /tmp and /etc: name a path there, or one that "
			"exists",
			target);
	return 0;
}

static int check_bind_source(
	const struct yaml_value *item, const char *written, const char *path, struct error *error)
{
	struct stat file;
	if (stat(path, &file) == 0 && (S_ISDIR(file.st_mode) || S_ISREG(file.st_mode) ||
					      S_ISCHR(file.st_mode) || S_ISSOCK(file.st_mode)))
		return 0;
	struct mark mark = yaml_mark(item->node);
	const char *why = errno ? strerror(errno) : "it is neither a file nor a folder";
	if (strcmp(written, path) == 0)
		return yaml_fail(
			item->source, mark, error, "binds cannot show '%s': %s", path, why);
	return yaml_fail(item->source, mark, error, "binds cannot show '%s' (that is '%s'): %s",
		written, path, why);
}

/* Cut "SOURCE:TARGET[:ro]" into its parts, in place. */
static int split_bind(const struct yaml_value *item, char *text, char **ret_target,
	bool *ret_read_only, struct error *error)
{
	char *target = strchr(text, ':');
	char *mode = target ? strchr(target + 1, ':') : NULL;
	if (!target || target == text || !target[1])
		return yaml_fail(item->source, yaml_mark(item->node), error,
			"an entry of binds must be HOST-PATH:NODE-PATH or HOST-PATH:NODE-PATH:ro, "
			"not '%s'",
			text);
	if (mode && strcmp(mode, ":ro") != 0 && strcmp(mode, ":rw") != 0)
		return yaml_fail(item->source, yaml_mark(item->node), error,
			"behind the node's path in binds can stand ro or rw, not '%s'", mode + 1);
	*ret_read_only = mode && strcmp(mode, ":ro") == 0;
	*target = '\0';
	*ret_target = target + 1;
	if (mode)
		*mode = '\0';
	size_t length = strlen(*ret_target);
	while (length > 1 && (*ret_target)[length - 1] == '/')
		(*ret_target)[--length] = '\0';
	return 0;
}

static int read_bind(const struct yaml_value *item, struct node *node, struct error *error)
{
	CLEANUP(free_pointer) char *text = NULL;
	char *target = NULL;
	bool read_only = false;
	int status = yaml_read_text(item->source, item->node, "an entry of binds", &text, error);
	if (status == 0)
		status = split_bind(item, text, &target, &read_only, error);
	if (status == 0)
		status = check_bind_target(item, node, target, error);
	if (status < 0)
		return status;
	CLEANUP(free_pointer) char *near = topology_path_beside(item->source, text);
	CLEANUP(free_pointer) char *path = near ? realpath(near, NULL) : NULL;
	if (!near)
		return out_of_memory(error);
	errno = 0;
	status = check_bind_source(item, text, path ? path : near, error);
	if (status < 0)
		return status;
	struct bind_spec *bind = bind_entry(node, target);
	char *copy = bind ? strdup(target) : NULL;
	if (!copy)
		return out_of_memory(error);
	free(bind->target);
	free(bind->source);
	*bind = (struct bind_spec){TAKE(path), copy, read_only, yaml_mark(item->node)};
	return 0;
}

int topology_read_binds(const struct yaml_value *value, void *target, struct error *error)
{
	return read_list(value, target, read_bind, error);
}

/*
 * As sysctl(8) reads a name: the separator that comes first separates, so that with the other one
 * the name of an interface can hold a dot.
 */
static void sysctl_path(const char *name, char *path)
{
	bool dots = name[strcspn(name, "./")] != '/';
	for (; *name; name++)
		*path++ = dots && *name == '.' ? '/' : dots && *name == '/' ? '.' : *name;
	*path = '\0';
}

/* What belongs to a namespace of the node: all of net (what the kernel shows there), UTS, IPC. */
static bool sysctl_is_own(const char *path)
{
	static const char *const own[] = {"kernel/hostname", "kernel/domainname", "kernel/msgmax",
		"kernel/msgmnb", "kernel/msgmni", "kernel/auto_msgmni", "kernel/sem",
		"kernel/shmall", "kernel/shmmax", "kernel/shmmni", "kernel/shm_rmid_forced"};
	/* Some kernels let a node write these, and all nodes and the host have the value then. */
	static const char *const shared[] = {"net/ipv4/tcp_allowed_congestion_control",
		"net/netfilter/nf_conntrack_max", "net/netfilter/nf_conntrack_buckets",
		"net/netfilter/nf_conntrack_expect_max", "net/nf_conntrack_max"};
	for (size_t i = 0; i < ARRAY_LENGTH(shared); i++)
		if (strcmp(path, shared[i]) == 0)
			return false;
	if (text_starts_with(path, "net/") || text_starts_with(path, "fs/mqueue/"))
		return true;
	for (size_t i = 0; i < ARRAY_LENGTH(own); i++)
		if (strcmp(path, own[i]) == 0)
			return true;
	return false;
}

static int check_sysctl(
	const struct yaml_value *value, const char *path, const char *text, struct error *error)
{
	struct mark mark = yaml_mark(value->key);
	size_t length = strlen(path);
	if (!length || length > 200 || *path == '/' || path[length - 1] == '/' ||
		strstr(path, "//") || topology_path_climbs(path))
		return yaml_fail(value->source, mark, error,
			"'%.100s' cannot name a sysctl: write it like net.ipv4.tcp_sack",
			value->name);
	if (!sysctl_is_own(path))
		return yaml_fail(value->source, mark, error,
			"'%s' is a setting of the whole machine, not of a node; a node's own are "
			"net.*, kernel.domainname, kernel.sem, kernel.shm*, kernel.msg* and "
			"fs.mqueue.*",
			value->name);
	if (!*text || strlen(text) > 200 || strchr(text, '\n'))
		return yaml_fail(value->source, yaml_mark(value->node), error,
			"the value of '%s' must be one short line", value->name);
	return 0;
}

static struct sysctl_spec *sysctl_entry(struct node *node, const char *path)
{
	for (size_t i = 0; i < node->sysctl_count; i++)
		if (strcmp(node->sysctls[i].path, path) == 0)
			return &node->sysctls[i];
	return array_add(&node->sysctls, &node->sysctl_count);
}

static int read_sysctl(const struct yaml_value *value, void *target, struct error *error)
{
	struct node *node = target;
	CLEANUP(free_pointer) char *text = NULL;
	CLEANUP(free_pointer) char *path = strdup(value->name);
	CLEANUP(free_pointer) char *name = strdup(value->name);
	if (!path || !name)
		return out_of_memory(error);
	sysctl_path(value->name, path);
	int status = yaml_read_text(value->source, value->node, "sysctls", &text, error);
	if (status == 0)
		status = check_sysctl(value, path, text, error);
	if (status < 0)
		return status;
	struct sysctl_spec *sysctl = sysctl_entry(node, path);
	if (!sysctl)
		return out_of_memory(error);
	if (node->sysctl_count > DETAILS_MOST)
		return yaml_limit(value->source, yaml_mark(value->key), error,
			"sysctls has at most %d entries", DETAILS_MOST);
	sysctl_spec_finish(sysctl);
	*sysctl = (struct sysctl_spec){TAKE(name), TAKE(path), TAKE(text), yaml_mark(value->key)};
	return 0;
}

int topology_read_sysctls(const struct yaml_value *value, void *target, struct error *error)
{
	return yaml_read_entries(value->source, value->node, "sysctls", read_sysctl, target, error);
}

static int read_exec(const struct yaml_value *item, struct node *node, struct error *error)
{
	CLEANUP(free_pointer) char *command = NULL;
	struct words words;
	struct error reason;
	bool brought;
	struct yaml_value named = *item;
	named.name = "a command of exec";
	int status = yaml_read_command(&named, &command, &brought, error);
	if (status < 0)
		return status;
	if (text_split_words(command, &words, &reason) < 0)
		return yaml_fail(
			item->source, yaml_mark(item->node), error, "exec: %s", reason.text);
	free(words.list);
	struct exec_spec *exec = array_add(&node->execs, &node->exec_count);
	if (!exec)
		return out_of_memory(error);
	*exec = (struct exec_spec){TAKE(command), brought, yaml_mark(item->node)};
	return 0;
}

int topology_read_exec(const struct yaml_value *value, void *target, struct error *error)
{
	return read_list(value, target, read_exec, error);
}

int topology_read_workdir(const struct yaml_value *value, void *target, struct error *error)
{
	struct node *node = target;
	int status = yaml_read_text(value->source, value->node, "workdir", &node->workdir, error);
	if (status == 0 && (!*node->workdir || strlen(node->workdir) > PATH_MOST ||
				   topology_path_climbs(node->workdir)))
		return yaml_fail(value->source, yaml_mark(value->node), error,
			"workdir must be a path, without '..', not '%.100s'", node->workdir);
	return status;
}

int topology_read_cpu(const struct yaml_value *value, void *target, struct error *error)
{
	struct node *node = target;
	CLEANUP(free_pointer) char *text = NULL;
	int status = yaml_read_text(value->source, value->node, "cpu", &text, error);
	uint64_t number;
	if (status < 0)
		return status;
	/* Decimals are decimals, of seconds or of processors. */
	if (!text_parse_seconds(text, &number) || number / NS_PER_MS < CPU_LEAST ||
		number / NS_PER_MS > CPU_MOST)
		return yaml_fail(value->source, yaml_mark(value->node), error,
			"cpu must be a number of processors from 0.01 to %d, like 0.5, not '%s'",
			CPU_MOST / 1000, text);
	node->cpu_thousandths = (unsigned)(number / NS_PER_MS);
	return 0;
}

static bool parse_memory(const char *text, uint64_t *ret_bytes)
{
	static const struct {
		const char *name;
		double bytes;
	} units[] = {{"B", 1}, {"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"KiB", 1024},
		{"MiB", 1024 * 1024}, {"GiB", 1024.0 * 1024 * 1024}};
	size_t digits = strspn(text, "0123456789.");
	CLEANUP(free_pointer) char *number = strndup(text, digits);
	const char *unit = text + digits + strspn(text + digits, " ");
	uint64_t billionths;
	if (!number || !text_parse_seconds(number, &billionths))
		return false;
	for (size_t i = 0; i < ARRAY_LENGTH(units); i++) {
		if (strcasecmp(unit, units[i].name) != 0)
			continue;
		double bytes = (double)billionths / NS_PER_SECOND * units[i].bytes;
		*ret_bytes = bytes < 1e15 ? (uint64_t)bytes : 0;
		return *ret_bytes >= MEMORY_LEAST;
	}
	return false;
}

int topology_read_memory(const struct yaml_value *value, void *target, struct error *error)
{
	struct node *node = target;
	CLEANUP(free_pointer) char *text = NULL;
	int status = yaml_read_text(value->source, value->node, "memory", &text, error);
	if (status < 0)
		return status;
	return parse_memory(text, &node->memory_bytes)
		       ? 0
		       : yaml_fail(value->source, yaml_mark(value->node), error,
				 "memory must be at least 1 MiB with its unit (kB, MB, GB, KiB, "
				 "MiB "
				 "or GiB), like 256MB, not '%s'",
				 text);
}

int topology_check_details(const struct yaml_value *value, struct node *node, struct error *error)
{
	static const char *const keys[] = {"binds", "exec", "workdir", "cpu", "memory"};
	if (node->kind != NODE_SWITCH)
		return 0;
	for (size_t i = 0; i < ARRAY_LENGTH(keys); i++)
		if (yaml_is_mapping(value->node) && yaml_find(value->source, value->node, keys[i]))
			return yaml_fail(value->source, node->mark, error,
				"'%s' is a switch: nothing runs in it, and it has no %s",
				node->name, keys[i]);
	/* What `defaults` says is for those that it can mean. */
	node_forget_details(node);
	return 0;
}
