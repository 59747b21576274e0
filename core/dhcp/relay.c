#include "dhcp/relay.h"

#include <string.h>

#include "base/cleanup.h"
#include "dhcp/relay_agent.h"
#include "dhcp/rewrite.h"

enum { NOBODY = DHCP_RELAY_INTERFACES_MAX };

/* The name for programs, the text for the log. */
static const struct {
	const char *name, *text;
} reasons[DHCP_RELAY_REASONS] = {
	[DHCP_RELAY_MALFORMED] = {"malformed", "dropped: no DHCP message"},
	[DHCP_RELAY_TOO_LONG] = {"too-long", "dropped: longer than an Ethernet frame"},
	[DHCP_RELAY_NOT_SENT] = {"not-sent", "dropped: the system did not send it"},
	[DHCP_RELAY_NOT_A_CLIENT_INTERFACE] = {"not-a-client-interface",
		"dropped: a request on an interface without --interface"},
	[DHCP_RELAY_NO_GIADDR] = {"no-giaddr", "dropped: there is no address for giaddr now"},
	[DHCP_RELAY_TOO_MANY_HOPS] = {"too-many-hops", "dropped: it passed too many relays"},
	[DHCP_RELAY_TOO_EARLY] = {"too-early", "not passed on yet: its secs are too few"},
	[DHCP_RELAY_FORGED_GIADDR] = {"forged-giaddr",
		"dropped: a client's request with our own giaddr"},
	[DHCP_RELAY_UNKNOWN_GIADDR] = {"unknown-giaddr",
		"dropped: a request of a relay that is none of --downstream"},
	[DHCP_RELAY_FORGED_AGENT] = {"forged-option-82",
		"dropped: a client's request with option 82"},
	[DHCP_RELAY_AGENT_DROPPED] = {"option-82-not-wanted",
		"dropped: a request with option 82, which --policy says to drop"},
	[DHCP_RELAY_NO_OTHER_SERVER] = {"no-other-server",
		"dropped: it came from the only server it could go to"},
	[DHCP_RELAY_OTHER_GIADDR] = {"other-giaddr", "dropped: a reply for another relay"},
	[DHCP_RELAY_REPLY_OF_CLIENT] = {"reply-from-clients",
		"dropped: a reply from the clients' side and no known server"},
	[DHCP_RELAY_NOT_ECHOED] = {"option-82-not-echoed",
		"dropped: a reply without the option 82 that says whom it is for"},
};

const char *dhcp_relay_reason_name(enum dhcp_relay_reason reason)
{
	return reasons[reason].name;
}

bool dhcp_relay_policy_parse(const char *text, enum dhcp_relay_policy *ret_policy)
{
	static const char *const names[] = {
		[DHCP_RELAY_FORWARD] = "forward",
		[DHCP_RELAY_REPLACE] = "replace",
		[DHCP_RELAY_DROP] = "drop",
	};
	for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
		if (strcmp(text, names[i]) != 0)
			continue;
		*ret_policy = (enum dhcp_relay_policy)i;
		return true;
	}
	return false;
}

unsigned dhcp_relay_type_slot(unsigned type)
{
	if (type == DHCP_BOOTREQUEST || type == DHCP_BOOTREPLY)
		return 0;
	return type >= DHCPDISCOVER && type <= DHCPINFORM ? type : DHCP_RELAY_TYPES - 1;
}

void dhcp_relay_init(struct dhcp_relay *relay, const struct dhcp_relay_settings *settings)
{
	*relay = (struct dhcp_relay){.settings = *settings};
}

void dhcp_relay_set_interface(
	struct dhcp_relay *relay, size_t which, const struct dhcp_relay_interface *interface)
{
	relay->settings.interfaces[which] = *interface;
}

void dhcp_relay_set_uplink(struct dhcp_relay *relay, struct ipv4 address)
{
	relay->uplink = address;
}

void dhcp_relay_count(struct dhcp_relay *relay, enum dhcp_relay_reason reason)
{
	relay->reasons[reason]++;
}

static void drop(struct dhcp_relay *relay, const struct dhcp_relay_event *event,
	enum dhcp_relay_reason reason, struct dhcp_actions *actions)
{
	struct dhcp_report report = {
		.text = reasons[reason].text,
		.address = event->source,
		.hardware = event->message->header.chaddr,
	};
	dhcp_relay_count(relay, reason);
	dhcp_actions_report(actions, &report);
}

