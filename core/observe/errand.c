#include "observe/errand.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>

enum { ERRANDS_AT_ONCE = 64 };

static void *errand_run(void *argument)
{
	struct errand *errand = argument;
	if (errand->netns_fd != ERRAND_ANYWHERE && setns(errand->netns_fd, CLONE_NEWNET) < 0)
		errand->status =
			error_system(&errand->error, -errno, "cannot enter a network namespace");
	else
		errand->status = errand->function(errand->argument, &errand->error);
	return NULL;
}

static void errands_run_batch(struct errand *errands, size_t count)
{
	pthread_t threads[ERRANDS_AT_ONCE];
	size_t started = 0;
	for (; started < count; started++) {
		int failure =
			pthread_create(&threads[started], NULL, errand_run, &errands[started]);
		if (failure) {
			for (size_t i = started; i < count; i++)
				errands[i].status = error_system(
					&errands[i].error, -failure, "cannot start a thread");
			break;
		}
	}
	for (size_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
}

int errands_run(struct errand *errands, size_t count, struct error *error)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (size_t at = 0; at < count; at += ERRANDS_AT_ONCE) {
		size_t left = count - at;
		errands_run_batch(&errands[at], left < ERRANDS_AT_ONCE ? left : ERRANDS_AT_ONCE);
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);

	for (size_t i = 0; i < count; i++) {
		if (errands[i].status < 0) {
			if (error)
				*error = errands[i].error;
			return errands[i].status;
		}
	}
	return 0;
}
