/*
 * Between the files of a text guest: text_guest.c is the connection and its steps, text_guest_file.c
 * sends files. For nobody else.
 */
#ifndef PROGRAMS_FTP_TEXT_GUEST_PARTS_H
#define PROGRAMS_FTP_TEXT_GUEST_PARTS_H

#include "base/text.h"
#include "ftp/text.h"
#include "programs/ftp/alarm.h"
#include "programs/ftp/service.h"
#include "programs/ftp/text_guest.h"
#include "programs/ftp/transfer.h"

struct text_guest {
	struct guest guest; /* first: the service's view of it */
	struct service *service; /* borrowed */
	struct endpoint peer;
	struct ftp_text text;
	int fd; /* owned */
	struct event read_event, write_event;
	struct alarm alarm; /* for the protocol's deadline and for lingering */
	uint64_t linger_ns; /* when a client that was told to go is given up */
	struct text output; /* what the socket did not take yet; never more than one answer */
	size_t output_sent;
	bool peer_ended; /* nothing more will come from it */
	bool closing; /* what is unsent is sent, then it ends */
	bool dead; /* nothing is to be sent any more */

	int source; /* owned: the file being sent, -1 */
	struct transfer transfer;
	uint64_t began_ns, expected_bytes;
	bool moving; /* one is under way: it is to be counted */
};

/* --- text_guest.c --- */

void text_guest_step(struct text_guest *client, const struct ftp_text_event *event);

/*
 * At the end of every event: take the names that can be taken, as far as the client reads what it
 * is told, and end what is over. The client may be gone afterwards.
 */
void text_guest_settle(struct text_guest *client);

/* Gone without an end: a client that reads on must not take what it has for the whole file. */
void text_guest_reset(struct text_guest *client, const char *why);

/* Whether one more line of this kind may be logged. */
bool text_guest_told(struct text_guest *client, enum diary_kind kind);

/* --- text_guest_file.c --- */

void text_guest_init_transfer(struct text_guest *client);

/* Open the file `path`, to be sent. */
enum ftp_outcome text_guest_open(struct text_guest *client, const char *path);

/* Send what was opened; the end of it is stepped. */
void text_guest_start(struct text_guest *client);

/* End what is under way, if anything is, and count it as failed. */
void text_guest_end_transfer(struct text_guest *client);

#endif
