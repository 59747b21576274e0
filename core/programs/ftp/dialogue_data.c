/* The data connections of a dialogue: how they are made, what they move, how they end. */
#include <errno.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "programs/ftp/dialogue_parts.h"
#include "programs/ftp/socket.h"

void dialogue_listen(struct dialogue *dialogue, struct ftp_client_event *answer)
{
	struct endpoint local;
	answer->outcome = FTP_OUTCOME_NO_PORT;
	if (socket_local(dialogue->control.fd, &local) &&
		data_listen(&dialogue->data, &local, &dialogue->client.peer, &answer->local,
			&dialogue->error) == 0)
		answer->outcome = FTP_OUTCOME_DONE;
}

void dialogue_connect(struct dialogue *dialogue, const struct endpoint *endpoint)
{
	struct endpoint local;
	if (socket_local(dialogue->control.fd, &local))
		data_connect(&dialogue->data, endpoint, &local);
	else
		data_want(&dialogue->data); /* tells that there is none */
}

static void dialogue_transfer(struct dialogue *dialogue, int take_fd)
{
	struct stream stream = {.fd = take_fd};
	struct stream_setup setup = {.tls = dialogue->setup.tls,
		.host = dialogue->setup.host,
		.resumed = &dialogue->control};
	if (setup.tls && stream_secure(&stream, &setup, &dialogue->error) < 0) {
		stream_close(&stream);
		data_want(&dialogue->data); /* tells that there is none */
		return;
	}
	transfer_start(&dialogue->transfer, dialogue->base, &stream);
}

/* A passive connection is made already; an active one comes once the server has said 150. */
void dialogue_move(struct dialogue *dialogue)
{
	bool sends = dialogue->task.verb == FTP_STOR;
	off_t offset = (off_t)dialogue->client.offset;
	if (sends && offset > 0 && lseek(dialogue->task.file, offset, SEEK_SET) < 0) {
		error_system(&dialogue->error, -errno, "cannot read '%s' from byte %lld on",
			dialogue->task.file_name, (long long)offset);
		close_fd(&dialogue->held);
	}
	if (dialogue->held >= 0)
		dialogue_transfer(dialogue, take_fd(&dialogue->held));
	else
		data_want(&dialogue->data);
}

void dialogue_data_made(void *owner, int take_fd)
{
	struct dialogue *dialogue = owner;
	bool passive = dialogue->client.state == FTP_CLIENT_CONNECTING;
	struct ftp_client_event event = {
		.kind = passive ? FTP_CLIENT_EVENT_ANSWER : FTP_CLIENT_EVENT_MOVED,
		.outcome = take_fd >= 0 ? FTP_OUTCOME_DONE : FTP_OUTCOME_NOT_CONNECTED,
	};
	/* Only a whole file may end properly, whatever becomes of us. */
	if (take_fd >= 0 && dialogue->task.verb == FTP_STOR)
		socket_resets(take_fd, true);
	if (take_fd >= 0 && !passive) {
		dialogue_transfer(dialogue, take_fd);
		return;
	}
	if (take_fd < 0 && dialogue->error.code == 0)
		error_set(&dialogue->error, -ECONNREFUSED, "no data connection came about");
	dialogue->held = take_fd;
	dialogue_step(dialogue, &event);
}

/* The sentence for data that did not move as it should; none for FTP_OUTCOME_DONE. */
static void explain(const struct dialogue_task *task, enum ftp_outcome outcome, struct error *error)
{
	static const struct {
		int code;
		const char *sentence; /* NULL: the file's name belongs to it */
	} sentences[FTP_OUTCOME_COUNT] = {
		[FTP_OUTCOME_LOST] = {-ECONNRESET, "the data connection broke"},
		[FTP_OUTCOME_STALLED] = {-ETIMEDOUT, "the data connection stalled"},
		[FTP_OUTCOME_NOT_PROTECTED] = {-EPROTO,
			"the data connection's TLS handshake failed"},
	};
	if (outcome == FTP_OUTCOME_DONE)
		return;
	if (sentences[outcome].sentence)
		error_set(error, sentences[outcome].code, "%s", sentences[outcome].sentence);
	else if (outcome == FTP_OUTCOME_NO_SPACE && task->limit_bytes)
		error_set(error, -EFBIG, "'%s' is longer than %llu bytes", task->file_name,
			(unsigned long long)task->limit_bytes);
	else
		error_set(error, -EIO, "cannot %s '%s'%s",
			task->verb == FTP_STOR ? "read" : "write", task->file_name,
			outcome == FTP_OUTCOME_NO_SPACE ? ": no space is left" : "");
}

void dialogue_moved(void *owner, enum ftp_outcome outcome)
{
	struct dialogue *dialogue = owner;
	explain(&dialogue->task, outcome, &dialogue->error);
	struct ftp_client_event event = {.kind = FTP_CLIENT_EVENT_MOVED, .outcome = outcome};
	dialogue_step(dialogue, &event);
}
