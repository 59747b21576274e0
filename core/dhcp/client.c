#include "dhcp/client.h"

#include "dhcp/client_message.h"
#include "dhcp/client_probe.h"

enum {
	RETRY_SECONDS = 4,
	DECLINE_SECONDS = 10, /* RFC 2131 section 3.1 step 5 */
	DOUBLINGS_MAX = 4, /* 4 s grow to 64 s */
	JITTER_PART = 4, /* of 4 s: 1 s more or less */
	REQUESTS_MAX = 4, /* then the offer is given up: RFC 2131 section 3.1 step 5 */
	REBOOTS_MAX = 2, /* then the saved lease is */
	UNANSWERED_MIN = 2, /* DHCPDISCOVERs without an answer, before it is told */
	RENEW_FLOOR_SECONDS = 60,
};

static const char *const state_names[] = {
	[DHCP_CLIENT_INIT] = "INIT",
	[DHCP_CLIENT_SELECTING] = "SELECTING",
	[DHCP_CLIENT_REQUESTING] = "REQUESTING",
	[DHCP_CLIENT_REBOOTING] = "REBOOTING",
	[DHCP_CLIENT_PROBING] = "PROBING",
	[DHCP_CLIENT_BOUND] = "BOUND",
	[DHCP_CLIENT_RENEWING] = "RENEWING",
	[DHCP_CLIENT_REBINDING] = "REBINDING",
	[DHCP_CLIENT_INFORMING] = "INFORMING",
	[DHCP_CLIENT_STOPPED] = "STOPPED",
};

const char *dhcp_client_state_name(enum dhcp_client_state state)
{
	return state_names[state];
}

