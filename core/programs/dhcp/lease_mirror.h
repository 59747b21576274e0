/* The configuration as tables of the lease database, for people who query it. */
#ifndef PROGRAMS_DHCP_LEASE_MIRROR_H
#define PROGRAMS_DHCP_LEASE_MIRROR_H

#include <sqlite3.h>

#include "base/error.h"
#include "dhcp/settings.h"

/*
 * Make `subnets`, `pools`, `options` and `bindings` equal to the settings, within a transaction of
 * the caller's.
 */
int lease_mirror(
	sqlite3 *database, const struct dhcp_server_settings *settings, struct error *error);

#endif
