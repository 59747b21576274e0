/* Messages of NETLINK_ROUTE as plain structs: see rtnetlink.h. */
#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "observe/rtnetlink.h"

struct attribute_rule {
	uint16_t type;
	enum mnl_attr_data_type kind;
	size_t length; /* exactly; 0: as `kind` has it; ADDRESS: as the family has it */
};

enum { ADDRESS = 255 };

/* Attributes by type; NULL: absent. The four enums all end below this. */
enum { ATTRIBUTES = 128 };

struct attributes {
	const struct attribute_rule *rules;
	size_t rule_count;
	enum ip_family family; /* of the message; of a link it has no meaning */
	const struct nlattr *of[ATTRIBUTES];
};

#define ATTRIBUTES_BY(table)                                                                       \
	{                                                                                          \
		.rules = (table), .rule_count = ARRAY_LENGTH(table)                                \
	}

/* Of a link: an address of another length belongs to another kind of link, and is not wanted. */
static const struct attribute_rule link_rules[] = {
	{IFLA_IFNAME, MNL_TYPE_NUL_STRING, 0},
};

static const struct attribute_rule address_rules[] = {
	{IFA_ADDRESS, MNL_TYPE_BINARY, ADDRESS},
	{IFA_LOCAL, MNL_TYPE_BINARY, ADDRESS},
	{IFA_CACHEINFO, MNL_TYPE_BINARY, sizeof(struct ifa_cacheinfo)},
};

static const struct attribute_rule route_rules[] = {
	{RTA_DST, MNL_TYPE_BINARY, ADDRESS},
	{RTA_GATEWAY, MNL_TYPE_BINARY, ADDRESS},
	{RTA_PREFSRC, MNL_TYPE_BINARY, ADDRESS},
	{RTA_OIF, MNL_TYPE_U32, 0},
	{RTA_PRIORITY, MNL_TYPE_U32, 0},
	{RTA_TABLE, MNL_TYPE_U32, 0},
};

static const struct attribute_rule neighbour_rules[] = {
	{NDA_DST, MNL_TYPE_BINARY, ADDRESS},
};

static int attribute_accept(const struct nlattr *attribute, void *argument)
{
	struct attributes *attributes = argument;
	/* A type we do not know comes from a newer kernel: skip it. */
	if (mnl_attr_type_valid(attribute, ATTRIBUTES - 1) < 0)
		return MNL_CB_OK;
	uint16_t type = mnl_attr_get_type(attribute);
	for (size_t i = 0; i < attributes->rule_count; i++) {
		const struct attribute_rule *rule = &attributes->rules[i];
		if (rule->type != type)
			continue;
		if (mnl_attr_validate(attribute, rule->kind) < 0)
			return MNL_CB_ERROR;
		size_t length =
			rule->length == ADDRESS ? ip_bits(attributes->family) / 8 : rule->length;
		if (length && mnl_attr_get_payload_len(attribute) != length)
			return MNL_CB_ERROR;
	}
	attributes->of[type] = attribute;
	return MNL_CB_OK;
}

/*
 * The body of `message` (`size` bytes) and its attributes; NULL where it is another type than
 * `type` or `type + 1` (new, deleted), another family, too short, or an attribute breaks its rule.
 */
static const void *message_open(
	const struct nlmsghdr *message, uint16_t type, size_t size, struct attributes *attributes)
{
	if ((message->nlmsg_type != type && message->nlmsg_type != type + 1) ||
		mnl_nlmsg_get_payload_len(message) < size)
		return NULL;
	/*
	 * Attributes are padded; libmnl believes that, and would read beyond a last one cut short.
	 */
	if (message->nlmsg_len % MNL_ALIGNTO)
		return NULL;
	/* All bodies begin with the family. */
	const struct rtgenmsg *body = mnl_nlmsg_get_payload(message);
	bool is_ip = body->rtgen_family == AF_INET || body->rtgen_family == AF_INET6;
	if (type == RTM_NEWLINK ? body->rtgen_family != AF_UNSPEC : !is_ip)
		return NULL;
	attributes->family = body->rtgen_family == AF_INET6 ? IPV6 : IPV4;
	if (mnl_attr_parse(message, (unsigned)size, attribute_accept, attributes) < 0)
		return NULL;
	return body;
}

static struct ip attribute_ip(const struct attributes *attributes, unsigned type)
{
	const struct nlattr *attribute = attributes->of[type];
	if (!attribute)
		return (struct ip){0, attributes->family};
	return ip_from_bytes(attributes->family, mnl_attr_get_payload(attribute));
}

static bool is_own(struct ip address)
{
	return address.family == IPV6 && ip_is_link_local(address);
}

static bool attribute_mac(const struct nlattr *attribute, struct mac *ret_mac)
{
	if (!attribute || mnl_attr_get_payload_len(attribute) != sizeof(ret_mac->bytes))
		return false;
	memcpy(ret_mac->bytes, mnl_attr_get_payload(attribute), sizeof(ret_mac->bytes));
	return true;
}

