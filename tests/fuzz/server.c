/*
 * The server machine. Input: a byte of settings, then events until the input ends, each of them a
 * byte (its value modulo 8 is the kind) and what the kind needs:
 *
 *	0..3	a message, put together from six bytes: see make_message()
 *	4	a message as it is: where it comes from as in make_message(), length in two bytes, bytes
 *	5	time goes on: a number and how far it is shifted, in milliseconds
 *	6	something outside: 0 the disk is full, 1 it is not, 2 the last probe is answered,
 *		3 and 4 do not renew the next byte's address, or that subnet; 5 and 6 do
 *	7	other settings: a byte as at the beginning
 *
 * The actions are performed as the edge does it, and beside the server stands a list of who was told
 * that an address is his: never two at once, no DHCPACK that was not saved before, and every message
 * is a good one, to where it belongs.
 */
#include "fuzz_dhcp.h"

#include "base/clock.h"
#include "base/reader.h"
#include "dhcp/identity.h"
#include "dhcp/option_text.h"
#include "dhcp/relay_agent.h"
#include "dhcp/server.h"

enum { EVENTS_MOST = 48, TIMERS_MOST = 200, SUBNETS = 2, HOSTS = 64, CLIENTS = 8 };
enum { NETWORK = 0x0a000000, ROUTER = 1, RELAY = 2, IGNORE_CLIENT_ID = 2 };

/* Who was last told that the address is his, and until when. */
struct user {
	uint64_t who, ends_ns;
	struct dhcp_hardware machine;
};

static struct {
	struct dhcp_server server;
	uint64_t now_ns;
	bool disk_full, ignore_client_id, probes;
	struct ipv4 probed, told[CLIENTS];
	struct user users[SUBNETS][HOSTS];
	uint64_t asked[EVENTS_MOST]; /* who sent the message with that transaction id */
	uint32_t messages;
	struct dhcp_actions actions;
	struct dhcp_message message, reply;
	uint8_t bytes[DHCP_MESSAGE_SIZE_MAX];
} world;

static struct ipv4 host(unsigned subnet, unsigned number)
{
	return (struct ipv4){NETWORK | subnet << 8 | number};
}

static const struct dhcp_option_list *options_of(unsigned subnet)
{
	static const char *const assignments[SUBNETS][6] = {
		{"router=10.0.1.1", "dns=10.0.1.1,10.0.2.1", "domain=example", "mtu=1400",
			"tftp-server=10.0.1.3", "boot-file=pxelinux.0"},
		{"router=10.0.2.1", "domain-search=a.example,b.example",
			"classless-routes=10.0.0.0/8=10.0.2.1"},
	};
	static struct dhcp_option_list lists[SUBNETS];
	static uint8_t longest[300];
	if (lists[subnet].count == 0) {
		for (size_t i = 0; i < 6 && assignments[subnet][i]; i++)
			HOLDS(dhcp_option_text_assign(
				      &lists[subnet], assignments[subnet][i], NULL) == 0);
		if (subnet == 1)
			dhcp_option_list_set(&lists[1], 224, longest, sizeof(longest));
	}
	return &lists[subnet];
}

