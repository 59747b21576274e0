/* `dhcp-relay status`: what the relay tells of itself, and how a person reads it. */
#ifndef PROGRAMS_DHCP_RELAY_STATUS_H
#define PROGRAMS_DHCP_RELAY_STATUS_H

#include "base/json.h"
#include "programs/dhcp/relay_links.h"

/*
 * requests, replies: passed on, by message type. dropped: by reason (dhcp_relay_reason_name()).
 * option-82: added, replaced, kept, left-out, removed. interfaces, servers: one object each.
 * A new reference; NULL when memory is gone.
 */
json_t *relay_status(const struct dhcp_relay *relay, const struct relay_links *links);

/* Ask the running relay, as `argv` behind the word "status" says, and print. Returns the status. */
int relay_status_command(int argc, char **argv);

#endif
