/*
 * The client's side of one control connection, as a machine: (state, event, now) -> lines to send
 * and actions. No socket, file or clock is here; the edge is programs/ftp/dialogue.
 *
 * One task is under way at a time: first the log-in, which begins with the greeting, then each one
 * that the edge hands in: a transfer (RETR, STOR, LIST, NLST, MLSD), a renaming (RNFR) or a command
 * without data (CWD, PWD, SIZE, MKD, RMD, DELE, ..., QUIT). Every task ends with exactly one
 * FTP_CLIENT_REPORT; a connection that ends between two tasks is reported likewise. The client owns
 * nothing: user, password and the running task's arguments are borrowed from the edge.
 *
 * There is one state for each command whose reply is awaited. The log-in goes
 *	greeting [-> AUTH -> securing] -> USER [-> PASS] [-> PBSZ -> PROT]
 * where what stands in brackets first and last is for TLS: a server that refuses any of it ends the
 * connection, as nothing may go in clear text then. A transfer goes
 *	TYPE [-> SIZE] -> EPSV [-> PASV] -> connecting [-> REST] -> opening -> transfer	passive
 *	TYPE [-> SIZE] -> listening -> PORT or EPRT    [-> REST] -> opening -> transfer	active
 * and is over when both the data and the final reply have come, in either order.
 *
 * Time. After a command is sent its reply is awaited for FTP_CLIENT_REPLY_SECONDS, and so is the
 * greeting's first line. Behind that a waiting line may be long, and during a transfer the data
 * connection has its own deadline: there is none here. What a server may say too much is bounded:
 * FTP_CLIENT_REPLY_LINES in a reply, FTP_CLIENT_SURPLUS_MAX replies that nobody asked for.
 *
 * Covered: RFC 959, RFC 1123 section 4.1.2, RFC 2428, RFC 3659 (SIZE, REST, MLSD), RFC 4217. A
 * passive reply's address is not believed: the data connection goes to the control connection's
 * peer (RFC 2577). Not done: ACCT, CCC.
 *
 * An ABORT ends the task that is under way, and leaves a connection that can be used: what the
 * server still owes is awaited, for FTP_CLIENT_ABORT_SECONDS. A transfer's data connection goes
 * first, as some servers hear ABOR only then.
 */
#ifndef FTP_CLIENT_H
#define FTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ftp/command.h"
#include "ftp/input.h"
#include "ftp/port.h"
#include "ftp/session.h"

#define FTP_CLIENT_REPLY_SECONDS  120
#define FTP_CLIENT_ABORT_SECONDS  10
#define FTP_CLIENT_REPLY_LINES	  10000
#define FTP_CLIENT_GREETING_LINES 1000000 /* one every second, eleven days in line */
#define FTP_CLIENT_SURPLUS_MAX	  64

enum ftp_client_state {
	FTP_CLIENT_GREETING,
	FTP_CLIENT_AUTH,
	FTP_CLIENT_SECURING, /* the edge shakes hands on the control connection */
	FTP_CLIENT_USER,
	FTP_CLIENT_PASS,
	FTP_CLIENT_PBSZ,
	FTP_CLIENT_PROT,
	FTP_CLIENT_READY, /* logged in, no task */
	FTP_CLIENT_TYPE,
	FTP_CLIENT_SIZE, /* before a transfer */
	FTP_CLIENT_EPSV,
	FTP_CLIENT_PASV,
	FTP_CLIENT_CONNECTING, /* the edge makes the data connection */
	FTP_CLIENT_LISTENING, /* the edge opens a port */
	FTP_CLIENT_PORT, /* PORT or EPRT */
	FTP_CLIENT_REST,
	FTP_CLIENT_OPENING, /* RETR, STOR, LIST, NLST or MLSD; no reply yet */
	FTP_CLIENT_TRANSFER,
	FTP_CLIENT_RNFR,
	FTP_CLIENT_COMMAND, /* one without data; RNTO too */
	FTP_CLIENT_QUIT,
	FTP_CLIENT_ABORTING, /* what is still awaited of a task that is given up */
	FTP_CLIENT_ENDED,
	FTP_CLIENT_STATE_COUNT
};

/* How a task ended. */
enum ftp_client_result {
	FTP_CLIENT_DONE,
	FTP_CLIENT_REFUSED, /* a reply said no; the edge has printed it */
	FTP_CLIENT_LOST, /* the other side closed, went silent or spoke no FTP */
	FTP_CLIENT_LOCAL, /* on our side: a file, a port */
	FTP_CLIENT_MISUSE, /* an argument that no command line can carry */
	FTP_CLIENT_LONGER, /* to resume: there is more at the target than at the source */
	FTP_CLIENT_IN_CLEAR, /* TLS was wanted, and the server would not */
	FTP_CLIENT_ABORTED, /* as asked */
};

