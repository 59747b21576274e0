/*
 * What the client sends (RFC 2131 section 4.4.1, table 5), and which answers are its own: for
 * client.c alone.
 */
#ifndef DHCP_CLIENT_MESSAGE_H
#define DHCP_CLIENT_MESSAGE_H

#include "dhcp/client.h"

/* Append the sending of a message of that type, as the client's state asks for it. */
void dhcp_client_send(
	struct dhcp_client *client, unsigned type, uint64_t now_ns, struct dhcp_actions *actions);

/* Whether `message` answers what the client sent last, and comes from a server that it asked. */
bool dhcp_client_is_answer(const struct dhcp_client *client, const struct dhcp_message *message);

#endif
