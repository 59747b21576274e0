#include "dhcp/protocol.h"

#include <stdio.h>
#include <string.h>

enum { ETHERNET = 1, MAC_LENGTH = 6 };

const char *dhcp_message_type_name(unsigned type)
{
	/* 9 to 18: RFC 3203, 4388, 6926, 7724; named so that a capture shows them. */
	static const char *const names[] = {
		[DHCPDISCOVER] = "DHCPDISCOVER",
		[DHCPOFFER] = "DHCPOFFER",
		[DHCPREQUEST] = "DHCPREQUEST",
		[DHCPDECLINE] = "DHCPDECLINE",
		[DHCPACK] = "DHCPACK",
		[DHCPNAK] = "DHCPNAK",
		[DHCPRELEASE] = "DHCPRELEASE",
		[DHCPINFORM] = "DHCPINFORM",
		[9] = "DHCPFORCERENEW",
		[10] = "DHCPLEASEQUERY",
		[11] = "DHCPLEASEUNASSIGNED",
		[12] = "DHCPLEASEUNKNOWN",
		[13] = "DHCPLEASEACTIVE",
		[14] = "DHCPBULKLEASEQUERY",
		[15] = "DHCPLEASEQUERYDONE",
		[16] = "DHCPACTIVELEASEQUERY",
		[17] = "DHCPLEASEQUERYSTATUS",
		[18] = "DHCPTLS",
		[DHCP_BOOTREQUEST] = "BOOTREQUEST",
		[DHCP_BOOTREPLY] = "BOOTREPLY",
	};
	if (type >= sizeof(names) / sizeof(names[0]) || !names[type])
		return "DHCP-UNKNOWN";
	return names[type];
}

char *dhcp_hardware_format(
	const struct dhcp_hardware *hardware, char text[static DHCP_HARDWARE_TEXT_SIZE])
{
	size_t used = 0;
	size_t size = DHCP_HARDWARE_TEXT_SIZE;
	if (hardware->length == 0)
		snprintf(text, size, "-");
	else if (hardware->type != ETHERNET)
		used = (size_t)snprintf(text, size, "%02x-", hardware->type);
	for (unsigned i = 0; i < hardware->length && i < DHCP_CHADDR_SIZE; i++)
		used += (size_t)snprintf(
			text + used, size - used, "%s%02x", i ? ":" : "", hardware->bytes[i]);
	return text;
}

static bool hex_pair(const char *text, uint8_t *ret_byte)
{
	unsigned value = 0;
	for (int i = 0; i < 2; i++) {
		static const char digits[] = "0123456789abcdef";
		const char *digit = text[i] ? strchr(digits, text[i]) : NULL;
		if (!digit)
			return false;
		value = value << 4 | (unsigned)(digit - digits);
	}
	*ret_byte = (uint8_t)value;
	return true;
}

bool dhcp_hardware_parse(const char *text, struct dhcp_hardware *ret_hardware)
{
	struct dhcp_hardware hardware = {.type = ETHERNET};
	if (strcmp(text, "-") == 0) {
		*ret_hardware = hardware;
		return true;
	}
	if (hex_pair(text, &hardware.type) && text[2] == '-')
		text += 3;
	else
		hardware.type = ETHERNET;
	do {
		if (hardware.length == DHCP_CHADDR_SIZE ||
			!hex_pair(text, &hardware.bytes[hardware.length++]))
			return false;
		text += 2;
	} while (*text++ == ':');
	if (text[-1])
		return false;
	*ret_hardware = hardware;
	return true;
}

struct dhcp_hardware dhcp_hardware_from_mac(struct mac mac)
{
	struct dhcp_hardware hardware = {.type = ETHERNET, .length = MAC_LENGTH};
	memcpy(hardware.bytes, mac.bytes, MAC_LENGTH);
	return hardware;
}

bool dhcp_hardware_mac(const struct dhcp_hardware *hardware, struct mac *ret_mac)
{
	if (hardware->type != ETHERNET || hardware->length != MAC_LENGTH)
		return false;
	memcpy(ret_mac->bytes, hardware->bytes, MAC_LENGTH);
	return true;
}

bool dhcp_hardware_equal(const struct dhcp_hardware *a, const struct dhcp_hardware *b)
{
	return a->type == b->type && a->length == b->length &&
	       memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}
