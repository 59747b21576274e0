#include "programs/dhcp/server_batch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "programs/dhcp/message_log.h"
#include "programs/dhcp/udp_socket.h"

enum {
	ROOM = 64, /* messages received at once, and answers of one transaction */
	/*
	 * How often a wake-up looks for more before it commits: clients that have got their offers ask
	 * for them meanwhile, and a commit costs the same for a few as for many.
	 */
	ROUNDS = 4,
};

/* The machine's clock runs on while this machine sleeps, the loop's timers do not. */
#define SLEEP_MOST_NS (60 * NS_PER_SECOND)

struct server_batch {
	struct udp_batch *received;
	struct dhcp_actions room[ROOM];
	struct dhcp_actions
		*answers[ROOM]; /* all of `room`; first those that promise what is stored */
	unsigned stored, count;
	uint64_t deadline_ns;
	struct dhcp_actions taken_back;
};

int server_batch_open(struct server_program_state *state, struct error *error)
{
	state->batch = calloc(1, sizeof(*state->batch));
	if (!state->batch)
		return error_set(error, -ENOMEM, "out of memory");
	for (unsigned i = 0; i < ROOM; i++)
		state->batch->answers[i] = &state->batch->room[i];
	return udp_batch_new(ROOM, &state->batch->received, error);
}

void server_batch_close(struct server_program_state *state)
{
	if (state->batch)
		udp_batch_free(&state->batch->received);
	free(TAKE(state->batch));
}

void server_batch_learn_addresses(struct server_program_state *state)
{
	for (size_t i = 0; i < state->transport.interfaces.count; i++)
		dhcp_server_add_address(
			&state->server, state->transport.interfaces.list[i].address.address);
}

static void begin(struct server_program_state *state)
{
	server_program_begin(state);
	if (transport_refresh(&state->transport, state->now_ns))
		server_batch_learn_addresses(state);
}

static void probe(struct server_program_state *state, const struct dhcp_probe *asked)
{
	struct error error;
	if (!state->prober) {
		error_set(&error, -ENOTCONN,
			"probing was not on when the server was started: start it again to probe");
		state->counters.probes_not_sent++;
		server_program_trouble(state, &error);
		return;
	}
	if (prober_ask(state->prober, asked, &state->transport.interfaces, &error) < 0) {
		state->counters.probes_not_sent++;
		server_program_trouble(state, &error);
	}
}

/* Perform everything of a step but its sends. Returns whether it stored something. */
static bool perform(struct server_program_state *state, const struct dhcp_actions *actions)
{
	struct error error;
	bool stored = false;
	for (unsigned i = 0; i < actions->count; i++) {
		const struct dhcp_action *action = &actions->list[i];
		switch (action->kind) {
		case DHCP_SAVE_LEASE:
			stored = true;
			if (lease_store_save(state->store, &action->lease, &error) < 0)
				server_program_trouble(state, &error);
			break;
		case DHCP_REPORT:
			if (server_program_may_log(state))
				message_log_report(&action->report);
			break;
		case DHCP_PROBE:
			probe(state, &action->probe);
			break;
		case DHCP_SEND:
		case DHCP_CONFIGURE:
		case DHCP_UNCONFIGURE:
		case DHCP_NOTICE:
		case DHCP_ARP:
		case DHCP_FINISH:
			break;
		}
	}
	state->batch->deadline_ns = actions->deadline_ns;
	return stored;
}

static void step(struct server_program_state *state, const struct dhcp_server_event *event)
{
	struct server_batch *batch = state->batch;
	struct dhcp_actions *actions = batch->answers[batch->count];
	dhcp_server_step(&state->server, event, state->now_ns, actions);
	if (perform(state, actions)) {
		batch->answers[batch->count] = batch->answers[batch->stored];
		batch->answers[batch->stored++] = actions;
	}
	batch->count++;
}

static void queue_answer(struct server_program_state *state, const struct dhcp_actions *actions)
{
	struct error error;
	for (unsigned i = 0; i < actions->count; i++) {
		const struct dhcp_destination *to = &actions->list[i].destination;
		if (actions->list[i].kind != DHCP_SEND)
			continue;
		if (server_program_may_log(state))
			message_log_sent(actions, to);
		if (transport_queue(&state->transport, to, actions->message,
			    actions->message_length, &error) < 0)
			server_program_trouble(state, &error);
	}
}

/* Send the answers from the `first` on; their places are free again. */
static void send_answers(struct server_program_state *state, unsigned first)
{
	struct error error;
	struct server_batch *batch = state->batch;
	for (unsigned i = first; i < batch->count; i++)
		queue_answer(state, batch->answers[i]);
	batch->count = first;
	if (transport_flush(&state->transport, &error) < 0)
		server_program_trouble(state, &error);
	state->counters.not_sent += transport_take_failed(&state->transport);
}

