/*
 * The client of the report's address protocol (text.h) as a machine.
 *
 * A request is no question that may be repeated: each one takes a further address, for ever. So the
 * client asks once and waits `retry_ns` before it asks again, and an address that comes when it has
 * one already (a late answer) is given back at once. When it is done, or is stopped and to give its
 * address back, with a request still unanswered, it waits a moment, to give back what may be on its
 * way.
 */
#ifndef DHCP_TEXT_CLIENT_H
#define DHCP_TEXT_CLIENT_H

#include "dhcp/text.h"

struct dhcp_text_client_settings {
	uint64_t wait_ns; /* be done without an address after so long; 0: go on for ever */
	uint64_t retry_ns; /* before it asks again; not 0 */
	bool once; /* be done as soon as there is an address, or the server has none left */
};

enum dhcp_text_client_state {
	DHCP_TEXT_CLIENT_ASKING, /* a request waits for its answer */
	DHCP_TEXT_CLIENT_OFFLINE, /* none was left: it asks again in a while */
	DHCP_TEXT_CLIENT_ONLINE, /* it has `address` */
	DHCP_TEXT_CLIENT_LEAVING, /* all but done, an answer may be on its way */
	DHCP_TEXT_CLIENT_DONE,
};

struct dhcp_text_client {
	struct dhcp_text_client_settings settings;
	enum dhcp_text_client_state state;
	struct ipv4 address; /* that it has, or had when it was done; none: it has none */
	bool failed; /* DONE because there was no address to be had */
	/* Private. */
	unsigned unanswered; /* requests */
	uint64_t next_ns, give_up_ns; /* DHCP_NEVER: not at all */
};

enum dhcp_text_event_kind {
	DHCP_TEXT_EVENT_START,
	DHCP_TEXT_EVENT_DATAGRAM, /* from the server */
	DHCP_TEXT_EVENT_TIMER,
	DHCP_TEXT_EVENT_STOP, /* a second time: at once */
};

struct dhcp_text_event {
	enum dhcp_text_event_kind kind;
	const void *bytes; /* of a datagram */
	size_t length;
	bool release; /* of a stop: give the address back */
};

enum dhcp_text_action_kind {
	DHCP_TEXT_SEND, /* `text` to the server */
	DHCP_TEXT_ONLINE, /* `address` is ours */
	DHCP_TEXT_OFFLINE, /* we have none, because ... */
	DHCP_TEXT_REPORT, /* tell what happened to `address` or the message */
	DHCP_TEXT_FINISH, /* be done */
};

/* Why, for a person; what each means: dhcp_text_reason_text(). */
enum dhcp_text_reason {
	DHCP_TEXT_NO_REASON,
	DHCP_TEXT_NONE_WERE_LEFT,
	DHCP_TEXT_UNANSWERED,
	DHCP_TEXT_GIVEN_BACK,
	DHCP_TEXT_GIVEN_BACK_LATE, /* it has one already */
	DHCP_TEXT_GIVEN_BACK_UNUSABLE, /* no host can have it: multicast, broadcast, ... */
	DHCP_TEXT_UNKNOWN_WORDS,
	DHCP_TEXT_REASONS,
};
const char *dhcp_text_reason_text(enum dhcp_text_reason reason);

struct dhcp_text_action {
	enum dhcp_text_action_kind kind;
	enum dhcp_text_reason reason; /* of OFFLINE, REPORT */
	struct ipv4 address;
	char text[DHCP_TEXT_SIZE]; /* of SEND */
	size_t length;
};

enum { DHCP_TEXT_ACTIONS_MAX = 4 };

/* The result of one step: performed in order. */
struct dhcp_text_actions {
	struct dhcp_text_action list[DHCP_TEXT_ACTIONS_MAX];
	unsigned count;
	uint64_t deadline_ns; /* step again no later than then; DHCP_NEVER */
	struct dhcp_text_message message; /* of a datagram, as it was read; borrowed from it */
};

/* It begins with DHCP_TEXT_EVENT_START. */
void dhcp_text_client_init(
	struct dhcp_text_client *client, const struct dhcp_text_client_settings *settings);

void dhcp_text_client_step(struct dhcp_text_client *client, const struct dhcp_text_event *event,
	uint64_t now_ns, struct dhcp_text_actions *ret_actions);

#endif
