#include "programs/dhcp/transport.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "programs/dhcp/packet_socket.h"
#include "programs/dhcp/udp_socket.h"

enum { ROOM = 64 }; /* messages that wait for one socket */

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
	free(TAKE(transport->queue));
}

bool transport_refresh(struct transport *transport, uint64_t now_ns)
{
	if (now_ns - transport->read_ns < NS_PER_SECOND)
		return false;
	transport->read_ns = now_ns;
	return local_interfaces_read(&transport->interfaces, NULL) == 0;
}

/* The frame's own side of a message that goes to hardware. */
static int frame_from(const struct transport *transport, const struct dhcp_destination *destination,
	struct frame *ret_frame, struct error *error)
{
	struct prefix near = {.address = destination->source, .length = 32};
	const struct local_interface *from =
		local_interfaces_find(&transport->interfaces, destination->interface, near);
	if (!from)
		return error_set(error, -ENODEV, "the interface to %s has no address any more",
			MAC_TEXT(destination->mac));
	*ret_frame = (struct frame){.source_mac = from->mac, .source_port = DHCP_SERVER_PORT};
	return 0;
}

int transport_send(struct transport *transport, const struct dhcp_destination *destination,
	const void *bytes, size_t length, struct error *error)
{
	if (destination->kind != DHCP_TO_HARDWARE)
		return udp_socket_send(transport->udp, destination, bytes, length, error);
	struct frame frame;
	int status = frame_from(transport, destination, &frame, error);
	if (status < 0)
		return status;
	frame.payload = bytes;
	frame.payload_length = length;
	return packet_socket_send(transport->packet, destination, &frame, error);
}

/* What waits for one of the two sockets. */
struct waiting {
	struct mmsghdr headers[ROOM];
	struct socket_message messages[ROOM];
	unsigned count;
};

struct transport_queue {
	struct waiting udp, packet;
	uint8_t frames[ROOM][PACKET_SOCKET_FRAME_MAX];
	unsigned failed;
};

static int queue_frame(struct transport *transport, const struct dhcp_destination *destination,
	const void *bytes, size_t length, struct error *error)
{
	struct waiting *waiting = &transport->queue->packet;
	unsigned at = waiting->count;
	struct frame frame;
	int status = frame_from(transport, destination, &frame, error);
	if (status < 0)
		return status;
	frame.payload = bytes;
	frame.payload_length = length;
	if (!packet_socket_prepare(&waiting->messages[at], destination, &frame,
		    transport->queue->frames[at], &waiting->headers[at].msg_hdr))
		return error_set(error, -EMSGSIZE, "a message is too long for a frame");
	waiting->count++;
	return 0;
}

int transport_queue(struct transport *transport, const struct dhcp_destination *destination,
	const void *bytes, size_t length, struct error *error)
{
	if (!transport->queue)
		transport->queue = calloc(1, sizeof(*transport->queue));
	if (!transport->queue)
		return error_set(error, -ENOMEM, "out of memory");
	struct waiting *udp = &transport->queue->udp;
	int status = 0;
	if (udp->count == ROOM || transport->queue->packet.count == ROOM)
		status = transport_flush(transport, error);
	if (destination->kind == DHCP_TO_HARDWARE) {
		int queued = queue_frame(transport, destination, bytes, length, error);
		transport->queue->failed += queued < 0;
		return queued < 0 ? queued : status;
	}
	udp_socket_prepare(&udp->messages[udp->count], destination, bytes, length,
		&udp->headers[udp->count].msg_hdr);
	udp->count++;
	return status;
}

static int flush_one(
	struct transport_queue *queue, int fd, struct waiting *waiting, struct error *error)
{
	unsigned first = 0;
	struct error reason;
	unsigned failed = socket_send(fd, waiting->headers, waiting->count, &first, &reason);
	waiting->count = 0;
	queue->failed += failed;
	if (failed == 0)
		return 0;
	const struct socket_message *message = &waiting->messages[first];
	if (message->address.ip.sin_family == AF_INET)
		return error_set(error, reason.code, "to %s: %s",
			IPV4_TEXT(ipv4_from_in(message->address.ip.sin_addr)), reason.text);
	return error_set(error, reason.code, "as a frame: %s", reason.text);
}

int transport_flush(struct transport *transport, struct error *error)
{
	struct transport_queue *queue = transport->queue;
	if (!queue)
		return 0;
	int status = flush_one(queue, transport->udp, &queue->udp, error);
	int packet = flush_one(queue, transport->packet, &queue->packet, error);
	return status < 0 ? status : packet;
}

unsigned transport_take_failed(struct transport *transport)
{
	if (!transport->queue)
		return 0;
	unsigned failed = transport->queue->failed;
	transport->queue->failed = 0;
	return failed;
}
