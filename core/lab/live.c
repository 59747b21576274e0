#include "lab/live.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "kernel/system_limits.h"
#include "lab/steps.h"
#include "lab/supervisor.h"
#include "process/limits.h"
#include "process/userns.h"

enum { KEPT_MOST = 16, TICK_MS = 100 };

/* What the supervisor says to its maker, once. */
struct live_word {
	struct error refused; /* code 0: it was not */
	bool up;
	char failure[512];
	char notes[2048]; /* lines: what cannot be held, and what went beyond */
};

/* Before that, now and then: how far it has come. */
struct live_progress {
	char what[48];
	size_t done, total;
};

/* In the supervisor. */
struct live {
	const struct plan *plan;
	struct registration registration;
	struct folder run; /* of which lab.folder is a part */
	int maker_fd, lifeline_fd;
	struct event_base *base;
	struct event *signals[3], *maker_event, *lifeline_event;
	bool observed;
	bool ending;
	uint64_t told_ns; /* when the maker was told of progress */
	struct scenario_result result;
	struct lab lab;
	const char *kept[KEPT_MOST];
};

static void live_on_end(evutil_socket_t fd, short what, void *argument)
{
	struct live *live = argument;
	(void)fd, (void)what;
	live->ending = true;
	event_base_loopbreak(live->base);
}

/* A byte lets the lab stay, an end takes it down. */
static void live_on_lifeline(evutil_socket_t fd, short what, void *argument)
{
	struct live *live = argument;
	char word;
	ssize_t length = read(fd, &word, sizeof(word));
	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	event_del(live->lifeline_event);
	if (length <= 0)
		live_on_end(fd, what, live);
}

static int live_watch_lifeline(struct live *live, struct error *error)
{
	if (live->lifeline_fd < 0)
		return 0;
	live->lifeline_event = event_new(
		live->base, live->lifeline_fd, EV_READ | EV_PERSIST, live_on_lifeline, live);
	return live->lifeline_event && event_add(live->lifeline_event, NULL) == 0
		       ? 0
		       : error_set(error, -EINVAL,
				 "the lifeline is neither a pipe nor a socket: its end is not "
				 "told");
}

static int live_loop(struct live *live, struct error *error)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
	live->base = event_base_new();
	if (!live->base)
		return error_set(error, -ENOMEM, "cannot create the event loop");
	for (size_t i = 0; i < ARRAY_LENGTH(numbers); i++) {
		live->signals[i] = evsignal_new(live->base, numbers[i], live_on_end, live);
		if (!live->signals[i] || evsignal_add(live->signals[i], NULL) < 0)
			return error_set(error, -ENOMEM, "cannot wait for signals");
	}
	/* A maker that ends before the lab is up wants none. */
	live->maker_event = event_new(live->base, live->maker_fd, EV_READ, live_on_end, live);
	if (!live->maker_event || event_add(live->maker_event, NULL) < 0)
		return error_set(error, -ENOMEM, "cannot wait for the maker");
	signal(SIGPIPE, SIG_IGN);
	return live_watch_lifeline(live, error);
}

static void live_tell(struct live *live, const struct live_word *word)
{
	if (live->maker_fd < 0)
		return;
	if (live->maker_event)
		event_del(live->maker_event);
	send(live->maker_fd, word, sizeof(*word), MSG_NOSIGNAL);
	close_fd(&live->maker_fd);
}

/* What a service did instead of getting ready; the report has no room for its steps. */
static void describe_failure(const struct live *live, struct live_word *word)
{
	const struct step_result *failure = scenario_result_failure(&live->result);
	if (failure)
		snprintf(word->failure, sizeof(word->failure), "%s: expected %s, saw %s",
			failure->description, failure->expected, failure->seen);
}

static bool live_on_progress(void *argument, const char *what, size_t done, size_t total)
{
	struct live *live = argument;
	struct live_progress progress = {.done = done, .total = total};
	uint64_t now_ns = clock_monotonic_ns();
	if (live->maker_fd >= 0 && now_ns >= live->told_ns + TICK_MS * NS_PER_MS) {
		snprintf(progress.what, sizeof(progress.what), "%s", what);
		send(live->maker_fd, &progress, sizeof(progress), MSG_NOSIGNAL | MSG_DONTWAIT);
		live->told_ns = now_ns;
	}
	return true;
}

