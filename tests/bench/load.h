/*
 * A load: exchanges of many clients with one server, a fixed number of them in flight, each with
 * its own client. What it saw is counted in struct load_result.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include "base/text.h"
#include "histogram.h"
#include "load_client.h"
#include "load_settings.h"
#include "load_socket.h"

struct load_result {
	uint64_t begun, done; /* exchanges; done: acknowledged */
	uint64_t counted; /* of those, within the time: what the rate is made of */
	uint64_t counted_ns; /* from the first message to the last counted acknowledgement */
	uint64_t lost; /* given up, never answered */
	uint64_t refused; /* DHCPNAK */
	uint64_t again; /* messages sent more than once */
	uint64_t duplicates; /* addresses given to two clients */
	uint64_t wrong; /* acknowledged with another address than offered, or held */
	uint64_t stray; /* datagrams that answer nothing asked */
	struct histogram offer, ack, whole; /* ns: first half, second half, both; of `counted` */
};

enum exchange_state { EXCHANGE_IDLE, EXCHANGE_SELECTING, EXCHANGE_REQUESTING };

struct exchange {
	enum exchange_state state;
	uint32_t xid;
	struct load_client client;
	struct ipv4 server; /* its identifier, of the offer; none: it is not told */
	uint64_t begun_ns, half_ns, sent_ns;
	uint32_t tries;
};

struct load {
	const struct load_settings *settings;
	struct load_socket socket;
	struct load_clients clients; /* of --leases */
	uint8_t *given; /* a bit an address; mapped, touched where addresses are given */
	int record; /* descriptor, -1: none */
	struct text lines; /* for it, of this batch */
	struct exchange exchanges[LOAD_WINDOW_MOST];
	uint32_t idle[LOAD_WINDOW_MOST], idle_count;
	uint64_t started_ns, swept_ns;
	struct load_result result;
};

/* `load` is zeroed. Close with load_close(), also after a failure. */
int load_open(struct load *load, const struct load_settings *settings, struct error *error);
void load_close(struct load *load);

/* Run it to its end, or until *stop is set. Fails where a lease cannot be recorded. */
int load_run(struct load *load, const volatile int *stop, struct error *error);

#endif
