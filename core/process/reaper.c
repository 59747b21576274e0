#include "process/reaper.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>

#include "base/clock.h"
#include "process/process.h"

enum { REST_NS = 20000 }; /* for each process that runs */

static void on_child(evutil_socket_t number, short what, void *argument)
{
	struct reaper *reaper = argument;
	struct timeval rest = clock_timeval(reaper->count * REST_NS);
	(void)number, (void)what;
	if (!evtimer_pending(reaper->look, NULL))
		evtimer_add(reaper->look, &rest);
}

/* Who hears of an end may finish that process and others, so all are found before one is told. */
static void on_look(evutil_socket_t fd, short what, void *argument)
{
	struct reaper *reaper = argument;
	struct process_list ended = LIST_HEAD_INITIALIZER(ended);
	struct process *process, *next;
	(void)fd, (void)what;
	for (process = LIST_FIRST(&reaper->running); process; process = next) {
		next = LIST_NEXT(process, siblings);
		if (!process_reap(process))
			continue;
		LIST_INSERT_HEAD(&ended, process, siblings);
		process->listed = true;
	}
	while ((process = LIST_FIRST(&ended))) {
		LIST_REMOVE(process, siblings);
		process->listed = false;
		process->changed(process->argument);
	}
}

int reaper_start(struct event_base *base, struct reaper *reaper, struct error *error)
{
	*reaper = (struct reaper){.base = base, .running = LIST_HEAD_INITIALIZER()};
	reaper->child = evsignal_new(base, SIGCHLD, on_child, reaper);
	reaper->look = evtimer_new(base, on_look, reaper);
	return reaper->child && reaper->look && evsignal_add(reaper->child, NULL) == 0
		       ? 0
		       : error_set(error, -ENOMEM, "cannot wait for processes");
}

void reaper_stop(struct reaper *reaper)
{
	if (reaper->child)
		event_free(reaper->child);
	if (reaper->look)
		event_free(reaper->look);
	*reaper = (struct reaper){0};
}

void reaper_add(struct reaper *reaper, struct process *process)
{
	LIST_INSERT_HEAD(&reaper->running, process, siblings);
	process->listed = true;
	reaper->count++;
}

void reaper_remove(struct reaper *reaper, struct process *process)
{
	LIST_REMOVE(process, siblings);
	process->listed = false;
	reaper->count--;
}
