/*
 * The host and domain names of a lease, as far as they can be believed: a peer chose them, and they
 * end in files, scripts and terminals. Letters, digits, '-' and '_' in labels of 1 to 63, dots
 * between; no label begins with '-'; a dot at the end is cut off.
 */
#ifndef PROGRAMS_DHCP_LEASE_NAMES_H
#define PROGRAMS_DHCP_LEASE_NAMES_H

#include <stdbool.h>

#include "base/text.h"
#include "dhcp/client_lease.h"

enum { LEASE_NAME_SIZE = 254 };

/* The name in a text option; false where there is none, or one not to be believed. */
bool lease_name(
	const struct dhcp_client_lease *lease, uint8_t code, char ret_name[static LEASE_NAME_SIZE]);

/* Append the believable names of option 119 to `text`, a space before each; returns how many. */
unsigned lease_search_names(const struct dhcp_client_lease *lease, struct text *text);

#endif
