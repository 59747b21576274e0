/*
 * dhcp-server: the edge around the pure machine of dhcp/server.h.
 *
 * One wake-up: up to BATCH datagrams are received, parsed and stepped; the leases that they changed
 * are committed in one transaction; then, and only then, the answers leave. Where the commit fails
 * no answer that depends on it is sent.
 */
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/privilege.h"
#include "dhcp/server.h"
#include "programs/dhcp/event_loop.h"
#include "programs/dhcp/lease_store.h"
#include "programs/dhcp/message_log.h"
#include "programs/dhcp/server_settings.h"
#include "programs/dhcp/transport.h"
#include "programs/dhcp/udp_socket.h"
#include "programs/shared/notify.h"

enum { BATCH = 64, DATAGRAM_SIZE_MAX = 65536 };

/* Each answer waits here, whole, until its batch is committed. */
struct answers {
	struct dhcp_actions list[BATCH];
	bool stored[BATCH]; /* it promises what its batch stores */
	unsigned count;
};

struct server_program_state {
	const struct server_settings *settings;
	struct dhcp_server server;
	struct lease_store *store;
	struct transport transport;
	struct event_loop loop;
	struct answers answers;
	struct dhcp_actions taken_back;
	uint8_t buffer[DATAGRAM_SIZE_MAX];
};

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
				log_line("%s", error.text);
			break;
		case DHCP_REPORT:
			message_log_report(&action->report);
			break;
		case DHCP_SEND:
		case DHCP_PROBE:
		case DHCP_CONFIGURE:
		case DHCP_UNCONFIGURE:
		case DHCP_FINISH:
			break;
		}
	}
	return stored;
}

static void send_answer(struct server_program_state *state, const struct dhcp_actions *actions)
{
	struct error error;
	for (unsigned i = 0; i < actions->count; i++) {
		const struct dhcp_destination *to = &actions->list[i].destination;
		if (actions->list[i].kind != DHCP_SEND)
			continue;
		message_log_sent(actions, to);
		if (transport_send(&state->transport, to, actions->message, actions->message_length,
			    &error) < 0)
			log_line("%s", error.text);
	}
}

/* Tell the machine which leases of an answer no client will hear of. */
static void take_back(struct server_program_state *state, const struct dhcp_actions *answer)
{
	struct dhcp_actions *actions = &state->taken_back;
	uint64_t now_ns = clock_boottime_ns();
	for (unsigned i = 0; i < answer->count; i++) {
		if (answer->list[i].kind != DHCP_SAVE_LEASE)
			continue;
		struct dhcp_server_event event = {
			.kind = DHCP_SERVER_NOT_SAVED,
			.address = answer->list[i].lease.address,
		};
		dhcp_server_step(&state->server, &event, now_ns, actions);
		perform(state, actions);
		event_loop_set_deadline(&state->loop, now_ns, actions->deadline_ns);
	}
}

/* UTC as the machine's clock would have it. */
static void set_clock(struct server_program_state *state)
{
	struct error error;
	int64_t utc_less_ns = (int64_t)(clock_realtime_ns() - clock_boottime_ns());
	int moved = lease_store_set_clock(state->store, utc_less_ns, &error);
	if (moved < 0)
		log_line("%s", error.text);
	if (moved > 0)
		log_line("the clock was set: the times of all stored leases are moved with it");
}

/*
 * Commit, then send: an answer whose lease is not durable is withheld, and its client asks again.
 */
static void finish_batch(struct server_program_state *state)
{
	struct error error;
	struct answers *answers = &state->answers;
	bool durable = lease_store_commit(state->store, &error) == 0;
	if (!durable)
		log_line("%s; the answers that depend on it are withheld", error.text);
	for (unsigned i = 0; i < answers->count; i++)
		if (durable || !answers->stored[i])
			send_answer(state, &answers->list[i]);
		else
			take_back(state, &answers->list[i]);
	answers->count = 0;
	if (lease_store_tidy(state->store, false, &error) < 0)
		log_line("%s", error.text);
}

static void step(
	struct server_program_state *state, const struct dhcp_server_event *event, uint64_t now_ns)
{
	struct answers *answers = &state->answers;
	struct dhcp_actions *actions = &answers->list[answers->count];
	dhcp_server_step(&state->server, event, now_ns, actions);
	answers->stored[answers->count++] = perform(state, actions);
	event_loop_set_deadline(&state->loop, now_ns, actions->deadline_ns);
}

/* The machine's addresses are the server's identifiers. */
static void learn_addresses(struct server_program_state *state)
{
	for (size_t i = 0; i < state->transport.interfaces.count; i++)
		dhcp_server_add_address(
			&state->server, state->transport.interfaces.list[i].address.address);
}

static const struct local_interface *arrival_interface(
	struct server_program_state *state, unsigned index, uint64_t now_ns)
{
	if (transport_refresh(&state->transport, now_ns))
		learn_addresses(state);
	return local_interfaces_find(
		&state->transport.interfaces, index, state->server.subnets[0].pool.subnet);
}

static void step_datagram(
	struct server_program_state *state, const struct udp_datagram *datagram, uint64_t now_ns)
{
	struct error error;
	struct dhcp_message message;
	const struct local_interface *interface =
		arrival_interface(state, datagram->interface, now_ns);
	if (dhcp_message_parse(state->buffer, datagram->length, &message, &error) < 0) {
		log_line("not a DHCP message from %s: %s", IPV4_TEXT(datagram->source), error.text);
		return;
	}
	message_log_received(&message, interface ? interface->name : "?");
	if (!interface || !server_settings_serve(state->settings, interface->name))
		return;
	struct dhcp_server_event event = {
		.kind = DHCP_SERVER_MESSAGE,
		.message = &message,
		.bytes = state->buffer,
		.length = datagram->length,
		.interface = interface->index,
		.local = interface->address.address,
		.broadcast = !local_interfaces_has_address(
			&state->transport.interfaces, datagram->destination),
	};
	/* Towards a relay, or by unicast, the address that was written to is the one that works. */
	if (!event.broadcast)
		event.local = datagram->destination;
	step(state, &event, now_ns);
}

