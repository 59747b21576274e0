/*
 * Addresses and prefixes of either family, as numbers: what plans subnets and routes treats IPv4
 * and IPv6 alike. Host byte order; wire order exists in ip_bytes() and ip_from_bytes() alone.
 * What speaks IPv4 only (DHCP) keeps `struct ipv4` of address.h.
 */
#ifndef BASE_IP_H
#define BASE_IP_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"

/* Also the index of arrays that have one entry a family. */
enum ip_family { IPV4, IPV6, IP_FAMILIES };

extern const char *const ip_family_names[IP_FAMILIES]; /* "IPv4" */
extern const char *const ip_family_keys[IP_FAMILIES]; /* "ipv4": the key in files and JSON */

typedef unsigned __int128 ip_number;

struct ip {
	ip_number number; /* 0: none */
	enum ip_family family;
};

/* An address and the length of its subnet's prefix: 2001:db8::1/64. Length 0: everything. */
struct ip_prefix {
	struct ip address;
	unsigned length; /* 0..ip_bits() */
};

#define IP_TEXT_SIZE	    INET6_ADDRSTRLEN
#define IP_PREFIX_TEXT_SIZE (INET6_ADDRSTRLEN + 4)

/* 32 or 128. */
static inline unsigned ip_bits(enum ip_family family)
{
	return family == IPV4 ? 32 : 128;
}

static inline bool ip_is_none(struct ip address)
{
	return address.number == 0;
}

static inline bool ip_equal(struct ip a, struct ip b)
{
	return a.family == b.family && a.number == b.number;
}

static inline struct ip ip_from_ipv4(struct ipv4 address)
{
	return (struct ip){address.host, IPV4};
}

/* The address in network byte order, 4 or 16 bytes, and back. */
size_t ip_bytes(struct ip address, uint8_t bytes[static 16]);
struct ip ip_from_bytes(enum ip_family family, const void *bytes);

/* An address of either family as inet_pton(3) takes it, without scope. */
bool ip_parse(const char *text, struct ip *ret_address);

/* ADDRESS/LENGTH; host bits are kept. */
bool ip_prefix_parse(const char *text, struct ip_prefix *ret_prefix);

/* FIRST-LAST of one family, with FIRST not above LAST. */
bool ip_range_parse(const char *text, struct ip *ret_first, struct ip *ret_last);

/* Each writes into `text` and returns it. */
char *ip_format(struct ip address, char text[static IP_TEXT_SIZE]);
char *ip_prefix_format(struct ip_prefix prefix, char text[static IP_PREFIX_TEXT_SIZE]);

/* The text lives until the end of the enclosing block. */
#define IP_TEXT(address)       ip_format((address), (char[IP_TEXT_SIZE]){0})
#define IP_PREFIX_TEXT(prefix) ip_prefix_format((prefix), (char[IP_PREFIX_TEXT_SIZE]){0})

/* How many addresses a prefix has, less one: 24 of 32 bits gives 255. */
ip_number ip_prefix_span(struct ip_prefix prefix);

/* The prefix's lowest and highest address; of IPv4 its network and broadcast address. */
struct ip ip_prefix_first(struct ip_prefix prefix);
struct ip ip_prefix_last(struct ip_prefix prefix);

/* The prefix with host bits 0. */
struct ip_prefix ip_prefix_network(struct ip_prefix prefix);

bool ip_prefix_contains(struct ip_prefix prefix, struct ip address);

/* Same family, length and subnet. */
bool ip_prefix_same(struct ip_prefix a, struct ip_prefix b);

/*
 * Whether hosts have addresses there: not 0/8, 127/8 and 224/3 (RFC 6890), nor ::/8, fe80::/10
 * (each link has its own of those) and ff00::/8 (RFC 4291).
 */
bool ip_is_hosts(struct ip address);

/* 169.254/16 or fe80::/10. */
bool ip_is_link_local(struct ip address);

#endif
