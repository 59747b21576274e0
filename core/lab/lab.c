#include "lab/lab.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "lab/act_node.h"
#include "lab/lab_notes.h"
#include "lab/lab_parts.h"

enum {
	TICK_MS = 100,
	GRACE_MS = 1000, /* for processes to end by themselves */
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

/* While it is built no turn of the loop is taken: signals are looked for here. */
static bool lab_built(void *argument, const char *what, size_t done, size_t total)
{
	struct lab *lab = argument;
	event_base_loop(lab->base, EVLOOP_NONBLOCK);
	return progress_tell(&lab->progress, what, done, total) && !*lab->interrupted;
}

int lab_up(struct lab *lab, struct error *error)
{
	lab->init = LAB_INIT_NONE;
	lab->capture_fd = lab->silence[0] = lab->silence[1] = -1;
	lab->observed = true;
	lab->rooms = calloc(lab->plan->node_count + 1, sizeof(*lab->rooms));
	lab->timer = evtimer_new(lab->base, lab_on_timer, NULL);
	lab->stopped = calloc(lab->plan->node_count + 1, sizeof(*lab->stopped));
	if (!lab->rooms || !lab->stopped || !lab->timer)
		return out_of_memory(error);
	int status = lab->unobserved ? 0 : facts_open(lab->plan, &lab->folder, &lab->files, error);
	if (status == 0)
		status = lab_init_start(&lab->init, error);
	if (status == 0)
		status = reaper_start(lab->base, &lab->reaper, error);
	if (status == 0 && pipe2(lab->silence, O_CLOEXEC) < 0)
		status = error_system(error, -errno, "cannot create a pipe");
	struct progress building = {lab_built, lab};
	uint64_t before_ns = clock_monotonic_ns();
	if (status == 0)
		status = fabric_build(lab->plan, &building, &lab->fabric, error);
	lab->result->build_ns = clock_monotonic_ns() - before_ns;
	if (status == 0)
		status = lab_prepare_nodes(lab, error);
	if (status == 0 && !lab->cell)
		status = bounds_open(lab->plan, &lab->bounds, error);
	return status < 0 || lab->unobserved ? status : lab_observe(lab, error);
}

struct lab_process *lab_find(const struct lab *lab, size_t node, const char *name)
{
	for (size_t i = lab->process_count; i-- > 0;)
		if (lab->processes[i]->node == node && strcmp(lab->processes[i]->name, name) == 0)
			return lab->processes[i];
	return NULL;
}

static size_t lab_running(const struct lab *lab)
{
	size_t count = 0;
	for (size_t i = 0; i < lab->process_count; i++)
		count += lab->processes[i]->process.running;
	return count;
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
	for (size_t left; (left = lab_running(lab)) > 0 && clock_monotonic_ns() < until_ns;) {
		progress_tell(
			&lab->progress, "ended", lab->process_count - left, lab->process_count);
		lab_turn(lab, until_ns);
	}
	lab_note_deaf(lab, GRACE_MS);
	for (size_t i = 0; i < lab->process_count; i++)
		process_kill(&lab->processes[i]->process); /* all at once, then one by one */
	for (size_t i = 0; i < lab->process_count; i++)
		process_end(&lab->processes[i]->process);
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
	free(lab->rooms);
	free(lab->stopped);
	free(lab->spares);
	free(lab->captured);
	if (lab->observer_event)
		event_free(lab->observer_event);
	if (lab->timer)
		event_free(lab->timer);
	reaper_stop(&lab->reaper);
	close_fd(&lab->silence[0]);
	close_fd(&lab->silence[1]);
	close_fd(&lab->capture_fd);
}

int lab_down(struct lab *lab, struct error *error)
{
	lab_note_crowd(lab);
	lab_stop_processes(lab);
	lab_stop_observer(lab);
	lab_init_stop(&lab->init);
	lab_note_bounds(lab);
	bounds_close(&lab->bounds);
	for (size_t i = 0; i < lab->process_count; i++)
		if (lab->processes[i]->process.log.failure && !lab->failed.code)
			error_system(&lab->failed, lab->processes[i]->process.log.failure,
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
