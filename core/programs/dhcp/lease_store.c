#include "programs/dhcp/lease_store.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"

/* In the file's header: tells our files from other people's databases. "DHCP". */
#define APPLICATION_ID	      0x44484350
#define SCHEMA_VERSION	      1
#define TEXT_OF(number)	      TEXT_OF_VALUE(number)
#define TEXT_OF_VALUE(number) #number

enum { BUSY_MS = 1000, CLIENT_ID_TEXT_SIZE = 2 * DHCP_CLIENT_ID_MAX + 1 };

struct lease_store {
	sqlite3 *database;
	sqlite3_stmt *save;
	bool open; /* a transaction is */
	bool failed; /* and something in it could not be written */
};

static const char schema[] =
	"BEGIN IMMEDIATE;"
	"CREATE TABLE leases ("
	" address TEXT PRIMARY KEY,"
	" hardware_address TEXT NOT NULL,"
	" client_id TEXT,"
	" state TEXT NOT NULL,"
	" starts INTEGER NOT NULL,"
	" ends INTEGER"
	") WITHOUT ROWID;"
	"CREATE TABLE bindings ("
	" hardware_address TEXT PRIMARY KEY,"
	" address TEXT NOT NULL UNIQUE"
	") WITHOUT ROWID;"
	"CREATE VIEW leases_utc AS SELECT address, hardware_address, client_id, state,"
	" datetime(starts, 'unixepoch') AS starts,"
	" ifnull(datetime(ends, 'unixepoch'), 'never') AS ends,"
	" CASE WHEN state = 'bound' AND ifnull(ends, 1e99) > CAST(strftime('%s', 'now') AS"
	" INTEGER) THEN 'yes' ELSE 'no' END AS current FROM leases;"
	"PRAGMA application_id = " TEXT_OF(APPLICATION_ID) ";"
							   "PRAGMA user_version = " TEXT_OF(
								   SCHEMA_VERSION) ";"
										   "COMMIT;";

static const char save_text[] =
	"INSERT OR REPLACE INTO leases (address, hardware_address, client_id, state, starts, ends)"
	" VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

static void finalize_statement(sqlite3_stmt **statement)
{
	sqlite3_finalize(*statement);
}

static int store_error(struct lease_store *store, const char *what, struct error *error)
{
	int code = store->database ? sqlite3_errcode(store->database) : SQLITE_NOMEM;
	const char *why = store->database ? sqlite3_errmsg(store->database) : sqlite3_errstr(code);
	return error_set(error, code == SQLITE_FULL ? -ENOSPC : -EIO, "%s: %s", what, why);
}

static int store_run(
	struct lease_store *store, const char *text, const char *what, struct error *error)
{
	if (sqlite3_exec(store->database, text, NULL, NULL, NULL) != SQLITE_OK)
		return store_error(store, what, error);
	return 0;
}

static int store_prepare(struct lease_store *store, const char *text, sqlite3_stmt **ret_statement,
	struct error *error)
{
	if (sqlite3_prepare_v2(store->database, text, -1, ret_statement, NULL) != SQLITE_OK)
		return store_error(store, "cannot read the lease database", error);
	return 0;
}

/* One number, as `PRAGMA application_id` answers it. */
static int store_number(
	struct lease_store *store, const char *text, int *ret_number, struct error *error)
{
	CLEANUP(finalize_statement) sqlite3_stmt *statement = NULL;
	int status = store_prepare(store, text, &statement, error);
	if (status < 0)
		return status;
	if (sqlite3_step(statement) != SQLITE_ROW)
		return store_error(store, "cannot read the lease database", error);
	*ret_number = sqlite3_column_int(statement, 0);
	return 0;
}

/* Make the tables in an empty database; refuse one that is somebody else's, or from later on. */
static int store_claim(struct lease_store *store, struct error *error)
{
	int id, version, tables;
	if (store_number(store, "PRAGMA application_id", &id, error) < 0 ||
		store_number(store, "PRAGMA user_version", &version, error) < 0 ||
		store_number(store, "SELECT count(*) FROM sqlite_schema", &tables, error) < 0)
		return error->code;
	if (id == 0 && tables == 0)
		return store_run(store, schema, "cannot create the lease database", error);
	if (id != APPLICATION_ID)
		return error_set(error, -EINVAL, "it is a database of something else");
	if (version != SCHEMA_VERSION)
		return error_set(error, -EINVAL, "its schema is version %d, we know %d", version,
			SCHEMA_VERSION);
	return 0;
}

