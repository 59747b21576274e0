#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "lab/lab_parts.h"

enum { CELL_LOG_MOST = 1024 * 1024 /* bytes that a program in a cell may print */ };

static int out_of_memory(struct error *error)
{
	return error_set(error, -ENOMEM, "out of memory");
}

static void lab_changed(void *argument)
{
	(void)argument; /* the loop has woken, which is all that lab_turn()'s callers need */
}

static struct room room_of(const struct lab *lab, size_t node)
{
	return (struct room){
		&lab->fabric.shelf, fabric_number(&lab->fabric, node), lab->plan->nodes[node].node};
}

static int lab_room(struct lab *lab, size_t node, struct error *error)
{
	if (lab->rooms[node])
		return 0;
	struct room_setup setup = {.init = &lab->init,
		.room = room_of(lab, node),
		.hosts = lab->plan->hosts,
		.kept = lab->kept};
	int status = room_create(&setup, error);
	lab->rooms[node] = status == 0;
	return status;
}

/* Write the files that the topology gives the node. */
static int lab_files(const struct node *node, const struct folder *directory, struct error *error)
{
	for (size_t i = 0; i < node->file_count; i++) {
		const struct node_file *file = &node->files[i];
		const char *slash = strrchr(file->path, '/');
		CLEANUP(free_pointer)
		char *inside =
			slash ? strndup(file->path, (size_t)(slash - file->path)) : strdup("");
		struct text content = {.bytes = file->content, .length = strlen(file->content)};
		struct folder made;
		if (!inside)
			return out_of_memory(error);
		int status = *inside ? folder_create_inside(directory, inside, &made, error) : 0;
		if (status == 0)
			status = folder_write(directory, file->path, &content, error);
		if (status < 0)
			return status;
	}
	return 0;
}

char *lab_node_path(const struct lab *lab, const char *node)
{
	return lab->nodes ? text_format("%s/%s", lab->nodes, node)
			  : text_format("%s/nodes/%s", lab->folder.path, node);
}

/* The node's working directory: made, with its files, when something first runs there. */
static int lab_directory(
	struct lab *lab, size_t node, struct folder *ret_directory, struct error *error)
{
	const char *node_name = lab->plan->nodes[node].node->name;
	struct folder parent = lab->folder;
	if (lab->nodes)
		snprintf(parent.path, sizeof(parent.path), "%s", lab->nodes);
	CLEANUP(free_pointer)
	char *name = text_format("%s%s", lab->nodes ? "" : "nodes/", node_name);
	if (!name)
		return out_of_memory(error);
	bool first = !lab->rooms[node];
	int status = folder_create_inside(&parent, name, ret_directory, error);
	return status < 0 || !first ? status
				    : lab_files(lab->plan->nodes[node].node, ret_directory, error);
}

/*
 * Own variables first, then the node's, then a visitor's (or NULL): NULL-terminated. The first two
 * strings are ours.
 */
static char **lab_environment(const struct lab *lab, const struct node *node, char *const *visitor)
{
	size_t count = 0, at = 2;
	while (visitor && visitor[count])
		count++;
	char **list = calloc(node->environment_count + count + 3, sizeof(*list));
	if (!list)
		return NULL;
	list[0] = text_format("SIM_NODE=%s", node->name);
	list[1] = text_format("SIM_TOPOLOGY=%s", lab->plan->topology->name);
	for (size_t i = 0; i < node->environment_count; i++)
		list[at++] = node->environment[i];
	for (size_t i = 0; i < count; i++)
		list[at++] = visitor[i];
	return list;
}

static void environment_free(char ***list)
{
	if (!*list)
		return;
	free((*list)[0]);
	free((*list)[1]);
	free(*list);
}

/* A process to be started: where, what, and who hears of it. */
struct starting {
	size_t node;
	struct process_setup setup; /* but for what the node says */
	char *const *environment; /* besides the node's, or NULL */
	void (*changed)(void *argument);
	void *argument;
	struct process *process;
};

