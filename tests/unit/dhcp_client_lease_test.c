/* dhcp/client_lease.h and dhcp/arp.h: what a client believes of bytes. */
#include "base/cleanup.h"
#include "dhcp/arp.h"
#include "dhcp/client_lease.h"
#include "unit.h"

static struct dhcp_client_lease with_option(uint8_t code, const void *bytes, size_t length)
{
	struct dhcp_client_lease lease = {.address = {{0x0a000264}, 24}, .lease_seconds = 60};
	EXPECT(dhcp_client_lease_add(&lease, code, bytes, length), "there is room");
	return lease;
}

static void test_options(void)
{
	struct dhcp_client_lease lease = {.lease_seconds = 60};
	uint8_t long_value[1000];
	struct dhcp_field value;
	memset(long_value, 7, sizeof(long_value));
	EXPECT(dhcp_client_lease_add(&lease, 43, long_value, sizeof(long_value)), "1000 bytes");
	EXPECT(dhcp_client_lease_add(&lease, 80, NULL, 0), "none");
	EXPECT(!dhcp_client_lease_add(&lease, 44, long_value, sizeof(long_value)), "no room");
	EXPECT(dhcp_client_lease_option(&lease, 43, &value), "it is there");
	EXPECT_BYTES(value.bytes, value.length, long_value, sizeof(long_value));
	EXPECT(dhcp_client_lease_option(&lease, 80, &value) && value.length == 0, "empty");
	EXPECT(!dhcp_client_lease_option(&lease, 44, &value), "it is not");
	size_t at = 0;
	uint8_t code;
	unsigned count = 0;
	while (dhcp_client_lease_next(&lease, &at, &code, &value))
		count++;
	EXPECT_NUMBER(count, 2);
	lease = with_option(DHCP_OPTION_MTU, "\x05", 1);
	EXPECT(!dhcp_client_lease_option(&lease, DHCP_OPTION_MTU, &value), "malformed is absent");
}

static void test_routes(void)
{
	static const struct {
		const char *text; /* of option 121 */
		size_t length;
		int count;
		const char *first, *router;
	} cases[] = {
		{"\x10\x0a\x09\x0a\x00\x02\x09\x00\x0a\x00\x02\x07", 12, 2, "10.9.0.0/16",
			"10.0.2.9"},
		{"\x18\x0a\x08\x00\x00\x00\x00\x00", 8, 1, "10.8.0.0/24", "0.0.0.0"},
		/* Not well-formed: option 3 counts instead. */
		{"\x21\x0a\x09\x0a\x00\x02\x09\x00", 8, 1, "0.0.0.0/0", "10.0.2.1"},
		{"\x10\x0a\x09\x0a\x00\x02\x09\x00\x0a", 9, 1, "0.0.0.0/0", "10.0.2.1"},
		{"\x10\x0a", 2, 1, "0.0.0.0/0", "10.0.2.1"},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct dhcp_route routes[DHCP_CLIENT_ROUTES_MAX];
		struct dhcp_client_lease lease =
			with_option(DHCP_OPTION_CLASSLESS_ROUTES, cases[i].text, cases[i].length);
		dhcp_client_lease_add(
			&lease, DHCP_OPTION_ROUTER, "\x7f\x00\x00\x01\x0a\x00\x02\x01", 8);
		EXPECT_NUMBER(dhcp_client_lease_routes(&lease, routes), cases[i].count);
		EXPECT_TEXT(PREFIX_TEXT(routes[0].destination), cases[i].first);
		EXPECT_TEXT(IPV4_TEXT(routes[0].router), cases[i].router);
	}
	uint8_t many[5 * 100]; /* a limit to what a server can make grow */
	struct dhcp_route routes[DHCP_CLIENT_ROUTES_MAX];
	for (size_t i = 0; i < sizeof(many); i++)
		many[i] = i % 5 == 0 ? 0 : 10;
	struct dhcp_client_lease lease =
		with_option(DHCP_OPTION_CLASSLESS_ROUTES, many, sizeof(many));
	EXPECT_NUMBER(dhcp_client_lease_routes(&lease, routes), DHCP_CLIENT_ROUTES_MAX);
	lease = with_option(DHCP_OPTION_ROUTER, "\xe0\x00\x00\x01", 4);
	EXPECT_NUMBER(dhcp_client_lease_routes(&lease, routes), 0); /* no router is multicast */
}

static void test_arp(void)
{
	struct arp_packet packet = {
		.sender_mac = {{2, 0, 0, 0, 0, 1}},
		.target = {0x0a000264},
	};
	struct arp_packet seen;
	uint8_t frame[ARP_FRAME_SIZE + 18] = {0};
	EXPECT_NUMBER(arp_build_request(&packet, frame, sizeof(frame)), ARP_FRAME_SIZE);
	EXPECT_NUMBER(arp_build_request(&packet, frame, ARP_FRAME_SIZE - 1), 0);
	arp_build_request(&packet, frame, sizeof(frame));
	EXPECT(arp_parse(frame, sizeof(frame), &seen), "padded, as Ethernet has it");
	EXPECT(arp_parse(frame, ARP_FRAME_SIZE, &seen), "bare");
	EXPECT_NUMBER(seen.operation, ARP_REQUEST);
	EXPECT_NUMBER(seen.target.host, 0x0a000264);
	EXPECT_NUMBER(seen.sender.host, 0);
	EXPECT(mac_equal(seen.sender_mac, packet.sender_mac), "the sender's");
	for (size_t length = 0; length < ARP_FRAME_SIZE; length++)
		EXPECT(!arp_parse(frame, length, &seen), "cut at %zu", length);
	for (size_t at = 12; at < 20; at++) { /* type, protocol, lengths */
		frame[at] ^= 1;
		EXPECT(!arp_parse(frame, sizeof(frame), &seen), "byte %zu changed", at);
		frame[at] ^= 1;
	}
}

int main(void)
{
	test_options();
	test_routes();
	test_arp();
	return unit_finish();
}
