/*
 * What a person tells dhcp-relay, by options or a file.
 *
 * `--circuit-id`, `--remote-id` and `--trust` are of the `--interface` before them; before the
 * first one they are of every interface that follows without its own.
 */
#ifndef PROGRAMS_DHCP_RELAY_SETTINGS_H
#define PROGRAMS_DHCP_RELAY_SETTINGS_H

#include <net/if.h>

#include "dhcp/relay.h"
#include "programs/shared/options.h"

/* One --interface, and what was said of it. */
struct relay_interface_settings {
	char name[IF_NAMESIZE];
	bool circuit_said, remote_mac;
	struct dhcp_relay_id circuit, remote;
	bool trusted;
};

struct relay_settings {
	struct relay_interface_settings interfaces[DHCP_RELAY_INTERFACES_MAX];
	struct relay_interface_settings usual; /* said before the first --interface */
	struct dhcp_relay_settings relay; /* its interfaces come when the machine has them */
	char uplink[IF_NAMESIZE]; /* of --link-selection; empty: without */
	char control[108]; /* empty: the usual place */
	bool policy_said;
};

/* What is in force where nothing is said. */
void relay_settings_init(struct relay_settings *settings);

extern const struct program relay_program;

/* Read the command line, and check it as a whole. Fails with the sentence for a misuse. */
int relay_settings_read(
	int argc, char **argv, struct relay_settings *settings, struct error *error);

#endif
