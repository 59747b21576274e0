/*
 * The server as a whole: its listening socket, the accounts, the waiting line, and one `struct
 * guest` for each client that is connected, of the kind that speaks the service's protocol. The
 * service owns the guests by a list; each guest owns its sockets and files. All runs in one event
 * loop.
 */
#ifndef PROGRAMS_FTP_SERVICE_H
#define PROGRAMS_FTP_SERVICE_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "ftp/hosts.h"
#include "ftp/line.h"
#include "ftp/port.h"
#include "ftp/session.h"
#include "programs/ftp/accounts.h"
#include "programs/ftp/data.h"
#include "programs/ftp/diary.h"
#include "programs/ftp/guesses.h"
#include "programs/ftp/guest.h"
#include "programs/ftp/tls.h"
#include "programs/ftp/transfer_log.h"
#include "programs/ftp/worker.h"

/* Since the start. */
struct service_counters {
	uint64_t arrivals, refused, refused_for_address, gave_up_waiting;
	uint64_t logins, uploads, downloads, listings, failed_transfers;
	uint64_t bytes_in, bytes_out;
};

struct service {
	struct event_base *base; /* borrowed */
	const struct guest_kind *kind; /* of all its clients: the protocol */
	struct accounts *accounts; /* held: who may log in from now on */
	struct worker *checker, *worker; /* borrowed: of passwords; of files */
	struct ftp_session_settings session_settings;
	struct tls *tls; /* borrowed; NULL: none can be had */
	bool tls_reuse; /* data connections must resume their control connection's session */
	struct data_ports ports; /* of passive data connections */
	uint64_t connect_ns; /* a data connection may take so long to come about */
	uint64_t stall_ns; /* a transfer may stand still for so long */
	uint64_t per_address; /* connections; 0: no limit */
	struct ftp_hosts hosts;
	struct transfer_log log;
	struct diary diary;
	struct service_counters counters;
	uint64_t began_ns;
	bool keeps; /* cut-off uploads, to be gone on with */
	struct guesses guesses;
	struct ftp_line line;
	struct guest *guests; /* owned, a list */
	size_t guest_count;
	int listener; /* owned */
	struct event accept_event;
	struct event pause_event; /* while no descriptor is left */
	struct event line_event; /* someone left: look whose turn it is */
	struct event places_event; /* those far behind are told their places now and then */
	struct event end_event;
	bool ending;
	/* Every step of every session writes here: steps never nest. */
	struct ftp_actions actions;
};

/*
 * `service` is zeroed but for its settings. take_listener: a non-blocking listening socket.
 * seed: not to be guessed by a peer.
 */
void service_init(
	struct service *service, struct event_base *base, int take_listener, uint64_t seed);

/* Begin to accept. */
void service_start(struct service *service);

/* End: tell every client, and leave the loop when all are gone or after a moment. */
void service_end(struct service *service);

/* Release everything. */
void service_finish(struct service *service);

/*
 * From a kind's `create`: take notice of a guest that is zeroed, and put its socket in order. False
 * where memory is gone or the client is.
 */
bool service_admit(struct service *service, struct guest *guest, int fd, struct endpoint *ret_peer);

/*
 * From a guest that is over, or will be when it has said its last: its place, and its address's,
 * are another's from now on. May be called again.
 */
void service_part(struct service *service, struct guest *guest);

/* From a kind's `destroy`: it is gone. */
void service_forget(struct service *service, struct guest *guest);

#endif
