/* Interfaces by the names that people give them: as long as Linux takes, not 15 characters. */
#ifndef PROGRAMS_SHARED_INTERFACE_NAME_H
#define PROGRAMS_SHARED_INTERFACE_NAME_H

#include <net/if.h>

#include "base/error.h"

enum { INTERFACE_NAME_MOST = 127 }; /* ALTIFNAMSIZ - 1 */

/*
 * The short name of the interface with the alternative name `name` (altname in `ip link`). One of up
 * to 15 characters is copied: nobody is asked whether it is there. -ENODEV: there is none, or the
 * kernel is older than Linux 5.5.
 */
int interface_name_find(const char *name, char ret_name[static IF_NAMESIZE], struct error *error);

#endif
