#include "dhcp/relay.h"

#include <string.h>

static const char *const reason_texts[DHCP_RELAY_REASONS] = {
	[DHCP_RELAY_NOT_A_CLIENT_INTERFACE] =
		"dropped: a request on an interface without --interface",
	[DHCP_RELAY_TOO_MANY_HOPS] = "dropped: it passed 16 relays",
	[DHCP_RELAY_FORGED_GIADDR] = "dropped: a client's request with our own giaddr",
	[DHCP_RELAY_OTHER_GIADDR] = "dropped: a reply for another relay",
	[DHCP_RELAY_TOO_LONG] = "dropped: longer than an Ethernet frame",
};

void dhcp_relay_init(struct dhcp_relay *relay, const struct dhcp_relay_settings *settings)
{
	*relay = (struct dhcp_relay){.settings = *settings};
}

static void drop(struct dhcp_relay *relay, const struct dhcp_relay_event *event,
	enum dhcp_relay_reason reason, struct dhcp_actions *actions)
{
	relay->reasons[reason]++;
	struct dhcp_report report = {
		.text = reason_texts[reason],
		.address = event->message->header.giaddr,
		.hardware = event->message->header.chaddr,
	};
	dhcp_actions_report(actions, &report);
}

static const struct dhcp_relay_interface *interface_of_index(
	const struct dhcp_relay *relay, unsigned index)
{
	for (size_t i = 0; i < relay->settings.interface_count; i++)
		if (relay->settings.interfaces[i].index == index)
			return &relay->settings.interfaces[i];
	return NULL;
}

static const struct dhcp_relay_interface *interface_of_address(
	const struct dhcp_relay *relay, struct ipv4 address)
{
	for (size_t i = 0; i < relay->settings.interface_count; i++)
		if (ipv4_equal(relay->settings.interfaces[i].address, address))
			return &relay->settings.interfaces[i];
	return NULL;
}

static void pass_on(const struct dhcp_relay_event *event, struct dhcp_actions *actions)
{
	memcpy(actions->message, event->bytes, event->length);
	actions->message_length = event->length;
	actions->type = event->message->type;
	actions->header = event->message->header;
}

static void relay_request(struct dhcp_relay *relay, const struct dhcp_relay_event *event,
	struct dhcp_actions *actions)
{
	const struct dhcp_header *header = &event->message->header;
	const struct dhcp_relay_interface *from = interface_of_index(relay, event->interface);
	struct ipv4 giaddr = header->giaddr;
	if (!from) {
		drop(relay, event, DHCP_RELAY_NOT_A_CLIENT_INTERFACE, actions);
		return;
	}
	if (header->hops >= DHCP_HOPS_MAX) {
		drop(relay, event, DHCP_RELAY_TOO_MANY_HOPS, actions);
		return;
	}
	if (!ipv4_is_none(giaddr) && interface_of_address(relay, giaddr)) {
		drop(relay, event, DHCP_RELAY_FORGED_GIADDR, actions);
		return;
	}
	if (ipv4_is_none(giaddr))
		giaddr = from->address;
	pass_on(event, actions);
	actions->header.giaddr = giaddr;
	actions->header.hops = (uint8_t)(header->hops + 1);
	dhcp_message_set_relay(actions->message, actions->header.hops, giaddr);
	for (size_t i = 0; i < relay->settings.server_count; i++) {
		struct dhcp_destination to = {
			.kind = DHCP_TO_ADDRESS,
			.address = relay->settings.servers[i],
			.port = DHCP_SERVER_PORT,
		};
		dhcp_actions_send(actions, &to);
	}
	relay->requests++;
}

static void relay_reply(struct dhcp_relay *relay, const struct dhcp_relay_event *event,
	struct dhcp_actions *actions)
{
	const struct dhcp_header *header = &event->message->header;
	const struct dhcp_relay_interface *towards = NULL;
	if (!ipv4_is_none(header->giaddr))
		towards = interface_of_address(relay, header->giaddr);
	if (!towards) {
		drop(relay, event, DHCP_RELAY_OTHER_GIADDR, actions);
		return;
	}
	struct dhcp_destination to = {
		.kind = DHCP_TO_BROADCAST,
		.address = {UINT32_MAX},
		.port = DHCP_CLIENT_PORT,
		.interface = towards->index,
		.source = towards->address,
	};
	if (!header->broadcast && !ipv4_is_none(header->yiaddr) &&
		dhcp_hardware_mac(&header->chaddr, &to.mac)) {
		to.kind = DHCP_TO_HARDWARE;
		to.address = header->yiaddr;
	}
	pass_on(event, actions);
	dhcp_actions_send(actions, &to);
	relay->replies++;
}

void dhcp_relay_step(struct dhcp_relay *relay, const struct dhcp_relay_event *event,
	struct dhcp_actions *ret_actions)
{
	dhcp_actions_init(ret_actions);
	if (event->length > sizeof(ret_actions->message))
		drop(relay, event, DHCP_RELAY_TOO_LONG, ret_actions);
	else if (event->message->header.op == DHCP_OP_REQUEST)
		relay_request(relay, event, ret_actions);
	else
		relay_reply(relay, event, ret_actions);
}
