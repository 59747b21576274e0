/* Limits of the machine, held against a large lab. */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "kernel/system_limits.h"
#include "lab/doctor_parts.h"
#include "topology/model.h"

/* What programs in nodes meet: sim itself needs none of it. */
static const struct {
	const char *name, *path;
	uint64_t of_node; /* so much a node takes */
	const char *costs;
	const char *setting; /* of sysctl(8) */
} of_programs[] = {
	{"threads", "/proc/sys/kernel/threads-max", 2, "programs in nodes cannot be started",
		"kernel.threads-max"},
	{"inotify instances of a user", "/proc/sys/fs/inotify/max_user_instances", 1,
		"programs that watch files (dnsmasq, systemd, tail -f) start in so many nodes only",
		"fs.inotify.max_user_instances"},
	{"inotify watches of a user", "/proc/sys/fs/inotify/max_user_watches", 4,
		"programs that watch files (dnsmasq, systemd, tail -f) start in so many nodes only",
		"fs.inotify.max_user_watches"},
	{"IPv4 neighbours of all nodes", "/proc/sys/net/ipv4/neigh/default/gc_thresh3", 2,
		"nodes that know more neighbours at a time lose packets (neighbour table overflow)",
		"net.ipv4.neigh.default.gc_thresh3"},
	{"IPv6 neighbours of all nodes", "/proc/sys/net/ipv6/neigh/default/gc_thresh3", 2,
		"nodes that know more neighbours at a time lose packets (neighbour table overflow)",
		"net.ipv6.neigh.default.gc_thresh3"},
	{"tracked connections of a node", "/proc/sys/net/netfilter/nf_conntrack_max", 4,
		"a router that does NAT for all others drops new connections",
		"net.netfilter.nf_conntrack_max"},
};

/* Nodes without capture, each with a program, whose output and notice sim hears; or without. */
static struct plan_needs needs_of(size_t nodes, bool running)
{
	size_t programs = running ? nodes : 0;
	return plan_needs_of(&(struct plan_size){.nodes = nodes,
		.watched = nodes,
		.rooms = programs,
		.processes = programs,
		.process_files = 2 * programs});
}

/* The first limit that is too low for so many; NULL: none is. */
static const char *limit_of(size_t nodes, bool running)
{
	struct system_limit limits[SYSTEM_LIMITS];
	struct plan_needs needs = needs_of(nodes, running);
	system_limits_list(&needs, limits);
	for (size_t i = 0; i < ARRAY_LENGTH(limits); i++)
		if (limits[i].allowed < limits[i].needed)
			return limits[i].what;
	return NULL;
}

static size_t most_nodes(bool running)
{
	size_t least = 0, most = TOPOLOGY_NODES_MOST;
	while (least < most) {
		size_t middle = (least + most + 1) / 2;
		if (limit_of(middle, running))
			most = middle - 1;
		else
			least = middle;
	}
	return least;
}

/* How a limit of sim itself is raised. */
static char *raise(const struct system_limit *limit)
{
	static const char below[] = "/proc/sys/";
	unsigned long long needed = limit->needed;
	if (strcmp(limit->what, SYSTEM_LIMIT_FILES) == 0)
		return text_format(
			"sudo prlimit --pid $$ --nofile=%llu:%llu   # in the shell that sim "
			"is called from",
			needed, needed);
	if (!text_starts_with(limit->where, below))
		return text_format("a machine with more memory, or fewer nodes");
	char *command = text_format("sudo sysctl -w %s=%llu", limit->where + strlen(below), needed);
	for (char *at = command; at && *at && *at != '='; at++)
		if (*at == '/')
			*at = '.';
	return command;
}

static struct doctor_limit *add(struct doctor *doctor)
{
	return doctor->limit_count < DOCTOR_LIMITS_MOST ? &doctor->limits[doctor->limit_count++]
							: NULL;
}

void doctor_find_limits(struct doctor *doctor)
{
	struct system_limit limits[SYSTEM_LIMITS];
	struct plan_needs needs = needs_of(DOCTOR_NODES, true);
	doctor->nodes_bare = most_nodes(false);
	doctor->nodes_running = most_nodes(true);
	doctor->nodes_limit = limit_of(doctor->nodes_running + 1, true);
	system_limits_list(&needs, limits);
	for (size_t i = 0; i < ARRAY_LENGTH(limits); i++) {
		struct doctor_limit *limit = add(doctor);
		if (!limit)
			return;
		*limit = (struct doctor_limit){.name = limits[i].what,
			.where = limits[i].where,
			.allowed = limits[i].allowed,
			.needed = limits[i].needed,
			.bytes = strcmp(limits[i].what, SYSTEM_LIMIT_MEMORY) == 0,
			.costs = "a lab of so many nodes is refused before it is built"};
		if (limits[i].allowed < limits[i].needed)
			limit->mend = raise(&limits[i]);
	}
	for (size_t i = 0; i < ARRAY_LENGTH(of_programs); i++) {
		uint64_t allowed = system_limit_read(of_programs[i].path),
			 needed = of_programs[i].of_node * DOCTOR_NODES;
		/* Not there: not loaded, or not to be seen from a container. */
		struct doctor_limit *limit = allowed == UINT64_MAX ? NULL : add(doctor);
		if (!limit)
			continue;
		*limit = (struct doctor_limit){.name = of_programs[i].name,
			.where = of_programs[i].path,
			.allowed = allowed,
			.needed = needed,
			.of_programs = true,
			.costs = of_programs[i].costs};
		if (allowed < needed)
			limit->mend = text_format("sudo sysctl -w %s=%llu", of_programs[i].setting,
				(unsigned long long)needed);
	}
}
