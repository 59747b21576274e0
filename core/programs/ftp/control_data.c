/*
 * What a control moves: over which data connection, what becomes of the file, and what is counted
 * and logged of it.
 */
#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "programs/ftp/control_job.h"
#include "programs/ftp/control_parts.h"
#include "programs/ftp/service.h"
#include "programs/ftp/socket.h"

/* How long the control connection has to outlive an upload's data: control_is_cut_off(). */
#define UPLOAD_GRACE_MS 10

/* How long the reply to PASV and EPSV is held back from who falls asleep over it; control_hold(). */
#define HOLD_MS	       1
#define SLEEP_LEAST_NS (900 * NS_PER_MS)
#define SLEEP_MOST_NS  (1500 * NS_PER_MS)

/* --- the reply to PASV and EPSV --- */

static void control_held(evutil_socket_t fd, short what, void *argument)
{
	struct control *control = argument;
	(void)fd, (void)what;
	control->held = false;
	struct ftp_event answer = {.kind = FTP_EVENT_ANSWER, .local = control->port};
	control->port_ns = clock_monotonic_ns();
	control_answer(control, &answer);
}

/*
 * curl 7.88 looks for this reply at once after it has sent the command, and where it is there
 * already, waits for nothing at all for a second before it goes on. Nobody else is to pay for that:
 * a session is answered a moment later from the first time on that it came back after a second.
 */
bool control_hold(struct control *control, const struct endpoint *port)
{
	static const struct timeval moment = {.tv_usec = HOLD_MS * 1000};
	control->port_ns = clock_monotonic_ns();
	control->held = control->sleeps;
	if (!control->held)
		return false;
	control->port = *port;
	event_add(&control->held_event, &moment);
	return true;
}

/* A file is asked for, over the port that was told. */
static void control_awake(struct control *control, uint64_t now_ns)
{
	uint64_t slept_ns = now_ns - control->port_ns;
	if (control->port_ns > 0 && slept_ns >= SLEEP_LEAST_NS && slept_ns < SLEEP_MOST_NS)
		control->sleeps = true;
	control->port_ns = 0;
}

/* --- what came of it --- */

static void count(struct service_counters *counters, const struct transfer *transfer,
	enum ftp_outcome outcome)
{
	bool upload = transfer->kind == TRANSFER_RECEIVE;
	*(upload ? &counters->bytes_in : &counters->bytes_out) += transfer->bytes;
	if (outcome != FTP_OUTCOME_DONE)
		counters->failed_transfers++;
	else if (transfer->kind == TRANSFER_SEND_TEXT)
		counters->listings++;
	else if (upload)
		counters->uploads++;
	else
		counters->downloads++;
}

/* Count the transfer that is over, and write it to the logs. */
static void control_record(struct control *control, enum ftp_outcome outcome)
{
	const struct ftp_session *session = &control->session;
	const struct transfer *transfer = &control->transfer;
	struct service *service = control->service;
	bool upload = transfer->kind == TRANSFER_RECEIVE;
	struct transfer_record record = {
		.client = &session->peer,
		.user = control->account->hash ? session->name : "",
		.root = control->account->root ? control->account->root : "",
		.path = session->asked_path ? session->asked_path : "",
		.upload = upload,
		.ascii = transfer->ascii,
		.complete = outcome == FTP_OUTCOME_DONE,
		.secure = session->protect,
		.bytes = transfer->bytes,
		.duration_ns = clock_monotonic_ns() - control->began_ns,
		.ended_seconds = (int64_t)(clock_realtime_ns() / NS_PER_SECOND),
	};
	control->moving = false;
	count(&service->counters, transfer, outcome);
	if (diary_allows(&service->diary, DIARY_REQUEST))
		log_line("%s %s %llu bytes%s", control->guest.name, upload ? "sent" : "was sent",
			(unsigned long long)transfer->bytes, record.complete ? "" : ", aborted");
	if (transfer->kind != TRANSFER_SEND_TEXT)
		transfer_log_write(&service->log, &record);
}

void control_data_drop(struct control *control)
{
	if (control->moving)
		control_record(control, FTP_OUTCOME_LOST);
	event_del(&control->upload_event);
	event_del(&control->held_event);
	control->held = false;
	control_job_forget(control);
	data_drop(&control->data);
	/* What came of an upload that ends early may be gone on with. */
	bool worth = control->transfer.bytes > 0 || control->sink.former_is_draft;
	int draft =
		control->sink.draft.fd < 0 ? -1 : fcntl(control->sink.draft.fd, F_DUPFD_CLOEXEC, 0);
	int former = take_fd(&control->sink.former), replaced = take_fd(&control->sink.replaced);
	if (control->service->keeps && control->sink.draft.fd >= 0 && worth)
		draft_keep(&control->sink.draft);
	transfer_stop(&control->transfer);
	store_list_free(&control->listing);
	close_fd(&control->source);
	store_sink_finish(&control->sink);
	control_job_close(control->service, draft);
	control_job_close(control->service, former);
	control_job_close(control->service, replaced);
}

static enum ftp_outcome control_commit(struct control *control)
{
	int status = draft_commit(&control->sink.draft);
	return status < 0 ? store_outcome(status) : FTP_OUTCOME_DONE;
}

static void control_transferred(struct control *control, enum ftp_outcome outcome)
{
	control_record(control, outcome);
	control_step(control, &(struct ftp_event){.kind = FTP_EVENT_ENDED, .outcome = outcome});
	control_settle(control);
}

