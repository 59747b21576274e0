/*
 * Between control_job.c, which gives work to the threads and takes its answers, and
 * control_job_run.c, which is what they do. For nobody else.
 */
#ifndef PROGRAMS_FTP_CONTROL_JOB_PARTS_H
#define PROGRAMS_FTP_CONTROL_JOB_PARTS_H

#include <stdatomic.h>
#include <sys/types.h>

#include "programs/ftp/accounts.h"
#include "programs/ftp/worker.h"

struct control;

enum job_kind { JOB_VERIFY, JOB_MEASURE, JOB_SEEK, JOB_BEGIN, JOB_LIST };

struct control_job {
	struct worker_job job; /* first: a job is its worker_job */
	struct control *control; /* borrowed, the loop's to look at; NULL: nobody waits any more */
	enum job_kind kind;
	struct accounts *accounts; /* held: JOB_VERIFY and JOB_LIST look into them */
	/* JOB_VERIFY */
	const char *hash; /* of those */
	char *secret; /* owned */
	struct event *late; /* owned: the answer is held back */
	/* JOB_LIST */
	struct store_list *list; /* owned */
	size_t list_bytes; /* the piece that is wanted */
	struct ftp_listing_entry entry; /* of the path that is listed, where that is asked for */
	struct text text; /* owned: what came of it */
	/* The others: descriptors are owned, and the thread's own. */
	int from, to;
	uint64_t restart_bytes;
	bool ascii, draft_was_kept;
	atomic_bool unwanted; /* nobody waits any more: the thread need not go on */
	/* Where a turn has left off. */
	bool placed; /* `place` is what was looked for */
	uint64_t wire_left; /* of restart_bytes, behind `place` */
	off_t copied;
	/* What came of it. */
	enum ftp_outcome outcome;
	uint64_t size_bytes;
	off_t place;
	bool within_line_end; /* the place is between a CR and its LF */
};

/* In a thread: a turn of the job. Returns whether it is done. */
bool control_job_run(struct worker_job *job);

#endif
