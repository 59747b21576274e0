/*
 * One client of the server: the edge around a `struct ftp_session`. It owns the control connection,
 * the lines that wait in its buffer, the bytes that are not yet sent, the data connection and what
 * is moved over it. It reads the clock, steps the session, does the actions in order, and steps it
 * again with their answers.
 *
 * A control never goes away under its caller's feet: what ends it marks it, and it is destroyed at
 * the end of the event that is being handled, or by the event that control_settle_later() brings.
 */
#ifndef PROGRAMS_FTP_CONTROL_H
#define PROGRAMS_FTP_CONTROL_H

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "ftp/input.h"
#include "ftp/session.h"
#include "programs/ftp/accounts.h"
#include "programs/ftp/alarm.h"
#include "programs/ftp/data.h"
#include "programs/ftp/guest.h"
#include "programs/ftp/transfer.h"

struct service;
struct control_job;

struct control {
	struct guest guest; /* first: the service's view of it */
	struct service *service; /* borrowed */
	struct ftp_session session;
	struct endpoint local; /* our end; family 0: not asked for yet */
	uint64_t began_ns; /* the transfer that is under way */
	bool moving; /* one is under way: it is to be counted */

	struct stream stream; /* owned: the control connection */
	uint64_t mark; /* of its TLS, for the data connections that belong to it; 0: no TLS */
	struct event read_event, write_event;
	struct event gone_event; /* the client closed while we do not read */
	bool reads; /* read_event is set, not gone_event */
	struct alarm alarm; /* for the session's deadline and for lingering */
	uint64_t linger_ns; /* when a client that was told to go is given up */
	struct ftp_input input;
	struct text output; /* replies the socket did not take yet */
	size_t output_sent;
	bool gone; /* it has closed its end; what it had sent may be unread still */
	bool peer_ended; /* nothing more will come from it */
	bool closing; /* what is unsent is sent, then it ends */
	bool dead; /* nothing is to be sent any more */

	struct accounts *accounts; /* held while logged in; NULL before */
	const struct account *account; /* of those */
	struct control_job *job; /* under way in a thread, or being held back; NULL: none */
	struct text lines; /* what STAT shows of a path, until it is sent */

	struct data data;
	struct transfer transfer;
	int source; /* owned: the file being sent, -1 */
	struct store_sink sink; /* owned: the file being received */
	struct store_list *listing; /* owned: what goes on behind the piece being sent, or NULL */
	uint64_t port_ns; /* when the passive port was told; 0: none is waited for */
	bool sleeps; /* it is one of those of control_hold() */
	bool held; /* the answer about `port` is held back; see control_hold() */
	struct endpoint port;
	struct event held_event;
	struct event upload_event; /* the grace between the end of the data and the file's name */
};

/* Those of a service that speaks FTP. */
extern const struct guest_kind control_kind;

#endif
