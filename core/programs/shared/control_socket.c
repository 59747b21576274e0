#include "programs/shared/control_socket.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "programs/shared/control_socket_parts.h"

/* Somebody who is asking. A free place has no stream. */
struct control_client {
	struct control_socket *socket;
	struct bufferevent *stream;
	struct event *timer;
	bool answered;
};

struct control_socket {
	char path[CONTROL_SOCKET_PATH_SIZE];
	char lock_path[CONTROL_SOCKET_PATH_SIZE + sizeof(".lock")];
	int lock, listener;
	struct stat bound; /* what we made at `path` */
	struct event *acceptable, *again;
	struct control_socket_service service;
	struct control_client clients[CONTROL_SOCKET_CLIENTS_MAX];
};

/* The lock, which is held for life. Taken on a file that has been removed meanwhile, it is none. */
static int take_lock(struct control_socket *control, struct error *error)
{
	enum { TRIES = 16 };
	for (int try = 0; try < TRIES; try++) {
		CLEANUP(close_fd)
		int fd = open(control->lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd < 0)
			return error_system(error, -errno, "cannot make the control socket '%s'",
				control->path);
		if (flock(fd, LOCK_EX | LOCK_NB) < 0)
			break;
		struct stat locked, named;
		if (fstat(fd, &locked) == 0 && lstat(control->lock_path, &named) == 0 &&
			locked.st_ino == named.st_ino && locked.st_dev == named.st_dev) {
			control->lock = take_fd(&fd);
			return 0;
		}
	}
	return error_set(error, -EADDRINUSE,
		"the control socket '%s' belongs to another program that runs", control->path);
}

/* With the lock held: what is at the path was left by a dead one, or is not ours to touch. */
static int remove_stale(const struct sockaddr_un *address, struct error *error)
{
	const char *path = address->sun_path;
	struct stat there;
	if (lstat(path, &there) < 0 && errno == ENOENT)
		return 0;
	if (!S_ISSOCK(there.st_mode))
		return error_set(error, -EEXIST,
			"cannot make the control socket '%s': that is another file", path);
	CLEANUP(close_fd) int fd = -1;
	int status = control_socket_connect(address, SOCK_NONBLOCK, &fd);
	if (status == 0 || status == -EAGAIN)
		return error_set(error, -EADDRINUSE,
			"the control socket '%s' belongs to another program that runs", path);
	if (status != -ECONNREFUSED || unlink(path) < 0)
		return error_system(error, status == -ECONNREFUSED ? -errno : status,
			"cannot replace the control socket '%s'", path);
	return 0;
}

static int listen_at(
	struct control_socket *control, const struct sockaddr_un *address, struct error *error)
{
	control->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* The mode before bind(): the path is never there with another. */
	if (control->listener < 0 || fchmod(control->listener, 0600) < 0 ||
		bind(control->listener, (const struct sockaddr *)address, sizeof(*address)) < 0)
		return error_system(
			error, -errno, "cannot make the control socket '%s'", control->path);
	if (lstat(control->path, &control->bound) < 0 ||
		listen(control->listener, CONTROL_SOCKET_CLIENTS_MAX) < 0)
		return error_system(
			error, -errno, "cannot listen at the control socket '%s'", control->path);
	return 0;
}

static int open_at(
	const char *program, const char *path, struct control_socket *control, struct error *error)
{
	struct sockaddr_un address;
	int status = control_socket_address(program, path, &address, error);
	if (status < 0)
		return status;
	snprintf(control->path, sizeof(control->path), "%s", address.sun_path);
	snprintf(control->lock_path, sizeof(control->lock_path), "%s.lock", address.sun_path);
	status = take_lock(control, error);
	if (status == 0)
		status = remove_stale(&address, error);
	return status < 0 ? status : listen_at(control, &address, error);
}

int control_socket_open(const char *program, const char *path, struct control_socket **ret_control,
	struct error *error)
{
	*ret_control = NULL;
	CLEANUP(control_socket_close) struct control_socket *control = calloc(1, sizeof(*control));
	if (!control)
		return error_set(error, -ENOMEM, "out of memory");
	control->lock = control->listener = -1;
	struct error why;
	int status = open_at(program, path, control, &why);
	if (status == 0) {
		*ret_control = TAKE(control);
		return 0;
	}
	if (path)
		return error_set(error, status, "%s", why.text);
	log_line("%s; no operator can ask this program (--control PATH chooses another)", why.text);
	return 0;
}

static void client_release(struct control_client *client)
{
	if (client->timer)
		event_free(client->timer);
	if (client->stream)
		bufferevent_free(client->stream);
	*client = (struct control_client){.socket = client->socket};
}

void control_socket_close(struct control_socket **control)
{
	struct control_socket *closing = TAKE(*control);
	if (!closing)
		return;
	for (size_t i = 0; i < CONTROL_SOCKET_CLIENTS_MAX; i++)
		client_release(&closing->clients[i]);
	if (closing->acceptable)
		event_free(closing->acceptable);
	if (closing->again)
		event_free(closing->again);
	struct stat there;
	if (closing->bound.st_ino && lstat(closing->path, &there) == 0 &&
		there.st_ino == closing->bound.st_ino && there.st_dev == closing->bound.st_dev)
		unlink(closing->path);
	close_fd(&closing->listener);
	/* Removed while it is held: who opened it before sees that it is gone, and tries again. */
	if (closing->lock >= 0)
		unlink(closing->lock_path);
	close_fd(&closing->lock);
	free(closing);
}

