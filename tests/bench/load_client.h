/*
 * The clients of a load: their hardware addresses, and files of those that have an address, a line
 * each: "10.16.0.1 02:5e:10:00:00:01".
 */
#ifndef BENCH_LOAD_CLIENT_H
#define BENCH_LOAD_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/error.h"

struct load_client {
	struct mac mac;
	struct ipv4 address; /* none: it has none yet */
};

struct load_clients {
	struct load_client *list;
	size_t count;
};

/*
 * The `number`-th client of `seed`: a locally administered address that looks random and that no
 * other number below 2^40 of that seed has.
 */
struct mac load_client_mac(uint64_t seed, uint64_t number);

/* Append the lines of `path`. A last line without its newline is what a crash left, and is none. */
int load_clients_read(const char *path, struct load_clients *clients, struct error *error);
void load_clients_finish(struct load_clients *clients);

#define LOAD_CLIENT_LINE_SIZE (IPV4_TEXT_SIZE + MAC_TEXT_SIZE + 2)

/* The client's line, with its newline; returns its length. */
size_t load_client_line(const struct load_client *client, char line[static LOAD_CLIENT_LINE_SIZE]);

#endif
