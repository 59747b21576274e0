/*
 * One connection with a server as a sequence of calls: each begins a task and runs the event loop
 * until it is over, so that commands, recursion and completion are plain code. Here is also what a
 * person sees meanwhile: the server's lines, the place in its waiting line, a progress bar.
 *
 * What the server says goes to standard error. On a terminal what may change is one line that is
 * drawn anew; what goes elsewhere comes line by line, without a bar.
 */
#ifndef PROGRAMS_FTP_TALK_H
#define PROGRAMS_FTP_TALK_H

#include <event2/event.h>
#include <stdbool.h>

#include "base/error.h"
#include "programs/ftp/dialogue.h"
#include "programs/ftp/talk_progress.h"
#include "programs/ftp/talk_settings.h"

struct talk {
	const struct talk_settings *settings; /* borrowed */
	struct event_base *base; /* owned */
	struct tls *tls; /* owned; NULL: clear text */
	char *host; /* owned */
	struct dialogue dialogue;
	struct event interrupt, terminate, wait_event, progress_event, input_event;
	bool terminal; /* standard error is one: lines may be drawn anew */
	bool hushed; /* what the server says is not shown: nobody asked */
	bool editing; /* a prompt stands in the terminal's last line */
	bool drawn; /* a line that will be drawn anew stands there */
	bool over, input_ready; /* the task; what talk_wait_input() waits for */
	bool no_mlsd; /* the server has refused MLSD: do not ask again */
	unsigned interrupts; /* SIGINT and SIGTERM that nobody has taken */
	bool leaves; /* one of them was SIGTERM */
	enum ftp_client_result result; /* of the last task */
	struct talk_progress progress; /* name NULL: no bar is shown */
	int status; /* the first failure's exit status */
};

/*
 * Connect to `host` and log in. Returns 0, or the exit status of the failure, which is told
 * already. talk_close() is due either way; `= {0}` before.
 */
int talk_open(struct talk *talk, const struct talk_settings *settings, const char *host);

/* Whether a further task can be begun. */
bool talk_is_open(const struct talk *talk);

/*
 * After an interrupt (Ctrl-C), where a prompt is there to go back to: it is forgotten. False where
 * there was none, or the program is to end.
 */
bool talk_take_interrupt(struct talk *talk);

/*
 * Do one task. An interrupt ends it early. progress_name: printable; what a bar is for, NULL for none. A failure is told and
 * counted (talk_fail()), unless `talk->hushed`: then that is the caller's business.
 */
enum ftp_client_result talk_do(
	struct talk *talk, const struct dialogue_task *task, const char *progress_name);

/*
 * Wait for input on `fd`, as long as the connection lives. False where it does not, or after an
 * interrupt.
 */
bool talk_wait_input(struct talk *talk, int fd);

/* Take leave of the server, where it still listens, and release everything. */
void talk_close(struct talk *talk);

/* Tell a sentence; the first failure's exit status will be the program's. */
void talk_fail(struct talk *talk, int status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Tell something that is no failure; not with --quiet. */
void talk_note(struct talk *talk, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Make room for a line on standard error: what was drawn there goes. */
void talk_clear(struct talk *talk);

#endif
