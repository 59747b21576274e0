#include "dhcp/arp.h"

#include <string.h>

#include "base/reader.h"
#include "base/writer.h"

enum {
	ETHERTYPE_ARP = 0x0806,
	ETHERTYPE_IPV4 = 0x0800,
	HARDWARE_ETHERNET = 1,
	MAC_SIZE = 6,
	IPV4_SIZE = 4,
};

static struct mac read_mac(struct reader *reader)
{
	struct mac mac = {{0}};
	read_bytes(reader, mac.bytes, sizeof(mac.bytes));
	return mac;
}

bool arp_parse(const void *bytes, size_t length, struct arp_packet *ret_packet)
{
	struct reader reader = reader_over(bytes, length);
	struct arp_packet packet;
	reader_take(&reader, 2 * MAC_SIZE); /* who sent the frame may be a bridge's business */
	if (read_be16(&reader) != ETHERTYPE_ARP || read_be16(&reader) != HARDWARE_ETHERNET ||
		read_be16(&reader) != ETHERTYPE_IPV4 || read_u8(&reader) != MAC_SIZE ||
		read_u8(&reader) != IPV4_SIZE)
		return false;
	packet.operation = read_be16(&reader);
	packet.sender_mac = read_mac(&reader);
	packet.sender.host = read_be32(&reader);
	packet.target_mac = read_mac(&reader);
	packet.target.host = read_be32(&reader);
	if (reader.truncated)
		return false;
	*ret_packet = packet;
	return true;
}

size_t arp_build_request(const struct arp_packet *packet, void *buffer, size_t size)
{
	static const struct mac everybody = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
	struct writer writer = writer_over(buffer, size);
	write_bytes(&writer, everybody.bytes, MAC_SIZE);
	write_bytes(&writer, packet->sender_mac.bytes, MAC_SIZE);
	write_be16(&writer, ETHERTYPE_ARP);
	write_be16(&writer, HARDWARE_ETHERNET);
	write_be16(&writer, ETHERTYPE_IPV4);
	write_u8(&writer, MAC_SIZE);
	write_u8(&writer, IPV4_SIZE);
	write_be16(&writer, ARP_REQUEST);
	write_bytes(&writer, packet->sender_mac.bytes, MAC_SIZE);
	write_be32(&writer, packet->sender.host);
	write_bytes(&writer, packet->target_mac.bytes, MAC_SIZE);
	write_be32(&writer, packet->target.host);
	return writer.overflow ? 0 : writer_used(&writer);
}
