/*
 * A client of the server, as the service sees it, whatever protocol it speaks: it arrives, is
 * served or waits in line, and leaves. A `struct guest` is the first member of what its kind makes
 * of it (control.h, text_guest.h), which the service owns by a list and never looks into.
 *
 * A guest never goes away under its caller's feet: what the service calls of its kind, but for
 * `destroy`, only marks it where it is over.
 */
#ifndef PROGRAMS_FTP_GUEST_H
#define PROGRAMS_FTP_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/endpoint.h"
#include "ftp/hosts.h"
#include "ftp/line.h"

struct guest;
struct service;

/* What an operator is told of one that is served. */
struct guest_view {
	const char *user; /* NULL: not logged in, or nobody in particular */
	const char *state;
	bool secure;
	const char *command; /* of the transfer that moves; NULL: none does */
	const char *path; /* it is of; NULL: of none */
	uint64_t began_ns, bytes; /* it, so far */
};

struct guest_kind {
	const char *protocol; /* "ftp", "text" */

	/* NULL, with the descriptor closed, where memory is gone or the client is gone already. */
	struct guest *(*create)(struct service *service, int take_fd);

	/* Released, and out of the service's list and line. */
	void (*destroy)(struct guest *guest);

	/* It is served from now on. arrives: at once, and did not wait in line. */
	void (*turn)(struct guest *guest, bool arrives);

	/* It waits in line, at a place that is news: `guest->place` is the one it knew before. */
	void (*place)(struct guest *guest, size_t place);

	/* There is no place, or not for one more from its address. */
	void (*refuse)(struct guest *guest, bool for_address);

	/* The server ends. */
	void (*shutdown)(struct guest *guest);

	/* The texts are borrowed until the guest's next event. */
	void (*view)(const struct guest *guest, struct guest_view *ret_view);
};

struct guest {
	const struct guest_kind *kind;
	struct guest *next, *previous; /* the service's list */
	struct ftp_line_member member;
	size_t place; /* in line, as last told; 0: not in line */
	struct ftp_host *host; /* its address, counted; NULL once it leaves */
	char name[ENDPOINT_TEXT_SIZE]; /* its address and port, for the log */
	uint64_t arrived_ns;
};

#endif
