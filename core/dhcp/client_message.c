#include "dhcp/client_message.h"

#include <string.h>

#include "base/clock.h"

enum {
	SIZE_WISH = 1500, /* RFC 2132 section 9.10: of the datagram */
	PARAMETERS_MAX = 255,
};

/* Option 121 before 3: RFC 3442. */
static const uint8_t parameters[] = {
	DHCP_OPTION_SUBNET_MASK,
	DHCP_OPTION_CLASSLESS_ROUTES,
	DHCP_OPTION_ROUTER,
	DHCP_OPTION_DNS,
	DHCP_OPTION_DOMAIN,
	DHCP_OPTION_DOMAIN_SEARCH,
	DHCP_OPTION_MTU,
	DHCP_OPTION_BROADCAST,
	DHCP_OPTION_NTP,
};

static const uint8_t lease_parameters[] = {
	DHCP_OPTION_LEASE_TIME,
	DHCP_OPTION_SERVER_ID,
	DHCP_OPTION_T1,
	DHCP_OPTION_T2,
};

static void put_codes(
	uint8_t list[static PARAMETERS_MAX], size_t *count, const uint8_t *codes, size_t code_count)
{
	for (size_t i = 0; i < code_count; i++)
		if (*count < PARAMETERS_MAX && !memchr(list, codes[i], *count))
			list[(*count)++] = codes[i];
}

static void put_wishes(
	const struct dhcp_client *client, unsigned type, struct dhcp_builder *builder)
{
	uint8_t list[PARAMETERS_MAX] = {0};
	size_t count = 0;
	put_codes(list, &count, parameters, sizeof(parameters));
	if (type != DHCPINFORM)
		put_codes(list, &count, lease_parameters, sizeof(lease_parameters));
	put_codes(list, &count, client->settings.request.bytes, client->settings.request.length);
	if (type != DHCPINFORM && client->settings.lease_seconds)
		dhcp_builder_u32(builder, DHCP_OPTION_LEASE_TIME, client->settings.lease_seconds);
	if (type == DHCPDISCOVER && client->settings.rapid_commit)
		dhcp_builder_bytes(builder, DHCP_OPTION_RAPID_COMMIT, NULL, 0);
	dhcp_builder_bytes(builder, DHCP_OPTION_PARAMETERS, list, count);
	dhcp_builder_u16(builder, DHCP_OPTION_MAXIMUM_SIZE, SIZE_WISH);
}

static void put_field(struct dhcp_builder *builder, uint8_t code, const struct dhcp_field *value)
{
	if (value->length)
		dhcp_builder_bytes(builder, code, value->bytes, value->length);
}

/* The address in option 50; none where the message has none. */
static struct ipv4 requested(const struct dhcp_client *client, unsigned type)
{
	if (type == DHCPDISCOVER)
		return client->wish;
	if (type == DHCPDECLINE)
		return client->lease.address.address;
	if (type != DHCPREQUEST)
		return (struct ipv4){0};
	if (client->state == DHCP_CLIENT_REQUESTING)
		return client->offered;
	return client->state == DHCP_CLIENT_REBOOTING ? client->lease.address.address
						      : (struct ipv4){0};
}

static void put_options(
	const struct dhcp_client *client, unsigned type, struct dhcp_builder *builder)
{
	bool names_server = type == DHCPRELEASE || type == DHCPDECLINE ||
			    (type == DHCPREQUEST && client->state == DHCP_CLIENT_REQUESTING);
	bool asks = type != DHCPRELEASE && type != DHCPDECLINE;
	struct ipv4 address = requested(client, type);
	put_field(builder, DHCP_OPTION_CLIENT_ID, &client->settings.client_id);
	if (!ipv4_is_none(address))
		dhcp_builder_address(builder, DHCP_OPTION_REQUESTED_ADDRESS, address);
	if (names_server && !ipv4_is_none(client->server))
		dhcp_builder_address(builder, DHCP_OPTION_SERVER_ID, client->server);
	if (!asks)
		return;
	put_field(builder, DHCP_OPTION_HOST_NAME, &client->settings.host_name);
	put_field(builder, DHCP_OPTION_VENDOR_CLASS, &client->settings.vendor_class);
	put_wishes(client, type, builder);
}

/* The address that the client speaks of as its own: in `ciaddr`, and the packet's source. */
static struct ipv4 own_address(const struct dhcp_client *client, unsigned type)
{
	if (type == DHCPINFORM)
		return client->settings.inform.address;
	bool renews =
		client->state == DHCP_CLIENT_RENEWING || client->state == DHCP_CLIENT_REBINDING;
	return type == DHCPRELEASE || (type == DHCPREQUEST && renews)
		       ? client->lease.address.address
		       : (struct ipv4){0};
}

void dhcp_client_send(
	struct dhcp_client *client, unsigned type, uint64_t now_ns, struct dhcp_actions *actions)
{
	struct ipv4 own = own_address(client, type);
	uint64_t secs = (now_ns - client->began_ns) / NS_PER_SECOND;
	actions->type = type;
	actions->header = (struct dhcp_header){
		.op = DHCP_OP_REQUEST,
		.xid = client->xid,
		.ciaddr = own,
		.chaddr = dhcp_hardware_from_mac(client->settings.mac),
	};
	if (type != DHCPRELEASE && type != DHCPDECLINE)
		actions->header.secs = secs < UINT16_MAX ? (uint16_t)secs : UINT16_MAX;
	struct dhcp_builder builder;
	dhcp_builder_init(
		&builder, actions->message, sizeof(actions->message), &actions->header, type);
	put_options(client, type, &builder);
	actions->message_length = dhcp_builder_finish(&builder);

	bool unicast = (type == DHCPRELEASE || client->state == DHCP_CLIENT_RENEWING) &&
		       type != DHCPDECLINE && !ipv4_is_none(client->server);
	struct dhcp_destination to = {
		.kind = unicast ? DHCP_TO_ADDRESS : DHCP_TO_BROADCAST,
		.address = unicast ? client->server : (struct ipv4){UINT32_MAX},
		.port = DHCP_SERVER_PORT,
		.interface = client->settings.interface,
		.source = own,
	};
	dhcp_actions_send(actions, &to);
	client->attempts++;
}

/* RFC 6842 section 3: an answer with another's identifier is another's. */
static bool is_for_us(const struct dhcp_client *client, const struct dhcp_message *message)
{
	struct dhcp_hardware hardware = dhcp_hardware_from_mac(client->settings.mac);
	const struct dhcp_field *own = &client->settings.client_id;
	struct dhcp_field echoed;
	if (message->header.op != DHCP_OP_REPLY || message->header.xid != client->xid ||
		!dhcp_hardware_equal(&message->header.chaddr, &hardware))
		return false;
	if (dhcp_message_bytes(message, DHCP_OPTION_CLIENT_ID, &echoed) != DHCP_PRESENT)
		return true;
	return echoed.length == own->length && memcmp(echoed.bytes, own->bytes, own->length) == 0;
}

bool dhcp_client_is_answer(const struct dhcp_client *client, const struct dhcp_message *message)
{
	struct ipv4 server;
	if (!is_for_us(client, message))
		return false;
	switch (dhcp_message_address(message, DHCP_OPTION_SERVER_ID, &server)) {
	case DHCP_MALFORMED:
		return false;
	case DHCP_ABSENT:
		return true;
	case DHCP_PRESENT:
		break;
	}
	bool asked_one =
		client->state == DHCP_CLIENT_REQUESTING || client->state == DHCP_CLIENT_RENEWING;
	return !asked_one || ipv4_is_none(client->server) || ipv4_equal(server, client->server);
}
