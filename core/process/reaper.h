/*
 * The end of processes, without a descriptor for each: the kernel's one signal says that some child
 * has ended, and each that runs is asked. Asking all takes about a microsecond for each, so it is put
 * off by some times that: however many there are and however fast they end, it does not take all
 * of a processor.
 */
#ifndef PROCESS_REAPER_H
#define PROCESS_REAPER_H

#include <stddef.h>
#include <sys/queue.h>

#include "base/error.h"

struct event;
struct event_base;
struct process;

LIST_HEAD(process_list, process);

struct reaper {
	struct event_base *base;
	struct event *child, *look;
	struct process_list running; /* what process_start() has put there */
	size_t count;
};

/* Of a loop that is the only one of its process. It must stay where it is until reaper_stop(). */
int reaper_start(struct event_base *base, struct reaper *reaper, struct error *error);

/* When the last process is finished. A zeroed one is fine. */
void reaper_stop(struct reaper *reaper);

/* For process.c: one that runs; and one that runs no more. */
void reaper_add(struct reaper *reaper, struct process *process);
void reaper_remove(struct reaper *reaper, struct process *process);

#endif
