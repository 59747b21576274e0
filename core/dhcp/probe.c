#include "dhcp/probe.h"

#include <stdlib.h>
#include <string.h>

static struct dhcp_pending *place(struct dhcp_probes *probes, size_t number)
{
	return &probes->ring[(probes->first + number) % DHCP_PROBES_MAX];
}

void dhcp_pending_finish(struct dhcp_pending *pending)
{
	free(pending->bytes);
	*pending = (struct dhcp_pending){0};
}

void dhcp_probes_finish(struct dhcp_probes *probes)
{
	for (size_t i = 0; i < probes->count; i++)
		dhcp_pending_finish(place(probes, i));
	free(probes->ring);
	*probes = (struct dhcp_probes){0};
}

/* Empty places at the front are passed for good. */
static void trim(struct dhcp_probes *probes)
{
	while (probes->count > 0 && ipv4_is_none(place(probes, 0)->address)) {
		probes->first = (probes->first + 1) % DHCP_PROBES_MAX;
		probes->count--;
	}
}

static uint8_t *copy_bytes(const struct dhcp_pending *pending)
{
	if (pending->length == 0 || pending->length > DHCP_PROBE_BYTES_MAX)
		return NULL;
	uint8_t *bytes = malloc(pending->length);
	if (bytes)
		memcpy(bytes, pending->bytes, pending->length);
	return bytes;
}

bool dhcp_probes_add(struct dhcp_probes *probes, const struct dhcp_pending *pending)
{
	trim(probes);
	if (probes->count == DHCP_PROBES_MAX)
		return false;
	if (!probes->ring)
		probes->ring = calloc(DHCP_PROBES_MAX, sizeof(*probes->ring));
	uint8_t *bytes = probes->ring ? copy_bytes(pending) : NULL;
	if (!bytes)
		return false;
	struct dhcp_pending *added = place(probes, probes->count++);
	*added = *pending;
	added->bytes = bytes;
	return true;
}

bool dhcp_probes_replace(struct dhcp_pending *old, const struct dhcp_pending *pending)
{
	uint8_t *bytes = copy_bytes(pending);
	if (!bytes)
		return false;
	struct ipv4 address = old->address;
	uint64_t deadline_ns = old->deadline_ns;
	free(old->bytes);
	*old = *pending;
	old->address = address;
	old->deadline_ns = deadline_ns;
	old->bytes = bytes;
	return true;
}

struct dhcp_pending *dhcp_probes_find(struct dhcp_probes *probes, struct ipv4 address)
{
	for (size_t i = probes->count; i > 0; i--)
		if (ipv4_equal(place(probes, i - 1)->address, address))
			return place(probes, i - 1);
	return NULL;
}

struct dhcp_pending *dhcp_probes_first(struct dhcp_probes *probes)
{
	trim(probes);
	return probes->count > 0 ? place(probes, 0) : NULL;
}

struct dhcp_pending dhcp_probes_take(struct dhcp_probes *probes, struct dhcp_pending *pending)
{
	struct dhcp_pending taken = *pending;
	*pending = (struct dhcp_pending){0};
	trim(probes);
	return taken;
}
