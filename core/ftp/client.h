/*
 * The client's side of one control connection, as a machine: (state, event, now) -> lines to send
 * and actions. No socket, file or clock is here; the edge is programs/ftp/dialogue.
 *
 * One task is under way at a time: first the log-in, which begins with the greeting, then each of
 * get (RETR), put (STOR), ls (LIST), cd (CWD), pwd (PWD), size (SIZE) and quit (QUIT) the edge
 * hands in. Every task ends with exactly one FTP_CLIENT_REPORT. The client owns nothing: user,
 * password and the running task's argument are borrowed from the edge.
 *
 * There is one state for each command whose reply is awaited. A transfer goes
 *	TYPE -> EPSV [-> PASV] -> connecting -> opening -> transfer	passive
 *	TYPE -> listening -> PORT or EPRT    -> opening -> transfer	active
 * and is over when both the data and the final reply have come, in either order.
 *
 * Time. After a command is sent its reply is awaited for FTP_CLIENT_REPLY_SECONDS; for the greeting
 * and during a transfer there is no deadline here: a waiting line may be long, and a data
 * connection has its own.
 *
 * Covered: RFC 959, RFC 1123 section 4.1.2, RFC 2428. A passive reply's address is not believed:
 * the data connection goes to the control connection's peer (RFC 2577). Not done: TLS, REST, MLSD.
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

#define FTP_CLIENT_REPLY_SECONDS 120

enum ftp_client_state {
	FTP_CLIENT_GREETING,
	FTP_CLIENT_USER,
	FTP_CLIENT_PASS,
	FTP_CLIENT_READY, /* logged in, no task */
	FTP_CLIENT_TYPE,
	FTP_CLIENT_EPSV,
	FTP_CLIENT_PASV,
	FTP_CLIENT_CONNECTING, /* the edge makes the data connection */
	FTP_CLIENT_LISTENING, /* the edge opens a port */
	FTP_CLIENT_PORT, /* PORT or EPRT */
	FTP_CLIENT_OPENING, /* RETR, STOR or LIST; no reply yet */
	FTP_CLIENT_TRANSFER,
	FTP_CLIENT_CWD,
	FTP_CLIENT_PWD,
	FTP_CLIENT_SIZE,
	FTP_CLIENT_QUIT,
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
};

struct ftp_client {
	enum ftp_client_state state;
	const char *user, *password; /* borrowed */
	bool active; /* PORT or EPRT rather than EPSV and PASV */
	bool ascii; /* files in TYPE A rather than TYPE I */
	struct ftp_endpoint peer; /* of the control connection */

	bool type_known; /* TYPE was sent before: `type` is what the server has */
	enum ftp_type type;
	bool no_epsv; /* the server has refused EPSV: do not ask again */
	enum ftp_verb task;
	const char *argument; /* of the task, borrowed; "" where there is none */
	bool replied, moved; /* of a transfer: the final reply, the data */
	enum ftp_outcome outcome; /* of the data */
	uint64_t deadline_ns; /* UINT64_MAX: none */
};

enum ftp_client_event_kind {
	FTP_CLIENT_EVENT_REPLY, /* a whole reply: `code`, and `text` of its last line */
	FTP_CLIENT_EVENT_TASK, /* `task`, `argument`: only in state ready */
	FTP_CLIENT_EVENT_ANSWER, /* to CONNECT or LISTEN: `outcome`, `local` for LISTEN */
	FTP_CLIENT_EVENT_MOVED, /* the data connection ended: `outcome` */
	FTP_CLIENT_EVENT_CLOSED, /* the control connection is gone, or spoke no FTP */
	FTP_CLIENT_EVENT_TIME, /* the deadline may have passed */
};

struct ftp_client_event {
	enum ftp_client_event_kind kind;
	unsigned code;
	const char *text; /* borrowed */
	size_t length;
	enum ftp_verb task;
	const char *argument; /* NULL: none; must live until the task's report */
	enum ftp_outcome outcome;
	struct ftp_endpoint local;
};

enum ftp_client_action_kind {
	FTP_CLIENT_SEND, /* `text`, `length`: a whole line with its end */
	FTP_CLIENT_CONNECT, /* make a data connection to `endpoint`. Answer */
	FTP_CLIENT_LISTEN, /* open a port for the server to connect to. Answer with its address */
	FTP_CLIENT_MOVE, /* move the data (of LISTEN: accept first); then EVENT_MOVED */
	FTP_CLIENT_DROP_DATA, /* close data connection and port */
	FTP_CLIENT_REPORT, /* the task is over: `result` */
};

struct ftp_client_action {
	enum ftp_client_action_kind kind;
	const char *text;
	size_t length;
	bool secret; /* the line holds a password */
	struct ftp_endpoint endpoint;
	enum ftp_client_result result;
};

#define FTP_CLIENT_ACTIONS_MAX 4

struct ftp_client_actions {
	size_t count;
	struct ftp_client_action list[FTP_CLIENT_ACTIONS_MAX];
	char space[FTP_INPUT_LINE_MAX + 8]; /* at most one line a step */
};

/* The control connection to `peer` is made; the log-in is under way. */
void ftp_client_init(struct ftp_client *client, const struct ftp_endpoint *peer, const char *user,
	const char *password);

/* One step; the actions are to be done in order. */
void ftp_client_step(struct ftp_client *client, const struct ftp_client_event *event,
	uint64_t now_ns, struct ftp_client_actions *ret_actions);

const char *ftp_client_state_name(enum ftp_client_state state);

#endif