/* Small pools, so that they run empty; `byte` switches everything that can be switched. */
static void make_settings(uint8_t byte, struct dhcp_server_settings *ret_settings)
{
	static const struct dhcp_range ranges[SUBNETS] = {
		{{NETWORK | 0x10a}, {NETWORK | 0x10c}}, {{NETWORK | 0x20a}, {NETWORK | 0x211}}};
	static struct dhcp_binding bindings[2];
	static struct dhcp_subnet_settings subnets[SUBNETS];
	struct dhcp_hardware hardware = {.type = 1, .length = 6, .bytes = {2, 0, 0, 0, 0, 1}};
	dhcp_identity_make(NULL, 0, &hardware, &bindings[0].client);
	dhcp_identity_make("shared", 6, &hardware, &bindings[1].client);
	bindings[0].address = host(1, byte & 0x10 ? 11 : 40); /* inside the range, or outside */
	bindings[1].address = host(1, 41);
	bindings[1].lease_seconds = 30;
	for (unsigned i = 0; i < SUBNETS; i++)
		subnets[i] = (struct dhcp_subnet_settings){
			.prefix = {host(i + 1, 0), 24},
			.ranges = &ranges[i],
			.range_count = 1,
			.bindings = bindings,
			.binding_count = i == 0 ? 2 : 0,
			.options = *options_of(i),
			.lease = {.usual = 100, .least = 1, .most = DHCP_LEASE_INFINITE},
			.refuse_renewal = i == 1 && byte & 0x80,
			.bootp = byte & 0x40,
			.rapid_commit = byte & 0x40,
		};
	*ret_settings = (struct dhcp_server_settings){
		.subnets = subnets,
		.subnet_count = SUBNETS,
		.allocation = byte & 1,
		.ignore_client_id = byte & IGNORE_CLIENT_ID,
		.not_authoritative = byte & 4,
		.probe_ns = byte & 8 ? NS_PER_SECOND : 0,
		.port_leases = byte & 0x20 ? 3 : 0,
		.port_offers = byte & 0x20 ? 2 : 0,
		.seed = 1,
	};
	world.ignore_client_id = byte & IGNORE_CLIENT_ID;
	world.probes |= byte & 8;
}

/* Whether some settings bind the address. */
static bool is_bound(struct ipv4 address)
{
	return ipv4_equal(address, host(1, 11)) || ipv4_equal(address, host(1, 40)) ||
	       ipv4_equal(address, host(1, 41));
}

/* A number for who sent or gets the message; 0: nobody in particular. */
static uint64_t identity_of(const struct dhcp_message *message)
{
	struct dhcp_identity identity;
	bool there = world.ignore_client_id
			     ? dhcp_identity_make(NULL, 0, &message->header.chaddr, &identity)
			     : dhcp_identity_of(message, &identity);
	static const uint64_t key[2] = {1, 2};
	return there ? dhcp_hash(key, identity.bytes, identity.length) | 1 : 0;
}

static struct user *user_of(struct ipv4 address)
{
	unsigned subnet = (address.host >> 8) - (NETWORK >> 8) - 1, number = address.host & 0xff;
	return subnet < SUBNETS && number < HOSTS ? &world.users[subnet][number] : NULL;
}

/* It uses none of its addresses any more, but `kept`. */
static void forget(uint64_t who, const struct user *kept)
{
	for (unsigned i = 0; i < SUBNETS * HOSTS; i++) {
		struct user *user = &world.users[i / HOSTS][i % HOSTS];
		bool same_subnet = !kept || (size_t)(kept - world.users[0]) / HOSTS == i / HOSTS;
		if (user->who == who && user != kept && same_subnet)
			user->who = 0;
	}
}

/* An address is offered or leased: nobody else may have been told that it is his. */
static void check_given(uint64_t who, struct ipv4 address, bool leased)
{
	struct user *user = user_of(address);
	uint32_t seconds = DHCP_LEASE_INFINITE;
	HOLDS(user && (address.host & 0xff) > RELAY);
	/* A binding by hardware address is for that machine, whatever it calls itself today. */
	bool same_machine = is_bound(address) &&
			    dhcp_hardware_equal(&user->machine, &world.reply.header.chaddr);
	HOLDS(user->who == 0 || user->who == who || same_machine || user->ends_ns <= world.now_ns);
	if (!leased)
		return;
	dhcp_message_u32(&world.reply, DHCP_OPTION_LEASE_TIME, &seconds);
	forget(who, user);
	user->who = who;
	user->machine = world.reply.header.chaddr;
	user->ends_ns = seconds == DHCP_LEASE_INFINITE ? DHCP_NEVER
						       : world.now_ns + seconds * NS_PER_SECOND;
}

static void check_destination(const struct dhcp_destination *to)
{
	const struct dhcp_header *header = &world.reply.header;
	bool somewhere = !ipv4_is_none(to->address) || to->kind == DHCP_TO_BROADCAST;
	HOLDS(somewhere && to->port != 0);
	if (ipv4_is_none(header->giaddr))
		HOLDS(to->port == DHCP_CLIENT_PORT);
	else
		HOLDS(to->kind == DHCP_TO_ADDRESS && ipv4_equal(to->address, header->giaddr));
}

