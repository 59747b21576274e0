/*
 * Work that takes its time (a password's check, the copy of a large file) beside the event loop:
 * a few threads take jobs in their order, and each job's end is told from the loop. A long job is
 * done turn by turn: what it has not done yet waits behind the others.
 *
 * A job is embedded in what it works on. Between worker_submit() and `done` all of that belongs to
 * the thread: the loop may only mark, in a field that the thread does not read, that nobody is
 * interested any more.
 */
#ifndef PROGRAMS_FTP_WORKER_H
#define PROGRAMS_FTP_WORKER_H

#include <event2/event.h>
#include <stdbool.h>

#include "base/error.h"

enum { WORKER_THREADS_MAX = 8 };

struct worker_job {
	bool (*run)(struct worker_job *job); /* a turn, in a thread: whether the job is done */
	void (*done)(struct worker_job *job); /* in the loop; it may free the job */
	struct worker_job *next; /* private */
};

struct worker;

/*
 * Start `threads` (1 to WORKER_THREADS_MAX) threads that report to `base`. Call it after privileges
 * are given up: a thread has what its maker has at that moment.
 */
int worker_create(
	struct event_base *base, unsigned threads, struct worker **ret_worker, struct error *error);

/* Ends the threads after the turn each is at; jobs not yet done are told none the less. */
void worker_destroy(struct worker **worker);

void worker_submit(struct worker *worker, struct worker_job *job);

#endif
