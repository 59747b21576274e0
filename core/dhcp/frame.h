/*
 * Frames: Ethernet II carrying IPv4 carrying UDP or TCP (RFC 894, 791, 768, 9293), parsed from and
 * built into bytes. DHCP needs it where a client has no address yet; who decodes a capture uses the
 * parsing half for any UDP or TCP, and of IPv6 too (RFC 2464, 8200). Not covered: 802.1Q tags,
 * reassembly of fragments, IPv6 extension headers (they are FRAME_OTHER), IPv4 options beyond
 * skipping them.
 */
#ifndef DHCP_FRAME_H
#define DHCP_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/ip.h"

enum {
	FRAME_ETHERNET_SIZE = 14,
	FRAME_HEADERS_SIZE = 14 + 20 + 8, /* before the payload of a UDP frame that we build */
	FRAME_PROTOCOL_TCP = 6,
	FRAME_PROTOCOL_UDP = 17,
};

enum frame_tcp_flag {
	FRAME_TCP_FIN = 0x01,
	FRAME_TCP_SYN = 0x02,
	FRAME_TCP_RST = 0x04,
	FRAME_TCP_PUSH = 0x08,
	FRAME_TCP_ACK = 0x10,
};

struct frame {
	struct mac source_mac, destination_mac;
	struct ipv4 source, destination; /* none where it is IPv6 */
	struct ip source_ip, destination_ip; /* the same, of either family; not for frame_build() */
	uint8_t protocol; /* FRAME_PROTOCOL_TCP or FRAME_PROTOCOL_UDP */
	uint8_t ttl;
	uint16_t source_port, destination_port;
	uint32_t tcp_sequence, tcp_acknowledged; /* of TCP alone */
	uint8_t tcp_flags; /* a set of enum frame_tcp_flag */
	/* Borrowed from the parsed bytes. Padding behind the datagram is not part of it. */
	const uint8_t *payload;
	size_t payload_length;
	bool cut; /* the capture holds less than the frame had: payload_length is what is there */
	size_t missing; /* so many bytes less */
	/* The transport header and payload, for frame_checksum_holds(). */
	const uint8_t *segment;
	size_t segment_length;
};

enum frame_answer {
	FRAME_MALFORMED = -1, /* its lengths or IPv4 header checksum contradict themselves */
	FRAME_OTHER = 0, /* not Ethernet II, IPv4, unfragmented TCP or UDP */
	FRAME_PARSED = 1,
};

/* Of IPv4. ret_frame means something only where the answer is FRAME_PARSED. */
enum frame_answer frame_parse(const void *bytes, size_t length, struct frame *ret_frame);

/* The same of IPv4 and IPv6. */
enum frame_answer frame_parse_any(const void *bytes, size_t length, struct frame *ret_frame);

/*
 * Whether the transport checksum of an IPv4 frame holds; true where UDP carries none. Packets of local sockets
 * have only a partial one on virtual links: ask the kernel (TP_STATUS_CSUMNOTREADY) before this.
 */
bool frame_checksum_holds(const struct frame *frame);

/*
 * Build the headers of a UDP frame with both checksums around `frame->payload`: the macs,
 * addresses, ports and payload of `frame` are read, the protocol is UDP and the TTL 64.
 * Returns the length in bytes, 0 where `size` is too small.
 */
size_t frame_build(const struct frame *frame, void *buffer, size_t size);

#endif
