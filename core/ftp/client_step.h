/* Between client.c and client_transfer.c: one step in the making. For nobody else. */
#ifndef FTP_CLIENT_STEP_H
#define FTP_CLIENT_STEP_H

#include "ftp/client.h"
#include "ftp/reply.h"

struct ftp_client_step {
	struct ftp_client *client;
	const struct ftp_client_event *event;
	struct ftp_client_actions *actions;
	uint64_t now_ns;
};

struct ftp_client_action *ftp_client_act(
	struct ftp_client_step *step, enum ftp_client_action_kind kind);

/* The task is over; the last thing of a step. */
void ftp_client_report(struct ftp_client_step *step, enum ftp_client_result result);

/* The same of a transfer: whatever there is of a data connection goes. */
void ftp_client_fail(struct ftp_client_step *step, enum ftp_client_result result);

/* The same, and the connection is of no more use. */
void ftp_client_end(struct ftp_client_step *step, enum ftp_client_result result);

/* Send `VERB argument`, or `VERB` where it is empty, and await the reply in `next`. */
void ftp_client_send(struct ftp_client_step *step, enum ftp_verb verb, const char *argument,
	enum ftp_client_state next);

/* Enter a state in which the edge, or the data connection, is awaited: they have their own time. */
void ftp_client_await(struct ftp_client_step *step, enum ftp_client_state next);

static inline bool ftp_client_reply_is(
	const struct ftp_client_step *step, enum ftp_reply_class class)
{
	return ftp_reply_class(step->event->code) == class;
}

/* --- client_transfer.c --- */

/* Begin the task that goes by the TYPE: a transfer, or SIZE. */
void ftp_client_type_begin(struct ftp_client_step *step);

/* Replies, by state. */
void ftp_client_reply_type(struct ftp_client_step *step);
void ftp_client_reply_size(struct ftp_client_step *step);
void ftp_client_reply_epsv(struct ftp_client_step *step);
void ftp_client_reply_pasv(struct ftp_client_step *step);
void ftp_client_reply_port(struct ftp_client_step *step);
void ftp_client_reply_rest(struct ftp_client_step *step);
void ftp_client_reply_opening(struct ftp_client_step *step);
void ftp_client_reply_transfer(struct ftp_client_step *step);

/* The edge's answers in the states connecting and listening. */
void ftp_client_answer_connecting(struct ftp_client_step *step);
void ftp_client_answer_listening(struct ftp_client_step *step);

/* The data connection has ended. */
void ftp_client_moved(struct ftp_client_step *step);

#endif
