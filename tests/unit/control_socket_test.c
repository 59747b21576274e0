/* programs/shared/control_socket: who gets the path, what is answered, and what a bad peer can do. */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "programs/shared/control_socket.h"
#include "unit.h"

static char folder[] = "/tmp/control_socket_test.XXXXXX";
static char path[64], lock[80];

static json_t *answer(void *program, const struct words *request, struct error *error)
{
	unsigned *asked = program;
	++*asked;
	if (strcmp(request->list[0], "long") == 0) {
		json_t *list = json_array();
		for (int i = 0; i < 200000; i++)
			json_array_append_new(list, json_integer(i));
		return json_pack("{s:o}", "list", list);
	}
	if (strcmp(request->list[0], "echo") != 0)
		return error_set(error, -EINVAL, "'%s' is no request", request->list[0]), NULL;
	return json_pack("{s:i, s:s}", "words", (int)request->count, "last",
		request->list[request->count - 1]);
}

static void on_done(evutil_socket_t fd, short what, void *base)
{
	(void)fd, (void)what;
	event_base_loopbreak(base);
}

/* What the asking side saw, in another process while the loop of this one serves. */
struct seen {
	int status;
	long long size; /* of "list", else of "words" */
	char text[512]; /* the sentence, or "last" */
};

static void ask(const char *request, int to)
{
	struct seen seen = {0};
	struct error error = {0};
	CLEANUP(json_release) json_t *answered = NULL;
	seen.status = control_socket_ask("p", path, request, &answered, &error);
	const char *last = json_string_value(json_object_get(answered, "last"));
	const json_t *list = json_object_get(answered, "list");
	seen.size = list ? (long long)json_array_size(list)
			 : json_integer_value(json_object_get(answered, "words"));
	snprintf(seen.text, sizeof(seen.text), "%s",
		seen.status < 0 ? error.text
		: last		? last
				: "");
	if (write(to, &seen, sizeof(seen)) != sizeof(seen))
		abort();
}

static struct seen ask_while_serving(struct event_base *base, const char *request)
{
	struct seen seen = {.status = -EIO};
	int ends[2];
	if (pipe(ends) < 0)
		abort();
	pid_t child = fork();
	if (child == 0) {
		ask(request, ends[1]);
		_exit(0);
	}
	close(ends[1]);
	struct event *done = event_new(base, ends[0], EV_READ, on_done, base);
	event_add(done, NULL);
	event_base_dispatch(base);
	event_free(done);
	if (read(ends[0], &seen, sizeof(seen)) != sizeof(seen))
		seen.status = -EPIPE;
	close(ends[0]);
	waitpid(child, NULL, 0);
	return seen;
}

static void test_answers(struct event_base *base)
{
	static const struct {
		const char *request;
		int status;
		long long size;
		const char *text;
	} rows[] = {
		{"echo a 'b c'", 0, 3, "b c"},
		{"long", 0, 200000, ""}, /* far more than the kernel holds */
		{"nonsense", -EINVAL, 0, "'nonsense' is no request"},
		{"", -EINVAL, 0, "the command is empty"},
		{"echo 'x", -EINVAL, 0, "a quote is not closed in: echo 'x"},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		struct seen seen = ask_while_serving(base, rows[i].request);
		EXPECT_NUMBER(seen.status, rows[i].status);
		EXPECT_NUMBER(seen.size, rows[i].size);
		EXPECT_TEXT(seen.text, rows[i].text);
	}
}

static int connect_raw(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		abort();
	return fd;
}

/* Silent ones, one that never ends its line, ones that do not read: the others are still served. */
static void test_bad_peers(struct event_base *base, const unsigned *asked)
{
	int silent[CONTROL_SOCKET_CLIENTS_MAX - 1];
	for (size_t i = 0; i < ARRAY_LENGTH(silent); i++)
		silent[i] = connect_raw();
	struct seen seen = ask_while_serving(base, "echo on");
	EXPECT_TEXT(seen.text, "on");
	char much[CONTROL_SOCKET_REQUEST_MAX + 100];
	memset(much, 'x', sizeof(much));
	unsigned before = *asked;
	EXPECT(send(silent[0], much, sizeof(much), 0) > CONTROL_SOCKET_REQUEST_MAX, "sent");
	EXPECT(send(silent[1], "long\n", 5, 0) == 5, "sent");
	EXPECT_TEXT(ask_while_serving(base, "echo on").text, "on");
	EXPECT_NUMBER(*asked, before + 2);
	EXPECT_NUMBER(recv(silent[0], much, sizeof(much), 0), -1); /* cut off, unanswered */
	EXPECT(errno == ECONNRESET, "errno %d", errno);
	EXPECT(recv(silent[1], much, sizeof(much), 0) > 0, "the beginning of the long answer");
	/* All places taken: the next one waits until one is free. */
	int more[] = {connect_raw(), connect_raw()};
	event_base_loop(base, EVLOOP_NONBLOCK);
	for (size_t i = 0; i < ARRAY_LENGTH(silent); i++)
		close(silent[i]);
	EXPECT_TEXT(ask_while_serving(base, "echo again").text, "again");
	close(more[0]);
	close(more[1]);
}

