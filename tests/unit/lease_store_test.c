/* The lease store against real files: what comes back, what is refused, what a person may do. */
#include "programs/dhcp/lease_store.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "unit.h"

#define SECOND NS_PER_SECOND

/* UTC at the machine's zero. */
static const int64_t utc_at_zero = INT64_C(1700000000) * 1000000000;

enum { RECORDS_MAX = 64 };

/* What lease_store_load() found. */
struct found {
	struct dhcp_lease_record list[RECORDS_MAX];
	size_t count;
	struct lease_store_load load;
};

static bool keep(void *target, const struct dhcp_lease_record *record)
{
	struct found *found = target;
	if (found->count == RECORDS_MAX || record->address.host == 0x0a000263)
		return false; /* 10.0.2.99 has no place */
	found->list[found->count++] = *record;
	return true;
}

static char folder[] = "/tmp/lease-store-XXXXXX";

/* A fresh file name; the last one's files are removed. */
static const char *fresh(void)
{
	static char path[64];
	static const char *const endings[] = {"", "-wal", "-shm"};
	snprintf(path, sizeof(path), "%s/leases.db", folder);
	for (size_t i = 0; i < ARRAY_LENGTH(endings); i++) {
		char name[80];
		snprintf(name, sizeof(name), "%s%s", path, endings[i]);
		unlink(name);
	}
	return path;
}

static struct lease_store *open_at(const char *path, int64_t utc_less_ns)
{
	struct error error;
	struct lease_store *store = NULL;
	int status = lease_store_open(path, &store, &error);
	EXPECT(status == 0, "%s", status < 0 ? error.text : "");
	if (store)
		EXPECT_NUMBER(lease_store_set_clock(store, utc_less_ns, &error), 0);
	return store;
}

static void load_at(struct lease_store *store, uint64_t now_ns, struct found *ret_found)
{
	struct error error;
	*ret_found = (struct found){.load = {.restore = keep, .now_ns = now_ns}};
	ret_found->load.machine = ret_found;
	EXPECT_NUMBER(lease_store_load(store, &ret_found->load, &error), 0);
}

static struct dhcp_lease_record record_of(unsigned last, uint64_t starts_ns, uint64_t ends_ns)
{
	return (struct dhcp_lease_record){
		.address = {0x0a000200 + last},
		.state = DHCP_LEASE_BOUND,
		.hardware = dhcp_hardware_from_mac((struct mac){{2, 0, 0, 0, 1, (uint8_t)last}}),
		.starts_ns = starts_ns,
		.ends_ns = ends_ns,
	};
}

static void save(struct lease_store *store, const struct dhcp_lease_record *record)
{
	struct error error;
	EXPECT_NUMBER(lease_store_save(store, record, &error), 0);
}

static void commit(struct lease_store *store)
{
	struct error error;
	EXPECT_NUMBER(lease_store_commit(store, &error), 0);
}

/* The answer to a query by another connection, rows by ';', columns by '|'. */
static const char *ask(const char *path, const char *query)
{
	static char answer[4096];
	sqlite3 *person;
	sqlite3_stmt *rows = NULL;
	size_t used = 0;
	answer[0] = '\0';
	sqlite3_open(path, &person);
	if (sqlite3_prepare_v2(person, query, -1, &rows, NULL) != SQLITE_OK)
		snprintf(answer, sizeof(answer), "%s", sqlite3_errmsg(person));
	while (rows && sqlite3_step(rows) == SQLITE_ROW) {
		for (int i = 0; i < sqlite3_column_count(rows); i++) {
			const char *text = (const char *)sqlite3_column_text(rows, i);
			used += (size_t)snprintf(answer + used, sizeof(answer) - used, "%s%s",
				used == 0 ? ""
				: i == 0  ? ";"
					  : "|",
				text ? text : "NULL");
		}
	}
	sqlite3_finalize(rows);
	sqlite3_close(person);
	return answer;
}

