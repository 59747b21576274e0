/*
 * The file protocol of the report this project grew out of, over one TCP connection, for servers
 * and, at the end, what a client has to know of it. Pure: (state, event, now) -> actions.
 *
 *	server	on connect, when the client's turn has come: the greeting
 *	client	the name of a file
 *	server	the file's content, or "File not found"
 *	...
 *	client	"end", or it closes the connection
 *
 * Nothing frames a name or a file, so it is decided here what a name is:
 * - It ends with LF, CR LF or NUL (C programs send their strings with it), or with the client's
 *   half of the connection. Several may come at once; they are answered in turn.
 * - A name without such an end is taken when nothing has followed it for FTP_TEXT_QUIET_NS: most
 *   partners send a bare name in one piece and read, but some send it byte by byte (Java's
 *   DataOutputStream.writeBytes) or its line end apart. A line end that is later still belongs to
 *   the name before it, and is no empty name.
 * - It is UTF-8, at most FTP_TEXT_NAME_MAX bytes, and resolved from the root by its words; what
 *   would lead above the root, an empty name and what is no plain file are "File not found".
 * - `end` is the word, a file of that name is `./end`.
 *
 * A client in line hears nothing. What it sends meanwhile waits with it; one that ends its half of
 * the connection before it has sent anything has left, one that has sent something may be asking
 * for a file in one go and keeps its place.
 */
#ifndef FTP_TEXT_H
#define FTP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ftp/path.h"
#include "ftp/session.h"

#define FTP_TEXT_PORT 12345
#define FTP_TEXT_GREETING                                                                          \
	"You are now connected to server.\n\tSend the name of the file you want.\n\t"              \
	"Say end to terminate the session."
#define FTP_TEXT_NOT_FOUND "File not found"
#define FTP_TEXT_END	   "end"

#define FTP_TEXT_NAME_MAX (FTP_PATH_SIZE - 1)
#define FTP_TEXT_HELD_MAX 16384 /* bytes that wait to be taken */
#define FTP_TEXT_QUIET_NS 50000000

enum ftp_text_state {
	FTP_TEXT_WAITING, /* in line */
	FTP_TEXT_READY, /* a name is wanted */
	FTP_TEXT_ASKING, /* FTP_TEXT_OPEN's answer is awaited */
	FTP_TEXT_SENDING,
	FTP_TEXT_CLOSED
};

/* One client of the server. */
struct ftp_text {
	enum ftp_text_state state;
	uint64_t idle_ns; /* how long it may be silent; UINT64_MAX: for ever */
	char *block; /* owned; NULL while nothing is held */
	char *held; /* within `block`: what it has sent and was not taken yet; NULL: nothing */
	size_t held_length;
	bool skipping; /* the beginning of a name that is too long is already gone */
	bool late_end; /* a line end may come that belongs to the name before it */
	bool ended; /* it sends no more */
	uint64_t quiet_ns; /* when a name without an end is one; UINT64_MAX: there is none */
	uint64_t deadline_ns; /* when to step with FTP_TEXT_TIME; UINT64_MAX: never */
	uint64_t limit_ns; /* of waiting in line, or of silence */
	char path[FTP_PATH_SIZE]; /* of the file that is asked for or sent */
};

enum ftp_text_event_kind {
	FTP_TEXT_TURN, /* served from now on */
	FTP_TEXT_BYTES, /* `bytes`, at most ftp_text_room() */
	FTP_TEXT_ENDED, /* its half of the connection is closed */
	FTP_TEXT_TAKE, /* the next name, if ftp_text_has_name() */
	FTP_TEXT_ANSWER, /* to OPEN: `outcome` */
	FTP_TEXT_SENT, /* the file, or not: `outcome` */
	FTP_TEXT_TIME, /* the deadline may have passed */
};

struct ftp_text_event {
	enum ftp_text_event_kind kind;
	const char *bytes; /* borrowed */
	size_t length;
	enum ftp_outcome outcome;
};

enum ftp_text_action_kind {
	FTP_TEXT_SAY, /* send `text` */
	FTP_TEXT_RECEIVED, /* a name, for the log: `text`, `length`, of which some may be missing */
	FTP_TEXT_REFUSED, /* for the log: why there is no such file, `text` */
	FTP_TEXT_OPEN, /* the file `path`, to send it. Answer */
	FTP_TEXT_START, /* send what was opened; its end is told by SENT */
	FTP_TEXT_CLOSE, /* send what is unsent, then close; `text`: why, for the log; NULL: as usual */
	FTP_TEXT_ABORT, /* reset: an end would pass half a file off as whole */
};

struct ftp_text_action {
	enum ftp_text_action_kind kind;
	const char *text; /* the struct ftp_text's: good until its next event */
	size_t length;
};

#define FTP_TEXT_ACTIONS_MAX 4

struct ftp_text_actions {
	size_t count;
	struct ftp_text_action list[FTP_TEXT_ACTIONS_MAX];
	char name[FTP_TEXT_NAME_MAX + 1]; /* what RECEIVED shows */
};

/* One that has just connected and waits in line, for `wait_ns` at most. UINT64_MAX: for ever. */
void ftp_text_init(struct ftp_text *text, uint64_t wait_ns, uint64_t idle_ns, uint64_t now_ns);

/* Frees what it holds. */
void ftp_text_finish(struct ftp_text *text);

/* now_ns: monotonic. ret_actions: to be done in order. */
void ftp_text_step(struct ftp_text *text, const struct ftp_text_event *event, uint64_t now_ns,
	struct ftp_text_actions *ret_actions);

/* How many bytes may be handed in now. */
size_t ftp_text_room(const struct ftp_text *text);

/* Whether the next name is there and it is its turn: to be taken once the last answer is sent. */
bool ftp_text_has_name(const struct ftp_text *text, uint64_t now_ns);

/* "waiting" and so on. */
const char *ftp_text_state_name(enum ftp_text_state state);

/*
 * The root-relative path that a name stands for, absolute within the root. Returns NULL, or why
 * there can be no such file.
 */
const char *ftp_text_resolve(const char *name, size_t length, char ret_path[static FTP_PATH_SIZE]);

/* --- for a client --- */

enum ftp_text_match {
	FTP_TEXT_PART, /* the beginning of it, so far */
	FTP_TEXT_WHOLE,
	FTP_TEXT_OTHER, /* not it, or with something behind it */
};

/* How the bytes compare with the text `expected`. */
enum ftp_text_match ftp_text_match(const char *bytes, size_t length, const char *expected);

#endif
