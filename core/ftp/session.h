/*
 * One control connection of an FTP server, as a machine: (state, event, now) -> replies and
 * actions. No socket, file, clock or chance is here; the edge (programs/ftp/control) does what the
 * actions say, in order, and tells what came of it by further events.
 *
 * Objects. A `struct ftp_session` is one client. It owns its working directory and the path it is
 * asking about; nothing else. The edge owns the session, the sockets, the opened files, and the
 * client's lines: it hands in one line at a time, and only when ftp_session_takes() it, so that
 * pipelined commands stay in the edge's buffer until their turn, also those sent while in line.
 *
 * States.
 *	waiting --turn--> user --USER--> password --PASS--> ready
 *	ready --a question for the edge (path, file, port)--> asking --answer--> ready | transfer
 *	transfer --ended | ABOR--> ready; anything --QUIT, time, shutdown--> closed
 * A transfer is two steps: OPEN_* asks the edge for the file (answer: 550, or 150 and START), then
 * the edge makes the data connection and moves the bytes (EVENT_ENDED: 226, 425, 426, 451, 452).
 *
 * Time. `deadline_ns` is the instant after which the edge sends FTP_EVENT_TIME: a log-in must be
 * done within FTP_LOGIN_SECONDS of the greeting, and a client that is logged in is let go after
 * FTP_IDLE_SECONDS without a command. None while waiting in line or transferring.
 *
 * Covered: RFC 959 with section 4.1.2 of RFC 1123, RFC 2428 (EPRT, EPSV, EPSV ALL), FEAT of RFC
 * 2389, SIZE of RFC 3659 (in TYPE I; in TYPE A it is 550, as the size would need the whole file
 * read). Only the anonymous account. Known but not done yet: STOU APPE ALLO REST RNFR RNTO DELE RMD
 * MKD SITE STAT HELP REIN ACCT SMNT OPTS MLST MLSD MDTM MFMT HOST LANG, TLS (RFC 2228, 4217): 502.
 */
#ifndef FTP_SESSION_H
#define FTP_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ftp/command.h"
#include "ftp/path.h"
#include "ftp/port.h"

#define FTP_LOGIN_SECONDS  60
#define FTP_IDLE_SECONDS   300
#define FTP_LOGIN_FAILURES 5 /* the last of them closes the connection */

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

/* What came of an action or a transfer; session.c has each one's reply in one table. */
enum ftp_outcome {
	FTP_OUTCOME_DONE,
	FTP_OUTCOME_NOT_FOUND,
	FTP_OUTCOME_DENIED,
	FTP_OUTCOME_NOT_A_FILE,
	FTP_OUTCOME_NOT_A_DIRECTORY,
	FTP_OUTCOME_BAD_NAME, /* cannot be stored under this name */
	FTP_OUTCOME_NO_SPACE,
	FTP_OUTCOME_LOCAL_ERROR,
	FTP_OUTCOME_NO_PORT, /* the passive port could not be opened */
	FTP_OUTCOME_NOT_CONNECTED, /* the data connection did not come about */
	FTP_OUTCOME_LOST, /* the data connection broke, or the client left */
	FTP_OUTCOME_STALLED, /* no byte moved for too long */
	FTP_OUTCOME_COUNT
};

struct ftp_session {
	enum ftp_session_state state;
	enum ftp_type type;
	enum ftp_data_mode data_mode;
	struct ftp_endpoint peer; /* of the control connection */
	struct ftp_endpoint target; /* for FTP_DATA_ACTIVE */
	bool epsv_only; /* after EPSV ALL */
	bool anonymous; /* the name given is one of the anonymous account */
	unsigned login_failures;
	enum ftp_verb asked; /* in state asking or transfer: the command that is being done */
	char *asked_path; /* owned; what it is about */
	char *directory; /* owned; NULL is "/" */
	uint64_t deadline_ns; /* UINT64_MAX: none */
};

enum ftp_event_kind {
	FTP_EVENT_PLACE, /* in line: `place`, `served` */
	FTP_EVENT_TURN, /* served from now on */
	FTP_EVENT_FULL, /* neither a place nor one in line: refuse */
	FTP_EVENT_TOO_EARLY, /* in line: it has sent more than can be kept for its turn */
	FTP_EVENT_LINE, /* `line`, `length` */
	FTP_EVENT_LINE_TOO_LONG,
	FTP_EVENT_ANSWER, /* to CHECK_DIRECTORY, ASK_SIZE, LISTEN, OPEN_*: `outcome` and more */
	FTP_EVENT_ENDED, /* of the transfer: `outcome` */
	FTP_EVENT_TIME, /* the deadline may have passed */
	FTP_EVENT_SHUTDOWN, /* the server ends */
};

struct ftp_event {
	enum ftp_event_kind kind;
	enum ftp_outcome outcome;
	size_t place, served; /* number in line, from 1; clients being served */
	const char *line; /* borrowed, without its line end */
	size_t length;
	uint64_t size_bytes; /* answer to ASK_SIZE */
	struct ftp_endpoint local; /* answer to LISTEN: our address and the port that is open */
};

enum ftp_action_kind {
	FTP_ACTION_REPLY, /* send `text`, `length`: whole lines, ready for the wire */
	FTP_ACTION_CHECK_DIRECTORY, /* is `path` a directory that may be entered? Answer */
	FTP_ACTION_ASK_SIZE, /* answer with the size of the file `path` */
	FTP_ACTION_LISTEN, /* open a passive port in place of any other. Answer */
	FTP_ACTION_OPEN_SOURCE, /* open the file `path` to send. Answer */
	FTP_ACTION_OPEN_SINK, /* open a draft of the file `path` to receive. Answer */
	FTP_ACTION_OPEN_LISTING, /* list `path`, NLST where names_only. Answer */
	FTP_ACTION_START, /* make the data connection by data_mode/target, move what was opened */
	FTP_ACTION_DROP_DATA, /* close the passive port, the data connection, the opened file */
	FTP_ACTION_CLOSE, /* send what is unsent, then close */
};

struct ftp_action {
	enum ftp_action_kind kind;
	const char *text; /* within the ftp_actions */
	size_t length;
	const char *path; /* the session's: good until its next event */
	bool names_only;
};

#define FTP_ACTIONS_MAX 6
#define FTP_REPLY_SPACE (2 * FTP_PATH_SIZE + 1024) /* a 257 may double every byte of its path */

struct ftp_actions {
	size_t count;
	struct ftp_action list[FTP_ACTIONS_MAX];
	size_t used;
	char space[FTP_REPLY_SPACE];
};

/* A client that has just connected; it waits for PLACE, TURN or FULL. */
void ftp_session_init(struct ftp_session *session, const struct ftp_endpoint *peer);

/* Frees what the session owns. */
void ftp_session_finish(struct ftp_session *session);

/*
 * One step.
 * now_ns: monotonic.
 * ret_actions: to be done in order; an event that answers one of them is given by a further step.
 */
void ftp_session_step(struct ftp_session *session, const struct ftp_event *event, uint64_t now_ns,
	struct ftp_actions *ret_actions);

/* Whether the session can take this line of the client now, or it has to wait in the buffer. */
bool ftp_session_takes(const struct ftp_session *session, const char *line, size_t length);

/* "ready" and so on, for logs. */
const char *ftp_session_state_name(enum ftp_session_state state);

#endif