static size_t interface_of_index(const struct dhcp_relay *relay, unsigned index)
{
	for (size_t i = 0; i < relay->settings.interface_count; i++)
		if (index != 0 && relay->settings.interfaces[i].index == index)
			return i;
	return NOBODY;
}

static size_t interface_of_address(const struct dhcp_relay *relay, struct ipv4 address)
{
	for (size_t i = 0; i < relay->settings.interface_count; i++)
		if (relay->settings.interfaces[i].index != 0 && !ipv4_is_none(address) &&
			ipv4_equal(relay->settings.interfaces[i].address.address, address))
			return i;
	return NOBODY;
}

static size_t server_of_address(const struct dhcp_relay *relay, struct ipv4 address)
{
	size_t i = 0;
	while (i < relay->settings.server_count && !ipv4_equal(relay->settings.servers[i], address))
		i++;
	return i;
}

static bool is_ours(const struct dhcp_relay *relay, struct ipv4 giaddr)
{
	return interface_of_address(relay, giaddr) != NOBODY || ipv4_equal(relay->uplink, giaddr);
}

static bool is_downstream(const struct dhcp_relay *relay, struct ipv4 giaddr)
{
	for (size_t i = 0; i < relay->settings.downstream_count; i++)
		if (prefix_contains(relay->settings.downstream[i], giaddr))
			return true;
	return relay->settings.downstream_count == 0;
}

static bool has_agent(const struct dhcp_message *message)
{
	struct dhcp_field field;
	return dhcp_message_bytes(message, DHCP_OPTION_RELAY_AGENT, &field) != DHCP_ABSENT;
}

/* Only what a client begins with counts its seconds: DECLINE and RELEASE have none (RFC 2131). */
static bool too_early(const struct dhcp_relay *relay, const struct dhcp_message *message)
{
	bool begins = message->type == DHCPDISCOVER || message->type == DHCPREQUEST ||
		      message->type == DHCP_BOOTREQUEST;
	return begins && message->header.secs < relay->settings.secs_least;
}

/* Not back to where it came from (RFC 1542 section 4.1.1): its relay, or the link it was on. */
static bool is_back(struct ipv4 server, const struct dhcp_relay_event *event,
	const struct dhcp_relay_interface *from)
{
	bool broadcasts = from->address.length < 31; /* RFC 3021 */
	return ipv4_equal(server, event->source) ||
	       (broadcasts && ipv4_equal(server, prefix_broadcast(from->address)));
}

static bool has_server(const struct dhcp_relay *relay, const struct dhcp_relay_event *event,
	const struct dhcp_relay_interface *from)
{
	for (size_t i = 0; i < relay->settings.server_count; i++)
		if (!is_back(relay->settings.servers[i], event, from))
			return true;
	return false;
}

/* Why the request is not passed on; DHCP_RELAY_REASONS where it is. */
static enum dhcp_relay_reason request_refused(
	const struct dhcp_relay *relay, const struct dhcp_relay_event *event, size_t which)
{
	const struct dhcp_relay_settings *settings = &relay->settings;
	const struct dhcp_relay_interface *from = &settings->interfaces[which];
	const struct dhcp_header *header = &event->message->header;
	bool first = ipv4_is_none(header->giaddr), agent = has_agent(event->message);
	if (header->hops > settings->hops_most)
		return DHCP_RELAY_TOO_MANY_HOPS;
	if (!first && (event->own_giaddr || is_ours(relay, header->giaddr)))
		return DHCP_RELAY_FORGED_GIADDR;
	if (!first && !is_downstream(relay, header->giaddr))
		return DHCP_RELAY_UNKNOWN_GIADDR;
	if (first && agent && !from->trusted)
		return DHCP_RELAY_FORGED_AGENT;
	if (agent && settings->policy == DHCP_RELAY_DROP)
		return DHCP_RELAY_AGENT_DROPPED;
	if (first && (ipv4_is_none(from->address.address) ||
			     (settings->link_selection && ipv4_is_none(relay->uplink))))
		return DHCP_RELAY_NO_GIADDR;
	if (first && too_early(relay, event->message))
		return DHCP_RELAY_TOO_EARLY;
	if (!has_server(relay, event, from))
		return DHCP_RELAY_NO_OTHER_SERVER;
	return DHCP_RELAY_REASONS;
}

