#include "dhcp/frame.h"

#include "base/reader.h"
#include "base/writer.h"

enum {
	ETHERTYPE_IPV4 = 0x0800,
	ETHERTYPE_IPV6 = 0x86dd,
	IPV4_SIZE = 20,
	UDP_SIZE = 8,
	TCP_SIZE = 20,
	FRAGMENT_MORE = 0x2000,
	FRAGMENT_DONT = 0x4000,
	FRAGMENT_OFFSET = 0x1fff,
	TTL = 64,
};

/* The sum of RFC 1071, not yet folded. An odd last byte counts as if a zero followed. */
static uint64_t sum_bytes(uint64_t sum, const uint8_t *bytes, size_t length)
{
	for (; length > 1; bytes += 2, length -= 2)
		sum += (uint64_t)(bytes[0] << 8 | bytes[1]);
	return length ? sum + ((uint64_t)bytes[0] << 8) : sum;
}

static uint16_t sum_fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static uint64_t sum_pseudo_header(const struct frame *frame, uint8_t protocol, size_t length)
{
	return (uint64_t)(frame->source.host >> 16) + (frame->source.host & 0xffff) +
	       (frame->destination.host >> 16) + (frame->destination.host & 0xffff) + protocol +
	       length;
}

static enum frame_answer udp_parse(struct reader *segment, struct frame *frame)
{
	frame->source_port = read_be16(segment);
	frame->destination_port = read_be16(segment);
	size_t length = read_be16(segment);
	read_be16(segment);
	if (segment->truncated || length < UDP_SIZE)
		return FRAME_MALFORMED;
	size_t payload_length = length - UDP_SIZE;
	if (payload_length > reader_left(segment)) {
		if (!frame->cut)
			return FRAME_MALFORMED;
		payload_length = reader_left(segment);
	}
	frame->segment_length = UDP_SIZE + payload_length;
	frame->payload = segment->at;
	frame->payload_length = payload_length;
	return FRAME_PARSED;
}

static enum frame_answer tcp_parse(struct reader *segment, struct frame *frame)
{
	frame->source_port = read_be16(segment);
	frame->destination_port = read_be16(segment);
	frame->tcp_sequence = read_be32(segment);
	frame->tcp_acknowledged = read_be32(segment);
	size_t header_size = (size_t)(read_u8(segment) >> 4) * 4;
	frame->tcp_flags = read_u8(segment);
	reader_take(segment, TCP_SIZE - 14); /* window, checksum, urgent pointer */
	if (segment->truncated || header_size < TCP_SIZE)
		return FRAME_MALFORMED;
	reader_take(segment, header_size - TCP_SIZE);
	if (segment->truncated)
		return FRAME_MALFORMED;
	frame->payload = segment->at;
	frame->payload_length = reader_left(segment);
	return FRAME_PARSED;
}

/* Everything of the IPv4 header; `packet` is then what follows it, without padding. */
static enum frame_answer ipv4_header_parse(struct reader *packet, struct frame *frame)
{
	const uint8_t *start = packet->at;
	size_t left = reader_left(packet);
	uint8_t version = read_u8(packet);
	size_t header_size = (size_t)(version & 15) * 4;
	read_u8(packet);
	size_t total = read_be16(packet);
	read_be16(packet);
	uint16_t fragment = read_be16(packet);
	frame->ttl = read_u8(packet);
	frame->protocol = read_u8(packet);
	read_be16(packet);
	frame->source.host = read_be32(packet);
	frame->destination.host = read_be32(packet);
	frame->source_ip = ip_from_ipv4(frame->source);
	frame->destination_ip = ip_from_ipv4(frame->destination);
	if (packet->truncated || version >> 4 != 4 || header_size < IPV4_SIZE ||
		header_size > left || total < header_size ||
		sum_fold(sum_bytes(0, start, header_size)) != 0xffff)
		return FRAME_MALFORMED;
	if (fragment & (FRAGMENT_MORE | FRAGMENT_OFFSET))
		return FRAME_OTHER;
	frame->cut = total > left;
	frame->missing = frame->cut ? total - left : 0;
	*packet = reader_over(start + header_size, (frame->cut ? left : total) - header_size);
	return FRAME_PARSED;
}