/* What relates an answer to its request; an answer after a probe is to one long ago. */
static void check_answer(const struct dhcp_message *request)
{
	const struct dhcp_field *sent = field_of(request, DHCP_OPTION_RELAY_AGENT);
	const struct dhcp_field *back = field_of(&world.reply, DHCP_OPTION_RELAY_AGENT);
	HOLDS(same_client(&request->header, &world.reply.header));
	HOLDS(ipv4_equal(request->header.giaddr, world.reply.header.giaddr));
	if (ipv4_is_none(request->header.giaddr) || !sent)
		return;
	HOLDS(back && back->length == sent->length &&
		memcmp(back->bytes, sent->bytes, sent->length) == 0);
}

static void on_sent(
	const struct dhcp_destination *to, const struct dhcp_message *request, struct ipv4 saved)
{
	const struct dhcp_message *reply = &world.reply;
	HOLDS(dhcp_message_parse(world.actions.message, world.actions.message_length, &world.reply,
		      NULL) == 0);
	HOLDS(reply->header.op == DHCP_OP_REPLY && reply->type == world.actions.type);
	check_destination(to);
	if (request && !world.probes)
		check_answer(request);
	HOLDS(reply->header.xid < world.messages);
	uint64_t who = world.asked[reply->header.xid];
	struct ipv4 yiaddr = reply->header.yiaddr;
	TRACE("  sent %s %s to %s, who %lx", dhcp_message_type_name(reply->type), IPV4_TEXT(yiaddr),
		DHCP_HARDWARE_TEXT(&reply->header.chaddr), who);
	switch (reply->type) {
	case DHCPOFFER:
		check_given(who, yiaddr, false);
		break;
	case DHCPACK:
	case DHCP_BOOTREPLY:
		if (ipv4_is_none(yiaddr))
			return; /* to a DHCPINFORM */
		if (reply->type == DHCP_BOOTREPLY && is_bound(yiaddr)) {
			check_given(who, yiaddr, false); /* no lease: it ends with its binding */
			break;
		}
		HOLDS(ipv4_equal(saved, yiaddr));
		check_given(who, yiaddr, true);
		break;
	case DHCPNAK:
		HOLDS(ipv4_is_none(yiaddr));
		forget(who, NULL);
		break;
	default:
		HOLDS(reply->type == DHCPOFFER); /* it is nothing that a server sends */
	}
	world.told[reply->header.chaddr.bytes[5] % CLIENTS] = yiaddr;
}

static void step(const struct dhcp_server_event *event);

/* As the edge does it: in order, and where a lease cannot be stored, nothing after it. */
static void perform(const struct dhcp_message *request)
{
	struct ipv4 saved = {0};
	HOLDS(world.actions.count <= DHCP_ACTIONS_MAX);
	for (unsigned i = 0; i < world.actions.count; i++) {
		const struct dhcp_action *action = &world.actions.list[i];
		if (action->kind == DHCP_SAVE_LEASE && world.disk_full) {
			struct dhcp_server_event failed = {
				.kind = DHCP_SERVER_NOT_SAVED,
				.address = action->lease.address,
			};
			world.disk_full = false;
			step(&failed);
			world.disk_full = true;
			return;
		}
		if (action->kind == DHCP_SAVE_LEASE && action->lease.state == DHCP_LEASE_BOUND)
			saved = action->lease.address;
		if (action->kind == DHCP_SAVE_LEASE)
			TRACE("  saved %s %s", IPV4_TEXT(action->lease.address),
				dhcp_lease_state_name(action->lease.state));
		if (action->kind == DHCP_REPORT)
			TRACE("  %s %s", action->report.text, IPV4_TEXT(action->report.address));
		if (action->kind == DHCP_PROBE)
			world.probed = action->probe.address;
		if (action->kind == DHCP_SEND)
			on_sent(&action->destination, request, saved);
	}
}

static void step(const struct dhcp_server_event *event)
{
	static const struct dhcp_server_event timer = {.kind = DHCP_SERVER_TIMER};
	dhcp_server_step(&world.server, event, world.now_ns, &world.actions);
	perform(event->message);
	for (int i = 0; world.actions.deadline_ns <= world.now_ns; i++) {
		HOLDS(i < TIMERS_MOST);
		dhcp_server_step(&world.server, &timer, world.now_ns, &world.actions);
		perform(NULL);
	}
}

