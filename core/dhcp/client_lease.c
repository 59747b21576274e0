#include "dhcp/client_lease.h"

#include "base/clock.h"
#include "base/reader.h"
#include "base/writer.h"
#include "dhcp/option.h"

enum { OPTION_HEADER = 3, OPTION_FIRST = 1, OPTION_LAST = 254 };

bool dhcp_client_address_usable(struct ipv4 address)
{
	uint32_t net = address.host >> 24;
	return net != 0 && net != 127 && net < 224;
}

bool dhcp_client_prefix_usable(struct prefix prefix)
{
	if (prefix.length >= 31)
		return true; /* RFC 3021 */
	return prefix.length > 0 && !ipv4_equal(prefix.address, prefix_network(prefix)) &&
	       !ipv4_equal(prefix.address, prefix_broadcast(prefix));
}

/* The mask of the address's class, for a server that sends none (RFC 950). */
static unsigned class_length(struct ipv4 address)
{
	if (address.host >> 31 == 0)
		return 8;
	return address.host >> 30 == 2 ? 16 : 24;
}

bool dhcp_client_lease_add(
	struct dhcp_client_lease *lease, uint8_t code, const void *bytes, size_t length)
{
	size_t room = sizeof(lease->options) - lease->options_length;
	if (length > UINT16_MAX || OPTION_HEADER + length > room)
		return false;
	struct writer writer = writer_over(lease->options + lease->options_length, room);
	write_u8(&writer, code);
	write_be16(&writer, (uint16_t)length);
	write_bytes(&writer, bytes, length);
	lease->options_length = (uint16_t)(lease->options_length + writer_used(&writer));
	return true;
}

static void take_options(struct dhcp_client_lease *lease, const struct dhcp_message *message)
{
	struct dhcp_field value;
	for (unsigned code = OPTION_FIRST; code <= OPTION_LAST; code++)
		if (dhcp_message_bytes(message, (uint8_t)code, &value) == DHCP_PRESENT)
			dhcp_client_lease_add(lease, (uint8_t)code, value.bytes, value.length);
}

void dhcp_client_lease_set_times(struct dhcp_client_lease *lease, uint32_t t1, uint32_t t2)
{
	uint32_t seconds = lease->lease_seconds;
	lease->t1_ns = lease->t2_ns = lease->ends_ns = DHCP_NEVER;
	if (seconds == DHCP_LEASE_INFINITE)
		return;
	/* In eighths before the product: 2^32 s times 7 does not fit in nanoseconds. */
	uint64_t lease_ns = seconds * NS_PER_SECOND;
	uint64_t t1_ns = t1 ? t1 * NS_PER_SECOND : lease_ns / 2;
	uint64_t t2_ns = t2 ? t2 * NS_PER_SECOND : lease_ns / 8 * 7;
	if (t1_ns >= t2_ns || t2_ns >= lease_ns) {
		t1_ns = lease_ns / 2;
		t2_ns = lease_ns / 8 * 7;
	}
	lease->t1_ns = lease->obtained_ns + t1_ns;
	lease->t2_ns = lease->obtained_ns + t2_ns;
	lease->ends_ns = lease->obtained_ns + lease_ns;
}

static struct dhcp_client_lease lease_begin(const struct dhcp_message *message, uint64_t sent_ns)
{
	struct dhcp_client_lease lease = {
		.next_server = message->header.siaddr,
		.obtained_ns = sent_ns,
	};
	dhcp_message_address(message, DHCP_OPTION_SERVER_ID, &lease.server);
	take_options(&lease, message);
	return lease;
}

bool dhcp_client_lease_read(
	const struct dhcp_message *message, uint64_t sent_ns, struct dhcp_client_lease *ret_lease)
{
	struct dhcp_client_lease lease = lease_begin(message, sent_ns);
	struct ipv4 address = message->header.yiaddr;
	uint32_t mask, t1 = 0, t2 = 0;
	lease.address = (struct prefix){address, class_length(address)};
	if (!dhcp_client_address_usable(address) ||
		dhcp_message_u32(message, DHCP_OPTION_LEASE_TIME, &lease.lease_seconds) !=
			DHCP_PRESENT ||
		lease.lease_seconds == 0)
		return false;
	if (dhcp_message_u32(message, DHCP_OPTION_SUBNET_MASK, &mask) == DHCP_PRESENT &&
		(!prefix_length_of_mask(mask, &lease.address.length) ||
			!dhcp_client_prefix_usable(lease.address)))
		return false;
	dhcp_message_u32(message, DHCP_OPTION_T1, &t1);
	dhcp_message_u32(message, DHCP_OPTION_T2, &t2);
	dhcp_client_lease_set_times(&lease, t1, t2);
	*ret_lease = lease;
	return true;
}