static int store_setup(struct lease_store *store, const char *path, struct error *error)
{
	/* SQLite makes the file only when something is written: a faulty one stays as it is. */
	if (sqlite3_open_v2(path ? path : ":memory:", &store->database,
		    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) != SQLITE_OK)
		return store_error(store, "cannot open it", error);
	sqlite3_busy_timeout(store->database, BUSY_MS);
	int status = store_claim(store, error);
	if (status == 0)
		status = store_run(store, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL",
			"cannot use a write-ahead log", error);
	return status < 0 ? status : store_prepare(store, save_text, &store->save, error);
}

int lease_store_open(const char *path, struct lease_store **ret_store, struct error *error)
{
	CLEANUP(lease_store_close) struct lease_store *store = calloc(1, sizeof(*store));
	if (!store)
		return error_set(error, -ENOMEM, "out of memory");
	int status = store_setup(store, path, error);
	if (status < 0)
		return error_prefix(error, "the lease database '%s': ", path ? path : "in memory");
	*ret_store = TAKE(store);
	return 0;
}

void lease_store_close(struct lease_store **store)
{
	if (!*store)
		return;
	sqlite3_finalize((*store)->save);
	sqlite3_close((*store)->database);
	free(*store);
	*store = NULL;
}

/* The two clocks at one moment, to turn a time of the one into the other's. */
struct clocks {
	uint64_t monotonic_ns, utc_ns;
};

static struct clocks clocks_read(void)
{
	return (struct clocks){clock_monotonic_ns(), clock_realtime_ns()};
}

/* Rounded up: a lease must not look shorter in the file than its client was told. */
static int64_t utc_seconds(const struct clocks *clocks, uint64_t monotonic_ns)
{
	uint64_t utc_ns = clocks->utc_ns + monotonic_ns - clocks->monotonic_ns;
	return (int64_t)((utc_ns + NS_PER_SECOND - 1) / NS_PER_SECOND);
}

/* What lies before the machine's start, or makes no sense, is the clock's zero: long over. */
static uint64_t monotonic_ns(const struct clocks *clocks, int64_t seconds)
{
	uint64_t utc_ns;
	if (seconds < 0 || __builtin_mul_overflow((uint64_t)seconds, NS_PER_SECOND, &utc_ns))
		return 0;
	if (utc_ns < clocks->utc_ns - clocks->monotonic_ns)
		return 0;
	return utc_ns - (clocks->utc_ns - clocks->monotonic_ns);
}

static const char *column_text(sqlite3_stmt *row, int column)
{
	const char *text = (const char *)sqlite3_column_text(row, column);
	return text ? text : "";
}

static bool parse_hex(const char *text, uint8_t *bytes, size_t size, size_t *ret_length)
{
	size_t length = strlen(text) / 2;
	if (strlen(text) % 2 || length > size)
		return false;
	for (size_t i = 0; i < length; i++) {
		char pair[] = {text[2 * i], text[2 * i + 1], '\0'}, *end;
		bytes[i] = (uint8_t)strtoul(pair, &end, 16);
		if (*end)
			return false;
	}
	*ret_length = length;
	return true;
}

static bool read_record(
	sqlite3_stmt *row, const struct clocks *clocks, struct dhcp_lease_record *record)
{
	*record = (struct dhcp_lease_record){.ends_ns = DHCP_NEVER};
	record->starts_ns = monotonic_ns(clocks, sqlite3_column_int64(row, 4));
	if (sqlite3_column_type(row, 5) != SQLITE_NULL)
		record->ends_ns = monotonic_ns(clocks, sqlite3_column_int64(row, 5));
	return ipv4_parse(column_text(row, 0), &record->address) &&
	       dhcp_hardware_parse(column_text(row, 1), &record->hardware) &&
	       parse_hex(column_text(row, 2), record->client_id, sizeof(record->client_id),
		       &record->client_id_length) &&
	       dhcp_lease_state_parse(column_text(row, 3), &record->state);
}

int lease_store_load(struct lease_store *store, struct dhcp_server *server, size_t *ret_restored,
	size_t *ret_left, struct error *error)
{
	static const char text[] =
		"SELECT address, hardware_address, client_id, state, starts, ends FROM leases"
		" ORDER BY ends IS NULL, ends, starts";
	CLEANUP(finalize_statement) sqlite3_stmt *row = NULL;
	int status = store_prepare(store, text, &row, error);
	if (status < 0)
		return status;
	struct clocks clocks = clocks_read();
	size_t restored = 0, left = 0;
	int step;
	while ((step = sqlite3_step(row)) == SQLITE_ROW) {
		struct dhcp_lease_record record;
		if (read_record(row, &clocks, &record) &&
			dhcp_server_restore(server, &record, clocks.monotonic_ns))
			restored++;
		else
			left++;
	}
	if (step != SQLITE_DONE)
		return store_error(store, "cannot read the leases", error);
	*ret_restored = restored;
	*ret_left = left;
	return 0;
}

