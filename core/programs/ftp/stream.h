/*
 * A connected, non-blocking TCP socket, in clear text or inside TLS: the one place where the two
 * differ. `= STREAM_NONE` is none.
 */
#ifndef PROGRAMS_FTP_STREAM_H
#define PROGRAMS_FTP_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "programs/ftp/tls.h"

struct stream {
	int fd; /* owned; -1: none */
	struct ssl_st *tls; /* owned; NULL: clear text */
	bool shaking; /* the handshake is under way */
	bool broken; /* after a TLS error: nothing may be said any more */
};

#define STREAM_NONE ((struct stream){.fd = -1})

/* What a connection in TLS begins with. */
struct stream_setup {
	struct tls *tls;
	/* A server's: the control connection's number, not to be guessed and not 0. */
	uint64_t mark;
	/*
	 * A server's, for a data connection: no tickets. A client that only sends would leave them
	 * unread, and its close would be a reset, which throws away what it had sent last.
	 */
	bool no_tickets;
	/* A client's: whose certificate it is to be, a name or an address; NULL: any. */
	const char *host;
	/* A client's, for a data connection: the control connection, whose session is resumed. */
	const struct stream *resumed;
};

/* Begin TLS; the handshake goes on by stream_shake(). Fails where memory is gone. */
int stream_secure(struct stream *stream, const struct stream_setup *setup, struct error *error);

/* What a call came to that could not go on: wait, or it is over. */
enum stream_wait {
	STREAM_READY,
	STREAM_WANTS_READ,
	STREAM_WANTS_WRITE,
	STREAM_ENDED,
	STREAM_FAILED
};

/* Go on with the handshake: READY when it is done. FAILED comes with a sentence. */
enum stream_wait stream_shake(struct stream *stream, struct error *error);

/* Whether this data connection resumed the session of the control connection with that mark. */
bool stream_resumes(const struct stream *stream, uint64_t mark);

/*
 * Receive or send some. Returns the bytes, or 0 with the reason in ret_wait. STREAM_ENDED: the
 * other side has ended it properly; inside TLS a bare end of the connection is STREAM_FAILED, with
 * errno ECONNRESET, as anybody could have cut it there.
 */
size_t stream_receive(struct stream *stream, void *bytes, size_t size, enum stream_wait *ret_wait);
size_t stream_send(
	struct stream *stream, const void *bytes, size_t length, enum stream_wait *ret_wait);

/* Received bytes that wait in memory: the socket will not tell of them. */
bool stream_holds(const struct stream *stream);

/* Say that nothing more comes from us. */
void stream_end(struct stream *stream);

/* Release everything; inside TLS a proper end is said first where that is possible. */
void stream_close(struct stream *stream);

#endif
