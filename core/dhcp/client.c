#include "dhcp/client.h"

#include "base/cleanup.h"
#include "dhcp/client_message.h"
#include "dhcp/client_probe.h"
#include "dhcp/client_state.h"

enum {
	RETRY_SECONDS = 4,
	DECLINE_SECONDS = 10, /* RFC 2131 section 3.1 step 5 */
	REQUESTS_MAX = 4, /* then the offer is given up: RFC 2131 section 3.1 step 5 */
	REBOOTS_MAX = 2, /* then the saved lease is */
	UNANSWERED_MIN = 2, /* DHCPDISCOVERs without an answer, before it is told */
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

static void report(struct dhcp_actions *actions, const char *text, struct ipv4 address)
{
	struct dhcp_report fact = {.text = text, .address = address};
	dhcp_actions_report(actions, &fact);
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
	/* Whoever does not say who he is could not be asked to renew it, nor be given it back. */
	if (ipv4_is_none(granted.server)) {
		report(actions, "ignored: a DHCPACK of no known server", granted.address.address);
		return;
	}
	bool same = client->configured &&
		    ipv4_equal(client->lease.address.address, granted.address.address);
	if (client->configured && !same)
		dhcp_client_unconfigure(client, DHCP_CHANGE_REPLACED, actions);
	client->lease = granted;
	client->server = granted.server;
	client->naks = 0;
	if (same)
		dhcp_client_enter_bound(client, DHCP_CHANGE_RENEWED, now_ns, actions);
	else if (client->settings.probe)
		dhcp_client_probe_begin(client, DHCP_CHANGE_BOUND, now_ns);
	else
		dhcp_client_enter_bound(client, DHCP_CHANGE_BOUND, now_ns, actions);
}

static void on_nak(struct dhcp_client *client, uint64_t now_ns, struct dhcp_actions *actions)
{
	if (client->state == DHCP_CLIENT_REQUESTING)
		client->lease = (struct dhcp_client_lease){.address.address = client->offered};
	dhcp_client_unconfigure(client, DHCP_CHANGE_REFUSED, actions);
	client->wish = (struct ipv4){0};
	client->state = DHCP_CLIENT_INIT;
	client->resend_ns = now_ns;
	if (client->naks++ > 0)
		client->resend_ns += dhcp_client_backoff_ns(client, client->naks - 2);
	else
		dhcp_client_begin(client, now_ns, actions);
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
	dhcp_client_send_request(client, now_ns, actions);
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
	dhcp_client_change(client, DHCP_CONFIGURE, DHCP_CHANGE_INFORMED, actions);
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
	dhcp_client_new_transaction(client, now_ns);
	dhcp_client_send(client, DHCPDECLINE, now_ns, actions);
	dhcp_client_unconfigure(client, DHCP_CHANGE_DECLINED, actions);
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
		dhcp_client_change(client, DHCP_NOTICE, DHCP_CHANGE_DEFENDED, actions);
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
		dhcp_client_enter_bound(client, client->probed_for, now_ns, actions);
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
		dhcp_client_probe_begin(client, DHCP_CHANGE_KEPT, now_ns);
	else if (holds)
		dhcp_client_enter_bound(client, DHCP_CHANGE_KEPT, now_ns, actions);
	else
		dhcp_client_begin(client, now_ns, actions);
}

static void lease_timer(struct dhcp_client *client, uint64_t now_ns, struct dhcp_actions *actions)
{
	if (now_ns < client->lease.ends_ns) {
		dhcp_client_send_renewal(client, now_ns, actions);
		return;
	}
	dhcp_client_unconfigure(client, DHCP_CHANGE_EXPIRED, actions);
	dhcp_client_begin(client, now_ns, actions);
}

static void on_resend(struct dhcp_client *client, uint64_t now_ns, struct dhcp_actions *actions)
{
	switch (client->state) {
	case DHCP_CLIENT_INIT:
		dhcp_client_begin(client, now_ns, actions);
		break;
	case DHCP_CLIENT_SELECTING:
		if (client->attempts >= UNANSWERED_MIN)
			dhcp_client_change(client, DHCP_NOTICE, DHCP_CHANGE_UNANSWERED, actions);
		dhcp_client_send_discover(client, now_ns, actions);
		break;
	case DHCP_CLIENT_REQUESTING:
		if (client->attempts < REQUESTS_MAX)
			dhcp_client_send_request(client, now_ns, actions);
		else
			dhcp_client_begin(client, now_ns, actions);
		break;
	case DHCP_CLIENT_REBOOTING:
		if (client->configured && now_ns >= client->lease.ends_ns)
			lease_timer(client, now_ns, actions);
		else if (client->attempts < REBOOTS_MAX)
			dhcp_client_send_request(client, now_ns, actions);
		else
			reboot_unanswered(client, now_ns, actions);
		break;
	case DHCP_CLIENT_BOUND:
	case DHCP_CLIENT_RENEWING:
	case DHCP_CLIENT_REBINDING:
		lease_timer(client, now_ns, actions);
		break;
	case DHCP_CLIENT_INFORMING:
		dhcp_client_send_inform(client, now_ns, actions);
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
		dhcp_client_new_transaction(client, now_ns);
		dhcp_client_send_inform(client, now_ns, actions);
		return;
	}
	if (saved && ipv4_is_none(client->wish))
		client->wish = saved->address.address;
	if (saved && now_ns < saved->ends_ns && ipv4_equal(client->wish, saved->address.address)) {
		client->lease = *saved;
		client->server = saved->server;
		dhcp_client_reboot(client, now_ns, actions);
	} else {
		dhcp_client_begin(client, now_ns, actions);
	}
}

/* The link may lead elsewhere now: RFC 2131 section 3.7. What is held stays until a server says no. */
static void on_link_up(struct dhcp_client *client, uint64_t now_ns, struct dhcp_actions *actions)
{
	if (client->state == DHCP_CLIENT_INFORMING) {
		dhcp_client_send_inform(client, now_ns, actions);
	} else if (!client->configured) {
		/* After a conflict or a DHCPNAK it waits on purpose. */
		if (client->state != DHCP_CLIENT_INIT)
			dhcp_client_begin(client, now_ns, actions);
	} else if (now_ns >= client->lease.ends_ns) {
		lease_timer(client, now_ns, actions);
	} else {
		dhcp_client_change(client, DHCP_CONFIGURE, DHCP_CHANGE_LINK_BACK, actions);
		dhcp_client_announce_begin(client, now_ns, actions);
		dhcp_client_reboot(client, now_ns, actions);
	}
}

static void on_stop(
	struct dhcp_client *client, bool release, uint64_t now_ns, struct dhcp_actions *actions)
{
	if (client->configured && release) {
		dhcp_client_new_transaction(client, now_ns);
		dhcp_client_send(client, DHCPRELEASE, now_ns, actions);
		dhcp_client_unconfigure(client, DHCP_CHANGE_RELEASED, actions);
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
	if (client->state == DHCP_CLIENT_STOPPED)
		return;
	const uint64_t times[] = {client->resend_ns, client->arp_ns, client->give_up_ns};
	for (size_t i = 0; i < ARRAY_LENGTH(times); i++)
		if (times[i] < ret_actions->deadline_ns)
			ret_actions->deadline_ns = times[i];
}
