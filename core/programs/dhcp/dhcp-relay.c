/* dhcp-relay: the edge around the pure machine of dhcp/relay.h. */
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/log_limit.h"
#include "base/privilege.h"
#include "dhcp/relay.h"
#include "programs/dhcp/address_watch.h"
#include "programs/dhcp/event_loop.h"
#include "programs/dhcp/message_log.h"
#include "programs/dhcp/relay_links.h"
#include "programs/dhcp/relay_settings.h"
#include "programs/dhcp/relay_status.h"
#include "programs/dhcp/transport.h"
#include "programs/dhcp/udp_socket.h"
#include "programs/shared/control_socket.h"
#include "programs/shared/notify.h"

enum {
	ROOM = 64, /* messages of one wake-up */
	/* Log lines that peers cause, a second: see server_batch.c. */
	LINES = 200,
	LINES_BURST = 4000,
};

struct relay_program_state {
	struct relay_settings settings;
	struct dhcp_relay relay;
	struct relay_links links;
	struct transport transport;
	struct event_loop loop;
	struct control_socket *control;
	uint64_t started_ns;
	int watch; /* announces changes of interfaces and addresses */
	struct event *watched;
	struct udp_batch *received;
	struct log_limit lines;
	uint64_t now_ns; /* of the wake-up */
	struct dhcp_actions actions;
};

static bool may_log(struct relay_program_state *state)
{
	return log_limit_allows(&state->lines, state->now_ns);
}

static void tell_trouble(struct relay_program_state *state, const struct error *error)
{
	if (may_log(state))
		log_line("%s", error->text);
}

static void send_to(struct relay_program_state *state, const struct dhcp_destination *destination)
{
	struct error error;
	const struct dhcp_actions *actions = &state->actions;
	if (may_log(state))
		message_log_sent(actions, destination);
	if (transport_send(&state->transport, destination, actions->message,
		    actions->message_length, &error) == 0)
		return;
	dhcp_relay_count(&state->relay, DHCP_RELAY_NOT_SENT);
	tell_trouble(state, &error);
}

static void perform(struct relay_program_state *state)
{
	for (unsigned i = 0; i < state->actions.count; i++) {
		const struct dhcp_action *action = &state->actions.list[i];
		if (action->kind == DHCP_SEND)
			send_to(state, &action->destination);
		else if (action->kind == DHCP_REPORT && may_log(state))
			message_log_report(&action->report);
	}
}

static void relay_datagram(struct relay_program_state *state, const struct udp_datagram *datagram)
{
	struct error error;
	struct dhcp_message message;
	char name[IF_NAMESIZE];
	if (dhcp_message_parse(datagram->bytes, datagram->length, &message, &error) < 0) {
		dhcp_relay_count(&state->relay, DHCP_RELAY_MALFORMED);
		if (may_log(state))
			log_line("not a DHCP message from %s: %s", IPV4_TEXT(datagram->source),
				error.text);
		return;
	}
	if (may_log(state))
		message_log_received(
			&message, if_indextoname(datagram->interface, name) ? name : "?");
	struct dhcp_relay_event event = {
		.message = &message,
		.bytes = datagram->bytes,
		.length = datagram->length,
		.interface = datagram->interface,
		.source = datagram->source,
		.own_giaddr = local_interfaces_has_address(
			&state->transport.interfaces, message.header.giaddr),
	};
	dhcp_relay_step(&state->relay, &event, &state->actions);
	perform(state);
}

static void on_readable(void *argument)
{
	struct relay_program_state *state = argument;
	struct error error;
	const struct udp_datagram *datagrams;
	unsigned too_long = 0;
	state->now_ns = clock_monotonic_ns();
	int count = udp_socket_receive_batch(
		state->transport.udp, state->received, &datagrams, &too_long, &error);
	if (count < 0)
		tell_trouble(state, &error);
	for (unsigned i = 0; i < too_long; i++)
		dhcp_relay_count(&state->relay, DHCP_RELAY_TOO_LONG);
	for (int i = 0; i < count; i++)
		relay_datagram(state, &datagrams[i]);
	event_loop_tick(&state->loop);
}

static void on_tick(void *argument)
{
	struct relay_program_state *state = argument;
	uint64_t kept_back = log_limit_take(&state->lines);
	if (kept_back > 0)
		log_line("%llu lines more were not logged; `dhcp-relay status` has the counts",
			(unsigned long long)kept_back);
}

