#include "programs/ftp/worker.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/cleanup.h"

struct queue {
	struct worker_job *first, **end;
};

struct worker {
	pthread_t threads[WORKER_THREADS_MAX];
	unsigned thread_count;
	pthread_mutex_t mutex; /* of what follows */
	pthread_cond_t wanted;
	struct queue waiting, done;
	bool ending;
	int told; /* eventfd: `done` has something */
	struct event *event;
};

static void queue_put(struct queue *queue, struct worker_job *job)
{
	job->next = NULL;
	*queue->end = job;
	queue->end = &job->next;
}

static struct worker_job *queue_take(struct queue *queue)
{
	struct worker_job *job = queue->first;
	if (job && !(queue->first = job->next))
		queue->end = &queue->first;
	return job;
}

static void *worker_run(void *argument)
{
	struct worker *worker = argument;
	pthread_mutex_lock(&worker->mutex);
	for (;;) {
		struct worker_job *job = queue_take(&worker->waiting);
		if (!job && worker->ending)
			break;
		if (!job) {
			pthread_cond_wait(&worker->wanted, &worker->mutex);
			continue;
		}
		pthread_mutex_unlock(&worker->mutex);
		bool done = job->run(job);
		pthread_mutex_lock(&worker->mutex);
		queue_put(done ? &worker->done : &worker->waiting, job);
		/* It can only be full of news that nobody has read yet. */
		if (done)
			(void)!eventfd_write(worker->told, 1);
	}
	pthread_mutex_unlock(&worker->mutex);
	return NULL;
}

static void worker_tell(struct worker *worker)
{
	for (;;) {
		pthread_mutex_lock(&worker->mutex);
		struct worker_job *job = queue_take(&worker->done);
		pthread_mutex_unlock(&worker->mutex);
		if (!job)
			return;
		job->done(job);
	}
}

static void worker_told(evutil_socket_t fd, short what, void *argument)
{
	eventfd_t count;
	(void)what;
	(void)!eventfd_read(fd, &count);
	worker_tell(argument);
}

int worker_create(
	struct event_base *base, unsigned threads, struct worker **ret_worker, struct error *error)
{
	CLEANUP(worker_destroy) struct worker *worker = calloc(1, sizeof(*worker));
	if (!worker)
		return error_set(error, -ENOMEM, "out of memory");
	worker->waiting.end = &worker->waiting.first;
	worker->done.end = &worker->done.first;
	pthread_mutex_init(&worker->mutex, NULL);
	pthread_cond_init(&worker->wanted, NULL);
	worker->told = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (worker->told < 0)
		return error_system(error, -errno, "cannot make an eventfd");
	worker->event = event_new(base, worker->told, EV_READ | EV_PERSIST, worker_told, worker);
	if (!worker->event || event_add(worker->event, NULL) < 0)
		return error_set(error, -ENOMEM, "out of memory");
	for (unsigned i = 0; i < threads && i < WORKER_THREADS_MAX; i++) {
		int status = pthread_create(&worker->threads[i], NULL, worker_run, worker);
		if (status)
			return error_system(error, -status, "cannot start a thread");
		worker->thread_count++;
	}
	*ret_worker = TAKE(worker);
	return 0;
}

void worker_destroy(struct worker **address)
{
	struct worker *worker = *address;
	if (!worker)
		return;
	pthread_mutex_lock(&worker->mutex);
	worker->ending = true;
	pthread_cond_broadcast(&worker->wanted);
	pthread_mutex_unlock(&worker->mutex);
	for (unsigned i = 0; i < worker->thread_count; i++)
		pthread_join(worker->threads[i], NULL);
	worker_tell(worker);
	if (worker->event)
		event_free(worker->event);
	close_fd(&worker->told);
	pthread_cond_destroy(&worker->wanted);
	pthread_mutex_destroy(&worker->mutex);
	free(worker);
	*address = NULL;
}

void worker_submit(struct worker *worker, struct worker_job *job)
{
	pthread_mutex_lock(&worker->mutex);
	queue_put(&worker->waiting, job);
	pthread_cond_signal(&worker->wanted);
	pthread_mutex_unlock(&worker->mutex);
}
