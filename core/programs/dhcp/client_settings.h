/* The options of dhcp-client, checked. */
#ifndef PROGRAMS_DHCP_CLIENT_SETTINGS_H
#define PROGRAMS_DHCP_CLIENT_SETTINGS_H

#include <net/if.h>
#include <stdbool.h>

#include "base/endpoint.h"
#include "dhcp/client.h"
#include "programs/shared/options.h"

struct client_settings {
	bool text; /* the report's protocol is spoken with `server`, not DHCP */
	struct endpoint server;
	char interface[IF_NAMESIZE];
	bool once, release, interactive, json, inform, no_configure, has_wait;
	uint64_t hook_ns;
	char *hook, *lease_file, *resolver_file; /* owned; NULL: not given */
	bool no_resolver_file;
	/* Without mac, interface and seed; what it points to are the texts below. */
	struct dhcp_client_settings machine;
	char *host_name, *vendor_class; /* owned */
	uint8_t client_id[DHCP_CLIENT_ID_MAX];
	uint8_t request[254];
};

extern const struct program client_program;

/*
 * Read the command line. `settings` is zeroed; release it with client_settings_finish() in any
 * case. Returns 0, or a negative errno: the program exits EXIT_MISUSE.
 */
int client_settings_read(
	int argc, char **argv, struct client_settings *settings, struct error *error);
void client_settings_finish(struct client_settings *settings);

#endif
