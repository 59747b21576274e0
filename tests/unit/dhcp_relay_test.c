/* dhcp/relay.h: the relay as a machine. */
#include "base/cleanup.h"
#include "dhcp/relay.h"
#include "unit.h"

enum { CLIENTS = 5, UPLINK = 6, FOREIGN_OPTION = 224 };

#define OURS	0x0a000201
#define OTHER	0x0a000301
#define ADDRESS 0x0a000264

static const struct dhcp_relay_settings settings = {
	.interfaces = {{CLIENTS, {OURS}}},
	.interface_count = 1,
	.servers = {{0x0a00010a}, {0x0a00010b}},
	.server_count = 2,
};

static const struct {
	const char *what;
	struct dhcp_header header;
	unsigned type, interface;
	unsigned sends;
	enum dhcp_destination_kind kind;
	uint32_t address;
	unsigned port, towards;
	uint32_t giaddr;
	uint8_t hops;
} cases[] = {
	{"a request", {.op = 1}, DHCPDISCOVER, CLIENTS, 2, DHCP_TO_ADDRESS, 0x0a00010a, 67, 0, OURS,
		1},
	{"from another relay", {.op = 1, .hops = 2, .giaddr = {OTHER}}, DHCPDISCOVER, CLIENTS, 2,
		DHCP_TO_ADDRESS, 0x0a00010a, 67, 0, OTHER, 3},
	{"a BOOTP request", {.op = 1}, DHCP_BOOTREQUEST, CLIENTS, 2, DHCP_TO_ADDRESS, 0x0a00010a,
		67, 0, OURS, 1},
	{"the last hop", {.op = 1, .hops = 15}, DHCPDISCOVER, CLIENTS, 2, DHCP_TO_ADDRESS,
		0x0a00010a, 67, 0, OURS, 16},
	{"too many hops", {.op = 1, .hops = 16}, DHCPDISCOVER, CLIENTS, .sends = 0},
	{"forged", {.op = 1, .giaddr = {OURS}}, DHCPDISCOVER, CLIENTS, .sends = 0},
	{"on the uplink", {.op = 1}, DHCPDISCOVER, UPLINK, .sends = 0},
	{"an offer", {.op = 2, .giaddr = {OURS}, .yiaddr = {ADDRESS}}, DHCPOFFER, UPLINK, 1,
		DHCP_TO_HARDWARE, ADDRESS, 68, CLIENTS, OURS, 0},
	{"an offer to be broadcast",
		{.op = 2, .giaddr = {OURS}, .yiaddr = {ADDRESS}, .broadcast = 1}, DHCPOFFER, UPLINK,
		1, DHCP_TO_BROADCAST, UINT32_MAX, 68, CLIENTS, OURS, 0},
	{"a NAK", {.op = 2, .giaddr = {OURS}, .broadcast = 1}, DHCPNAK, UPLINK, 1,
		DHCP_TO_BROADCAST, UINT32_MAX, 68, CLIENTS, OURS, 0},
	{"without an address", {.op = 2, .giaddr = {OURS}}, DHCPACK, UPLINK, 1, DHCP_TO_BROADCAST,
		UINT32_MAX, 68, CLIENTS, OURS, 0},
	{"a reply for another relay", {.op = 2, .giaddr = {OTHER}}, DHCPACK, UPLINK, .sends = 0},
	{"a reply for no relay", {.op = 2}, DHCPACK, UPLINK, .sends = 0},
};

int main(void)
{
	struct dhcp_relay relay;
	uint64_t dropped = 0;
	dhcp_relay_init(&relay, &settings);
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		uint8_t bytes[DHCP_MESSAGE_SIZE_MAX];
		struct dhcp_builder builder;
		struct dhcp_message message, passed;
		struct dhcp_actions actions;
		struct error error;
		struct dhcp_header header = cases[i].header;
		header.chaddr = dhcp_hardware_from_mac((struct mac){{2, 0, 0, 0, 0, 1}});
		dhcp_builder_init(&builder, bytes, sizeof(bytes), &header, cases[i].type);
		dhcp_builder_bytes(&builder, FOREIGN_OPTION, "unknown", 7);
		size_t length = dhcp_builder_finish(&builder);
		EXPECT_NUMBER(dhcp_message_parse(bytes, length, &message, &error), 0);
		struct dhcp_relay_event event = {&message, bytes, length, cases[i].interface};
		dhcp_relay_step(&relay, &event, &actions);

		unsigned sends = 0;
		for (unsigned j = 0; j < actions.count; j++) {
			const struct dhcp_destination *to = &actions.list[j].destination;
			if (actions.list[j].kind != DHCP_SEND)
				continue;
			if (sends++ == 0)
				EXPECT(to->kind == cases[i].kind &&
						to->address.host == cases[i].address &&
						to->port == cases[i].port &&
						to->interface == cases[i].towards,
					"%s: kind %d to %s:%u on %u", cases[i].what, to->kind,
					IPV4_TEXT(to->address), to->port, to->interface);
		}
		EXPECT(sends == cases[i].sends, "%s: sent %u times", cases[i].what, sends);
		dropped += sends == 0;
		if (!sends)
			continue;
		/* Nothing but hops and giaddr has changed. */
		EXPECT_NUMBER(actions.message_length, length);
		EXPECT_NUMBER(dhcp_message_parse(
				      actions.message, actions.message_length, &passed, &error),
			0);
		EXPECT(passed.header.giaddr.host == cases[i].giaddr, "%s: giaddr %s", cases[i].what,
			IPV4_TEXT(passed.header.giaddr));
		EXPECT(passed.header.hops == cases[i].hops, "%s: hops %u", cases[i].what,
			passed.header.hops);
		dhcp_message_set_relay(bytes, passed.header.hops, passed.header.giaddr);
		EXPECT_BYTES(actions.message, actions.message_length, bytes, length);
	}
	uint64_t counted = 0;
	for (size_t i = 0; i < DHCP_RELAY_REASONS; i++)
		counted += relay.reasons[i];
	EXPECT_NUMBER(counted, dropped);
	return unit_finish();
}
