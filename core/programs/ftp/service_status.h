/*
 * `ftp-server status`: who is served and who waits, what moves at which rate, and counters. As JSON
 * on the control socket; as a table for people on the asking side.
 */
#ifndef PROGRAMS_FTP_SERVICE_STATUS_H
#define PROGRAMS_FTP_SERVICE_STATUS_H

#include "programs/ftp/service.h"
#include "programs/shared/control_socket.h"
#include "programs/shared/operator.h"

/* At most so many clients are listed; `not_listed` says how many more there are. */
enum { SERVICE_STATUS_CLIENTS_MAX = 1000 };

/* A control_socket_answer for a struct service. */
json_t *service_answer(void *service, const struct words *request, struct error *error);

/* The asking side. */
extern const struct operator_program ftp_server_operator;

#endif
