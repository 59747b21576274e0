/*
 * What SQLite silently leaves out of a write-ahead log when it opens one: frames behind the last
 * whole transaction (https://www.sqlite.org/fileformat2.html#the_write_ahead_log).
 */
#ifndef PROGRAMS_DHCP_LEASE_WAL_H
#define PROGRAMS_DHCP_LEASE_WAL_H

#include <stdint.h>

#include "base/error.h"

struct lease_wal_loss {
	uint64_t bytes; /* of the log's present round that belong to no whole transaction */
	/*
	 * How many transactions ended in them. Each is synced before the next one begins, so a crash
	 * tears one at most; where there are more the disk has lost what it had confirmed.
	 */
	unsigned transactions;
};

/*
 * What of the log `path` (the database's name and "-wal") SQLite will leave out: nothing where all
 * is well, or there is no log. A log whose header is damaged is lost whole. Ask before the database
 * is opened.
 */
int lease_wal_inspect(const char *path, struct lease_wal_loss *ret_loss, struct error *error);

#endif
