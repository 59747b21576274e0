/*
 * Requests that wait for their address to be probed (RFC 2131 section 3.1, step 2): each is kept as
 * the bytes it came in, so that its answer can be made once nobody has answered the probe. All wait
 * equally long. At most DHCP_PROBES_MAX wait at once.
 */
#ifndef DHCP_PROBE_H
#define DHCP_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"

enum { DHCP_PROBES_MAX = 1024, DHCP_PROBE_BYTES_MAX = 4096 };

/* A request, as struct dhcp_server_event has it. */
struct dhcp_pending {
	struct ipv4 address; /* the one that is probed; none: an empty place */
	uint64_t deadline_ns;
	uint8_t *bytes; /* owned */
	size_t length;
	unsigned interface;
	struct ipv4 local;
	bool broadcast;
	uint16_t source_port;
};

/* `= {0}` is an empty one. */
struct dhcp_probes {
	struct dhcp_pending *ring; /* owned, DHCP_PROBES_MAX of them */
	size_t first, count;
};

void dhcp_probes_finish(struct dhcp_probes *probes);

/*
 * Keep `pending`, whose bytes are copied, at the end of the row. False where there is no room, it is
 * too long, or memory is gone.
 */
bool dhcp_probes_add(struct dhcp_probes *probes, const struct dhcp_pending *pending);

/* Put the newer request `pending` in the place of `old`, which keeps its deadline; as above. */
bool dhcp_probes_replace(struct dhcp_pending *old, const struct dhcp_pending *pending);

/* The youngest that waits for `address`, and the one that waits longest; NULL where there is none. */
struct dhcp_pending *dhcp_probes_find(struct dhcp_probes *probes, struct ipv4 address);
struct dhcp_pending *dhcp_probes_first(struct dhcp_probes *probes);

/* Take it out of the row. The caller owns its bytes. */
struct dhcp_pending dhcp_probes_take(struct dhcp_probes *probes, struct dhcp_pending *pending);

/* For CLEANUP(): releases one that was taken. */
void dhcp_pending_finish(struct dhcp_pending *pending);

#endif
