#include "lab/bounds.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

enum { MEMBERS_MOST = 256 };

static struct group_limits limits_of(const struct node *node)
{
	return (struct group_limits){
		.memory_bytes = node->memory_bytes, .cpu_thousandths = node->cpu_thousandths};
}

static bool has_limits(const struct node *node)
{
	return node->memory_bytes || node->cpu_thousandths;
}

/* What any of the nodes limits. */
static struct group_limits limits_of_any(const struct plan *plan)
{
	struct group_limits any = {0};
	for (size_t i = 0; i < plan->node_count; i++) {
		any.memory_bytes |= plan->nodes[i].node->memory_bytes;
		any.cpu_thousandths |= plan->nodes[i].node->cpu_thousandths;
	}
	return any;
}

/* A child may not fork with this limit: it is full, or it holds at all. */
static bool fork_is_refused(rlim_t most)
{
	int status = 1;
	pid_t pid = fork();
	if (pid == 0) {
		struct rlimit limit = {most, most};
		if (setrlimit(RLIMIT_NPROC, &limit) < 0)
			_exit(1);
		pid_t child = fork();
		if (child == 0)
			_exit(0);
		int refused = child < 0 && errno == EAGAIN;
		while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
			;
		_exit(refused ? 0 : 1);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return pid > 0 && status == 0;
}

/*
 * How many processes and threads of our user the kernel counts: before Linux 5.14 those outside of
 * the lab's user namespace too. It tells by what it refuses.
 */
static uint64_t processes_of_user(void)
{
	enum { FEW = 256, MOST = 65536 };
	uint64_t least = 0, most = FEW;
	if (fork_is_refused(FEW)) {
		least = FEW;
		most = MOST;
	}
	while (least > 0 && least < most) {
		uint64_t middle = (least + most) / 2;
		if (fork_is_refused(middle))
			least = middle + 1;
		else
			most = middle;
	}
	return most;
}

/* Without a control group: what the kernel counts of a user, who must not be root of the host. */
static void bounds_hold_by_user(struct bounds *bounds)
{
	struct rlimit limit;
	if (!fork_is_refused(1) || getrlimit(RLIMIT_NPROC, &limit) < 0)
		return;
	uint64_t most = bounds->processes + processes_of_user();
	bounds->user_processes = most < limit.rlim_max ? most : limit.rlim_max;
}

/* pid_max counts threads as well; the host needs some itself. */
static unsigned processes_most(const struct plan *plan)
{
	CLEANUP(close_file) FILE *file = fopen("/proc/sys/kernel/pid_max", "re");
	char line[32] = "";
	uint64_t all, wanted = BOUNDS_PROCESSES + BOUNDS_PROCESSES_OF_NODE * plan->node_count;
	if (file && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (text_parse_number(line, 4, 1U << 30, &all) && wanted > all / 4 * 3)
			wanted = all / 4 * 3;
	}
	return (unsigned)wanted;
}

int bounds_open(const struct plan *plan, struct bounds *ret_bounds, struct error *error)
{
	struct group_limits any = limits_of_any(plan);
	bool parts = any.memory_bytes || any.cpu_thousandths;
	*ret_bounds = (struct bounds){.plan = plan, .processes = processes_most(plan)};
	ret_bounds->parts = calloc(plan->node_count + 1, sizeof(*ret_bounds->parts));
	if (!ret_bounds->parts)
		return error_set(error, -ENOMEM, "out of memory");
	struct group_limits limits = {.processes = ret_bounds->processes};
	group_create(&limits, parts ? &any : NULL, &ret_bounds->whole);
	for (size_t i = 0; i < plan->node_count; i++) {
		const struct node *node = plan->nodes[i].node;
		char name[32];
		snprintf(name, sizeof(name), "node%zu", i);
		limits = limits_of(node);
		ret_bounds->parts[i] = GROUP_NONE;
		if (has_limits(node))
			group_create_part(&ret_bounds->whole, name, &limits, &ret_bounds->parts[i]);
	}
	if (!ret_bounds->whole.holds[GROUP_PROCESSES])
		bounds_hold_by_user(ret_bounds);
	return 0;
}

const struct group *bounds_group(const struct bounds *bounds, size_t node)
{
	if (!bounds->plan)
		return NULL;
	return bounds->parts[node].whole ? &bounds->parts[node] : &bounds->whole;
}

/* Which nodes ask for a limit that does not hold: "a, b and 3 more". */
static size_t name_unheld(
	const struct bounds *bounds, enum group_resource resource, struct text *text)
{
	enum { NAMED = 3 };
	size_t count = 0;
	for (size_t i = 0; i < bounds->plan->node_count; i++) {
		const struct group *part = &bounds->parts[i];
		bool asked = resource == GROUP_CPU ? part->limits.cpu_thousandths > 0
						   : part->limits.memory_bytes > 0;
		if (!asked || part->holds[resource])
			continue;
		if (count < NAMED)
			text_append(
				text, "%s%s", count ? ", " : "", bounds->plan->nodes[i].node->name);
		count++;
	}
	if (count > NAMED)
		text_append(text, " and %zu more", count - NAMED);
	return count;
}

void bounds_describe(const struct bounds *bounds, struct text *text)
{
	static const char *const keys[GROUP_RESOURCES] = {
		[GROUP_MEMORY] = "memory", [GROUP_CPU] = "cpu"};
	for (size_t i = GROUP_MEMORY; bounds->plan && i < GROUP_RESOURCES; i++) {
		CLEANUP(text_finish) struct text names = {0};
		if (name_unheld(bounds, (enum group_resource)i, &names))
			text_append(text, "%s'%s' of %s does not hold", text->length ? "; " : "",
				keys[i], text_view(&names));
	}
	if (bounds->plan && !bounds->whole.holds[GROUP_PROCESSES] && !bounds->user_processes)
		text_append(text,
			"%show many processes start in the lab is not limited (a limit of the user "
			"does not hold root)",
			text->length ? "; " : "");
	if (text->length)
		text_append(text,
			": this machine lets us make no control group for it; root can, and where "
			"systemd runs everybody: systemd-run --user --scope -p Delegate=yes sim "
			"...");
}

/* The network namespace in which most of these processes are; 0: none can be seen. */
static ino_t crowded_namespace(const pid_t *pids, size_t count)
{
	ino_t most = 0, seen[MEMBERS_MOST];
	size_t most_count = 0;
	for (size_t i = 0; i < count; i++) {
		char path[64];
		struct stat file;
		snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pids[i]);
		seen[i] = stat(path, &file) == 0 ? file.st_ino : 0;
		size_t alike = 0;
		for (size_t j = 0; j <= i; j++)
			alike += seen[j] == seen[i];
		if (seen[i] && alike > most_count) {
			most = seen[i];
			most_count = alike;
		}
	}
	return most;
}