static int insert_bindings(struct lease_store *store, const struct dhcp_binding *bindings,
	size_t count, struct error *error)
{
	CLEANUP(finalize_statement) sqlite3_stmt *insert = NULL;
	int status = store_prepare(store,
		"INSERT INTO bindings (hardware_address, address) VALUES (?1, ?2)", &insert, error);
	for (size_t i = 0; status == 0 && i < count; i++) {
		struct dhcp_hardware hardware = {0};
		dhcp_identity_hardware(&bindings[i].client, &hardware);
		sqlite3_bind_text(insert, 1, DHCP_HARDWARE_TEXT(&hardware), -1, SQLITE_TRANSIENT);
		sqlite3_bind_text(insert, 2, IPV4_TEXT(bindings[i].address), -1, SQLITE_TRANSIENT);
		if (sqlite3_step(insert) != SQLITE_DONE)
			status = store_error(store, "cannot store the bindings", error);
		sqlite3_reset(insert);
	}
	return status;
}

int lease_store_mirror_bindings(struct lease_store *store, const struct dhcp_binding *bindings,
	size_t count, struct error *error)
{
	static const char what[] = "cannot store the bindings";
	int status = store_run(store, "BEGIN IMMEDIATE; DELETE FROM bindings", what, error);
	if (status == 0)
		status = insert_bindings(store, bindings, count, error);
	if (status == 0)
		status = store_run(store, "COMMIT", what, error);
	if (status < 0)
		sqlite3_exec(store->database, "ROLLBACK", NULL, NULL, NULL);
	return status;
}

static void bind_record(sqlite3_stmt *save, const struct dhcp_lease_record *record)
{
	struct clocks clocks = clocks_read();
	char client_id[CLIENT_ID_TEXT_SIZE];
	for (size_t i = 0; i < record->client_id_length; i++)
		snprintf(client_id + 2 * i, 3, "%02x", record->client_id[i]);
	sqlite3_bind_text(save, 1, IPV4_TEXT(record->address), -1, SQLITE_TRANSIENT);
	sqlite3_bind_text(save, 2, DHCP_HARDWARE_TEXT(&record->hardware), -1, SQLITE_TRANSIENT);
	if (record->client_id_length)
		sqlite3_bind_text(save, 3, client_id, -1, SQLITE_TRANSIENT);
	else
		sqlite3_bind_null(save, 3);
	sqlite3_bind_text(save, 4, dhcp_lease_state_name(record->state), -1, SQLITE_STATIC);
	sqlite3_bind_int64(save, 5, utc_seconds(&clocks, record->starts_ns));
	if (record->ends_ns == DHCP_NEVER)
		sqlite3_bind_null(save, 6);
	else
		sqlite3_bind_int64(save, 6, utc_seconds(&clocks, record->ends_ns));
}

/* Some errors (a full disk) have undone the transaction already; then this does nothing. */
static void store_rollback(struct lease_store *store)
{
	sqlite3_exec(store->database, "ROLLBACK", NULL, NULL, NULL);
	store->open = false;
}

int lease_store_save(
	struct lease_store *store, const struct dhcp_lease_record *record, struct error *error)
{
	static const char what[] = "cannot store a lease";
	if (store->failed)
		return error_set(error, -EIO, "%s: an earlier one of its batch failed", what);
	if (!store->open && store_run(store, "BEGIN IMMEDIATE", what, error) < 0) {
		store->failed = true;
		return error->code;
	}
	store->open = true;
	bind_record(store->save, record);
	bool saved = sqlite3_step(store->save) == SQLITE_DONE;
	if (!saved) {
		store_error(store, what, error);
		store->failed = true;
	}
	sqlite3_reset(store->save);
	sqlite3_clear_bindings(store->save);
	return saved ? 0 : error->code;
}

int lease_store_commit(struct lease_store *store, struct error *error)
{
	int status = 0;
	if (store->failed)
		status = error_set(error, -EIO, "a lease of the batch could not be stored");
	else if (store->open)
		status = store_run(store, "COMMIT", "cannot store leases", error);
	if (status < 0)
		store_rollback(store);
	store->open = store->failed = false;
	return status;
}
