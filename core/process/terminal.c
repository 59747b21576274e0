#include "process/terminal.h"

#include <errno.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

/* What the leader hands on; of the terminal's own keys the command hears without it. */
static const int handed_on[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};

/* Without a handler a SIGCONT that is not waited for is forgotten. */
static void on_signal(int number)
{
	(void)number;
}

static void leader_signals(sigset_t *ret_awaited)
{
	sigemptyset(ret_awaited);
	sigaddset(ret_awaited, SIGCHLD);
	sigaddset(ret_awaited, SIGCONT);
	for (size_t i = 0; i < ARRAY_LENGTH(handed_on); i++)
		sigaddset(ret_awaited, handed_on[i]);
	signal(SIGCHLD, on_signal);
	signal(SIGCONT, on_signal);
	/* The leader is in the background while the command runs, and still says who is in front. */
	signal(SIGTTOU, SIG_IGN);
	signal(SIGTTIN, SIG_IGN);
	signal(SIGTSTP, SIG_IGN);
	sigprocmask(SIG_BLOCK, ret_awaited, NULL);
}

static void command_look(pid_t command)
{
	int status;
	while (waitpid(command, &status, WNOHANG | WUNTRACED) > 0) {
		if (WIFEXITED(status))
			_exit(WEXITSTATUS(status));
		if (WIFSIGNALED(status))
			_exit(128 + WTERMSIG(status));
		raise(SIGSTOP);
	}
}

static _Noreturn void leader_main(int fd, pid_t command, const sigset_t *awaited)
{
	prctl(PR_SET_NAME, "sim-terminal");
	/* Whoever waits for the command's own end of the pipe must not wait for the leader. */
	close_range(STDERR_FILENO + 1, ~0U, 0);
	for (;;) {
		int number = sigwaitinfo(awaited, NULL);
		if (number == SIGCHLD) {
			command_look(command);
		} else if (number == SIGCONT) {
			tcsetpgrp(fd, command);
			kill(-command, SIGCONT);
		} else if (number > 0) {
			kill(-command, number);
		}
	}
}

/* Both do it, since either may be the first to need it. */
static void bring_to_front(int fd, pid_t command)
{
	setpgid(command, command);
	tcsetpgrp(fd, command ? command : getpid());
}

int terminal_lead(int fd, struct error *error)
{
	sigset_t awaited, none;
	if (ioctl(fd, TIOCSCTTY, 0) < 0)
		return error_system(error, -errno, "cannot give the command the terminal");
	leader_signals(&awaited);
	pid_t command = fork();
	if (command < 0)
		return error_system(error, -errno, "cannot create a process");
	bring_to_front(fd, command);
	if (command > 0)
		leader_main(fd, command, &awaited);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	return 0;
}
