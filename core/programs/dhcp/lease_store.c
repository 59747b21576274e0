#include "programs/dhcp/lease_store.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "programs/dhcp/lease_load.h"
#include "programs/dhcp/lease_mirror.h"
#include "programs/dhcp/lease_schema.h"

enum {
	/* How long a person's write lock is waited for; and while it stays, so that we go on. */
	BUSY_MS = 500,
	STILL_BUSY_MS = 10,
	/*
	 * Pages of 4 KiB. A log of this size is written over and over in place, which the disk
	 * confirms sooner than growth; a larger one only takes longer to read at the next start.
	 */
	TIDY_PAGES = 2000,
	LOUD_PAGES = 16 * TIDY_PAGES,
};

/* What the log is cut to when all of it is copied: it may have grown while somebody read for long. */
#define LOG_BYTES_KEPT "33554432"

struct lease_store {
	char *path, *log; /* the file and SQLite's log beside it; NULL: nothing is kept */
	struct stat path_is, log_is; /* which files they are; log_is: 0 before the first commit */
	int lock; /* a descriptor of the file with flock(), for the store's life */
	sqlite3 *database;
	sqlite3_stmt *begin, *save, *commit;
	bool open; /* a transaction is */
	bool failed; /* and something in it could not be written */
	bool busy; /* the last one did not even begin */
	int64_t utc_less_ns;
	bool clock_set;
	struct lease_wal_loss dropped;
	unsigned pages; /* of the log, 0: all of it is copied */
	unsigned tidy_pages, loud_pages; /* at which it is copied, and its size is told */
};

/* The places of what is bound. */
enum { ADDRESS = 1, STATE, STARTS, ENDS, HARDWARE, CLIENT_ID, PORT, DO_NOT_RENEW };

static const char save_text[] =
	"INSERT OR REPLACE INTO lease_rows (address, state, starts, ends, hardware, client_id,"
	" port, do_not_renew) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

static int prepare(struct lease_store *store, const char *text, sqlite3_stmt **ret_statement,
	struct error *error)
{
	if (sqlite3_prepare_v3(store->database, text, -1, SQLITE_PREPARE_PERSISTENT, ret_statement,
		    NULL) != SQLITE_OK)
		return lease_schema_error(store->database, "cannot use it", error);
	return 0;
}

/*
 * Open the file ourselves first, for a lock that other servers respect, wherever they live. This
 * descriptor must outlive the database's: closing any of a file drops SQLite's own locks.
 */
