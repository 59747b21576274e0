#include "observe/outbox.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { OUTBOX_FACTS = 8192 };

int outbox_init(struct outbox *outbox, int fd, struct error *error)
{
	*outbox = (struct outbox){.fd = fd};
	outbox->facts = calloc(OUTBOX_FACTS, sizeof(*outbox->facts));
	if (!outbox->facts)
		return error_set(error, -ENOMEM, "out of memory");
	return 0;
}

void outbox_finish(struct outbox *outbox)
{
	free(outbox->facts);
	*outbox = (struct outbox){.fd = -1};
}

/* Whether the fact has left, or never can. */
static bool outbox_try(struct outbox *outbox, const struct fact *fact)
{
	while (!outbox->broken) {
		if (send(outbox->fd, fact, sizeof(*fact), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
			return true;
		if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM)
			return false;
		if (errno != EINTR)
			outbox->broken = true;
	}
	return true;
}

void outbox_send(struct outbox *outbox)
{
	while (outbox->count > 0 && outbox_try(outbox, &outbox->facts[outbox->first])) {
		outbox->first = (outbox->first + 1) % OUTBOX_FACTS;
		outbox->count--;
	}
}

static void outbox_wait(struct outbox *outbox)
{
	/* Woken by room or by the reader's end; the limit is for memory that is short elsewhere. */
	struct pollfd writable = {.fd = outbox->fd, .events = POLLOUT};
	poll(&writable, 1, 100);
	outbox_send(outbox);
}

void outbox_put(struct outbox *outbox, const struct fact *fact)
{
	if (outbox->count == 0 && outbox_try(outbox, fact))
		return;
	while (outbox->count == OUTBOX_FACTS)
		outbox_wait(outbox);
	outbox->facts[(outbox->first + outbox->count++) % OUTBOX_FACTS] = *fact;
}

void outbox_drain(struct outbox *outbox)
{
	outbox_send(outbox);
	while (outbox->count > 0)
		outbox_wait(outbox);
}