/* --- the data connection --- */

/* Move over a connection that was made, or was not (-1). False: it is over, with `ret_outcome`. */
static bool control_move(struct control *control, int take_fd, enum ftp_outcome *ret_outcome)
{
	enum ftp_outcome outcome = FTP_OUTCOME_NOT_CONNECTED;
	struct stream stream = {.fd = take_fd};
	struct stream_setup setup = {
		.tls = control->service->tls, .mark = control->mark, .no_tickets = true};
	bool protect = control->session.protect;
	if (take_fd >= 0 && protect && stream_secure(&stream, &setup, &(struct error){0}) < 0) {
		stream_close(&stream);
		outcome = FTP_OUTCOME_NOT_PROTECTED;
	}
	if (protect && control->service->tls_reuse)
		control->transfer.required_mark = control->mark;
	if (stream.fd >= 0 && transfer_send_small(&control->transfer, &stream))
		outcome = FTP_OUTCOME_DONE;
	else if (stream.fd >= 0)
		transfer_start(&control->transfer, control->service->base, &stream);
	*ret_outcome = outcome;
	return stream.fd >= 0;
}

static void control_data_made(void *owner, int take_fd)
{
	struct control *control = owner;
	enum ftp_outcome outcome;
	if (!control_move(control, take_fd, &outcome))
		control_transferred(control, outcome);
}

void control_data_start(struct control *control, struct ftp_event *answer)
{
	struct ftp_session *session = &control->session;
	enum ftp_outcome outcome;
	int fd = session->data_mode == FTP_DATA_PASSIVE ? data_take(&control->data) : -1;
	control->began_ns = clock_monotonic_ns();
	control_awake(control, control->began_ns);
	control->moving = true;
	if (fd >= 0) {
		if (control_move(control, fd, &outcome))
			return;
		control_record(control, outcome);
		*answer = (struct ftp_event){.kind = FTP_EVENT_ENDED, .outcome = outcome};
	} else if (session->data_mode == FTP_DATA_ACTIVE && control_knows_local(control)) {
		data_connect(&control->data, &session->target, &control->local);
	} else {
		data_want(&control->data);
	}
}

/*
 * A client that is killed in the middle of an upload ends its data connection as if the file were
 * complete (RFC 959's stream mode has no other end), and its control connection a moment later:
 * Linux closes first what was opened last. Only time tells: between its data's end and our 226 a
 * living client sends nothing either, so neither an ACK nor TCP_INFO knows it from a dying one.
 */
static bool control_is_cut_off(const struct control *control)
{
	struct pollfd state = {.fd = control->stream.fd, .events = POLLRDHUP};
	return poll(&state, 1, 0) == 1 && state.revents & (POLLRDHUP | POLLHUP | POLLERR);
}

static void control_uploaded(evutil_socket_t fd, short what, void *argument)
{
	struct control *control = argument;
	(void)fd, (void)what;
	control_transferred(
		control, control_is_cut_off(control) ? FTP_OUTCOME_LOST : control_commit(control));
}

/*
 * As long as ALLO said it would be, or ended by TLS, which only a living client does: an upload is
 * whole, whatever the client does next.
 */
static bool control_is_whole(const struct control *control)
{
	const struct transfer *transfer = &control->transfer;
	bool said = transfer->expected_bytes > 0 && transfer->bytes == transfer->expected_bytes;
	return said || control->session.protect;
}

static void control_ended(void *owner, enum ftp_outcome outcome)
{
	static const struct timeval grace = {.tv_usec = UPLOAD_GRACE_MS * 1000};
	struct control *control = owner;
	bool uploaded = control->transfer.kind == TRANSFER_RECEIVE && outcome == FTP_OUTCOME_DONE;
	if (uploaded && !control_is_whole(control))
		event_add(&control->upload_event, &grace);
	else
		control_transferred(control, uploaded ? control_commit(control) : outcome);
}

/*
 * The news that the client is gone may be read before its last bytes are. Those count where they
 * can make the upload whole, or are kept.
 */
bool control_data_outlives(const struct control *control)
{
	const struct transfer *transfer = &control->transfer;
	bool counts =
		transfer->expected_bytes > 0 || control->session.protect || control->service->keeps;
	return transfer->kind == TRANSFER_RECEIVE && counts &&
	       (transfer->stream.fd >= 0 || data_comes(&control->data) ||
		       evtimer_pending(&control->upload_event, NULL));
}

/* The piece of a listing is sent. */
static bool control_lists_on(void *owner)
{
	struct control *control = owner;
	return control_job_list(control, TAKE(control->listing), LISTING_PIECE_BYTES);
}

void control_data_init(struct control *control)
{
	struct event_base *base = control->service->base;
	control->source = -1;
	control->sink = STORE_SINK_NONE;
	data_init(&control->data, base, control_data_made, control);
	control->data.ports = control->service->ports;
	control->data.patience = clock_timeval(control->service->connect_ns);
	transfer_init(&control->transfer, control_ended, control);
	control->transfer.more = control_lists_on;
	control->transfer.patience = clock_timeval(control->service->stall_ns);
	event_assign(&control->upload_event, base, -1, 0, control_uploaded, control);
	event_assign(&control->held_event, base, -1, 0, control_held, control);
}
