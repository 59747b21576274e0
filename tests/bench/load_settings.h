/* What a person tells dhcp_load. */
#ifndef BENCH_LOAD_SETTINGS_H
#define BENCH_LOAD_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/error.h"
#include "programs/shared/options.h"

enum { LOAD_WINDOW_MOST = 1024 };

enum load_mode {
	LOAD_DORA, /* new clients: DISCOVER, OFFER, REQUEST, ACK */
	LOAD_RENEW, /* clients of --leases renew through the relay: REQUEST with ciaddr, ACK */
	LOAD_REBOOT, /* they ask for their address again (INIT-REBOOT) */
};

const char *load_mode_name(enum load_mode mode);

struct load_settings {
	enum load_mode mode;
	struct ipv4 server, local;
	uint32_t window; /* exchanges in flight */
	uint64_t count; /* of exchanges; 0: until the time is over */
	uint64_t seconds_ns, timeout_ns;
	uint32_t tries;
	uint64_t seed;
	const char *record, *leases; /* NULL where not given */
};

extern const struct program load_program;

/* Fill in defaults and check what only the whole can tell. */
int load_settings_check(struct load_settings *settings, struct error *error);

#endif
