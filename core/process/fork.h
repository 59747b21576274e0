/* fork(2) with the flags of clone(2). */
#ifndef PROCESS_FORK_H
#define PROCESS_FORK_H

#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

/*
 * Returns as fork() does, with errno. The C library keeps no state of a single-threaded process that
 * this breaks, and there are no atfork handlers.
 */
static inline pid_t fork_with(uint64_t flags)
{
	struct clone_args arguments = {
		.flags = flags,
		/* With CLONE_PARENT the kernel takes the caller's own, and refuses another. */
		.exit_signal = flags & CLONE_PARENT ? 0 : SIGCHLD,
	};
	return (pid_t)syscall(SYS_clone3, &arguments, sizeof(arguments));
}

#endif
