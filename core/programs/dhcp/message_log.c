#include "programs/dhcp/message_log.h"

#include <stdio.h>

#include "base/log.h"

/* The address that the message is about: asked for, held, or given. */
static struct ipv4 subject(const struct dhcp_message *message)
{
	struct ipv4 address = message->header.yiaddr;
	if (ipv4_is_none(address))
		address = message->header.ciaddr;
	if (ipv4_is_none(address))
		dhcp_message_address(message, DHCP_OPTION_REQUESTED_ADDRESS, &address);
	return address;
}

void message_log_received(const struct dhcp_message *message, const char *interface)
{
	struct ipv4 giaddr = message->header.giaddr, address = subject(message);
	bool reply = message->header.op == DHCP_OP_REPLY;
	char about[IPV4_TEXT_SIZE + 8] = "";
	if (!ipv4_is_none(address))
		snprintf(about, sizeof(about), " %s%s", reply ? "" : "for ", IPV4_TEXT(address));
	log_line("%s%s %s %s via %s", dhcp_message_type_name(message->type), about,
		reply ? "received for" : "from", DHCP_HARDWARE_TEXT(&message->header.chaddr),
		ipv4_is_none(giaddr) ? interface : IPV4_TEXT(giaddr));
}

void message_log_sent(
	const struct dhcp_actions *actions, const struct dhcp_destination *destination)
{
	const struct dhcp_header *header = &actions->header;
	char about[IPV4_TEXT_SIZE + 1] = "";
	struct ipv4 address = ipv4_is_none(header->yiaddr) ? header->ciaddr : header->yiaddr;
	if (!ipv4_is_none(address))
		snprintf(about, sizeof(about), " %s", IPV4_TEXT(address));
	const char *receiver = destination->kind == DHCP_TO_BROADCAST
				       ? "broadcast"
				       : IPV4_TEXT(destination->address);
	if (header->op == DHCP_OP_REQUEST)
		log_line("%s%s to %s for %s", dhcp_message_type_name(actions->type), about,
			receiver, DHCP_HARDWARE_TEXT(&header->chaddr));
	else
		log_line("%s%s to %s via %s", dhcp_message_type_name(actions->type), about,
			DHCP_HARDWARE_TEXT(&header->chaddr), receiver);
}

void message_log_report(const struct dhcp_report *report)
{
	bool address = !ipv4_is_none(report->address), hardware = report->hardware.length > 0;
	log_line("%s%s%s%s%s", report->text, address ? " " : "",
		address ? IPV4_TEXT(report->address) : "", hardware ? " for " : "",
		hardware ? DHCP_HARDWARE_TEXT(&report->hardware) : "");
}
