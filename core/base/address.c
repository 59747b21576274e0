#include "base/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

/* One decimal number of 0..maximum at *at, without leading zeros; moves *at behind it. */
static bool decimal_parse(const char **at, unsigned maximum, unsigned *ret_value)
{
	const char *start = *at;
	unsigned value = 0;
	while (**at >= '0' && **at <= '9') {
		value = value * 10 + (unsigned)(**at - '0');
		if (value > maximum)
			return false;
		(*at)++;
	}
	if (*at == start || (*start == '0' && *at - start > 1))
		return false;
	*ret_value = value;
	return true;
}

static bool ipv4_scan(const char **at, struct ipv4 *ret_address)
{
	uint32_t host = 0;
	for (int i = 0; i < 4; i++) {
		unsigned byte;
		if (i > 0 && *(*at)++ != '.')
			return false;
		if (!decimal_parse(at, 255, &byte))
			return false;
		host = host << 8 | byte;
	}
	ret_address->host = host;
	return true;
}

bool ipv4_parse(const char *text, struct ipv4 *ret_address)
{
	struct ipv4 address;
	if (!ipv4_scan(&text, &address) || *text)
		return false;
	*ret_address = address;
	return true;
}

bool prefix_parse(const char *text, struct prefix *ret_prefix)
{
	struct prefix prefix;
	if (!ipv4_scan(&text, &prefix.address) || *text++ != '/' ||
		!decimal_parse(&text, 32, &prefix.length) || *text)
		return false;
	*ret_prefix = prefix;
	return true;
}

bool ipv4_range_parse(const char *text, struct ipv4 *ret_first, struct ipv4 *ret_last)
{
	struct ipv4 first, last;
	if (!ipv4_scan(&text, &first) || *text++ != '-' || !ipv4_scan(&text, &last) || *text ||
		first.host > last.host)
		return false;
	*ret_first = first;
	*ret_last = last;
	return true;
}

static int hex_digit(char character)
{
	if (character >= '0' && character <= '9')
		return character - '0';
	if (character >= 'a' && character <= 'f')
		return character - 'a' + 10;
	if (character >= 'A' && character <= 'F')
		return character - 'A' + 10;
	return -1;
}

bool mac_parse(const char *text, struct mac *ret_mac)
{
	struct mac mac;
	for (int i = 0; i < 6; i++) {
		if (i > 0 && *text++ != ':')
			return false;
		int high = hex_digit(text[0]);
		int low = high < 0 ? -1 : hex_digit(text[1]);
		if (low < 0)
			return false;
		mac.bytes[i] = (uint8_t)(high << 4 | low);
		text += 2;
	}
	if (*text)
		return false;
	*ret_mac = mac;
	return true;
}

char *ipv4_format(struct ipv4 address, char text[static IPV4_TEXT_SIZE])
{
	struct in_addr in = ipv4_to_in(address);
	inet_ntop(AF_INET, &in, text, IPV4_TEXT_SIZE);
	return text;
}

char *prefix_format(struct prefix prefix, char text[static PREFIX_TEXT_SIZE])
{
	snprintf(text, PREFIX_TEXT_SIZE, "%s/%u", IPV4_TEXT(prefix.address), prefix.length & 63);
	return text;
}

char *mac_format(struct mac mac, char text[static MAC_TEXT_SIZE])
{
	snprintf(text, MAC_TEXT_SIZE, "%02x:%02x:%02x:%02x:%02x:%02x", mac.bytes[0], mac.bytes[1],
		mac.bytes[2], mac.bytes[3], mac.bytes[4], mac.bytes[5]);
	return text;
}

uint32_t prefix_mask(unsigned length)
{
	return length ? UINT32_MAX << (32 - length) : 0;
}

bool prefix_length_of_mask(uint32_t mask, unsigned *ret_length)
{
	unsigned length = 0;
	while (length < 32 && mask & (UINT32_C(1) << (31 - length)))
		length++;
	if (mask != prefix_mask(length))
		return false;
	*ret_length = length;
	return true;
}

bool mac_equal(struct mac a, struct mac b)
{
	return memcmp(a.bytes, b.bytes, sizeof(a.bytes)) == 0;
}
