/* `dhcp-relay status`: what the relay tells of itself, and how a person reads it. */
#ifndef PROGRAMS_DHCP_RELAY_STATUS_H
#define PROGRAMS_DHCP_RELAY_STATUS_H

#include "base/json.h"
#include "programs/dhcp/relay_links.h"
#include "programs/shared/operator.h"

/*
 * requests, replies: passed on, by message type. dropped: by reason (dhcp_relay_reason_name()).
 * option_82: added, replaced, kept, left_out, removed. interfaces, servers: one object each.
 * A new reference; NULL when memory is gone.
 */
json_t *relay_status(
	const struct dhcp_relay *relay, const struct relay_links *links, uint64_t uptime_seconds);

/* The asking side: `dhcp-relay status`. */
extern const struct operator_program relay_operator;

#endif
