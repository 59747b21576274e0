/*
 * Asking on the wire whether somebody uses an address: by ARP on a link of ours (RFC 5227's probe,
 * whose sender address is 0, so that nobody's cache is spoiled), by an ICMP echo request behind
 * routers. Nothing waits here: who hears nothing for its own while may give the address away.
 */
#ifndef PROGRAMS_DHCP_PROBER_H
#define PROGRAMS_DHCP_PROBER_H

#include <event2/event.h>

#include "base/error.h"
#include "dhcp/action.h"
#include "programs/dhcp/local_interfaces.h"

struct prober;

/*
 * `in_use` is called with the sender's address of every ARP packet and every answer to our echo
 * requests: whether it was asked about is for the machine to know.
 */
struct prober_listener {
	void *program; /* passed to it */
	void (*in_use)(void *program, struct ipv4 address);
};

/* Open its sockets: needs CAP_NET_RAW. Release with prober_close(). */
int prober_open(struct prober **ret_prober, struct error *error);
void prober_close(struct prober **prober);

/* Listen from now on, in that loop. `listener` is copied. */
int prober_listen(struct prober *prober, struct event_base *base,
	const struct prober_listener *listener, struct error *error);

/* Send one probe. `interfaces` has the sending one's hardware address. */
int prober_ask(struct prober *prober, const struct dhcp_probe *probe,
	const struct local_interfaces *interfaces, struct error *error);

#endif
