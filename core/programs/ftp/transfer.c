#include "programs/ftp/transfer.h"

#include <errno.h>
#include <poll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"

enum { CHUNK_BYTES = 256 * 1024, ASCII_BYTES = 32 * 1024 };

/* One thread, one loop: no transfer is in the middle of a chunk when another's turn begins. */
static char chunk[CHUNK_BYTES];
static char converted[CHUNK_BYTES + 1];

/* What one attempt to move something came to. */
enum progress { PROGRESS_MORE, PROGRESS_WAIT, PROGRESS_OVER };

void transfer_init(struct transfer *transfer, void (*ended)(void *owner, enum ftp_outcome outcome),
	void *owner)
{
	*transfer = (struct transfer){.ended = ended, .owner = owner, .file = -1, .socket = -1};
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
	if (transfer->socket >= 0)
		event_del(&transfer->event);
	close_fd(&transfer->socket);
	text_finish(&transfer->text);
	transfer->text_sent = 0;
	transfer->decoder = (struct ftp_ascii_decoder){0};
	transfer->file = -1;
	transfer->bytes = transfer->expected_bytes = 0;
	transfer->skip_bytes = 0;
}

static bool is_not_now(int code)
{
	return code == EAGAIN || code == EINTR;
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

/* After a system call on the way to the socket; `moved` is its result. */
static enum progress progress_of(
	struct transfer *transfer, ssize_t moved, enum ftp_outcome *ret_outcome)
{
	if (moved < 0 && is_not_now(errno))
		return PROGRESS_WAIT;
	if (moved < 0) {
		*ret_outcome = outcome_of(errno);
		return PROGRESS_OVER;
	}
	transfer->bytes += (uint64_t)moved;
	return PROGRESS_MORE;
}

static enum progress send_binary(struct transfer *transfer, enum ftp_outcome *ret_outcome)
{
	ssize_t moved = sendfile(transfer->socket, transfer->file, NULL, TRANSFER_TURN_BYTES / 4);
	if (moved == 0) {
		*ret_outcome = FTP_OUTCOME_DONE;
		return PROGRESS_OVER;
	}
	return progress_of(transfer, moved, ret_outcome);
}

/* Fill the text with the next converted part of the file. */
static enum progress refill_ascii(struct transfer *transfer, enum ftp_outcome *ret_outcome)
{
	ssize_t got = read(transfer->file, chunk, ASCII_BYTES);
	if (got <= 0) {
		*ret_outcome = got == 0 ? FTP_OUTCOME_DONE : FTP_OUTCOME_LOCAL_ERROR;
		return PROGRESS_OVER;
	}
	text_clear(&transfer->text);
	transfer->text_sent = 0;
	size_t length = ftp_ascii_encode(chunk, (size_t)got, converted);
	size_t skipped = transfer->skip_bytes < length ? transfer->skip_bytes : length;
	transfer->skip_bytes = 0;
	text_append_bytes(&transfer->text, converted + skipped, length - skipped);
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
		return refill_ascii(transfer, ret_outcome);
	if (left == 0) {
		*ret_outcome = FTP_OUTCOME_DONE;
		return PROGRESS_OVER;
	}
	ssize_t moved = send(
		transfer->socket, transfer->text.bytes + transfer->text_sent, left, MSG_NOSIGNAL);
	if (moved > 0)
		transfer->text_sent += (size_t)moved;
	return progress_of(transfer, moved, ret_outcome);
}

/* All of it to the file; a file that is a pipe (a client's output) may not take all at once. */
static int write_whole(int file, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t written = write(file, bytes, length);
		if (written < 0 && errno == EAGAIN) {
			struct pollfd wait = {.fd = file, .events = POLLOUT};
			if (poll(&wait, 1, TRANSFER_STALL_SECONDS * 1000) == 1)
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
	ssize_t got = recv(transfer->socket, chunk, sizeof(chunk), 0);
	const char *bytes = chunk;
	size_t length = got > 0 ? (size_t)got : 0;
	if (got < 0)
		return progress_of(transfer, got, ret_outcome);
	if (transfer->ascii) {
		bytes = converted;
		length = got > 0 ? ftp_ascii_decode(&transfer->decoder, chunk, length, converted)
				 : ftp_ascii_decode_end(&transfer->decoder, converted);
	}
	*ret_outcome = outcome_of_file(write_whole(transfer->file, bytes, length));
	transfer->bytes += (uint64_t)got;
	if (got == 0 || *ret_outcome != FTP_OUTCOME_DONE)
		return PROGRESS_OVER;
	/* Less than fits: the socket is most likely empty, so save the call that would say so. */
	return (size_t)got < sizeof(chunk) ? PROGRESS_WAIT : PROGRESS_MORE;
}

static enum progress transfer_move(struct transfer *transfer, enum ftp_outcome *ret_outcome)
{
	if (transfer->kind == TRANSFER_RECEIVE)
		return receive(transfer, ret_outcome);
	if (transfer->kind == TRANSFER_SEND_FILE && !transfer->ascii)
		return send_binary(transfer, ret_outcome);
	return send_text(transfer, ret_outcome);
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
	if (progress != PROGRESS_OVER)
		return;
	/* The end of the connection is the end of the file (RFC 959 section 3.4.1). */
	event_del(&transfer->event);
	close_fd(&transfer->socket);
	transfer->ended(transfer->owner, outcome);
}

void transfer_start(struct transfer *transfer, struct event_base *base, int take_socket)
{
	static const struct timeval patience = {.tv_sec = TRANSFER_STALL_SECONDS};
	short what = transfer->kind == TRANSFER_RECEIVE ? EV_READ : EV_WRITE;
	transfer->socket = take_socket;
	transfer->bytes = 0;
	event_assign(
		&transfer->event, base, take_socket, what | EV_PERSIST, transfer_turn, transfer);
	event_add(&transfer->event, &patience);
}
