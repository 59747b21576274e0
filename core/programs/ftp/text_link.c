#include "programs/ftp/text_link.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "programs/ftp/talk_connect.h"

enum { CHUNK_BYTES = 256 * 1024, GREETING_MAX = 64 * 1024 };

/* --- waiting --- */

static int interrupt_fd = -1; /* readable after a signal */

static void interrupt(int number)
{
	static const uint64_t one = 1;
	int saved = errno;
	(void)number;
	if (write(interrupt_fd, &one, sizeof(one)) < 0)
		(void)0; /* it is readable already */
	errno = saved;
}

int text_link_interruptible(struct error *error)
{
	struct sigaction action = {.sa_handler = interrupt};
	interrupt_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (interrupt_fd < 0)
		return error_system(error, -errno, "cannot watch for signals");
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	return 0;
}

static uint64_t later(uint64_t by_ns)
{
	uint64_t now_ns = clock_monotonic_ns();
	return by_ns > UINT64_MAX - now_ns ? UINT64_MAX : now_ns + by_ns;
}

int text_link_poll(struct pollfd *list, size_t count, uint64_t deadline_ns)
{
	enum { MOST = 4 };
	struct pollfd all[MOST];
	if (count >= MOST)
		return -E2BIG;
	memcpy(all, list, count * sizeof(*list));
	all[count] = (struct pollfd){.fd = interrupt_fd, .events = POLLIN};
	int ready = -1;
	while (ready < 0) {
		uint64_t now_ns = clock_monotonic_ns();
		uint64_t left_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;
		struct timespec left = {.tv_sec = (time_t)(left_ns / NS_PER_SECOND),
			.tv_nsec = (long)(left_ns % NS_PER_SECOND)};
		ready = ppoll(all, count + 1, deadline_ns == UINT64_MAX ? NULL : &left, NULL);
		if (ready < 0 && errno != EINTR)
			return -errno;
	}
	if (all[count].revents)
		return -EINTR;
	memcpy(list, all, count * sizeof(*list));
	return ready;
}

/* 1, 0 when the time is over, or a negative errno. */
static int wait_for(int fd, short events, uint64_t deadline_ns)
{
	struct pollfd one = {.fd = fd, .events = events};
	return text_link_poll(&one, 1, deadline_ns);
}

static enum text_result interrupted(int status, struct error *error)
{
	if (status == -EINTR)
		error_set(error, status, "interrupted");
	else
		error_system(error, status, "cannot wait for the server");
	return TEXT_LOCAL;
}

static enum text_result broken(struct error *error)
{
	error_system(error, -errno, "the connection broke");
	return TEXT_REFUSED;
}

/* --- the connection --- */

int text_link_open(
	struct text_link *link, const char *server, uint64_t connect_ns, struct error *error)
{
	CLEANUP(free_pointer) char *host = NULL;
	const struct talk_target target = {server, FTP_TEXT_PORT, connect_ns};
	return talk_connect(&target, &host, &link->fd, error);
}

void text_link_close(struct text_link *link)
{
	close_fd(&link->fd);
}

/*
 * What is there by `deadline_ns`. TEXT_DONE with no bytes: `link->ended`, or the time is over,
 * where that is no failure to the caller.
 */
static enum text_result receive(struct text_link *link, void *bytes, size_t size,
	uint64_t deadline_ns, size_t *ret_length, struct error *error)
{
	*ret_length = 0;
	for (;;) {
		int ready = wait_for(link->fd, POLLIN, deadline_ns);
		if (ready < 0)
			return interrupted(ready, error);
		if (ready == 0)
			return TEXT_DONE;
		ssize_t got = recv(link->fd, bytes, size, 0);
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (got < 0)
			return broken(error);
		link->ended = got == 0;
		*ret_length = (size_t)got;
		return TEXT_DONE;
	}
}

enum text_result text_link_greeting(
	struct text_link *link, uint64_t deadline_ns, struct text *greeting, struct error *error)
{
	enum ftp_text_match match = FTP_TEXT_PART;
	while (match != FTP_TEXT_WHOLE) {
		char bytes[4096];
		size_t length;
		bool other = match == FTP_TEXT_OTHER;
		enum text_result result = receive(link, bytes, sizeof(bytes),
			other ? later(TEXT_LINK_QUIET_NS) : deadline_ns, &length, error);
		if (result != TEXT_DONE)
			return result;
		if (link->ended)
			error_set(error, -ECONNRESET,
				greeting->length ? "the server closed the connection"
						 : "the server closed the connection "
						   "without a word, as it does when it is full");
		else if (length == 0 && !other)
			error_set(error, -ETIMEDOUT, "not served within the time of --wait");
		if (link->ended || (length == 0 && !other))
			return TEXT_REFUSED;
		if (length == 0)
			return TEXT_DONE;
		text_append_bytes(greeting, bytes, length);
		if (greeting->failed || greeting->length > GREETING_MAX) {
			error_set(error, -EPROTO, "the server's greeting has no end");
			return TEXT_REFUSED;
		}
		match = ftp_text_match(greeting->bytes, greeting->length, FTP_TEXT_GREETING);
	}
	return TEXT_DONE;
}