void dhcp_client_lease_inform(const struct dhcp_message *message, struct prefix address,
	uint64_t now_ns, struct dhcp_client_lease *ret_lease)
{
	struct dhcp_client_lease lease = lease_begin(message, now_ns);
	lease.address = address;
	lease.lease_seconds = DHCP_LEASE_INFINITE;
	dhcp_client_lease_set_times(&lease, 0, 0);
	*ret_lease = lease;
}

uint32_t dhcp_client_lease_left(const struct dhcp_client_lease *lease, uint64_t now_ns)
{
	if (lease->ends_ns == DHCP_NEVER)
		return DHCP_LEASE_INFINITE;
	uint64_t left_ns = lease->ends_ns > now_ns ? lease->ends_ns - now_ns : 0;
	uint64_t seconds = (left_ns + NS_PER_SECOND - 1) / NS_PER_SECOND;
	return seconds < DHCP_LEASE_INFINITE ? (uint32_t)seconds : DHCP_LEASE_INFINITE - 1;
}

bool dhcp_client_lease_next(const struct dhcp_client_lease *lease, size_t *at, uint8_t *ret_code,
	struct dhcp_field *ret_value)
{
	struct reader reader = reader_over(lease->options + *at, lease->options_length - *at);
	if (reader_left(&reader) == 0)
		return false;
	uint8_t code = read_u8(&reader);
	uint16_t length = read_be16(&reader);
	const uint8_t *bytes = reader_take(&reader, length);
	if (reader.truncated)
		return false;
	*at = (size_t)(reader.at - lease->options);
	*ret_code = code;
	*ret_value = (struct dhcp_field){.bytes = bytes, .length = length};
	return true;
}

bool dhcp_client_lease_option(
	const struct dhcp_client_lease *lease, uint8_t code, struct dhcp_field *ret_value)
{
	size_t at = 0;
	uint8_t seen;
	struct dhcp_field value;
	while (dhcp_client_lease_next(lease, &at, &seen, &value)) {
		if (seen != code || !dhcp_option_length_valid(code, value.length))
			continue;
		*ret_value = value;
		return true;
	}
	return false;
}

size_t dhcp_client_lease_addresses(const struct dhcp_client_lease *lease, uint8_t code,
	struct ipv4 *ret_addresses, size_t most)
{
	struct dhcp_field value;
	size_t count = 0;
	if (!dhcp_client_lease_option(lease, code, &value))
		return 0;
	struct reader reader = reader_over(value.bytes, value.length);
	while (reader_left(&reader) >= 4 && count < most) {
		struct ipv4 address = {read_be32(&reader)};
		if (dhcp_client_address_usable(address))
			ret_addresses[count++] = address;
	}
	return count;
}

size_t dhcp_client_lease_routes(const struct dhcp_client_lease *lease,
	struct dhcp_route ret_routes[static DHCP_CLIENT_ROUTES_MAX])
{
	struct dhcp_field value;
	size_t count = 0;
	if (dhcp_client_lease_option(lease, DHCP_OPTION_CLASSLESS_ROUTES, &value)) {
		struct reader reader = reader_over(value.bytes, value.length);
		while (count < DHCP_CLIENT_ROUTES_MAX &&
			dhcp_route_next(&reader, &ret_routes[count]))
			count++;
		if (!reader.truncated && count > 0)
			return count;
	}
	struct dhcp_route route = {.destination = {{0}, 0}};
	if (dhcp_client_lease_addresses(lease, DHCP_OPTION_ROUTER, &route.router, 1) == 0)
		return 0;
	ret_routes[0] = route;
	return 1;
}
