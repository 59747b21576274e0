/*
 * The stored leases in the order in which they are put back. They are read in the file's own order
 * and sorted here: SQLite's sorter carries whole rows and takes three times as long for a million.
 */
#ifndef PROGRAMS_DHCP_LEASE_LOAD_H
#define PROGRAMS_DHCP_LEASE_LOAD_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "dhcp/pool.h"

#define LEASE_LOAD_NEVER INT64_MAX /* ends of a lease without an end */

/* A row as it is stored; times in seconds since 1970. `bytes`: hardware, client_id, port. */
struct lease_row {
	int64_t starts, ends;
	size_t bytes; /* where they begin in lease_rows.bytes */
	uint32_t address;
	uint8_t state;
	bool refuse_renewal;
	uint8_t hardware_length, client_id_length, port_length;
};

/* `= {0}` is none. Release with lease_rows_finish(). */
struct lease_rows {
	struct lease_row *list; /* owned; earliest end first */
	size_t count;
	size_t unreadable; /* rows that are no lease */
	uint8_t *bytes; /* owned */
	size_t bytes_length, bytes_size;
};

int lease_rows_read(sqlite3 *database, struct lease_rows *ret_rows, struct error *error);
void lease_rows_finish(struct lease_rows *rows);

/* Everything of the record but its times. */
void lease_row_describe(const struct lease_rows *rows, const struct lease_row *row,
	struct dhcp_lease_record *ret_record);

#endif
