#include "programs/dhcp/server_status.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "dhcp/option_text.h"

enum { UTC_TEXT_SIZE = 24, LOOKED_AT_MAX = 100000 };

static json_t *number(uint64_t value)
{
	return json_integer((json_int_t)value);
}

static json_t *utc_json(uint64_t utc_ns)
{
	char text[UTC_TEXT_SIZE];
	time_t seconds = (time_t)(utc_ns / NS_PER_SECOND);
	struct tm utc;
	gmtime_r(&seconds, &utc);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
	return json_string(text);
}

static json_t *seconds_json(uint64_t ns)
{
	return json_real((double)ns / (double)NS_PER_SECOND);
}

static json_t *lease_seconds_json(uint32_t seconds)
{
	return seconds == DHCP_LEASE_INFINITE ? json_string("infinite") : number(seconds);
}

static json_t *options_json(const struct dhcp_option_list *options)
{
	json_t *object = json_object();
	for (size_t i = 0; i < options->count; i++) {
		const struct dhcp_option_value *at = &options->list[i];
		const struct dhcp_field value = {.bytes = at->bytes, .length = at->length};
		struct text text = {0};
		dhcp_option_text_format(at->code, value, ',', &text);
		json_object_set_new(
			object, DHCP_OPTION_NAME(at->code), json_text(text_view(&text)));
		text_finish(&text);
	}
	return object;
}

static json_t *pools_json(const struct dhcp_pool *pool)
{
	json_t *list = json_array();
	for (size_t i = 0; i < pool->range_count; i++)
		json_array_append_new(
			list, json_pack("{s:s, s:s}", "first", IPV4_TEXT(pool->ranges[i].first),
				      "last", IPV4_TEXT(pool->ranges[i].last)));
	return list;
}

static json_t *subnet_json(const struct dhcp_subnet *subnet)
{
	const struct dhcp_pool *pool = &subnet->pool;
	/* [0]: everybody's addresses, [1]: those that belong to somebody. */
	const size_t(*counts)[DHCP_LEASE_STATES] = pool->leases.in_state;
	json_t *addresses = json_pack("{s:o, s:o, s:o, s:o, s:o}", "size", number(pool->size),
		"bound", number(counts[0][DHCP_LEASE_BOUND]), "offered",
		number(counts[0][DHCP_LEASE_OFFERED]), "declined",
		number(counts[0][DHCP_LEASE_DECLINED]), "free", number(dhcp_pool_free(pool)));
	json_t *bindings = json_pack("{s:o, s:o, s:o, s:o}", "size", number(pool->bindings.count),
		"bound", number(counts[1][DHCP_LEASE_BOUND]), "offered",
		number(counts[1][DHCP_LEASE_OFFERED]), "declined",
		number(counts[1][DHCP_LEASE_DECLINED]));
	json_t *lease =
		json_pack("{s:o, s:o, s:o}", "usual", lease_seconds_json(subnet->lease.usual),
			"least", lease_seconds_json(subnet->lease.least), "most",
			lease_seconds_json(subnet->lease.most));
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:b, s:b, s:b, s:o}", "subnet",
		PREFIX_TEXT(pool->subnet), "pools", pools_json(pool), "addresses", addresses,
		"bindings", bindings, "lease", lease, "refuse_renewal", subnet->refuse_renewal,
		"bootp", subnet->bootp, "rapid_commit", subnet->rapid_commit, "options",
		options_json(&subnet->options));
}

static json_t *subnets_json(const struct dhcp_server *server)
{
	json_t *list = json_array();
	for (size_t i = 0; i < server->subnet_count; i++)
		json_array_append_new(list, subnet_json(&server->subnets[i]));
	return list;
}

static json_t *messages_json(const uint64_t counters[static DHCP_SERVER_TYPES])
{
	json_t *object = json_object();
	for (unsigned i = 0; i < DHCP_SERVER_TYPES; i++)
		json_object_set_new(object, dhcp_server_counter_name(i), number(counters[i]));
	return object;
}

static json_t *outcomes_json(const struct dhcp_text_server *text)
{
	json_t *object = json_object();
	for (unsigned i = 0; i < DHCP_TEXT_OUTCOMES; i++)
		json_object_set_new(object, dhcp_text_outcome_name(i), number(text->outcomes[i]));
	return object;
}

static json_t *reasons_json(const struct dhcp_server *server)
{
	json_t *object = json_object();
	for (unsigned i = 0; i < DHCP_SERVER_REASONS; i++)
		json_object_set_new(object, dhcp_server_reason_name(i), number(server->reasons[i]));
	return object;
}

#define COUNTER(field, text)                                                                       \
	{                                                                                          \
#field, text, offsetof(struct server_counters, field)                              \
	}

const struct server_status_counter *server_status_counter(size_t number)
{
	static const struct server_status_counter counters[] = {
		COUNTER(malformed, "no DHCP message"),
		COUNTER(not_served, "came in where we do not serve"),
		COUNTER(withheld, "answers whose lease could not be stored"),
		COUNTER(not_sent, "answers that the system would not send"),
		COUNTER(probes_not_sent, "probes that the system would not send"),
		COUNTER(commits, "transactions"),
		COUNTER(failed_commits, "transactions that failed"),
		COUNTER(not_logged, "lines that the log was spared"),
	};
	return number < ARRAY_LENGTH(counters) ? &counters[number] : NULL;
}

static json_t *counters_json(const struct server_counters *counters)
{
	json_t *object = json_object();
	const struct server_status_counter *at;
	for (size_t i = 0; (at = server_status_counter(i)); i++) {
		uint64_t value;
		memcpy(&value, (const char *)counters + at->offset, sizeof(value));
		json_object_set_new(object, at->name, number(value));
	}
	return object;
}

