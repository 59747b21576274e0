/*
 * Between session.c, which runs the steps, and session_verb.c, which knows the verbs: one step in
 * the making, and what may be put into it. For nobody else.
 */
#ifndef FTP_SESSION_STEP_H
#define FTP_SESSION_STEP_H

#include "ftp/reply.h"
#include "ftp/session.h"

struct ftp_step {
	struct ftp_session *session;
	struct ftp_actions *actions;
	uint64_t now_ns;
	const char *argument; /* of the command, not NUL-terminated */
	size_t length;
};

/* What a verb does, and what the edge's answer to its question does; no `run`: not done, 502. */
struct ftp_verb_handler {
	void (*run)(struct ftp_step *step);
	void (*answer)(struct ftp_step *step, const struct ftp_event *event);
};

extern const struct ftp_verb_handler ftp_verb_handlers[FTP_VERB_COUNT];

/* Add an action. */
struct ftp_action *ftp_step_act(struct ftp_step *step, enum ftp_action_kind kind);

/* Send formatted bytes that are whole lines already. */
void ftp_step_send(struct ftp_step *step, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Send `CODE text`. */
void ftp_step_reply(struct ftp_step *step, enum ftp_reply_code code, const char *text);

/* Send the reply that stands for `outcome`. */
void ftp_step_outcome(struct ftp_step *step, enum ftp_outcome outcome);

/* The session is over. */
void ftp_step_close(struct ftp_step *step);

/* Logged in, with nothing under way. */
void ftp_step_ready(struct ftp_step *step);

/* No data connection is prepared any more. */
void ftp_step_drop_data(struct ftp_step *step);

#endif