/* Where most processes of the lab are, by a look at some of them. */
static size_t crowded_node(const struct bounds *bounds, const struct fabric *fabric)
{
	pid_t pids[MEMBERS_MOST] = {0};
	ino_t most = crowded_namespace(pids, group_members(&bounds->whole, pids, MEMBERS_MOST));
	for (size_t i = 0; most && i < bounds->plan->node_count; i++) {
		struct error ignored;
		struct stat file;
		CLEANUP(close_fd) int fd = -1;
		if (fabric_netns(fabric, i, &fd, &ignored) == 0 && fstat(fd, &file) == 0 &&
			file.st_ino == most)
			return i;
	}
	return SIZE_MAX;
}

bool bounds_reached(struct bounds *bounds, const struct fabric *fabric, size_t *ret_node)
{
	bool reached = false;
	if (bounds->plan && bounds->whole.holds[GROUP_PROCESSES]) {
		uint64_t refused = group_refused(&bounds->whole, GROUP_PROCESSES);
		reached = refused > bounds->refused;
		bounds->refused = refused;
	} else if (bounds->plan && bounds->user_processes) {
		reached = fork_is_refused(bounds->user_processes);
	}
	if (!reached)
		return false;
	bounds->reached = true;
	*ret_node = crowded_node(bounds, fabric);
	return true;
}

uint64_t bounds_starved(const struct bounds *bounds, size_t node)
{
	return bounds->plan ? group_refused(&bounds->parts[node], GROUP_MEMORY) : 0;
}

void bounds_close(struct bounds *bounds)
{
	for (size_t i = 0; bounds->parts && i < bounds->plan->node_count; i++)
		if (bounds->parts[i].whole)
			group_remove(&bounds->parts[i]);
	free(bounds->parts);
	if (bounds->plan)
		group_remove(&bounds->whole);
	*bounds = (struct bounds){0};
}

void bounds_foresee(const struct plan *plan, struct text *text)
{
	struct group_limits any = limits_of_any(plan);
	struct error ignored;
	CLEANUP(bounds_close) struct bounds bounds = {0};
	if ((any.memory_bytes || any.cpu_thousandths) && bounds_open(plan, &bounds, &ignored) == 0)
		bounds_describe(&bounds, text);
}
