/*
 * The lease store: one SQLite file that a person can query with `sqlite3` while the server runs.
 * For people, views and mirrored tables (lease_schema.h has all of the schema, the file itself the
 * same in its comments):
 *
 *	leases		address, hardware_address, client_id (hexadecimal, NULL: none), port
 *			(NULL: none), state ("bound", "declined", "idle": over), starts, ends (seconds
 *			since 1970, UTC; ends NULL: never), do_not_renew (0, 1). One row an address
 *			that was ever leased; a lease whose end has passed is over, whatever its state
 *			says.
 *	leases_utc	the same with times as text and `current` as yes or no
 *	bindings, subnets, pools, options
 *			the configuration's, mirrored for reading at start and at each reload
 *
 * Durable: WAL and synchronous=FULL, so that what lease_store_commit() confirmed survives a crash.
 * A person's reading never holds the server up. A person's write lock does, for a bounded time:
 * then saving fails, and the server withholds its answers until the lock is gone.
 *
 * Times in struct dhcp_lease_record are nanoseconds of the machine's clock, which never jumps; in
 * the file they are UTC, which may. lease_store_set_clock() says what is between the two.
 */
#ifndef PROGRAMS_DHCP_LEASE_STORE_H
#define PROGRAMS_DHCP_LEASE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "dhcp/pool.h"
#include "dhcp/settings.h"
#include "programs/dhcp/lease_wal.h"

struct lease_store;

/*
 * Open or create the file; NULL: no file, everything below succeeds and nothing is kept. Refused,
 * and left as they are: what is no database, or not one of leases; a damaged one; one that another
 * server has open (in whatever network namespace); one that cannot be written. Close with
 * lease_store_close().
 */
int lease_store_open(const char *path, struct lease_store **ret_store, struct error *error);
void lease_store_close(struct lease_store **store);

/*
 * What was at the end of the write-ahead log and no whole transaction when the file was opened, and
 * so was dropped: see lease_wal.h. After a crash that is what was being written, and no client had
 * heard of it.
 */
const struct lease_wal_loss *lease_store_dropped(const struct lease_store *store);

/*
 * UTC minus the machine's clock, in nanoseconds: before lease_store_load(), then once a wake-up
 * with no transaction open. When it has changed by more than a second UTC has jumped, and all
 * stored times are moved with it. Returns 1 then, else 0. On failure the next call tries again.
 */
int lease_store_set_clock(struct lease_store *store, int64_t utc_less_ns, struct error *error);

struct lease_store_load {
	/* Put a stored lease into `machine`; false where it has no place there. */
	bool (*restore)(void *machine, const struct dhcp_lease_record *record);
	void *machine;
	uint64_t now_ns; /* of the machine's clock */
	/* Filled in: how many found a place, found none, could not be understood. */
	size_t restored, left, unreadable;
};

/*
 * All stored leases, earliest end first. Where one starts in the future (UTC went back while no
 * server ran) it is taken to start now: it is never longer than it was.
 */
int lease_store_load(struct lease_store *store, struct lease_store_load *load, struct error *error);

/*
 * Make the tables `subnets`, `pools`, `options` and `bindings` equal to the settings: at start and
 * after each reload, with no transaction open.
 */
int lease_store_mirror(struct lease_store *store, const struct dhcp_server_settings *settings,
	struct error *error);

/*
 * Write a lease. Begins a transaction where none is open: nothing is durable before
 * lease_store_commit(), which does nothing where none is open. After a failure of either all of the
 * transaction is undone.
 */
int lease_store_save(
	struct lease_store *store, const struct dhcp_lease_record *record, struct error *error);
int lease_store_commit(struct lease_store *store, struct error *error);

/*
 * Copy the write-ahead log into the database proper, where it has grown enough to be worth it or,
 * with `idle`, where there is something in it. Call it when nobody waits for an answer. Takes
 * milliseconds. Fails where that could not be written, or where the log cannot shrink because
 * somebody has been reading for long (-EBUSY; told once each time that it doubles).
 */
int lease_store_tidy(struct lease_store *store, bool idle, struct error *error);

#endif
