/*
 * What SQLite silently leaves out of a write-ahead log when it opens one: frames behind the last
 * whole transaction (https://www.sqlite.org/fileformat2.html#the_write_ahead_log).
 */
#ifndef PROGRAMS_DHCP_LEASE_WAL_H
#define PROGRAMS_DHCP_LEASE_WAL_H

#include <stdint.h>

#include "base/error.h"

/*
 * How many bytes of the log `path` (the database's name and "-wal") belong to its present round but
 * to no whole transaction: 0 where all is well, or there is no log. A log whose header is damaged
 * is lost whole. Read it before the database is opened.
 */
int lease_wal_dropped(const char *path, uint64_t *ret_bytes, struct error *error);

#endif
