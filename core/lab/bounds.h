/*
 * What runs in a lab, held within bounds: how many processes there may be at once, and the processor
 * time and memory of nodes that have such limits. By control groups (process/group.h) where this
 * machine lets us make them; the number of processes else by a limit of the user, which holds
 * everybody but root. What cannot be held is told.
 */
#ifndef LAB_BOUNDS_H
#define LAB_BOUNDS_H

#include "kernel/fabric.h"
#include "plan/plan.h"
#include "process/group.h"

enum { BOUNDS_PROCESSES = 1024, BOUNDS_PROCESSES_OF_NODE = 64 };

struct bounds {
	const struct plan *plan; /* NULL: there are none */
	struct group whole;
	struct group *parts; /* by node; a copy of GROUP_NONE where it has no limits of its own */
	unsigned processes; /* the most at once, threads too */
	uint64_t user_processes; /* RLIMIT_NPROC of what is started; 0: it stays as it is */
	uint64_t refused; /* as group_refused() said last */
	bool reached; /* the number of processes was */
};

/* Make them. What the machine does not let us make is no failure. */
int bounds_open(const struct plan *plan, struct bounds *ret_bounds, struct error *error);

/* The group that what is started in a node joins, or NULL. */
const struct group *bounds_group(const struct bounds *bounds, size_t node);

/* What this machine cannot hold of it, a sentence; empty where it can. */
void bounds_describe(const struct bounds *bounds, struct text *text);

/*
 * Whether the most processes were there since this was asked last: to be asked while what may have
 * started them still runs. *ret_node: where most of them are, or SIZE_MAX.
 */
bool bounds_reached(struct bounds *bounds, const struct fabric *fabric, size_t *ret_node);

/* How many processes of the node the kernel ended because they wanted more memory. */
uint64_t bounds_starved(const struct bounds *bounds, size_t node);

/* Remove them, when nothing runs any more. None are fine. */
void bounds_close(struct bounds *bounds);

/* The same question before a lab is built: for `sim validate`. Empty where nothing is asked for. */
void bounds_foresee(const struct plan *plan, struct text *text);

#endif
