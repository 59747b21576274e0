/*
 * Facts on their way to the lab: sent at once where the socket has room, else kept, in order. A lab
 * that is busy for a moment does not stop the observer; one that stays away too long does, for no
 * fact is thrown away.
 */
#ifndef OBSERVE_OUTBOX_H
#define OBSERVE_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "observe/fact.h"

struct outbox {
	int fd; /* borrowed; SOCK_SEQPACKET, non-blocking */
	struct fact *facts; /* a ring */
	size_t first, count;
	bool broken; /* nobody is at the other end any more: facts go nowhere */
};

int outbox_init(struct outbox *outbox, int fd, struct error *error);
void outbox_finish(struct outbox *outbox);

/* Copies the fact. Waits where the outbox is full. */
void outbox_put(struct outbox *outbox, const struct fact *fact);

/* Send what the socket takes now. */
void outbox_send(struct outbox *outbox);

/* Send all, waiting for the reader; returns early only where it is gone. */
void outbox_drain(struct outbox *outbox);

#endif
