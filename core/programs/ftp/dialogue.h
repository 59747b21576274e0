/*
 * The client's control connection: the edge around a `struct ftp_client`. It connects, hands each
 * line of the server to its owner as it arrives (also those of a greeting that goes on while the
 * server keeps us in line), steps the machine, and does its actions. It owns the sockets and the
 * local file of the running task.
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
#include "programs/ftp/draft.h"
#include "programs/ftp/transfer.h"

/* What to do next, once logged in. */
struct dialogue_task {
	enum ftp_verb verb; /* RETR STOR LIST CWD PWD SIZE QUIT */
	char *remote; /* owned by the dialogue once given; NULL: none */
	char *local; /* owned likewise: the file, for RETR and STOR */
};

struct dialogue {
	struct event_base *base; /* borrowed */
	/* One line of the server, without its end. */
	void (*heard)(void *owner, const char *line, size_t length);
	/*
	 * The log-in or a task is over. `why` is a sentence where it failed on our side, else NULL.
	 */
	void (*over)(void *owner, enum ftp_client_result result, const char *why);
	void *owner;

	struct ftp_client client;
	struct ftp_client_actions actions;
	struct ftp_reply_reader replies;
	struct ftp_input input;
	struct text output; /* what the socket did not take yet */
	int fd; /* owned */
	bool closed; /* the server has closed its end */
	struct event read_event, write_event, timer;
	struct dialogue_task task;
	struct data data;
	int held; /* owned: a data connection made before the server said 150, -1 */
	struct transfer transfer;
	int source; /* owned: the local file being sent, -1 */
	struct draft sink; /* owned: the local file being received */
	struct error error; /* what went wrong on our side; code 0: nothing */
};

/*
 * take_fd: a connected, non-blocking socket. user, password: borrowed for the dialogue's life.
 * The log-in begins; `over` tells its end.
 */
void dialogue_init(struct dialogue *dialogue, struct event_base *base, int take_fd,
	const char *user, const char *password);

/*
 * Begin a task; takes its strings. Only when logged in and no task is under way. Fails with a
 * sentence, and nothing was sent, where the local file cannot be used.
 */
int dialogue_begin(
	struct dialogue *dialogue, const struct dialogue_task *take_task, struct error *error);

/* Whether the connection can carry a further task. */
bool dialogue_is_open(const struct dialogue *dialogue);

void dialogue_finish(struct dialogue *dialogue);

#endif
