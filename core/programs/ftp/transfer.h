/*
 * The moving of one file or text over one data connection, for server and client alike. TYPE I goes
 * by sendfile(2) and plain read and write, TYPE A through ftp/ascii.h, and inside TLS all is
 * copied. A wake-up moves at most TRANSFER_TURN_BYTES, so that no transfer keeps the others
 * waiting; where no byte moves for its patience it is given up.
 *
 * `struct transfer` is embedded in its owner, which keeps the file and hands over the socket. The
 * owner is told once, from the event loop; transfer_stop() ends it without a word.
 */
#ifndef PROGRAMS_FTP_TRANSFER_H
#define PROGRAMS_FTP_TRANSFER_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/text.h"
#include "ftp/ascii.h"
#include "ftp/session.h"
#include "programs/ftp/stream.h"

#define TRANSFER_TURN_BYTES  (2 * 1024 * 1024)
#define TRANSFER_STALL_NS    (120 * NS_PER_SECOND)
#define TRANSFER_SMALL_BYTES (16 * 1024) /* what any new connection takes at once */

enum transfer_kind {
	TRANSFER_SEND_FILE,
	TRANSFER_SEND_TEXT, /* `text`, as it is */
	TRANSFER_RECEIVE, /* into `file` */
};

struct transfer {
	/*
	 * FTP_OUTCOME_DONE, LOST, STALLED, NO_SPACE, LOCAL_ERROR or NOT_PROTECTED. The connection
	 * is closed already.
	 */
	void (*ended)(void *owner, enum ftp_outcome outcome);
	/*
	 * The text is sent, and `goes_on`: ask for more, which is to come by transfer_more(). False:
	 * it cannot be had. NULL where nothing ever goes on.
	 */
	bool (*more)(void *owner);
	void *owner;

	enum transfer_kind kind;
	bool goes_on; /* of TRANSFER_SEND_TEXT: there is more behind `text` */
	int file; /* the owner's */
	bool ascii; /* convert */
	/* The file is a pipe or a terminal: wait for it too, instead of within a call. */
	bool file_waits;
	/*
	 * Its end was read, and is believed when it is read again in the loop's next turn: what ended
	 * the program that writes to it, a Ctrl-C, is heard by then.
	 */
	bool file_ended;
	/*
	 * The socket resets (socket_resets()) until all is sent. Inside TLS, what is sent ends only when the other side has closed as well: a close with
	 * bytes unread, and the session tickets of TLS 1.3 are such, throws away what was not yet
	 * delivered. For a client: a server's clients may await its reply before they close.
	 */
	bool lingers;
	bool lingering; /* all is sent */
	uint64_t limit_bytes; /* receive no more: FTP_OUTCOME_NO_SPACE; 0: no limit */
	struct stream stream; /* owned; none: nothing is under way */
	uint64_t required_mark; /* the TLS session that must be resumed; 0: any will do */
	struct text text; /* owned: what is to be sent, or the part of a file that is on its way */
	size_t text_sent;
	struct ftp_ascii_decoder decoder;
	size_t skip_bytes; /* of what is sent in TYPE A, at its beginning: REST may say so */
	uint64_t expected_bytes; /* how many there will be, as far as is known; 0: it is not */
	uint64_t bytes; /* moved over the connection so far */
	struct event event;
	struct event_base *base; /* borrowed */
	struct timeval patience; /* with a connection where nothing moves: TRANSFER_STALL_NS */
	short watched; /* what the event waits for */
	int watched_fd; /* and where: the stream's socket or the file */
};

void transfer_init(struct transfer *transfer, void (*ended)(void *owner, enum ftp_outcome outcome),
	void *owner);

/*
 * What is to be moved; for TRANSFER_SEND_TEXT the text is taken. `file_waits`, `lingers` and
 * `limit_bytes` may be set behind this and before transfer_start().
 */
void transfer_prepare_file(
	struct transfer *transfer, enum transfer_kind kind, int file, bool ascii);
void transfer_prepare_text(struct transfer *transfer, struct text *take_text);

/*
 * Send a file of TYPE I or a text of at most TRANSFER_SMALL_BYTES whole, over a connection in clear
 * text: the last packet of so little is also the connection's end. Returns true where that is done,
 * with `take_stream` closed and the owner not told. Else transfer_start() does it, or the rest.
 */
bool transfer_send_small(struct transfer *transfer, struct stream *take_stream);

/* Begin over `take_stream`, with its TLS handshake where that is still to be done. */
void transfer_start(
	struct transfer *transfer, struct event_base *base, const struct stream *take_stream);

/* What transfer->more asked for: `goes_on` as above. The text is taken. */
void transfer_more(struct transfer *transfer, struct text *take_text, bool goes_on);

/* End it with an outcome, within which the owner is told: what it asked for cannot be had. */
void transfer_end(struct transfer *transfer, enum ftp_outcome outcome);

/* End it, if any, without a word, and release what it holds. */
void transfer_stop(struct transfer *transfer);

#endif
