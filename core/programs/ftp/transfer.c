#include "programs/ftp/transfer.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "programs/ftp/socket.h"

/*
 * Measured, processor time of a server that receives 512 MiB to a tmpfs, medians: parts of 64 KiB
 * 0.76 s, 256 KiB 0.67 s, 1 MiB 0.46 s, beside others; 1 MiB 0.40 s, 2 MiB 0.31 s, alone. The
 * kernel takes memory for a file in pieces as large as what is written at once.
 */
enum { CHUNK_BYTES = TRANSFER_TURN_BYTES, ASCII_BYTES = 32 * 1024 };

/* One thread, one loop: no transfer is in the middle of a chunk when another's turn begins. */
static char chunk[CHUNK_BYTES];
static char converted[CHUNK_BYTES + 1];

/* What one attempt to move something came to. */
enum progress {
	PROGRESS_MORE,
	PROGRESS_WAIT_READ,
	PROGRESS_WAIT_WRITE,
	PROGRESS_WAIT_FILE,
	PROGRESS_WAIT_OWNER,
	PROGRESS_OVER
};

void transfer_init(struct transfer *transfer, void (*ended)(void *owner, enum ftp_outcome outcome),
	void *owner)
{
	*transfer = (struct transfer){.ended = ended,
		.owner = owner,
		.file = -1,
		.stream = STREAM_NONE,
		.patience = clock_timeval(TRANSFER_STALL_NS)};
}

void transfer_prepare_file(struct transfer *transfer, enum transfer_kind kind, int file, bool ascii)
{
	transfer_stop(transfer);
	transfer->kind = kind;
	transfer->file = file;
	transfer->ascii = ascii;
}

void transfer_prepare_text(struct transfer *transfer, struct text *take_text)
{
	transfer_stop(transfer);
	transfer->kind = TRANSFER_SEND_TEXT;
	transfer->text = *take_text;
	*take_text = (struct text){0};
}

void transfer_stop(struct transfer *transfer)
{
	if (transfer->stream.fd >= 0)
		event_del(&transfer->event);
	transfer->stream.broken = true; /* no proper end for half a file */
	stream_close(&transfer->stream);
	text_finish(&transfer->text);
	transfer->text_sent = 0;
	transfer->decoder = (struct ftp_ascii_decoder){0};
	transfer->required_mark = 0;
	transfer->file = -1;
	transfer->bytes = transfer->expected_bytes = 0;
	transfer->skip_bytes = 0;
	transfer->file_ended = false;
	transfer->file_waits = transfer->lingers = transfer->lingering = false;
	transfer->limit_bytes = 0;
	transfer->goes_on = false;
}

static enum ftp_outcome outcome_of(int code)
{
	switch (code) {
	case EPIPE:
	case ECONNRESET:
	case ETIMEDOUT:
	case EHOSTUNREACH:
	case ENETUNREACH:
	case ENETDOWN:
	case ENOTCONN:
		return FTP_OUTCOME_LOST;
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return FTP_OUTCOME_NO_SPACE;
	default:
		return FTP_OUTCOME_LOCAL_ERROR;
	}
}

/* After a call on the stream that moved nothing; `errno` is of a failed one. */
static enum progress progress_of(enum stream_wait wait, enum ftp_outcome *ret_outcome)
{
	switch (wait) {
	case STREAM_READY:
		return PROGRESS_MORE;
	case STREAM_WANTS_READ:
		return PROGRESS_WAIT_READ;
	case STREAM_WANTS_WRITE:
		return PROGRESS_WAIT_WRITE;
	case STREAM_ENDED:
	case STREAM_FAILED:
		break;
	}
	*ret_outcome = wait == STREAM_ENDED ? FTP_OUTCOME_LOST : outcome_of(errno);
	return PROGRESS_OVER;
}

static enum progress shake(struct transfer *transfer, enum ftp_outcome *ret_outcome)
{
	struct error error;
	enum stream_wait wait = stream_shake(&transfer->stream, &error);
	uint64_t mark = transfer->required_mark;
	if (wait == STREAM_READY && mark && !stream_resumes(&transfer->stream, mark))
		wait = STREAM_FAILED;
	if (wait != STREAM_FAILED)
		return progress_of(wait, ret_outcome);
	*ret_outcome = FTP_OUTCOME_NOT_PROTECTED;
	return PROGRESS_OVER;
}

