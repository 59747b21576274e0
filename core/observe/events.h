/*
 * What the kernel says of its own accord about one node: links, addresses, routes and neighbours
 * (of IPv4 and IPv6) that come, change or go, as struct fact_event.
 */
#ifndef OBSERVE_EVENTS_H
#define OBSERVE_EVENTS_H

#include <stdbool.h>

#include "base/error.h"
#include "observe/fact.h"
#include "observe/interfaces.h"

struct events {
	int fd; /* readable when events wait; -1: closed */
	struct interfaces interfaces;
	struct rtnetlink_address *addresses; /* known: a renewed one comes again and is not new */
	size_t address_count;
};

/* Events from now on are kept by the kernel until read, as far as its buffer reaches. */
int events_open(int netns_fd, struct events *ret_events, struct error *error);
void events_close(struct events *events);

/* `event` is NULL where the kernel had to throw events away. */
typedef void (*events_function)(void *argument, const struct fact_event *event);

/* Read what waits, at most `most` datagrams. Returns 0, or a negative errno: the socket is dead. */
int events_read(struct events *events, unsigned most, events_function function, void *argument);

/*
 * One message of the kernel as an event; keeps what is known in `events` up to date. False where it
 * is nothing to report: of another kind, malformed, or a link of which nothing changed that we
 * report.
 */
bool events_decode(
	struct events *events, const struct nlmsghdr *message, struct fact_event *ret_event);

#endif
