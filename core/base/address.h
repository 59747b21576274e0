/*
 * IPv4 addresses, prefixes and hardware (MAC) addresses as values. Host byte order: wire order
 * exists only in reader.h, writer.h and socket calls. `struct ipv4` is a type of its own, so that
 * mixing it up with a number does not compile.
 */
#ifndef BASE_ADDRESS_H
#define BASE_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

struct ipv4 {
	uint32_t host; /* host byte order; 0 is "none" */
};

/* An address and the length of its subnet's prefix: 10.0.1.10/24. */
struct prefix {
	struct ipv4 address;
	unsigned length; /* 0..32 */
};

struct mac {
	uint8_t bytes[6];
};

#define IPV4_TEXT_SIZE	 16 /* "255.255.255.255" and NUL */
#define PREFIX_TEXT_SIZE 19
#define MAC_TEXT_SIZE	 18

static inline bool ipv4_is_none(struct ipv4 address)
{
	return address.host == 0;
}

static inline bool ipv4_equal(struct ipv4 a, struct ipv4 b)
{
	return a.host == b.host;
}

/* Conversions at the socket's edge. */
static inline struct in_addr ipv4_to_in(struct ipv4 address)
{
	return (struct in_addr){.s_addr = htonl(address.host)};
}

static inline struct ipv4 ipv4_from_in(struct in_addr address)
{
	return (struct ipv4){ntohl(address.s_addr)};
}

/* True only for four decimal numbers of 0..255 without leading zeros and nothing behind them. */
bool ipv4_parse(const char *text, struct ipv4 *ret_address);

/* ADDRESS/LENGTH; host bits are kept. */
bool prefix_parse(const char *text, struct prefix *ret_prefix);

/* FIRST-LAST, with FIRST not above LAST. */
bool ipv4_range_parse(const char *text, struct ipv4 *ret_first, struct ipv4 *ret_last);

/* Six pairs of hexadecimal digits with colons. */
bool mac_parse(const char *text, struct mac *ret_mac);

/* Each writes into `text` and returns it. */
char *ipv4_format(struct ipv4 address, char text[static IPV4_TEXT_SIZE]);
char *prefix_format(struct prefix prefix, char text[static PREFIX_TEXT_SIZE]);
char *mac_format(struct mac mac, char text[static MAC_TEXT_SIZE]);

/* For use once in an expression: the text lives until the end of the enclosing block. */
#define IPV4_TEXT(address)  ipv4_format((address), (char[IPV4_TEXT_SIZE]){0})
#define PREFIX_TEXT(prefix) prefix_format((prefix), (char[PREFIX_TEXT_SIZE]){0})
#define MAC_TEXT(mac)	    mac_format((mac), (char[MAC_TEXT_SIZE]){0})

/* The network mask of a prefix length, host byte order: 24 gives 0xffffff00. */
uint32_t prefix_mask(unsigned length);

/* The length of a contiguous mask; false where its ones are not contiguous. */
bool prefix_length_of_mask(uint32_t mask, unsigned *ret_length);

static inline struct ipv4 prefix_network(struct prefix prefix)
{
	return (struct ipv4){prefix.address.host & prefix_mask(prefix.length)};
}

static inline struct ipv4 prefix_broadcast(struct prefix prefix)
{
	return (struct ipv4){prefix.address.host | ~prefix_mask(prefix.length)};
}

/* Whether `address` lies in the prefix's subnet. */
static inline bool prefix_contains(struct prefix prefix, struct ipv4 address)
{
	return (address.host & prefix_mask(prefix.length)) == prefix_network(prefix).host;
}

bool mac_equal(struct mac a, struct mac b);

#endif