static bool there(const char *name)
{
	return access(name, F_OK) == 0;
}

static void leave_file(const char *name)
{
	int fd = open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	EXPECT(fd >= 0, "%s", name);
	close(fd);
}

/* A socket whose program died: bound, nobody listens. */
static void leave_socket(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", name);
	CLEANUP(close_fd) int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	EXPECT_NUMBER(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
}

static void test_path(void)
{
	struct error error = {0};
	CLEANUP(control_socket_close) struct control_socket *first = NULL;
	CLEANUP(control_socket_close) struct control_socket *second = NULL;
	char expected[256], too_long[200] = "/tmp/";
	struct stat made;
	EXPECT_NUMBER(control_socket_ask("p", path, "echo", &(json_t *){NULL}, &error), -ENOTCONN);
	snprintf(expected, sizeof(expected),
		"no p listens at '%s'; ask where one runs (in its node, as its user), or name its "
		"socket with --control PATH",
		path);
	EXPECT_TEXT(error.text, expected);
	leave_socket(path);
	leave_file(lock);
	EXPECT_NUMBER(control_socket_open("p", path, &first, &error), 0);
	EXPECT_NUMBER(stat(path, &made), 0);
	EXPECT_NUMBER(made.st_mode, S_IFSOCK | 0600);
	EXPECT_NUMBER(control_socket_open("p", path, &second, &error), -EADDRINUSE);
	snprintf(expected, sizeof(expected),
		"the control socket '%s' belongs to another program that runs", path);
	EXPECT_TEXT(error.text, expected);
	EXPECT(there(path) && there(lock), "the living one keeps both");
	control_socket_close(&first);
	EXPECT(!there(path) && !there(lock), "both are removed at the end");
	leave_file(path);
	EXPECT_NUMBER(control_socket_open("p", path, &first, &error), -EEXIST);
	EXPECT(there(path) && !there(lock), "another file stays");
	unlink(path);
	memset(too_long + 5, 'x', sizeof(too_long) - 6);
	EXPECT_NUMBER(control_socket_open("p", too_long, &first, &error), -ENAMETOOLONG);
	EXPECT_NUMBER(control_socket_open("p", "", &first, &error), -EINVAL);
	/* The default where it cannot be had: without, and no error. */
	EXPECT_NUMBER(control_socket_open("no/such/folder", NULL, &first, &error), 0);
	EXPECT(!first, "no socket");
}

/* Put away and replaced by hand while the program runs: what is there now is not removed. */
static void test_replaced(void)
{
	struct error error = {0};
	struct control_socket *control = NULL;
	EXPECT_NUMBER(control_socket_open("p", path, &control, &error), 0);
	unlink(path);
	leave_file(path);
	control_socket_close(&control);
	EXPECT(there(path) && !there(lock), "only our own is removed");
	unlink(path);
}

/* Many at once for one path: one gets it. */
static void test_race(void)
{
	enum { RACERS = 8 };
	leave_socket(path);
	int go[2], said[2];
	if (pipe(go) < 0 || pipe(said) < 0)
		abort();
	for (int i = 0; i < RACERS; i++) {
		if (fork() != 0)
			continue;
		struct error error;
		struct control_socket *control = NULL;
		char end;
		close(go[1]);
		bool got = control_socket_open("p", path, &control, &error) == 0;
		if (write(said[1], got ? "y" : "n", 1) != 1 || read(go[0], &end, 1) < 0)
			abort();
		control_socket_close(&control);
		_exit(0);
	}
	char seen[RACERS];
	unsigned winners = 0;
	for (int i = 0; i < RACERS; i++)
		EXPECT_NUMBER(read(said[0], &seen[i], 1), 1);
	for (int i = 0; i < RACERS; i++)
		winners += seen[i] == 'y';
	EXPECT_NUMBER(winners, 1);
	close(go[1]);
	for (int i = 0; i < RACERS; i++)
		wait(NULL);
	close(go[0]);
	close(said[0]);
	close(said[1]);
	EXPECT(!there(path) && !there(lock), "nothing is left");
}

int main(void)
{
	struct error error = {0};
	unsigned asked = 0;
	if (!mkdtemp(folder))
		abort();
	snprintf(path, sizeof(path), "%s/c.sock", folder);
	snprintf(lock, sizeof(lock), "%s.lock", path);
	test_path();
	test_replaced();
	test_race();
	struct event_base *base = event_base_new();
	struct control_socket *control = NULL;
	EXPECT_NUMBER(control_socket_open("p", path, &control, &error), 0);
	const struct control_socket_service service = {.program = &asked, .answer = answer};
	EXPECT_NUMBER(control_socket_serve(control, base, &service, &error), 0);
	test_answers(base);
	test_bad_peers(base, &asked);
	control_socket_close(&control);
	event_base_free(base);
	rmdir(folder);
	return unit_finish();
}