/* RFC 8200 section 3; a next header that is neither UDP nor TCP is seen later. */
static enum frame_answer ipv6_header_parse(struct reader *packet, struct frame *frame)
{
	uint8_t addresses[2][16];
	uint32_t version = read_be32(packet) >> 28;
	size_t length = read_be16(packet);
	frame->protocol = read_u8(packet);
	frame->ttl = read_u8(packet);
	read_bytes(packet, addresses[0], sizeof(addresses[0]));
	read_bytes(packet, addresses[1], sizeof(addresses[1]));
	if (packet->truncated || version != 6)
		return FRAME_MALFORMED;
	frame->source_ip = ip_from_bytes(IPV6, addresses[0]);
	frame->destination_ip = ip_from_bytes(IPV6, addresses[1]);
	size_t left = reader_left(packet);
	frame->cut = length > left;
	frame->missing = frame->cut ? length - left : 0;
	*packet = reader_over(packet->at, frame->cut ? left : length);
	return FRAME_PARSED;
}

enum frame_answer frame_parse_any(const void *bytes, size_t length, struct frame *ret_frame)
{
	struct reader reader = reader_over(bytes, length);
	struct frame frame = {0};
	enum frame_answer answer = FRAME_OTHER;
	read_bytes(&reader, frame.destination_mac.bytes, sizeof(frame.destination_mac.bytes));
	read_bytes(&reader, frame.source_mac.bytes, sizeof(frame.source_mac.bytes));
	uint16_t type = read_be16(&reader);
	if (type == ETHERTYPE_IPV4)
		answer = ipv4_header_parse(&reader, &frame);
	else if (type == ETHERTYPE_IPV6)
		answer = ipv6_header_parse(&reader, &frame);
	if (answer != FRAME_PARSED)
		return answer;
	frame.segment = reader.at;
	frame.segment_length = reader_left(&reader);
	if (frame.protocol == FRAME_PROTOCOL_UDP)
		answer = udp_parse(&reader, &frame);
	else if (frame.protocol == FRAME_PROTOCOL_TCP)
		answer = tcp_parse(&reader, &frame);
	else
		answer = FRAME_OTHER;
	if (answer == FRAME_PARSED)
		*ret_frame = frame;
	return answer;
}

enum frame_answer frame_parse(const void *bytes, size_t length, struct frame *ret_frame)
{
	struct frame frame;
	enum frame_answer answer = frame_parse_any(bytes, length, &frame);
	if (answer == FRAME_PARSED && frame.source_ip.family != IPV4)
		return FRAME_OTHER;
	if (answer == FRAME_PARSED)
		*ret_frame = frame;
	return answer;
}

bool frame_checksum_holds(const struct frame *frame)
{
	if (frame->cut)
		return false;
	if (frame->protocol == FRAME_PROTOCOL_UDP && frame->segment[6] == 0 &&
		frame->segment[7] == 0)
		return true; /* RFC 768: none was computed */
	uint64_t sum = sum_pseudo_header(frame, frame->protocol, frame->segment_length);
	return sum_fold(sum_bytes(sum, frame->segment, frame->segment_length)) == 0xffff;
}

static void write_checksum(uint8_t *at, uint16_t checksum)
{
	struct writer writer = writer_over(at, 2);
	write_be16(&writer, checksum);
}

size_t frame_build(const struct frame *frame, void *buffer, size_t size)
{
	struct writer writer = writer_over(buffer, size);
	size_t udp_length = UDP_SIZE + frame->payload_length;
	if (udp_length + IPV4_SIZE > UINT16_MAX)
		return 0;
	write_bytes(&writer, frame->destination_mac.bytes, sizeof(frame->destination_mac.bytes));
	write_bytes(&writer, frame->source_mac.bytes, sizeof(frame->source_mac.bytes));
	write_be16(&writer, ETHERTYPE_IPV4);

	uint8_t *ip = writer.at;
	write_be16(&writer, 0x4510); /* version 4, five words; low delay */
	write_be16(&writer, (uint16_t)(IPV4_SIZE + udp_length));
	write_be16(&writer, 0);
	write_be16(&writer, FRAGMENT_DONT);
	write_u8(&writer, TTL);
	write_u8(&writer, FRAME_PROTOCOL_UDP);
	write_be16(&writer, 0);
	write_be32(&writer, frame->source.host);
	write_be32(&writer, frame->destination.host);

	uint8_t *udp = writer.at;
	write_be16(&writer, frame->source_port);
	write_be16(&writer, frame->destination_port);
	write_be16(&writer, (uint16_t)udp_length);
	write_be16(&writer, 0);
	write_bytes(&writer, frame->payload, frame->payload_length);
	if (writer.overflow)
		return 0;

	write_checksum(ip + 10, (uint16_t)~sum_fold(sum_bytes(0, ip, IPV4_SIZE)));
	uint64_t sum = sum_pseudo_header(frame, FRAME_PROTOCOL_UDP, udp_length);
	uint16_t checksum = (uint16_t)~sum_fold(sum_bytes(sum, udp, udp_length));
	write_checksum(udp + 6, checksum ? checksum : 0xffff); /* RFC 768: zero means none */
	return writer_used(&writer);
}
