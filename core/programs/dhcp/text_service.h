/*
 * A wake-up of dhcp-server where the report's text protocol is spoken (dhcp/text_server.h): what has
 * arrived is stepped; the leases that changed are committed in one transaction; then the answers
 * leave. Where the commit fails they are withheld; what nobody could be told of is free again.
 */
#ifndef PROGRAMS_DHCP_TEXT_SERVICE_H
#define PROGRAMS_DHCP_TEXT_SERVICE_H

#include "programs/dhcp/server_program.h"

/* Listen where the settings say. Close with text_service_close(), also after failure. */
int text_service_open(struct server_program_state *state, struct error *error);
void text_service_close(struct server_program_state *state);

/* What is to be watched for datagrams. */
int text_service_fd(const struct server_program_state *state);

/* The socket has something. */
void text_service_receive(struct server_program_state *state);

/* Tell the log that it begins, with what; and that it has ended. */
void text_service_log_start(const struct server_program_state *state);
void text_service_log_end(const struct server_program_state *state);

#endif
