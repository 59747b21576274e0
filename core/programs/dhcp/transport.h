/*
 * How a server or a relay sends: by UDP where there is an address to send to, as a frame where the
 * receiver has none yet.
 */
#ifndef PROGRAMS_DHCP_TRANSPORT_H
#define PROGRAMS_DHCP_TRANSPORT_H

#include "base/error.h"
#include "dhcp/action.h"
#include "programs/dhcp/local_interfaces.h"

struct transport_queue;

struct transport {
	int udp; /* bound to DHCP_SERVER_PORT */
	int packet; /* sends frames */
	struct local_interfaces interfaces;
	uint64_t read_ns; /* when `interfaces` were read */
	struct transport_queue *queue; /* made when it is first used */
};

/* `interface`: NULL for all. Release with transport_close(), also after failure. */
int transport_open(struct transport *transport, const char *interface, struct error *error);
void transport_close(struct transport *transport);

/* Read the machine's addresses again where that was not done for a second. True where it was. */
bool transport_refresh(struct transport *transport, uint64_t now_ns);

int transport_send(struct transport *transport, const struct dhcp_destination *destination,
	const void *bytes, size_t length, struct error *error);

/*
 * Send it with the next transport_flush(), many by one call. `bytes` are borrowed until then. A full
 * queue flushes itself.
 */
int transport_queue(struct transport *transport, const struct dhcp_destination *destination,
	const void *bytes, size_t length, struct error *error);

/*
 * Send what is queued; one message that fails holds up no other. Fails with the first one's
 * reason; transport_take_failed() says how many messages could not be sent since its last call.
 */
int transport_flush(struct transport *transport, struct error *error);
unsigned transport_take_failed(struct transport *transport);

#endif
