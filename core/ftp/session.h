/*
 * One control connection of an FTP server, as a machine: (state, event, now) -> replies and
 * actions. No socket, file, clock or chance is here; the edge (programs/ftp/control) does what the
 * actions say, in order, and tells what came of it by further events.
 *
 * Objects. A `struct ftp_session` is one client. It owns its names and paths; its settings are
 * borrowed. The edge owns the session, the sockets, the opened files, and the client's lines: it
 * hands in one line at a time, and only when ftp_session_takes() it, so that pipelined commands
 * stay in the edge's buffer until their turn, also those sent while in line.
 *
 * States.
 *	waiting --turn--> user --USER--> password --PASS--> ready
 *	ready --a question for the edge (path, file, port)--> asking --answer--> ready | transfer
 *	transfer --ended | ABOR--> ready; anything --QUIT, time, shutdown--> closed
 * A log-in asks, too: whether the password is right is the edge's to find out (it may take a while,
 * and a wrong one is answered late on purpose). A transfer is two steps: OPEN_* asks the edge for
 * the file (answer: 550, or 150 and START), then the edge makes the data connection and moves the
 * bytes (EVENT_ENDED: 226, 425, 426, 451, 452). While it moves, STAT, NOOP and ABOR are answered.
 *
 * Time. `deadline_ns` is the instant after which the edge sends FTP_EVENT_TIME: a wait in line may
 * end, a log-in must be done within settings->login_ns of the greeting, and a client that is logged
 * in is let go after settings->idle_ns without a command. None while asking or transferring.
 *
 * Covered: RFC 959 with section 4.1 of RFC 1123 (but ACCT and SMNT, of which there is nothing here:
 * 502), RFC 2228 and 4217 (AUTH TLS, PBSZ, PROT), RFC 2389 (FEAT, OPTS), RFC 2428 (EPRT, EPSV, EPSV
 * ALL), RFC 2640 (UTF-8, LANG), RFC 3659 (MDTM, SIZE, REST, MLST, MLSD, TVFS), MFMT of
 * draft-somers-ftp-mfxx. SIZE and REST count what goes over the wire, in TYPE A too.
 * Departures. REIN is refused inside TLS (RFC 4217 section 11 would have the connection fall back
 * to clear text in its middle). HOST (RFC 7151), CCC and what command.c calls FTP_OTHER are known and
 * not done.
 */
#ifndef FTP_SESSION_H
#define FTP_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ftp/command.h"
#include "ftp/listing.h"
#include "ftp/path.h"
#include "ftp/port.h"

#define FTP_NAME_MAX	   64 /* bytes of a user's name */
#define FTP_SECRET_MAX	   512 /* bytes of a password */
#define FTP_LOGIN_FAILURES 5 /* the last of them closes the connection */

/* What a server tells each of its sessions; borrowed for their life. */
struct ftp_session_settings {
	uint64_t wait_ns; /* how long a client may wait in line; UINT64_MAX: for ever */
	uint64_t login_ns, idle_ns;
	bool tls; /* AUTH TLS can be had */
	bool tls_required; /* no log-in and no data without it */
};

#define FTP_SESSION_SETTINGS_DEFAULT                                                               \
	((struct ftp_session_settings){                                                            \
		.wait_ns = UINT64_MAX, .login_ns = 60000000000, .idle_ns = 300000000000})

enum ftp_session_state {
	FTP_SESSION_WAITING, /* in line */
	FTP_SESSION_USER, /* greeted; a name is wanted */
	FTP_SESSION_PASSWORD, /* a name was given */
	FTP_SESSION_READY, /* logged in */
	FTP_SESSION_ASKING, /* an action's answer is awaited */
	FTP_SESSION_TRANSFER,
	FTP_SESSION_CLOSED,
	FTP_SESSION_STATE_COUNT
};

/* RFC 959 section 3.1.1; L 8 is I. */
enum ftp_type { FTP_TYPE_ASCII, FTP_TYPE_IMAGE };

/* How the next data connection comes about. */
enum ftp_data_mode { FTP_DATA_NONE, FTP_DATA_PASSIVE, FTP_DATA_ACTIVE };

/* What an account may do; a set. */
enum ftp_right {
	FTP_MAY_READ = 1, /* RETR, and look at files and directories */
	FTP_MAY_ADD = 2, /* new files (STOR, STOU) and directories */
	FTP_MAY_CHANGE = 4, /* replace, append to, rename, remove; times of files */
};