void dhcp_client_init(struct dhcp_client *client, const struct dhcp_client_settings *settings)
{
	*client = (struct dhcp_client){
		.settings = *settings,
		.state = DHCP_CLIENT_INIT,
		.random = settings->seed,
		.wish = settings->address,
		.give_up_ns = DHCP_NEVER,
		.resend_ns = DHCP_NEVER,
		.arp_ns = DHCP_NEVER,
		.defended_ns = DHCP_NEVER,
	};
	if (client->settings.retry_ns == 0)
		client->settings.retry_ns = RETRY_SECONDS * NS_PER_SECOND;
	if (client->settings.decline_ns == 0)
		client->settings.decline_ns = DECLINE_SECONDS * NS_PER_SECOND;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* RFC 2131 section 4.1: doubled each time, and one part in four of the first more or less. */
static uint64_t backoff_ns(struct dhcp_client *client, unsigned attempts)
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

static void report(struct dhcp_actions *actions, const char *text, struct ipv4 address)
{
	struct dhcp_report fact = {.text = text, .address = address};
	dhcp_actions_report(actions, &fact);
}

static void change(struct dhcp_client *client, enum dhcp_action_kind kind,
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
	change(client, DHCP_CONFIGURE, reason, actions);
}

/* The lease is over: told as a notice where it was not in use yet. */
static void unconfigure(
	struct dhcp_client *client, enum dhcp_change_reason reason, struct dhcp_actions *actions)
{
	if (client->configured) {
		client->former = client->lease;
		client->configured = false;
		change(client, DHCP_UNCONFIGURE, reason, actions);
	} else {
		change(client, DHCP_NOTICE, reason, actions);
	}
	client->arp_ns = DHCP_NEVER;
	client->defended_ns = DHCP_NEVER;
}

static void new_transaction(struct dhcp_client *client, uint64_t now_ns)
{
	client->xid = (uint32_t)dhcp_client_random(client);
	client->attempts = 0;
	client->began_ns = client->sent_ns = now_ns;
}

static void send_discover(struct dhcp_client *client, uint64_t now_ns, struct dhcp_actions *actions)
{
	client->resend_ns = now_ns + backoff_ns(client, client->attempts);
	dhcp_client_send(client, DHCPDISCOVER, now_ns, actions);
}

/* INIT: look for a server, as a new transaction. */
static void begin(struct dhcp_client *client, uint64_t now_ns, struct dhcp_actions *actions)
{
	client->state = DHCP_CLIENT_SELECTING;
	client->arp_ns = DHCP_NEVER;
	new_transaction(client, now_ns);
	send_discover(client, now_ns, actions);
}

/* All have one xid: which of them a DHCPACK answers is not known, so the first one's time counts. */
static void send_request(struct dhcp_client *client, uint64_t now_ns, struct dhcp_actions *actions)
{
	uint64_t wait_ns = backoff_ns(client, client->attempts);
	bool reboots = client->state == DHCP_CLIENT_REBOOTING;
	if (client->attempts == 0)
		client->sent_ns = now_ns;
	client->resend_ns = now_ns + (reboots ? wait_ns / 2 : wait_ns);
	if (client->configured) /* it is verified over the link that came back */
		client->resend_ns = earlier(client->resend_ns, client->lease.ends_ns);
	dhcp_client_send(client, DHCPREQUEST, now_ns, actions);
}

/* INIT-REBOOT: is client->lease still good here? */
static void reboot(struct dhcp_client *client, uint64_t now_ns, struct dhcp_actions *actions)
{
	client->state = DHCP_CLIENT_REBOOTING;
	new_transaction(client, now_ns);
	send_request(client, now_ns, actions);
}

static void send_inform(struct dhcp_client *client, uint64_t now_ns, struct dhcp_actions *actions)
{
	client->resend_ns = now_ns + backoff_ns(client, client->attempts);
	dhcp_client_send(client, DHCPINFORM, now_ns, actions);
}

/* Ask for the lease to be prolonged: of its server, or from T2 on of any. */
static void send_renewal(struct dhcp_client *client, uint64_t now_ns, struct dhcp_actions *actions)
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

/* client->lease is the client's own from here. */
static void enter_bound(struct dhcp_client *client, enum dhcp_change_reason reason, uint64_t now_ns,
	struct dhcp_actions *actions)
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

static void on_ack(struct dhcp_client *client, const struct dhcp_message *message, uint64_t now_ns,
	struct dhcp_actions *actions)
{
	struct dhcp_client_lease granted;
	if (!dhcp_client_lease_read(message, client->sent_ns, &granted)) {
		report(actions, "ignored: a DHCPACK without a usable lease", client->offered);
		return;
	}
	if (ipv4_is_none(granted.server))
		granted.server = client->server;
	bool same = client->configured &&
		    ipv4_equal(client->lease.address.address, granted.address.address);
	if (client->configured && !same)
		unconfigure(client, DHCP_CHANGE_REPLACED, actions);
	client->lease = granted;
	client->server = granted.server;
	client->naks = 0;
	if (same)
		enter_bound(client, DHCP_CHANGE_RENEWED, now_ns, actions);
	else if (client->settings.probe)
		dhcp_client_probe_begin(client, now_ns);
	else
		enter_bound(client, DHCP_CHANGE_BOUND, now_ns, actions);
}

static void on_nak(struct dhcp_client *client, uint64_t now_ns, struct dhcp_actions *actions)
{
	if (client->state == DHCP_CLIENT_REQUESTING)
		client->lease = (struct dhcp_client_lease){.address.address = client->offered};
	unconfigure(client, DHCP_CHANGE_REFUSED, actions);
	client->wish = (struct ipv4){0};
	client->state = DHCP_CLIENT_INIT;
	client->resend_ns = now_ns;
	if (client->naks++ > 0)
		client->resend_ns += backoff_ns(client, client->naks - 2);
	else
		begin(client, now_ns, actions);
}

static void on_offer(struct dhcp_client *client, const struct dhcp_message *message,
	uint64_t now_ns, struct dhcp_actions *actions)
{
	struct ipv4 server;
	if (dhcp_message_address(message, DHCP_OPTION_SERVER_ID, &server) != DHCP_PRESENT ||
		!dhcp_client_address_usable(message->header.yiaddr)) {
		report(actions, "ignored: a DHCPOFFER without server or address",
			message->header.yiaddr);
		return;
	}
	client->offered = message->header.yiaddr;
	client->server = server;
	client->state = DHCP_CLIENT_REQUESTING;
	client->attempts = 0;
	send_request(client, now_ns, actions);
}

/* RFC 4039 section 3.1: only with the option, and only where we asked for it. */
static bool is_rapid(const struct dhcp_client *client, const struct dhcp_message *message)
{
	struct dhcp_field value;
	return client->settings.rapid_commit && message->type == DHCPACK &&
	       dhcp_message_bytes(message, DHCP_OPTION_RAPID_COMMIT, &value) == DHCP_PRESENT;
}

static void on_informed(struct dhcp_client *client, const struct dhcp_message *message,
	uint64_t now_ns, struct dhcp_actions *actions)
{
	dhcp_client_lease_inform(message, client->settings.inform, now_ns, &client->lease);
	change(client, DHCP_CONFIGURE, DHCP_CHANGE_INFORMED, actions);
	client->state = DHCP_CLIENT_STOPPED;
	client->outcome = DHCP_CLIENT_STOPPED_AS_ASKED;
	dhcp_actions_finish(actions);
}

static void on_message(struct dhcp_client *client, const struct dhcp_message *message,
	uint64_t now_ns, struct dhcp_actions *actions)
{
	if (!dhcp_client_is_answer(client, message))
		return;
	switch (client->state) {
	case DHCP_CLIENT_SELECTING:
		if (message->type == DHCPOFFER)
			on_offer(client, message, now_ns, actions);
		else if (is_rapid(client, message))
			on_ack(client, message, now_ns, actions);
		break;
	case DHCP_CLIENT_REQUESTING:
	case DHCP_CLIENT_REBOOTING:
	case DHCP_CLIENT_RENEWING:
	case DHCP_CLIENT_REBINDING:
		if (message->type == DHCPACK)
			on_ack(client, message, now_ns, actions);
		else if (message->type == DHCPNAK)
			on_nak(client, now_ns, actions);
		break;
	case DHCP_CLIENT_INFORMING:
		if (message->type == DHCPACK)
			on_informed(client, message, now_ns, actions);
		break;
	case DHCP_CLIENT_INIT:
	case DHCP_CLIENT_PROBING:
	case DHCP_CLIENT_BOUND:
	case DHCP_CLIENT_STOPPED:
		break;
	}
}

/* Another host has the address: say so to the server, and begin again after a while. */
static void on_conflict(struct dhcp_client *client, uint64_t now_ns, struct dhcp_actions *actions)
{
	client->conflicts++;
	new_transaction(client, now_ns);
	dhcp_client_send(client, DHCPDECLINE, now_ns, actions);
	unconfigure(client, DHCP_CHANGE_DECLINED, actions);
	client->wish = (struct ipv4){0};
	client->state = DHCP_CLIENT_INIT;
	client->resend_ns = now_ns + dhcp_client_conflict_wait_ns(client);
}

static void on_arp(struct dhcp_client *client, const struct dhcp_arp *heard, uint64_t now_ns,
	struct dhcp_actions *actions)
{
	switch (dhcp_client_hear(client, heard, now_ns, actions)) {
	case DHCP_CONFLICT_NONE:
		break;
	case DHCP_CONFLICT_DEFENDED:
		change(client, DHCP_NOTICE, DHCP_CHANGE_DEFENDED, actions);
		break;
	case DHCP_CONFLICT_LOST:
		on_conflict(client, now_ns, actions);
		break;
	}
}

static void on_arp_timer(struct dhcp_client *client, uint64_t now_ns, struct dhcp_actions *actions)
{
	if (client->state != DHCP_CLIENT_PROBING)
		dhcp_client_announce_next(client, now_ns, actions);
	else if (dhcp_client_probe_next(client, now_ns, actions))
		enter_bound(client, DHCP_CHANGE_BOUND, now_ns, actions);
}

/* No server has answered for the lease of client->lease. */
static void reboot_unanswered(
	struct dhcp_client *client, uint64_t now_ns, struct dhcp_actions *actions)
{
	if (client->configured) { /* the link came back: RFC 2131 section 3.7 lets it go on */
		client->state = DHCP_CLIENT_BOUND;
		client->resend_ns = client->lease.t1_ns > now_ns ? client->lease.t1_ns : now_ns;
		return;
	}
	bool holds = client->settings.keep_unverified && now_ns < client->lease.ends_ns;
	if (holds && client->settings.probe)
		dhcp_client_probe_begin(client, now_ns);
	else if (holds)
		enter_bound(client, DHCP_CHANGE_KEPT, now_ns, actions);
	else
		begin(client, now_ns, actions);
}

static void lease_timer(struct dhcp_client *client, uint64_t now_ns, struct dhcp_actions *actions)
{
	if (now_ns < client->lease.ends_ns) {
		send_renewal(client, now_ns, actions);
		return;
	}
	unconfigure(client, DHCP_CHANGE_EXPIRED, actions);
	begin(client, now_ns, actions);
}

static void on_resend(struct dhcp_client *client, uint64_t now_ns, struct dhcp_actions *actions)
{
	switch (client->state) {
	case DHCP_CLIENT_INIT:
		begin(client, now_ns, actions);
		break;
	case DHCP_CLIENT_SELECTING:
		if (client->attempts >= UNANSWERED_MIN)
			change(client, DHCP_NOTICE, DHCP_CHANGE_UNANSWERED, actions);
		send_discover(client, now_ns, actions);
		break;
	case DHCP_CLIENT_REQUESTING:
		if (client->attempts < REQUESTS_MAX)
			send_request(client, now_ns, actions);
		else
			begin(client, now_ns, actions);
		break;
	case DHCP_CLIENT_REBOOTING:
		if (client->configured && now_ns >= client->lease.ends_ns)
			lease_timer(client, now_ns, actions);
		else if (client->attempts < REBOOTS_MAX)
			send_request(client, now_ns, actions);
		else
			reboot_unanswered(client, now_ns, actions);
		break;
	case DHCP_CLIENT_BOUND:
	case DHCP_CLIENT_RENEWING:
	case DHCP_CLIENT_REBINDING:
		lease_timer(client, now_ns, actions);
		break;
	case DHCP_CLIENT_INFORMING:
		send_inform(client, now_ns, actions);
		break;
	case DHCP_CLIENT_PROBING:
	case DHCP_CLIENT_STOPPED:
		break;
	}
}

static void on_timer(struct dhcp_client *client, uint64_t now_ns, struct dhcp_actions *actions)
{
	if (now_ns >= client->give_up_ns) {
		client->state = DHCP_CLIENT_STOPPED;
		client->outcome = DHCP_CLIENT_NO_ADDRESS;
		dhcp_actions_finish(actions);
		return;
	}
	if (now_ns >= client->resend_ns)
		on_resend(client, now_ns, actions);
	else if (now_ns >= client->arp_ns)
		on_arp_timer(client, now_ns, actions);
}

static void on_start(struct dhcp_client *client, const struct dhcp_client_lease *saved,
	uint64_t now_ns, struct dhcp_actions *actions)
{
	if (client->settings.wait_ns)
		client->give_up_ns = now_ns + client->settings.wait_ns;
	if (!ipv4_is_none(client->settings.inform.address)) {
		client->state = DHCP_CLIENT_INFORMING;
		new_transaction(client, now_ns);
		send_inform(client, now_ns, actions);
		return;
	}
	if (saved && ipv4_is_none(client->wish))
		client->wish = saved->address.address;
	if (saved && now_ns < saved->ends_ns && ipv4_equal(client->wish, saved->address.address)) {
		client->lease = *saved;
		client->server = saved->server;
		reboot(client, now_ns, actions);
	} else {
		begin(client, now_ns, actions);
	}
}

/* The link may lead elsewhere now: RFC 2131 section 3.7. What is held stays until a server says no. */
static void on_link_up(struct dhcp_client *client, uint64_t now_ns, struct dhcp_actions *actions)
{
	if (client->state == DHCP_CLIENT_INFORMING) {
		send_inform(client, now_ns, actions);
	} else if (!client->configured) {
		/* After a conflict or a DHCPNAK it waits on purpose. */
		if (client->state != DHCP_CLIENT_INIT)
			begin(client, now_ns, actions);
	} else if (now_ns >= client->lease.ends_ns) {
		lease_timer(client, now_ns, actions);
	} else {
		change(client, DHCP_CONFIGURE, DHCP_CHANGE_LINK_BACK, actions);
		dhcp_client_announce_begin(client, now_ns, actions);
		reboot(client, now_ns, actions);
	}
}

static void on_stop(
	struct dhcp_client *client, bool release, uint64_t now_ns, struct dhcp_actions *actions)
{
	if (client->configured && release) {
		new_transaction(client, now_ns);
		dhcp_client_send(client, DHCPRELEASE, now_ns, actions);
		unconfigure(client, DHCP_CHANGE_RELEASED, actions);
	}
	client->state = DHCP_CLIENT_STOPPED;
	client->outcome = DHCP_CLIENT_STOPPED_AS_ASKED;
	dhcp_actions_finish(actions);
}

void dhcp_client_step(struct dhcp_client *client, const struct dhcp_client_event *event,
	uint64_t now_ns, struct dhcp_actions *ret_actions)
{
	dhcp_actions_init(ret_actions);
	if (client->state == DHCP_CLIENT_STOPPED)
		return;
	switch (event->kind) {
	case DHCP_CLIENT_START:
		on_start(client, event->saved, now_ns, ret_actions);
		break;
	case DHCP_CLIENT_MESSAGE:
		on_message(client, event->message, now_ns, ret_actions);
		break;
	case DHCP_CLIENT_TIMER:
		on_timer(client, now_ns, ret_actions);
		break;
	case DHCP_CLIENT_HEARD_ARP:
		on_arp(client, &event->arp, now_ns, ret_actions);
		break;
	case DHCP_CLIENT_LINK_UP:
		on_link_up(client, now_ns, ret_actions);
		break;
	case DHCP_CLIENT_STOP:
		on_stop(client, event->release, now_ns, ret_actions);
		break;
	}
	if (client->state != DHCP_CLIENT_STOPPED)
		ret_actions->deadline_ns =
			earlier(earlier(client->resend_ns, client->arp_ns), client->give_up_ns);
}