/* Tell the machine which leases of an answer no client will hear of. */
static void take_back(struct server_program_state *state, const struct dhcp_actions *answer)
{
	struct dhcp_actions *actions = &state->batch->taken_back;
	for (unsigned i = 0; i < answer->count; i++) {
		state->counters.withheld += answer->list[i].kind == DHCP_SEND;
		if (answer->list[i].kind != DHCP_SAVE_LEASE)
			continue;
		struct dhcp_server_event event = {
			.kind = DHCP_SERVER_NOT_SAVED,
			.address = answer->list[i].lease.address,
		};
		dhcp_server_step(&state->server, &event, state->now_ns, actions);
		perform(state, actions);
	}
}

static void set_deadline(struct server_program_state *state)
{
	uint64_t now_ns = state->now_ns, deadline_ns = state->batch->deadline_ns;
	if (deadline_ns != DHCP_NEVER && deadline_ns > now_ns + SLEEP_MOST_NS)
		deadline_ns = now_ns + SLEEP_MOST_NS;
	event_loop_set_deadline(&state->loop, now_ns, deadline_ns);
}

static void finish(struct server_program_state *state)
{
	struct error error;
	struct server_batch *batch = state->batch;
	send_answers(state, batch->stored);
	bool durable = server_program_commit(state, batch->stored);
	for (unsigned i = 0; !durable && i < batch->stored; i++)
		take_back(state, batch->answers[i]);
	/* What the machine asked to be stored when it was told is a batch of its own. */
	if (!durable && lease_store_commit(state->store, &error) < 0)
		server_program_trouble(state, &error);
	batch->stored = 0;
	if (durable)
		send_answers(state, 0);
	batch->count = 0;
	set_deadline(state);
	if (lease_store_tidy(state->store, false, &error) < 0)
		server_program_trouble(state, &error);
	event_loop_tick(&state->loop);
}

/* The interface's address towards its clients: one in a subnet that is served, else the first. */
static const struct local_interface *arrival_interface(
	const struct server_program_state *state, unsigned index)
{
	const struct local_interfaces *all = &state->transport.interfaces;
	const struct local_interface *first = NULL;
	for (size_t i = 0; i < all->count; i++) {
		const struct local_interface *row = &all->list[i];
		if (row->index != index || !server_settings_serve(state->settings, row->name))
			continue;
		if (dhcp_server_serves(&state->server, row->address.address))
			return row;
		if (!first)
			first = row;
	}
	return first;
}

static void step_message(struct server_program_state *state, const struct udp_datagram *datagram,
	const struct dhcp_message *message)
{
	const struct local_interface *interface = arrival_interface(state, datagram->interface);
	if (server_program_may_log(state))
		message_log_received(message, interface ? interface->name : "?");
	if (!interface) {
		state->counters.not_served++;
		return;
	}
	struct dhcp_server_event event = {
		.kind = DHCP_SERVER_MESSAGE,
		.message = message,
		.bytes = datagram->bytes,
		.length = datagram->length,
		.interface = interface->index,
		.local = interface->address.address,
		.broadcast = !local_interfaces_has_address(
			&state->transport.interfaces, datagram->destination),
		.source_port = datagram->source_port,
	};
	/* Towards a relay, or by unicast, the address that was written to is the one that works. */
	if (!event.broadcast)
		event.local = datagram->destination;
	step(state, &event);
}

/* Receive and step what is waiting, and send what depends on no commit. Returns how many came. */
static int receive(struct server_program_state *state)
{
	struct error error;
	const struct udp_datagram *datagrams;
	unsigned dropped = 0;
	udp_batch_limit(state->batch->received, ROOM - state->batch->count);
	int count = udp_socket_receive_batch(
		state->transport.udp, state->batch->received, &datagrams, &dropped, &error);
	if (count < 0)
		server_program_trouble(state, &error);
	state->counters.malformed += dropped;
	for (int i = 0; i < count; i++) {
		struct dhcp_message message;
		if (dhcp_message_parse(datagrams[i].bytes, datagrams[i].length, &message, &error) ==
			0) {
			step_message(state, &datagrams[i], &message);
			continue;
		}
		state->counters.malformed++;
		if (server_program_may_log(state))
			log_line("not a DHCP message from %s: %s", IPV4_TEXT(datagrams[i].source),
				error.text);
	}
	send_answers(state, state->batch->stored);
	return count;
}

void server_batch_receive(struct server_program_state *state)
{
	begin(state);
	for (unsigned round = 0; round < ROUNDS && state->batch->count < ROOM; round++)
		if (receive(state) <= 0)
			break;
	finish(state);
}

void server_batch_timer(struct server_program_state *state)
{
	struct dhcp_server_event event = {.kind = DHCP_SERVER_TIMER};
	begin(state);
	do {
		step(state, &event);
	} while (state->batch->count < ROOM && state->batch->deadline_ns <= state->now_ns);
	finish(state);
}

void server_batch_in_use(struct server_program_state *state, struct ipv4 address)
{
	struct dhcp_server_event event = {.kind = DHCP_SERVER_IN_USE, .address = address};
	begin(state);
	step(state, &event);
	finish(state);
}
