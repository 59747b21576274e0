#include "dhcp/client_state.h"

#include "dhcp/client_message.h"
#include "dhcp/client_probe.h"

enum {
	DOUBLINGS_MAX = 4, /* 4 s grow to 64 s */
	JITTER_PART = 4, /* of 4 s: 1 s more or less */
	RENEW_FLOOR_SECONDS = 60,
};

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t dhcp_client_backoff_ns(struct dhcp_client *client, unsigned attempts)
{
	uint64_t first = client->settings.retry_ns;
	uint64_t spread = first / JITTER_PART;
	unsigned doublings = attempts < DOUBLINGS_MAX ? attempts : DOUBLINGS_MAX;
	return (first << doublings) - spread + dhcp_client_random(client) % (2 * spread + 1);
}

/* Half of what is left until `end_ns`, with a floor: RFC 2131 section 4.4.5. */
static uint64_t renewal_ns(uint64_t now_ns, uint64_t start_ns, uint64_t end_ns)
{
	uint64_t floor = RENEW_FLOOR_SECONDS * NS_PER_SECOND;
	if (floor > (end_ns - start_ns) / 4)
		floor = (end_ns - start_ns) / 4;
	uint64_t half = (end_ns - now_ns) / 2;
	uint64_t next = now_ns + (half > floor ? half : floor) + 1; /* forward, whatever is left */
	return next < end_ns ? next : end_ns;
}

void dhcp_client_change(struct dhcp_client *client, enum dhcp_action_kind kind,
	enum dhcp_change_reason reason, struct dhcp_actions *actions)
{
	bool removes = kind == DHCP_UNCONFIGURE;
	struct dhcp_change fact = {
		.reason = reason,
		.lease = removes ? &client->former : &client->lease,
	};
	fact.address = fact.lease->address.address;
	if (kind == DHCP_NOTICE && reason == DHCP_CHANGE_UNANSWERED)
		fact = (struct dhcp_change){.reason = reason};
	dhcp_actions_change(actions, kind, &fact);
}

static void configure(
	struct dhcp_client *client, enum dhcp_change_reason reason, struct dhcp_actions *actions)
{
	client->configured = true;
	dhcp_client_change(client, DHCP_CONFIGURE, reason, actions);
}

void dhcp_client_unconfigure(
	struct dhcp_client *client, enum dhcp_change_reason reason, struct dhcp_actions *actions)
{
	if (client->configured) {
		client->former = client->lease;
		client->configured = false;
		dhcp_client_change(client, DHCP_UNCONFIGURE, reason, actions);
	} else {
		dhcp_client_change(client, DHCP_NOTICE, reason, actions);
	}
	client->arp_ns = DHCP_NEVER;
	client->defended_ns = DHCP_NEVER;
}

void dhcp_client_new_transaction(struct dhcp_client *client, uint64_t now_ns)
{
	client->xid = (uint32_t)dhcp_client_random(client);
	client->attempts = 0;
	client->began_ns = client->sent_ns = now_ns;
}

void dhcp_client_send_discover(
	struct dhcp_client *client, uint64_t now_ns, struct dhcp_actions *actions)
{
	client->resend_ns = now_ns + dhcp_client_backoff_ns(client, client->attempts);
	dhcp_client_send(client, DHCPDISCOVER, now_ns, actions);
}

void dhcp_client_begin(struct dhcp_client *client, uint64_t now_ns, struct dhcp_actions *actions)
{
	client->state = DHCP_CLIENT_SELECTING;
	client->arp_ns = DHCP_NEVER;
	dhcp_client_new_transaction(client, now_ns);
	dhcp_client_send_discover(client, now_ns, actions);
}

/* All have one xid: which of them a DHCPACK answers is not known, so the first one's time counts. */
void dhcp_client_send_request(
	struct dhcp_client *client, uint64_t now_ns, struct dhcp_actions *actions)
{
	uint64_t wait_ns = dhcp_client_backoff_ns(client, client->attempts);
	bool reboots = client->state == DHCP_CLIENT_REBOOTING;
	if (client->attempts == 0)
		client->sent_ns = now_ns;
	client->resend_ns = now_ns + (reboots ? wait_ns / 2 : wait_ns);
	if (client->configured) /* it is verified over the link that came back */
		client->resend_ns = earlier(client->resend_ns, client->lease.ends_ns);
	dhcp_client_send(client, DHCPREQUEST, now_ns, actions);
}

void dhcp_client_reboot(struct dhcp_client *client, uint64_t now_ns, struct dhcp_actions *actions)
{
	client->state = DHCP_CLIENT_REBOOTING;
	dhcp_client_new_transaction(client, now_ns);
	dhcp_client_send_request(client, now_ns, actions);
}

void dhcp_client_send_inform(
	struct dhcp_client *client, uint64_t now_ns, struct dhcp_actions *actions)
{
	client->resend_ns = now_ns + dhcp_client_backoff_ns(client, client->attempts);
	dhcp_client_send(client, DHCPINFORM, now_ns, actions);
}

void dhcp_client_send_renewal(
	struct dhcp_client *client, uint64_t now_ns, struct dhcp_actions *actions)
{
	const struct dhcp_client_lease *lease = &client->lease;
	bool rebinding = now_ns >= lease->t2_ns;
	if (client->state == DHCP_CLIENT_BOUND)
		client->began_ns = now_ns;
	/* A new one each time, so that the answer tells which request it answers. */
	client->xid = (uint32_t)dhcp_client_random(client);
	client->sent_ns = now_ns;
	client->state = rebinding ? DHCP_CLIENT_REBINDING : DHCP_CLIENT_RENEWING;
	client->resend_ns = rebinding ? renewal_ns(now_ns, lease->t2_ns, lease->ends_ns)
				      : renewal_ns(now_ns, lease->t1_ns, lease->t2_ns);
	dhcp_client_send(client, DHCPREQUEST, now_ns, actions);
}

void dhcp_client_enter_bound(struct dhcp_client *client, enum dhcp_change_reason reason,
	uint64_t now_ns, struct dhcp_actions *actions)
{
	client->state = DHCP_CLIENT_BOUND;
	client->attempts = 0;
	client->give_up_ns = DHCP_NEVER;
	client->resend_ns = client->lease.t1_ns;
	client->wish = client->lease.address.address;
	if (now_ns >= client->lease.ends_ns) {
		client->resend_ns = now_ns; /* it took its whole time to arrive */
		return;
	}
	configure(client, reason, actions);
	if (reason != DHCP_CHANGE_RENEWED) {
		client->conflicts = 0;
		dhcp_client_announce_begin(client, now_ns, actions);
	}
}
