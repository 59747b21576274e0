/* dhcp-relay: the edge around the pure machine of dhcp/relay.h. */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/privilege.h"
#include "dhcp/relay.h"
#include "programs/dhcp/event_loop.h"
#include "programs/dhcp/message_log.h"
#include "programs/dhcp/transport.h"
#include "programs/dhcp/udp_socket.h"
#include "programs/shared/notify.h"
#include "programs/shared/options.h"

enum { BATCH = 64, DATAGRAM_SIZE_MAX = 65536 };

struct settings {
	char names[DHCP_RELAY_INTERFACES_MAX][IF_NAMESIZE];
	struct dhcp_relay_settings relay; /* its interfaces are filled in from `names` */
};

struct relay_program_state {
	struct dhcp_relay relay;
	struct transport transport;
	struct event_loop loop;
	struct dhcp_actions actions;
	uint8_t buffer[DATAGRAM_SIZE_MAX];
};

static int accept_interface(void *target, const struct option_value *value, struct error *error)
{
	struct settings *settings = target;
	size_t *count = &settings->relay.interface_count;
	if (*count == DHCP_RELAY_INTERFACES_MAX)
		return error_set(error, -EINVAL, "--interface: at most %d interfaces",
			DHCP_RELAY_INTERFACES_MAX);
	if (!*value->text || strlen(value->text) >= IF_NAMESIZE)
		return error_set(error, -EINVAL,
			"--interface '%s' is no interface's name: 1 to 15 characters", value->text);
	snprintf(settings->names[(*count)++], IF_NAMESIZE, "%s", value->text);
	return 0;
}

static int accept_server(void *target, const struct option_value *value, struct error *error)
{
	struct settings *settings = target;
	size_t *count = &settings->relay.server_count;
	if (*count == DHCP_RELAY_SERVERS_MAX)
		return error_set(
			error, -EINVAL, "--server: at most %d servers", DHCP_RELAY_SERVERS_MAX);
	if (!ipv4_parse(value->text, &settings->relay.servers[*count]) ||
		ipv4_is_none(settings->relay.servers[*count]))
		return error_set(error, -EINVAL, "--server '%s' is no IPv4 address", value->text);
	(*count)++;
	return 0;
}

static const struct option options[] = {
	{"interface", "IF", "where clients are; may be repeated", accept_interface},
	{"server", "ADDR", "a DHCP server to pass requests to; may be repeated", accept_server},
};

static const struct program program = {
	.name = "dhcp-relay",
	.synopsis = "--interface IF --server ADDR [--config FILE]",
	.purpose = "Pass DHCP between clients and a server in another subnet (RFC 1542), in the "
		   "foreground.",
	.options = options,
	.option_count = ARRAY_LENGTH(options),
};

static void perform(struct relay_program_state *state)
{
	struct error error;
	const struct dhcp_actions *actions = &state->actions;
	for (unsigned i = 0; i < actions->count; i++) {
		const struct dhcp_action *action = &actions->list[i];
		if (action->kind == DHCP_REPORT)
			message_log_report(&action->report);
		if (action->kind != DHCP_SEND)
			continue;
		message_log_sent(actions, &action->destination);
		if (transport_send(&state->transport, &action->destination, actions->message,
			    actions->message_length, &error) < 0)
			log_line("%s", error.text);
	}
}

static void relay_datagram(struct relay_program_state *state, const struct udp_datagram *datagram)
{
	struct error error;
	struct dhcp_message message;
	char name[IF_NAMESIZE];
	if (dhcp_message_parse(state->buffer, datagram->length, &message, &error) < 0) {
		log_line("not a DHCP message from %s: %s", IPV4_TEXT(datagram->source), error.text);
		return;
	}
	message_log_received(&message, if_indextoname(datagram->interface, name) ? name : "?");
	struct dhcp_relay_event event = {
		.message = &message,
		.bytes = state->buffer,
		.length = datagram->length,
		.interface = datagram->interface,
	};
	dhcp_relay_step(&state->relay, &event, &state->actions);
	perform(state);
}

static void on_readable(void *argument)
{
	struct relay_program_state *state = argument;
	struct error error;
	struct udp_datagram datagram;
	int received = 1;
	transport_refresh(&state->transport, clock_monotonic_ns());
	for (unsigned i = 0; i < BATCH && received > 0; i++) {
		received = udp_socket_receive(state->transport.udp, state->buffer,
			sizeof(state->buffer), &datagram, &error);
		if (received > 0)
			relay_datagram(state, &datagram);
		else if (received < 0)
			log_line("%s", error.text);
	}
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

/* Index and address of each --interface. */
static int resolve_interfaces(
	struct settings *settings, const struct local_interfaces *interfaces, struct error *error)
{
	struct prefix any = {.length = 0};
	for (size_t i = 0; i < settings->relay.interface_count; i++) {
		unsigned index = if_nametoindex(settings->names[i]);
		if (index == 0)
			return error_set(
				error, -ENODEV, "there is no interface '%s'", settings->names[i]);
		const struct local_interface *found = local_interfaces_find(interfaces, index, any);
		if (!found)
			return error_set(error, -EADDRNOTAVAIL,
				"the interface '%s' has no IPv4 address to relay from",
				settings->names[i]);
		settings->relay.interfaces[i] = (struct dhcp_relay_interface){
			.index = index,
			.address = found->address.address,
		};
	}
	return 0;
}

static int serve(struct relay_program_state *state, struct settings *settings, struct error *error)
{
	const struct event_loop_callbacks callbacks = {
		.program = state,
		.readable = on_readable,
		.timer = on_timer,
		.stop = on_stop,
	};
	if (transport_open(&state->transport, NULL, error) < 0 ||
		resolve_interfaces(settings, &state->transport.interfaces, error) < 0 ||
		privileges_keep(0, error) < 0 ||
		event_loop_open(&state->loop, state->transport.udp, &callbacks, error) < 0)
		return error->code;
	dhcp_relay_init(&state->relay, &settings->relay);
	for (size_t i = 0; i < settings->relay.interface_count; i++)
		log_line("relaying from %s (%s)", settings->names[i],
			IPV4_TEXT(settings->relay.interfaces[i].address));
	if (notify_ready(error) < 0)
		return error->code;
	return event_loop_run(&state->loop, error);
}

static void state_release(struct relay_program_state **state)
{
	if (!*state)
		return;
	event_loop_close(&(*state)->loop);
	transport_close(&(*state)->transport);
	free(*state);
}

static int settings_check(const struct settings *settings, struct error *error)
{
	if (settings->relay.interface_count == 0)
		return error_set(error, -EINVAL, "--interface IF is missing");
	if (settings->relay.server_count == 0)
		return error_set(error, -EINVAL, "--server ADDR is missing");
	return 0;
}

int main(int argc, char **argv)
{
	struct error error;
	struct settings settings = {0};
	log_open(program.name);
	if (options_read(&program, argc, argv, &settings, NULL, &error) < 0 ||
		settings_check(&settings, &error) < 0)
		return program_fail(&program, EXIT_MISUSE, &error);
	CLEANUP(state_release) struct relay_program_state *state = calloc(1, sizeof(*state));
	if (!state)
		return program_fail(&program, EXIT_SYSTEM,
			&(struct error){.code = -ENOMEM, .text = "out of memory"});
	state->transport.udp = state->transport.packet = -1;
	if (serve(state, &settings, &error) < 0)
		return program_fail(&program, EXIT_SYSTEM, &error);
	return EXIT_DONE;
}
