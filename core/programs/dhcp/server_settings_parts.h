/* What the parts of server_settings.h share. */
#ifndef PROGRAMS_DHCP_SERVER_SETTINGS_PARTS_H
#define PROGRAMS_DHCP_SERVER_SETTINGS_PARTS_H

#include "programs/dhcp/server_settings.h"

/*
 * Where the text protocol is spoken: refuse what it has no use for, fill in what was not given. Where
 * it is not: refuse what is its own. The first step of server_settings_check().
 */
int server_settings_check_protocol(struct server_settings *settings, struct error *error);

/* Where the option was given in that section; NULL where it was not. */
const char *server_settings_given(const struct server_section *section, const char *name);

/* Put settings->machine together from what was checked: the last step of server_settings_check(). */
int server_settings_build(struct server_settings *settings, struct error *error);

#endif