/* Our option 82 for clients of that interface; the length may be 0: then there is none. */
static size_t agent_build(const struct dhcp_relay *relay, const struct dhcp_relay_interface *from,
	bool link_selection, uint8_t bytes[static DHCP_RELAY_AGENT_MAX])
{
	struct writer option = writer_over(bytes, DHCP_RELAY_AGENT_MAX);
	if (!relay->settings.agent)
		return 0;
	if (from->circuit.length)
		dhcp_relay_agent_append(&option, DHCP_RELAY_AGENT_CIRCUIT_ID, from->circuit.bytes,
			from->circuit.length);
	if (from->remote.length)
		dhcp_relay_agent_append(&option, DHCP_RELAY_AGENT_REMOTE_ID, from->remote.bytes,
			from->remote.length);
	if (link_selection) {
		uint8_t address[4];
		struct writer writer = writer_over(address, sizeof(address));
		write_be32(&writer, from->address.address.host);
		dhcp_relay_agent_append(
			&option, DHCP_RELAY_AGENT_LINK_SELECTION, address, sizeof(address));
	}
	return writer_used(&option);
}

/* Put our option 82 into the request, where it belongs there. True where it has it now. */
static bool agent_add(struct dhcp_relay *relay, const struct dhcp_relay_event *event,
	const struct dhcp_relay_interface *from, struct dhcp_actions *actions)
{
	const struct dhcp_relay_settings *settings = &relay->settings;
	struct dhcp_rewrite rewrite = {
		.bytes = actions->message,
		.length = actions->message_length,
		.size = settings->size_most < sizeof(actions->message) ? settings->size_most
								       : sizeof(actions->message),
	};
	uint8_t option[DHCP_RELAY_AGENT_MAX];
	bool first = ipv4_is_none(event->message->header.giaddr);
	bool theirs = has_agent(event->message);
	if (theirs && settings->policy == DHCP_RELAY_FORWARD) {
		relay->agent.kept++;
		return false;
	}
	if (theirs)
		dhcp_rewrite_remove(&rewrite, DHCP_OPTION_RELAY_AGENT);
	size_t length = agent_build(relay, from, first && settings->link_selection, option);
	bool added = length > 0 && (first || theirs) &&
		     dhcp_rewrite_append(&rewrite, DHCP_OPTION_RELAY_AGENT, option, length);
	actions->message_length = rewrite.length;
	relay->agent.added += added && !theirs;
	relay->agent.replaced += added && theirs;
	relay->agent.left_out += !added && length > 0 && (first || theirs);
	return added;
}

static void send_to_servers(struct dhcp_relay *relay, const struct dhcp_relay_event *event,
	size_t which, struct dhcp_actions *actions)
{
	const struct dhcp_relay_settings *settings = &relay->settings;
	for (size_t i = 0; i < settings->server_count; i++) {
		struct dhcp_destination to = {
			.kind = DHCP_TO_ADDRESS,
			.address = settings->servers[i],
			.port = DHCP_SERVER_PORT,
		};
		if (is_back(to.address, event, &settings->interfaces[which]))
			continue;
		dhcp_actions_send(actions, &to);
		relay->server_requests[i]++;
	}
	relay->requests[dhcp_relay_type_slot(event->message->type)]++;
	relay->interface_requests[which]++;
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
	size_t which = interface_of_index(relay, event->interface);
	enum dhcp_relay_reason refused = DHCP_RELAY_NOT_A_CLIENT_INTERFACE;
	if (which != NOBODY)
		refused = request_refused(relay, event, which);
	if (refused != DHCP_RELAY_REASONS) {
		drop(relay, event, refused, actions);
		return;
	}
	const struct dhcp_relay_interface *from = &relay->settings.interfaces[which];
	pass_on(event, actions);
	bool added = agent_add(relay, event, from, actions);
	if (ipv4_is_none(header->giaddr)) {
		/* Without our option nobody could tell whom a reply to the uplink is for. */
		bool uplink = added && relay->settings.link_selection;
		actions->header.giaddr = uplink ? relay->uplink : from->address.address;
	}
	actions->header.hops = (uint8_t)(header->hops + 1);
	dhcp_message_set_relay(actions->message, actions->header.hops, actions->header.giaddr);
	send_to_servers(relay, event, which, actions);
}

