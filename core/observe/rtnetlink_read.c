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
	size_t length; /* exactly; 0: as `kind` has it */
};

/* Attributes by type; NULL: absent. The four enums all end below this. */
enum { ATTRIBUTES = 128 };

struct attributes {
	const struct attribute_rule *rules;
	size_t rule_count;
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
	{IFA_ADDRESS, MNL_TYPE_BINARY, 4},
	{IFA_LOCAL, MNL_TYPE_BINARY, 4},
	{IFA_CACHEINFO, MNL_TYPE_BINARY, sizeof(struct ifa_cacheinfo)},
};

static const struct attribute_rule route_rules[] = {
	{RTA_DST, MNL_TYPE_BINARY, 4},
	{RTA_GATEWAY, MNL_TYPE_BINARY, 4},
	{RTA_PREFSRC, MNL_TYPE_BINARY, 4},
	{RTA_OIF, MNL_TYPE_U32, 0},
	{RTA_PRIORITY, MNL_TYPE_U32, 0},
	{RTA_TABLE, MNL_TYPE_U32, 0},
};

static const struct attribute_rule neighbour_rules[] = {
	{NDA_DST, MNL_TYPE_BINARY, 4},
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
		if (rule->length && mnl_attr_get_payload_len(attribute) != rule->length)
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
	if (body->rtgen_family != (type == RTM_NEWLINK ? AF_UNSPEC : AF_INET))
		return NULL;
	if (mnl_attr_parse(message, (unsigned)size, attribute_accept, attributes) < 0)
		return NULL;
	return body;
}

static struct ipv4 attribute_ipv4(const struct nlattr *attribute)
{
	uint32_t network;
	if (!attribute)
		return (struct ipv4){0};
	memcpy(&network, mnl_attr_get_payload(attribute), sizeof(network));
	return (struct ipv4){ntohl(network)};
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
	if (!body || body->ifa_prefixlen > 32)
		return false;
	/*
	 * IFA_ADDRESS is the other end's where the link is point-to-point, IFA_LOCAL always ours.
	 */
	const struct nlattr *own =
		attributes.of[IFA_LOCAL] ? attributes.of[IFA_LOCAL] : attributes.of[IFA_ADDRESS];
	if (!own)
		return false;
	struct ifa_cacheinfo times = {.ifa_valid = UINT32_MAX};
	if (attributes.of[IFA_CACHEINFO])
		memcpy(&times, mnl_attr_get_payload(attributes.of[IFA_CACHEINFO]), sizeof(times));
	*ret_address = (struct rtnetlink_address){
		.interface = body->ifa_index,
		.address = {attribute_ipv4(own), body->ifa_prefixlen},
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
	if (!body || body->rtm_dst_len > 32 || body->rtm_type != RTN_UNICAST ||
		body->rtm_flags & RTM_F_CLONED)
		return false;
	if (attribute_number(attributes.of[RTA_TABLE], body->rtm_table) != RT_TABLE_MAIN)
		return false;
	*ret_route = (struct rtnetlink_route){
		.destination = {attribute_ipv4(attributes.of[RTA_DST]), body->rtm_dst_len},
		.gateway = attribute_ipv4(attributes.of[RTA_GATEWAY]),
		.source = attribute_ipv4(attributes.of[RTA_PREFSRC]),
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
	if (!state)
		return false;
	struct rtnetlink_neighbour neighbour = {
		.interface = (unsigned)body->ndm_ifindex,
		.address = attribute_ipv4(attributes.of[NDA_DST]),
		.state = state,
	};
	neighbour.has_mac = attribute_mac(attributes.of[NDA_LLADDR], &neighbour.mac);
	*ret_neighbour = neighbour;
	return true;
}