static int lock_file(struct lease_store *store, struct error *error)
{
	store->lock = open(store->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0644);
	if (store->lock < 0)
		return error_system(error, -errno, "cannot open it for writing");
	if (fstat(store->lock, &store->path_is) < 0)
		return error_system(error, -errno, "cannot look at it");
	if (!S_ISREG(store->path_is.st_mode))
		return error_set(error, -EINVAL, "it is no regular file");
	if (flock(store->lock, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno != EWOULDBLOCK)
		return error_system(error, -errno, "cannot lock it");
	return error_set(error, -EBUSY, "another dhcp-server has it open");
}

/* SQLite calls it after each commit. */
static int note_pages(void *argument, sqlite3 *database, const char *name, int pages)
{
	struct lease_store *store = argument;
	(void)database, (void)name;
	store->pages = (unsigned)pages;
	if (store->log_is.st_ino == 0)
		(void)stat(store->log, &store->log_is);
	return SQLITE_OK;
}

static int open_database(struct lease_store *store, struct error *error)
{
	if (sqlite3_open_v2(store->path, &store->database, SQLITE_OPEN_READWRITE, NULL) !=
		SQLITE_OK)
		return lease_schema_error(store->database, "cannot open it", error);
	sqlite3_extended_result_codes(store->database, 0);
	sqlite3_busy_timeout(store->database, BUSY_MS);
	int status = lease_schema_claim(store->database, error);
	if (status == 0)
		status = lease_schema_run(store->database,
			"PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
			" PRAGMA cache_size = -16384;"
			" PRAGMA journal_size_limit = " LOG_BYTES_KEPT,
			"cannot use a write-ahead log", error);
	sqlite3_wal_hook(store->database, note_pages, store);
	if (status == 0)
		status = prepare(store, "BEGIN IMMEDIATE", &store->begin, error);
	if (status == 0)
		status = prepare(store, save_text, &store->save, error);
	return status < 0 ? status : prepare(store, "COMMIT", &store->commit, error);
}

static int store_setup(struct lease_store *store, struct error *error)
{
	int status = lock_file(store, error);
	if (status == 0)
		status = lease_wal_inspect(store->log, &store->dropped, error);
	return status < 0 ? status : open_database(store, error);
}

int lease_store_open(const char *path, struct lease_store **ret_store, struct error *error)
{
	CLEANUP(lease_store_close) struct lease_store *store = calloc(1, sizeof(*store));
	if (!store)
		return error_set(error, -ENOMEM, "out of memory");
	store->lock = -1;
	store->tidy_pages = TIDY_PAGES;
	store->loud_pages = LOUD_PAGES;
	if (path) {
		store->path = strdup(path);
		if (asprintf(&store->log, "%s-wal", path) < 0)
			store->log = NULL;
		int status = store->path && store->log ? store_setup(store, error)
						       : error_set(error, -ENOMEM, "out of memory");
		if (status < 0)
			return error_prefix(error, "the lease database '%s': ", path);
	}
	*ret_store = TAKE(store);
	return 0;
}

void lease_store_close(struct lease_store **store)
{
	if (!*store)
		return;
	lease_schema_finalize(&(*store)->begin);
	lease_schema_finalize(&(*store)->save);
	lease_schema_finalize(&(*store)->commit);
	sqlite3_close((*store)->database);
	close_fd(&(*store)->lock);
	free((*store)->path);
	free((*store)->log);
	free(*store);
	*store = NULL;
}

const struct lease_wal_loss *lease_store_dropped(const struct lease_store *store)
{
	return &store->dropped;
}

/* Rounded up: a lease must not look shorter in the file than its client was told. */
static int64_t utc_seconds(const struct lease_store *store, uint64_t at_ns)
{
	int64_t utc_ns, second = (int64_t)NS_PER_SECOND;
	if (at_ns > INT64_MAX ||
		__builtin_add_overflow((int64_t)at_ns, store->utc_less_ns, &utc_ns))
		return INT64_MAX / second;
	return utc_ns / second + (utc_ns % second > 0);
}

/* What lies before the clock's zero is its zero: long over. */
static uint64_t clock_ns(const struct lease_store *store, int64_t seconds)
{
	int64_t ns;
	if (__builtin_mul_overflow(seconds, (int64_t)NS_PER_SECOND, &ns) ||
		__builtin_sub_overflow(ns, store->utc_less_ns, &ns))
		return seconds < 0 ? 0 : INT64_MAX;
	return ns < 0 ? 0 : (uint64_t)ns;
}

static void roll_back(struct lease_store *store)
{
	/* Some errors (a full disk) have undone the transaction already. */
	if (!sqlite3_get_autocommit(store->database))
		sqlite3_exec(store->database, "ROLLBACK", NULL, NULL, NULL);
	store->open = store->failed = false;
}

static int move_times(struct lease_store *store, int64_t seconds, struct error *error)
{
	char update[128];
	snprintf(update, sizeof(update),
		"UPDATE lease_rows SET starts = starts + (%lld), ends = ends + (%lld)",
		(long long)seconds, (long long)seconds);
	int status = lease_schema_run(store->database, update, "cannot move its times", error);
	if (status < 0)
		return error_prefix(error, "the lease database '%s': ", store->path);
	return 0;
}

int lease_store_set_clock(struct lease_store *store, int64_t utc_less_ns, struct error *error)
{
	const int64_t second = (int64_t)NS_PER_SECOND;
	int64_t moved_ns;
	if (!store->clock_set || !store->path) {
		store->utc_less_ns = utc_less_ns;
		store->clock_set = true;
		return 0;
	}
	if (__builtin_sub_overflow(utc_less_ns, store->utc_less_ns, &moved_ns))
		return 0; /* three centuries: no clock does that */
	/* Whole seconds, as the file has them; what is left counts for the next jump. */
	int64_t seconds = moved_ns / second;
	if (seconds == 0)
		return 0;
	int status = move_times(store, seconds, error);
	if (status < 0)
		return status;
	store->utc_less_ns += seconds * second;
	return 1;
}

static void set_times(const struct lease_store *store, const struct lease_row *row, uint64_t now_ns,
	struct dhcp_lease_record *record)
{
	bool never = row->ends == LEASE_LOAD_NEVER;
	record->starts_ns = clock_ns(store, row->starts);
	record->ends_ns = never ? DHCP_NEVER : clock_ns(store, row->ends);
	/* A second is the file's own rounding. */
	if (record->starts_ns <= now_ns + NS_PER_SECOND)
		return;
	if (!never)
		record->ends_ns = row->ends > row->starts
					  ? now_ns + (record->ends_ns - record->starts_ns)
					  : now_ns;
	record->starts_ns = now_ns;
}

int lease_store_load(struct lease_store *store, struct lease_store_load *load, struct error *error)
{
	CLEANUP(lease_rows_finish) struct lease_rows rows = {0};
	load->restored = load->left = load->unreadable = 0;
	if (!store->path)
		return 0;
	if (lease_rows_read(store->database, &rows, error) < 0)
		return error_prefix(error, "the lease database '%s': ", store->path);
	struct dhcp_lease_record record = {0};
	for (size_t i = 0; i < rows.count; i++) {
		lease_row_describe(&rows, &rows.list[i], &record);
		set_times(store, &rows.list[i], load->now_ns, &record);
		if (load->restore(load->machine, &record))
			load->restored++;
		else
			load->left++;
	}
	load->unreadable = rows.unreadable;
	return 0;
}

/* SQLITE_STATIC: the bytes outlive the statement's one step. */
static void bind_bytes(sqlite3_stmt *save, int at, const uint8_t *bytes, size_t length)
{
	if (length)
		sqlite3_bind_blob(save, at, bytes, (int)length, SQLITE_STATIC);
	else
		sqlite3_bind_null(save, at);
}

static bool save_record(struct lease_store *store, const struct dhcp_lease_record *record)
{
	sqlite3_stmt *save = store->save;
	uint8_t hardware[1 + DHCP_CHADDR_SIZE] = {record->hardware.type};
	memcpy(hardware + 1, record->hardware.bytes, record->hardware.length);
	sqlite3_bind_int64(save, ADDRESS, record->address.host);
	sqlite3_bind_int(save, STATE, (int)record->state);
	sqlite3_bind_int64(save, STARTS, utc_seconds(store, record->starts_ns));
	if (record->ends_ns == DHCP_NEVER)
		sqlite3_bind_null(save, ENDS);
	else
		sqlite3_bind_int64(save, ENDS, utc_seconds(store, record->ends_ns));
	bind_bytes(save, HARDWARE, hardware, 1U + record->hardware.length);
	bind_bytes(save, CLIENT_ID, record->client_id, record->client_id_length);
	bind_bytes(save, PORT, record->port, record->port_length);
	sqlite3_bind_int(save, DO_NOT_RENEW, record->refuse_renewal);
	bool saved = sqlite3_step(save) == SQLITE_DONE;
	sqlite3_reset(save);
	return saved;
}

/* Moved, replaced or removed, it would take leases that no restart ever finds again. */
static int check_file(const char *path, const struct stat *ours, struct error *error)
{
	struct stat there;
	int found = stat(path, &there);
	if ((found == 0 && ours->st_ino == there.st_ino && ours->st_dev == there.st_dev) ||
		(found < 0 && errno != ENOENT))
		return 0;
	return error_set(error, -ESTALE,
		"the lease database's file '%s' was moved away or removed while in use: put it "
		"back, or start the server again",
		path);
}

static int begin(struct lease_store *store, struct error *error)
{
	int status = check_file(store->path, &store->path_is, error);
	if (status == 0 && store->log_is.st_ino)
		status = check_file(store->log, &store->log_is, error);
	if (status < 0)
		return status;
	bool begun = sqlite3_step(store->begin) == SQLITE_DONE;
	if (!begun)
		status = lease_schema_error(store->database, "cannot store a lease", error);
	sqlite3_reset(store->begin);
	if (begun == store->busy) {
		store->busy = !begun;
		sqlite3_busy_timeout(store->database, begun ? BUSY_MS : STILL_BUSY_MS);
	}
	store->open = begun;
	return status;
}

int lease_store_save(
	struct lease_store *store, const struct dhcp_lease_record *record, struct error *error)
{
	static const char what[] = "cannot store a lease";
	if (!store->path)
		return 0;
	if (store->failed)
		return error_set(error, -EIO, "%s: an earlier one of its batch failed", what);
	int status = store->open ? 0 : begin(store, error);
	if (status == 0 && !save_record(store, record))
		status = lease_schema_error(store->database, what, error);
	store->failed = status < 0;
	return status;
}

int lease_store_commit(struct lease_store *store, struct error *error)
{
	int status = 0;
	if (store->failed) {
		status = error_set(error, -EIO, "a lease of the batch could not be stored");
	} else if (store->open) {
		if (sqlite3_step(store->commit) != SQLITE_DONE)
			status = lease_schema_error(store->database, "cannot store leases", error);
		sqlite3_reset(store->commit);
	}
	if (status < 0)
		roll_back(store);
	store->open = store->failed = false;
	return status;
}

int lease_store_tidy(struct lease_store *store, bool idle, struct error *error)
{
	int log = 0, copied = 0;
	if (!store->path || store->pages == 0 || (!idle && store->pages < store->tidy_pages))
		return 0;
	/* Passive: waits for nobody, and leaves what a reader still needs. */
	if (sqlite3_wal_checkpoint_v2(
		    store->database, NULL, SQLITE_CHECKPOINT_PASSIVE, &log, &copied) != SQLITE_OK)
		return lease_schema_error(store->database, "cannot copy the log into it", error);
	if (copied >= log) {
		store->pages = 0;
		store->tidy_pages = TIDY_PAGES;
		store->loud_pages = LOUD_PAGES;
		return 0;
	}
	store->tidy_pages = store->pages + TIDY_PAGES;
	if (store->pages < store->loud_pages)
		return 0;
	store->loud_pages = 2 * store->pages;
	return error_set(error, -EBUSY,
		"the log of the lease database '%s' has grown to %u MiB: somebody has been reading "
		"the database for long",
		store->path, store->pages / 256);
}

int lease_store_mirror(
	struct lease_store *store, const struct dhcp_server_settings *settings, struct error *error)
{
	if (!store->path)
		return 0;
	int status = lease_schema_run(
		store->database, "BEGIN IMMEDIATE", "cannot store the configuration", error);
	if (status == 0)
		status = lease_mirror(store->database, settings, error);
	if (status == 0)
		status = lease_schema_run(
			store->database, "COMMIT", "cannot store the configuration", error);
	if (status == 0)
		return 0;
	roll_back(store);
	return error_prefix(error, "the lease database '%s': ", store->path);
}