static json_t *texts_json(char *const *list, size_t count)
{
	json_t *array = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(array, json_text(list[i]));
	return array;
}

static json_t *settings_json(
	const struct server_settings *settings, const struct dhcp_server *server)
{
	static const char *const allocations[] = {
		[DHCP_ALLOCATE_LEAST_RECENT] = "least-recent",
		[DHCP_ALLOCATE_FIRST_FREE] = "first-free",
	};
	const struct dhcp_server_settings *machine = &settings->machine;
	return json_pack("{s:s, s:b, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "allocate",
		allocations[machine->allocation], "authoritative", !machine->not_authoritative,
		"ignore_client_id", machine->ignore_client_id, "probe",
		machine->probe_ns ? seconds_json(machine->probe_ns) : json_null(), "offer_time",
		seconds_json(server->settings.offer_ns), "decline_time",
		seconds_json(server->settings.decline_ns), "port_leases",
		machine->port_leases ? number(machine->port_leases) : json_null(), "port_offers",
		machine->port_offers ? number(machine->port_offers) : json_null(), "interfaces",
		texts_json(settings->interfaces, settings->interface_count), "complaints",
		texts_json(settings->complaints, settings->complaint_count), "listen",
		settings->text ? json_string(ENDPOINT_TEXT(&settings->listen)) : json_null());
}

json_t *server_status(const struct server_status_facts *facts)
{
	uint64_t utc_ns = facts->now_ns + (uint64_t)facts->utc_less_ns;
	json_t *reload = json_pack("{s:o, s:o, s:o}", "done", number(facts->reloads), "failed",
		number(facts->failed_reloads), "error", json_text(facts->last_failure));
	json_t *status = json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "program",
		server_program.name, "version", SIM_VERSION, "protocol",
		facts->text ? "text" : "dhcp", "started", utc_json(facts->started_utc_ns),
		"uptime_seconds", number((utc_ns - facts->started_utc_ns) / NS_PER_SECOND),
		"database", json_text(facts->settings->database), "settings",
		settings_json(facts->settings, facts->server), "reload", reload, "subnets",
		subnets_json(facts->server), "counters", counters_json(facts->counters));
	if (facts->text) {
		json_object_set_new(status, "outcomes", outcomes_json(facts->text));
		return status;
	}
	json_object_set_new(status, "received", messages_json(facts->server->received));
	json_object_set_new(status, "sent", messages_json(facts->server->sent));
	json_object_set_new(status, "reasons", reasons_json(facts->server));
	return status;
}

static json_t *client_id_json(const struct dhcp_lease_record *record)
{
	char text[2 * DHCP_CLIENT_ID_MAX + 1] = "";
	if (record->client_id_length == 0)
		return json_null();
	for (size_t i = 0; i < record->client_id_length; i++)
		snprintf(text + 2 * i, 3, "%02x", record->client_id[i]);
	return json_string(text);
}

static json_t *lease_json(const struct dhcp_pool *pool, const struct dhcp_lease *lease,
	const struct server_status_facts *facts)
{
	struct dhcp_lease_record record;
	if (facts->text)
		dhcp_text_describe(pool, lease, &record);
	else
		dhcp_pool_describe(pool, lease, &record);
	bool ends = record.ends_ns != DHCP_NEVER;
	uint64_t left_ns = record.ends_ns > facts->now_ns ? record.ends_ns - facts->now_ns : 0;
	json_t *hardware = record.hardware.length > 0
				   ? json_string(DHCP_HARDWARE_TEXT(&record.hardware))
				   : json_null();
	json_t *port = record.port_length > 0
			       ? json_stringn((const char *)record.port, record.port_length)
			       : json_null();
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:b}", "address",
		IPV4_TEXT(record.address), "state", dhcp_lease_state_name(record.state),
		"hardware_address", hardware, "client_id", client_id_json(&record), "port", port,
		"starts", utc_json(record.starts_ns + (uint64_t)facts->utc_less_ns), "ends",
		ends ? utc_json(record.ends_ns + (uint64_t)facts->utc_less_ns) : json_null(),
		"seconds_left", ends ? number(left_ns / NS_PER_SECOND) : json_null(), "binding",
		dhcp_bindings_of_address(&pool->bindings, record.address) != NULL, "do_not_renew",
		record.refuse_renewal);
}

/* Append what somebody holds of one subnet, from *lease on. False where it is enough for now. */
static bool append_leases(const struct server_status_facts *facts, const struct dhcp_pool *pool,
	size_t most, size_t *lease, json_t *list)
{
	const struct dhcp_leases *leases = &pool->leases;
	for (size_t looked_at = 0; *lease < leases->count; ++*lease, looked_at++) {
		const struct dhcp_lease *at = &leases->list[*lease];
		if (json_array_size(list) >= most || looked_at == LOOKED_AT_MAX)
			return false;
		if (at->state != DHCP_LEASE_IDLE)
			json_array_append_new(list, lease_json(pool, at, facts));
	}
	return true;
}

json_t *server_status_leases(
	const struct server_status_facts *facts, size_t subnet, size_t lease, size_t most)
{
	const struct dhcp_server *server = facts->server;
	json_t *list = json_array();
	if (most > SERVER_STATUS_LEASES_MAX)
		most = SERVER_STATUS_LEASES_MAX;
	while (subnet < server->subnet_count &&
		append_leases(facts, &server->subnets[subnet].pool, most, &lease, list)) {
		subnet++;
		lease = 0;
	}
	if (subnet >= server->subnet_count)
		return json_pack("{s:o}", "leases", list);
	char next[48];
	snprintf(next, sizeof(next), "%zu %zu", subnet, lease);
	return json_pack("{s:o, s:s}", "leases", list, "next", next);
}
