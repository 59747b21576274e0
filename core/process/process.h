/*
 * A command running in a node: its output into a log and into memory, its readiness, its exit. One
 * that runs costs its maker one descriptor, for its output; a second until it has said that it is
 * ready, where it is to say so, and one where it is sent something.
 *
 * The process is the caller's child and lives in the lab's PID namespace. Events come through the
 * caller's libevent loop; `changed` is called after each, and the fields below tell what is so.
 */
#ifndef PROCESS_PROCESS_H
#define PROCESS_PROCESS_H

#include <sys/types.h>

#include "base/text.h"
#include "process/cell.h"
#include "process/group.h"
#include "process/log_file.h"
#include "process/reaper.h"
#include "process/room.h"
#include "topology/model.h"

struct event;

struct process_setup {
	const struct lab_init *init;
	struct room room; /* where it runs: it has been made */
	char *const *words; /* NULL-terminated */
	char *const *environment; /* NAME=VALUE, NULL-terminated */
	int directory_fd; /* where it works; -1: only what the node sees under the name below */
	const char *directory_path; /* the same by name: for PWD */
	const char *log_path; /* everything it prints; appended. Unused with `descriptors` */
	bool keep_input; /* a pipe at its standard input, for process_send() */
	int input_fd; /* else its standard input; -1: /dev/null. The caller's */
	/*
	 * Or what somebody else's input, output and error are: three descriptors, that stay the
	 * caller's, and no log. NULL: the above.
	 */
	const int *descriptors;
	int terminal; /* of the three, the terminal that is to control it; -1 and NULL: none */
	const struct cell *cell; /* where it runs; NULL: free in the node */
	const struct group *group; /* that it joins, or NULL */
	uint64_t user_processes; /* RLIMIT_NPROC; 0: as the caller's */
	bool network; /* in a cell: it may change the node's addresses and routes */
	uint64_t log_most; /* bytes; 0: PROCESS_LOG_MOST */
	struct ready ready; /* borrowed for the life of the process */
};

struct process {
	pid_t pid;
	bool running;
	bool ready; /* as its setup says; stays true */
	int exit_status; /* once not running: the exit code, or 128 + the signal's number */
	uint64_t ended_ns; /* CLOCK_REALTIME */
	struct text output; /* its first and last PROCESS_OUTPUT_HALF bytes; NUL bytes as spaces */
	uint64_t output_bytes; /* all there were */

	/* Inside. */
	bool opened; /* the descriptors below are ours, or -1 */
	int output_fd, input_fd, notify_fd;
	struct log_file log;
	struct reaper *reaper;
	LIST_ENTRY(process) siblings;
	bool listed; /* it has some */
	struct ready ready_by;
	struct event *output_event, *notify_event;
	void (*changed)(void *argument);
	void *argument;
};

enum {
	PROCESS_OUTPUT_HALF = 512 * 1024,
	PROCESS_LOG_MOST =
		16 * 1024 * 1024, /* a log that is longer ends with a line that says so */
};

/*
 * Start it. Returns once the command's program runs, so a command that cannot be run is an error
 * here, and the only one that is -ENOEXEC. *process must stay where it is until process_finish().
 */
int process_start(struct reaper *reaper, const struct process_setup *setup,
	void (*changed)(void *argument), void *argument, struct process *process,
	struct error *error);

/*
 * Look at a port's or nothing's readiness again (READY_PORT has no event of its own).
 * Returns process->ready.
 */
bool process_poll_ready(struct process *process);

/* Write `text` to its standard input; needs keep_input. */
int process_send(struct process *process, const char *text, struct error *error);

/* For the reaper: whether it has ended since it was asked last. `changed` is the caller's to call. */
bool process_reap(struct process *process);

/* Forget its output: it has been judged. */
void process_forget_output(struct process *process);

/* Kill it and whatever else is in its session's first process group; nothing where it has ended. */
void process_kill(struct process *process);

/* The same with another signal. */
void process_signal_group(struct process *process, int signal);

/*
 * Whether it was stopped (SIGSTOP, Ctrl-Z) since this was asked last. There is no event of that: a
 * caller who wants to know waits for SIGCHLD.
 */
bool process_take_stop(struct process *process);

/* Send a signal; nothing happens where it has ended. */
void process_signal(struct process *process, int signal);

/* Kill it where it runs, and wait for its end. */
void process_end(struct process *process);

/* Kill it if it runs, and free everything. Zeroed ones are fine. */
void process_finish(struct process *process);

#endif
