/* What there is in a lab: asked of the kernel now, not remembered. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "lab/places.h"
#include "lab/supervisor_parts.h"
#include "observe/state.h"

enum { COMMAND_MOST = 200 };

struct namespace_of {
	ino_t inode;
	size_t node;
};

static int compare_inodes(const void *a, const void *b)
{
	const struct namespace_of *first = a, *second = b;
	return (first->inode > second->inode) - (first->inode < second->inode);
}

/* Of the first `count` nodes. */
static struct namespace_of *namespaces_sort(const struct lab *lab, size_t count)
{
	struct namespace_of *list = calloc(count + 1, sizeof(*list));
	for (size_t i = 0; list && i < count; i++) {
		struct stat status = {0};
		struct error ignored;
		CLEANUP(close_fd) int netns = -1;
		if (fabric_netns(&lab->fabric, i, &netns, &ignored) == 0)
			fstat(netns, &status);
		list[i] = (struct namespace_of){status.st_ino, i};
	}
	if (list)
		qsort(list, count, sizeof(*list), compare_inodes);
	return list;
}

/* A command line: NUL bytes as spaces, cut where it is long. A kernel's or dead one's has none. */
static char *command_read(int process)
{
	char text[COMMAND_MOST + 1];
	CLEANUP(close_fd) int fd = openat(process, "cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? 0 : read(fd, text, COMMAND_MOST);
	while (length > 0 && text[length - 1] == '\0')
		length--;
	for (ssize_t i = 0; i < length; i++)
		if (text[i] == '\0' || text[i] == '\n')
			text[i] = ' ';
	return length > 0 ? text_sanitize(text, (size_t)length) : NULL;
}

static const char *service_name(const struct lab *lab, pid_t pid)
{
	for (size_t i = 0; i < lab->process_count; i++)
		if (lab->processes[i]->process.running && lab->processes[i]->process.pid == pid)
			return lab->processes[i]->name;
	return NULL;
}

static void process_add(
	const struct lab *lab, struct namespace_of *sorted, const char *pid, json_t *nodes)
{
	char path[64];
	uint64_t number;
	struct stat status;
	if (!text_parse_number(pid, 1, INT_MAX, &number))
		return;
	snprintf(path, sizeof(path), "/proc/%s", pid);
	CLEANUP(close_fd) int process = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (process < 0 || fstatat(process, "ns/net", &status, 0) < 0)
		return;
	struct namespace_of key = {status.st_ino, 0};
	const struct namespace_of *found =
		bsearch(&key, sorted, json_array_size(nodes), sizeof(*sorted), compare_inodes);
	CLEANUP(free_pointer) char *command = found ? command_read(process) : NULL;
	if (!command)
		return;
	json_t *entry = json_pack("{s:I, s:s}", "pid", (json_int_t)number, "command", command);
	const char *name = service_name(lab, (pid_t)number);
	if (entry && name)
		json_object_set_new(entry, "name", json_string(name));
	json_array_append_new(
		json_object_get(json_array_get(nodes, found->node), "processes"), entry);
}

/* Whatever lives in a node's network namespace, who started it and how often it has forked. */
static void processes_add(const struct lab *lab, json_t *nodes)
{
	CLEANUP(free_pointer)
	struct namespace_of *sorted = namespaces_sort(lab, json_array_size(nodes));
	DIR *directory = sorted ? opendir("/proc") : NULL;
	if (!directory)
		return;
	for (struct dirent *entry; (entry = readdir(directory));)
		process_add(lab, sorted, entry->d_name, nodes);
	closedir(directory);
}

/* Services that should be there and are not. */
static void ended_add(const struct lab *lab, json_t *nodes)
{
	for (size_t i = 0; i < lab->process_count; i++) {
		const struct lab_process *process = lab->processes[i];
		if (process->process.running || !process->service)
			continue;
		json_t *entry = json_pack("{s:s, s:i, s:s}", "name", process->name, "ended",
			process->process.exit_status, "log", process->log);
		json_array_append_new(
			json_object_get(json_array_get(nodes, process->node), "processes"), entry);
	}
}

static void addresses_add(const struct supervisor *supervisor, size_t node, json_t *list)
{
	CLEANUP(free_pointer) struct observed_address *addresses = NULL;
	const struct plan_node *planned = &supervisor->lab->plan->nodes[node];
	struct error ignored;
	CLEANUP(close_fd) int netns = -1;
	size_t count = 0;
	if (fabric_netns(&supervisor->lab->fabric, node, &netns, &ignored) < 0 ||
		observe_addresses(netns, NULL, &addresses, &count, &ignored) < 0)
		return;
	for (size_t i = 0; i < count; i++) {
		const struct plan_interface *interface =
			plan_find_interface(planned, addresses[i].interface);
		if (strcmp(addresses[i].interface, "lo") == 0)
			continue;
		json_array_append_new(list,
			json_pack("{s:s, s:s}", "interface",
				interface ? plan_shown_name(interface) : addresses[i].interface,
				"address", IP_PREFIX_TEXT(addresses[i].address)));
	}
}

static json_t *node_json(const struct supervisor *supervisor, size_t index)
{
	static const char *const kinds[] = {
		[NODE_HOST] = "host", [NODE_ROUTER] = "router", [NODE_SWITCH] = "switch"};
	const struct plan_node *node = &supervisor->lab->plan->nodes[index];
	json_t *interfaces = json_array(), *addresses = json_array();
	for (size_t i = 0; i < node->interface_count; i++)
		json_array_append_new(
			interfaces, json_string(plan_shown_name(&node->interfaces[i])));
	addresses_add(supervisor, index, addresses);
	return json_pack("{s:s, s:s, s:o, s:o, s:[]}", "name", node->node->name, "kind",
		kinds[node->node->kind], "interfaces", interfaces, "addresses", addresses,
		"processes");
}

static json_t *names_json(const struct supervisor *supervisor)
{
	const struct plan *plan = supervisor->lab->plan;
	json_t *nodes = json_array();
	for (size_t i = 0; i < plan->node_count; i++) {
		const struct plan_node *node = &plan->nodes[i];
		json_t *interfaces = json_array();
		for (size_t j = 0; j < node->interface_count; j++)
			json_array_append_new(
				interfaces, json_string(plan_shown_name(&node->interfaces[j])));
		json_array_append_new(nodes, json_pack("{s:s, s:o}", "name", node->node->name,
						     "interfaces", interfaces));
	}
	return nodes;
}

json_t *supervisor_describe(const struct supervisor *supervisor, const char *what)
{
	const struct lab *lab = supervisor->lab;
	bool names = strcmp(what, LAB_CONTROL_LIST_NAMES) == 0;
	size_t shown = lab->plan->node_count;
	if (strcmp(what, LAB_CONTROL_LIST_FIRST) == 0 && shown > LAB_CONTROL_FIRST)
		shown = LAB_CONTROL_FIRST;
	json_t *nodes = names ? names_json(supervisor) : json_array();
	for (size_t i = 0; !names && i < shown; i++)
		json_array_append_new(nodes, node_json(supervisor, i));
	if (!names) {
		processes_add(lab, nodes);
		ended_add(lab, nodes);
	}
	json_t *answer = json_pack("{s:s, s:s, s:o, s:o, s:i, s:f, s:o}", "name",
		supervisor->registration->name, "topology", lab->plan->topology->name, "file",
		json_text(lab->plan->topology->path), "folder", json_text(lab->folder.path),
		"supervisor", (int)getpid(), "since", (double)supervisor->since_ns / 1e9, "nodes",
		nodes);
	if (answer && shown < lab->plan->node_count)
		json_object_set_new(
			answer, "more", json_integer((json_int_t)(lab->plan->node_count - shown)));
	return answer;
}
