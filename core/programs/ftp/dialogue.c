#include "programs/ftp/dialogue.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "programs/ftp/socket.h"

static void dialogue_step(struct dialogue *dialogue, const struct ftp_client_event *event);

/* --- the local file of a task --- */

static void dialogue_close_files(struct dialogue *dialogue)
{
	close_fd(&dialogue->source);
	draft_discard(&dialogue->sink);
}

static int open_local_source(struct dialogue *dialogue, const char *path, struct error *error)
{
	struct stat file;
	CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &file) < 0)
		return error_system(error, -errno, "cannot read '%s'", path);
	if (!S_ISREG(file.st_mode))
		return error_set(error, -EINVAL, "'%s' is not a plain file", path);
	transfer_prepare_file(&dialogue->transfer, TRANSFER_SEND_FILE, fd, dialogue->client.ascii);
	dialogue->source = take_fd(&fd);
	return 0;
}

static int open_local_sink(struct dialogue *dialogue, const char *path, struct error *error)
{
	char folder[PATH_MAX] = ".";
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	size_t length = slash ? (size_t)(slash - path) + 1 : 0;
	if (length >= sizeof(folder))
		return error_set(error, -ENAMETOOLONG, "the name '%.64s...' is too long", path);
	if (slash) {
		memcpy(folder, path, length);
		folder[length] = '\0';
	}
	int directory = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int status = directory < 0 ? -errno : draft_create(directory, name, true, &dialogue->sink);
	if (status < 0)
		return error_system(error, status, "cannot write '%s'", path);
	transfer_prepare_file(
		&dialogue->transfer, TRANSFER_RECEIVE, dialogue->sink.fd, dialogue->client.ascii);
	return 0;
}

static int dialogue_open_local(struct dialogue *dialogue, struct error *error)
{
	const struct dialogue_task *task = &dialogue->task;
	switch (task->verb) {
	case FTP_RETR:
		return open_local_sink(dialogue, task->local, error);
	case FTP_STOR:
		return open_local_source(dialogue, task->local, error);
	case FTP_LIST:
		transfer_prepare_file(&dialogue->transfer, TRANSFER_RECEIVE, STDOUT_FILENO, true);
		return 0;
	default:
		return 0;
	}
}

static void dialogue_forget_task(struct dialogue *dialogue)
{
	dialogue_close_files(dialogue);
	free(TAKE(dialogue->task.remote));
	free(TAKE(dialogue->task.local));
}

/* --- actions --- */

static void dialogue_flush(struct dialogue *dialogue)
{
	while (dialogue->output.length > 0) {
		ssize_t sent = send(dialogue->fd, dialogue->output.bytes, dialogue->output.length,
			MSG_NOSIGNAL);
		if (sent < 0) {
			/* A broken connection shows when it is read, behind a last reply. */
			if (errno == EAGAIN || errno == EINTR)
				event_add(&dialogue->write_event, NULL);
			return;
		}
		size_t left = dialogue->output.length - (size_t)sent;
		memmove(dialogue->output.bytes, dialogue->output.bytes + sent, left);
		dialogue->output.length = left;
	}
}

static void dialogue_drop_data(struct dialogue *dialogue)
{
	data_drop(&dialogue->data);
	transfer_stop(&dialogue->transfer);
	close_fd(&dialogue->held);
	dialogue_close_files(dialogue);
}

static bool do_listen(struct dialogue *dialogue, struct ftp_client_event *answer)
{
	struct ftp_endpoint local;
	answer->outcome = FTP_OUTCOME_NO_PORT;
	if (socket_local(dialogue->fd, &local) &&
		data_listen(&dialogue->data, &local, &dialogue->client.peer, &answer->local,
			&dialogue->error) == 0)
		answer->outcome = FTP_OUTCOME_DONE;
	return true;
}

static void do_connect(struct dialogue *dialogue, const struct ftp_endpoint *endpoint)
{
	struct ftp_endpoint local;
	if (socket_local(dialogue->fd, &local))
		data_connect(&dialogue->data, endpoint, &local);
	else
		data_want(&dialogue->data); /* tells that there is none */
}

/* What was received gets its name only now: the server said that it was all. */
static void dialogue_report(struct dialogue *dialogue, enum ftp_client_result result)
{
	if (result == FTP_CLIENT_DONE && dialogue->sink.fd >= 0) {
		int status = draft_commit(&dialogue->sink);
		if (status < 0) {
			error_system(&dialogue->error, status, "cannot write '%s'",
				dialogue->task.local);
			result = FTP_CLIENT_LOCAL;
		}
	}
	struct error error = dialogue->error;
	dialogue->error.code = 0;
	dialogue_forget_task(dialogue);
	dialogue->over(dialogue->owner, result, error.code ? error.text : NULL);
}