enum text_result text_link_ask(
	struct text_link *link, const char *name, bool last, struct error *error)
{
	size_t left = strlen(name);
	while (left > 0) {
		ssize_t sent = send(link->fd, name, left, MSG_NOSIGNAL);
		if (sent < 0 && errno == EAGAIN) {
			int ready = wait_for(link->fd, POLLOUT, later(link->stall_ns));
			if (ready < 0)
				return interrupted(ready, error);
			if (ready == 1)
				continue;
			error_set(error, -ETIMEDOUT, "the server does not read what it is asked");
			return TEXT_REFUSED;
		}
		if (sent < 0 && errno != EINTR)
			return broken(error);
		if (sent > 0) {
			name += sent;
			left -= (size_t)sent;
		}
	}
	if (last && shutdown(link->fd, SHUT_WR) < 0)
		return broken(error);
	return TEXT_DONE;
}

uint64_t text_link_drain(struct text_link *link)
{
	char bytes[4096];
	uint64_t count = 0;
	ssize_t got;
	while ((got = recv(link->fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		count += (uint64_t)got;
	link->ended |= got == 0 || (errno != EAGAIN && errno != EINTR);
	return count;
}

/* --- a file --- */

static enum text_result write_whole(
	struct text_sink *sink, const char *bytes, size_t length, struct error *error)
{
	while (length > 0) {
		/* A pipe that is ready takes that much at once. */
		size_t part = sink->waits && length > PIPE_BUF ? PIPE_BUF : length;
		int ready = sink->waits ? wait_for(sink->fd, POLLOUT, UINT64_MAX) : 1;
		if (ready < 0)
			return interrupted(ready, error);
		ssize_t written = write(sink->fd, bytes, part);
		if (written < 0 && errno != EINTR && errno != EAGAIN) {
			error_system(error, -errno, "cannot write what was received");
			return TEXT_LOCAL;
		}
		if (written > 0) {
			bytes += written;
			length -= (size_t)written;
		}
	}
	return TEXT_DONE;
}

/* It is a file's content after all. */
static enum text_result release(struct text_sink *sink, struct error *error)
{
	sink->released = true;
	return write_whole(sink, sink->held, sink->held_length, error);
}

static enum text_result take(
	struct text_sink *sink, const char *bytes, size_t length, struct error *error)
{
	sink->bytes += length;
	while (!sink->released && length > 0) {
		sink->held[sink->held_length++] = *bytes++;
		length--;
		if (ftp_text_match(sink->held, sink->held_length, FTP_TEXT_NOT_FOUND) ==
			FTP_TEXT_OTHER) {
			enum text_result result = release(sink, error);
			if (result != TEXT_DONE)
				return result;
		}
	}
	return write_whole(sink, bytes, length, error);
}

static enum text_result end(struct text_sink *sink, struct error *error)
{
	if (sink->released)
		return TEXT_DONE;
	if (ftp_text_match(sink->held, sink->held_length, FTP_TEXT_NOT_FOUND) == FTP_TEXT_WHOLE)
		return TEXT_NOT_FOUND;
	return release(sink, error);
}

enum text_result text_link_receive(
	struct text_link *link, struct text_sink *sink, bool to_end, struct error *error)
{
	static char chunk[CHUNK_BYTES];
	for (;;) {
		size_t length;
		uint64_t patience_ns = to_end		  ? link->stall_ns
				       : sink->bytes == 0 ? TEXT_LINK_FIRST_NS
							  : TEXT_LINK_QUIET_NS;
		enum text_result result =
			receive(link, chunk, sizeof(chunk), later(patience_ns), &length, error);
		if (result != TEXT_DONE)
			return result;
		if (length == 0 && to_end && !link->ended) {
			error_set(error, -ETIMEDOUT,
				"the server neither sends nor closes: whether that was all cannot "
				"be known");
			return TEXT_REFUSED;
		}
		if (length == 0)
			return end(sink, error);
		result = take(sink, chunk, length, error);
		if (result != TEXT_DONE)
			return result;
	}
}
