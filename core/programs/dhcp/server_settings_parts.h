/* What the parts of server_settings.h share. */
#ifndef PROGRAMS_DHCP_SERVER_SETTINGS_PARTS_H
#define PROGRAMS_DHCP_SERVER_SETTINGS_PARTS_H

#include "programs/dhcp/server_settings.h"

/* Put settings->machine together from what was checked: the last step of server_settings_check(). */
int server_settings_build(struct server_settings *settings, struct error *error);

#endif
