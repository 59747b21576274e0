#include "base/ip.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

const char *const ip_family_names[IP_FAMILIES] = {"IPv4", "IPv6"};
const char *const ip_family_keys[IP_FAMILIES] = {"ipv4", "ipv6"};

static int ip_system_family(enum ip_family family)
{
	return family == IPV4 ? AF_INET : AF_INET6;
}

size_t ip_bytes(struct ip address, uint8_t bytes[static 16])
{
	size_t size = ip_bits(address.family) / 8;
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(address.number >> 8 * (size - 1 - i));
	return size;
}

struct ip ip_from_bytes(enum ip_family family, const void *bytes)
{
	const uint8_t *at = bytes;
	struct ip address = {.family = family};
	for (size_t i = 0; i < ip_bits(family) / 8; i++)
		address.number = address.number << 8 | at[i];
	return address;
}

bool ip_parse(const char *text, struct ip *ret_address)
{
	uint8_t bytes[16];
	enum ip_family family = strchr(text, ':') ? IPV6 : IPV4;
	if (inet_pton(ip_system_family(family), text, bytes) != 1)
		return false;
	*ret_address = ip_from_bytes(family, bytes);
	return true;
}

bool ip_prefix_parse(const char *text, struct ip_prefix *ret_prefix)
{
	char address[IP_TEXT_SIZE];
	struct ip_prefix prefix;
	const char *slash = strchr(text, '/');
	size_t digits = slash ? strspn(slash + 1, "0123456789") : 0;
	if (!slash || (size_t)(slash - text) >= sizeof(address) || digits == 0 || digits > 3 ||
		slash[1 + digits] || (slash[1] == '0' && digits > 1))
		return false;
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = '\0';
	if (!ip_parse(address, &prefix.address))
		return false;
	prefix.length = 0;
	for (const char *at = slash + 1; *at; at++)
		prefix.length = prefix.length * 10 + (unsigned)(*at - '0');
	if (prefix.length > ip_bits(prefix.address.family))
		return false;
	*ret_prefix = prefix;
	return true;
}

bool ip_range_parse(const char *text, struct ip *ret_first, struct ip *ret_last)
{
	char start[IP_TEXT_SIZE];
	struct ip first, last;
	const char *dash = strchr(text, '-');
	if (!dash || (size_t)(dash - text) >= sizeof(start))
		return false;
	memcpy(start, text, (size_t)(dash - text));
	start[dash - text] = '\0';
	if (!ip_parse(start, &first) || !ip_parse(dash + 1, &last) || first.family != last.family ||
		first.number > last.number)
		return false;
	*ret_first = first;
	*ret_last = last;
	return true;
}

char *ip_format(struct ip address, char text[static IP_TEXT_SIZE])
{
	uint8_t bytes[16];
	ip_bytes(address, bytes);
	inet_ntop(ip_system_family(address.family), bytes, text, IP_TEXT_SIZE);
	return text;
}

char *ip_prefix_format(struct ip_prefix prefix, char text[static IP_PREFIX_TEXT_SIZE])
{
	snprintf(text, IP_PREFIX_TEXT_SIZE, "%s/%u", IP_TEXT(prefix.address), prefix.length & 255);
	return text;
}

ip_number ip_prefix_span(struct ip_prefix prefix)
{
	unsigned host_bits = ip_bits(prefix.address.family) - prefix.length;
	return host_bits == 128 ? ~(ip_number)0 : ((ip_number)1 << host_bits) - 1;
}

struct ip ip_prefix_first(struct ip_prefix prefix)
{
	return (struct ip){prefix.address.number & ~ip_prefix_span(prefix), prefix.address.family};
}

struct ip ip_prefix_last(struct ip_prefix prefix)
{
	return (struct ip){prefix.address.number | ip_prefix_span(prefix), prefix.address.family};
}

struct ip_prefix ip_prefix_network(struct ip_prefix prefix)
{
	return (struct ip_prefix){ip_prefix_first(prefix), prefix.length};
}

bool ip_prefix_contains(struct ip_prefix prefix, struct ip address)
{
	return prefix.address.family == address.family &&
	       ((prefix.address.number ^ address.number) & ~ip_prefix_span(prefix)) == 0;
}

bool ip_prefix_same(struct ip_prefix a, struct ip_prefix b)
{
	return a.length == b.length && ip_prefix_contains(a, b.address);
}

bool ip_is_hosts(struct ip address)
{
	if (address.family == IPV4) {
		unsigned first = (unsigned)(address.number >> 24);
		return first != 0 && first != 127 && first < 224;
	}
	unsigned first = (unsigned)(address.number >> 120);
	return first != 0 && first != 0xff && !ip_is_link_local(address);
}

bool ip_is_link_local(struct ip address)
{
	return address.family == IPV4 ? address.number >> 16 == 0xa9fe
				      : address.number >> 118 == 0xfe80 >> 6;
}
