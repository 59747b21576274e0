/* The asking side of dhcp-server (server_control.h): what an operator types, and the tables. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "programs/dhcp/server_control.h"
#include "programs/dhcp/server_status.h"
#include "programs/shared/control_socket.h"

enum { LEASES_SHOWN = 20 };

static int accept_leases(void *target, const struct option_value *value, struct error *error)
{
	struct operator_request *request = target;
	uint64_t most = UINT32_MAX;
	if (value->text && !text_parse_number(value->text, 0, UINT32_MAX, &most))
		return error_set(error, -EINVAL, "--leases '%s' is no number", value->text);
	request->limit = (long long)most;
	return 0;
}

static int compare_leases(const void *a, const void *b)
{
	const json_t *const *left = a, *const *right = b;
	struct ipv4 x = {0}, y = {0};
	const char *text = json_string_value(json_object_get(*left, "address"));
	if (text)
		ipv4_parse(text, &x);
	text = json_string_value(json_object_get(*right, "address"));
	if (text)
		ipv4_parse(text, &y);
	return x.host < y.host ? -1 : x.host > y.host;
}

/* By address; the server tells them in the order in which it first used them. */
static int sort_leases(json_t *leases, struct error *error)
{
	size_t count = json_array_size(leases);
	CLEANUP(free_pointer) json_t **list = calloc(count + 1, sizeof(*list));
	if (!list)
		return error_set(error, -ENOMEM, "out of memory");
	for (size_t i = 0; i < count; i++)
		list[i] = json_incref(json_array_get(leases, i));
	qsort(list, count, sizeof(json_t *), compare_leases);
	for (size_t i = 0; i < count; i++)
		json_array_set_new(leases, i, list[i]);
	return 0;
}

/* Add the leases, asked for in parts. */
static int add_leases(const struct operator_request *request, json_t *status, struct error *error)
{
	size_t most = (size_t)(request->limit < 0 ? LEASES_SHOWN : request->limit);
	json_t *leases = json_array();
	if (!leases || json_object_set_new(status, "leases", leases) < 0)
		return error_set(error, -ENOMEM, "out of memory");
	char next[48] = "0 0";
	while (json_array_size(leases) < most) {
		char line[96];
		CLEANUP(json_release) json_t *part = NULL;
		snprintf(line, sizeof(line), "leases %s %zu", next,
			most - json_array_size(leases) < SERVER_STATUS_LEASES_MAX
				? most - json_array_size(leases)
				: SERVER_STATUS_LEASES_MAX);
		int result =
			control_socket_ask(request->program, request->control, line, &part, error);
		if (result < 0)
			return result;
		if (json_array_extend(leases, json_object_get(part, "leases")) < 0)
			return error_set(error, -EPROTO, "the answer has no leases");
		const char *more = json_string_value(json_object_get(part, "next"));
		if (!more)
			break;
		snprintf(next, sizeof(next), "%s", more);
	}
	return sort_leases(leases, error);
}

static long long number_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "-";
}

/* "2 d 3 h", "3 h 5 min", "59 s": the two largest units. */
static char *duration_format(long long seconds, char text[static 32])
{
	static const struct {
		long long seconds;
		const char *unit;
	} units[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};
	size_t at = 0;
	while (at < ARRAY_LENGTH(units) - 1 && seconds < units[at].seconds)
		at++;
	int used = snprintf(text, 32, "%lld %s", seconds / units[at].seconds, units[at].unit);
	long long rest = seconds % units[at].seconds;
	if (at + 1 < ARRAY_LENGTH(units) && rest / units[at + 1].seconds > 0)
		snprintf(text + used, 32 - (size_t)used, " %lld %s", rest / units[at + 1].seconds,
			units[at + 1].unit);
	return text;
}
#define DURATION_TEXT(seconds) duration_format((seconds), (char[32]){0})

/* Seconds as they are given in JSON: a number or "infinite". */
static char *lease_format(const json_t *seconds, char text[static 32])
{
	if (json_is_string(seconds))
		snprintf(text, 32, "%s", json_string_value(seconds));
	else
		snprintf(text, 32, "%lld s", (long long)json_integer_value(seconds));
	return text;
}

static bool speaks_text(const json_t *status)
{
	return strcmp(text_of(status, "protocol"), "text") == 0;
}

