/* observe/: the kernel's netlink messages, made by hand, as events. */
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>

#include "base/address.h"
#include "base/cleanup.h"
#include "observe/events.h"
#include "unit.h"

static _Alignas(struct nlmsghdr) char buffer[1024];

static struct nlmsghdr *message_begin(uint16_t type, const void *body, size_t size)
{
	memset(buffer, 0, sizeof(buffer));
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	message->nlmsg_type = type;
	memcpy(mnl_nlmsg_put_extra_header(message, size), body, size);
	return message;
}

static void put_ipv4(struct nlmsghdr *message, uint16_t type, const char *text)
{
	struct ipv4 address;
	EXPECT(ipv4_parse(text, &address), "%s", text);
	mnl_attr_put_u32(message, type, ipv4_to_in(address).s_addr);
}

static struct nlmsghdr *link_message(
	uint16_t type, unsigned index, const char *name, unsigned flags)
{
	struct ifinfomsg body = {.ifi_index = (int)index, .ifi_flags = flags};
	struct nlmsghdr *message = message_begin(type, &body, sizeof(body));
	mnl_attr_put_strz(message, IFLA_IFNAME, name);
	mnl_attr_put(message, IFLA_ADDRESS, 6, (uint8_t[]){2, 0, 0, 0, 0, 9});
	mnl_attr_put_u32(message, 120, 1); /* of a newer kernel */
	mnl_attr_put_u32(message, 4000, 1);
	return message;
}

static struct nlmsghdr *address_message(uint16_t type, const char *address)
{
	struct ifaddrmsg body = {.ifa_family = AF_INET, .ifa_prefixlen = 24, .ifa_index = 2};
	struct nlmsghdr *message = message_begin(type, &body, sizeof(body));
	put_ipv4(message, IFA_LOCAL, address);
	put_ipv4(message, IFA_ADDRESS, "192.0.2.99");
	return message;
}

static struct nlmsghdr *route_message(uint16_t type, uint8_t kind, uint32_t table)
{
	struct rtmsg body = {.rtm_family = AF_INET, .rtm_type = kind, .rtm_table = RT_TABLE_MAIN};
	struct nlmsghdr *message = message_begin(type, &body, sizeof(body));
	put_ipv4(message, RTA_GATEWAY, "10.0.2.1");
	mnl_attr_put_u32(message, RTA_OIF, 2);
	mnl_attr_put_u32(message, RTA_TABLE, table);
	mnl_attr_put_u32(message, RTA_PRIORITY, 100);
	return message;
}

static struct nlmsghdr *neighbour_message(uint8_t family, uint16_t state)
{
	struct ndmsg body = {.ndm_family = family, .ndm_ifindex = 2, .ndm_state = state};
	struct nlmsghdr *message = message_begin(RTM_NEWNEIGH, &body, sizeof(body));
	put_ipv4(message, NDA_DST, "10.0.2.7");
	mnl_attr_put(message, NDA_LLADDR, 6, (uint8_t[]){2, 0, 0, 0, 0, 7});
	return message;
}

static void test_links(struct events *events)
{
	struct fact_event event;
	EXPECT(events_decode(events, link_message(RTM_NEWLINK, 2, "eth0", 0), &event), "new");
	EXPECT(event.subject == FACT_LINK && event.change == FACT_ADDED && !event.up,
		"added, down");
	EXPECT_TEXT(event.interface, "eth0");
	EXPECT_TEXT(MAC_TEXT(event.mac), "02:00:00:00:00:09");
	EXPECT(!events_decode(events, link_message(RTM_NEWLINK, 2, "eth0", 0), &event),
		"nothing changed");
	EXPECT(events_decode(events, link_message(RTM_NEWLINK, 2, "eth0", IFF_UP), &event), "up");
	EXPECT(event.change == FACT_CHANGED && event.up && !event.running, "changed, up");
	EXPECT(events_decode(events, link_message(RTM_NEWLINK, 3, "eth1", 0), &event), "another");
	EXPECT(events_decode(events, link_message(RTM_DELLINK, 3, "eth1", 0), &event), "gone");
	EXPECT_NUMBER(event.change, FACT_REMOVED);
	EXPECT_NUMBER(events->interfaces.count, 1);

	struct ifinfomsg port = {.ifi_family = AF_BRIDGE, .ifi_index = 2};
	EXPECT(!events_decode(events, message_begin(RTM_NEWLINK, &port, sizeof(port)), &event),
		"a bridge's port");
}

