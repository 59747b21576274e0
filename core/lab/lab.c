#include "lab/lab.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"

enum {
	CELL_LOG_MOST = 1024 * 1024, /* bytes that a program in a cell may print */
	CAPTURE_MOST = 64 * 1024 * 1024, /* bytes a scenario */
	TICK_MS = 100,
	GRACE_MS = 1000, /* for processes to end by themselves */
	DRAIN_MS = 5000, /* for the observer to tell its last facts */
};

static int out_of_memory(struct error *error)
{
	return error_set(error, -ENOMEM, "out of memory");
}

static void lab_on_timer(evutil_socket_t fd, short what, void *argument)
{
	(void)fd, (void)what, (void)argument; /* the turn is over, which was its purpose */
}

bool lab_turn(struct lab *lab, uint64_t until_ns)
{
	uint64_t now_ns = clock_monotonic_ns();
	uint64_t wait_ns = until_ns > now_ns ? until_ns - now_ns : 0;
	if (lab->tick && wait_ns > TICK_MS * NS_PER_MS)
		wait_ns = TICK_MS * NS_PER_MS; /* the caller shows that time goes on */
	struct timeval wait = {.tv_sec = (time_t)(wait_ns / NS_PER_SECOND),
		.tv_usec = (suseconds_t)(wait_ns % NS_PER_SECOND / 1000)};
	evtimer_add(lab->timer, &wait); /* again: an earlier one is replaced */
	event_base_loop(lab->base, EVLOOP_ONCE);
	if (lab->tick)
		lab->tick(lab->tick_argument);
	return !*lab->interrupted;
}

static void lab_keep_message(struct lab *lab, const struct fact *fact)
{
	struct scenario_result *result = lab->result;
	result->message_total++;
	if (result->message_count == RESULT_MESSAGES_MOST)
		return;
	struct fact *kept = array_add(&result->messages, &result->message_count);
	if (kept)
		*kept = *fact;
}

static void lab_take_fact(struct lab *lab, const struct fact *fact)
{
	struct scenario_result *result = lab->result;
	facts_write(&lab->files, fact);
	if (fact->kind == FACT_MESSAGE) {
		lab_keep_message(lab, fact);
	} else if (fact->kind == FACT_CAPTURE) {
		uint64_t kept = fact->capture.written + fact->capture.lost;
		result->frames += fact->capture.seen;
		result->frames_lost += fact->capture.lost;
		result->frames_unwritten +=
			fact->capture.seen > kept ? fact->capture.seen - kept : 0;
	} else if (fact->kind == FACT_END) {
		result->capture_bytes = fact->end.capture_bytes;
		if (fact->end.capture_error)
			error_system(&lab->failed, fact->end.capture_error,
				"cannot write '%s/capture.pcapng'", lab->folder.path);
		lab->observed = true;
	}
}

static void lab_on_facts(evutil_socket_t fd, short what, void *argument)
{
	struct lab *lab = argument;
	struct fact fact;
	(void)fd, (void)what;
	/* A bounded number a turn, so that a flood of facts does not keep steps waiting. */
	for (int i = 0; i < 256 && !lab->observed; i++) {
		struct error error;
		int status = observer_receive(&lab->observer, &fact, &error);
		if (status == 0)
			return;
		if (status < 0) {
			lab->failed = error;
			lab->observed = true;
			break;
		}
		lab_take_fact(lab, &fact);
	}
	if (lab->observed)
		event_del(lab->observer_event);
}

static void describe_links(const struct lab *lab, struct observed_link *links)
{
	for (size_t i = 0; i < lab->plan->link_count; i++) {
		const struct plan_link *link = &lab->plan->links[i];
		const struct plan_end *end = &link->ends[link->named_end];
		const struct plan_end *other = &link->ends[!link->named_end];
		const struct plan_interface *interface =
			&lab->plan->nodes[end->node].interfaces[end->interface];
		links[i] = (struct observed_link){.name = link->name,
			.interface = interface->name,
			.netns_fd = lab->fabric.netns_fds[end->node],
			.mac = interface->mac,
			.has_peer = lab->plan->nodes[other->node].node->kind != NODE_SWITCH,
			.peer = lab->plan->nodes[other->node].interfaces[other->interface].mac};
	}
}

static int lab_observe(struct lab *lab, struct error *error)
{
	const struct plan *plan = lab->plan;
	bool capture = plan->topology->capture;
	CLEANUP(free_pointer)
	struct observed_link *links = calloc(plan->link_count + 1, sizeof(*links));
	CLEANUP(free_pointer)
	struct observed_node *nodes = calloc(plan->node_count + 1, sizeof(*nodes));
	CLEANUP(free_pointer) char *path = folder_fresh(&lab->folder, "capture.pcapng");
	if (!links || !nodes || !path)
		return out_of_memory(error);
	describe_links(lab, links);
	for (size_t i = 0; i < plan->node_count; i++)
		nodes[i] =
			(struct observed_node){plan->nodes[i].node->name, lab->fabric.netns_fds[i]};
	if (capture) {
		lab->capture_fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
		if (lab->capture_fd < 0)
			return error_system(error, -errno, "cannot write '%s'", path);
	}
	struct observer_setup setup = {.links = links,
		.link_count = capture ? plan->link_count : 0,
		.nodes = nodes,
		.node_count = plan->node_count,
		.capture_fd = lab->capture_fd,
		.capture_limit = CAPTURE_MOST,
		.application = "sim"};
	int status = observer_start(&setup, &lab->observer, error);
	if (status < 0)
		return status;
	lab->observed = false;
	lab->observer_event = event_new(
		lab->base, observer_fd(&lab->observer), EV_READ | EV_PERSIST, lab_on_facts, lab);
	return lab->observer_event && event_add(lab->observer_event, NULL) == 0
		       ? 0
		       : out_of_memory(error);
}