static int live_build(struct live *live, struct live_word *word, struct error *error)
{
	struct plan_needs needs;
	int status = userns_enter_if_needed(error);
	limits_raise();
	if (status == 0)
		status = live->observed ? plan_count_needs(live->plan, &needs, error)
					: plan_count_needs_up(live->plan, &needs, error);
	if (status == 0)
		status = system_limits_check(&needs, error);
	if (status == 0)
		status = live_loop(live, error);
	if (status < 0)
		return status;
	live->lab = (struct lab){.plan = live->plan,
		.base = live->base,
		.kept = live->kept,
		.folder = live->lab.folder,
		.bounds_told = true,
		.unobserved = !live->observed,
		.result = &live->result,
		.interrupted = &live->ending,
		.progress = {live_on_progress, live}};
	status = lab_up(&live->lab, error);
	if (status == 0)
		status = lab_begin(&live->lab, NULL, &word->up, error);
	if (status == 0 && !word->up)
		describe_failure(live, word);
	CLEANUP(text_finish) struct text unheld = {0};
	bounds_describe(&live->lab.bounds, &unheld);
	snprintf(word->notes, sizeof(word->notes), "%s", text_view(&unheld));
	return status;
}

/* The results are handed over; a log that says nothing goes. */
static void live_settle(struct live *live)
{
	struct error ignored;
	struct stat status;
	CLEANUP(free_pointer) char *log = folder_path(&live->run, "supervisor.log");
	if (log && stat(log, &status) == 0 && status.st_size == 0)
		unlink(log);
	folder_settle(&live->run, &ignored);
	rmdir(live->run.path); /* one in which nothing was done */
}

/* What ran out of bounds: for the log, and for a maker who still listens. */
static void live_note(const struct live *live, struct live_word *word)
{
	for (size_t i = 0; i < live->result.note_count; i++) {
		size_t used = strlen(word->notes);
		fprintf(stderr, "note: %s\n", live->result.notes[i]);
		snprintf(word->notes + used, sizeof(word->notes) - used, "%s%s", used ? "\n" : "",
			live->result.notes[i]);
	}
}

static void live_serve(struct live *live, struct live_word *word)
{
	struct error error;
	CLEANUP(supervisor_finish) struct supervisor *supervisor = NULL;
	struct supervisor_setup setup = {&live->lab, &live->registration, &live->ending};
	int status = live_build(live, word, &error);
	if (status == 0 && word->up && !live->ending)
		status = supervisor_start(&setup, &supervisor, &error);
	if (status < 0)
		word->refused = error;
	if (supervisor) {
		live_tell(live, word);
		supervisor_serve(supervisor);
		supervisor_end(supervisor);
	}
	if (live->lab.timer && lab_down(&live->lab, &error) < 0)
		fprintf(stderr, "%s\n", error.text);
	live_note(live, word);
	fabric_finish(&live->lab.fabric);
	word->up = false; /* nobody hears it who has heard that it was */
	live_settle(live);
	registration_leave(&live->registration);
	live_tell(live, word);
}

static void redirect(const struct folder *run)
{
	CLEANUP(close_fd) int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	CLEANUP(free_pointer) char *path = folder_path(run, "supervisor.log");
	CLEANUP(close_fd)
	int log = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644) : -1;
	dup2(nothing, STDIN_FILENO);
	dup2(nothing, STDOUT_FILENO);
	dup2(log >= 0 ? log : nothing, STDERR_FILENO);
}

static _Noreturn void live_main(struct live *live)
{
	struct live_word word = {0};
	struct error error;
	setsid();
	prctl(PR_SET_NAME, "sim-lab");
	redirect(&live->run);
	int status = chdir("/") < 0 ? error_system(&error, -errno, "cannot enter '/'")
				    : registration_tell(&live->registration, getpid(),
					      live->run.path, &error);
	if (status < 0) {
		word.refused = error;
		registration_leave(&live->registration);
		live_tell(live, &word);
		_exit(1);
	}
	live_serve(live, &word);
	_exit(0);
}

static volatile sig_atomic_t interrupted_by;

static void on_interrupt(int number)
{
	interrupted_by = number;
}

