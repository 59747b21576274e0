/*
 * The lease store: one SQLite file that a person can query with `sqlite3` while the server runs.
 *
 *	leases		address, hardware_address, client_id (hexadecimal, NULL: none), state
 *			("bound", "declined", "idle": released), starts, ends (seconds since 1970,
 *			UTC; ends NULL: never). One row an address that was ever leased; a lease
 *			whose end has passed is over, whatever its state says.
 *	bindings	hardware_address, address: the configuration's, mirrored, for reading only
 *	leases_utc	a view of `leases` with times as text and `current` as yes or no
 *
 * Durable: WAL and synchronous=FULL, so that what lease_store_commit() confirmed survives a crash.
 * Times in struct dhcp_lease_record are nanoseconds of CLOCK_MONOTONIC; in the file they are UTC.
 */
#ifndef PROGRAMS_DHCP_LEASE_STORE_H
#define PROGRAMS_DHCP_LEASE_STORE_H

#include <stddef.h>

#include "base/error.h"
#include "dhcp/server.h"

struct lease_store;

/*
 * Open or create the file; NULL: a store in memory, gone with the process. A file that is no
 * database, or not one of leases, is refused and left as it is. Close with lease_store_close().
 */
int lease_store_open(const char *path, struct lease_store **ret_store, struct error *error);
void lease_store_close(struct lease_store **store);

/* Put all stored leases into `server`. ret_restored, ret_left: how many found a place, or none. */
int lease_store_load(struct lease_store *store, struct dhcp_server *server, size_t *ret_restored,
	size_t *ret_left, struct error *error);

/* Make the table `bindings` equal to these. */
int lease_store_mirror_bindings(struct lease_store *store, const struct dhcp_binding *bindings,
	size_t count, struct error *error);

/*
 * Write a lease. Begins a transaction where none is open: nothing is durable before
 * lease_store_commit(), which does nothing where none is open. After a failure of either all of the
 * transaction is undone.
 */
int lease_store_save(
	struct lease_store *store, const struct dhcp_lease_record *record, struct error *error);
int lease_store_commit(struct lease_store *store, struct error *error);

#endif
