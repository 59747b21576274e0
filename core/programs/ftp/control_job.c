#include "programs/ftp/control_job.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "programs/ftp/control_job_parts.h"
#include "programs/ftp/control_parts.h"
#include "programs/ftp/service.h"

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
	store_list_free(&job->list);
	text_finish(&job->text);
	close_fd(&job->from);
	close_fd(&job->to);
	free(job);
}

/* Of a STAT all must be there at once. */
static void job_answer_status(struct control_job *job, struct ftp_event *answer)
{
	struct text *lines = &job->control->lines;
	text_finish(lines);
	*lines = job->text;
	job->text = (struct text){0};
	if (job->outcome == FTP_OUTCOME_DONE && !store_list_ended(job->list))
		answer->outcome = FTP_OUTCOME_TOO_LARGE;
	answer->entry = job->entry;
	answer->text = text_view(lines);
	answer->length = lines->length;
}

static void job_answer_listing(struct control_job *job)
{
	struct control *control = job->control;
	transfer_prepare_text(&control->transfer, &job->text);
	control->transfer.goes_on = !store_list_ended(job->list);
	if (control->transfer.goes_on)
		control->listing = TAKE(job->list);
}

/* A further piece of a listing that moves. */
static void job_go_on(struct control_job *job)
{
	struct control *control = job->control;
	bool goes_on = !store_list_ended(job->list);
	enum ftp_outcome outcome = job->outcome;
	struct text text = job->text;
	job->text = (struct text){0};
	if (goes_on)
		control->listing = TAKE(job->list);
	job_free(job);
	if (outcome == FTP_OUTCOME_DONE)
		transfer_more(&control->transfer, &text, goes_on);
	else
		transfer_end(&control->transfer, outcome);
	text_finish(&text);
}

static void job_answer(struct control_job *job)
{
	struct control *control = job->control;
	struct ftp_event answer = {
		.kind = FTP_EVENT_ANSWER,
		.outcome = job->outcome,
		.size_bytes = job->size_bytes,
	};
	if (job->kind == JOB_VERIFY && job->outcome == FTP_OUTCOME_DONE) {
		answer.rights = control->account->rights;
		control->service->counters.logins++;
	}
	if (job->kind == JOB_LIST && control->session.asked == FTP_STAT)
		job_answer_status(job, &answer);
	else if (job->kind == JOB_LIST && job->outcome == FTP_OUTCOME_DONE)
		job_answer_listing(job);
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
	if (!job->control)
		job_free(job);
	else if (job->control->session.state == FTP_SESSION_TRANSFER)
		job_go_on(job);
	else if (!wrong || !job_hold_back(job))
		job_answer(job);
}

static struct control_job *job_new(struct control *control, enum job_kind kind)
{
	struct control_job *job = calloc(1, sizeof(*job));
	if (!job)
		return NULL;
	*job = (struct control_job){
		.job = {.run = control_job_run, .done = job_done},
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
	job->restart_bytes = job->wire_left = restart_bytes;
	return job_take_files(job, control->source, -1);
}

bool control_job_begin(struct control *control)
{
	const struct store_sink *sink = &control->sink;
	struct control_job *job = job_new(control, JOB_BEGIN);
	if (!job)
		return false;
	job->restart_bytes = job->wire_left = sink->restart_bytes;
	job->draft_was_kept = sink->former_is_draft;
	/* Of a kept draft the place is looked for in itself. */
	return job_take_files(
		job, sink->former_is_draft ? sink->draft.fd : sink->former, sink->draft.fd);
}

bool control_job_list(struct control *control, struct store_list *take_list, size_t bytes)
{
	CLEANUP(store_list_free) struct store_list *list = take_list;
	struct control_job *job = list ? job_new(control, JOB_LIST) : NULL;
	if (!job)
		return false;
	/* What is listed is the account's. */
	job->accounts = accounts_hold(control->accounts);
	job->list = TAKE(list);
	job->list_bytes = bytes;
	return job_submit(job);
}

bool control_job_status(struct control *control, struct store_list *take_list, size_t bytes,
	const struct ftp_listing_entry *entry)
{
	if (!control_job_list(control, take_list, bytes))
		return false;
	control->job->entry = *entry; /* no thread looks at it */
	return true;
}

/* --- of nobody --- */

struct ending {
	struct worker_job job; /* first */
	int fd; /* owned */
};

static bool run_ending(struct worker_job *job)
{
	close_fd(&((struct ending *)job)->fd);
	return true;
}

static void ending_done(struct worker_job *job)
{
	free(job);
}

void control_job_close(struct service *service, int take_fd)
{
	struct stat file;
	struct ending *ending = NULL;
	if (take_fd < 0)
		return;
	if (fstat(take_fd, &file) == 0 && file.st_nlink == 0 && file.st_size > DRAFT_LARGE_BYTES)
		ending = calloc(1, sizeof(*ending));
	if (!ending) {
		close(take_fd);
		return;
	}
	*ending = (struct ending){{.run = run_ending, .done = ending_done}, take_fd};
	worker_submit(service->worker, &ending->job);
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