struct ftp_client {
	enum ftp_client_state state;
	const char *user, *password; /* borrowed */
	bool tls; /* on both connections, or not at all */
	bool patient; /* await the greeting's first line for ever: the edge has its own limit */
	bool active; /* PORT or EPRT rather than EPSV and PASV */
	bool ascii; /* files in TYPE A rather than TYPE I */
	struct endpoint peer; /* of the control connection */

	bool type_known; /* TYPE was sent before: `type` is what the server has */
	enum ftp_type type;
	bool no_epsv; /* the server has refused EPSV: do not ask again */
	enum ftp_verb task;
	const char *argument; /* of the task, borrowed; "" where there is none */
	const char *second; /* likewise: RNFR's new name */
	bool resume, ask_size; /* of the task, as in the event */
	uint64_t local_bytes; /* likewise */
	uint64_t offset; /* where the transfer begins: the edge looks there for what to send */
	bool size_known; /* of the file, as the server told it for this task */
	uint64_t size_bytes;
	unsigned surplus, lines; /* replies unasked for; lines of the one under way */
	bool replied, moved; /* of a transfer: the final reply, the data */
	bool gone; /* likewise: the server has closed, and what is still on its way comes */
	unsigned due; /* in state aborting: so many replies may still come */
	bool stray_rest; /* a REST was sent that no transfer has used: the next one says its own */
	enum ftp_outcome outcome; /* of the data */
	uint64_t deadline_ns; /* UINT64_MAX: none */
};

enum ftp_client_event_kind {
	FTP_CLIENT_EVENT_REPLY, /* a whole reply: `code`, and `text` of its last line */
	FTP_CLIENT_EVENT_TASK, /* `task`, `argument`: only in state ready */
	FTP_CLIENT_EVENT_ANSWER, /* to SECURE, CONNECT, LISTEN: `outcome`; `local` for LISTEN */
	FTP_CLIENT_EVENT_MOVED, /* the data connection ended: `outcome` */
	FTP_CLIENT_EVENT_CLOSED, /* the control connection is gone, or spoke no FTP */
	FTP_CLIENT_EVENT_TIME, /* the deadline may have passed */
	FTP_CLIENT_EVENT_MADE, /* the control connection: the first of all */
	FTP_CLIENT_EVENT_ABORT, /* give the task up */
	FTP_CLIENT_EVENT_LINE, /* a line that is not the last of its reply */
};

struct ftp_client_event {
	enum ftp_client_event_kind kind;
	unsigned code;
	const char *text; /* borrowed */
	size_t length;
	enum ftp_verb task;
	const char *argument; /* NULL: none; must live until the task's report */
	const char *second; /* likewise: the new name, for RNFR */
	bool ask_size; /* RETR in TYPE I: ask for the file's size, for who shows how far it is */
	/*
	 * Go on where an earlier transfer ended; TYPE I alone. RETR: behind the `local_bytes` that
	 * are here; STOR, of a file of `local_bytes`: behind what the server says is there. Nothing
	 * left to move is DONE without a transfer.
	 */
	bool resume;
	uint64_t local_bytes;
	enum ftp_outcome outcome;
	struct endpoint local;
};

enum ftp_client_action_kind {
	FTP_CLIENT_SEND, /* `text`, `length`: a whole line with its end */
	FTP_CLIENT_SECURE, /* begin TLS; nothing may have been read behind 234. Answer */
	FTP_CLIENT_CONNECT, /* make a data connection to `endpoint`. Answer */
	FTP_CLIENT_LISTEN, /* open a port for the server to connect to. Answer with its address */
	FTP_CLIENT_MOVE, /* move the data (of LISTEN: accept first); then EVENT_MOVED */
	FTP_CLIENT_DROP_DATA, /* close data connection and port; no end of a file that is sent */
	FTP_CLIENT_REPORT, /* the task is over: `result` */
};

struct ftp_client_action {
	enum ftp_client_action_kind kind;
	const char *text;
	size_t length;
	bool secret; /* the line holds a password */
	struct endpoint endpoint;
	enum ftp_client_result result;
};

#define FTP_CLIENT_ACTIONS_MAX 4

struct ftp_client_actions {
	size_t count;
	struct ftp_client_action list[FTP_CLIENT_ACTIONS_MAX];
	char space[FTP_INPUT_LINE_MAX + 2]; /* at most one line a step */
};

/* The control connection to `peer` is made; the log-in is under way. */
void ftp_client_init(struct ftp_client *client, const struct endpoint *peer, const char *user,
	const char *password);

/* One step; the actions are to be done in order. */
void ftp_client_step(struct ftp_client *client, const struct ftp_client_event *event,
	uint64_t now_ns, struct ftp_client_actions *ret_actions);

const char *ftp_client_state_name(enum ftp_client_state state);

#endif