static void print_server(const json_t *status)
{
	const json_t *settings = json_object_get(status, "settings");
	const json_t *reload = json_object_get(status, "reload");
	const json_t *probe = json_object_get(settings, "probe");
	printf("%s %s, up %s, since %s\n", text_of(status, "program"), text_of(status, "version"),
		DURATION_TEXT(number_of(status, "uptime_seconds")), text_of(status, "started"));
	printf("%-11s %s\n", "database",
		json_is_string(json_object_get(status, "database")) ? text_of(status, "database")
								    : "none, in memory only");
	printf("%-11s allocate %s", "settings", text_of(settings, "allocate"));
	if (speaks_text(status))
		printf(", the text protocol at %s", text_of(settings, "listen"));
	else
		printf(", %sauthoritative%s",
			json_is_true(json_object_get(settings, "authoritative")) ? "" : "not ",
			json_is_true(json_object_get(settings, "ignore_client_id"))
				? ", ignore client ids"
				: "");
	if (json_is_number(probe))
		printf(", probe %g s", json_number_value(probe));
	if (number_of(settings, "port_leases"))
		printf(", %lld leases a port", number_of(settings, "port_leases"));
	if (number_of(settings, "port_offers"))
		printf(", %lld offers a port", number_of(settings, "port_offers"));
	putchar('\n');
	if (number_of(reload, "done") + number_of(reload, "failed") > 0)
		printf("%-11s read again %lld times, refused %lld times\n", "",
			number_of(reload, "done"), number_of(reload, "failed"));
	if (json_is_string(json_object_get(reload, "error")))
		printf("%-11s refused last: %s\n", "", text_of(reload, "error"));
	size_t i;
	json_t *complaint;
	json_array_foreach(json_object_get(settings, "complaints"), i, complaint)
		printf("%-11s %s\n", "error", json_string_value(complaint));
}

static void print_counts(const char *title, const json_t *counts)
{
	static const char *const keys[] = {"size", "bound", "offered", "declined", "free"};
	printf("%-24s", title);
	for (size_t i = 0; i < ARRAY_LENGTH(keys); i++)
		if (json_object_get(counts, keys[i]))
			printf(" %10lld", number_of(counts, keys[i]));
	putchar('\n');
}

static void print_subnet_facts(const json_t *subnet)
{
	static const struct {
		const char *key, *text;
	} flags[] = {
		{"refuse_renewal", ", no renewal"},
		{"bootp", ", bootp"},
		{"rapid_commit", ", rapid commit"},
	};
	const json_t *lease = json_object_get(subnet, "lease");
	char usual[32], least[32], most[32];
	printf("  lease %s, %s to %s", lease_format(json_object_get(lease, "usual"), usual),
		lease_format(json_object_get(lease, "least"), least),
		lease_format(json_object_get(lease, "most"), most));
	for (size_t i = 0; i < ARRAY_LENGTH(flags); i++)
		if (json_is_true(json_object_get(subnet, flags[i].key)))
			printf("%s", flags[i].text);
	putchar('\n');
	const char *name;
	json_t *value;
	json_object_foreach(json_object_get(subnet, "options"), name, value)
		printf("  %s %s\n", name, json_string_value(value));
}

static void print_subnet(const json_t *subnet, bool text)
{
	size_t i;
	json_t *pool;
	print_counts(text_of(subnet, "subnet"), json_object_get(subnet, "addresses"));
	if (number_of(json_object_get(subnet, "bindings"), "size") > 0)
		print_counts("  bindings", json_object_get(subnet, "bindings"));
	json_array_foreach(json_object_get(subnet, "pools"), i, pool)
		printf("  pool %s-%s\n", text_of(pool, "first"), text_of(pool, "last"));
	if (!text)
		print_subnet_facts(subnet);
}

/* "11-22 12:38:01" of "2026-11-22T12:38:01Z". */
static char *until_format(const json_t *lease, char text[static 32])
{
	const char *ends = json_string_value(json_object_get(lease, "ends"));
	if (ends && strlen(ends) == strlen("2026-11-22T12:38:01Z"))
		snprintf(text, 32, "%.5s %.8s", ends + 5, ends + 11);
	else
		snprintf(text, 32, "for ever");
	return text;
}

static void print_lease(const json_t *lease, bool text)
{
	const json_t *left = json_object_get(lease, "seconds_left");
	const char *hardware = json_string_value(json_object_get(lease, "hardware_address"));
	const char *client = json_string_value(json_object_get(lease, "client_id"));
	const char *port = json_string_value(json_object_get(lease, "port"));
	char who[64] = "-", until[32];
	if (hardware || (text && port))
		snprintf(who, sizeof(who), "%s", hardware ? hardware : port);
	else if (client)
		snprintf(who, sizeof(who), "id:%.14s", client);
	printf("%-15s  %-17s  %-8s  %-14s  %s%s%s\n", text_of(lease, "address"), who,
		text_of(lease, "state"), until_format(lease, until),
		json_is_integer(left) ? DURATION_TEXT(json_integer_value(left)) : "-",
		json_is_true(json_object_get(lease, "binding")) ? "  fixed" : "",
		json_is_true(json_object_get(lease, "do_not_renew")) ? "  no renewal" : "");
}