bool rtnetlink_read_link(const struct nlmsghdr *message, struct rtnetlink_link *ret_link)
{
	struct attributes attributes = ATTRIBUTES_BY(link_rules);
	const struct ifinfomsg *body =
		message_open(message, RTM_NEWLINK, sizeof(*body), &attributes);
	if (!body || body->ifi_index <= 0 || !attributes.of[IFLA_IFNAME])
		return false;
	struct rtnetlink_link link = {
		.index = (unsigned)body->ifi_index,
		.up = body->ifi_flags & IFF_UP,
		.running = body->ifi_flags & IFF_RUNNING,
	};
	snprintf(link.name, sizeof(link.name), "%s", mnl_attr_get_str(attributes.of[IFLA_IFNAME]));
	link.has_mac = attribute_mac(attributes.of[IFLA_ADDRESS], &link.mac);
	*ret_link = link;
	return true;
}

bool rtnetlink_read_address(const struct nlmsghdr *message, struct rtnetlink_address *ret_address)
{
	struct attributes attributes = ATTRIBUTES_BY(address_rules);
	const struct ifaddrmsg *body =
		message_open(message, RTM_NEWADDR, sizeof(*body), &attributes);
	if (!body || body->ifa_prefixlen > ip_bits(attributes.family))
		return false;
	/*
	 * IFA_ADDRESS is the other end's where the link is point-to-point, IFA_LOCAL always ours.
	 */
	unsigned own = attributes.of[IFA_LOCAL] ? IFA_LOCAL : IFA_ADDRESS;
	struct ip address = attribute_ip(&attributes, own);
	if (!attributes.of[own] || is_own(address))
		return false;
	struct ifa_cacheinfo times = {.ifa_valid = UINT32_MAX};
	if (attributes.of[IFA_CACHEINFO])
		memcpy(&times, mnl_attr_get_payload(attributes.of[IFA_CACHEINFO]), sizeof(times));
	*ret_address = (struct rtnetlink_address){
		.interface = body->ifa_index,
		.address = {address, body->ifa_prefixlen},
		.valid_seconds = times.ifa_valid,
	};
	return true;
}

static uint32_t attribute_number(const struct nlattr *attribute, uint32_t absent)
{
	return attribute ? mnl_attr_get_u32(attribute) : absent;
}

bool rtnetlink_read_route(const struct nlmsghdr *message, struct rtnetlink_route *ret_route)
{
	struct attributes attributes = ATTRIBUTES_BY(route_rules);
	const struct rtmsg *body = message_open(message, RTM_NEWROUTE, sizeof(*body), &attributes);
	if (!body || body->rtm_dst_len > ip_bits(attributes.family) ||
		body->rtm_type != RTN_UNICAST || body->rtm_flags & RTM_F_CLONED)
		return false;
	if (attribute_number(attributes.of[RTA_TABLE], body->rtm_table) != RT_TABLE_MAIN)
		return false;
	struct ip destination = attribute_ip(&attributes, RTA_DST);
	if (is_own(destination))
		return false;
	*ret_route = (struct rtnetlink_route){
		.destination = {destination, body->rtm_dst_len},
		.gateway = attribute_ip(&attributes, RTA_GATEWAY),
		.source = attribute_ip(&attributes, RTA_PREFSRC),
		.interface = attribute_number(attributes.of[RTA_OIF], 0),
		.metric = attribute_number(attributes.of[RTA_PRIORITY], 0),
	};
	return true;
}

/* linux/neighbour.h, the words of ip-neigh(8). Not NOARP: broadcast, multicast, loopback. */
static const struct {
	uint16_t state;
	const char *name;
} neighbour_states[] = {
	{NUD_NONE, "none"},
	{NUD_INCOMPLETE, "incomplete"},
	{NUD_REACHABLE, "reachable"},
	{NUD_STALE, "stale"},
	{NUD_DELAY, "delay"},
	{NUD_PROBE, "probe"},
	{NUD_FAILED, "failed"},
	{NUD_PERMANENT, "permanent"},
};

bool rtnetlink_read_neighbour(
	const struct nlmsghdr *message, struct rtnetlink_neighbour *ret_neighbour)
{
	struct attributes attributes = ATTRIBUTES_BY(neighbour_rules);
	const struct ndmsg *body = message_open(message, RTM_NEWNEIGH, sizeof(*body), &attributes);
	if (!body || !attributes.of[NDA_DST] || body->ndm_ifindex <= 0)
		return false;
	const char *state = NULL;
	for (size_t i = 0; i < ARRAY_LENGTH(neighbour_states); i++)
		if (neighbour_states[i].state == body->ndm_state)
			state = neighbour_states[i].name;
	struct ip address = attribute_ip(&attributes, NDA_DST);
	if (!state || is_own(address))
		return false;
	struct rtnetlink_neighbour neighbour = {
		.interface = (unsigned)body->ndm_ifindex,
		.address = address,
		.state = state,
	};
	neighbour.has_mac = attribute_mac(attributes.of[NDA_LLADDR], &neighbour.mac);
	*ret_neighbour = neighbour;
	return true;
}
