/*
 * The making of one data connection, for server and client alike: a port that takes one connection,
 * and only from the control connection's peer, or a connection to an endpoint. Everything has a
 * time-out. Moving the bytes is transfer.h's business.
 *
 * `struct data` is embedded in its owner; at most one attempt is under way. The owner is told once
 * per attempt, always from the event loop and never from within a call it makes.
 */
#ifndef PROGRAMS_FTP_DATA_H
#define PROGRAMS_FTP_DATA_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>

#include "base/clock.h"
#include "base/error.h"
#include "ftp/port.h"

/* How long connecting out, or the peer's connecting to a port, may take where nobody says else. */
#define DATA_CONNECT_NS (30 * NS_PER_SECOND)

/* So long a port waits for data_take() before it is watched; see data_listen(). */
#define DATA_UNWATCHED_MS 20

/* Where passive ports are taken from; first 0: wherever the system chooses. */
struct data_ports {
	uint16_t first, last; /* inclusive */
};

enum data_state {
	DATA_NONE,
	DATA_OPEN, /* listening, and not watched yet */
	DATA_LISTENING,
	DATA_CONNECTING,
	DATA_CONNECTED,
	DATA_FAILED
};

struct data {
	struct event_base *base; /* borrowed */
	/* take_fd: the connection, now the owner's; -1 where it did not come about. */
	void (*made)(void *owner, int take_fd);
	void *owner;

	struct data_ports ports;
	struct timeval patience; /* of data_init(): DATA_CONNECT_NS */
	enum data_state state;
	int fd; /* owned; listening, connecting or connected */
	bool wanted; /* the owner is waiting to be told */
	struct endpoint peer; /* from whom alone a connection is taken */
	struct event event;
};

void data_init(struct data *data, struct event_base *base, void (*made)(void *owner, int take_fd),
	void *owner);

/*
 * Open a port at the address of `local`, any port, for one connection from `peer`'s address. It
 * replaces whatever was there. ret_local: with the port.
 *
 * Most clients connect and ask for a file within a moment, and the port is gone again: so it is
 * watched only behind that moment. From then on strangers are sent away as they come, lest their
 * connections fill its short queue.
 */
int data_listen(struct data *data, const struct endpoint *local, const struct endpoint *peer,
	struct endpoint *ret_local, struct error *error);

/*
 * After data_listen(): the connection, now the caller's, where it waits to be taken already; the
 * attempt is over then. Else -1, and data_want() is to follow.
 */
int data_take(struct data *data);

/* After data_listen(): tell the owner when the connection is there. */
void data_want(struct data *data);

/* Connect to `remote` from the address of `local`, and tell the owner. */
void data_connect(struct data *data, const struct endpoint *remote, const struct endpoint *local);

/* Whether the connection is there, or waits to be taken, and the owner has not been told yet. */
bool data_comes(const struct data *data);

/* End the attempt, if any; the owner is not told. */
void data_drop(struct data *data);

#endif