static enum progress send_by_kernel(struct transfer *transfer, enum ftp_outcome *ret_outcome)
{
	/*
	 * No more than there is: before Linux 6.5 the end of a file that is shorter than asked for
	 * waits 200 ms for more, unless the connection ends with it.
	 */
	uint64_t left = transfer->expected_bytes - transfer->bytes, most = TRANSFER_TURN_BYTES;
	if (transfer->expected_bytes > transfer->bytes && left < most)
		most = left;
	ssize_t moved = sendfile(transfer->stream.fd, transfer->file, NULL, most);
	if (moved < 0) {
		bool later = errno == EAGAIN || errno == EINTR;
		return progress_of(later ? STREAM_WANTS_WRITE : STREAM_FAILED, ret_outcome);
	}
	if (moved == 0) {
		*ret_outcome = FTP_OUTCOME_DONE;
		return PROGRESS_OVER;
	}
	transfer->bytes += (uint64_t)moved;
	/* All that was to come: save the call that would say so. */
	if (transfer->bytes != transfer->expected_bytes)
		return PROGRESS_MORE;
	*ret_outcome = FTP_OUTCOME_DONE;
	return PROGRESS_OVER;
}

/* Whether the file can be read or written without waiting. */
static bool file_is_ready(const struct transfer *transfer, short events)
{
	struct pollfd file = {.fd = transfer->file, .events = events};
	return !transfer->file_waits || poll(&file, 1, 0) != 0;
}

/* Fill the text with the next part of the file, converted where it is to be. */
static enum progress refill(struct transfer *transfer, enum ftp_outcome *ret_outcome)
{
	if (!file_is_ready(transfer, POLLIN))
		return PROGRESS_WAIT_FILE;
	ssize_t got = read(transfer->file, chunk, ASCII_BYTES);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return PROGRESS_WAIT_FILE;
	if (got == 0 && transfer->file_waits && !transfer->file_ended) {
		transfer->file_ended = true;
		return PROGRESS_WAIT_FILE;
	}
	if (got <= 0) {
		*ret_outcome = got == 0 ? FTP_OUTCOME_DONE : FTP_OUTCOME_LOCAL_ERROR;
		return PROGRESS_OVER;
	}
	text_clear(&transfer->text);
	transfer->text_sent = 0;
	const char *bytes = transfer->ascii ? converted : chunk;
	size_t length =
		transfer->ascii ? ftp_ascii_encode(chunk, (size_t)got, converted) : (size_t)got;
	size_t skipped = transfer->skip_bytes < length ? transfer->skip_bytes : length;
	transfer->skip_bytes = 0;
	text_append_bytes(&transfer->text, bytes + skipped, length - skipped);
	if (transfer->text.failed) {
		*ret_outcome = FTP_OUTCOME_LOCAL_ERROR;
		return PROGRESS_OVER;
	}
	return PROGRESS_MORE;
}

static enum progress send_text(struct transfer *transfer, enum ftp_outcome *ret_outcome)
{
	size_t left = transfer->text.length - transfer->text_sent;
	if (left == 0 && transfer->kind == TRANSFER_SEND_FILE)
		return refill(transfer, ret_outcome);
	if (left == 0 && transfer->goes_on)
		return PROGRESS_WAIT_OWNER;
	if (left == 0) {
		*ret_outcome = FTP_OUTCOME_DONE;
		return PROGRESS_OVER;
	}
	enum stream_wait wait = STREAM_READY;
	size_t moved = stream_send(
		&transfer->stream, transfer->text.bytes + transfer->text_sent, left, &wait);
	transfer->text_sent += moved;
	transfer->bytes += moved;
	return progress_of(wait, ret_outcome);
}

/* All of it to the file; a file that is a pipe (a client's output) may not take all at once. */
static int write_whole(int file, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t written = write(file, bytes, length);
		if (written < 0 && errno == EAGAIN) {
			struct pollfd wait = {.fd = file, .events = POLLOUT};
			if (poll(&wait, 1, TRANSFER_STALL_NS / NS_PER_MS) == 1)
				continue;
		}
		if (written < 0 && errno != EINTR)
			return -errno;
		if (written > 0) {
			bytes += written;
			length -= (size_t)written;
		}
	}
	return 0;
}

/* A reader of our output that went away is a local matter, not a lost data connection. */
static enum ftp_outcome outcome_of_file(int status)
{
	if (status == 0)
		return FTP_OUTCOME_DONE;
	enum ftp_outcome outcome = outcome_of(-status);
	return outcome == FTP_OUTCOME_NO_SPACE ? outcome : FTP_OUTCOME_LOCAL_ERROR;
}

