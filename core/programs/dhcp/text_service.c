#include "programs/dhcp/text_service.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "programs/dhcp/text_socket.h"

enum { QUOTE_SIZE = 64 }; /* of what is no address */

struct text_service {
	int fd;
	struct text_datagram received[TEXT_SOCKET_BATCH];
	struct dhcp_text_result results[TEXT_SOCKET_BATCH];
};

int text_service_open(struct server_program_state *state, struct error *error)
{
	state->text_service = calloc(1, sizeof(*state->text_service));
	if (!state->text_service)
		return error_set(error, -ENOMEM, "out of memory");
	state->text_service->fd = -1;
	return text_socket_open(&state->settings->listen, &state->text_service->fd, error);
}

void text_service_close(struct server_program_state *state)
{
	if (state->text_service)
		close_fd(&state->text_service->fd);
	free(TAKE(state->text_service));
}

int text_service_fd(const struct server_program_state *state)
{
	return state->text_service->fd;
}

/* The settings have one subnet. */
static struct dhcp_pool *pool_of(const struct server_program_state *state)
{
	return &state->server.subnets[0].pool;
}

static void log_result(const struct dhcp_text_result *result)
{
	char quoted[QUOTE_SIZE];
	const char *address = IPV4_TEXT(result->address);
	switch (result->outcome) {
	case DHCP_TEXT_SENT:
		log_line("IP:%s sent to client at %s", address, ENDPOINT_TEXT(&result->peer));
		break;
	case DHCP_TEXT_EMPTY:
		log_line("No IPs left sent to client at %s", ENDPOINT_TEXT(&result->peer));
		break;
	case DHCP_TEXT_RELEASED:
		log_line("IP:%s released", address);
		break;
	case DHCP_TEXT_NOT_FOUND:
		log_line("IP:%s not found", log_quote(result->message.text, result->message.length,
						    quoted, sizeof(quoted)));
		break;
	case DHCP_TEXT_NOT_ITS:
		log_line("IP:%s kept: client at %s may not release what was given to %s", address,
			ENDPOINT_TEXT(&result->peer),
			result->owner.family ? ENDPOINT_TEXT(&result->owner) : "another, by DHCP");
		break;
	case DHCP_TEXT_NO_MEMORY:
	case DHCP_TEXT_OUTCOMES:
		log_line("out of memory: no answer to client at %s", ENDPOINT_TEXT(&result->peer));
		break;
	}
}

/* Returns whether it was sent, where there was anything to send. */
static bool answer(struct server_program_state *state, struct text_datagram *datagram,
	const struct dhcp_text_result *result)
{
	struct error error;
	int fd = state->text_service->fd;
	if (result->answer_length > 0 && text_socket_answer(fd, datagram, result->answer,
						 result->answer_length, &error) < 0) {
		state->counters.not_sent++;
		server_program_trouble(state, &error);
		return false;
	}
	if (server_program_may_log(state))
		log_result(result);
	return true;
}

static void withhold(struct server_program_state *state, struct dhcp_text_result *result)
{
	state->counters.withheld += result->answer_length > 0;
	dhcp_text_server_not_told(&state->text, pool_of(state), result, state->now_ns);
	if (result->outcome == DHCP_TEXT_RELEASED && server_program_may_log(state))
		log_result(result);
}

/* Nobody was told of the lease, which is stored: so is, then, that it is free again. */
static unsigned take_back(struct server_program_state *state, struct dhcp_text_result *result)
{
	struct error error;
	if (!dhcp_text_server_not_told(&state->text, pool_of(state), result, state->now_ns))
		return 0;
	if (lease_store_save(state->store, &result->lease, &error) < 0)
		server_program_trouble(state, &error);
	return 1;
}

static void answer_all(struct server_program_state *state, unsigned count, bool durable)
{
	struct text_service *service = state->text_service;
	unsigned taken_back = 0;
	for (unsigned i = 0; i < count; i++) {
		struct dhcp_text_result *result = &service->results[i];
		if (result->save && !durable)
			withhold(state, result);
		else if (!answer(state, &service->received[i], result))
			taken_back += take_back(state, result);
	}
	server_program_commit(state, taken_back);
}

/* Step what was received; returns how many results are stored, and depend on the commit. */
static unsigned step(struct server_program_state *state, unsigned count)
{
	struct error error;
	struct text_service *service = state->text_service;
	unsigned stored = 0;
	for (unsigned i = 0; i < count; i++) {
		struct dhcp_text_result *result = &service->results[i];
		const struct dhcp_text_datagram datagram = {
			.peer = service->received[i].peer,
			.bytes = service->received[i].bytes,
			.length = service->received[i].length,
		};
		dhcp_text_server_receive(
			&state->text, pool_of(state), &datagram, state->now_ns, result);
		stored += result->save;
		if (result->save && lease_store_save(state->store, &result->lease, &error) < 0)
			server_program_trouble(state, &error);
	}
	return stored;
}

void text_service_receive(struct server_program_state *state)
{
	struct error error;
	struct text_service *service = state->text_service;
	server_program_begin(state);
	int count = text_socket_receive(service->fd, service->received, TEXT_SOCKET_BATCH, &error);
	if (count < 0)
		server_program_trouble(state, &error);
	if (count <= 0)
		return;
	unsigned stored = step(state, (unsigned)count);
	answer_all(state, (unsigned)count, server_program_commit(state, stored));
	if (lease_store_tidy(state->store, false, &error) < 0)
		server_program_trouble(state, &error);
	event_loop_tick(&state->loop);
}

void text_service_log_start(const struct server_program_state *state)
{
	const struct dhcp_pool *pool = pool_of(state);
	size_t free = dhcp_pool_free(pool);
	for (size_t i = 0; i < pool->range_count; i++)
		log_line("pool %s-%s", IPV4_TEXT(pool->ranges[i].first),
			IPV4_TEXT(pool->ranges[i].last));
	log_line("server started at %s, %zu address%s free",
		ENDPOINT_TEXT(&state->settings->listen), free, free == 1 ? "" : "es");
}

void text_service_log_end(const struct server_program_state *state)
{
	size_t held = pool_of(state)->leases.in_state[0][DHCP_LEASE_BOUND] +
		      pool_of(state)->leases.in_state[1][DHCP_LEASE_BOUND];
	log_line("server ended, %zu address%s in use", held, held == 1 ? "" : "es");
}