static void test_addresses(struct events *events)
{
	static const struct {
		uint16_t type;
		const char *address;
		enum fact_change change;
	} steps[] = {
		{RTM_NEWADDR, "10.0.2.100", FACT_ADDED},
		{RTM_NEWADDR, "10.0.2.100", FACT_CHANGED}, /* a lease renewed */
		{RTM_NEWADDR, "10.0.2.101", FACT_ADDED}, {RTM_DELADDR, "10.0.2.100", FACT_REMOVED},
		{RTM_NEWADDR, "10.0.2.100", FACT_ADDED},
		{RTM_DELADDR, "10.0.2.222", FACT_REMOVED}, /* never seen */
	};
	for (size_t i = 0; i < ARRAY_LENGTH(steps); i++) {
		struct fact_event event;
		EXPECT(events_decode(
			       events, address_message(steps[i].type, steps[i].address), &event),
			"step %zu", i);
		EXPECT_NUMBER(event.subject, FACT_ADDRESS);
		EXPECT_NUMBER(event.change, steps[i].change);
		EXPECT_TEXT(IP_TEXT(event.address.address), steps[i].address);
		EXPECT_NUMBER(event.address.length, 24);
		EXPECT_TEXT(event.interface, "eth0");
	}
	EXPECT_NUMBER(events->address_count, 2);
}

static void test_routes(struct events *events)
{
	struct fact_event event;
	EXPECT(events_decode(events, route_message(RTM_NEWROUTE, RTN_UNICAST, 254), &event), "new");
	EXPECT(event.subject == FACT_ROUTE && event.change == FACT_ADDED, "added");
	EXPECT_TEXT(IP_PREFIX_TEXT(event.address), "0.0.0.0/0");
	EXPECT_TEXT(IP_TEXT(event.gateway), "10.0.2.1");
	EXPECT_NUMBER(event.metric, 100);
	struct nlmsghdr *message = route_message(RTM_NEWROUTE, RTN_UNICAST, 254);
	message->nlmsg_flags |= NLM_F_REPLACE;
	EXPECT(events_decode(events, message, &event) && event.change == FACT_CHANGED, "replaced");
	EXPECT(events_decode(events, route_message(RTM_DELROUTE, RTN_UNICAST, 254), &event) &&
			event.change == FACT_REMOVED,
		"removed");
	EXPECT(!events_decode(events, route_message(RTM_NEWROUTE, RTN_LOCAL, 254), &event),
		"local");
	EXPECT(!events_decode(events, route_message(RTM_NEWROUTE, RTN_UNICAST, 255), &event),
		"the local table");
}

/* IPv6 as IPv4, but for the link-local addresses that every interface has by itself. */
static void test_ipv6(struct events *events)
{
	static const struct {
		const char *address;
		bool told;
	} addresses[] = {{"2001:db8::7", true}, {"fe80::1", false}};
	for (size_t i = 0; i < ARRAY_LENGTH(addresses); i++) {
		struct fact_event event;
		uint8_t bytes[16];
		struct ip address;
		EXPECT(ip_parse(addresses[i].address, &address), "address");
		ip_bytes(address, bytes);
		struct ifaddrmsg own = {
			.ifa_family = AF_INET6, .ifa_prefixlen = 64, .ifa_index = 2};
		struct nlmsghdr *message = message_begin(RTM_NEWADDR, &own, sizeof(own));
		mnl_attr_put(message, IFA_ADDRESS, sizeof(bytes), bytes);
		EXPECT_NUMBER(events_decode(events, message, &event), addresses[i].told);
		if (addresses[i].told)
			EXPECT_TEXT(IP_PREFIX_TEXT(event.address), "2001:db8::7/64");
		struct rtmsg route = {.rtm_family = AF_INET6,
			.rtm_type = RTN_UNICAST,
			.rtm_table = RT_TABLE_MAIN};
		message = message_begin(RTM_NEWROUTE, &route, sizeof(route));
		mnl_attr_put(message, RTA_GATEWAY, sizeof(bytes), bytes);
		EXPECT(events_decode(events, message, &event), "a default route");
		EXPECT_TEXT(IP_PREFIX_TEXT(event.address), "::/0");
		EXPECT_TEXT(IP_TEXT(event.gateway), addresses[i].address);
		route.rtm_dst_len = 64;
		message = message_begin(RTM_NEWROUTE, &route, sizeof(route));
		mnl_attr_put(message, RTA_DST, sizeof(bytes), bytes);
		EXPECT_NUMBER(events_decode(events, message, &event), addresses[i].told);
		mnl_attr_put_u32(message, RTA_PREFSRC, 1);
		EXPECT(!events_decode(events, message, &event), "four bytes of an address");
	}
}

