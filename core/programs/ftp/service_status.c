#include "programs/ftp/service_status.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "programs/ftp/ftp_settings.h"
#include "programs/ftp/text_guest.h"

static json_t *number(uint64_t value)
{
	return json_integer((json_int_t)value);
}

static double seconds_since(uint64_t then_ns)
{
	return (double)(clock_monotonic_ns() - then_ns) / 1e9;
}

static json_t *transfer_status(const struct guest_view *view)
{
	if (!view->command)
		return json_null();
	double seconds = seconds_since(view->began_ns);
	CLEANUP(free_pointer)
	char *path = view->path ? text_sanitize(view->path, strlen(view->path)) : NULL;
	return json_pack("{s:s, s:s*, s:o, s:f, s:f}", "command", view->command, "path", path,
		"bytes", number(view->bytes), "seconds", seconds, "bytes_per_second",
		seconds > 0 ? (double)view->bytes / seconds : 0.0);
}

static json_t *guest_status(const struct guest *guest)
{
	struct guest_view view;
	guest->kind->view(guest, &view);
	CLEANUP(free_pointer)
	char *user = view.user ? text_sanitize(view.user, strlen(view.user)) : NULL;
	return json_pack("{s:s, s:s*, s:s, s:b, s:f, s:o}", "client", guest->name, "user", user,
		"state", view.state, "tls", view.secure, "connected_seconds",
		seconds_since(guest->arrived_ns), "transfer", transfer_status(&view));
}

static json_t *served_status(const struct service *service, size_t *left, size_t *not_listed)
{
	json_t *list = json_array();
	for (const struct guest *at = service->guests; at; at = at->next) {
		if (at->member.state != FTP_LINE_SERVED)
			continue;
		if (*left == 0) {
			++*not_listed;
			continue;
		}
		--*left;
		json_array_append_new(list, guest_status(at));
	}
	return list;
}

static json_t *waiting_status(const struct service *service, size_t *left, size_t *not_listed)
{
	json_t *list = json_array();
	size_t place = 0;
	for (struct ftp_line_member *member = ftp_line_first(&service->line); member;
		member = ftp_line_next(member)) {
		const struct guest *guest =
			(const struct guest *)((char *)member - offsetof(struct guest, member));
		place++;
		if (*left == 0) {
			++*not_listed;
			continue;
		}
		--*left;
		json_array_append_new(list,
			json_pack("{s:o, s:s, s:f}", "place", number(place), "client", guest->name,
				"waiting_seconds", seconds_since(guest->arrived_ns)));
	}
	return list;
}

static json_t *counters_status(const struct service *service)
{
	const struct service_counters *counters = &service->counters;
	const struct {
		const char *name;
		uint64_t value;
	} rows[] = {
		{"arrivals", counters->arrivals},
		{"refused", counters->refused},
		{"refused_for_address", counters->refused_for_address},
		{"gave_up_waiting", counters->gave_up_waiting},
		{"logins", counters->logins},
		{"wrong_logins", service->guesses.total},
		{"downloads", counters->downloads},
		{"uploads", counters->uploads},
		{"listings", counters->listings},
		{"failed_transfers", counters->failed_transfers},
		{"bytes_out", counters->bytes_out},
		{"bytes_in", counters->bytes_in},
	};
	json_t *object = json_object();
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
		json_object_set_new(object, rows[i].name, number(rows[i].value));
	return object;
}

json_t *service_answer(void *program, const struct words *request, struct error *error)
{
	const struct service *service = program;
	size_t left = SERVICE_STATUS_CLIENTS_MAX, not_listed = 0;
	if (request->count != 1 || strcmp(request->list[0], "status") != 0) {
		error_set(error, -EINVAL, "ftp-server answers 'status' alone");
		return NULL;
	}
	json_t *waiting = waiting_status(service, &left, &not_listed);
	json_t *served = served_status(service, &left, &not_listed);
	json_t *answer = json_pack("{s:s, s:s, s:s, s:f, s:{s:o, s:o, s:o}, s:o, s:o, s:o, s:o}",
		"program", ftp_server_program.name, "version", SIM_VERSION, "protocol",
		service->kind->protocol, "uptime_seconds", seconds_since(service->began_ns),
		"limits", "clients", number(service->line.clients), "waiting",
		number(service->line.places), "per_address", number(service->per_address), "served",
		served, "waiting", waiting, "not_listed", number(not_listed), "counters",
		counters_status(service));
	if (!answer)
		error_set(error, -ENOMEM, "out of memory");
	return answer;
}

/* --- for people --- */

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "-";
}

static double real_of(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

static long long whole_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static void print_served(const json_t *row)
{
	const json_t *transfer = json_object_get(row, "transfer");
	printf("%-24s %-12s %-10s %7.0f s %s", text_of(row, "client"), text_of(row, "user"),
		text_of(row, "state"), real_of(row, "connected_seconds"),
		json_is_true(json_object_get(row, "tls")) ? "TLS" : "");
	putchar('\n');
	if (json_is_object(transfer))
		printf("  %s %s: %lld bytes, %.1f MB/s\n", text_of(transfer, "command"),
			text_of(transfer, "path"), whole_of(transfer, "bytes"),
			real_of(transfer, "bytes_per_second") / 1e6);
}

static void print_status(const json_t *status)
{
	size_t i;
	json_t *row;
	const char *name;
	const json_t *limits = json_object_get(status, "limits");
	json_t *served = json_object_get(status, "served");
	json_t *waiting = json_object_get(status, "waiting");
	bool text = strcmp(text_of(status, "protocol"), text_guest_kind.protocol) == 0;
	printf("ftp-server %s%s, up %.0f s\n\n", text_of(status, "version"),
		text ? ", the text protocol" : "", real_of(status, "uptime_seconds"));
	printf("served   %zu of %lld\n", json_array_size(served), whole_of(limits, "clients"));
	json_array_foreach(served, i, row) print_served(row);
	printf("\nin line  %zu of %lld\n", json_array_size(waiting), whole_of(limits, "waiting"));
	json_array_foreach(waiting, i, row) printf("%-24s number %lld, for %.0f s\n",
		text_of(row, "client"), whole_of(row, "place"), real_of(row, "waiting_seconds"));
	if (whole_of(status, "not_listed") > 0)
		printf("and %lld more\n", whole_of(status, "not_listed"));
	printf("\nsince the start\n");
	json_object_foreach(json_object_get(status, "counters"), name, row)
		printf("  %-22s %14lld\n", name, (long long)json_integer_value(row));
}

static const struct operator_command commands[] = {
	{.name = "status", .print = print_status},
};

const struct operator_program ftp_server_operator = {
	.program = &ftp_server_program,
	.commands = commands,
	.command_count = ARRAY_LENGTH(commands),
};
