/*
 * Between control.c, which runs the steps, and control_act.c, which does what they ask for. For
 * nobody else.
 */
#ifndef PROGRAMS_FTP_CONTROL_ACT_H
#define PROGRAMS_FTP_CONTROL_ACT_H

#include "programs/ftp/control.h"

/*
 * Do one action other than REPLY and CLOSE. Returns true where `answer` is to be given to the
 * session now; an answer that takes its time comes by control_answer().
 */
bool control_act(
	struct control *control, const struct ftp_action *action, struct ftp_event *answer);

/* End what is under way over the data connection, and with the files. */
void control_drop_data(struct control *control);

/* The client is no longer logged in; what a thread is at for it is not wanted any more. */
void control_log_out(struct control *control);

/* The received file is whole: give it its name. */
enum ftp_outcome control_commit(struct control *control);

/* Count the transfer that is over, and write it to the transfer log. */
void control_record(struct control *control, enum ftp_outcome outcome);

/* control.c: give a late answer to the session, and go on. The control may be gone afterwards. */
void control_answer(struct control *control, const struct ftp_event *answer);

#endif
