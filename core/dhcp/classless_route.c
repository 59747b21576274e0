#include "dhcp/classless_route.h"

enum { BITS = 32 };

/* How many bytes of the destination stand on the wire. */
static unsigned significant(unsigned prefix_length)
{
	return (prefix_length + 7) / 8;
}

bool dhcp_route_next(struct reader *value, struct dhcp_route *ret_route)
{
	if (reader_left(value) == 0)
		return false;
	struct prefix destination = {.length = read_u8(value)};
	if (destination.length > BITS)
		value->truncated = true;
	for (unsigned i = 0; !value->truncated && i < significant(destination.length); i++)
		destination.address.host |= (uint32_t)read_u8(value) << (24 - 8 * i);
	struct ipv4 router = {read_be32(value)};
	if (value->truncated)
		return false;
	destination.address = prefix_network(destination);
	*ret_route = (struct dhcp_route){destination, router};
	return true;
}

void dhcp_route_put(struct writer *value, const struct dhcp_route *route)
{
	uint32_t network = prefix_network(route->destination).host;
	write_u8(value, (uint8_t)route->destination.length);
	for (unsigned i = 0; i < significant(route->destination.length); i++)
		write_u8(value, (uint8_t)(network >> (24 - 8 * i)));
	write_be32(value, route->router.host);
}
