/*
 * What the threads do for a control. A turn is short, so that nobody's listing waits for somebody
 * else's large file: what is not done then has its next turn behind the others.
 */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "ftp/ascii.h"
#include "programs/ftp/control_job_parts.h"

enum { CHUNK_BYTES = 64 * 1024, CHUNKS_A_TURN = 64, COPY_BYTES = 4 * 1024 * 1024 };

static bool job_fails(struct control_job *job, enum ftp_outcome outcome)
{
	job->outcome = outcome;
	return true;
}

static bool run_verify(struct control_job *job)
{
	bool right = accounts_verify(job->accounts, job->hash, job->secret);
	job->outcome = right ? FTP_OUTCOME_DONE : FTP_OUTCOME_WRONG;
	return true;
}

static bool run_measure(struct control_job *job)
{
	char chunk[CHUNK_BYTES];
	for (unsigned i = 0; i < CHUNKS_A_TURN && !job->unwanted; i++) {
		uint64_t wire_bytes = UINT64_MAX;
		ssize_t got = read(job->from, chunk, sizeof(chunk));
		if (got < 0)
			return job_fails(job, FTP_OUTCOME_LOCAL_ERROR);
		if (got == 0)
			return true;
		ftp_ascii_cover(chunk, (size_t)got, &wire_bytes);
		job->size_bytes += UINT64_MAX - wire_bytes;
	}
	return job->unwanted;
}

/* How far restart_bytes of the wire reach into the file. */
static bool find_place(struct control_job *job)
{
	char chunk[CHUNK_BYTES];
	for (unsigned i = 0; i < CHUNKS_A_TURN && job->wire_left > 0 && !job->unwanted; i++) {
		ssize_t got = pread(job->from, chunk, sizeof(chunk), job->place);
		if (got < 0)
			return job_fails(job, FTP_OUTCOME_LOCAL_ERROR);
		if (got == 0)
			return job_fails(job, FTP_OUTCOME_BEYOND_END);
		size_t covered = ftp_ascii_cover(chunk, (size_t)got, &job->wire_left);
		job->place += (off_t)covered;
		job->within_line_end = covered < (size_t)got && job->wire_left > 0;
		if (job->within_line_end)
			break;
	}
	job->placed = job->wire_left == 0 || job->within_line_end;
	return job->placed || job->unwanted;
}

static bool run_seek(struct control_job *job)
{
	if (!find_place(job))
		return false;
	if (job->outcome == FTP_OUTCOME_DONE && lseek(job->from, job->place, SEEK_SET) < 0)
		job->outcome = FTP_OUTCOME_LOCAL_ERROR;
	return true;
}

/* `place` bytes of the former file, or all where that is -1. */
static bool copy_beginning(struct control_job *job)
{
	struct stat former;
	off_t in = job->copied, out = job->copied;
	if (fstat(job->from, &former) < 0)
		return job_fails(job, FTP_OUTCOME_LOCAL_ERROR);
	off_t end = job->place < 0 ? former.st_size : job->place;
	if (end > former.st_size)
		return job_fails(job, FTP_OUTCOME_BEYOND_END);
	if (job->copied < end) {
		/* A file system that can shares the bytes instead of copying them. */
		size_t part = end - in < COPY_BYTES ? (size_t)(end - in) : COPY_BYTES;
		ssize_t copied = copy_file_range(job->from, &in, job->to, &out, part, 0);
		if (copied < 0 && errno != EINTR)
			return job_fails(job, store_outcome(-errno));
		if (copied == 0) /* it was cut in this moment */
			return job_fails(job, FTP_OUTCOME_LOCAL_ERROR);
		job->copied = in;
	}
	if (job->copied < end)
		return job->unwanted;
	if (lseek(job->to, job->copied, SEEK_SET) < 0)
		job->outcome = FTP_OUTCOME_LOCAL_ERROR;
	return true;
}

/* A kept draft is there already: only what lies behind the place goes. */
static bool cut_draft(struct control_job *job)
{
	struct stat draft;
	if (fstat(job->to, &draft) < 0)
		return job_fails(job, FTP_OUTCOME_LOCAL_ERROR);
	off_t place = job->place < 0 ? draft.st_size : job->place;
	if (place > draft.st_size)
		return job_fails(job, FTP_OUTCOME_BEYOND_END);
	if (ftruncate(job->to, place) < 0 || lseek(job->to, place, SEEK_SET) < 0)
		job->outcome = FTP_OUTCOME_LOCAL_ERROR;
	return true;
}

/* Where the client goes on is counted on the wire, which in TYPE A is another place in the file. */
static bool run_begin(struct control_job *job)
{
	bool all = job->restart_bytes == UINT64_MAX;
	if (!job->placed && job->ascii && !all) {
		if (!find_place(job))
			return false;
		if (job->outcome != FTP_OUTCOME_DONE)
			return true;
	} else if (!job->placed) {
		job->place = all ? -1 : (off_t)job->restart_bytes;
		job->placed = true;
	}
	return job->draft_was_kept ? cut_draft(job) : copy_beginning(job);
}

static bool run_list(struct control_job *job)
{
	job->outcome = store_list_more(job->list, job->list_bytes, &job->unwanted, &job->text);
	return true;
}

bool control_job_run(struct worker_job *worker_job)
{
	static bool (*const runs[])(struct control_job *) = {
		[JOB_VERIFY] = run_verify,
		[JOB_MEASURE] = run_measure,
		[JOB_SEEK] = run_seek,
		[JOB_BEGIN] = run_begin,
		[JOB_LIST] = run_list,
	};
	struct control_job *job = (struct control_job *)worker_job;
	return runs[job->kind](job);
}