static void on_timer(void *argument)
{
	(void)argument; /* relaying has no deadline */
}

static void on_stop(void *argument)
{
	struct relay_program_state *state = argument;
	event_loop_end(&state->loop);
}

static void on_change(evutil_socket_t fd, short what, void *argument)
{
	struct relay_program_state *state = argument;
	struct error error;
	(void)what;
	address_watch_drain(fd);
	if (local_interfaces_read(&state->transport.interfaces, &error) < 0)
		log_line("%s", error.text);
	else
		relay_links_update(&state->links, &state->transport.interfaces, &state->relay);
}

static json_t *answer(void *argument, const struct words *request, struct error *error)
{
	struct relay_program_state *state = argument;
	if (request->count == 1 && strcmp(request->list[0], "status") == 0)
		return relay_status(&state->relay, &state->links,
			(clock_monotonic_ns() - state->started_ns) / NS_PER_SECOND);
	error_set(error, -EINVAL, "the relay is asked for its 'status' alone");
	return NULL;
}

/* What needs privilege, and what a person may have got wrong. */
static int open_all(struct relay_program_state *state, struct error *error)
{
	const char *path = *state->settings.control ? state->settings.control : NULL;
	int status = transport_open(&state->transport, NULL, error);
	if (status == 0)
		status = relay_links_check(&state->links, &state->transport.interfaces, error);
	if (status == 0)
		status = address_watch_open(&state->watch, error);
	if (status == 0)
		status = control_socket_open("dhcp-relay", path, &state->control, error);
	if (status == 0)
		status = udp_batch_new(ROOM, &state->received, error);
	return status < 0 ? status : privileges_keep(0, error);
}

static int serve(struct relay_program_state *state, struct error *error)
{
	const struct event_loop_callbacks callbacks = {
		.program = state,
		.readable = on_readable,
		.timer = on_timer,
		.stop = on_stop,
		.tick = on_tick,
	};
	const struct control_socket_service service = {.program = state, .answer = answer};
	if (event_loop_open(&state->loop, state->transport.udp, &callbacks, error) < 0 ||
		control_socket_serve(state->control, state->loop.base, &service, error) < 0)
		return error->code;
	state->watched =
		event_new(state->loop.base, state->watch, EV_READ | EV_PERSIST, on_change, state);
	if (!state->watched || event_add(state->watched, NULL) < 0)
		return error_set(error, -ENOMEM, "cannot watch the machine's addresses");
	/* What has changed since they were read is announced, or stands here. */
	on_change(state->watch, EV_READ, state);
	if (notify_ready(error) < 0)
		return error->code;
	return event_loop_run(&state->loop, error);
}

static void state_release(struct relay_program_state **state)
{
	if (!*state)
		return;
	if ((*state)->watched)
		event_free((*state)->watched);
	control_socket_close(&(*state)->control);
	event_loop_close(&(*state)->loop);
	transport_close(&(*state)->transport);
	close_fd(&(*state)->watch);
	udp_batch_free(&(*state)->received);
	free(*state);
}

int main(int argc, char **argv)
{
	struct error error;
	int asked;
	if (operator_run(&relay_operator, argc, argv, &asked))
		return asked;
	log_open(relay_program.name);
	CLEANUP(state_release) struct relay_program_state *state = calloc(1, sizeof(*state));
	if (!state)
		return program_fail(&relay_program, EXIT_SYSTEM,
			&(struct error){.code = -ENOMEM, .text = "out of memory"});
	state->transport.udp = state->transport.packet = state->watch = -1;
	if (relay_settings_read(argc, argv, &state->settings, &error) < 0)
		return program_fail(
			&relay_program, error.code == -ENODEV ? EXIT_SYSTEM : EXIT_MISUSE, &error);
	state->links.settings = &state->settings;
	state->lines = (struct log_limit){.rate = LINES, .burst = LINES_BURST};
	state->started_ns = clock_monotonic_ns();
	dhcp_relay_init(&state->relay, &state->settings.relay);
	if (open_all(state, &error) < 0 || serve(state, &error) < 0)
		return program_fail(&relay_program, EXIT_SYSTEM, &error);
	return EXIT_DONE;
}