/* A passive connection is made already; an active one comes once the server has said 150. */
static void do_move(struct dialogue *dialogue)
{
	if (dialogue->held >= 0)
		transfer_start(&dialogue->transfer, dialogue->base,
			&(struct stream){.fd = take_fd(&dialogue->held)});
	else
		data_want(&dialogue->data);
}

/* Do one action; true where `answer` is to be given to the machine. */
static bool dialogue_do(struct dialogue *dialogue, const struct ftp_client_action *action,
	struct ftp_client_event *answer)
{
	switch (action->kind) {
	case FTP_CLIENT_SEND:
		text_append_bytes(&dialogue->output, action->text, action->length);
		dialogue_flush(dialogue);
		return false;
	case FTP_CLIENT_CONNECT:
		do_connect(dialogue, &action->endpoint);
		return false;
	case FTP_CLIENT_LISTEN:
		*answer = (struct ftp_client_event){.kind = FTP_CLIENT_EVENT_ANSWER};
		return do_listen(dialogue, answer);
	case FTP_CLIENT_MOVE:
		do_move(dialogue);
		return false;
	case FTP_CLIENT_DROP_DATA:
		dialogue_drop_data(dialogue);
		return false;
	case FTP_CLIENT_REPORT:
		return false; /* dialogue_step() keeps it for the end */
	}
	return false;
}

static void dialogue_arm(struct dialogue *dialogue, uint64_t now_ns)
{
	uint64_t deadline_ns = dialogue->client.deadline_ns;
	if (deadline_ns == UINT64_MAX) {
		event_del(&dialogue->timer);
		return;
	}
	uint64_t left_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;
	struct timeval left = {.tv_sec = (time_t)(left_ns / NS_PER_SECOND + 1)};
	event_add(&dialogue->timer, &left);
}

/* Step, do the actions in order, step again with what they brought; report last of all. */
static void dialogue_step(struct dialogue *dialogue, const struct ftp_client_event *event)
{
	struct ftp_client_actions *actions = &dialogue->actions;
	struct ftp_client_event answer = *event;
	enum ftp_client_result result = FTP_CLIENT_DONE;
	bool over = false;
	uint64_t now_ns = clock_monotonic_ns();
	for (bool again = true; again;) {
		struct ftp_client_event given = answer;
		again = false;
		ftp_client_step(&dialogue->client, &given, now_ns, actions);
		for (size_t i = 0; i < actions->count; i++) {
			const struct ftp_client_action *action = &actions->list[i];
			again |= dialogue_do(dialogue, action, &answer);
			if (action->kind == FTP_CLIENT_REPORT) {
				over = true;
				result = action->result;
			}
		}
	}
	dialogue_arm(dialogue, now_ns);
	if (over) /* the owner may begin the next task, or finish, within this call */
		dialogue_report(dialogue, result);
}

/* --- what the sockets bring --- */

/* Take one line; false where there is none. */
static bool dialogue_line(struct dialogue *dialogue)
{
	const char *line = "";
	size_t length = 0;
	enum ftp_input_kind kind = ftp_input_peek(&dialogue->input, &line, &length);
	if (kind == FTP_INPUT_NOTHING)
		return false;
	struct ftp_reply_line reply;
	enum ftp_reply_progress progress = FTP_REPLY_MALFORMED;
	if (kind == FTP_INPUT_LINE) {
		dialogue->heard(dialogue->owner, line, length);
		progress = ftp_reply_reader_line(&dialogue->replies, line, length, &reply);
	}
	if (progress == FTP_REPLY_MALFORMED) {
		error_set(&dialogue->error, -EPROTO, "the server does not speak FTP");
		ftp_input_finish(&dialogue->input);
		dialogue->closed = true;
		dialogue_step(
			dialogue, &(struct ftp_client_event){.kind = FTP_CLIENT_EVENT_CLOSED});
		return false;
	}
	/* The line's bytes go away with it, and the step may end the dialogue: keep a copy. */
	char text[FTP_INPUT_LINE_MAX];
	size_t text_length = reply.text_length;
	memcpy(text, reply.text, text_length);
	ftp_input_take(&dialogue->input);
	if (progress == FTP_REPLY_COMPLETE) {
		struct ftp_client_event event = {.kind = FTP_CLIENT_EVENT_REPLY,
			.code = reply.code,
			.text = text,
			.length = text_length};
		dialogue_step(dialogue, &event);
	}
	return true;
}

static void dialogue_readable(evutil_socket_t fd, short what, void *argument)
{
	struct dialogue *dialogue = argument;
	char bytes[4096];
	(void)what;
	ssize_t got = recv(fd, bytes, sizeof(bytes), 0);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	/* All lines are taken each time, so there is always room for one read. */
	bool fed = got > 0 && ftp_input_feed(&dialogue->input, bytes, (size_t)got);
	while (fed && dialogue_line(dialogue))
		;
	if (fed || dialogue->closed)
		return;
	dialogue->closed = true;
	event_del(&dialogue->read_event);
	dialogue_step(dialogue, &(struct ftp_client_event){.kind = FTP_CLIENT_EVENT_CLOSED});
}