/*
 * The interface that the reply is for: by giaddr, or by the link selection that the server has
 * echoed. Where there is none, NOBODY, and *ret_refused says why.
 */
static size_t reply_interface(const struct dhcp_relay *relay, const struct dhcp_message *message,
	enum dhcp_relay_reason *ret_refused)
{
	struct ipv4 giaddr = message->header.giaddr, link;
	struct dhcp_field option;
	*ret_refused = DHCP_RELAY_OTHER_GIADDR;
	size_t which = interface_of_address(relay, giaddr);
	if (which != NOBODY || !relay->settings.link_selection || ipv4_is_none(giaddr) ||
		!ipv4_equal(giaddr, relay->uplink))
		return which;
	*ret_refused = DHCP_RELAY_NOT_ECHOED;
	if (dhcp_message_bytes(message, DHCP_OPTION_RELAY_AGENT, &option) != DHCP_PRESENT ||
		dhcp_relay_agent_address(&option, DHCP_RELAY_AGENT_LINK_SELECTION, &link) !=
			DHCP_PRESENT)
		return NOBODY;
	return interface_of_address(relay, link);
}

/* Where to send a reply for a client of `towards` (RFC 2131 section 4.1, RFC 1542 section 4.1.2).
 */
static struct dhcp_destination reply_destination(
	const struct dhcp_message *message, const struct dhcp_relay_interface *towards)
{
	const struct dhcp_header *header = &message->header;
	struct ipv4 address = ipv4_is_none(header->yiaddr) ? header->ciaddr : header->yiaddr;
	struct dhcp_destination to = {
		.kind = DHCP_TO_BROADCAST,
		.address = {UINT32_MAX},
		.port = DHCP_CLIENT_PORT,
		.interface = towards->index,
		.source = towards->address.address,
	};
	if (!header->broadcast && message->type != DHCPNAK && !ipv4_is_none(address) &&
		dhcp_hardware_mac(&header->chaddr, &to.mac)) {
		to.kind = DHCP_TO_HARDWARE;
		to.address = address;
	}
	return to;
}

/* Ours is what we would have added for that interface, to the byte: servers echo it exactly. */
static void agent_remove(struct dhcp_relay *relay, const struct dhcp_relay_event *event,
	const struct dhcp_relay_interface *towards, struct dhcp_actions *actions)
{
	struct dhcp_field field;
	uint8_t option[DHCP_RELAY_AGENT_MAX];
	bool selected = relay->settings.link_selection &&
			ipv4_equal(event->message->header.giaddr, relay->uplink);
	size_t length = agent_build(relay, towards, selected, option);
	if (length == 0 ||
		dhcp_message_bytes(event->message, DHCP_OPTION_RELAY_AGENT, &field) != DHCP_PRESENT)
		return;
	if (field.length != length || memcmp(field.bytes, option, length) != 0)
		return;
	struct dhcp_rewrite rewrite = {
		.bytes = actions->message,
		.length = actions->message_length,
		.size = sizeof(actions->message),
	};
	dhcp_rewrite_remove(&rewrite, DHCP_OPTION_RELAY_AGENT);
	actions->message_length = rewrite.length;
	relay->agent.removed++;
}

static void relay_reply(struct dhcp_relay *relay, const struct dhcp_relay_event *event,
	struct dhcp_actions *actions)
{
	enum dhcp_relay_reason refused;
	size_t which = reply_interface(relay, event->message, &refused);
	size_t server = server_of_address(relay, event->source);
	bool known = server < relay->settings.server_count;
	if (which != NOBODY && !known && interface_of_index(relay, event->interface) != NOBODY) {
		refused = DHCP_RELAY_REPLY_OF_CLIENT;
		which = NOBODY;
	}
	if (which == NOBODY) {
		drop(relay, event, refused, actions);
		return;
	}
	const struct dhcp_relay_interface *towards = &relay->settings.interfaces[which];
	struct dhcp_destination to = reply_destination(event->message, towards);
	pass_on(event, actions);
	agent_remove(relay, event, towards, actions);
	dhcp_actions_send(actions, &to);
	relay->replies[dhcp_relay_type_slot(event->message->type)]++;
	relay->interface_replies[which]++;
	if (known)
		relay->server_replies[server]++;
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