static enum progress receive(struct transfer *transfer, enum ftp_outcome *ret_outcome)
{
	enum stream_wait wait = STREAM_READY;
	/* A pipe that is ready takes that much at once. */
	size_t size = transfer->file_waits ? PIPE_BUF : sizeof(chunk);
	if (!file_is_ready(transfer, POLLOUT))
		return PROGRESS_WAIT_FILE;
	size_t got = stream_receive(&transfer->stream, chunk, size, &wait), length = got;
	const char *bytes = chunk;
	bool ended = wait == STREAM_ENDED;
	if (got == 0 && !ended)
		return progress_of(wait, ret_outcome);
	if (transfer->ascii) {
		bytes = converted;
		length = ended ? ftp_ascii_decode_end(&transfer->decoder, converted)
			       : ftp_ascii_decode(&transfer->decoder, chunk, got, converted);
	}
	*ret_outcome = outcome_of_file(write_whole(transfer->file, bytes, length));
	transfer->bytes += got;
	if (transfer->limit_bytes && transfer->bytes > transfer->limit_bytes)
		*ret_outcome = FTP_OUTCOME_NO_SPACE;
	if (ended || *ret_outcome != FTP_OUTCOME_DONE)
		return PROGRESS_OVER;
	/*
	 * Less than fits: a socket is most likely empty, so save the call that would say so. But the
	 * end of a small file is there as soon as its beginning.
	 */
	bool small = transfer->bytes == got && got <= TRANSFER_SMALL_BYTES;
	bool maybe_more = got == size || small || transfer->stream.tls;
	return maybe_more ? PROGRESS_MORE : PROGRESS_WAIT_READ;
}

/* Until the other side has closed. Whether it has got all, its reply says. */
static enum progress linger(struct transfer *transfer, enum ftp_outcome *ret_outcome)
{
	enum stream_wait wait = STREAM_READY;
	stream_receive(&transfer->stream, chunk, sizeof(chunk), &wait);
	if (wait == STREAM_WANTS_READ || wait == STREAM_WANTS_WRITE)
		return PROGRESS_WAIT_READ;
	*ret_outcome = FTP_OUTCOME_DONE;
	return PROGRESS_OVER;
}

static enum progress transfer_move(struct transfer *transfer, enum ftp_outcome *ret_outcome)
{
	if (transfer->stream.shaking)
		return shake(transfer, ret_outcome);
	if (transfer->lingering)
		return linger(transfer, ret_outcome);
	if (transfer->kind == TRANSFER_RECEIVE)
		return receive(transfer, ret_outcome);
	if (transfer->kind == TRANSFER_SEND_FILE && !transfer->ascii && !transfer->stream.tls &&
		!transfer->file_waits)
		return send_by_kernel(transfer, ret_outcome);
	return send_text(transfer, ret_outcome);
}

static void transfer_turn(evutil_socket_t fd, short what, void *argument);

/* Wait for `what` on `fd`, on the socket with the time-out that begins anew with each event. */
static void transfer_watch(struct transfer *transfer, int fd, short what)
{
	if (transfer->watched == what && transfer->watched_fd == fd)
		return;
	if (transfer->watched)
		event_del(&transfer->event);
	transfer->watched = what;
	transfer->watched_fd = fd;
	event_assign(
		&transfer->event, transfer->base, fd, what | EV_PERSIST, transfer_turn, transfer);
	/* How long somebody takes to type, or to read what we print, is theirs to decide. */
	event_add(&transfer->event, fd == transfer->stream.fd ? &transfer->patience : NULL);
}

static void transfer_watch_for(struct transfer *transfer, enum progress progress)
{
	bool receives = transfer->kind == TRANSFER_RECEIVE;
	if (progress == PROGRESS_WAIT_FILE)
		transfer_watch(transfer, transfer->file, receives ? EV_WRITE : EV_READ);
	else if (progress == PROGRESS_WAIT_READ || (progress == PROGRESS_MORE && receives))
		transfer_watch(transfer, transfer->stream.fd, EV_READ);
	else if (progress != PROGRESS_OVER)
		transfer_watch(transfer, transfer->stream.fd, EV_WRITE);
}

