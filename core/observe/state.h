/*
 * A node's state of IPv4 and IPv6, asked for now: the addresses and routes the kernel has, told by the kernel.
 * Runs in the caller's process and blocks for the answer, well under a millisecond; the caller's
 * own network namespace is never left (errand.h) and needs the privilege named there.
 */
#ifndef OBSERVE_STATE_H
#define OBSERVE_STATE_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/error.h"
#include "base/ip.h"

struct observed_address {
	char interface[IF_NAMESIZE];
	struct ip_prefix address;
	uint32_t valid_seconds; /* left; UINT32_MAX: for ever */
};

/*
 * The addresses of the namespace `netns_fd`, in the kernel's order; of one interface, or of
 * all with NULL (the loopback's too). An interface that does not exist has none.
 * Without the link-local ones of IPv6.
 * ret_addresses: an array the caller frees; NULL where there is none.
 */
int observe_addresses(int netns_fd, const char *interface, struct observed_address **ret_addresses,
	size_t *ret_count, struct error *error);

/*
 * Whether the interface is up and has a carrier; false where it does not exist.
 */
int observe_running(int netns_fd, const char *interface, bool *ret_running, struct error *error);

struct observed_route {
	struct ip_prefix destination; /* 0.0.0.0/0 or ::/0: the default route */
	struct ip gateway; /* none: what is reached directly */
	struct ip source; /* the preferred source address; none: not set */
	char interface[IF_NAMESIZE]; /* "": none, or several */
	uint32_t metric;
};

/* The unicast routes of the main table, likewise. */
int observe_routes(int netns_fd, const char *interface, struct observed_route **ret_routes,
	size_t *ret_count, struct error *error);

#endif
