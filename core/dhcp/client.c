#include "dhcp/client.h"

#include "base/clock.h"

enum {
	RETRY_SECONDS = 4,
	DOUBLINGS_MAX = 4, /* 4 s grow to 64 s */
	JITTER_PART = 4, /* of 4 s: 1 s more or less */
	REQUESTS_MAX = 4, /* then the offer is given up: RFC 2131 section 3.1 step 5 */
	RENEW_FLOOR_SECONDS = 60,
	SIZE_WISH = 1500,
};

static const char *const state_names[] = {
	[DHCP_CLIENT_INIT] = "INIT",
	[DHCP_CLIENT_SELECTING] = "SELECTING",
	[DHCP_CLIENT_REQUESTING] = "REQUESTING",
	[DHCP_CLIENT_BOUND] = "BOUND",
	[DHCP_CLIENT_RENEWING] = "RENEWING",
	[DHCP_CLIENT_REBINDING] = "REBINDING",
	[DHCP_CLIENT_STOPPED] = "STOPPED",
};

const char *dhcp_client_state_name(enum dhcp_client_state state)
{
	return state_names[state];
}

/* SplitMix64: enough to keep clients apart, and the same for the same seed. */
static uint64_t client_random(struct dhcp_client *client)
{
	uint64_t z = client->random += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

void dhcp_client_init(struct dhcp_client *client, const struct dhcp_client_settings *settings)
{
	*client = (struct dhcp_client){
		.settings = *settings,
		.state = DHCP_CLIENT_INIT,
		.random = settings->seed,
		.give_up_ns = DHCP_NEVER,
		.resend_ns = DHCP_NEVER,
	};
	if (client->settings.retry_ns == 0)
		client->settings.retry_ns = RETRY_SECONDS * NS_PER_SECOND;
}

/* RFC 2131 section 4.1: doubled each time, and one part in four of the first more or less. */
static uint64_t backoff_ns(struct dhcp_client *client, unsigned attempts)
{
	uint64_t first = client->settings.retry_ns;
	uint64_t spread = first / JITTER_PART;
	unsigned doublings = attempts < DOUBLINGS_MAX ? attempts : DOUBLINGS_MAX;
	return (first << doublings) - spread + client_random(client) % (2 * spread + 1);
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

static void client_report(
	struct dhcp_client *client, struct dhcp_actions *actions, const char *text)
{
	struct dhcp_report report = {
		.text = text,
		.address = client->configuration.address.address,
	};
	dhcp_actions_report(actions, &report);
}

static void put_wishes(const struct dhcp_client *client, struct dhcp_builder *builder)
{
	static const uint8_t parameters[] = {
		DHCP_OPTION_SUBNET_MASK,
		DHCP_OPTION_ROUTER,
		DHCP_OPTION_LEASE_TIME,
		DHCP_OPTION_SERVER_ID,
		DHCP_OPTION_T1,
		DHCP_OPTION_T2,
	};
	if (client->settings.lease_seconds)
		dhcp_builder_u32(builder, DHCP_OPTION_LEASE_TIME, client->settings.lease_seconds);
	dhcp_builder_bytes(builder, DHCP_OPTION_PARAMETERS, parameters, sizeof(parameters));
	dhcp_builder_u16(builder, DHCP_OPTION_MAXIMUM_SIZE, SIZE_WISH);
}

/* What each message holds: RFC 2131 section 4.4.1, table 5. */
static void client_send(
	struct dhcp_client *client, unsigned type, uint64_t now_ns, struct dhcp_actions *actions)
{
	bool holds = client->state >= DHCP_CLIENT_BOUND;
	struct ipv4 held = holds ? client->configuration.address.address : (struct ipv4){0};
	uint64_t secs = (now_ns - client->began_ns) / NS_PER_SECOND;
	actions->type = type;
	actions->header = (struct dhcp_header){
		.op = DHCP_OP_REQUEST,
		.xid = client->xid,
		.secs = secs < UINT16_MAX ? (uint16_t)secs : UINT16_MAX,
		.ciaddr = held,
		.chaddr = dhcp_hardware_from_mac(client->settings.mac),
	};
	struct dhcp_builder builder;
	dhcp_builder_init(
		&builder, actions->message, DHCP_MESSAGE_SIZE_DEFAULT, &actions->header, type);
	if (type == DHCPREQUEST && !holds)
		dhcp_builder_address(&builder, DHCP_OPTION_REQUESTED_ADDRESS, client->offered);
	if (type == DHCPRELEASE || (type == DHCPREQUEST && !holds))
		dhcp_builder_address(&builder, DHCP_OPTION_SERVER_ID, client->server);
	if (type != DHCPRELEASE)
		put_wishes(client, &builder);
	actions->message_length = dhcp_builder_finish(&builder);

	bool unicast = type == DHCPRELEASE || client->state == DHCP_CLIENT_RENEWING;
	struct dhcp_destination to = {
		.kind = unicast ? DHCP_TO_ADDRESS : DHCP_TO_BROADCAST,
		.address = unicast ? client->server : (struct ipv4){UINT32_MAX},
		.port = DHCP_SERVER_PORT,
		.interface = client->settings.interface,
		.source = held,
	};
	dhcp_actions_send(actions, &to);
	client->attempts++;
}

static void send_discover(struct dhcp_client *client, uint64_t now_ns, struct dhcp_actions *actions)
{
	client->resend_ns = now_ns + backoff_ns(client, client->attempts);
	client_send(client, DHCPDISCOVER, now_ns, actions);
}

/* INIT: look for a server, as a new transaction. */
static void begin(struct dhcp_client *client, uint64_t now_ns, struct dhcp_actions *actions)
{
	client->state = DHCP_CLIENT_SELECTING;
	client->configuration = (struct dhcp_configuration){0};
	client->xid = (uint32_t)client_random(client);
	client->attempts = 0;
	client->began_ns = now_ns;
	send_discover(client, now_ns, actions);
}

/* All have the offer's xid: which of them a DHCPACK answers is not known, so the first counts. */
static void send_request(struct dhcp_client *client, uint64_t now_ns, struct dhcp_actions *actions)
{
	if (client->attempts == 0)
		client->sent_ns = now_ns;
	client->resend_ns = now_ns + backoff_ns(client, client->attempts);
	client_send(client, DHCPREQUEST, now_ns, actions);
}

/* Ask for the lease to be prolonged: of its server, or from T2 on of any. */
static void send_renewal(struct dhcp_client *client, uint64_t now_ns, struct dhcp_actions *actions)
{
	bool rebinding = now_ns >= client->t2_ns;
	enum dhcp_client_state state = rebinding ? DHCP_CLIENT_REBINDING : DHCP_CLIENT_RENEWING;
	if (client->state == DHCP_CLIENT_BOUND)
		client->began_ns = now_ns;
	client->xid =
		(uint32_t)client_random(client); /* so that the answer tells which it answers */
	client->sent_ns = now_ns;
	client->state = state;
	client->resend_ns = rebinding ? renewal_ns(now_ns, client->t2_ns, client->ends_ns)
				      : renewal_ns(now_ns, client->t1_ns, client->t2_ns);
	client_send(client, DHCPREQUEST, now_ns, actions);
}

static void unconfigure(struct dhcp_client *client, struct dhcp_actions *actions, const char *why)
{
	client_report(client, actions, why);
	dhcp_actions_configure(actions, DHCP_UNCONFIGURE, &client->configuration);
	client->configuration = (struct dhcp_configuration){0};
}

/* The mask of the address's class, for a server that sends none (RFC 950). */
static unsigned class_length(struct ipv4 address)
{
	if (address.host >> 31 == 0)
		return 8;
	return address.host >> 30 == 2 ? 16 : 24;
}

/* An address that an interface can have: not 0/8, not 127/8, not multicast and above. */
static bool address_usable(struct ipv4 address)
{
	uint32_t net = address.host >> 24;
	return net != 0 && net != 127 && net < 224;
}

/*
 * Not the subnet's own address nor its broadcast; and with a mask of 0 all the world would be near.
 */
static bool is_host(struct prefix prefix)
{
	if (prefix.length >= 31)
		return true; /* RFC 3021 */
	return prefix.length > 0 && !ipv4_equal(prefix.address, prefix_network(prefix)) &&
	       !ipv4_equal(prefix.address, prefix_broadcast(prefix));
}

/* What a DHCPACK grants; false where it grants nothing that can be used. */
static bool ack_read(const struct dhcp_client *client, const struct dhcp_message *message,
	struct dhcp_configuration *ret_configuration)
{
	struct dhcp_configuration configuration = {.server = client->server};
	struct ipv4 address = message->header.yiaddr;
	uint32_t mask;
	configuration.address.address = address;
	configuration.address.length = class_length(address);
	if (!address_usable(address) ||
		dhcp_message_u32(message, DHCP_OPTION_LEASE_TIME, &configuration.lease_seconds) !=
			DHCP_PRESENT ||
		configuration.lease_seconds == 0)
		return false;
	if (dhcp_message_u32(message, DHCP_OPTION_SUBNET_MASK, &mask) == DHCP_PRESENT &&
		(!prefix_length_of_mask(mask, &configuration.address.length) ||
			!is_host(configuration.address)))
		return false;
	dhcp_message_address(message, DHCP_OPTION_ROUTER, &configuration.router);
	dhcp_message_address(message, DHCP_OPTION_SERVER_ID, &configuration.server);
	*ret_configuration = configuration;
	return true;
}

/* T1, T2 and the end, as instants. Times that make no sense give way to RFC 2131's. */
static void set_times(struct dhcp_client *client, const struct dhcp_message *message)
{
	uint32_t seconds = client->configuration.lease_seconds, t1, t2;
	uint64_t lease_ns = seconds * NS_PER_SECOND;
	client->t1_ns = client->t2_ns = client->ends_ns = client->resend_ns = DHCP_NEVER;
	if (seconds == DHCP_LEASE_INFINITE)
		return;
	uint64_t t1_ns = lease_ns / 2, t2_ns = lease_ns * 7 / 8;
	if (dhcp_message_u32(message, DHCP_OPTION_T1, &t1) == DHCP_PRESENT &&
		dhcp_message_u32(message, DHCP_OPTION_T2, &t2) == DHCP_PRESENT && t1 > 0 &&
		t1 < t2 && t2 < seconds) {
		t1_ns = t1 * NS_PER_SECOND;
		t2_ns = t2 * NS_PER_SECOND;
	}
	client->t1_ns = client->resend_ns = client->sent_ns + t1_ns;
	client->t2_ns = client->sent_ns + t2_ns;
	client->ends_ns = client->sent_ns + lease_ns;
}

static void on_ack(struct dhcp_client *client, const struct dhcp_message *message, uint64_t now_ns,
	struct dhcp_actions *actions)
{
	struct dhcp_configuration granted;
	if (!ack_read(client, message, &granted)) {
		client_report(client, actions, "ignored: a DHCPACK without a usable lease");
		return;
	}
	struct ipv4 old = client->configuration.address.address;
	if (!ipv4_is_none(old) && !ipv4_equal(old, granted.address.address))
		unconfigure(client, actions, "another address was given in place of");
	client->configuration = granted;
	client->server = granted.server;
	client->give_up_ns = DHCP_NEVER;
	client->naks = 0;
	client->attempts = 0;
	set_times(client, message);
	client->state = DHCP_CLIENT_BOUND;
	if (client->ends_ns != DHCP_NEVER) {
		uint64_t left_ns = client->ends_ns > now_ns ? client->ends_ns - now_ns : 0;
		granted.lease_seconds = (uint32_t)((left_ns + NS_PER_SECOND - 1) / NS_PER_SECOND);
		if (granted.lease_seconds == 0)
			return; /* it took its whole time to arrive: the timer ends it at once */
	}
	dhcp_actions_configure(actions, DHCP_CONFIGURE, &granted);
}

static void on_nak(struct dhcp_client *client, uint64_t now_ns, struct dhcp_actions *actions)
{
	if (client->state == DHCP_CLIENT_REQUESTING)
		client_report(client, actions, "DHCPNAK: the offered address is refused");
	else
		unconfigure(client, actions, "DHCPNAK: giving up");
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
		!address_usable(message->header.yiaddr)) {
		client_report(client, actions, "ignored: a DHCPOFFER without server or address");
		return;
	}
	client->offered = message->header.yiaddr;
	client->server = server;
	client->state = DHCP_CLIENT_REQUESTING;
	client->attempts = 0;
	send_request(client, now_ns, actions);
}

/* Whether it is an answer to us, from the server that we asked. */
static bool is_answer(const struct dhcp_client *client, const struct dhcp_message *message)
{
	struct dhcp_hardware hardware = dhcp_hardware_from_mac(client->settings.mac);
	struct ipv4 server;
	if (message->header.op != DHCP_OP_REPLY || message->header.xid != client->xid ||
		!dhcp_hardware_equal(&message->header.chaddr, &hardware))
		return false;
	switch (dhcp_message_address(message, DHCP_OPTION_SERVER_ID, &server)) {
	case DHCP_MALFORMED:
		return false;
	case DHCP_ABSENT:
		return true;
	case DHCP_PRESENT:
		break;
	}
	bool asked_one =
		client->state == DHCP_CLIENT_REQUESTING || client->state == DHCP_CLIENT_RENEWING;
	return !asked_one || ipv4_equal(server, client->server);
}

static void on_message(struct dhcp_client *client, const struct dhcp_message *message,
	uint64_t now_ns, struct dhcp_actions *actions)
{
	if (!is_answer(client, message))
		return;
	switch (client->state) {
	case DHCP_CLIENT_SELECTING:
		if (message->type == DHCPOFFER)
			on_offer(client, message, now_ns, actions);
		break;
	case DHCP_CLIENT_REQUESTING:
	case DHCP_CLIENT_RENEWING:
	case DHCP_CLIENT_REBINDING:
		if (message->type == DHCPACK)
			on_ack(client, message, now_ns, actions);
		else if (message->type == DHCPNAK)
			on_nak(client, now_ns, actions);
		break;
	case DHCP_CLIENT_INIT:
	case DHCP_CLIENT_BOUND:
	case DHCP_CLIENT_STOPPED:
		break;
	}
}

static void on_timer(struct dhcp_client *client, uint64_t now_ns, struct dhcp_actions *actions)
{
	if (client->state == DHCP_CLIENT_STOPPED)
		return;
	if (now_ns >= client->give_up_ns) {
		client->state = DHCP_CLIENT_STOPPED;
		client->outcome = DHCP_CLIENT_NO_ADDRESS;
		dhcp_actions_finish(actions);
		return;
	}
	if (now_ns < client->resend_ns)
		return;
	switch (client->state) {
	case DHCP_CLIENT_INIT:
		begin(client, now_ns, actions);
		break;
	case DHCP_CLIENT_SELECTING:
		send_discover(client, now_ns, actions);
		break;
	case DHCP_CLIENT_REQUESTING:
		if (client->attempts < REQUESTS_MAX)
			send_request(client, now_ns, actions);
		else
			begin(client, now_ns, actions);
		break;
	case DHCP_CLIENT_BOUND:
	case DHCP_CLIENT_RENEWING:
	case DHCP_CLIENT_REBINDING:
		if (now_ns >= client->ends_ns) {
			unconfigure(client, actions, "the lease has ended:");
			begin(client, now_ns, actions);
		} else {
			send_renewal(client, now_ns, actions);
		}
		break;
	case DHCP_CLIENT_STOPPED:
		break;
	}
}

static void on_stop(
	struct dhcp_client *client, bool release, uint64_t now_ns, struct dhcp_actions *actions)
{
	bool holds = client->state >= DHCP_CLIENT_BOUND && client->state != DHCP_CLIENT_STOPPED;
	if (holds && release) {
		client->xid = (uint32_t)client_random(client);
		client->began_ns = now_ns;
		client_send(client, DHCPRELEASE, now_ns, actions);
		unconfigure(client, actions, "released");
	}
	client->state = DHCP_CLIENT_STOPPED;
	client->outcome = DHCP_CLIENT_STOPPED_AS_ASKED;
	dhcp_actions_finish(actions);
}

void dhcp_client_step(struct dhcp_client *client, const struct dhcp_client_event *event,
	uint64_t now_ns, struct dhcp_actions *ret_actions)
{
	dhcp_actions_init(ret_actions);
	switch (event->kind) {
	case DHCP_CLIENT_START:
		if (client->settings.wait_ns)
			client->give_up_ns = now_ns + client->settings.wait_ns;
		begin(client, now_ns, ret_actions);
		break;
	case DHCP_CLIENT_MESSAGE:
		on_message(client, event->message, now_ns, ret_actions);
		break;
	case DHCP_CLIENT_TIMER:
		on_timer(client, now_ns, ret_actions);
		break;
	case DHCP_CLIENT_STOP:
		on_stop(client, event->release, now_ns, ret_actions);
		break;
	}
	if (client->state != DHCP_CLIENT_STOPPED)
		ret_actions->deadline_ns = client->resend_ns < client->give_up_ns
						   ? client->resend_ns
						   : client->give_up_ns;
}
