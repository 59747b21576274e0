#include "programs/dhcp/lease_schema.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

/* In the file's header: tells our files from other people's databases. "DHCP". */
#define APPLICATION_ID 0x44484350

enum { SCHEMA_VERSION = 2 };

/* clang-format off */
const char lease_schema[] =
	"CREATE TABLE lease_rows (\n"
	"  -- The server's own form: numbers and bytes, for speed. People read `leases`.\n"
	"  address INTEGER PRIMARY KEY,     -- IPv4, as one number\n"
	"  state INTEGER NOT NULL,          -- 0 idle, 2 bound, 3 declined\n"
	"  starts INTEGER NOT NULL,         -- seconds since 1970, UTC\n"
	"  ends INTEGER,                    -- likewise; NULL: never\n"
	"  hardware BLOB NOT NULL,          -- the type (1: Ethernet), then the address\n"
	"  client_id BLOB,                  -- option 61, NULL: none\n"
	"  port BLOB,                       -- option 82's circuit identifier, or the interface\n"
	"  do_not_renew INTEGER NOT NULL    -- 1: the next renewal is refused\n"
	");\n"
	"CREATE VIEW leases AS\n"
	"  -- One row an address that was ever leased. A lease whose end has passed is over,\n"
	"  -- whatever its state says. client_id is hexadecimal; starts and ends are seconds since\n"
	"  -- 1970 (UTC), ends NULL: never.\n"
	"  SELECT (address >> 24) || '.' || (address >> 16 & 255) || '.' || (address >> 8 & 255)\n"
	"      || '.' || (address & 255) AS address,\n"
	"    CASE WHEN length(hardware) = 7 AND substr(hardware, 1, 1) = x'01' THEN\n"
	"      lower(hex(substr(hardware, 2, 1)) || ':' || hex(substr(hardware, 3, 1)) || ':'\n"
	"        || hex(substr(hardware, 4, 1)) || ':' || hex(substr(hardware, 5, 1)) || ':'\n"
	"        || hex(substr(hardware, 6, 1)) || ':' || hex(substr(hardware, 7, 1)))\n"
	"    WHEN length(hardware) = 1 THEN '-'\n"
	"    ELSE\n"
	"      CASE substr(hardware, 1, 1) WHEN x'01' THEN ''\n"
	"        ELSE lower(hex(substr(hardware, 1, 1))) || '-' END\n"
	"      || (WITH RECURSIVE bytes(at, text) AS (SELECT 2, '' UNION ALL\n"
	"            SELECT at + 1, text || ':' || lower(hex(substr(hardware, at, 1))) FROM bytes\n"
	"            WHERE at <= length(hardware))\n"
	"          SELECT substr(text, 2) FROM bytes ORDER BY at DESC LIMIT 1)\n"
	"    END AS hardware_address,\n"
	"    CASE WHEN length(client_id) THEN lower(hex(client_id)) END AS client_id,\n"
	"    CASE WHEN CAST(port AS TEXT) GLOB '*[^ -~]*' OR instr(port, x'00') THEN '0x' || lower(hex(port))\n"
	"      ELSE CAST(port AS TEXT) END AS port,\n"
	"    CASE state WHEN 0 THEN 'idle' WHEN 1 THEN 'offered' WHEN 2 THEN 'bound'\n"
	"      ELSE 'declined' END AS state,\n"
	"    starts, ends, do_not_renew, address AS number\n"
	"  FROM lease_rows;\n"
	"CREATE VIEW leases_utc AS\n"
	"  -- The same for the eye. current: somebody has the address now.\n"
	"  SELECT address, hardware_address, client_id, port, state,\n"
	"    datetime(starts, 'unixepoch') AS starts,\n"
	"    ifnull(datetime(ends, 'unixepoch'), 'never') AS ends,\n"
	"    CASE WHEN state = 'bound' AND ifnull(ends, 1e99) > CAST(strftime('%s', 'now') AS\n"
	"      INTEGER) THEN 'yes' ELSE 'no' END AS current,\n"
	"    CASE do_not_renew WHEN 0 THEN 'no' ELSE 'yes' END AS do_not_renew\n"
	"  FROM leases ORDER BY number;\n"
	"CREATE TABLE subnets (\n"
	"  -- Mirrored from the configuration, for reading: what is written here is overwritten.\n"
	"  subnet TEXT PRIMARY KEY,\n"
	"  lease INTEGER NOT NULL,          -- seconds, for a client without a wish\n"
	"  lease_least INTEGER NOT NULL,\n"
	"  lease_most INTEGER NOT NULL,     -- 4294967295: for ever\n"
	"  refuse_renewal INTEGER NOT NULL, -- 1: yes\n"
	"  bootp INTEGER NOT NULL,\n"
	"  rapid_commit INTEGER NOT NULL\n"
	");\n"
	"CREATE TABLE pools (\n"
	"  -- Mirrored from the configuration, for reading.\n"
	"  subnet TEXT NOT NULL,\n"
	"  first TEXT NOT NULL,\n"
	"  last TEXT NOT NULL\n"
	");\n"
	"CREATE TABLE options (\n"
	"  -- Mirrored from the configuration, for reading: what a subnet's clients are told.\n"
	"  subnet TEXT NOT NULL,\n"
	"  code INTEGER NOT NULL,\n"
	"  name TEXT NOT NULL,\n"
	"  value TEXT NOT NULL\n"
	");\n"
	"CREATE TABLE bindings (\n"
	"  -- Mirrored from the configuration, for reading. Either hardware_address or client_id\n"
	"  -- says whose the address is; lease 0: as long as the subnet's others.\n"
	"  address TEXT PRIMARY KEY,\n"
	"  hardware_address TEXT,\n"
	"  client_id TEXT,                  -- hexadecimal\n"
	"  lease INTEGER NOT NULL,\n"
	"  options TEXT NOT NULL            -- NAME=VALUE, separated by spaces\n"
	");\n";