/* What came of an action or a transfer; session_reply.c has each one's reply in one table. */
enum ftp_outcome {
	FTP_OUTCOME_DONE,
	FTP_OUTCOME_NOT_FOUND,
	FTP_OUTCOME_DENIED,
	FTP_OUTCOME_NOT_A_FILE,
	FTP_OUTCOME_NOT_A_DIRECTORY,
	FTP_OUTCOME_BAD_NAME, /* nothing can be had, or stored, under this name */
	FTP_OUTCOME_NO_SPACE,
	FTP_OUTCOME_LOCAL_ERROR,
	FTP_OUTCOME_NO_PORT, /* the passive port could not be opened */
	FTP_OUTCOME_NOT_CONNECTED, /* the data connection did not come about */
	FTP_OUTCOME_LOST, /* the data connection broke, or the client left */
	FTP_OUTCOME_STALLED, /* no byte moved for too long */
	FTP_OUTCOME_EXISTS, /* there is one already */
	FTP_OUTCOME_NOT_EMPTY, /* a directory that is to be removed */
	FTP_OUTCOME_BEYOND_END, /* REST names a place behind the file's end */
	FTP_OUTCOME_TOO_LARGE, /* a listing, for a reply */
	FTP_OUTCOME_NOT_PROTECTED, /* the data connection's TLS did not come about */
	FTP_OUTCOME_WRONG, /* name or password */
	FTP_OUTCOME_ABORTED, /* an ABOR waits behind other commands */
	FTP_OUTCOME_NAME_TOO_LONG,
	FTP_OUTCOME_COUNT
};

struct ftp_session {
	const struct ftp_session_settings *settings; /* borrowed */
	enum ftp_session_state state;
	enum ftp_type type;
	enum ftp_data_mode data_mode;
	struct endpoint peer; /* of the control connection */
	struct endpoint target; /* for FTP_DATA_ACTIVE */
	bool epsv_only; /* after EPSV ALL */
	bool secure; /* the control connection is inside TLS */
	bool sized; /* PBSZ was given since AUTH */
	bool protect; /* PROT P: data connections are, too */
	unsigned facts; /* which MLST shows, a set of enum ftp_fact */
	unsigned rights; /* of the account, a set of enum ftp_right */
	unsigned login_failures;
	char name[FTP_NAME_MAX + 1]; /* as given by USER; "" before */
	uint64_t restart_bytes; /* REST: where the next transfer begins */
	uint64_t allocated_bytes; /* ALLO: how long the next file is said to be; 0: not said */
	enum ftp_verb asked; /* in state asking or transfer: the command that is being done */
	char *asked_path; /* owned; what it is, or last was, about */
	int64_t asked_seconds; /* of MFMT */
	char *rename_from; /* owned; between RNFR and RNTO */
	char *directory; /* owned; NULL is "/" */
	uint64_t deadline_ns; /* UINT64_MAX: none */
};

enum ftp_event_kind {
	FTP_EVENT_PLACE, /* in line: `place`, `served` */
	FTP_EVENT_TURN, /* served from now on */
	FTP_EVENT_FULL, /* neither a place nor one in line: refuse */
	FTP_EVENT_FULL_FOR_ADDRESS, /* or not for one more from its address */
	FTP_EVENT_TOO_EARLY, /* in line: it has sent more than can be kept for its turn */
	FTP_EVENT_LINE, /* `line`, `length`; while a transfer moves also `moved_bytes` */
	FTP_EVENT_LINE_TOO_LONG,
	FTP_EVENT_ANSWER, /* to an action: `outcome` and, where it is DONE, more */
	FTP_EVENT_ENDED, /* of the transfer: `outcome` */
	FTP_EVENT_TIME, /* the deadline may have passed */
	FTP_EVENT_SHUTDOWN, /* the server ends */
};

struct ftp_event {
	enum ftp_event_kind kind;
	enum ftp_outcome outcome;
	size_t place, served; /* number in line, from 1; clients being served */
	const char *line; /* borrowed, without its line end */
	size_t length; /* of `line`, or of `text` */
	uint64_t moved_bytes;
	/* Answers: */
	unsigned rights; /* to LOG_IN */
	uint64_t size_bytes; /* to ASK_SIZE */
	struct ftp_listing_entry entry; /* to ASK_FACTS, ASK_LISTING; its name does not matter */
	const char *text; /* to ASK_LISTING: `length` bytes; borrowed until its actions are done */
	const char *name; /* to OPEN_SINK where `unique`: the leaf that was chosen; borrowed */
	struct endpoint local; /* to LISTEN: our address and the port that is open */
};

