#include "programs/ftp/control_job.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "ftp/ascii.h"
#include "programs/ftp/control_parts.h"
#include "programs/ftp/service.h"

enum { CHUNK_BYTES = 64 * 1024, COPY_BYTES = 16 * 1024 * 1024 };

enum job_kind { JOB_VERIFY, JOB_MEASURE, JOB_SEEK, JOB_BEGIN };

struct control_job {
	struct worker_job job; /* first: a job is its worker_job */
	struct control *control; /* borrowed, the loop's to look at; NULL: nobody waits any more */
	enum job_kind kind;
	/* JOB_VERIFY */
	struct accounts *accounts; /* held */
	const char *hash; /* of those */
	char *secret; /* owned */
	struct event *late; /* owned: the answer is held back */
	/* The others: descriptors are owned, and the thread's own. */
	int from, to;
	uint64_t restart_bytes;
	bool ascii, draft_was_kept;
	atomic_bool unwanted; /* nobody waits any more: the thread need not go on */
	/* What came of it. */
	enum ftp_outcome outcome;
	uint64_t size_bytes;
	off_t place;
	bool within_line_end; /* the place is between a CR and its LF */
};

static void job_free(struct control_job *job)
{
	if (job->control)
		job->control->job = NULL;
	if (job->secret)
		explicit_bzero(job->secret, strlen(job->secret));
	if (job->late)
		event_free(job->late);
	free(job->secret);
	accounts_release(&job->accounts);
	close_fd(&job->from);
	close_fd(&job->to);
	free(job);
}

/* --- in a thread --- */

static void run_verify(struct control_job *job)
{
	bool right = accounts_verify(job->accounts, job->hash, job->secret);
	job->outcome = right ? FTP_OUTCOME_DONE : FTP_OUTCOME_WRONG;
}

static enum ftp_outcome outcome_of_read(ssize_t got)
{
	return got < 0 ? FTP_OUTCOME_LOCAL_ERROR : FTP_OUTCOME_DONE;
}

static void run_measure(struct control_job *job)
{
	char chunk[CHUNK_BYTES];
	ssize_t got = 0;
	while (!job->unwanted && (got = read(job->from, chunk, sizeof(chunk))) > 0) {
		uint64_t wire_bytes = UINT64_MAX;
		ftp_ascii_cover(chunk, (size_t)got, &wire_bytes);
		job->size_bytes += UINT64_MAX - wire_bytes;
	}
	job->outcome = outcome_of_read(got);
}

/* How far restart_bytes of the wire reach into the file. */
static void find_place(struct control_job *job)
{
	char chunk[CHUNK_BYTES];
	uint64_t left = job->restart_bytes;
	off_t place = 0;
	ssize_t got = 0;
	bool whole = true;
	while (left > 0 && whole && !job->unwanted &&
		(got = pread(job->from, chunk, sizeof(chunk), place)) > 0) {
		size_t covered = ftp_ascii_cover(chunk, (size_t)got, &left);
		place += (off_t)covered;
		whole = covered == (size_t)got;
	}
	job->outcome = outcome_of_read(got);
	if (job->outcome == FTP_OUTCOME_DONE && left > 0 && whole)
		job->outcome = FTP_OUTCOME_BEYOND_END;
	job->within_line_end = left > 0;
	job->place = place;
}

static void run_seek(struct control_job *job)
{
	find_place(job);
	if (job->outcome == FTP_OUTCOME_DONE && lseek(job->from, job->place, SEEK_SET) < 0)
		job->outcome = FTP_OUTCOME_LOCAL_ERROR;
}

/* `place` bytes of the former file, or all where that is -1. */
static enum ftp_outcome copy_beginning(struct control_job *job)
{
	struct stat former;
	if (fstat(job->from, &former) < 0)
		return FTP_OUTCOME_LOCAL_ERROR;
	off_t left = job->place < 0 ? former.st_size : job->place, in = 0, out = 0;
	if (left > former.st_size)
		return FTP_OUTCOME_BEYOND_END;
	while (left > 0 && !job->unwanted) {
		/* A file system that can shares the bytes instead of copying them. */
		size_t part = left < COPY_BYTES ? (size_t)left : COPY_BYTES;
		ssize_t copied = copy_file_range(job->from, &in, job->to, &out, part, 0);
		if (copied < 0 && errno != EINTR)
			return store_outcome(-errno);
		if (copied == 0)
			return FTP_OUTCOME_LOCAL_ERROR; /* it was cut in this moment */
		if (copied > 0)
			left -= copied;
	}
	return lseek(job->to, out, SEEK_SET) < 0 ? FTP_OUTCOME_LOCAL_ERROR : FTP_OUTCOME_DONE;
}

/* A kept draft is there already: only what lies behind the place goes. */
static enum ftp_outcome cut_draft(struct control_job *job)
{
	struct stat draft;
	if (fstat(job->to, &draft) < 0)
		return FTP_OUTCOME_LOCAL_ERROR;
	off_t place = job->place < 0 ? draft.st_size : job->place;
	if (place > draft.st_size)
		return FTP_OUTCOME_BEYOND_END;
	if (ftruncate(job->to, place) < 0 || lseek(job->to, place, SEEK_SET) < 0)
		return FTP_OUTCOME_LOCAL_ERROR;
	return FTP_OUTCOME_DONE;
}