/* How many addresses somebody holds, of whatever kind. */
static long long held_of(const json_t *status)
{
	static const char *const kinds[] = {"addresses", "bindings"};
	long long held = 0;
	size_t i;
	json_t *subnet;
	json_array_foreach(json_object_get(status, "subnets"), i, subnet)
	{
		for (size_t kind = 0; kind < ARRAY_LENGTH(kinds); kind++) {
			const json_t *counts = json_object_get(subnet, kinds[kind]);
			held += number_of(counts, "bound") + number_of(counts, "offered") +
				number_of(counts, "declined");
		}
	}
	return held;
}

static void print_leases(const json_t *status)
{
	const json_t *leases = json_object_get(status, "leases");
	long long more = held_of(status) - (long long)json_array_size(leases);
	size_t i;
	json_t *lease;
	if (json_array_size(leases) > 0)
		printf("\n%-15s  %-17s  %-8s  %-14s  %s\n", "address", "client", "state",
			"until (UTC)", "left");
	json_array_foreach(leases, i, lease) print_lease(lease, speaks_text(status));
	if (more > 0)
		printf("%s%lld more: --leases lists all\n",
			json_array_size(leases) > 0 ? "" : "\nleases: ", more);
}

static void print_messages(const json_t *status)
{
	const json_t *received = json_object_get(status, "received");
	const json_t *sent = json_object_get(status, "sent");
	printf("\n%-15s %10s %10s\n", "messages", "received", "sent");
	for (unsigned i = 0; i < DHCP_SERVER_TYPES; i++) {
		const char *name = dhcp_server_counter_name(i);
		if (number_of(received, name) + number_of(sent, name) > 0)
			printf("%-15s %10lld %10lld\n", name, number_of(received, name),
				number_of(sent, name));
	}
}

/* A counter that is not 0, and what it means; before the first one *title. */
static void print_counter(
	const json_t *counters, const char *name, const char *text, const char **title)
{
	if (number_of(counters, name) == 0)
		return;
	/* Made for the log, where an address follows. */
	if (text_starts_with(text, "ignored: "))
		text += strlen("ignored: ");
	printf("%s%8lld  %-16s %.*s\n", *title, number_of(counters, name), name,
		(int)strcspn(text, ":"), text);
	*title = "";
}

static void print_counters(const json_t *status)
{
	const struct server_status_counter *counter;
	const char *title = "\nwhat came of datagrams\n";
	for (unsigned i = 0; i < DHCP_TEXT_OUTCOMES; i++)
		print_counter(json_object_get(status, "outcomes"), dhcp_text_outcome_name(i),
			dhcp_text_outcome_text(i), &title);
	title = "\nno answer, or another than was asked for\n";
	for (unsigned i = 0; i < DHCP_SERVER_REASONS; i++)
		print_counter(json_object_get(status, "reasons"), dhcp_server_reason_name(i),
			dhcp_server_reason_text(i), &title);
	title = "\nbesides\n";
	for (size_t i = 0; (counter = server_status_counter(i)); i++)
		print_counter(
			json_object_get(status, "counters"), counter->name, counter->text, &title);
}

static void print_status(const json_t *status)
{
	size_t i;
	json_t *subnet;
	print_server(status);
	printf("\n%-24s %10s %10s %10s %10s %10s\n", "subnet", "addresses", "bound", "offered",
		"declined", "free");
	json_array_foreach(json_object_get(status, "subnets"), i, subnet)
		print_subnet(subnet, speaks_text(status));
	print_leases(status);
	if (!speaks_text(status))
		print_messages(status);
	print_counters(status);
}

static void print_refused(const json_t *answer)
{
	const char *which = text_of(answer, "refused");
	printf("%s: %s refused\n", which,
		strchr(which, '/') ? "every renewal is" : "the next renewal will be");
}

static void print_allowed(const json_t *answer)
{
	printf("%s: renewed as before\n", text_of(answer, "allowed"));
}

static const struct option options[] = {
	{"leases", "[N]", "list N leases, or all of them; default: 20", accept_leases},
};

static const struct operator_command commands[] = {
	{.name = "status", .complete = add_leases, .print = print_status},
	{.name = "refuse-renewal", .has_operand = true, .print = print_refused},
	{.name = "allow-renewal", .has_operand = true, .print = print_allowed},
};

const struct operator_program server_operator = {
	.program = &server_program,
	.commands = commands,
	.command_count = ARRAY_LENGTH(commands),
	.options = options,
	.option_count = ARRAY_LENGTH(options),
};
