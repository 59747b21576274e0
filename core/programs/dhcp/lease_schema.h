/* The schema of the lease database, and what a file must be before it is taken for one. */
#ifndef PROGRAMS_DHCP_LEASE_SCHEMA_H
#define PROGRAMS_DHCP_LEASE_SCHEMA_H

#include <sqlite3.h>

#include "base/error.h"

/*
 * The tables and views, as SQL with comments that SQLite keeps in the file: `.schema` of the
 * `sqlite3` command shows them.
 */
extern const char lease_schema[];

/*
 * Make the schema in an empty database; refuse one that is somebody else's, of another version, or
 * damaged (`PRAGMA quick_check`: some 0.2 s for a million leases).
 */
int lease_schema_claim(sqlite3 *database, struct error *error);

/* SQLite's last error as one of ours: "WHAT: its words". Returns the code. */
int lease_schema_error(sqlite3 *database, const char *what, struct error *error);

/* Run statements without a result. */
int lease_schema_run(
	sqlite3 *database, const char *statements, const char *what, struct error *error);

/* For CLEANUP(lease_schema_finalize). */
void lease_schema_finalize(sqlite3_stmt **statement);

#endif