static void run_begin(struct control_job *job)
{
	job->place = (off_t)job->restart_bytes;
	if (job->restart_bytes == UINT64_MAX)
		job->place = -1;
	else if (job->ascii)
		find_place(job);
	if (job->outcome == FTP_OUTCOME_DONE)
		job->outcome = job->draft_was_kept ? cut_draft(job) : copy_beginning(job);
}

static void job_run(struct worker_job *worker_job)
{
	static void (*const runs[])(struct control_job *) = {
		[JOB_VERIFY] = run_verify,
		[JOB_MEASURE] = run_measure,
		[JOB_SEEK] = run_seek,
		[JOB_BEGIN] = run_begin,
	};
	struct control_job *job = (struct control_job *)worker_job;
	runs[job->kind](job);
}

/* --- in the loop --- */

static void job_answer(struct control_job *job)
{
	struct control *control = job->control;
	struct ftp_event answer = {
		.kind = FTP_EVENT_ANSWER,
		.outcome = job->outcome,
		.size_bytes = job->size_bytes,
	};
	if (!control) {
		job_free(job);
		return;
	}
	if (job->kind == JOB_VERIFY && job->outcome == FTP_OUTCOME_DONE) {
		answer.rights = control->account->rights;
		control->service->counters.logins++;
	}
	if (job->kind == JOB_BEGIN)
		answer.name = control->sink.draft.name;
	/* The other half of a line's end comes next. */
	if (job->within_line_end && job->kind == JOB_SEEK)
		control->transfer.skip_bytes = 1;
	if (job->within_line_end && job->kind == JOB_BEGIN)
		control->transfer.decoder.held_cr = true;
	job_free(job);
	control_answer(control, &answer);
}

static void job_is_late(evutil_socket_t fd, short what, void *argument)
{
	(void)fd, (void)what;
	job_answer(argument);
}

/* Hold a wrong password's answer back; false where it cannot be. */
static bool job_hold_back(struct control_job *job)
{
	struct control *control = job->control;
	struct service *service = control->service;
	uint64_t delay_ns =
		guesses_wrong(&service->guesses, &control->session.peer, clock_monotonic_ns());
	struct timeval delay = clock_timeval(delay_ns);
	log_line("%s gives a wrong name or password", control->guest.name);
	job->late = evtimer_new(service->base, job_is_late, job);
	return job->late && evtimer_add(job->late, &delay) == 0;
}

static void job_done(struct worker_job *worker_job)
{
	struct control_job *job = (struct control_job *)worker_job;
	bool wrong = job->kind == JOB_VERIFY && job->outcome == FTP_OUTCOME_WRONG;
	if (!job->control || !wrong || !job_hold_back(job))
		job_answer(job);
}

static struct control_job *job_new(struct control *control, enum job_kind kind)
{
	struct control_job *job = calloc(1, sizeof(*job));
	if (!job)
		return NULL;
	*job = (struct control_job){
		.job = {.run = job_run, .done = job_done},
		.control = control,
		.kind = kind,
		.from = -1,
		.to = -1,
		.ascii = control->session.type == FTP_TYPE_ASCII,
	};
	control->job = job;
	return job;
}

static bool job_submit(struct control_job *job)
{
	struct service *service = job->control->service;
	/* Who waits for a log-in does not wait for somebody's large file. */
	worker_submit(job->kind == JOB_VERIFY ? service->checker : service->worker, &job->job);
	return true;
}

bool control_job_verify(struct control *control, const char *secret)
{
	struct control_job *job = job_new(control, JOB_VERIFY);
	if (!job)
		return false;
	job->accounts = accounts_hold(control->accounts);
	job->hash = control->account ? control->account->hash : NULL;
	job->secret = strdup(secret);
	if (job->secret)
		return job_submit(job);
	job_free(job);
	return false;
}

bool control_job_measure(struct control *control, int take_file)
{
	struct control_job *job = job_new(control, JOB_MEASURE);
	if (!job) {
		close(take_file);
		return false;
	}
	job->from = take_file;
	return job_submit(job);
}

/* Descriptors of the thread's own: the control may go before it is done. */
static bool job_take_files(struct control_job *job, int from, int to)
{
	job->from = from < 0 ? -1 : fcntl(from, F_DUPFD_CLOEXEC, 0);
	job->to = to < 0 ? -1 : fcntl(to, F_DUPFD_CLOEXEC, 0);
	if ((from < 0 || job->from >= 0) && (to < 0 || job->to >= 0))
		return job_submit(job);
	job_free(job);
	return false;
}

bool control_job_seek(struct control *control, uint64_t restart_bytes)
{
	struct control_job *job = job_new(control, JOB_SEEK);
	if (!job)
		return false;
	job->restart_bytes = restart_bytes;
	return job_take_files(job, control->source, -1);
}

bool control_job_begin(struct control *control)
{
	const struct store_sink *sink = &control->sink;
	struct control_job *job = job_new(control, JOB_BEGIN);
	if (!job)
		return false;
	job->restart_bytes = sink->restart_bytes;
	job->draft_was_kept = sink->former_is_draft;
	/* Of a kept draft the place is looked for in itself. */
	return job_take_files(
		job, sink->former_is_draft ? sink->draft.fd : sink->former, sink->draft.fd);
}

void control_job_forget(struct control *control)
{
	struct control_job *job = TAKE(control->job);
	if (!job)
		return;
	job->control = NULL;
	job->unwanted = true;
	/* No thread has one that is held back. */
	if (job->late)
		job_free(job);
}
