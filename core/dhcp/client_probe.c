#include "dhcp/client_probe.h"

#include "base/clock.h"

/* RFC 5227 section 1.1. */
enum { MAX_CONFLICTS = 10, RATE_LIMIT_SECONDS = 60 };

uint64_t dhcp_client_random(struct dhcp_client *client)
{
	uint64_t z = client->random += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static uint64_t random_between(struct dhcp_client *client, uint64_t least, uint64_t most)
{
	return most > least ? least + dhcp_client_random(client) % (most - least + 1) : least;
}

void dhcp_client_probe_begin(
	struct dhcp_client *client, enum dhcp_change_reason reason, uint64_t now_ns)
{
	client->state = DHCP_CLIENT_PROBING;
	client->probed_for = reason;
	client->resend_ns = DHCP_NEVER;
	client->arps_left = client->settings.probe_times.probes;
	client->arp_ns = now_ns + random_between(client, 0, client->settings.probe_times.wait_ns);
}

bool dhcp_client_probe_next(
	struct dhcp_client *client, uint64_t now_ns, struct dhcp_actions *actions)
{
	const struct dhcp_probe_times *times = &client->settings.probe_times;
	if (client->arps_left == 0)
		return true;
	struct dhcp_arp probe = {.target = client->lease.address.address};
	dhcp_actions_arp(actions, &probe);
	client->arps_left--;
	client->arp_ns = now_ns + (client->arps_left ? random_between(client, times->least_ns,
							       times->most_ns)
						     : times->announce_wait_ns);
	return false;
}

void dhcp_client_announce_begin(
	struct dhcp_client *client, uint64_t now_ns, struct dhcp_actions *actions)
{
	client->arp_ns = DHCP_NEVER;
	if (!client->settings.probe)
		return;
	client->arps_left = client->settings.probe_times.announcements;
	client->arp_ns = now_ns;
	dhcp_client_announce_next(client, now_ns, actions);
}

static void announce(struct dhcp_client *client, struct dhcp_actions *actions)
{
	struct ipv4 own = client->lease.address.address;
	struct dhcp_arp announcement = {.sender = own, .target = own};
	dhcp_actions_arp(actions, &announcement);
}

void dhcp_client_announce_next(
	struct dhcp_client *client, uint64_t now_ns, struct dhcp_actions *actions)
{
	if (client->arps_left > 0) {
		announce(client, actions);
		client->arps_left--;
	}
	client->arp_ns = client->arps_left
				 ? now_ns + client->settings.probe_times.announce_interval_ns
				 : DHCP_NEVER;
}

enum dhcp_conflict dhcp_client_hear(struct dhcp_client *client, const struct dhcp_arp *heard,
	uint64_t now_ns, struct dhcp_actions *actions)
{
	struct ipv4 ours = client->lease.address.address;
	bool used = ipv4_equal(heard->sender, ours);
	if (!client->settings.probe)
		return DHCP_CONFLICT_NONE;
	if (client->state == DHCP_CLIENT_PROBING) {
		bool probed = ipv4_is_none(heard->sender) && ipv4_equal(heard->target, ours);
		return used || probed ? DHCP_CONFLICT_LOST : DHCP_CONFLICT_NONE;
	}
	if (!client->configured || !used)
		return DHCP_CONFLICT_NONE;
	bool again = client->defended_ns != DHCP_NEVER &&
		     now_ns - client->defended_ns < client->settings.probe_times.defend_ns;
	if (again)
		return DHCP_CONFLICT_LOST;
	client->defended_ns = now_ns;
	announce(client, actions);
	return DHCP_CONFLICT_DEFENDED;
}

uint64_t dhcp_client_conflict_wait_ns(const struct dhcp_client *client)
{
	uint64_t limit_ns = RATE_LIMIT_SECONDS * NS_PER_SECOND;
	if (client->conflicts < MAX_CONFLICTS || limit_ns < client->settings.decline_ns)
		return client->settings.decline_ns;
	return limit_ns;
}