/* Where commands of the node begin: its own folder, or its `workdir`, made where it lies in there. */
static int lab_workdir(
	const struct node *node, const struct folder *own, struct folder *ret, struct error *error)
{
	*ret = *own;
	if (!node->workdir)
		return 0;
	if (*node->workdir != '/')
		return folder_create_inside(own, node->workdir, ret, error);
	snprintf(ret->path, sizeof(ret->path), "%s", node->workdir);
	return 0;
}

static int lab_process_start(struct lab *lab, struct starting *starting, struct error *error)
{
	struct folder own, directory;
	const struct node *node = lab->plan->nodes[starting->node].node;
	if (lab->stopped[starting->node])
		return error_set(error, -ENOEXEC, "%s is stopped", node->name);
	int status = lab_directory(lab, starting->node, &own, error);
	if (status == 0)
		status = lab_workdir(node, &own, &directory, error);
	if (status == 0)
		status = lab_room(lab, starting->node, error);
	if (status < 0)
		return status;
	CLEANUP(close_fd)
	int directory_fd = node->workdir && *node->workdir == '/'
				   ? -1
				   : open(directory.path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(environment_free)
	char **environment = lab_environment(lab, node, starting->environment);
	if (!environment || !environment[0] || !environment[1])
		return out_of_memory(error);
	struct process_setup *setup = &starting->setup;
	setup->init = &lab->init;
	setup->room = room_of(lab, starting->node);
	setup->environment = environment;
	setup->directory_fd = directory_fd;
	setup->directory_path = directory.path;
	setup->group = bounds_group(&lab->bounds, starting->node);
	setup->user_processes = lab->bounds.user_processes;
	return process_start(&lab->reaper, setup, starting->changed, starting->argument,
		starting->process, error);
}

int lab_start_visit(struct lab *lab, const struct lab_visit *visit, struct process *process,
	struct error *error)
{
	struct starting starting = {.node = visit->node,
		.setup = {.words = visit->words,
			.descriptors = visit->descriptors,
			.terminal = visit->terminal,
			.network = true},
		.environment = visit->environment,
		.changed = visit->changed,
		.argument = visit->argument,
		.process = process};
	return lab_process_start(lab, &starting, error);
}

static int lab_command_start(struct lab *lab, const struct lab_command *command,
	struct lab_process *process, struct error *error)
{
	CLEANUP(free_pointer) char *log_path = folder_path(&lab->folder, process->log);
	if (!log_path)
		return out_of_memory(error);
	struct starting starting = {.node = command->node,
		.setup = {.words = command->words,
			.log_path = log_path,
			.keep_input = command->sent_to,
			.input_fd = command->keep_input ? lab->silence[0] : -1,
			.cell = command->brought ? lab->cell : NULL,
			/* A service speaks; what a step runs may be a client that configures its
			 * node. */
			.network = !command->service,
			.log_most = command->brought && lab->cell ? CELL_LOG_MOST : 0,
			.ready = command->ready},
		.changed = lab_changed,
		.argument = lab,
		.process = &process->process};
	return lab_process_start(lab, &starting, error);
}

int lab_start(struct lab *lab, const struct lab_command *command, struct lab_process **ret_process,
	struct error *error)
{
	struct folder logs;
	int status = folder_create_inside(&lab->folder, "logs", &logs, error);
	if (status < 0)
		return status;
	struct lab_process **slot = array_add(&lab->processes, &lab->process_count);
	struct lab_process *process = slot ? calloc(1, sizeof(*process)) : NULL;
	if (!process) {
		lab->process_count -= slot != NULL;
		return out_of_memory(error);
	}
	*slot = process;
	process->node = command->node;
	process->brought = command->brought;
	process->service = command->service;
	process->name = strdup(command->name);
	process->log = text_format(
		"logs/%s.%s.log", lab->plan->nodes[command->node].node->name, command->name);
	if (!process->name || !process->log)
		return out_of_memory(error);
	status = lab_command_start(lab, command, process, error);
	if (status < 0)
		return status;
	*ret_process = process;
	return 0;
}