/* The maker's part: wait for the word. An interruption is handed on, and its end awaited, too. */
/* Receive the word, or show how far it has come. False: it goes on. */
static bool receive_word(
	int fd, const struct live_options *options, struct live_word *ret_word, ssize_t *ret_length)
{
	union {
		struct live_word word;
		struct live_progress progress;
	} said;
	*ret_length = recv(fd, &said, sizeof(said), 0);
	if (*ret_length < 0)
		return errno != EINTR;
	if (*ret_length == (ssize_t)sizeof(said.progress)) {
		if (options->progress)
			options->progress(options->argument, said.progress.what, said.progress.done,
				said.progress.total);
		return false;
	}
	*ret_word = said.word;
	return true;
}

static bool await_word(int fd, const struct live_options *options, struct live_word *ret_word)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction action = {.sa_handler = on_interrupt}, before[ARRAY_LENGTH(numbers)];
	ssize_t length = -1;
	bool told = false;
	interrupted_by = 0;
	for (size_t i = 0; i < ARRAY_LENGTH(numbers); i++)
		sigaction(numbers[i], &action, &before[i]);
	for (;;) {
		struct pollfd readable = {.fd = fd, .events = POLLIN};
		int ready = poll(&readable, 1, TICK_MS);
		if (options->tick)
			options->tick(options->argument);
		if (interrupted_by && !told) {
			shutdown(fd, SHUT_WR);
			told = true;
		}
		if (ready > 0 && receive_word(fd, options, ret_word, &length))
			break;
	}
	for (size_t i = 0; i < ARRAY_LENGTH(numbers); i++)
		sigaction(numbers[i], &before[i], NULL);
	return length == (ssize_t)sizeof(*ret_word);
}

static int live_fork(struct live *live, const struct live_options *options,
	struct live_word *ret_word, struct error *error)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return error_system(error, -errno, "cannot make a socket pair");
	CLEANUP(close_fd) int own = pair[0], other = pair[1];
	fflush(NULL);
	pid_t pid = fork();
	if (pid < 0)
		return error_system(error, -errno, "cannot start the lab's supervisor");
	if (pid == 0) {
		close_fd(&own);
		live->maker_fd = take_fd(&other);
		live_main(live);
	}
	close_fd(&other);
	if (!await_word(own, options, ret_word)) {
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		if (interrupted_by)
			return 0;
		return error_set(error, -ECHILD,
			"the lab's supervisor was killed before the lab was up; nothing is left "
			"of it");
	}
	if (ret_word->refused.code == -EINTR && interrupted_by)
		return 0;
	return ret_word->refused.code
		       ? error_set(error, ret_word->refused.code, "%s", ret_word->refused.text)
		       : 0;
}

static int live_prepare(struct live *live, const struct live_options *options, struct error *error)
{
	const char *topology = live->plan->topology->name;
	size_t kept = 0;
	int status = registry_enter(
		options->name ? options->name : topology, &live->registration, error);
	if (status == 0)
		status = folder_create(
			options->results, topology, clock_realtime_ns(), &live->run, error);
	if (status == 0)
		status = folder_create_inside(&live->run, "up", &live->lab.folder, error);
	live->kept[kept++] = live->run.path;
	for (size_t i = 0; options->kept[i] && kept + 1 < KEPT_MOST; i++)
		live->kept[kept++] = options->kept[i];
	for (size_t i = 0; i < live->plan->topology->brought_count && kept + 1 < KEPT_MOST; i++)
		live->kept[kept++] = live->plan->topology->brought[i];
	return status;
}

int lab_live(const struct plan *plan, const struct live_options *options,
	struct live_report *ret_report, struct error *error)
{
	struct live live = {.plan = plan,
		.registration = REGISTRATION_NONE,
		.maker_fd = -1,
		.lifeline_fd = options->lifeline_fd,
		.observed = options->observed};
	struct live_word word = {0};
	int status = live_prepare(&live, options, error);
	if (status < 0) {
		registration_leave(&live.registration);
		return status;
	}
	interrupted_by = 0;
	status = live_fork(&live, options, &word, error);
	registration_forget(&live.registration);
	if (status < 0)
		return status;
	*ret_report = (struct live_report){
		.up = word.up, .interrupted = word.up ? 0 : interrupted_by, .folder = live.run};
	snprintf(ret_report->failure, sizeof(ret_report->failure), "%s", word.failure);
	snprintf(ret_report->notes, sizeof(ret_report->notes), "%s", word.notes);
	return 0;
}
