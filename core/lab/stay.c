#include "lab/stay.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/cleanup.h"

static volatile sig_atomic_t child_of_run;

static void hand_on(int number)
{
	if (child_of_run > 0)
		kill(child_of_run, number);
}

/* The caller: a word is the status of a run whose lab is kept, no word that the run is over. */
static int await_run(int fd, pid_t pid, int *ret_status)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction action = {.sa_handler = hand_on, .sa_flags = SA_RESTART};
	child_of_run = pid;
	for (size_t i = 0; i < ARRAY_LENGTH(numbers); i++)
		sigaction(numbers[i], &action, NULL);
	ssize_t length;
	do
		length = read(fd, ret_status, sizeof(*ret_status));
	while (length < 0 && errno == EINTR);
	if (length == (ssize_t)sizeof(*ret_status))
		return 1;
	int ended = 0;
	while (waitpid(pid, &ended, 0) < 0 && errno == EINTR)
		;
	*ret_status = WIFSIGNALED(ended) ? -WTERMSIG(ended) : WEXITSTATUS(ended);
	return 1;
}

int stay_fork(struct stay *stay, int *ret_status, struct error *error)
{
	int ends[2];
	stay->caller_fd = -1;
	if (!stay->keep)
		return 0;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_system(error, -errno, "cannot create a pipe");
	CLEANUP(close_fd) int heard = ends[0], told = ends[1];
	stay->caller = getpid();
	fflush(NULL);
	pid_t pid = fork();
	if (pid < 0)
		return error_system(error, -errno, "cannot create a process");
	if (pid == 0) {
		stay->caller_fd = take_fd(&told);
		stay_follow(stay);
		return 0;
	}
	close_fd(&told);
	registration_forget(&stay->registration);
	return await_run(heard, pid, ret_status);
}

void stay_follow(const struct stay *stay)
{
	if (stay->caller_fd < 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != stay->caller)
		_exit(1);
}

static void stay_detach(struct stay *stay, bool held)
{
	int status = !held;
	CLEANUP(close_fd) int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	prctl(PR_SET_PDEATHSIG, 0);
	prctl(PR_SET_NAME, "sim-lab");
	setsid();
	fflush(NULL);
	for (int fd = 0; fd < 3; fd++)
		dup2(nothing, fd);
	if (stay->caller_fd >= 0 && write(stay->caller_fd, &status, sizeof(status)) < 0)
		stay->ending = true; /* nobody knows of it */
	close_fd(&stay->caller_fd);
}

static void on_shell_end(evutil_socket_t fd, short what, void *argument)
{
	struct stay *stay = argument;
	(void)fd, (void)what;
	stay->ending = true;
}

/* As anybody's, from another terminal: with nothing of ours but the terminal. */
static pid_t shell_start(const struct stay *stay, const char *node)
{
	CLEANUP(free_pointer) char *where = text_format("%s:%s", stay->registration.name, node);
	char name[] = "sim", verb[] = "shell";
	char *words[] = {name, verb, where, NULL};
	pid_t pid = where ? fork() : -1;
	if (pid != 0)
		return pid;
	signal(SIGPIPE, SIG_DFL);
	execv("/proc/self/exe", words);
	_exit(127);
}

static int stay_for_shell(struct lab *lab, struct stay *stay, const char *node, struct error *error)
{
	pid_t pid = shell_start(stay, node);
	CLEANUP(close_fd) int pidfd = pid > 0 ? pidfd_open(pid, 0) : -1;
	if (pid < 0)
		return error_system(error, -errno, "cannot start a shell");
	if (pidfd >= 0 && event_base_once(lab->base, pidfd, EV_READ, on_shell_end, stay, NULL) == 0)
		supervisor_serve(stay->supervisor);
	supervisor_end(stay->supervisor);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return 0;
}

/* Where the check failed; that of the lab itself: at its first host. */
static const char *failed_node(const struct lab *lab)
{
	const struct step_result *failure = scenario_result_failure(lab->result);
	size_t node = 0;
	while (node + 1 < lab->plan->node_count && lab->plan->nodes[node].node->kind == NODE_SWITCH)
		node++;
	if (failure && failure->step && failure->step->node_count)
		node = failure->step->nodes[0];
	return lab->plan->nodes[node].node->name;
}

int lab_stay(struct lab *lab, struct stay *stay, bool last, bool *ret_kept, struct error *error)
{
	bool failed = !lab->result->held, keep = stay->keep && (failed || last);
	bool shell = stay->shell && failed;
	struct supervisor_setup setup = {lab, &stay->registration, &stay->ending};
	if (!keep && !shell)
		return 0;
	stay->ending = false;
	int status = registration_tell(&stay->registration, getpid(), lab->folder.path, error);
	if (status == 0)
		status = supervisor_start(&setup, &stay->supervisor, error);
	if (status < 0)
		return status;
	if (shell) {
		stay->begun(stay->argument, lab->result, &lab->folder, failed_node(lab));
		status = stay_for_shell(lab, stay, failed_node(lab), error);
	} else {
		stay->begun(stay->argument, lab->result, &lab->folder, NULL);
		stay_detach(stay, lab->result->held);
		supervisor_serve(stay->supervisor);
		supervisor_end(stay->supervisor);
	}
	*ret_kept = keep;
	struct error ignored;
	registration_tell(
		&stay->registration, 0, "", &ignored); /* it is not to be found any more */
	return status;
}

void stay_over(struct stay *stay)
{
	supervisor_finish(&stay->supervisor);
}
