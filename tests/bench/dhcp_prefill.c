/*
 * dhcp_prefill: a lease database as dhcp-server would have written it, with many leases standing.
 * Written by dhcp-server's own lease store, so that it is of today's form.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "load_client.h"
#include "load_options.h"
#include "programs/dhcp/lease_store.h"
#include "programs/shared/options.h"

enum { TRANSACTION = 10000, LEASE_SECONDS_DEFAULT = 86400 };

struct prefill_settings {
	const char *database, *record;
	struct ipv4 first;
	uint64_t count, seed, lease_seconds;
};

static int accept_database(void *target, const struct option_value *value, struct error *error)
{
	return load_accept_path(value, &((struct prefill_settings *)target)->database, error);
}

static int accept_record(void *target, const struct option_value *value, struct error *error)
{
	return load_accept_path(value, &((struct prefill_settings *)target)->record, error);
}

static int accept_count(void *target, const struct option_value *value, struct error *error)
{
	uint64_t *count = &((struct prefill_settings *)target)->count;
	return load_accept_number(value, 0, UINT32_MAX, count, error);
}

static int accept_seed(void *target, const struct option_value *value, struct error *error)
{
	return load_accept_number(
		value, 0, UINT64_MAX, &((struct prefill_settings *)target)->seed, error);
}

static int accept_lease(void *target, const struct option_value *value, struct error *error)
{
	uint64_t *seconds = &((struct prefill_settings *)target)->lease_seconds;
	return load_accept_number(value, 0, DHCP_LEASE_INFINITE - 1, seconds, error);
}

static int accept_first(void *target, const struct option_value *value, struct error *error)
{
	return load_accept_address(value, &((struct prefill_settings *)target)->first, error);
}

static const struct option options[] = {
	{"database", "FILE", "the database to write", accept_database},
	{"first", "ADDR", "the first leased address; the following ones come after", accept_first},
	{"count", "N", "how many leases", accept_count},
	{"lease", "SECONDS", "how long they last, from now; default: 86400", accept_lease},
	{"seed", "N", "which clients, as dhcp_load's --seed; default: 0", accept_seed},
	{"record", "FILE", "append each address and its client, for dhcp_load", accept_record},
};

static const struct program program = {
	.name = "dhcp_prefill",
	.synopsis = "--database FILE --first ADDR --count N [...]",
	.purpose = "Write a lease database with many leases standing.",
	.options = options,
	.option_count = ARRAY_LENGTH(options),
};

static int save(const struct prefill_settings *settings, struct lease_store *store, FILE *record,
	struct error *error)
{
	uint64_t now_ns = clock_boottime_ns();
	if (lease_store_set_clock(store, (int64_t)(clock_realtime_ns() - now_ns), error) < 0)
		return error->code;
	for (uint64_t i = 0; i < settings->count; i++) {
		struct load_client client = {
			.mac = load_client_mac(settings->seed, i),
			.address = {settings->first.host + (uint32_t)i},
		};
		struct dhcp_lease_record lease = {
			.address = client.address,
			.state = DHCP_LEASE_BOUND,
			.hardware = dhcp_hardware_from_mac(client.mac),
			.starts_ns = now_ns,
			.ends_ns = now_ns + settings->lease_seconds * NS_PER_SECOND,
		};
		char line[LOAD_CLIENT_LINE_SIZE];
		if (record)
			fwrite(line, 1, load_client_line(&client, line), record);
		if (lease_store_save(store, &lease, error) < 0 ||
			((i + 1) % TRANSACTION == 0 &&
				(lease_store_commit(store, error) < 0 ||
					lease_store_tidy(store, false, error) < 0)))
			return error->code;
	}
	return lease_store_commit(store, error);
}

static int prefill(const struct prefill_settings *settings, struct error *error)
{
	CLEANUP(close_file) FILE *record = settings->record ? fopen(settings->record, "ae") : NULL;
	CLEANUP(lease_store_close) struct lease_store *store = NULL;
	if (settings->record && !record)
		return error_system(error, -errno, "cannot write '%s'", settings->record);
	if (lease_store_open(settings->database, &store, error) < 0 ||
		save(settings, store, record, error) < 0)
		return error->code;
	if (record && fflush(record) != 0)
		return error_system(error, -errno, "cannot write '%s'", settings->record);
	return 0;
}

int main(int argc, char **argv)
{
	struct error error;
	struct prefill_settings settings = {.lease_seconds = LEASE_SECONDS_DEFAULT};
	log_open(program.name);
	if (options_read(&program, argc, argv, &settings, NULL, &error) < 0)
		return program_fail(&program, EXIT_MISUSE, &error);
	if (!settings.database || ipv4_is_none(settings.first) || !settings.count) {
		error_set(&error, -EINVAL, "--database, --first and --count are needed");
		return program_fail(&program, EXIT_MISUSE, &error);
	}
	if (prefill(&settings, &error) < 0)
		return program_fail(&program, EXIT_SYSTEM, &error);
	return EXIT_DONE;
}