/* clang-format on */

void lease_schema_finalize(sqlite3_stmt **statement)
{
	sqlite3_finalize(*statement);
}

int lease_schema_error(sqlite3 *database, const char *what, struct error *error)
{
	static const struct {
		int sqlite, code;
		const char *words;
	} known[] = {
		{SQLITE_FULL, -ENOSPC, "the disk is full"},
		{SQLITE_BUSY, -EBUSY, "somebody holds it locked for writing"},
		{SQLITE_NOTADB, -EINVAL, "it is no SQLite database"},
		{SQLITE_READONLY, -EROFS, "it can be read, but not written"},
		{SQLITE_CORRUPT, -EUCLEAN, "it is damaged"},
		{SQLITE_CANTOPEN, -EACCES,
			"it, or a file beside it (-wal, -shm), cannot be opened"},
	};
	int code = database ? sqlite3_errcode(database) : SQLITE_NOMEM;
	for (size_t i = 0; i < ARRAY_LENGTH(known); i++)
		if (known[i].sqlite == code)
			return error_set(error, known[i].code, "%s: %s", what, known[i].words);
	return error_set(error, -EIO, "%s: %s", what,
		database ? sqlite3_errmsg(database) : sqlite3_errstr(code));
}

int lease_schema_run(
	sqlite3 *database, const char *statements, const char *what, struct error *error)
{
	if (sqlite3_exec(database, statements, NULL, NULL, NULL) != SQLITE_OK)
		return lease_schema_error(database, what, error);
	return 0;
}

/* One number, as `PRAGMA application_id` answers it. */
static int read_number(sqlite3 *database, const char *text, int *ret_number, struct error *error)
{
	CLEANUP(lease_schema_finalize) sqlite3_stmt *statement = NULL;
	if (sqlite3_prepare_v2(database, text, -1, &statement, NULL) != SQLITE_OK ||
		sqlite3_step(statement) != SQLITE_ROW)
		return lease_schema_error(database, "cannot read it", error);
	*ret_number = sqlite3_column_int(statement, 0);
	return 0;
}

static int check_pages(sqlite3 *database, struct error *error)
{
	CLEANUP(lease_schema_finalize) sqlite3_stmt *statement = NULL;
	const char *found = NULL;
	if (sqlite3_prepare_v2(database, "PRAGMA quick_check(1)", -1, &statement, NULL) !=
			SQLITE_OK ||
		sqlite3_step(statement) != SQLITE_ROW)
		return lease_schema_error(database, "cannot check it", error);
	found = (const char *)sqlite3_column_text(statement, 0);
	if (found && strcmp(found, "ok") == 0)
		return 0;
	/* "*** in database main ***" stands in a line before what was found. */
	const char *line = found ? strrchr(found, '\n') : NULL;
	found = line ? line + 1 : found;
	return error_set(error, -EUCLEAN,
		"it is damaged (%s); `sqlite3 FILE .recover` saves what is left of it",
		found ? found : "unreadable");
}

static int create(sqlite3 *database, struct error *error)
{
	char marks[128];
	snprintf(marks, sizeof(marks),
		"PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT", APPLICATION_ID,
		SCHEMA_VERSION);
	static const char what[] = "cannot create it";
	int status = lease_schema_run(database, "BEGIN IMMEDIATE", what, error);
	if (status == 0)
		status = lease_schema_run(database, lease_schema, what, error);
	return status < 0 ? status : lease_schema_run(database, marks, what, error);
}

int lease_schema_claim(sqlite3 *database, struct error *error)
{
	int id, version, tables;
	if (read_number(database, "PRAGMA application_id", &id, error) < 0 ||
		read_number(database, "PRAGMA user_version", &version, error) < 0 ||
		read_number(database, "SELECT count(*) FROM sqlite_schema", &tables, error) < 0)
		return error->code;
	if (id == 0 && tables == 0)
		return create(database, error);
	if (id != APPLICATION_ID)
		return error_set(error, -EINVAL, "it is a database of something else");
	if (version != SCHEMA_VERSION)
		return error_set(error, -EINVAL,
			"its schema is version %d, written by another dhcp-server; this one knows "
			"version %d: move the file away to begin anew",
			version, SCHEMA_VERSION);
	return check_pages(database, error);
}
