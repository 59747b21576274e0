/*
 * One log line a DHCP message, in the words people know from other servers:
 *
 *	DHCPDISCOVER from 02:00:00:00:00:01 via 10.0.2.1
 *	DHCPOFFER 10.0.2.100 to 02:00:00:00:00:01 via 10.0.2.1
 */
#ifndef PROGRAMS_DHCP_MESSAGE_LOG_H
#define PROGRAMS_DHCP_MESSAGE_LOG_H

#include "dhcp/action.h"

/* `interface`: the name or address it came in by, shown where no relay is. */
void message_log_received(const struct dhcp_message *message, const char *interface);

/* The message of `actions`, sent to `destination`. */
void message_log_sent(
	const struct dhcp_actions *actions, const struct dhcp_destination *destination);

void message_log_report(const struct dhcp_report *report);

#endif