enum ftp_action_kind {
	FTP_ACTION_REPLY, /* send `text`, `length`: whole lines; each FTP_INPUT_IAC in them twice */
	FTP_ACTION_LOG_IN, /* is `text`, `length` the password of session->name? Answer */
	FTP_ACTION_LOG_OUT, /* the account is left: forget whose files these are */
	FTP_ACTION_START_TLS, /* forget what was read behind this line, then shake hands */
	FTP_ACTION_CHECK_DIRECTORY, /* is `path` a directory that may be entered? Answer */
	FTP_ACTION_ASK_SIZE, /* answer with the size of the file `path` in session->type */
	FTP_ACTION_ASK_FACTS, /* answer with `entry` of `path`, whatever it is */
	FTP_ACTION_SET_TIME, /* set the time of `path` to `seconds`. Answer */
	FTP_ACTION_DELETE, /* the file `path`. Answer */
	FTP_ACTION_REMOVE_DIRECTORY, /* the empty directory `path`. Answer */
	FTP_ACTION_MAKE_DIRECTORY, /* `path`. Answer: EXISTS, too */
	FTP_ACTION_RENAME, /* `path` to `other`. Answer */
	FTP_ACTION_ASK_LISTING, /* answer with LIST's lines of `path`, a space before each, and `entry` */
	FTP_ACTION_LISTEN, /* open a passive port in place of any other. Answer */
	FTP_ACTION_OPEN_SOURCE, /* open the file `path` to send, from session->restart_bytes. Answer */
	FTP_ACTION_OPEN_SINK, /* open a draft of the file `path` to receive; see enum ftp_sink. Answer */
	FTP_ACTION_OPEN_LISTING, /* list `path`, by the client `text`, `length`, in `form`. Answer */
	FTP_ACTION_START, /* make the data connection by data_mode/target, move what was opened */
	FTP_ACTION_DROP_DATA, /* close the passive port, the data connection, the opened file */
	FTP_ACTION_CLOSE, /* send what is unsent, then close */
	FTP_ACTION_KIND_COUNT
};

/* How a received file comes about. */
enum ftp_sink {
	FTP_SINK_NEW, /* a whole file; it replaces another only with FTP_MAY_CHANGE */
	FTP_SINK_APPEND, /* behind what is there, if anything is */
	FTP_SINK_RESUME, /* what is there up to session->restart_bytes, then this */
	FTP_SINK_UNIQUE, /* under a name like `path` that nothing has yet */
};

struct ftp_action {
	enum ftp_action_kind kind;
	const char *text; /* within the ftp_actions */
	size_t length;
	const char *path, *other; /* the session's: good until its next event */
	int64_t seconds; /* since 1970, UTC */
	enum ftp_listing_form form;
	enum ftp_sink sink;
};

#define FTP_ACTIONS_MAX 8
#define FTP_REPLY_SPACE (2 * FTP_PATH_SIZE + 4096) /* a 257 may double every byte of its path */

struct ftp_actions {
	size_t count;
	struct ftp_action list[FTP_ACTIONS_MAX];
	size_t used;
	char space[FTP_REPLY_SPACE];
};

/* A client that has just connected; it waits for PLACE, TURN or FULL. */
void ftp_session_init(struct ftp_session *session, const struct ftp_session_settings *settings,
	const struct endpoint *peer, uint64_t now_ns);

/* Frees what the session owns. */
void ftp_session_finish(struct ftp_session *session);

/*
 * One step.
 * now_ns: monotonic.
 * ret_actions: to be done in order; an event that answers one of them is given by a further step.
 * At most one of them wants an answer.
 */
void ftp_session_step(struct ftp_session *session, const struct ftp_event *event, uint64_t now_ns,
	struct ftp_actions *ret_actions);

/* Whether the session can take this line of the client now, or it has to wait in the buffer. */
bool ftp_session_takes(const struct ftp_session *session, const char *line, size_t length);

/* Whether the name is one of the anonymous account's: "anonymous" or "ftp", in any case. */
bool ftp_name_is_anonymous(const char *name);

/* "ready" and so on, for logs. */
const char *ftp_session_state_name(enum ftp_session_state state);

#endif