static void on_readable(void *program)
{
	struct server_program_state *state = program;
	struct error error;
	struct udp_datagram datagram;
	uint64_t now_ns = clock_boottime_ns();
	int received = 1;
	set_clock(state);
	for (unsigned i = 0; i < BATCH && received > 0; i++) {
		received = udp_socket_receive(state->transport.udp, state->buffer,
			sizeof(state->buffer), &datagram, &error);
		if (received > 0)
			step_datagram(state, &datagram, now_ns);
		else if (received < 0)
			log_line("%s", error.text);
	}
	finish_batch(state);
}

static void on_timer(void *program)
{
	struct server_program_state *state = program;
	struct dhcp_server_event event = {.kind = DHCP_SERVER_TIMER};
	set_clock(state);
	step(state, &event, clock_boottime_ns());
	finish_batch(state);
}

static void on_stop(void *program)
{
	struct server_program_state *state = program;
	event_loop_end(&state->loop);
}

static int open_machine(struct server_program_state *state, const struct server_settings *settings,
	struct error *error)
{
	struct dhcp_server_settings machine = settings->machine;
	if (getrandom(&machine.seed, sizeof(machine.seed), 0) < 0)
		return error_system(error, -errno, "cannot read random bytes");
	int status = dhcp_server_init(&state->server, &machine, error);
	if (status == 0)
		status = lease_store_open(settings->database, &state->store, error);
	if (status == 0)
		status = lease_store_mirror(state->store, &machine, error);
	return status;
}

struct restored_leases {
	struct dhcp_server *server;
	uint64_t now_ns;
};

static bool restore_lease(void *target, const struct dhcp_lease_record *record)
{
	const struct restored_leases *leases = target;
	return dhcp_server_restore(leases->server, record, leases->now_ns);
}

static int load_leases(struct server_program_state *state, const struct server_settings *settings,
	struct error *error)
{
	uint64_t now_ns = clock_boottime_ns();
	struct restored_leases leases = {.server = &state->server, .now_ns = now_ns};
	struct lease_store_load load = {
		.restore = restore_lease,
		.machine = &leases,
		.now_ns = now_ns,
	};
	set_clock(state);
	if (!settings->database) {
		log_line("leases are kept in memory only; --database FILE keeps them over a "
			 "restart");
		return 0;
	}
	if (lease_store_dropped(state->store) > 0)
		log_line("%llu bytes at the end of the log of '%s' were no whole transaction and "
			 "are dropped",
			(unsigned long long)lease_store_dropped(state->store), settings->database);
	int status = lease_store_load(state->store, &load, error);
	if (status < 0)
		return status;
	log_line("%zu leases read from %s", load.restored, settings->database);
	if (load.left > 0)
		log_line("%zu stored leases have no place in this configuration", load.left);
	if (load.unreadable > 0)
		log_line(
			"%zu stored leases cannot be understood and are left out", load.unreadable);
	return status;
}

static int serve(struct server_program_state *state, const struct server_settings *settings,
	struct error *error)
{
	const struct event_loop_callbacks callbacks = {
		.program = state,
		.readable = on_readable,
		.timer = on_timer,
		.stop = on_stop,
	};
	for (size_t i = 0; i < settings->interface_count; i++)
		if (if_nametoindex(settings->interfaces[i]) == 0)
			return error_set(error, -ENODEV, "there is no interface '%s'",
				settings->interfaces[i]);
	/* One interface is the socket's; of several each datagram tells its own. */
	int status = transport_open(&state->transport,
		settings->interface_count == 1 ? settings->interfaces[0] : NULL, error);
	if (status == 0)
		status = open_machine(state, settings, error);
	if (status < 0)
		return status;
	learn_addresses(state);
	if (load_leases(state, settings, error) < 0 || privileges_keep(0, error) < 0 ||
		event_loop_open(&state->loop, state->transport.udp, &callbacks, error) < 0)
		return error->code;
	on_timer(state);
	server_settings_log(settings);
	if (notify_ready(error) < 0)
		return error->code;
	return event_loop_run(&state->loop, error);
}

static void state_release(struct server_program_state **state)
{
	if (!*state)
		return;
	event_loop_close(&(*state)->loop);
	transport_close(&(*state)->transport);
	lease_store_close(&(*state)->store);
	dhcp_server_finish(&(*state)->server);
	free(*state);
}

int main(int argc, char **argv)
{
	struct error error;
	CLEANUP(server_settings_finish) struct server_settings settings = {0};
	log_open(server_program.name);
	if (options_read(&server_program, argc, argv, &settings, NULL, &error) < 0 ||
		server_settings_check(&settings, &error) < 0)
		return program_fail(&server_program, EXIT_MISUSE, &error);
	CLEANUP(state_release) struct server_program_state *state = calloc(1, sizeof(*state));
	if (!state)
		return program_fail(&server_program, EXIT_SYSTEM,
			&(struct error){.code = -ENOMEM, .text = "out of memory"});
	state->settings = &settings;
	state->transport.udp = state->transport.packet = -1;
	if (serve(state, &settings, &error) < 0)
		return program_fail(&server_program, EXIT_SYSTEM, &error);
	return EXIT_DONE;
}