/*
 * In a child, as a person's own process: closing a connection here would drop the store's locks.
 * Returns whether `query` answered `expected`.
 */
static bool person_sees(const char *path, const char *query, const char *expected)
{
	pid_t child = fork();
	if (child == 0) {
		const char *answer = ask(path, query);
		bool same = strcmp(answer, expected) == 0;
		if (!same)
			fprintf(stderr, "%s\n  expected %s\n  saw      %s\n", query, expected,
				answer);
		_exit(same ? 0 : 1);
	}
	int status = -1;
	waitpid(child, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

#define EXPECT_PERSON(path, query, expected) EXPECT(person_sees(path, query, expected), "%s", query)

static void expect_same(
	const struct dhcp_lease_record *seen, const struct dhcp_lease_record *record)
{
	EXPECT_NUMBER(seen->address.host, record->address.host);
	EXPECT_NUMBER(seen->state, record->state);
	EXPECT_NUMBER(seen->starts_ns, record->starts_ns);
	EXPECT_NUMBER(seen->ends_ns, record->ends_ns);
	EXPECT(dhcp_hardware_equal(&seen->hardware, &record->hardware), "hardware differs");
	EXPECT_BYTES(seen->client_id, seen->client_id_length, record->client_id,
		record->client_id_length);
	EXPECT_BYTES(seen->port, seen->port_length, record->port, record->port_length);
	EXPECT_NUMBER(seen->refuse_renewal, record->refuse_renewal);
}

/* Every field, at its limits too, comes back as it was, through a close and an open. */
static void test_round_trip(void)
{
	const char *path = fresh();
	struct dhcp_lease_record records[] = {
		record_of(1, 100 * SECOND, 200 * SECOND),
		record_of(2, 100 * SECOND, 300 * SECOND),
		record_of(3, 100 * SECOND, 400 * SECOND),
		record_of(4, 100 * SECOND, DHCP_NEVER),
	};
	records[0].state = DHCP_LEASE_IDLE;
	records[1].state = DHCP_LEASE_DECLINED;
	records[1].hardware = (struct dhcp_hardware){.type = 32, .length = DHCP_CHADDR_SIZE};
	memset(records[1].hardware.bytes, 0xff, DHCP_CHADDR_SIZE);
	records[2].hardware = (struct dhcp_hardware){.type = 1};
	records[2].client_id_length = DHCP_CLIENT_ID_MAX;
	memset(records[2].client_id, 0, DHCP_CLIENT_ID_MAX);
	records[2].port_length = DHCP_PORT_MAX;
	memset(records[2].port, 'p', DHCP_PORT_MAX);
	records[3].refuse_renewal = true;
	CLEANUP(lease_store_close) struct lease_store *store = open_at(path, utc_at_zero);
	for (size_t i = 0; i < ARRAY_LENGTH(records); i++)
		save(store, &records[i]);
	commit(store);
	lease_store_close(&store);
	store = open_at(path, utc_at_zero);
	struct found found;
	load_at(store, 150 * SECOND, &found);
	EXPECT_NUMBER(found.load.restored, ARRAY_LENGTH(records));
	for (size_t i = 0; i < found.count; i++)
		expect_same(&found.list[i], &records[i]);
}

/* Earliest end first, the endless last; what has no place, and what is no lease, is counted. */
static void test_load_order_and_counts(void)
{
	const char *path = fresh();
	CLEANUP(lease_store_close) struct lease_store *store = open_at(path, utc_at_zero);
	static const struct {
		unsigned last;
		uint64_t ends_ns;
	} rows[] = {{1, DHCP_NEVER}, {2, 300 * SECOND}, {3, 200 * SECOND}, {0x63, 250 * SECOND}};
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		struct dhcp_lease_record record =
			record_of(rows[i].last, 100 * SECOND, rows[i].ends_ns);
		save(store, &record);
	}
	commit(store);
	EXPECT_PERSON(path,
		"INSERT INTO lease_rows VALUES (5, 9, 0, 0, x'01', NULL, NULL, 0) RETURNING 1",
		"1");
	EXPECT_PERSON(path,
		"INSERT INTO lease_rows VALUES (6, 2, 0, 0, x'', NULL, NULL, 0) RETURNING 1", "1");
	struct found found;
	load_at(store, 150 * SECOND, &found);
	EXPECT_NUMBER(found.load.restored, 3);
	EXPECT_NUMBER(found.load.left, 1);
	EXPECT_NUMBER(found.load.unreadable, 2);
	EXPECT_NUMBER(found.list[0].address.host & 0xff, 3);
	EXPECT_NUMBER(found.list[1].address.host & 0xff, 2);
	EXPECT_NUMBER(found.list[2].address.host & 0xff, 1);
}

/* What a person reads while the store is open; terminal text of a peer is shown as hexadecimal. */
static void test_views(void)
{
	const char *path = fresh();
	CLEANUP(lease_store_close) struct lease_store *store = open_at(path, utc_at_zero);
	struct dhcp_lease_record record = record_of(200, 0, 60 * SECOND);
	memcpy(record.client_id, "\x01\xab", record.client_id_length = 2);
	memcpy(record.port, "interface 2", record.port_length = 11);
	save(store, &record);
	record = record_of(7, 0, DHCP_NEVER);
	record.hardware = (struct dhcp_hardware){.type = 32, .length = 3, .bytes = {1, 2, 0xfe}};
	record.refuse_renewal = true;
	memcpy(record.port, "\x1b[2J", record.port_length = 4);
	save(store, &record);
	commit(store);
	EXPECT_PERSON(path,
		"SELECT * FROM (SELECT address, hardware_address, client_id, port,"
		" state, starts, ends, do_not_renew FROM leases) ORDER BY address",
		"10.0.2.200|02:00:00:00:01:c8|01ab|interface 2|bound|1700000000|1700000060|0;"
		"10.0.2.7|20-01:02:fe|NULL|0x1b5b324a|bound|1700000000|NULL|1");
	EXPECT_PERSON(path, "SELECT address, starts, ends, current, do_not_renew FROM leases_utc",
		"10.0.2.7|2023-11-14 22:13:20|never|yes|yes;"
		"10.0.2.200|2023-11-14 22:13:20|2023-11-14 22:14:20|no|no");
}

/* UTC jumps while we run: stored times follow, once, and small drift moves nothing. */
static void test_clock_jump(void)
{
	const char *path = fresh();
	struct error error;
	CLEANUP(lease_store_close) struct lease_store *store = open_at(path, utc_at_zero);
	struct dhcp_lease_record record = record_of(1, 100 * SECOND, 200 * SECOND);
	save(store, &record);
	record = record_of(2, 100 * SECOND, DHCP_NEVER);
	save(store, &record);
	commit(store);
	static const struct {
		int64_t seconds_tenths; /* the whole jump since the beginning */
		int moved;
		const char *rows;
	} jumps[] = {
		{9, 0, "1700000100|1700000200;1700000100|NULL"},
		{36000, 1, "1700003700|1700003800;1700003700|NULL"},
		{36000, 0, "1700003700|1700003800;1700003700|NULL"},
		{-864000, 1, "1699913700|1699913800;1699913700|NULL"},
		{-864009, 0, "1699913700|1699913800;1699913700|NULL"},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(jumps); i++) {
		int64_t utc = utc_at_zero + jumps[i].seconds_tenths * INT64_C(100000000);
		EXPECT_NUMBER(lease_store_set_clock(store, utc, &error), jumps[i].moved);
		EXPECT_PERSON(path, "SELECT starts, ends FROM lease_rows", jumps[i].rows);
	}
	struct found found;
	load_at(store, 150 * SECOND, &found);
	EXPECT_NUMBER(found.list[0].starts_ns, 100 * SECOND);
	EXPECT_NUMBER(found.list[0].ends_ns, 200 * SECOND);
}

/* UTC, or the machine's clock, was another when the lease was stored. */
static void test_clock_at_load(void)
{
	static const struct {
		const char *what;
		int64_t seconds_later; /* UTC at the machine's zero, since it was stored */
		uint64_t now, starts, ends; /* expected, seconds */
	} cases[] = {
		{"as it was", 0, 150, 100, 200},
		{"a reboot", 1000, 150, 0, 0},
		{"a reboot long ago", 90, 15, 10, 110},
		{"UTC went back an hour", -3600, 150, 150, 250},
		{"UTC went back to 1970", -1699999999, 150, 150, 250},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		const char *path = fresh();
		CLEANUP(lease_store_close) struct lease_store *store = open_at(path, utc_at_zero);
		struct dhcp_lease_record record = record_of(1, 100 * SECOND, 200 * SECOND);
		save(store, &record);
		commit(store);
		lease_store_close(&store);
		store = open_at(path, utc_at_zero + cases[i].seconds_later * (int64_t)SECOND);
		struct found found;
		load_at(store, cases[i].now * SECOND, &found);
		EXPECT(found.list[0].starts_ns == cases[i].starts * SECOND &&
				found.list[0].ends_ns == cases[i].ends * SECOND,
			"%s: %llu to %llu", cases[i].what,
			(unsigned long long)(found.list[0].starts_ns / SECOND),
			(unsigned long long)(found.list[0].ends_ns / SECOND));
	}
}

/* Fractions: what is stored ends no sooner than what the client was told. */
static void test_rounding(void)
{
	const char *path = fresh();
	CLEANUP(lease_store_close) struct lease_store *store = open_at(path, utc_at_zero + 5);
	struct dhcp_lease_record record = record_of(1, 1, 60 * SECOND + 1);
	save(store, &record);
	commit(store);
	struct found found;
	load_at(store, 10 * SECOND, &found);
	EXPECT(found.list[0].ends_ns > 60 * SECOND && found.list[0].ends_ns <= 61 * SECOND,
		"ends at %llu", (unsigned long long)found.list[0].ends_ns);
}

/* Nothing of a batch stays when one of it could not be written, and the next batch is as ever. */
static void test_locked_by_a_person(void)
{
	const char *path = fresh();
	struct error error;
	CLEANUP(lease_store_close) struct lease_store *store = open_at(path, utc_at_zero);
	struct dhcp_lease_record record = record_of(1, 0, SECOND);
	int ready[2], release[2];
	EXPECT(pipe(ready) == 0 && pipe(release) == 0, "pipe");
	pid_t person = fork();
	if (person == 0) {
		sqlite3 *database;
		char byte = 0;
		sqlite3_open(path, &database);
		bool held =
			sqlite3_exec(database, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK;
		close(release[1]);
		bool told = write(ready[1], &byte, 1) == 1 && read(release[0], &byte, 1) == 0;
		_exit(held && told ? 0 : 1);
	}
	char byte;
	EXPECT(read(ready[0], &byte, 1) == 1, "the person has no lock");
	uint64_t before_ns = clock_monotonic_ns();
	for (unsigned i = 0; i < 3; i++) {
		EXPECT_NUMBER(lease_store_save(store, &record, &error), -EBUSY);
		EXPECT_NUMBER(lease_store_save(store, &record, &error), -EIO);
		EXPECT_NUMBER(lease_store_commit(store, &error), -EIO);
	}
	EXPECT(clock_monotonic_ns() - before_ns < 10 * SECOND, "the wait is not bounded");
	close(release[1]);
	int status;
	waitpid(person, &status, 0);
	EXPECT_NUMBER(status, 0);
	struct found found;
	load_at(store, 0, &found);
	EXPECT_NUMBER(found.count, 0);
	save(store, &record);
	commit(store);
	load_at(store, 0, &found);
	EXPECT_NUMBER(found.count, 1);
	close(ready[0]), close(ready[1]), close(release[0]);
}

/* Another store, of another process. Returns its error's code. */
static int open_elsewhere(const char *path)
{
	pid_t child = fork();
	if (child == 0) {
		struct error error = {0};
		struct lease_store *store = NULL;
		_exit(-lease_store_open(path, &store, &error));
	}
	int status = -1;
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? -WEXITSTATUS(status) : 1;
}

static void test_one_server_only(void)
{
	const char *path = fresh();
	CLEANUP(lease_store_close) struct lease_store *store = open_at(path, utc_at_zero);
	EXPECT_NUMBER(open_elsewhere(path), -EBUSY);
	EXPECT_PERSON(path, "SELECT count(*) FROM leases", "0");
	EXPECT_NUMBER(open_elsewhere(path), -EBUSY);
	lease_store_close(&store);
	EXPECT_NUMBER(open_elsewhere(path), 0);
}

static void write_file(const char *path, const void *bytes, size_t length)
{
	CLEANUP(close_file) FILE *file = fopen(path, "w");
	EXPECT(file && fwrite(bytes, 1, length, file) == length, "cannot write %s", path);
}

static size_t read_file(const char *path, void *bytes, size_t size)
{
	CLEANUP(close_file) FILE *file = fopen(path, "r");
	return file ? fread(bytes, 1, size, file) : 0;
}

/* What is refused stays byte for byte as it was. */
static void test_refused(void)
{
	static const char noise[8192] = "this is no database, but somebody's thesis\n";
	static const struct {
		const char *what;
		const void *bytes;
		size_t length;
		const char *query; /* made by it instead */
		const char *sentence;
	} cases[] = {
		{"a short text", noise, 5, NULL, "it is no SQLite database"},
		{"a text", noise, sizeof(noise), NULL, "it is no SQLite database"},
		{"half a header", "SQLite format 3", 16, NULL, "it is no SQLite database"},
		{"another's", NULL, 0, "CREATE TABLE recipes (name)",
			"it is a database of something else"},
		{"from before", NULL, 0,
			"PRAGMA application_id = 1145586512; PRAGMA user_version = 1;"
			"CREATE TABLE leases (address)",
			"version 1"},
		{"from later on", NULL, 0,
			"PRAGMA application_id = 1145586512; PRAGMA user_version = 3;"
			"CREATE TABLE leases (address)",
			"version 3"},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		const char *path = fresh();
		struct error error = {.text = ""};
		struct lease_store *store = NULL;
		char before[65536], after[65536];
		if (cases[i].query) {
			sqlite3 *database;
			sqlite3_open(path, &database);
			sqlite3_exec(database, cases[i].query, NULL, NULL, NULL);
			sqlite3_close(database);
		} else {
			write_file(path, cases[i].bytes, cases[i].length);
		}
		size_t length = read_file(path, before, sizeof(before));
		EXPECT(lease_store_open(path, &store, &error) < 0 &&
				strstr(error.text, cases[i].sentence),
			"%s: %s", cases[i].what, error.text);
		EXPECT_BYTES(after, read_file(path, after, sizeof(after)), before, length);
	}
}

static void test_places(void)
{
	struct error error;
	struct lease_store *store = NULL;
	char path[80];
	snprintf(path, sizeof(path), "%s/nowhere/leases.db", folder);
	EXPECT_NUMBER(lease_store_open(path, &store, &error), -ENOENT);
	EXPECT_NUMBER(lease_store_open(folder, &store, &error), -EISDIR);
	EXPECT_NUMBER(lease_store_open("/dev/null", &store, &error), -EINVAL);
	/* Moved away while in use: nothing is stored where no restart finds it. */
	const char *place = fresh();
	struct dhcp_lease_record record = record_of(1, 0, SECOND);
	store = open_at(place, utc_at_zero);
	snprintf(path, sizeof(path), "%s/moved.db", folder);
	EXPECT(rename(place, path) == 0, "rename");
	EXPECT_NUMBER(lease_store_save(store, &record, &error), -ESTALE);
	EXPECT_NUMBER(lease_store_commit(store, &error), -EIO);
	EXPECT(rename(path, place) == 0, "rename back");
	save(store, &record);
	commit(store);
	/* Likewise its log: what stands there alone would be lost. */
	char log[96];
	snprintf(log, sizeof(log), "%s-wal", place);
	EXPECT(unlink(log) == 0, "unlink");
	EXPECT_NUMBER(lease_store_save(store, &record, &error), -ESTALE);
	EXPECT(strstr(error.text, "leases.db-wal' was moved away or removed"), "%s", error.text);
	EXPECT_NUMBER(lease_store_commit(store, &error), -EIO);
	lease_store_close(&store);
	/* No file: everything succeeds and nothing is kept. */
	store = open_at(NULL, 0);
	save(store, &record);
	commit(store);
	struct found found;
	load_at(store, 0, &found);
	EXPECT_NUMBER(found.count, 0);
	EXPECT_NUMBER(lease_store_tidy(store, true, &error), 0);
	lease_store_close(&store);
}

/* The file and its log as they stand while the store is open: what a crash leaves. */
static void copy_crashed(const char *path, const char *copy, size_t log_cut, long log_flip)
{
	static char bytes[4 << 20];
	char from[96], to[96];
	snprintf(to, sizeof(to), "%s-shm", copy);
	unlink(to);
	write_file(copy, bytes, read_file(path, bytes, sizeof(bytes)));
	snprintf(from, sizeof(from), "%s-wal", path);
	snprintf(to, sizeof(to), "%s-wal", copy);
	size_t length = read_file(from, bytes, sizeof(bytes));
	if (log_flip >= 0 && (size_t)log_flip < length)
		bytes[log_flip] ^= 1;
	write_file(to, bytes, length > log_cut ? length - log_cut : 0);
}

/*
 * Ten transactions of one lease each; then the log loses its end byte by byte. What is left is the
 * first leases, whole, and what was dropped is told.
 */
static void test_torn_log(void)
{
	const char *path = fresh();
	char copy[80], name[96];
	enum { LEASES = 10 };
	snprintf(copy, sizeof(copy), "%s/crashed.db", folder);
	snprintf(name, sizeof(name), "%s-wal", path);
	CLEANUP(lease_store_close) struct lease_store *store = open_at(path, utc_at_zero);
	size_t sizes[LEASES + 1];
	struct stat status;
	for (unsigned i = 0; i <= LEASES; i++) {
		struct dhcp_lease_record record = record_of(i + 1, 0, (i + 1) * SECOND);
		/* Before the first frame the log has no header. */
		bool begun = stat(name, &status) == 0 && status.st_size > 0;
		sizes[i] = begun ? (size_t)status.st_size : 32;
		if (i < LEASES) {
			save(store, &record);
			commit(store);
		}
	}
	size_t whole = sizes[LEASES];
	for (size_t cut = 0; cut < whole - sizes[0]; cut += 97) {
		copy_crashed(path, copy, cut, -1);
		struct lease_store *torn = open_at(copy, utc_at_zero);
		struct found found;
		load_at(torn, 0, &found);
		unsigned expected = LEASES;
		while (sizes[expected] > whole - cut)
			expected--;
		EXPECT_NUMBER(found.count, expected);
		size_t left = whole - cut - sizes[expected];
		/* Less than a frame's header says nothing of whose round it was. */
		EXPECT_NUMBER(lease_store_dropped(torn)->bytes, left < 24 ? 0 : left);
		EXPECT(lease_store_dropped(torn)->transactions <= 1, "more than one is torn");
		lease_store_close(&torn);
	}
	/* A flipped bit within: everything from there on is lost, and all of it is told. */
	copy_crashed(path, copy, 0, (long)sizes[4] + 100);
	struct lease_store *damaged = open_at(copy, utc_at_zero);
	struct found found;
	load_at(damaged, 0, &found);
	EXPECT_NUMBER(found.count, 4);
	EXPECT_NUMBER(lease_store_dropped(damaged)->bytes, whole - sizes[4]);
	EXPECT_NUMBER(lease_store_dropped(damaged)->transactions, LEASES - 4);
	lease_store_close(&damaged);
	copy_crashed(path, copy, 0, 0);
	damaged = open_at(copy, utc_at_zero);
	EXPECT_NUMBER(lease_store_dropped(damaged)->bytes, whole);
	lease_store_close(&damaged);
}

/* Pages overwritten with noise: the file is refused, or every lease is as it was. */
static void test_damaged_pages(void)
{
	static char bytes[1 << 20];
	const char *path = fresh();
	struct error error;
	struct lease_store *store = open_at(path, utc_at_zero);
	for (unsigned i = 0; i < 20000; i++) {
		struct dhcp_lease_record record = record_of(i, 0, SECOND);
		save(store, &record);
	}
	commit(store);
	lease_store_close(&store);
	size_t length = read_file(path, bytes, sizeof(bytes));
	EXPECT(length > 64 * 4096, "only %zu bytes", length);
	unsigned refused = 0;
	for (size_t page = 0; page < length / 4096; page += 5) {
		static char damaged[sizeof(bytes)];
		memcpy(damaged, bytes, length);
		memset(damaged + page * 4096, 0xa5, 4096);
		write_file(fresh(), damaged, length);
		refused += lease_store_open(path, &store, &error) < 0;
		lease_store_close(&store);
	}
	EXPECT_NUMBER(refused, (length / 4096 + 4) / 5);
	/* Cut short. */
	write_file(fresh(), bytes, length / 2);
	EXPECT(lease_store_open(path, &store, &error) < 0, "half a file is taken");
	lease_store_close(&store);
}

/* The log is copied when it is large, or on request, and does not grow without end. */
static void test_tidy(void)
{
	const char *path = fresh();
	char name[96];
	struct error error;
	struct stat status;
	snprintf(name, sizeof(name), "%s-wal", path);
	CLEANUP(lease_store_close) struct lease_store *store = open_at(path, utc_at_zero);
	struct found found;
	char copy[80];
	snprintf(copy, sizeof(copy), "%s/crashed.db", folder);
	/* Some thirty pages a transaction: five times what a log holds. */
	for (unsigned i = 0; i < 10000; i++) {
		struct dhcp_lease_record record = record_of(i * 3001 % 10000, 0, SECOND);
		save(store, &record);
		if (i % 30 == 29) {
			commit(store);
			EXPECT_NUMBER(lease_store_tidy(store, false, &error), 0);
		}
	}
	commit(store);
	EXPECT(stat(name, &status) == 0 && status.st_size > 1 << 20 && status.st_size < 10 << 20,
		"the log has %lld bytes", (long long)status.st_size);
	EXPECT_NUMBER(lease_store_tidy(store, true, &error), 0);
	/* Without its log the file has all. */
	copy_crashed(path, copy, SIZE_MAX, -1);
	struct lease_store *bare = open_at(copy, utc_at_zero);
	load_at(bare, 0, &found);
	EXPECT_NUMBER(found.load.restored + found.load.left, 10000);
	lease_store_close(&bare);
}

int main(void)
{
	if (!mkdtemp(folder))
		return 1;
	test_round_trip();
	test_load_order_and_counts();
	test_views();
	test_clock_jump();
	test_clock_at_load();
	test_rounding();
	test_locked_by_a_person();
	test_one_server_only();
	test_refused();
	test_places();
	test_torn_log();
	test_damaged_pages();
	test_tidy();
	fresh();
	char name[80];
	static const char *const left[] = {"crashed.db", "crashed.db-wal", "crashed.db-shm"};
	for (size_t i = 0; i < ARRAY_LENGTH(left); i++) {
		snprintf(name, sizeof(name), "%s/%s", folder, left[i]);
		unlink(name);
	}
	rmdir(folder);
	return unit_finish();
}