static void dialogue_writable(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	dialogue_flush(argument);
}

static void dialogue_time(evutil_socket_t fd, short what, void *argument)
{
	struct dialogue *dialogue = argument;
	(void)fd;
	(void)what;
	if (clock_monotonic_ns() >= dialogue->client.deadline_ns)
		error_set(&dialogue->error, -ETIMEDOUT, "the server does not answer");
	dialogue_step(dialogue, &(struct ftp_client_event){.kind = FTP_CLIENT_EVENT_TIME});
}

static void dialogue_data_made(void *owner, int take_fd)
{
	struct dialogue *dialogue = owner;
	bool passive = dialogue->client.state == FTP_CLIENT_CONNECTING;
	struct ftp_client_event event = {
		.kind = passive ? FTP_CLIENT_EVENT_ANSWER : FTP_CLIENT_EVENT_MOVED,
		.outcome = take_fd >= 0 ? FTP_OUTCOME_DONE : FTP_OUTCOME_NOT_CONNECTED,
	};
	if (take_fd >= 0 && !passive) {
		transfer_start(
			&dialogue->transfer, dialogue->base, &(struct stream){.fd = take_fd});
		return;
	}
	if (take_fd < 0)
		error_set(&dialogue->error, -ECONNREFUSED, "no data connection came about");
	dialogue->held = take_fd;
	dialogue_step(dialogue, &event);
}

static void dialogue_moved(void *owner, enum ftp_outcome outcome)
{
	struct dialogue *dialogue = owner;
	const char *what = dialogue->task.local ? dialogue->task.local : "standard output";
	if (outcome == FTP_OUTCOME_LOST || outcome == FTP_OUTCOME_STALLED)
		error_set(&dialogue->error, -ECONNRESET, "the data connection %s",
			outcome == FTP_OUTCOME_LOST ? "broke" : "stalled");
	else if (outcome != FTP_OUTCOME_DONE)
		error_set(&dialogue->error, -EIO, "cannot %s '%s'%s",
			dialogue->source >= 0 ? "read" : "write", what,
			outcome == FTP_OUTCOME_NO_SPACE ? ": no space is left" : "");
	struct ftp_client_event event = {.kind = FTP_CLIENT_EVENT_MOVED, .outcome = outcome};
	dialogue_step(dialogue, &event);
}

/* --- life --- */

void dialogue_init(struct dialogue *dialogue, struct event_base *base, int take_fd,
	const char *user, const char *password)
{
	struct ftp_endpoint peer = {0};
	dialogue->base = base;
	dialogue->fd = take_fd;
	dialogue->held = dialogue->source = -1;
	dialogue->sink = DRAFT_NONE;
	socket_tune_control(take_fd);
	if (!socket_peer(take_fd, &peer))
		dialogue->error.code = 0; /* gone already: reading it will tell */
	ftp_client_init(&dialogue->client, &peer, user, password);
	data_init(&dialogue->data, base, dialogue_data_made, dialogue);
	transfer_init(&dialogue->transfer, dialogue_moved, dialogue);
	event_assign(&dialogue->read_event, base, take_fd, EV_READ | EV_PERSIST, dialogue_readable,
		dialogue);
	event_assign(&dialogue->write_event, base, take_fd, EV_WRITE, dialogue_writable, dialogue);
	event_assign(&dialogue->timer, base, -1, 0, dialogue_time, dialogue);
	event_add(&dialogue->read_event, NULL);
}

int dialogue_begin(
	struct dialogue *dialogue, const struct dialogue_task *take_task, struct error *error)
{
	dialogue_forget_task(dialogue);
	dialogue->task = *take_task;
	int status = dialogue_open_local(dialogue, error);
	if (status < 0) {
		dialogue_forget_task(dialogue);
		return status;
	}
	struct ftp_client_event event = {.kind = FTP_CLIENT_EVENT_TASK,
		.task = take_task->verb,
		.argument = take_task->remote};
	dialogue_step(dialogue, &event);
	return 0;
}

bool dialogue_is_open(const struct dialogue *dialogue)
{
	return !dialogue->closed && dialogue->client.state == FTP_CLIENT_READY;
}

void dialogue_finish(struct dialogue *dialogue)
{
	dialogue_drop_data(dialogue);
	dialogue_forget_task(dialogue);
	event_del(&dialogue->read_event);
	event_del(&dialogue->write_event);
	event_del(&dialogue->timer);
	close_fd(&dialogue->fd);
	ftp_input_finish(&dialogue->input);
	text_finish(&dialogue->output);
}
