#include "base/endpoint.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

bool endpoint_parse(const char *text, uint16_t port, struct endpoint *ret_endpoint)
{
	struct endpoint endpoint = {.family = ENDPOINT_IPV4, .port = port};
	char address[INET6_ADDRSTRLEN];
	bool bracket = *text == '[';
	const char *start = bracket ? text + 1 : text;
	const char *end = bracket ? strchr(start, ']') : start + strcspn(start, ":");
	uint64_t number;
	if (!end || (size_t)(end - start) >= sizeof(address))
		return false;
	memcpy(address, start, (size_t)(end - start));
	address[end - start] = '\0';
	if (bracket)
		endpoint.family = ENDPOINT_IPV6;
	int family = bracket ? AF_INET6 : AF_INET;
	if (*address && inet_pton(family, address, endpoint.address) != 1)
		return false;
	const char *rest = end + bracket;
	if (*rest && (*rest != ':' || !text_parse_number(rest + 1, 1, UINT16_MAX, &number)))
		return false;
	if ((!*address && bracket) || (!*address && !*rest))
		return false;
	if (*rest)
		endpoint.port = (uint16_t)number;
	*ret_endpoint = endpoint;
	return true;
}

char *endpoint_address_format(const struct endpoint *endpoint, char text[static INET6_ADDRSTRLEN])
{
	int family = endpoint->family == ENDPOINT_IPV6 ? AF_INET6 : AF_INET;
	inet_ntop(family, endpoint->address, text, INET6_ADDRSTRLEN);
	return text;
}

char *endpoint_format(const struct endpoint *endpoint, char text[static ENDPOINT_TEXT_SIZE])
{
	char address[INET6_ADDRSTRLEN];
	const char *form = endpoint->family == ENDPOINT_IPV6 ? "[%s]:%u" : "%s:%u";
	snprintf(text, ENDPOINT_TEXT_SIZE, form, endpoint_address_format(endpoint, address),
		(unsigned)endpoint->port);
	return text;
}

bool endpoint_same_host(const struct endpoint *a, const struct endpoint *b)
{
	return a->family == b->family && memcmp(a->address, b->address, sizeof(a->address)) == 0;
}

bool endpoint_is_any(const struct endpoint *endpoint)
{
	static const uint8_t any[sizeof(endpoint->address)];
	return memcmp(endpoint->address, any, sizeof(any)) == 0;
}

bool endpoint_from_sockaddr(const struct sockaddr_storage *address, struct endpoint *ret_endpoint)
{
	struct endpoint endpoint = {0};
	if (address->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)address;
		endpoint.family = ENDPOINT_IPV4;
		endpoint.port = ntohs(in->sin_port);
		memcpy(endpoint.address, &in->sin_addr, 4);
	} else if (address->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address;
		bool mapped = IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr);
		endpoint.family = mapped ? ENDPOINT_IPV4 : ENDPOINT_IPV6;
		endpoint.port = ntohs(in6->sin6_port);
		if (mapped) {
			memcpy(endpoint.address, in6->sin6_addr.s6_addr + 12, 4);
		} else {
			memcpy(endpoint.address, in6->sin6_addr.s6_addr, 16);
			endpoint.scope = in6->sin6_scope_id;
		}
	} else {
		return false;
	}
	*ret_endpoint = endpoint;
	return true;
}

socklen_t endpoint_to_sockaddr(
	const struct endpoint *endpoint, struct sockaddr_storage *ret_address)
{
	*ret_address = (struct sockaddr_storage){0};
	if (endpoint->family == ENDPOINT_IPV6) {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret_address;
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(endpoint->port);
		in6->sin6_scope_id = endpoint->scope;
		memcpy(in6->sin6_addr.s6_addr, endpoint->address, 16);
		return sizeof(*in6);
	}
	struct sockaddr_in *in = (struct sockaddr_in *)ret_address;
	in->sin_family = AF_INET;
	in->sin_port = htons(endpoint->port);
	memcpy(&in->sin_addr, endpoint->address, 4);
	return sizeof(*in);
}
