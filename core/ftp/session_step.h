/*
 * Between the files of the session: one step in the making, what may be put into it
 * (session_reply.c), and what each verb does (session_login.c: who; session_parameter.c: how;
 * session_way.c: over which data connection; session_file.c: what). For nobody else.
 */
#ifndef FTP_SESSION_STEP_H
#define FTP_SESSION_STEP_H

#include "ftp/reply.h"
#include "ftp/session.h"

struct ftp_step {
	struct ftp_session *session;
	struct ftp_actions *actions;
	uint64_t now_ns;
	uint64_t moved_bytes; /* of the transfer that is under way */
	enum ftp_verb verb; /* of the command, if a line is what this step is about */
	const char *argument; /* likewise, not NUL-terminated */
	size_t length;
};

/* What a verb does, and what the edge's answer to its question does; no `run`: not done, 502. */
struct ftp_verb_handler {
	void (*run)(struct ftp_step *step);
	void (*answer)(struct ftp_step *step, const struct ftp_event *event);
	unsigned rights; /* which the account must have, a set of enum ftp_right */
	bool while_moving; /* taken while a transfer is under way */
};

extern const struct ftp_verb_handler ftp_verb_handlers[FTP_VERB_COUNT];

/* --- session_reply.c: what goes into a step --- */

/* Add an action. */
struct ftp_action *ftp_step_act(struct ftp_step *step, enum ftp_action_kind kind);

/* Send formatted bytes that are whole lines already. */
void ftp_step_send(struct ftp_step *step, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Send `CODE text`. */
void ftp_step_reply(struct ftp_step *step, enum ftp_reply_code code, const char *text);

/* Send the reply to `asked`, or to the verb that is under way, that stands for `outcome`. */
void ftp_step_outcome(struct ftp_step *step, enum ftp_verb verb, enum ftp_outcome outcome);

/* A name as a reply may show it: what could end or forge a line becomes '?'. Returns `text`. */
const char *ftp_step_printable(const char *name, char text[static FTP_PATH_SIZE]);

/* Send `CODE "path" behind`: RFC 959 appendix II doubles quotes; the path is made printable. */
void ftp_step_reply_path(
	struct ftp_step *step, enum ftp_reply_code code, const char *path, const char *behind);

/* --- session.c: where the session stands --- */

/* The session is over. */
void ftp_step_close(struct ftp_step *step);

/* Logged in, with nothing under way. */
void ftp_step_ready(struct ftp_step *step);

/* No data connection is prepared any more. */
void ftp_step_drop_data(struct ftp_step *step);

/* Put a question about `asked_path` (may be NULL) to the edge. */
struct ftp_action *ftp_step_ask(
	struct ftp_step *step, enum ftp_verb verb, enum ftp_action_kind kind);

/* Resolve a name into asked_path; replies and returns false where that cannot be. */
bool ftp_step_resolve(struct ftp_step *step, const char *name, size_t length);

/* Whether the argument is `word`, in any case. */
bool ftp_step_argument_is(const struct ftp_step *step, const char *word);

/* The argument as a whole decimal number; false where it is none. */
bool ftp_step_argument_number(const struct ftp_step *step, uint64_t *ret_number);

/* --- the verbs, by file --- */

void ftp_do_user(struct ftp_step *step);
void ftp_do_pass(struct ftp_step *step);
void ftp_do_rein(struct ftp_step *step);
void ftp_do_quit(struct ftp_step *step);
void ftp_do_auth(struct ftp_step *step);
void ftp_do_pbsz(struct ftp_step *step);
void ftp_do_prot(struct ftp_step *step);
void ftp_answer_pass(struct ftp_step *step, const struct ftp_event *event);

void ftp_do_type(struct ftp_step *step);
void ftp_do_stru(struct ftp_step *step);
void ftp_do_mode(struct ftp_step *step);
void ftp_do_allo(struct ftp_step *step);
void ftp_do_rest(struct ftp_step *step);
void ftp_do_opts(struct ftp_step *step);
void ftp_do_lang(struct ftp_step *step);
void ftp_do_feat(struct ftp_step *step);
void ftp_do_help(struct ftp_step *step);
void ftp_do_site(struct ftp_step *step);
void ftp_do_syst(struct ftp_step *step);
void ftp_do_noop(struct ftp_step *step);
void ftp_do_clnt(struct ftp_step *step);

void ftp_do_port(struct ftp_step *step);
void ftp_do_eprt(struct ftp_step *step);
void ftp_do_pasv(struct ftp_step *step);
void ftp_do_epsv(struct ftp_step *step);
void ftp_do_abor(struct ftp_step *step);
void ftp_do_stat(struct ftp_step *step);
void ftp_answer_listen(struct ftp_step *step, const struct ftp_event *event);
void ftp_answer_stat(struct ftp_step *step, const struct ftp_event *event);

void ftp_do_pwd(struct ftp_step *step);
void ftp_do_cwd(struct ftp_step *step);
void ftp_do_cdup(struct ftp_step *step);
void ftp_do_size(struct ftp_step *step);
void ftp_do_mdtm(struct ftp_step *step);
void ftp_do_mfmt(struct ftp_step *step);
void ftp_do_mlst(struct ftp_step *step);
void ftp_do_dele(struct ftp_step *step);
void ftp_do_rmd(struct ftp_step *step);
void ftp_do_mkd(struct ftp_step *step);
void ftp_do_rnfr(struct ftp_step *step);
void ftp_do_rnto(struct ftp_step *step);
void ftp_answer_cwd(struct ftp_step *step, const struct ftp_event *event);
void ftp_answer_size(struct ftp_step *step, const struct ftp_event *event);
void ftp_answer_mdtm(struct ftp_step *step, const struct ftp_event *event);
void ftp_answer_mfmt(struct ftp_step *step, const struct ftp_event *event);
void ftp_answer_mlst(struct ftp_step *step, const struct ftp_event *event);
void ftp_answer_done(struct ftp_step *step, const struct ftp_event *event);
void ftp_answer_mkd(struct ftp_step *step, const struct ftp_event *event);
void ftp_answer_rnfr(struct ftp_step *step, const struct ftp_event *event);

void ftp_do_retr(struct ftp_step *step);
void ftp_do_stor(struct ftp_step *step);
void ftp_do_stou(struct ftp_step *step);
void ftp_do_appe(struct ftp_step *step);
void ftp_do_list(struct ftp_step *step);
void ftp_do_nlst(struct ftp_step *step);
void ftp_do_mlsd(struct ftp_step *step);
void ftp_answer_open(struct ftp_step *step, const struct ftp_event *event);

#endif
