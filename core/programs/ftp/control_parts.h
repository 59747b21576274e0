/*
 * Between the files of a control: control.c runs the steps, control_io.c is the control connection,
 * control_act.c does what the session asks for, control_data.c moves files. For nobody else.
 */
#ifndef PROGRAMS_FTP_CONTROL_PARTS_H
#define PROGRAMS_FTP_CONTROL_PARTS_H

#include "programs/ftp/control.h"

/* A listing is made so much at a time: however long it is, it takes no more memory. */
#define LISTING_PIECE_BYTES (64 * 1024)

/* --- control.c --- */

/* Step, do the actions in order, and step again with what they brought. */
void control_step(struct control *control, const struct ftp_event *event);

/*
 * At the end of every event: take what lines can be taken, see what is to be watched, end what is
 * over. The control may be gone afterwards.
 */
void control_settle(struct control *control);

/* Give a late answer to the session, and settle. */
void control_answer(struct control *control, const struct ftp_event *answer);

/* Gone without a word: the place in line is free from now on. why: for the log. */
void control_die(struct control *control, const char *why);

/* What is unsent is sent, then it ends. Its place in line is free from now on. */
void control_close(struct control *control);

/* --- control_io.c --- */

/* Make the control connection's events, and begin to read. */
void control_io_init(struct control *control);

/* Send what the socket takes now. */
void control_flush(struct control *control);

/* Put bytes behind what is to be sent. */
void control_send(struct control *control, const char *text, size_t length);

/* Watch for what there is room for. */
void control_watch(struct control *control);

/* The reply to AUTH goes out in clear; what the client sent behind AUTH was never said. */
void control_start_tls(struct control *control);

/* Have control->local, our end's address, which stays the same: it is asked for once. */
bool control_knows_local(struct control *control);

/* Release the control connection. */
void control_io_finish(struct control *control);

/* --- control_act.c --- */

/*
 * Do one action. Returns true where `answer` is to be given to the session now; an answer that
 * takes its time comes by control_answer().
 */
bool control_act(
	struct control *control, const struct ftp_action *action, struct ftp_event *answer);

/* The client is no longer logged in; what a thread is at for it is not wanted any more. */
void control_log_out(struct control *control);

/* --- control_data.c --- */

/* Nothing moves yet. */
void control_data_init(struct control *control);

/*
 * Make the data connection by the session's data_mode, then move what was opened. Where that is
 * over at once (control->moving is not set), `answer` is the event for the session: so the replies
 * before and behind a small file go out together.
 */
void control_data_start(struct control *control, struct ftp_event *answer);

/* A passive port is open: whether its reply is held back for a moment, as this client needs it. */
bool control_hold(struct control *control, const struct endpoint *port);

/* Whether an upload goes on although the client has closed its control connection. */
bool control_data_outlives(const struct control *control);

/* End what is under way over the data connection, and with the files. */
void control_data_drop(struct control *control);

#endif
