/*
 * ARP for IPv4 over Ethernet (RFC 826), as bytes and as a value: what address conflict detection
 * (RFC 5227) sends and hears. Host byte order on our side.
 */
#ifndef DHCP_ARP_H
#define DHCP_ARP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"

enum {
	ARP_FRAME_SIZE = 42, /* with the Ethernet header */
	ARP_REQUEST = 1,
	ARP_REPLY = 2,
};

struct arp_packet {
	uint16_t operation;
	struct mac sender_mac, target_mac;
	struct ipv4 sender, target;
};

/*
 * Parse an Ethernet frame; padding behind is allowed. False for anything but ARP for IPv4 over
 * Ethernet.
 */
bool arp_parse(const void *bytes, size_t length, struct arp_packet *ret_packet);

/*
 * Build the broadcast frame of an ARP request from packet->sender_mac. Returns its length, 0 where
 * `size` is below ARP_FRAME_SIZE.
 */
size_t arp_build_request(const struct arp_packet *packet, void *buffer, size_t size);

#endif