/* world.bytes has arrived. Each message gets a transaction id of its own. */
static void receive(size_t length, uint8_t where)
{
	enum { OFFSET_XID = 4, XID_SIZE = 4 };
	struct writer xid = writer_over(world.bytes + OFFSET_XID, XID_SIZE);
	write_be32(&xid, world.messages);
	struct dhcp_server_event event = {
		.kind = DHCP_SERVER_MESSAGE,
		.message = &world.message,
		.bytes = world.bytes,
		.length = length,
		.interface = 1 + where % 4,
		.local = host(where % 4 == 2 ? 9 : 1 + where % 2, ROUTER),
		.broadcast = where & 0x10,
		.source_port = where & 0x20 ? 5000 : DHCP_SERVER_PORT,
	};
	if (dhcp_message_parse(world.bytes, length, &world.message, NULL) < 0)
		return;
	uint64_t who = identity_of(&world.message);
	world.asked[world.messages++] = who;
	struct ipv4 declined = {0};
	TRACE("%lu s: %s by %s from %s, ciaddr %s, giaddr %s, who %lx",
		world.now_ns / NS_PER_SECOND, dhcp_message_type_name(world.message.type),
		IPV4_TEXT(event.local), DHCP_HARDWARE_TEXT(&world.message.header.chaddr),
		IPV4_TEXT(world.message.header.ciaddr), IPV4_TEXT(world.message.header.giaddr),
		who);
	dhcp_message_address(&world.message, DHCP_OPTION_REQUESTED_ADDRESS, &declined);
	struct user *user =
		user_of(world.message.type == DHCPDECLINE ? declined : world.message.header.ciaddr);
	/* Whoever says these no longer uses the address, or has none. */
	if ((world.message.type == DHCPRELEASE || world.message.type == DHCPDECLINE) && user &&
		user->who == who)
		user->who = 0;
	if (world.message.type == DHCPDISCOVER || world.message.type == DHCP_BOOTREQUEST)
		forget(who, NULL);
	step(&event);
}

/*
 * Bytes: type, 0 for BOOTP; client: hardware address and kind of identifier; where from: interface,
 * relay, unicast, source port, option 82; which of the addresses it names; the last byte of those;
 * options.
 */
static void make_message(struct reader *input)
{
	uint8_t type = read_u8(input) % 10, client = read_u8(input), where = read_u8(input);
	uint8_t which = read_u8(input), low = read_u8(input) % HOSTS, more = read_u8(input);
	unsigned number = client % CLIENTS;
	const struct ipv4 named[] = {{0}, host(1, low), host(2, low), world.told[number]};
	const struct ipv4 giaddrs[] = {{0}, host(1, RELAY), host(2, RELAY), host(9, RELAY)};
	struct dhcp_header header = {
		.op = DHCP_OP_REQUEST,
		.broadcast = more & 0x40,
		.ciaddr = named[which & 3],
		.giaddr = giaddrs[where >> 2 & 3],
		.chaddr = {1, client & 0x20 ? 0 : 6, {2, 0, 0, 0, 0, (uint8_t)number}},
	};
	struct dhcp_builder builder;
	dhcp_builder_init(&builder, world.bytes, sizeof(world.bytes), &header,
		type ? type : (unsigned)DHCP_BOOTREQUEST);
	static const char *const agents[] = {
		NULL, "\1\1A", "\1\1B\2\1r", "\1\1A\5\4\x0a\0\2\0\x0b\4\x0a\0\1\2"};
	static const uint8_t agent_lengths[] = {0, 3, 6, 15};
	if (where >> 6)
		dhcp_builder_bytes(&builder, DHCP_OPTION_RELAY_AGENT, agents[where >> 6],
			agent_lengths[where >> 6]);
	static const char *const identifiers[] = {NULL, "own?", "shared", "x"};
	char own[] = {'o', 'w', 'n', (char)number};
	unsigned id = client >> 3 & 3;
	if (id)
		dhcp_builder_bytes(&builder, DHCP_OPTION_CLIENT_ID, id == 1 ? own : identifiers[id],
			id == 1 ? sizeof(own) : strlen(identifiers[id]));
	if (which >> 2 & 3)
		dhcp_builder_address(
			&builder, DHCP_OPTION_REQUESTED_ADDRESS, named[which >> 2 & 3]);
	if (which >> 4 & 3)
		dhcp_builder_address(&builder, DHCP_OPTION_SERVER_ID,
			host((which >> 4 & 3) == 3 ? 9 : which >> 4 & 3, ROUTER));
	if (more & 1)
		dhcp_builder_u32(
			&builder, DHCP_OPTION_LEASE_TIME, more & 2 ? DHCP_LEASE_INFINITE : low);
	if (more & 4)
		dhcp_builder_bytes(
			&builder, DHCP_OPTION_PARAMETERS, "\1\3\6\17\32\102\103\167\171\340", 10);
	if (more & 0x18)
		dhcp_builder_u16(&builder, DHCP_OPTION_MAXIMUM_SIZE, more & 8 ? 576 : 1500);
	if (more & 0x20)
		dhcp_builder_bytes(&builder, DHCP_OPTION_RAPID_COMMIT, NULL, 0);
	receive(dhcp_builder_finish(&builder), where);
}