static void test_neighbours(struct events *events)
{
	struct fact_event event;
	EXPECT(events_decode(events, neighbour_message(AF_INET, NUD_REACHABLE), &event), "seen");
	EXPECT_TEXT(event.state, "reachable");
	EXPECT_TEXT(IP_PREFIX_TEXT(event.address), "10.0.2.7/32");
	EXPECT_TEXT(MAC_TEXT(event.mac), "02:00:00:00:00:07");
	EXPECT(!events_decode(events, neighbour_message(AF_INET, NUD_NOARP), &event), "broadcast");
	EXPECT(!events_decode(events, neighbour_message(AF_BRIDGE, NUD_REACHABLE), &event), "fdb");
}

/* Attributes of a wrong length, messages cut anywhere and changed at random. */
static void test_malformed(struct events *events)
{
	struct fact_event event;
	struct ifaddrmsg body = {.ifa_family = AF_INET, .ifa_prefixlen = 24, .ifa_index = 2};
	struct nlmsghdr *message = message_begin(RTM_NEWADDR, &body, sizeof(body));
	mnl_attr_put_u16(message, IFA_LOCAL, 7);
	EXPECT(!events_decode(events, message, &event), "two bytes of an address");
	message = message_begin(RTM_NEWADDR, &body, sizeof(body));
	EXPECT(!events_decode(events, message, &event), "no address");
	body.ifa_prefixlen = 33;
	message = message_begin(RTM_NEWADDR, &body, sizeof(body));
	put_ipv4(message, IFA_LOCAL, "10.0.0.1");
	EXPECT(!events_decode(events, message, &event), "33 bits");
	struct ifinfomsg link = {.ifi_index = 4};
	message = message_begin(RTM_NEWLINK, &link, sizeof(link));
	mnl_attr_put(message, IFLA_IFNAME, 4, "eth0");
	EXPECT(!events_decode(events, message, &event), "a name without an end");

	srandom(42);
	for (int round = 0; round < 20000; round++) {
		message = round % 4 == 0   ? link_message(RTM_NEWLINK, 2, "eth0", IFF_UP)
			  : round % 4 == 1 ? address_message(RTM_NEWADDR, "10.0.2.100")
			  : round % 4 == 2 ? route_message(RTM_NEWROUTE, RTN_UNICAST, 254)
					   : neighbour_message(AF_INET, NUD_STALE);
		/* On the heap, as long as it says it is. */
		uint32_t length =
			NLMSG_HDRLEN + (uint32_t)random() % (message->nlmsg_len - NLMSG_HDRLEN + 1);
		char *copy = malloc(length);
		memcpy(copy, message, length);
		if (length > NLMSG_HDRLEN && round % 3)
			copy[NLMSG_HDRLEN + (uint32_t)random() % (length - NLMSG_HDRLEN)] =
				(char)random();
		((struct nlmsghdr *)(void *)copy)->nlmsg_len = length;
		events_decode(events, (struct nlmsghdr *)(void *)copy, &event);
		free(copy);
	}
}

int main(void)
{
	CLEANUP(events_close) struct events events = {.fd = -1};
	test_links(&events);
	test_addresses(&events);
	test_routes(&events);
	test_ipv6(&events);
	test_neighbours(&events);
	test_malformed(&events);
	return unit_finish();
}
