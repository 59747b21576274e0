/*
 * dhcp-client where the report's text protocol is spoken: the edge around dhcp/text_client.h. It
 * needs no privilege and touches no interface. With --once it prints the address alone, else it is
 * used as a person would: a status line, and `q` to give the address back (client_status.h).
 */
#ifndef PROGRAMS_DHCP_TEXT_CLIENT_H
#define PROGRAMS_DHCP_TEXT_CLIENT_H

#include "programs/dhcp/client_settings.h"

/* Until it is done. Returns the exit status, or a negative errno. */
int text_client_run(const struct client_settings *settings, struct error *error);

#endif