int lab_up(struct lab *lab, struct error *error)
{
	lab->init = LAB_INIT_NONE;
	lab->capture_fd = -1;
	lab->observed = true;
	lab->rooms = calloc(lab->plan->node_count + 1, sizeof(*lab->rooms));
	lab->timer = evtimer_new(lab->base, lab_on_timer, NULL);
	if (!lab->rooms || !lab->timer)
		return out_of_memory(error);
	for (size_t i = 0; i < lab->plan->node_count; i++)
		lab->rooms[i] = ROOM_NONE;
	int status = lab->unobserved ? 0 : facts_open(lab->plan, &lab->folder, &lab->files, error);
	if (status == 0)
		status = lab_init_start(&lab->init, error);
	uint64_t before_ns = clock_monotonic_ns();
	if (status == 0)
		status = fabric_build(lab->plan, &lab->fabric, error);
	lab->result->build_ns = clock_monotonic_ns() - before_ns;
	return status < 0 || lab->unobserved ? status : lab_observe(lab, error);
}

static void lab_changed(void *argument)
{
	(void)argument; /* the loop has woken, which is all that lab_turn()'s callers need */
}

static int lab_room(struct lab *lab, size_t node, struct error *error)
{
	if (lab->rooms[node].mntns_fd >= 0)
		return 0;
	struct room_setup setup = {.init = &lab->init,
		.netns_fd = lab->fabric.netns_fds[node],
		.host_name = lab->plan->nodes[node].node->name,
		.hosts = lab->plan->hosts,
		.kept = lab->kept};
	return room_create(&setup, &lab->rooms[node], error);
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
	bool first = lab->rooms[node].mntns_fd < 0;
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

static int lab_process_start(struct lab *lab, struct starting *starting, struct error *error)
{
	struct folder directory;
	int status = lab_directory(lab, starting->node, &directory, error);
	if (status == 0)
		status = lab_room(lab, starting->node, error);
	if (status < 0)
		return status;
	CLEANUP(close_fd)
	int directory_fd = open(directory.path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(environment_free)
	char **environment =
		lab_environment(lab, lab->plan->nodes[starting->node].node, starting->environment);
	if (!environment || !environment[0] || !environment[1])
		return out_of_memory(error);
	struct process_setup *setup = &starting->setup;
	setup->init = &lab->init;
	setup->room = &lab->rooms[starting->node];
	setup->environment = environment;
	setup->directory_fd = directory_fd;
	setup->directory_path = directory.path;
	return process_start(
		lab->base, setup, starting->changed, starting->argument, starting->process, error);
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
			.keep_input = command->keep_input,
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

struct lab_process *lab_find(const struct lab *lab, size_t node, const char *name)
{
	for (size_t i = lab->process_count; i-- > 0;)
		if (lab->processes[i]->node == node && strcmp(lab->processes[i]->name, name) == 0)
			return lab->processes[i];
	return NULL;
}

static bool lab_any_running(const struct lab *lab)
{
	for (size_t i = 0; i < lab->process_count; i++)
		if (lab->processes[i]->process.running)
			return true;
	return false;
}

/*
 * Asked first, so that servers close their databases; what does not listen is killed. All of them
 * are reaped here, which the end of the lab's init waits for.
 */
static void lab_stop_processes(struct lab *lab)
{
	uint64_t until_ns = clock_monotonic_ns() + GRACE_MS * NS_PER_MS;
	for (size_t i = 0; i < lab->process_count; i++)
		process_signal(&lab->processes[i]->process, SIGTERM);
	while (lab_any_running(lab) && clock_monotonic_ns() < until_ns)
		lab_turn(lab, until_ns);
	for (size_t i = 0; i < lab->process_count; i++)
		process_end(&lab->processes[i]->process);
}

static void lab_stop_observer(struct lab *lab)
{
	uint64_t until_ns = clock_monotonic_ns() + DRAIN_MS * NS_PER_MS;
	if (!lab->observed)
		observer_stop(&lab->observer);
	while (!lab->observed && clock_monotonic_ns() < until_ns)
		lab_turn(lab, until_ns);
	if (!lab->observed)
		error_set(
			&lab->failed, -ETIME, "the observer did not finish within %d ms", DRAIN_MS);
}

static void lab_free(struct lab *lab)
{
	for (size_t i = 0; i < lab->process_count; i++) {
		if (!lab->processes[i])
			continue;
		process_finish(&lab->processes[i]->process);
		free(lab->processes[i]->name);
		free(lab->processes[i]->log);
		free(lab->processes[i]);
	}
	free(lab->processes);
	for (size_t i = 0; lab->rooms && i < lab->plan->node_count; i++)
		room_close(&lab->rooms[i]);
	free(lab->rooms);
	if (lab->observer_event)
		event_free(lab->observer_event);
	if (lab->timer)
		event_free(lab->timer);
	close_fd(&lab->capture_fd);
}

int lab_down(struct lab *lab, struct error *error)
{
	lab_stop_processes(lab);
	lab_stop_observer(lab);
	lab_init_stop(&lab->init);
	for (size_t i = 0; i < lab->process_count; i++)
		if (lab->processes[i]->process.log_error && !lab->failed.code)
			error_system(&lab->failed, lab->processes[i]->process.log_error,
				"cannot write '%s/%s'", lab->folder.path, lab->processes[i]->log);
	struct error unwritten;
	if (facts_close(&lab->files, &unwritten) < 0 && !lab->failed.code)
		lab->failed = unwritten;
	lab_free(lab);
	observer_finish(&lab->observer);
	if (lab->failed.code)
		return error_set(error, lab->failed.code, "%s", lab->failed.text);
	return 0;
}
