#include "programs/dhcp/client_hook.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "programs/dhcp/hook_environment.h"

static void run_next(struct client_hook *hook);

static void call_free(struct client_hook_call *call)
{
	free(call->reason);
	free(call->environment);
	*call = (struct client_hook_call){0};
}

static void forget_first(struct client_hook *hook)
{
	call_free(&hook->calls[0]);
	hook->count--;
	memmove(hook->calls, hook->calls + 1, hook->count * sizeof(hook->calls[0]));
	hook->calls[hook->count] = (struct client_hook_call){0};
}

static void tell_end(const struct client_hook *hook, int status)
{
	if (hook->killed)
		return; /* that was said */
	if (WIFSIGNALED(status))
		log_line("the hook %s died of signal %d", hook->path, WTERMSIG(status));
	else if (WEXITSTATUS(status) != 0)
		log_line("the hook %s ended with status %d", hook->path, WEXITSTATUS(status));
}

static void on_exited(evutil_socket_t fd, short what, void *argument)
{
	struct client_hook *hook = argument;
	int status = 0;
	(void)fd, (void)what;
	if (waitpid(hook->process, &status, 0) > 0)
		tell_end(hook, status);
	event_free(hook->exited);
	hook->exited = NULL;
	event_del(hook->late);
	close_fd(&hook->process_fd);
	hook->process = 0;
	run_next(hook);
}

/* Its process group is its own: what it has started goes too. */
static void on_late(evutil_socket_t fd, short what, void *argument)
{
	struct client_hook *hook = argument;
	(void)fd, (void)what;
	log_line("the hook %s took too long: it is killed", hook->path);
	hook->killed = true;
	kill(-hook->process, SIGKILL);
}

static int watch(struct client_hook *hook, struct error *error)
{
	struct timeval time = {
		.tv_sec = (time_t)(hook->time_ns / NS_PER_SECOND),
		.tv_usec = (suseconds_t)(hook->time_ns % NS_PER_SECOND / 1000),
	};
	hook->process_fd = (int)syscall(SYS_pidfd_open, hook->process, 0);
	if (hook->process_fd < 0)
		return error_system(error, -errno, "cannot watch the hook %s", hook->path);
	hook->exited = event_new(hook->base, hook->process_fd, EV_READ, on_exited, hook);
	if (!hook->exited || event_add(hook->exited, NULL) < 0 || event_add(hook->late, &time) < 0)
		return error_set(error, -ENOMEM, "cannot watch the hook %s", hook->path);
	return 0;
}

/* Our standard output may carry JSON or a status line: the hook's goes to our standard error. */
static int spawn(struct client_hook *hook, struct client_hook_call *call, struct error *error)
{
	char *arguments[] = {(char *)hook->path, call->reason, NULL};
	posix_spawnattr_t attributes;
	posix_spawn_file_actions_t files;
	sigset_t none, all;
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_init(&attributes);
	posix_spawn_file_actions_init(&files);
	posix_spawnattr_setflags(&attributes,
		POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO);
	int status = posix_spawn(
		&hook->process, hook->path, &files, &attributes, arguments, call->environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	if (status == 0)
		return 0;
	hook->process = 0;
	return error_system(error, -status, "cannot run the hook %s", hook->path);
}

static void run_next(struct client_hook *hook)
{
	struct error error;
	while (hook->count > 0 && hook->process == 0) {
		hook->killed = false;
		int status = spawn(hook, &hook->calls[0], &error);
		forget_first(hook);
		if (status == 0 && watch(hook, &error) < 0) {
			kill(-hook->process, SIGKILL);
			waitpid(hook->process, NULL, 0);
			close_fd(&hook->process_fd);
			hook->process = 0;
			status = -1;
		}
		if (status < 0)
			log_line("%s", error.text);
	}
	if (!client_hook_busy(hook))
		hook->idle(hook->program);
}

int client_hook_open(struct client_hook *hook, struct event_base *base, struct error *error)
{
	hook->base = base;
	hook->process_fd = -1;
	hook->late = evtimer_new(base, on_late, hook);
	if (!hook->late)
		return error_set(error, -ENOMEM, "out of memory");
	return 0;
}

void client_hook_close(struct client_hook *hook)
{
	if (hook->process > 0) {
		kill(-hook->process, SIGKILL);
		waitpid(hook->process, NULL, 0);
	}
	if (hook->exited)
		event_free(hook->exited);
	if (hook->late)
		event_free(hook->late);
	if (hook->base)
		close_fd(&hook->process_fd);
	while (hook->count > 0)
		forget_first(hook);
	hook->exited = hook->late = NULL;
	hook->process = 0;
}

void client_hook_call(struct client_hook *hook, const char *reason,
	const struct dhcp_client_lease *lease, uint64_t now_ns)
{
	if (!hook->path)
		return;
	if (hook->count == CLIENT_HOOKS_MAX) {
		log_line("the hook %s is too slow: '%s' is not told", hook->path,
			hook->calls[0].reason);
		forget_first(hook);
	}
	struct client_hook_call call = {
		.reason = strdup(reason),
		.environment = hook_environment(hook->interface, lease, now_ns),
	};
	if (!call.reason || !call.environment) {
		log_line("the hook is not told of '%s': out of memory", reason);
		call_free(&call);
		return;
	}
	hook->calls[hook->count++] = call;
	if (hook->process == 0)
		run_next(hook);
}

bool client_hook_busy(const struct client_hook *hook)
{
	return hook->process != 0 || hook->count > 0;
}
