#include "programs/ftp/dialogue.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "programs/ftp/dialogue_parts.h"
#include "programs/ftp/socket.h"

static void dialogue_shake(struct dialogue *dialogue);

/* --- actions --- */

static void dialogue_flush(struct dialogue *dialogue)
{
	struct text *output = &dialogue->output;
	while (output->length > 0) {
		enum stream_wait wait = STREAM_READY;
		size_t sent = stream_send(&dialogue->control, output->bytes, output->length, &wait);
		/* A broken connection shows when it is read, behind a last reply. */
		if (wait == STREAM_WANTS_WRITE)
			event_add(&dialogue->write_event, NULL);
		if (sent == 0)
			return;
		size_t left = output->length - sent;
		memmove(output->bytes, output->bytes + sent, left);
		output->length = left;
	}
}

static void dialogue_drop_data(struct dialogue *dialogue)
{
	dialogue->moved_bytes = dialogue_moved_bytes(dialogue);
	data_drop(&dialogue->data);
	transfer_stop(&dialogue->transfer);
	close_fd(&dialogue->held);
}

/* What came behind 234 came in clear text, whoever it is from: it must not count as protected. */
static void do_secure(struct dialogue *dialogue)
{
	struct stream_setup setup = {.tls = dialogue->setup.tls, .host = dialogue->setup.host};
	if (dialogue->input.length > dialogue->input.taken)
		error_set(&dialogue->error, -EPROTO,
			"the server said something between AUTH TLS and the handshake");
	else if (stream_secure(&dialogue->control, &setup, &dialogue->error) == 0)
		event_active(&dialogue->read_event, EV_READ, 1);
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
	case FTP_CLIENT_SECURE:
		do_secure(dialogue);
		*answer = (struct ftp_client_event){
			.kind = FTP_CLIENT_EVENT_ANSWER, .outcome = FTP_OUTCOME_NOT_PROTECTED};
		return dialogue->error.code != 0;
	case FTP_CLIENT_CONNECT:
		dialogue_connect(dialogue, &action->endpoint);
		return false;
	case FTP_CLIENT_LISTEN:
		*answer = (struct ftp_client_event){.kind = FTP_CLIENT_EVENT_ANSWER};
		dialogue_listen(dialogue, answer);
		return true;
	case FTP_CLIENT_MOVE:
		dialogue_move(dialogue);
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
void dialogue_step(struct dialogue *dialogue, const struct ftp_client_event *event)
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
	if (!over)
		return;
	struct error error = dialogue->error;
	dialogue->error.code = 0;
	dialogue->over(dialogue->owner, result, error.code ? error.text : NULL);
}

/* --- what the control connection brings --- */

/* The connection is of no more use: it is closed, or speaks no FTP. */
static void dialogue_lost(struct dialogue *dialogue)
{
	dialogue->closed = true;
	ftp_input_finish(&dialogue->input);
	event_del(&dialogue->read_event);
	dialogue_step(dialogue, &(struct ftp_client_event){.kind = FTP_CLIENT_EVENT_CLOSED});
}

static void dialogue_no_ftp(struct dialogue *dialogue)
{
	error_set(&dialogue->error, -EPROTO, "the server does not speak FTP");
	dialogue_lost(dialogue);
}

/* Take one line; false where there is none. */
static bool dialogue_line(struct dialogue *dialogue)
{
	const char *line = "";
	size_t length = 0;
	enum ftp_input_kind kind = ftp_input_peek(&dialogue->input, &line, &length);
	/* One that does not end would be waited for for ever. */
	if (kind == FTP_INPUT_TOO_LONG || dialogue->input.skipping) {
		dialogue_no_ftp(dialogue);
		return false;
	}
	if (kind == FTP_INPUT_NOTHING)
		return false;
	struct ftp_reply_line reply;
	enum ftp_reply_progress progress =
		ftp_reply_reader_line(&dialogue->replies, line, length, &reply);
	dialogue->heard(dialogue->owner, line, length, reply.code);
	if (progress == FTP_REPLY_MALFORMED) {
		dialogue_no_ftp(dialogue);
		return false;
	}
	/* The line's bytes go away with it. */
	struct ftp_client_event event = {
		.kind = progress == FTP_REPLY_COMPLETE ? FTP_CLIENT_EVENT_REPLY
						       : FTP_CLIENT_EVENT_LINE,
		.code = reply.code,
		.text = dialogue->reply,
		.length = reply.text_length,
	};
	memcpy(dialogue->reply, reply.text, reply.text_length);
	dialogue->reply[reply.text_length] = '\0';
	if (progress == FTP_REPLY_COMPLETE)
		dialogue->reply_code = reply.code;
	ftp_input_take(&dialogue->input);
	dialogue_step(dialogue, &event);
	return dialogue->client.state != FTP_CLIENT_ENDED;
}

