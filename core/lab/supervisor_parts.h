/* What the files of the supervisor share. */
#ifndef LAB_SUPERVISOR_PARTS_H
#define LAB_SUPERVISOR_PARTS_H

#include <event2/event.h>

#include "base/json.h"
#include "lab/lab_control.h"
#include "lab/supervisor.h"
#include "observe/tap.h"

enum {
	VISITS_MOST = 1024, /* at once; more are refused */
	VISIT_GRACE_MS = 1000, /* for what somebody has left behind to end by itself */
};

/* Somebody who is connected, and what was started for him. */
struct visit {
	struct supervisor *supervisor;
	int fd;
	bool waits; /* for the end of the lab */
	bool may_enter; /* else he may look, and end it */
	bool terminal;
	size_t node;
	struct process process; /* zero: none yet */
	struct tap tap; /* likewise */
	struct event *readable, *grace, *tap_ended;
};

struct supervisor {
	struct lab *lab;
	struct registration *registration;
	bool *ending;
	uint64_t since_ns; /* CLOCK_REALTIME */
	uid_t caller; /* of sudo, or (uid_t)-1 */
	int listen_fd, watch_fd, init_fd;
	struct event *connected, *child, *moved, *init_ended;
	struct visit **visits;
	size_t visit_count;
	struct lab_control_packet packet; /* being answered */
};

/* What there is to know of the lab, as LIST asks for it (lab_control.h). */
json_t *supervisor_describe(const struct supervisor *supervisor, const char *what);

/* Answer a packet; false where the visit is over. */
bool visit_answer(struct visit *visit, struct lab_control_packet *packet);

/* The visitor has left: what was started for him is ended first. */
void visit_leave(struct visit *visit);

/* Close it, and forget it. */
void visit_drop(struct visit *visit);

/* Tell the visitor; false where that cannot be. */
bool visit_tell(
	struct visit *visit, enum lab_control_kind kind, const void *content, size_t length);

#endif
