/*
 * Readiness, as systemd's service notification has it: one datagram "READY=1" to the socket named
 * by NOTIFY_SOCKET, once the program can do its work.
 */
#ifndef PROGRAMS_SHARED_NOTIFY_H
#define PROGRAMS_SHARED_NOTIFY_H

#include "base/error.h"

/* Does nothing where NOTIFY_SOCKET is not set. */
int notify_ready(struct error *error);

#endif