static void dialogue_readable(evutil_socket_t fd, short what, void *argument)
{
	struct dialogue *dialogue = argument;
	char bytes[4096];
	enum stream_wait wait = STREAM_READY;
	(void)fd;
	(void)what;
	if (dialogue->control.shaking) {
		dialogue_shake(dialogue);
		return;
	}
	size_t got = stream_receive(&dialogue->control, bytes, sizeof(bytes), &wait);
	if (got == 0 && (wait == STREAM_WANTS_READ || wait == STREAM_WANTS_WRITE))
		return;
	/* All lines are taken each time, so there is always room for one read. */
	bool fed = got > 0 && ftp_input_feed(&dialogue->input, bytes, got);
	while (fed && dialogue_line(dialogue))
		;
	if (!fed && !dialogue->closed)
		dialogue_lost(dialogue);
	else if (!dialogue->closed && stream_holds(&dialogue->control))
		event_active(&dialogue->read_event, EV_READ, 1); /* the socket will not tell */
}

static void dialogue_shake(struct dialogue *dialogue)
{
	struct ftp_client_event event = {
		.kind = FTP_CLIENT_EVENT_ANSWER, .outcome = FTP_OUTCOME_DONE};
	enum stream_wait wait = stream_shake(&dialogue->control, &dialogue->error);
	if (wait == STREAM_WANTS_READ)
		return;
	if (wait == STREAM_WANTS_WRITE) {
		event_add(&dialogue->write_event, NULL);
		return;
	}
	if (wait != STREAM_READY)
		event.outcome = FTP_OUTCOME_NOT_PROTECTED;
	dialogue_step(dialogue, &event);
}

static void dialogue_writable(evutil_socket_t fd, short what, void *argument)
{
	struct dialogue *dialogue = argument;
	(void)fd;
	(void)what;
	if (dialogue->control.shaking)
		dialogue_shake(dialogue);
	else
		dialogue_flush(dialogue);
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

/* --- life --- */

void dialogue_init(struct dialogue *dialogue, struct event_base *base, int take_fd,
	const struct dialogue_setup *setup)
{
	struct endpoint peer = {0};
	dialogue->base = base;
	dialogue->setup = *setup;
	dialogue->control = (struct stream){.fd = take_fd};
	dialogue->held = -1;
	socket_tune_control(take_fd);
	/* Gone already, it has no peer: reading it will tell. */
	(void)socket_peer(take_fd, &peer);
	ftp_client_init(&dialogue->client, &peer, setup->user, setup->password);
	dialogue->client.tls = setup->tls != NULL;
	dialogue->client.active = setup->active;
	dialogue->client.ascii = setup->ascii;
	dialogue->client.patient = setup->patient;
	data_init(&dialogue->data, base, dialogue_data_made, dialogue);
	dialogue->data.patience = clock_timeval(setup->connect_ns);
	transfer_init(&dialogue->transfer, dialogue_moved, dialogue);
	dialogue->transfer.patience = clock_timeval(setup->stall_ns);
	event_assign(&dialogue->read_event, base, take_fd, EV_READ | EV_PERSIST, dialogue_readable,
		dialogue);
	event_assign(&dialogue->write_event, base, take_fd, EV_WRITE, dialogue_writable, dialogue);
	event_assign(&dialogue->timer, base, -1, 0, dialogue_time, dialogue);
	event_add(&dialogue->read_event, NULL);
	dialogue_step(dialogue, &(struct ftp_client_event){.kind = FTP_CLIENT_EVENT_MADE});
}

void dialogue_begin(struct dialogue *dialogue, const struct dialogue_task *task)
{
	bool sends = task->verb == FTP_STOR;
	bool file = sends || task->verb == FTP_RETR;
	dialogue->task = *task;
	dialogue->moved_bytes = 0;
	/* A listing is text whatever the files are. */
	transfer_prepare_file(&dialogue->transfer, sends ? TRANSFER_SEND_FILE : TRANSFER_RECEIVE,
		task->file, !file || dialogue->client.ascii);
	dialogue->transfer.file_waits = task->file_waits;
	dialogue->transfer.lingers = sends;
	dialogue->transfer.limit_bytes = task->limit_bytes;
	struct ftp_client_event event = {
		.kind = FTP_CLIENT_EVENT_TASK,
		.task = task->verb,
		.argument = task->remote,
		.second = task->second,
		.ask_size = task->ask_size,
		.resume = task->resume,
		.local_bytes = task->local_bytes,
	};
	dialogue_step(dialogue, &event);
}

void dialogue_abort(struct dialogue *dialogue)
{
	dialogue_step(dialogue, &(struct ftp_client_event){.kind = FTP_CLIENT_EVENT_ABORT});
}

bool dialogue_is_open(const struct dialogue *dialogue)
{
	return !dialogue->closed && dialogue->client.state == FTP_CLIENT_READY;
}

uint64_t dialogue_moved_bytes(const struct dialogue *dialogue)
{
	uint64_t bytes = dialogue->transfer.bytes;
	return bytes > dialogue->moved_bytes ? bytes : dialogue->moved_bytes;
}

void dialogue_finish(struct dialogue *dialogue)
{
	dialogue_drop_data(dialogue);
	event_del(&dialogue->read_event);
	event_del(&dialogue->write_event);
	event_del(&dialogue->timer);
	stream_close(&dialogue->control);
	ftp_input_finish(&dialogue->input);
	text_finish(&dialogue->output);
}
