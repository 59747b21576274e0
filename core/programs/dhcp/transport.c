#include "programs/dhcp/transport.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "programs/dhcp/packet_socket.h"
#include "programs/dhcp/udp_socket.h"

int transport_open(struct transport *transport, const char *interface, struct error *error)
{
	*transport = (struct transport){.udp = -1, .packet = -1};
	int status = udp_socket_open(DHCP_SERVER_PORT, interface, &transport->udp, error);
	if (status == 0)
		status = packet_socket_open_sender(&transport->packet, error);
	if (status == 0)
		status = local_interfaces_read(&transport->interfaces, error);
	transport->read_ns = clock_monotonic_ns();
	return status;
}

void transport_close(struct transport *transport)
{
	close_fd(&transport->udp);
	close_fd(&transport->packet);
	local_interfaces_finish(&transport->interfaces);
}

bool transport_refresh(struct transport *transport, uint64_t now_ns)
{
	if (now_ns - transport->read_ns < NS_PER_SECOND)
		return false;
	transport->read_ns = now_ns;
	return local_interfaces_read(&transport->interfaces, NULL) == 0;
}

int transport_send(struct transport *transport, const struct dhcp_destination *destination,
	const void *bytes, size_t length, struct error *error)
{
	if (destination->kind != DHCP_TO_HARDWARE)
		return udp_socket_send(transport->udp, destination, bytes, length, error);
	struct prefix near = {.address = destination->source, .length = 32};
	const struct local_interface *from =
		local_interfaces_find(&transport->interfaces, destination->interface, near);
	if (!from)
		return error_set(error, -ENODEV, "the interface to %s has no address any more",
			MAC_TEXT(destination->mac));
	struct frame frame = {
		.source_mac = from->mac,
		.source_port = DHCP_SERVER_PORT,
		.payload = bytes,
		.payload_length = length,
	};
	return packet_socket_send(transport->packet, destination, &frame, error);
}
