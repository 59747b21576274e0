/*
 * Notices that some interface or IPv4 address of this machine came, went or changed (rtnetlink's
 * announcements; rtnetlink(7)). What has changed is read anew by local_interfaces_read(): an
 * announcement that got lost with others costs nothing then.
 */
#ifndef PROGRAMS_DHCP_ADDRESS_WATCH_H
#define PROGRAMS_DHCP_ADDRESS_WATCH_H

#include "base/error.h"

/* Readable when there is something new. The caller owns *ret_fd. */
int address_watch_open(int *ret_fd, struct error *error);

/* Take all announcements that wait, so that `fd` is readable again only with the next one. */
void address_watch_drain(int fd);

#endif