/* A place is free again: whoever waits may come. */
static void client_end(struct control_client *client)
{
	struct control_socket *control = client->socket;
	client_release(client);
	event_add(control->acceptable, NULL);
}

static json_t *refusal(const struct error *error)
{
	CLEANUP(free_pointer) char *sentence = text_sanitize(error->text, strlen(error->text));
	bool misuse = error->code == -EINVAL || error->code == -ENOENT;
	return json_pack("{s:s, s:b}", "error", sentence ? sentence : "", "misuse", misuse);
}

/* *ret_answer stays NULL where `error` says why. */
static void answer_line(const struct control_socket_service *service, const char *line,
	json_t **ret_answer, struct error *error)
{
	struct words request;
	if (text_split_words(line, &request, error) < 0)
		return;
	*ret_answer = service->answer(service->program, &request, error);
	free(request.list);
}

static void client_answer(struct control_client *client, const char *line)
{
	struct error error = {.code = -EIO, .text = "the program does not say why not"};
	CLEANUP(json_release) json_t *answer = NULL;
	answer_line(&client->socket->service, line, &answer, &error);
	if (!answer)
		answer = refusal(&error);
	CLEANUP(free_pointer) char *text = answer ? json_dumps(answer, JSON_COMPACT) : NULL;
	client->answered = true;
	bufferevent_disable(client->stream, EV_READ);
	if (!text || bufferevent_write(client->stream, text, strlen(text)) < 0 ||
		bufferevent_write(client->stream, "\n", 1) < 0)
		client_end(client);
}

static void on_request(struct bufferevent *stream, void *argument)
{
	struct control_client *client = argument;
	if (client->answered)
		return;
	struct evbuffer *input = bufferevent_get_input(stream);
	CLEANUP(free_pointer) char *line = evbuffer_readln(input, NULL, EVBUFFER_EOL_LF);
	if (line)
		client_answer(client, line);
	else if (evbuffer_get_length(input) > CONTROL_SOCKET_REQUEST_MAX)
		client_end(client);
}

/* All of the answer is with the kernel. */
static void on_written(struct bufferevent *stream, void *argument)
{
	struct control_client *client = argument;
	(void)stream;
	if (client->answered)
		client_end(client);
}

static void on_broken(struct bufferevent *stream, short what, void *argument)
{
	struct control_client *client = argument;
	(void)stream;
	/* Who has asked may close its writing side. */
	if (!(client->answered && what & BEV_EVENT_READING))
		client_end(client);
}

static void on_time(evutil_socket_t fd, short what, void *argument)
{
	(void)fd, (void)what;
	client_end(argument);
}

static struct control_client *place_free(struct control_socket *control)
{
	for (size_t i = 0; i < CONTROL_SOCKET_CLIENTS_MAX; i++)
		if (!control->clients[i].stream)
			return &control->clients[i];
	return NULL;
}

static bool client_begin(struct control_client *client, struct event_base *base, int *fd)
{
	const struct timeval patience = {.tv_sec = CONTROL_SOCKET_SECONDS};
	client->stream = bufferevent_socket_new(base, *fd, BEV_OPT_CLOSE_ON_FREE);
	if (!client->stream)
		return false;
	take_fd(fd);
	client->timer = evtimer_new(base, on_time, client);
	bufferevent_setcb(client->stream, on_request, on_written, on_broken, client);
	bufferevent_setwatermark(client->stream, EV_READ, 0, CONTROL_SOCKET_REQUEST_MAX + 1);
	return client->timer && evtimer_add(client->timer, &patience) == 0 &&
	       bufferevent_enable(client->stream, EV_READ | EV_WRITE) == 0;
}

static void on_again(evutil_socket_t fd, short what, void *argument)
{
	struct control_socket *control = argument;
	(void)fd, (void)what;
	event_add(control->acceptable, NULL);
}

/* Out of descriptors, say: who waits stays readable, and must not keep the loop busy. */
static void accept_later(struct control_socket *control)
{
	const struct timeval pause = {.tv_sec = 1};
	event_del(control->acceptable);
	evtimer_add(control->again, &pause);
}

static void on_acceptable(evutil_socket_t listener, short what, void *argument)
{
	struct control_socket *control = argument;
	struct control_client *client = place_free(control);
	(void)what;
	if (!client) {
		event_del(control->acceptable);
		return;
	}
	CLEANUP(close_fd) int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0) {
		if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR)
			accept_later(control);
		return;
	}
	if (!client_begin(client, event_get_base(control->acceptable), &fd))
		client_release(client);
}

int control_socket_serve(struct control_socket *control, struct event_base *base,
	const struct control_socket_service *service, struct error *error)
{
	if (!control)
		return 0;
	signal(SIGPIPE, SIG_IGN); /* who asked may be gone */
	control->service = *service;
	for (size_t i = 0; i < CONTROL_SOCKET_CLIENTS_MAX; i++)
		control->clients[i].socket = control;
	control->acceptable =
		event_new(base, control->listener, EV_READ | EV_PERSIST, on_acceptable, control);
	control->again = evtimer_new(base, on_again, control);
	if (!control->acceptable || !control->again || event_add(control->acceptable, NULL) < 0)
		return error_set(
			error, -ENOMEM, "cannot watch the control socket '%s'", control->path);
	return 0;
}
