/*
 * What a person tells dhcp-server, on the command line or in its --config file: read line by line,
 * then checked as a whole and put together for the machine (dhcp/settings.h). README.md beside this
 * file is the manual of the grammar.
 *
 *	CLEANUP(server_settings_finish) struct server_settings settings = {0};
 *	options_read(&server_program, argc, argv, &settings, NULL, &error);
 *	server_settings_check(&settings, &error);
 *	... settings.machine ...
 *
 * To read everything again (SIGHUP) is to do the same once more with the same argv.
 */
#ifndef PROGRAMS_DHCP_SERVER_SETTINGS_H
#define PROGRAMS_DHCP_SERVER_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/endpoint.h"
#include "base/error.h"
#include "dhcp/option_list.h"
#include "dhcp/settings.h"
#include "programs/shared/options.h"

/* Every `origin` is owned: "FILE:LINE" or "command line". */

/* An option of the program that may stand once in its section, and where it stood. */
struct server_given {
	const char *name;
	char *origin;
};

/* A DHCP option and where it was written; its value is in the section's list. */
struct server_option {
	uint8_t code;
	char *origin;
};

/* What stands behind a `subnet`, or before the first: then it is every subnet's. */
struct server_section {
	struct prefix prefix;
	char *origin;
	struct server_given *given;
	size_t given_count;
	struct server_option *options;
	size_t option_count;
	struct dhcp_option_list values;
	struct dhcp_lease_times lease; /* 0: not said here */
	bool refuse_renewal, bootp, rapid_commit;
};

/* `pool` and `router` find their subnet by address; a router is a pool of one. */
struct server_range {
	struct dhcp_range range;
	size_t subnet; /* index in settings->subnets; set by server_settings_check() */
	char *origin;
};

struct server_binding {
	struct dhcp_binding binding;
	size_t subnet;
	bool duplicate; /* an earlier one has its client or its address: this one does not count */
	char *origin;
};

struct server_settings {
	char **interfaces; /* owned, each too; none: all */
	size_t interface_count;
	char *database, *control; /* owned; NULL where not given */
	bool text; /* the report's protocol is spoken, at `listen`, not DHCP */
	struct endpoint listen;
	struct server_section everywhere; /* what stands before the first `subnet` */
	struct server_section *subnets;
	size_t subnet_count;
	struct server_range *pools, *routers;
	size_t pool_count, router_count;
	struct server_binding *bindings;
	size_t binding_count;
	/*
	 * For the machine, which takes a seed besides. Its arrays belong to these settings and are
	 * complete after server_settings_check().
	 */
	struct dhcp_server_settings machine;
	/* Sentences about what does not count, to be told as errors; owned, each too. */
	char **complaints;
	size_t complaint_count;
	/* Private. Sections that are open, of the command line and of `open_file`; 0: none. */
	size_t open_section, open_file_section;
	char *open_file;
	struct dhcp_subnet_settings *machine_subnets;
	struct dhcp_range *machine_ranges;
	struct dhcp_binding *machine_bindings;
};

/* The program's options; their settings are a struct server_settings, `= {0}` at first. */
extern const struct program server_program;

/*
 * Fill in defaults, check what only the whole can tell, and put settings->machine together. The
 * sentence names what is wrong and where it stands. Of bindings that have the same client or the
 * same address the first counts, and `complaints` names both places.
 */
int server_settings_check(struct server_settings *settings, struct error *error);

/* Whether that interface is to be served. */
bool server_settings_serve(const struct server_settings *settings, const char *interface);

/* Tell the log what is served, and each complaint. */
void server_settings_log(const struct server_settings *settings);

void server_settings_finish(struct server_settings *settings);

#endif
