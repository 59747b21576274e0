/*
 * One wake-up of dhcp-server: what has arrived is received, parsed and stepped; answers that depend
 * on no stored lease leave; the leases that changed are committed in one transaction; then, and only
 * then, the answers that promise them leave. Where the commit fails they are withheld, their clients
 * ask again, and the machine is told.
 */
#ifndef PROGRAMS_DHCP_SERVER_BATCH_H
#define PROGRAMS_DHCP_SERVER_BATCH_H

#include "programs/dhcp/server_program.h"

int server_batch_open(struct server_program_state *state, struct error *error);
void server_batch_close(struct server_program_state *state);

/* The socket has something; the deadline has come; somebody uses an address that is probed. */
void server_batch_receive(struct server_program_state *state);
void server_batch_timer(struct server_program_state *state);
void server_batch_in_use(struct server_program_state *state, struct ipv4 address);

/* Tell the machine what this machine's addresses are now. */
void server_batch_learn_addresses(struct server_program_state *state);

#endif
