/*
 * Endpoints: an IPv4 or IPv6 address with a port, as a value. The system's sockaddr exists only in
 * socket calls, and an IPv4 peer of an IPv6 socket (::ffff:a.b.c.d) is an IPv4 peer here.
 */
#ifndef BASE_ENDPOINT_H
#define BASE_ENDPOINT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* The numbers of RFC 1700, as EPRT has them. */
enum endpoint_family { ENDPOINT_IPV4 = 1, ENDPOINT_IPV6 = 2 };

struct endpoint {
	enum endpoint_family family;
	uint8_t address[16]; /* network byte order; IPv4 uses the first four, the rest are 0 */
	uint16_t port; /* host byte order */
	uint32_t scope; /* of a link-local IPv6 address: its interface; never on the wire */
};

#define ENDPOINT_TEXT_SIZE 64 /* "[ADDRESS]:65535" */

/*
 * ADDR, ADDR:PORT, [ADDR]:PORT or :PORT; where not given, the address is 0.0.0.0 and the port `port`
 * (0, which cannot be given: the caller sees that none was). False where it is none of them.
 */
bool endpoint_parse(const char *text, uint16_t port, struct endpoint *ret_endpoint);

/* "192.0.2.1:21" or "[2001:db8::1]:21", for people. Returns `text`. */
char *endpoint_format(const struct endpoint *endpoint, char text[static ENDPOINT_TEXT_SIZE]);

/* The address alone, without brackets. Returns `text`. */
char *endpoint_address_format(const struct endpoint *endpoint, char text[static INET6_ADDRSTRLEN]);

/* The text lives until the end of the enclosing block. */
#define ENDPOINT_TEXT(endpoint) endpoint_format((endpoint), (char[ENDPOINT_TEXT_SIZE]){0})

/* Same family and address; port and scope do not matter. */
bool endpoint_same_host(const struct endpoint *a, const struct endpoint *b);

/* The unspecified address: 0.0.0.0 or ::. */
bool endpoint_is_any(const struct endpoint *endpoint);

/* False for a family that is neither IPv4 nor IPv6. */
bool endpoint_from_sockaddr(const struct sockaddr_storage *address, struct endpoint *ret_endpoint);

/* Returns the length that goes with ret_address. */
socklen_t endpoint_to_sockaddr(
	const struct endpoint *endpoint, struct sockaddr_storage *ret_address);

#endif
