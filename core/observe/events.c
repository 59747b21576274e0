#include "observe/events.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"

enum { ADDRESSES_MAX = 4096 };

static struct rtnetlink_address *address_find(
	const struct events *events, const struct rtnetlink_address *address)
{
	for (size_t i = 0; i < events->address_count; i++) {
		struct rtnetlink_address *known = &events->addresses[i];
		if (known->interface == address->interface &&
			ip_equal(known->address.address, address->address.address) &&
			known->address.length == address->address.length)
			return known;
	}
	return NULL;
}

static int address_remember(struct events *events, const struct rtnetlink_address *address)
{
	struct rtnetlink_address *place = NULL;
	if (events->address_count < ADDRESSES_MAX)
		place = array_add(&events->addresses, &events->address_count);
	if (!place)
		return -ENOMEM;
	*place = *address;
	return 0;
}

static void addresses_restart(void *argument)
{
	struct events *events = argument;
	free(events->addresses);
	events->addresses = NULL;
	events->address_count = 0;
}

static int addresses_each(void *argument, const struct nlmsghdr *message)
{
	struct rtnetlink_address address;
	return rtnetlink_read_address(message, &address) ? address_remember(argument, &address) : 0;
}

/* What is there already, so that what comes later can be told from it. */
static int events_read_present(int netns_fd, struct events *events, struct error *error)
{
	CLEANUP(close_fd) int fd = -1;
	int status = rtnetlink_open(netns_fd, 0, &fd, error);
	if (status == 0)
		status = interfaces_read(fd, &events->interfaces, error);
	struct rtnetlink_dump dump = {RTM_GETADDR, addresses_restart, addresses_each, events};
	if (status == 0)
		status = rtnetlink_dump(fd, &dump, error);
	return status;
}

int events_open(int netns_fd, struct events *ret_events, struct error *error)
{
	enum {
		GROUPS = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_IFADDR |
			 RTMGRP_IPV6_ROUTE | RTMGRP_NEIGH
	};
	struct events events = {.fd = -1};
	/* Join first, then dump: what changes in between is seen twice rather than never. */
	int status = rtnetlink_open(netns_fd, GROUPS, &events.fd, error);
	if (status == 0)
		status = events_read_present(netns_fd, &events, error);
	if (status < 0)
		events_close(&events);
	else
		*ret_events = events;
	return status;
}

void events_close(struct events *events)
{
	close_fd(&events->fd);
	interfaces_finish(&events->interfaces);
	addresses_restart(events);
}

static bool decode_link(
	struct events *events, const struct nlmsghdr *message, struct fact_event *event)
{
	struct interfaces *interfaces = &events->interfaces;
	struct rtnetlink_link link;
	if (!rtnetlink_read_link(message, &link))
		return false;
	const struct rtnetlink_link *before = interfaces_find(interfaces, link.index);
	event->change = before ? FACT_CHANGED : FACT_ADDED;
	if (message->nlmsg_type == RTM_DELLINK)
		event->change = FACT_REMOVED;
	/* The kernel tells also of changes in what we do not read (counters, queues, masters). */
	bool same = before && before->up == link.up && before->running == link.running &&
		    before->has_mac == link.has_mac && mac_equal(before->mac, link.mac) &&
		    strcmp(before->name, link.name) == 0;
	if (event->change == FACT_REMOVED)
		interfaces_remove(interfaces, link.index);
	else
		interfaces_set(interfaces, &link); /* where it fails, later events lack the name */
	event->subject = FACT_LINK;
	memcpy(event->interface, link.name, sizeof(event->interface));
	event->has_mac = link.has_mac;
	event->mac = link.mac;
	event->up = link.up;
	event->running = link.running;
	return event->change != FACT_CHANGED || !same;
}

static void event_name(struct fact_event *event, const struct events *events, unsigned index)
{
	snprintf(event->interface, sizeof(event->interface), "%s",
		interfaces_name(&events->interfaces, index));
}

static bool decode_address(
	struct events *events, const struct nlmsghdr *message, struct fact_event *event)
{
	struct rtnetlink_address address;
	if (!rtnetlink_read_address(message, &address))
		return false;
	event->subject = FACT_ADDRESS;
	struct rtnetlink_address *known = address_find(events, &address);
	if (message->nlmsg_type == RTM_NEWADDR) {
		event->change = known ? FACT_CHANGED : FACT_ADDED;
		if (!known)
			address_remember(events, &address);
	} else {
		event->change = FACT_REMOVED;
		if (known)
			*known = events->addresses[--events->address_count];
	}
	event->address = address.address;
	event_name(event, events, address.interface);
	return true;
}

static bool decode_route(
	struct events *events, const struct nlmsghdr *message, struct fact_event *event)
{
	struct rtnetlink_route route;
	if (!rtnetlink_read_route(message, &route))
		return false;
	event->subject = FACT_ROUTE;
	event->change = message->nlmsg_type == RTM_DELROUTE    ? FACT_REMOVED
			: message->nlmsg_flags & NLM_F_REPLACE ? FACT_CHANGED
							       : FACT_ADDED;
	event->address = route.destination;
	event->gateway = route.gateway;
	event->metric = route.metric;
	event_name(event, events, route.interface);
	return true;
}

static bool decode_neighbour(
	struct events *events, const struct nlmsghdr *message, struct fact_event *event)
{
	struct rtnetlink_neighbour neighbour;
	if (!rtnetlink_read_neighbour(message, &neighbour))
		return false;
	event->subject = FACT_NEIGHBOUR;
	/* The kernel does not say which neighbours are new: an entry is its state. */
	event->change = message->nlmsg_type == RTM_DELNEIGH ? FACT_REMOVED : FACT_CHANGED;
	event->address = (struct ip_prefix){neighbour.address, ip_bits(neighbour.address.family)};
	event->has_mac = neighbour.has_mac;
	event->mac = neighbour.mac;
	snprintf(event->state, sizeof(event->state), "%s", neighbour.state);
	event_name(event, events, neighbour.interface);
	return true;
}

bool events_decode(
	struct events *events, const struct nlmsghdr *message, struct fact_event *ret_event)
{
	struct fact_event event = {0};
	bool told = false;
	switch (message->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		told = decode_link(events, message, &event);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		told = decode_address(events, message, &event);
		break;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		told = decode_route(events, message, &event);
		break;
	case RTM_NEWNEIGH:
	case RTM_DELNEIGH:
		told = decode_neighbour(events, message, &event);
		break;
	default:
		break;
	}
	if (told)
		*ret_event = event;
	return told;
}

int events_read(struct events *events, unsigned most, events_function function, void *argument)
{
	_Alignas(struct nlmsghdr) char buffer[RTNETLINK_BUFFER_SIZE];
	for (unsigned i = 0; i < most; i++) {
		int length = rtnetlink_receive(events->fd, buffer, sizeof(buffer));
		if (length == -EAGAIN)
			return 0;
		if (length == -ENOBUFS) {
			function(argument, NULL);
			continue;
		}
		if (length < 0)
			return length;
		const struct nlmsghdr *message = (const struct nlmsghdr *)buffer;
		for (; mnl_nlmsg_ok(message, length); message = mnl_nlmsg_next(message, &length)) {
			struct fact_event event;
			if (events_decode(events, message, &event))
				function(argument, &event);
		}
	}
	return 0;
}
