#include "programs/dhcp/lease_load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "programs/dhcp/lease_schema.h"

enum { ADDRESS, STATE, STARTS, ENDS, DO_NOT_RENEW, HARDWARE, CLIENT_ID, PORT };

static const char text[] = "SELECT address, state, starts, ends, do_not_renew, hardware, client_id,"
			   " port FROM lease_rows";

void lease_rows_finish(struct lease_rows *rows)
{
	free(rows->list);
	free(rows->bytes);
	*rows = (struct lease_rows){0};
}

/* Room for the bytes of one more row, however long. */
static bool make_room(struct lease_rows *rows)
{
	enum { ROW_MAX = 1 + DHCP_CHADDR_SIZE + DHCP_CLIENT_ID_MAX + DHCP_PORT_MAX };
	if (rows->bytes_size - rows->bytes_length >= ROW_MAX)
		return true;
	size_t size = rows->bytes_size ? 2 * rows->bytes_size : 4096;
	uint8_t *bytes = realloc(rows->bytes, size);
	if (!bytes)
		return false;
	rows->bytes = bytes;
	rows->bytes_size = size;
	return true;
}

static bool take_bytes(struct lease_rows *rows, sqlite3_stmt *statement, int column, size_t most,
	uint8_t *ret_length)
{
	const void *blob = sqlite3_column_blob(statement, column);
	size_t length = (size_t)sqlite3_column_bytes(statement, column);
	if (length > most)
		return false;
	if (length)
		memcpy(rows->bytes + rows->bytes_length, blob, length);
	rows->bytes_length += length;
	*ret_length = (uint8_t)length;
	return true;
}

/* False where it is no lease. */
static bool read_row(struct lease_rows *rows, sqlite3_stmt *statement, struct lease_row *row)
{
	int64_t address = sqlite3_column_int64(statement, ADDRESS);
	int state = sqlite3_column_int(statement, STATE);
	bool never = sqlite3_column_type(statement, ENDS) == SQLITE_NULL;
	*row = (struct lease_row){
		.starts = sqlite3_column_int64(statement, STARTS),
		.ends = never ? LEASE_LOAD_NEVER : sqlite3_column_int64(statement, ENDS),
		.bytes = rows->bytes_length,
		.address = (uint32_t)address,
		.state = (uint8_t)state,
		.refuse_renewal = sqlite3_column_int(statement, DO_NOT_RENEW) != 0,
	};
	return address > 0 && address <= UINT32_MAX && state >= DHCP_LEASE_IDLE &&
	       state <= DHCP_LEASE_DECLINED &&
	       take_bytes(rows, statement, HARDWARE, 1 + DHCP_CHADDR_SIZE, &row->hardware_length) &&
	       row->hardware_length > 0 &&
	       take_bytes(rows, statement, CLIENT_ID, DHCP_CLIENT_ID_MAX, &row->client_id_length) &&
	       take_bytes(rows, statement, PORT, DHCP_PORT_MAX, &row->port_length);
}

static int compare_rows(const void *a, const void *b)
{
	const struct lease_row *left = a, *right = b;
	if (left->ends != right->ends)
		return left->ends < right->ends ? -1 : 1;
	if (left->starts != right->starts)
		return left->starts < right->starts ? -1 : 1;
	return (left->address > right->address) - (left->address < right->address);
}

int lease_rows_read(sqlite3 *database, struct lease_rows *ret_rows, struct error *error)
{
	CLEANUP(lease_schema_finalize) sqlite3_stmt *statement = NULL;
	CLEANUP(lease_rows_finish) struct lease_rows rows = {0};
	int step;
	if (sqlite3_prepare_v2(database, text, -1, &statement, NULL) != SQLITE_OK)
		return lease_schema_error(database, "cannot read the leases", error);
	while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
		size_t before = rows.bytes_length;
		struct lease_row *row =
			make_room(&rows) ? array_add(&rows.list, &rows.count) : NULL;
		if (!row)
			return error_set(error, -ENOMEM, "out of memory");
		if (read_row(&rows, statement, row))
			continue;
		rows.bytes_length = before;
		rows.count--;
		rows.unreadable++;
	}
	if (step != SQLITE_DONE)
		return lease_schema_error(database, "cannot read the leases", error);
	if (rows.count)
		qsort(rows.list, rows.count, sizeof(*rows.list), compare_rows);
	*ret_rows = rows;
	rows = (struct lease_rows){0};
	return 0;
}

void lease_row_describe(const struct lease_rows *rows, const struct lease_row *row,
	struct dhcp_lease_record *ret_record)
{
	const uint8_t *hardware = rows->bytes + row->bytes;
	const uint8_t *client_id = hardware + row->hardware_length;
	/* Byte arrays beyond their lengths stay as they are. */
	ret_record->address = (struct ipv4){row->address};
	ret_record->state = (enum dhcp_lease_state)row->state;
	ret_record->refuse_renewal = row->refuse_renewal;
	ret_record->hardware = (struct dhcp_hardware){
		.type = hardware[0],
		.length = (uint8_t)(row->hardware_length - 1),
	};
	memcpy(ret_record->hardware.bytes, hardware + 1, row->hardware_length - 1U);
	memcpy(ret_record->client_id, client_id, row->client_id_length);
	ret_record->client_id_length = row->client_id_length;
	memcpy(ret_record->port, client_id + row->client_id_length, row->port_length);
	ret_record->port_length = row->port_length;
}
