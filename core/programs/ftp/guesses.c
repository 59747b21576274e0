#include "programs/ftp/guesses.h"

#include <stddef.h>

#include "base/clock.h"

/* One IPv6 customer has a /64 at least: its addresses are one. */
static size_t place_of(const struct guesses *guesses, const struct endpoint *client)
{
	size_t length = client->family == ENDPOINT_IPV4 ? 4 : 8;
	uint64_t hash = guesses->key ^ (uint64_t)client->family;
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ client->address[i]) * UINT64_C(0x9e3779b97f4a7c15);
	return (size_t)(hash >> 32) % GUESSES_PLACES;
}

uint64_t guesses_wrong(struct guesses *guesses, const struct endpoint *client, uint64_t now_ns)
{
	size_t place = place_of(guesses, client);
	uint64_t age_ns = now_ns - guesses->places[place].last_ns;
	unsigned count = guesses->places[place].count;
	if (age_ns > GUESSES_FORGET_SECONDS * NS_PER_SECOND)
		count = 0;
	if (count < GUESSES_DELAY_SECONDS_MAX)
		count++;
	guesses->places[place].count = count;
	guesses->places[place].last_ns = now_ns;
	guesses->total++;
	return count * NS_PER_SECOND;
}
