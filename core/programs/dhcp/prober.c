#include "programs/dhcp/prober.h"

#include <errno.h>
#include <linux/icmp.h>
#include <netinet/ip.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/cleanup.h"
#include "base/reader.h"
#include "programs/dhcp/arp_socket.h"
#include "programs/dhcp/socket_message.h"

enum {
	COOKIE_SIZE = 8,
	ECHO_SIZE = 8 + COOKIE_SIZE,
	PACKET_MAX = 2048,
	TURN = 64, /* packets of one wake-up: the rest waits for the next */
};

struct prober {
	int arp, icmp;
	struct event *readable[2];
	struct prober_listener listener;
	uint16_t number; /* of the next echo request */
	uint8_t cookie[COOKIE_SIZE]; /* in our echo requests, and so in answers to them alone */
};

static int open_sockets(struct prober *prober, struct error *error)
{
	if (arp_socket_open(0, &prober->arp, error) < 0 ||
		arp_socket_listen_all(prober->arp, error) < 0)
		return error->code;
	prober->icmp = socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_ICMP);
	if (prober->icmp < 0)
		return error_system(error, -errno, "cannot open a raw socket to probe by ICMP");
	struct icmp_filter others = {.data = ~(1U << ICMP_ECHOREPLY)};
	if (setsockopt(prober->icmp, SOL_RAW, ICMP_FILTER, &others, sizeof(others)) < 0)
		return error_system(error, -errno, "cannot filter a raw socket");
	if (getrandom(prober->cookie, sizeof(prober->cookie), 0) < 0)
		return error_system(error, -errno, "cannot read random bytes");
	return 0;
}

int prober_open(struct prober **ret_prober, struct error *error)
{
	CLEANUP(prober_close) struct prober *prober = calloc(1, sizeof(*prober));
	if (!prober)
		return error_set(error, -ENOMEM, "out of memory");
	prober->arp = prober->icmp = -1;
	int status = open_sockets(prober, error);
	if (status < 0)
		return status;
	*ret_prober = TAKE(prober);
	return 0;
}

void prober_close(struct prober **prober)
{
	if (!*prober)
		return;
	for (size_t i = 0; i < ARRAY_LENGTH((*prober)->readable); i++)
		if ((*prober)->readable[i])
			event_free((*prober)->readable[i]);
	close_fd(&(*prober)->arp);
	close_fd(&(*prober)->icmp);
	free(TAKE(*prober));
}

/* The sender's address of an answer to our echo request; none where it is something else. */
static struct ipv4 echo_sender(const struct prober *prober, const uint8_t *bytes, size_t length)
{
	size_t header = length ? (bytes[0] & 15U) * 4U : 0;
	const uint8_t *cookie = bytes + header + 8;
	if (length < sizeof(struct iphdr) || header < sizeof(struct iphdr) ||
		length < header + ECHO_SIZE || memcmp(cookie, prober->cookie, COOKIE_SIZE) != 0)
		return (struct ipv4){0};
	struct reader reader = reader_over(bytes + 12, 4);
	return (struct ipv4){read_be32(&reader)};
}

static void on_arp(evutil_socket_t fd, short what, void *argument)
{
	struct prober *prober = argument;
	struct arp_packet packet;
	(void)what;
	for (unsigned i = 0; i < TURN; i++) {
		if (arp_socket_receive(fd, (struct mac){0}, &packet, NULL) <= 0)
			return;
		prober->listener.in_use(prober->listener.program, packet.sender);
	}
}

static void on_icmp(evutil_socket_t fd, short what, void *argument)
{
	struct prober *prober = argument;
	(void)what;
	for (unsigned i = 0; i < TURN; i++) {
		uint8_t bytes[PACKET_MAX];
		struct socket_message message;
		struct mmsghdr header;
		socket_message_to_receive(&message, bytes, sizeof(bytes), &header.msg_hdr);
		if (socket_receive(fd, &header, 1, NULL) <= 0)
			return;
		struct ipv4 sender = echo_sender(prober, bytes, header.msg_len);
		if (!ipv4_is_none(sender))
			prober->listener.in_use(prober->listener.program, sender);
	}
}

int prober_listen(struct prober *prober, struct event_base *base,
	const struct prober_listener *listener, struct error *error)
{
	const struct {
		int fd;
		event_callback_fn callback;
	} sockets[] = {{prober->arp, on_arp}, {prober->icmp, on_icmp}};
	prober->listener = *listener;
	for (size_t i = 0; i < ARRAY_LENGTH(sockets); i++) {
		prober->readable[i] = event_new(
			base, sockets[i].fd, EV_READ | EV_PERSIST, sockets[i].callback, prober);
		if (!prober->readable[i] || event_add(prober->readable[i], NULL) < 0)
			return error_set(error, -ENOMEM, "cannot listen for answers to probes");
	}
	return 0;
}

/* RFC 1071, of an even number of bytes. */
static uint16_t checksum(const uint8_t *bytes, size_t length)
{
	uint32_t sum = 0;
	for (size_t i = 0; i < length; i += 2)
		sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t) ~((sum & 0xffff) + (sum >> 16));
}

static int ask_routed(struct prober *prober, const struct dhcp_probe *probe, struct error *error)
{
	uint8_t bytes[ECHO_SIZE] = {ICMP_ECHO};
	memcpy(bytes + 4, prober->cookie, 2); /* the identifier */
	bytes[6] = (uint8_t)(prober->number >> 8);
	bytes[7] = (uint8_t)prober->number++;
	memcpy(bytes + 8, prober->cookie, COOKIE_SIZE);
	uint16_t sum = checksum(bytes, sizeof(bytes));
	bytes[2] = (uint8_t)(sum >> 8);
	bytes[3] = (uint8_t)sum;
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = ipv4_to_in(probe->address)};
	if (sendto(prober->icmp, bytes, sizeof(bytes), MSG_NOSIGNAL, (struct sockaddr *)&to,
		    sizeof(to)) < 0)
		return error_system(error, -errno, "cannot probe %s", IPV4_TEXT(probe->address));
	return 0;
}

int prober_ask(struct prober *prober, const struct dhcp_probe *probe,
	const struct local_interfaces *interfaces, struct error *error)
{
	struct prefix near = {.address = probe->address, .length = 32};
	const struct local_interface *from =
		local_interfaces_find(interfaces, probe->interface, near);
	if (probe->interface != 0 && !from)
		return error_set(error, -ENODEV, "the interface to probe %s on has no address",
			IPV4_TEXT(probe->address));
	if (!from)
		return ask_routed(prober, probe, error);
	struct arp_packet packet = {
		.operation = ARP_REQUEST,
		.sender_mac = from->mac,
		.target = probe->address,
	};
	return arp_socket_send(prober->arp, probe->interface, &packet, error);
}
