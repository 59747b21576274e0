/* A lease as the environment of a hook, in busybox udhcpc's names. */
#ifndef PROGRAMS_DHCP_HOOK_ENVIRONMENT_H
#define PROGRAMS_DHCP_HOOK_ENVIRONMENT_H

#include "dhcp/client_lease.h"

/*
 * Our own environment and the lease's, NULL-terminated, in one allocation that the caller frees;
 * NULL when memory is gone. Values are addresses, numbers, hexadecimal, and text of letters,
 * digits and "._:/@+-": a text with anything else is only there as optNN, in hexadecimal.
 */
char **hook_environment(
	const char *interface, const struct dhcp_client_lease *lease, uint64_t now_ns);

#endif
