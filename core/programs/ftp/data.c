#include "programs/ftp/data.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "programs/ftp/socket.h"

static const struct timeval moment = {.tv_usec = DATA_UNWATCHED_MS * 1000};

static void data_told(evutil_socket_t fd, short what, void *argument);

void data_init(struct data *data, struct event_base *base, void (*made)(void *owner, int take_fd),
	void *owner)
{
	*data = (struct data){.base = base,
		.made = made,
		.owner = owner,
		.patience = clock_timeval(DATA_CONNECT_NS),
		.fd = -1};
}

void data_drop(struct data *data)
{
	if (data->state != DATA_NONE)
		event_del(&data->event);
	close_fd(&data->fd);
	data->state = DATA_NONE;
	data->wanted = false;
}

/* Watch data->fd for `what`, with the time-out, in a new state; fd may be -1 for the time alone. */
static void data_watch(struct data *data, enum data_state state, short what)
{
	if (data->state != DATA_NONE)
		event_del(&data->event);
	data->state = state;
	event_assign(&data->event, data->base, data->fd, what, data_told, data);
	event_add(&data->event, &data->patience);
}

/* The attempt is over one way or the other; the owner hears of it when it asks, from the loop. */
static void data_settle(struct data *data, enum data_state state)
{
	if (state == DATA_FAILED)
		close_fd(&data->fd);
	if (data->state != DATA_NONE)
		event_del(&data->event);
	data->state = state;
	event_assign(&data->event, data->base, -1, 0, data_told, data);
	if (data->wanted)
		event_active(&data->event, EV_TIMEOUT, 1);
}

/* The peer's connection; -EAGAIN where it is not there yet, or another negative errno. */
static int data_accept(const struct data *data)
{
	struct sockaddr_storage address = {0};
	socklen_t length = sizeof(address);
	struct endpoint from;
	CLEANUP(close_fd)
	int fd = accept4(
		data->fd, (struct sockaddr *)&address, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return errno == EINTR || errno == ECONNABORTED ? -EAGAIN : -errno;
	/* Whoever guessed the port gets nothing of it, and the port stays open (CERT VU#2558). */
	if (!endpoint_from_sockaddr(&address, &from) || !endpoint_same_host(&from, &data->peer))
		return -EAGAIN;
	return take_fd(&fd);
}

static void data_readable(struct data *data)
{
	int fd = data_accept(data);
	if (fd == -EAGAIN)
		return;
	event_del(&data->event); /* before its descriptor goes */
	close_fd(&data->fd);
	data->fd = fd < 0 ? -1 : fd;
	data_settle(data, fd < 0 ? DATA_FAILED : DATA_CONNECTED);
}

static void data_told(evutil_socket_t fd, short what, void *argument)
{
	struct data *data = argument;
	(void)fd;
	switch (data->state) {
	case DATA_OPEN:
		data_watch(data, DATA_LISTENING, EV_READ | EV_PERSIST);
		break;
	case DATA_LISTENING:
		if (what & EV_READ)
			data_readable(data);
		else
			data_settle(data, DATA_FAILED);
		break;
	case DATA_CONNECTING:
		if (what & EV_WRITE && socket_connect_result(data->fd) == 0)
			data_settle(data, DATA_CONNECTED);
		else
			data_settle(data, DATA_FAILED);
		break;
	case DATA_CONNECTED:
	case DATA_FAILED: {
		int made = take_fd(&data->fd);
		data_drop(data);
		data->made(data->owner, made);
		break;
	}
	case DATA_NONE:
		break;
	}
}

/* A port that nobody can guess: the kernel's choice (RFC 6056), or ours within the range. */
static int listen_somewhere(struct data *data, struct endpoint *at, struct error *error)
{
	unsigned first = data->ports.first, count = data->ports.last - first + 1u;
	uint32_t random = 0;
	at->port = 0;
	if (first == 0)
		return socket_listen(at, 4, &data->fd, error);
	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return error_system(error, -errno, "cannot read random bytes");
	int status = -EADDRINUSE;
	for (unsigned i = 0; i < count && status == -EADDRINUSE; i++) {
		at->port = (uint16_t)(first + (random + i) % count);
		status = socket_listen(at, 4, &data->fd, error);
	}
	return status;
}

int data_listen(struct data *data, const struct endpoint *local, const struct endpoint *peer,
	struct endpoint *ret_local, struct error *error)
{
	struct endpoint at = *local;
	data_drop(data);
	int status = listen_somewhere(data, &at, error);
	if (status < 0)
		return status;
	if (!socket_local(data->fd, ret_local)) {
		close_fd(&data->fd);
		return error_set(error, -EIO, "the data port has no address");
	}
	data->peer = *peer;
	data->state = DATA_OPEN;
	event_assign(&data->event, data->base, -1, 0, data_told, data);
	event_add(&data->event, &moment);
	return 0;
}

int data_take(struct data *data)
{
	bool waits = data->state == DATA_OPEN || data->state == DATA_LISTENING;
	int fd = waits ? data_accept(data) : -1;
	if (fd >= 0)
		data_drop(data);
	return fd < 0 ? -1 : fd;
}

void data_want(struct data *data)
{
	bool over = data->state == DATA_CONNECTED || data->state == DATA_FAILED;
	data->wanted = true;
	if (data->state == DATA_OPEN || data->state == DATA_LISTENING)
		data_watch(data, DATA_LISTENING, EV_READ | EV_PERSIST); /* its time starts anew */
	else if (over || data->state == DATA_NONE)
		data_settle(data, over ? data->state : DATA_FAILED);
}

void data_connect(struct data *data, const struct endpoint *remote, const struct endpoint *local)
{
	data_drop(data);
	data->wanted = true;
	if (socket_connect(remote, local, &data->fd) < 0)
		data_settle(data, DATA_FAILED);
	else
		data_watch(data, DATA_CONNECTING, EV_WRITE);
}

bool data_comes(const struct data *data)
{
	struct pollfd waits = {.fd = data->fd, .events = POLLIN};
	bool listening = data->state == DATA_OPEN || data->state == DATA_LISTENING;
	return data->state == DATA_CONNECTED || (listening && poll(&waits, 1, 0) == 1);
}
