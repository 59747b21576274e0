/*
 * A lab: one topology standing in the kernel, observed, with its services running. Built for one
 * scenario and taken down after it.
 *
 * Who owns what: the lab owns its namespaces, processes, observer and open files. The plan, the
 * loop and the folder outlive it. Facts go to the scenario's files and into its result as they
 * come.
 */
#ifndef LAB_LAB_H
#define LAB_LAB_H

#include "base/progress.h"
#include "kernel/fabric.h"
#include "lab/bounds.h"
#include "observe/observer.h"
#include "process/process.h"
#include "results/facts.h"
#include "results/folder.h"
#include "scenario/result.h"

struct event;
struct event_base;

/* A command in a node, with the name it goes by. */
struct lab_process {
	size_t node;
	char *name;
	char *log; /* relative to the scenario's folder: "logs/server.dhcp.log" */
	bool service; /* of the topology: it should run until the end */
	bool brought; /* by --set: not the topology's own program */
	bool stopped; /* by a step: it may have ended */
	struct process process;
};

/* A network namespace that a node will have when it is switched off. */
struct lab_spare {
	size_t node;
	bool used;
};

struct lab {
	const struct plan *plan;
	struct event_base *base;
	const char *const *kept; /* directories that nodes see wherever they lie: NULL-terminated */
	struct folder folder; /* the scenario's */
	const char *
		nodes; /* where nodes work: a folder that is there; NULL: nodes/ in the scenario's */
	const struct cell *cell; /* where what --set brought runs; NULL: free in its node */
	bool bounds_told; /* what cannot be held here was said of a lab before */
	bool unobserved; /* no capture, no facts: nothing that grows as long as the lab stands */
	struct scenario_result *result;
	const bool *interrupted; /* a signal came: nothing is waited for any more */
	void (*tick)(void *argument); /* after each turn of the loop; may be NULL */
	void *tick_argument;
	struct progress progress; /* of what takes long with many nodes */

	struct lab_init init;
	struct fabric fabric;
	struct bounds bounds; /* of what runs; none in a lab with a cell, which has its own */
	bool *rooms; /* by node: whether it is made, as it is when something first runs there */
	bool *stopped; /* by node: switched off by a step */
	struct lab_spare *spares; /* namespaces for nodes that will be; numbers behind the nodes' */
	size_t spare_count;
	struct lab_process **processes;
	size_t process_count;
	struct event *timer; /* ends a turn of the loop */
	struct reaper reaper;
	int silence[2]; /* a pipe into which nothing is written: input that stays open */
	struct observer observer;
	struct event *observer_event;
	struct facts_files files;
	int capture_fd;
	size_t *captured; /* links of the plan, by the numbers they have in the capture */
	bool observed; /* the observer has told its last fact, or was never there */
	struct error failed; /* of the observer; code 0: none */
};

/*
 * Build the topology and start the observer. Fields up to `progress` are the caller's; the
 * others must be zero. Fails where the system refuses. On failure too, lab_down() follows.
 */
int lab_up(struct lab *lab, struct error *error);

/*
 * Stop the processes, take what the observer still has, and remove everything but lab->fabric, now
 * empty namespaces: fabric_finish() is the caller's. Returns what went wrong with the observation or
 * its files.
 */
int lab_down(struct lab *lab, struct error *error);

struct lab_command {
	size_t node;
	bool brought; /* by --set */
	bool service;
	const char *name; /* its log is logs/NODE.NAME.log */
	char *const *words;
	struct ready ready;
	bool keep_input; /* its standard input stays open, with nothing to read ... */
	bool sent_to; /* ... but what process_send() sends */
};

/*
 * Start a command in a node. -ENOEXEC: it cannot be run. The process is the lab's.
 */
int lab_start(struct lab *lab, const struct lab_command *command, struct lab_process **ret_process,
	struct error *error);

/* A command in a node that is somebody else's to wait for, with that one's input and output. */
struct lab_visit {
	size_t node;
	char *const *words;
	const int *descriptors; /* three */
	int terminal; /* of them, or -1 */
	char *const *environment; /* NAME=VALUE besides the node's, NULL-terminated */
	void (*changed)(void *argument); /* process_start() */
	void *argument;
};

/*
 * Start it. -ENOEXEC: it cannot be run. *process is the caller's, and finished before lab_down(),
 * which waits for the end of all that runs in the lab.
 */
int lab_start_visit(struct lab *lab, const struct lab_visit *visit, struct process *process,
	struct error *error);

/* The working directory of a node, on the heap; NULL when memory is gone. */
char *lab_node_path(const struct lab *lab, const char *node);

/* The newest process of that name in a node, or NULL. */
struct lab_process *lab_find(const struct lab *lab, size_t node, const char *name);

/*
 * Run the loop until something happened or it is `until_ns` (CLOCK_MONOTONIC). Returns false when
 * the run was interrupted: the caller stops waiting.
 */
bool lab_turn(struct lab *lab, uint64_t until_ns);

#endif
