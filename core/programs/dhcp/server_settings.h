/*
 * What a person tells dhcp-server, on the command line or in its --config file, read and then
 * checked as a whole: the order of the options does not matter.
 */
#ifndef PROGRAMS_DHCP_SERVER_SETTINGS_H
#define PROGRAMS_DHCP_SERVER_SETTINGS_H

#include "base/address.h"
#include "base/error.h"
#include "dhcp/settings.h"
#include "programs/shared/options.h"

/* A binding and where it was written. */
struct server_binding {
	struct mac mac;
	struct ipv4 address;
	char *origin; /* owned */
};

struct server_settings {
	char *interface, *database; /* owned; NULL where not given */
	bool has_subnet, has_pool;
	struct prefix subnet;
	struct ipv4 first, last, router; /* router may be none */
	uint32_t lease_seconds;
	struct server_binding *bindings; /* owned, in the order given */
	size_t binding_count;
};

/* The program's options; their settings are a struct server_settings, `= {0}` at first. */
extern const struct program server_program;

/* Fill in defaults and check what only the whole can tell. The sentence names what is wrong. */
int server_settings_check(struct server_settings *settings, struct error *error);

void server_settings_finish(struct server_settings *settings);

#endif