static void outside(struct reader *input)
{
	struct dhcp_server_event in_use = {.kind = DHCP_SERVER_IN_USE, .address = world.probed};
	uint8_t what = read_u8(input) % 7;
	TRACE("outside %u", what);
	if (what < 2)
		world.disk_full = what == 0;
	if (what == 2)
		step(&in_use);
	if (what < 3)
		return;
	uint8_t low = read_u8(input);
	struct prefix which = {host(1 + (low & 1), low >> 1), what % 2 ? 32 : 24};
	if (which.length == 24)
		which.address = prefix_network(which);
	dhcp_actions_init(&world.actions);
	if (dhcp_server_refuse_renewal(&world.server, which, what < 5, &world.actions, NULL) == 0) {
		bool full = world.disk_full;
		world.disk_full = false; /* the operator is told that it is not stored */
		perform(NULL);
		world.disk_full = full;
	}
}

static void event_from(struct reader *input)
{
	static const struct dhcp_server_event timer = {.kind = DHCP_SERVER_TIMER};
	struct dhcp_server_settings settings;
	uint8_t kind = read_u8(input) % 8;
	if (kind < 4) {
		make_message(input);
	} else if (kind == 4) {
		uint8_t where = read_u8(input);
		size_t size = read_be16(input), left = reader_left(input);
		size = size < left ? size : left;
		size = size < sizeof(world.bytes) ? size : sizeof(world.bytes);
		read_bytes(input, world.bytes, size);
		receive(size, where);
	} else if (kind == 5) {
		uint64_t step_ms = read_u8(input);
		world.now_ns += (step_ms << read_u8(input) % 32) * (NS_PER_SECOND / 1000);
		step(&timer);
	} else if (kind == 6) {
		outside(input);
	} else {
		uint8_t byte = (uint8_t)(read_u8(input) & ~IGNORE_CLIENT_ID);
		TRACE("other settings: %02x", byte);
		/* Who is whom stays, or one machine would become two. */
		make_settings(byte | (world.ignore_client_id ? IGNORE_CLIENT_ID : 0), &settings);
		HOLDS(dhcp_server_configure(&world.server, &settings, NULL) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct reader input = reader_over(bytes, length);
	struct dhcp_server_settings settings;
	memset(world.users, 0, sizeof(world.users));
	memset(world.told, 0, sizeof(world.told));
	world.probed = (struct ipv4){0};
	world.disk_full = world.probes = false;
	world.messages = 0;
	world.now_ns = 1000 * NS_PER_SECOND;
	make_settings(read_u8(&input), &settings);
	HOLDS(dhcp_server_init(&world.server, &settings, NULL) == 0);
	for (unsigned i = 1; i <= SUBNETS; i++)
		dhcp_server_add_address(&world.server, host(i, ROUTER));
	for (int i = 0; i < EVENTS_MOST && reader_left(&input) > 0; i++) {
		world.now_ns++; /* a commit takes time: see dhcp_server_step() */
		event_from(&input);
	}
	dhcp_server_finish(&world.server);
	return 0;
}
