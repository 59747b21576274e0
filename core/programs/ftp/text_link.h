/*
 * A client's connection of the report's file protocol (ftp/text.h), step by step: connect, hear the
 * greeting, ask, receive. Each call waits until it is done, or until SIGINT or SIGTERM.
 *
 * The protocol does not say where a file ends. Who asks for one file alone ends its half of the
 * connection and reads to the end; who stays takes a file for whole when nothing has come for
 * TEXT_LINK_QUIET_NS.
 */
#ifndef PROGRAMS_FTP_TEXT_LINK_H
#define PROGRAMS_FTP_TEXT_LINK_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "ftp/text.h"

#define TEXT_LINK_QUIET_NS (200 * NS_PER_MS)
/* Before the first byte: an empty file has none, and a server may have to look for it. */
#define TEXT_LINK_FIRST_NS (2 * NS_PER_SECOND)

/* How a call ended; where it is not TEXT_DONE or TEXT_NOT_FOUND, with a sentence. */
enum text_result {
	TEXT_DONE,
	TEXT_NOT_FOUND,
	TEXT_REFUSED, /* by the other side, which closed, broke or is silent */
	TEXT_LOCAL, /* the system refused */
};

struct text_link {
	int fd; /* owned; -1: none */
	uint64_t stall_ns; /* how long the server may be silent within a file */
	bool ended; /* the server has closed its half */
};

#define TEXT_LINK_NONE ((struct text_link){.fd = -1})

/* Where what is received goes. */
struct text_sink {
	int fd; /* borrowed */
	bool waits; /* it is a pipe or a terminal */
	uint64_t bytes; /* so far */
	/* The first of them, while they may still be FTP_TEXT_NOT_FOUND. */
	char held[sizeof(FTP_TEXT_NOT_FOUND)];
	size_t held_length;
	bool released; /* they were not */
};

/* From now on SIGINT and SIGTERM end what waits, instead of the program. */
int text_link_interruptible(struct error *error);

/*
 * As poll(2), until the instant `deadline_ns` of the monotonic clock (UINT64_MAX: never).
 * Returns how many are ready, 0 when the time is over, or a negative errno: -EINTR after a signal.
 */
int text_link_poll(struct pollfd *list, size_t count, uint64_t deadline_ns);

/* server: HOST[:PORT]; the port is FTP_TEXT_PORT unless given. */
int text_link_open(
	struct text_link *link, const char *server, uint64_t connect_ns, struct error *error);

/* For CLEANUP. */
void text_link_close(struct text_link *link);

/*
 * Wait for our turn: the greeting, which goes behind what is in `greeting`. Where it is not the
 * protocol's, it is what comes until the server is quiet. deadline_ns: until when to wait in line.
 */
enum text_result text_link_greeting(
	struct text_link *link, uint64_t deadline_ns, struct text *greeting, struct error *error);

/* Send `name`, as it is. last: and end our half of the connection. */
enum text_result text_link_ask(
	struct text_link *link, const char *name, bool last, struct error *error);

/*
 * Receive a file. to_end: until the server closes; otherwise until it is quiet, or closes. Nothing
 * of FTP_TEXT_NOT_FOUND is written where that is all that came.
 */
enum text_result text_link_receive(
	struct text_link *link, struct text_sink *sink, bool to_end, struct error *error);

/* Throw away what is there by now; returns how many bytes that were. */
uint64_t text_link_drain(struct text_link *link);

#endif