/* The end of the connection is the end of the file (RFC 959 section 3.4.1). */
void transfer_end(struct transfer *transfer, enum ftp_outcome outcome)
{
	event_del(&transfer->event);
	if (outcome != FTP_OUTCOME_DONE)
		transfer->stream.broken = true; /* no proper end for half a file */
	stream_close(&transfer->stream);
	transfer->ended(transfer->owner, outcome);
}

/* The time that the owner takes is not the other side's. */
static void transfer_ask(struct transfer *transfer)
{
	event_del(&transfer->event);
	transfer->watched = 0;
	if (!transfer->more(transfer->owner))
		transfer_end(transfer, FTP_OUTCOME_LOCAL_ERROR);
}

static void transfer_turn(evutil_socket_t fd, short what, void *argument)
{
	struct transfer *transfer = argument;
	enum ftp_outcome outcome = FTP_OUTCOME_STALLED;
	enum progress progress = what & EV_TIMEOUT ? PROGRESS_OVER : PROGRESS_MORE;
	uint64_t limit = transfer->bytes + TRANSFER_TURN_BYTES;
	(void)fd;
	while (progress == PROGRESS_MORE && transfer->bytes < limit)
		progress = transfer_move(transfer, &outcome);
	bool sent = progress == PROGRESS_OVER && outcome == FTP_OUTCOME_DONE && transfer->lingers &&
		    !transfer->lingering;
	if (sent)
		socket_resets(transfer->stream.fd, false);
	if (sent && transfer->stream.tls) {
		stream_end(&transfer->stream);
		transfer->lingering = true;
		progress = PROGRESS_WAIT_READ;
	}
	if (progress == PROGRESS_WAIT_OWNER) {
		transfer_ask(transfer);
		return;
	}
	transfer_watch_for(transfer, progress);
	if (progress == PROGRESS_MORE && stream_holds(&transfer->stream))
		event_active(&transfer->event, EV_READ, 1); /* the socket will not tell of it */
	if (progress == PROGRESS_OVER)
		transfer_end(transfer, outcome);
}

/* Begin with writing, without waiting to hear that it can be done. */
static void transfer_write(struct transfer *transfer)
{
	event_assign(&transfer->event, transfer->base, transfer->stream.fd, EV_WRITE | EV_PERSIST,
		transfer_turn, transfer);
	event_active(&transfer->event, EV_WRITE, 1);
}

/* Read the file, which is as small as expected, into `chunk`; 0 where it cannot be had like this. */
static size_t read_small(const struct transfer *transfer)
{
	ssize_t got = read(transfer->file, chunk, transfer->expected_bytes);
	return got < 0 ? 0 : (size_t)got;
}

bool transfer_send_small(struct transfer *transfer, struct stream *take_stream)
{
	bool text = transfer->kind == TRANSFER_SEND_TEXT && !transfer->goes_on;
	bool file = transfer->kind == TRANSFER_SEND_FILE && !transfer->ascii &&
		    !transfer->file_waits && transfer->expected_bytes > 0;
	size_t length = text ? transfer->text.length : transfer->expected_bytes;
	if (take_stream->tls || length > TRANSFER_SMALL_BYTES || !(text || file))
		return false;
	if (file)
		length = read_small(transfer);
	const char *bytes = text ? transfer->text.bytes : chunk;
	/* More follows: the end, which close(2) puts into the same packet. */
	ssize_t sent = send(take_stream->fd, bytes, length, MSG_NOSIGNAL | MSG_MORE);
	size_t moved = sent < 0 ? 0 : (size_t)sent;
	transfer->bytes += moved;
	if (text)
		transfer->text_sent = moved;
	else if (moved < length)
		lseek(transfer->file, (off_t)moved - (off_t)length, SEEK_CUR);
	if (moved < length || length == 0)
		return false;
	stream_close(take_stream);
	return true;
}

void transfer_start(
	struct transfer *transfer, struct event_base *base, const struct stream *take_stream)
{
	transfer->base = base;
	transfer->stream = *take_stream;
	transfer->watched = 0;
	if (transfer->kind == TRANSFER_RECEIVE && !take_stream->tls) {
		transfer_watch(transfer, transfer->stream.fd, EV_READ);
		return;
	}
	/* A client speaks first in a handshake, and a sender after it: both may write at once. */
	transfer_write(transfer);
}

void transfer_more(struct transfer *transfer, struct text *take_text, bool goes_on)
{
	text_finish(&transfer->text);
	transfer->text = *take_text;
	*take_text = (struct text){0};
	transfer->text_sent = 0;
	transfer->goes_on = goes_on;
	transfer_write(transfer);
}
