#include "ftp/port.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* A decimal number of at most `maximum` at *at; moves *at behind it. */
static bool number_scan(const char **at, const char *end, unsigned maximum, unsigned *ret_number)
{
	const char *start = *at;
	unsigned number = 0;
	while (*at < end && **at >= '0' && **at <= '9') {
		number = number * 10 + (unsigned)(*(*at)++ - '0');
		if (number > maximum)
			return false;
	}
	if (*at == start)
		return false;
	*ret_number = number;
	return true;
}

/* Six numbers with commas at *at; moves *at behind them. */
static bool six_scan(const char **at, const char *end, struct endpoint *ret_endpoint)
{
	uint8_t bytes[6];
	for (unsigned i = 0; i < 6; i++) {
		unsigned number;
		if (i > 0 && (*at == end || *(*at)++ != ','))
			return false;
		if (!number_scan(at, end, 255, &number))
			return false;
		bytes[i] = (uint8_t)number;
	}
	struct endpoint endpoint = {.family = ENDPOINT_IPV4};
	memcpy(endpoint.address, bytes, 4);
	endpoint.port = (uint16_t)(bytes[4] << 8 | bytes[5]);
	*ret_endpoint = endpoint;
	return true;
}

bool ftp_port_parse(const char *argument, size_t length, struct endpoint *ret_endpoint)
{
	const char *at = argument, *end = argument + length;
	struct endpoint endpoint;
	if (!six_scan(&at, end, &endpoint) || at != end)
		return false;
	*ret_endpoint = endpoint;
	return true;
}

/* The bytes up to the delimiter as a string; moves *at behind the delimiter. */
static bool field_scan(
	const char **at, const char *end, char delimiter, char *ret_field, size_t size)
{
	const char *stop = *at < end ? memchr(*at, delimiter, (size_t)(end - *at)) : NULL;
	if (!stop || (size_t)(stop - *at) >= size)
		return false;
	size_t length = (size_t)(stop - *at);
	if (length && memchr(*at, '\0', length))
		return false;
	if (length)
		memcpy(ret_field, *at, length);
	ret_field[length] = '\0';
	*at = stop + 1;
	return true;
}

enum ftp_eprt_fault ftp_eprt_parse(
	const char *argument, size_t length, struct endpoint *ret_endpoint)
{
	const char *at = argument, *end = argument + length;
	char family_text[8], address[INET6_ADDRSTRLEN], port_text[8];
	uint64_t family, port;
	if (length == 0 || *at < 33 || *at > 126)
		return FTP_EPRT_MALFORMED;
	char delimiter = *at++;
	if (!field_scan(&at, end, delimiter, family_text, sizeof(family_text)) ||
		!text_parse_number(family_text, 0, UINT16_MAX, &family))
		return FTP_EPRT_MALFORMED;
	if (family != ENDPOINT_IPV4 && family != ENDPOINT_IPV6)
		return FTP_EPRT_FAMILY;
	if (!field_scan(&at, end, delimiter, address, sizeof(address)) ||
		!field_scan(&at, end, delimiter, port_text, sizeof(port_text)) || at != end ||
		!text_parse_number(port_text, 1, UINT16_MAX, &port))
		return FTP_EPRT_MALFORMED;
	struct endpoint endpoint = {.family = (enum endpoint_family)family, .port = (uint16_t)port};
	if (inet_pton(family == ENDPOINT_IPV6 ? AF_INET6 : AF_INET, address, endpoint.address) != 1)
		return FTP_EPRT_MALFORMED;
	*ret_endpoint = endpoint;
	return FTP_EPRT_GOOD;
}

bool ftp_passive_parse(const char *text, size_t length, struct endpoint *ret_endpoint)
{
	const char *end = text + length;
	for (const char *start = text; start < end; start++) {
		const char *at = start;
		bool digit_before = start > text && start[-1] >= '0' && start[-1] <= '9';
		struct endpoint endpoint;
		if (digit_before || !six_scan(&at, end, &endpoint) || endpoint.port == 0)
			continue;
		*ret_endpoint = endpoint;
		return true;
	}
	return false;
}

bool ftp_extended_passive_parse(const char *text, size_t length, uint16_t *ret_port)
{
	const char *end = text + length;
	const char *at = length ? memchr(text, '(', length) : NULL;
	if (!at || end - at < 7) /* "(|||1|)" */
		return false;
	char delimiter = at[1];
	unsigned port;
	if (delimiter < 33 || delimiter > 126 || at[2] != delimiter || at[3] != delimiter)
		return false;
	at += 4;
	if (!number_scan(&at, end, UINT16_MAX, &port) || port == 0)
		return false;
	if (end - at < 2 || at[0] != delimiter || at[1] != ')')
		return false;
	*ret_port = (uint16_t)port;
	return true;
}

char *ftp_port_format(const struct endpoint *endpoint, char text[static FTP_PORT_TEXT_SIZE])
{
	const uint8_t *bytes = endpoint->address;
	unsigned port = endpoint->port;
	snprintf(text, FTP_PORT_TEXT_SIZE, "%u,%u,%u,%u,%u,%u", bytes[0], bytes[1], bytes[2],
		bytes[3], port >> 8, port & 255);
	return text;
}

char *ftp_eprt_format(const struct endpoint *endpoint, char text[static FTP_PORT_TEXT_SIZE])
{
	char address[INET6_ADDRSTRLEN];
	snprintf(text, FTP_PORT_TEXT_SIZE, "|%u|%s|%u|", (unsigned)endpoint->family,
		endpoint_address_format(endpoint, address), (unsigned)endpoint->port);
	return text;
}
