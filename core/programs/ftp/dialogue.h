/*
 * A client's control connection at the system's edge: it feeds ftp/client with what the sockets
 * bring and performs its actions, on an event loop, one task at a time. TLS, where it is wanted,
 * is on both connections, and the data connections resume the control connection's session.
 *
 * Files are the owner's: a task carries a descriptor to read from or to write to. `struct
 * dialogue` is embedded in its owner and `= {0}` before dialogue_init().
 */
#ifndef PROGRAMS_FTP_DIALOGUE_H
#define PROGRAMS_FTP_DIALOGUE_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "ftp/client.h"
#include "ftp/input.h"
#include "ftp/reply.h"
#include "programs/ftp/data.h"
#include "programs/ftp/stream.h"
#include "programs/ftp/transfer.h"

/* Whom to be, and how; all borrowed for the dialogue's life. */
struct dialogue_setup {
	const char *user, *password;
	struct tls *tls; /* NULL: clear text */
	const char *host; /* whose certificate it is to be */
	bool active, ascii;
	bool patient; /* wait for the greeting as long as it takes */
	uint64_t connect_ns, stall_ns; /* for a data connection to come about, to stand still */
};

/* What to do next, once logged in; all borrowed until its end is told. */
struct dialogue_task {
	enum ftp_verb verb; /* RETR STOR LIST NLST MLSD RNFR CWD PWD SIZE MKD RMD DELE QUIT ... */
	const char *remote; /* NULL: none */
	const char *second; /* RNFR: the new name */
	int file; /* of a transfer: where the data comes from or goes to */
	const char *file_name; /* for sentences */
	bool file_waits; /* a pipe or a terminal, which may keep us waiting */
	uint64_t limit_bytes; /* more than that is not received; 0: no limit */
	bool ask_size, resume; /* as in struct ftp_client_event */
	uint64_t local_bytes; /* likewise */
};

struct dialogue {
	struct event_base *base; /* borrowed */
	/* One line of the server, without its end; `code` is that of its reply. */
	void (*heard)(void *owner, const char *line, size_t length, unsigned code);
	/*
	 * The log-in or a task is over. `why` is a sentence where it failed on our side, else NULL.
	 * The owner does not begin a task or finish within this call.
	 */
	void (*over)(void *owner, enum ftp_client_result result, const char *why);
	void *owner;

	struct dialogue_setup setup;
	struct ftp_client client;
	struct ftp_client_actions actions;
	struct ftp_reply_reader replies;
	struct ftp_input input;
	struct text output; /* what the socket did not take yet */
	struct stream control; /* owned */
	bool closed; /* the server has closed its end */
	struct event read_event, write_event, timer;
	struct dialogue_task task;
	struct data data;
	int held; /* owned: a data connection made before the server said 150, -1 */
	struct transfer transfer;
	uint64_t moved_bytes; /* of a task's transfer that was dropped */
	unsigned reply_code; /* of the last whole reply */
	char reply[FTP_INPUT_LINE_MAX + 1]; /* the text of its last line */
	struct error error; /* what went wrong on our side; code 0: nothing */
};

/*
 * take_fd: a connected, non-blocking socket. The log-in begins; `over` tells its end.
 */
void dialogue_init(struct dialogue *dialogue, struct event_base *base, int take_fd,
	const struct dialogue_setup *setup);

/* Begin a task. Only when logged in and no task is under way. `over` may be called within. */
void dialogue_begin(struct dialogue *dialogue, const struct dialogue_task *task);

/* Give up the task that is under way; `over` tells when the server has done so, too. */
void dialogue_abort(struct dialogue *dialogue);

/* Whether the connection can carry a further task. */
bool dialogue_is_open(const struct dialogue *dialogue);

/* How many bytes the task's transfer has moved over its data connection so far, or in all. */
uint64_t dialogue_moved_bytes(const struct dialogue *dialogue);

void dialogue_finish(struct dialogue *dialogue);

#endif
