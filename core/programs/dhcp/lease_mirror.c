#include "programs/dhcp/lease_mirror.h"

#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "dhcp/option_text.h"
#include "programs/dhcp/lease_schema.h"

static const char what[] = "cannot store the configuration";

/* One statement, begun anew for each row. */
struct rows {
	sqlite3 *database;
	sqlite3_stmt *insert;
	int column; /* bound last */
};

static void rows_finish(struct rows *rows)
{
	sqlite3_finalize(rows->insert);
}

static int rows_begin(
	struct rows *rows, sqlite3 *database, const char *statement, struct error *error)
{
	*rows = (struct rows){.database = database};
	if (sqlite3_prepare_v2(database, statement, -1, &rows->insert, NULL) != SQLITE_OK)
		return lease_schema_error(database, what, error);
	return 0;
}

/* NULL: no value. */
static void add_text(struct rows *rows, const char *text)
{
	sqlite3_bind_text(rows->insert, ++rows->column, text, -1, SQLITE_TRANSIENT);
}

static void add_number(struct rows *rows, uint32_t number)
{
	sqlite3_bind_int64(rows->insert, ++rows->column, number);
}

static int end_row(struct rows *rows, struct error *error)
{
	int status = sqlite3_step(rows->insert) == SQLITE_DONE
			     ? 0
			     : lease_schema_error(rows->database, what, error);
	sqlite3_reset(rows->insert);
	sqlite3_clear_bindings(rows->insert);
	rows->column = 0;
	return status;
}

static int mirror_subnet(
	sqlite3 *database, const struct dhcp_subnet_settings *subnet, struct error *error)
{
	CLEANUP(rows_finish) struct rows rows = {0};
	int status = rows_begin(
		&rows, database, "INSERT INTO subnets VALUES (?, ?, ?, ?, ?, ?, ?)", error);
	if (status < 0)
		return status;
	add_text(&rows, PREFIX_TEXT(subnet->prefix));
	add_number(&rows, subnet->lease.usual);
	add_number(&rows, subnet->lease.least);
	add_number(&rows, subnet->lease.most);
	add_number(&rows, subnet->refuse_renewal);
	add_number(&rows, subnet->bootp);
	add_number(&rows, subnet->rapid_commit);
	return end_row(&rows, error);
}

static int mirror_ranges(
	sqlite3 *database, const struct dhcp_subnet_settings *subnet, struct error *error)
{
	CLEANUP(rows_finish) struct rows rows = {0};
	int status = rows_begin(&rows, database, "INSERT INTO pools VALUES (?, ?, ?)", error);
	for (size_t i = 0; status == 0 && i < subnet->range_count; i++) {
		add_text(&rows, PREFIX_TEXT(subnet->prefix));
		add_text(&rows, IPV4_TEXT(subnet->ranges[i].first));
		add_text(&rows, IPV4_TEXT(subnet->ranges[i].last));
		status = end_row(&rows, error);
	}
	return status;
}

static void format_value(const struct dhcp_option_value *option, struct text *text)
{
	struct dhcp_field value = {.bytes = option->bytes, .length = option->length};
	dhcp_option_text_format(option->code, value, ',', text);
}

static int mirror_options(
	sqlite3 *database, const struct dhcp_subnet_settings *subnet, struct error *error)
{
	CLEANUP(rows_finish) struct rows rows = {0};
	int status = rows_begin(&rows, database, "INSERT INTO options VALUES (?, ?, ?, ?)", error);
	for (size_t i = 0; status == 0 && i < subnet->options.count; i++) {
		const struct dhcp_option_value *option = &subnet->options.list[i];
		CLEANUP(text_finish) struct text text = {0};
		format_value(option, &text);
		add_text(&rows, PREFIX_TEXT(subnet->prefix));
		add_number(&rows, option->code);
		add_text(&rows, DHCP_OPTION_NAME(option->code));
		add_text(&rows, text_view(&text));
		status = end_row(&rows, error);
	}
	return status;
}

/* Whose the binding is: one of two columns. */
static void add_client(struct rows *rows, const struct dhcp_identity *client)
{
	struct dhcp_hardware hardware;
	struct dhcp_field id;
	char hex[2 * DHCP_CLIENT_ID_MAX + 1] = "";
	bool identified = dhcp_identity_client_id(client->bytes, client->length, &id);
	for (size_t i = 0; identified && i < id.length; i++)
		snprintf(hex + 2 * i, 3, "%02x", id.bytes[i]);
	bool known = dhcp_identity_hardware(client, &hardware);
	add_text(rows, known ? DHCP_HARDWARE_TEXT(&hardware) : NULL);
	add_text(rows, identified ? hex : NULL);
}

static int mirror_bindings(
	sqlite3 *database, const struct dhcp_subnet_settings *subnet, struct error *error)
{
	CLEANUP(rows_finish) struct rows rows = {0};
	int status =
		rows_begin(&rows, database, "INSERT INTO bindings VALUES (?, ?, ?, ?, ?)", error);
	for (size_t i = 0; status == 0 && i < subnet->binding_count; i++) {
		const struct dhcp_binding *binding = &subnet->bindings[i];
		CLEANUP(text_finish) struct text options = {0};
		for (size_t j = 0; j < binding->options.count; j++) {
			text_append(&options, "%s%s=", j ? " " : "",
				DHCP_OPTION_NAME(binding->options.list[j].code));
			format_value(&binding->options.list[j], &options);
		}
		add_text(&rows, IPV4_TEXT(binding->address));
		add_client(&rows, &binding->client);
		add_number(&rows, binding->lease_seconds);
		add_text(&rows, text_view(&options));
		status = end_row(&rows, error);
	}
	return status;
}

int lease_mirror(
	sqlite3 *database, const struct dhcp_server_settings *settings, struct error *error)
{
	static int (*const parts[])(sqlite3 * database, const struct dhcp_subnet_settings *subnet,
		struct error *error) = {
		mirror_subnet,
		mirror_ranges,
		mirror_options,
		mirror_bindings,
	};
	int status = lease_schema_run(database,
		"DELETE FROM subnets; DELETE FROM pools; DELETE FROM options; DELETE FROM bindings",
		what, error);
	for (size_t i = 0; status == 0 && i < settings->subnet_count; i++)
		for (size_t part = 0; status == 0 && part < ARRAY_LENGTH(parts); part++)
			status = parts[part](database, &settings->subnets[i], error);
	return status;
}
