/*
 * dhcp-client: the edge around the pure machine of dhcp/client.h.
 *
 * It listens with a packet socket throughout, because before it has an address nothing else
 * hears, and afterwards the same ear will do. It sends frames until it has an address, and UDP to
 * its server from then on. The UDP socket also keeps the kernel from answering "port unreachable".
 */
#include <errno.h>
#include <linux/capability.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/privilege.h"
#include "base/text.h"
#include "dhcp/client.h"
#include "programs/dhcp/event_loop.h"
#include "programs/dhcp/interface.h"
#include "programs/dhcp/message_log.h"
#include "programs/dhcp/packet_socket.h"
#include "programs/dhcp/udp_socket.h"
#include "programs/shared/notify.h"
#include "programs/shared/options.h"

#define WAIT_ONCE_NS  (10 * NS_PER_SECOND) /* --once without --wait */
#define DRAIN_STEP_NS (2 * NS_PER_MS)
#define DRAIN_MOST_NS NS_PER_SECOND

enum { FRAME_SIZE_MAX = 65536, BATCH = 64 };

struct settings {
	char interface[IF_NAMESIZE];
	bool once, release;
	bool has_wait;
	uint64_t wait_ns, retry_ns;
	uint32_t lease_seconds;
};

struct client_program_state {
	const struct settings *settings;
	struct dhcp_client client;
	struct interface interface;
	int packet, udp;
	struct event_loop loop;
	struct dhcp_actions actions;
	unsigned next_action;
	uint64_t drain_until_ns; /* a DHCPRELEASE is on its way out until then; 0: none is */
	bool announced; /* READY=1 was sent */
	enum exit_status status;
	uint8_t buffer[FRAME_SIZE_MAX];
};

static int accept_interface(void *target, const struct option_value *value, struct error *error)
{
	struct settings *settings = target;
	if (!*value->text || strlen(value->text) >= sizeof(settings->interface))
		return error_set(error, -EINVAL,
			"--interface '%s' is no interface's name: 1 to 15 characters", value->text);
	memcpy(settings->interface, value->text, strlen(value->text) + 1);
	return 0;
}

static int accept_once(void *target, const struct option_value *value, struct error *error)
{
	struct settings *settings = target;
	(void)value, (void)error;
	settings->once = true;
	return 0;
}

static int accept_release(void *target, const struct option_value *value, struct error *error)
{
	struct settings *settings = target;
	(void)value, (void)error;
	settings->release = true;
	return 0;
}

static int parse_duration(const struct option_value *value, uint64_t *ret_ns, struct error *error)
{
	uint64_t ns;
	if (!text_parse_seconds(value->text, &ns) || ns == 0)
		return error_set(error, -EINVAL,
			"--%s '%s' is no time: seconds above 0, with decimals if need be",
			value->name, value->text);
	*ret_ns = ns;
	return 0;
}

static int accept_wait(void *target, const struct option_value *value, struct error *error)
{
	struct settings *settings = target;
	settings->has_wait = true;
	return parse_duration(value, &settings->wait_ns, error);
}

static int accept_retry(void *target, const struct option_value *value, struct error *error)
{
	struct settings *settings = target;
	int status = parse_duration(value, &settings->retry_ns, error);
	if (status == 0 &&
		(settings->retry_ns < NS_PER_MS || settings->retry_ns > 3600 * NS_PER_SECOND))
		return error_set(error, -EINVAL,
			"--retry '%s' is not between 0.001 and 3600 seconds", value->text);
	return status;
}

static int accept_lease(void *target, const struct option_value *value, struct error *error)
{
	struct settings *settings = target;
	uint64_t seconds;
	if (!text_parse_number(value->text, 1, DHCP_LEASE_INFINITE, &seconds))
		return error_set(error, -EINVAL,
			"--lease '%s' is no number of seconds from 1 to %u (which is for ever)",
			value->text, DHCP_LEASE_INFINITE);
	settings->lease_seconds = (uint32_t)seconds;
	return 0;
}

static const struct option options[] = {
	{"interface", "IF", "the interface to configure", accept_interface},
	{"once", NULL, "get a lease, configure the interface, leave it so and exit", accept_once},
	{"wait", "SECONDS", "how long to try for an address; default: for ever, with --once 10",
		accept_wait},
	{"retry", "SECONDS", "before the first retransmission, then doubled; default: 4",
		accept_retry},
	{"lease", "SECONDS", "the lease time to ask for", accept_lease},
	{"release-on-exit", NULL, "give the lease back when terminated", accept_release},
};

static const struct program program = {
	.name = "dhcp-client",
	.synopsis = "--interface IF [--once] [--wait SECONDS] [options]",
	.purpose =
		"Lease an IPv4 address by DHCP (RFC 2131) and configure an interface with it, in "
		"the foreground.",
	.options = options,
	.option_count = ARRAY_LENGTH(options),
	.exit_status = "0 done, 2 misuse, 3 the system refused, 4 no address to be had",
};

static void fail(struct client_program_state *state, const struct error *error)
{
	log_line("%s", error->text);
	state->status = EXIT_SYSTEM;
	event_loop_end(&state->loop);
}

static void configure(
	struct client_program_state *state, const struct dhcp_configuration *configuration)
{
	struct error error;
	char router[IPV4_TEXT_SIZE + 10] = "", lease[24] = "ever";
	if (interface_set_address(&state->interface, configuration, &error) < 0) {
		error_prefix(&error, "interface '%s': ", state->interface.name);
		fail(state, &error);
		return;
	}
	if (interface_set_route(&state->interface, configuration, &error) < 0)
		log_line("interface '%s': %s", state->interface.name, error.text);
	if (!ipv4_is_none(configuration->router))
		snprintf(router, sizeof(router), ", router %s", IPV4_TEXT(configuration->router));
	if (configuration->lease_seconds != DHCP_LEASE_INFINITE)
		snprintf(lease, sizeof(lease), "%u s", configuration->lease_seconds);
	log_line("bound to %s for %s%s, server %s", PREFIX_TEXT(configuration->address), lease,
		router, IPV4_TEXT(configuration->server));
	if (!state->announced && notify_ready(&error) < 0)
		log_line("%s", error.text);
	state->announced = true;
	if (state->settings->once)
		event_loop_end(&state->loop);
}

static void unconfigure(
	struct client_program_state *state, const struct dhcp_configuration *configuration)
{
	struct error error;
	if (interface_clear(&state->interface, configuration, &error) < 0)
		log_line("interface '%s': %s", state->interface.name, error.text);
}

static void finish(struct client_program_state *state)
{
	if (state->client.outcome == DHCP_CLIENT_NO_ADDRESS) {
		log_line("no address");
		state->status = EXIT_NO_ADDRESS;
	}
	event_loop_end(&state->loop);
}

/* A message that cannot be sent is one that got lost: the machine sends it again in time. */
static void send_message(
	struct client_program_state *state, const struct dhcp_destination *destination)
{
	struct error error;
	const struct dhcp_actions *actions = &state->actions;
	struct frame frame = {
		.source_mac = state->interface.mac,
		.source_port = DHCP_CLIENT_PORT,
		.payload = actions->message,
		.payload_length = actions->message_length,
	};
	message_log_sent(actions, destination);
	int status = destination->kind == DHCP_TO_ADDRESS
			     ? udp_socket_send(state->udp, destination, actions->message,
				       actions->message_length, &error)
			     : packet_socket_send(state->packet, destination, &frame, &error);
	if (status < 0)
		log_line("%s", error.text);
	else if (actions->type == DHCPRELEASE)
		state->drain_until_ns = clock_monotonic_ns() + DRAIN_MOST_NS;
}

static void perform_one(struct client_program_state *state, const struct dhcp_action *action)
{
	switch (action->kind) {
	case DHCP_SEND:
		send_message(state, &action->destination);
		break;
	case DHCP_CONFIGURE:
		configure(state, &action->configuration);
		break;
	case DHCP_UNCONFIGURE:
		unconfigure(state, &action->configuration);
		break;
	case DHCP_REPORT:
		message_log_report(&action->report);
		break;
	case DHCP_FINISH:
		finish(state);
		break;
	case DHCP_SAVE_LEASE:
	case DHCP_PROBE:
		break;
	}
}

/*
 * Perform what is left of the last step. A DHCPRELEASE may have to wait for ARP, and the kernel
 * throws it away with the address: so what follows it waits until it has left.
 */
static void perform(struct client_program_state *state)
{
	uint64_t now_ns = clock_monotonic_ns();
	while (state->next_action < state->actions.count) {
		if (state->drain_until_ns > now_ns && !udp_socket_drained(state->udp)) {
			event_loop_set_deadline(&state->loop, now_ns, now_ns + DRAIN_STEP_NS);
			return;
		}
		state->drain_until_ns = 0;
		perform_one(state, &state->actions.list[state->next_action++]);
		now_ns = clock_monotonic_ns();
	}
	event_loop_set_deadline(&state->loop, now_ns, state->actions.deadline_ns);
}

static void step(struct client_program_state *state, const struct dhcp_client_event *event)
{
	if (state->next_action < state->actions.count)
		return; /* it is leaving: nothing may come between */
	enum dhcp_client_state before = state->client.state;
	dhcp_client_step(&state->client, event, clock_monotonic_ns(), &state->actions);
	if (state->client.state != before)
		log_line("%s -> %s", dhcp_client_state_name(before),
			dhcp_client_state_name(state->client.state));
	state->next_action = 0;
	perform(state);
}

static void on_readable(void *argument)
{
	struct client_program_state *state = argument;
	struct error error;
	struct frame frame;
	int received = 1;
	for (unsigned i = 0; i < BATCH; i++) {
		received = packet_socket_receive(
			state->packet, state->buffer, sizeof(state->buffer), &frame, &error);
		if (received <= 0)
			break;
		struct dhcp_message message;
		struct dhcp_client_event event = {
			.kind = DHCP_CLIENT_MESSAGE,
			.message = &message,
		};
		if (dhcp_message_parse(frame.payload, frame.payload_length, &message, &error) < 0)
			log_line("not a DHCP message from %s: %s", IPV4_TEXT(frame.source),
				error.text);
		else if (message.header.op == DHCP_OP_REPLY &&
			 message.header.xid == state->client.xid) {
			message_log_received(&message, IPV4_TEXT(frame.source));
			step(state, &event);
		}
	}
	if (received < 0)
		fail(state, &error);
}

static void on_timer(void *argument)
{
	struct client_program_state *state = argument;
	struct dhcp_client_event event = {.kind = DHCP_CLIENT_TIMER};
	if (state->next_action < state->actions.count)
		perform(state);
	else
		step(state, &event);
}

static void on_stop(void *argument)
{
	struct client_program_state *state = argument;
	struct dhcp_client_event event = {
		.kind = DHCP_CLIENT_STOP,
		.release = state->settings->release,
	};
	step(state, &event);
}

static int open_sockets(struct client_program_state *state, struct error *error)
{
	const struct settings *settings = state->settings;
	if (interface_open(settings->interface, &state->interface, error) < 0 ||
		packet_socket_open(
			state->interface.index, DHCP_CLIENT_PORT, &state->packet, error) < 0 ||
		udp_socket_open(DHCP_CLIENT_PORT, settings->interface, &state->udp, error) < 0 ||
		udp_socket_deafen(state->udp, error) < 0)
		return error->code;
	return privileges_keep(CAPABILITY(CAP_NET_ADMIN), error);
}

static int run(struct client_program_state *state, struct error *error)
{
	const struct event_loop_callbacks callbacks = {
		.program = state,
		.readable = on_readable,
		.timer = on_timer,
		.stop = on_stop,
	};
	const struct settings *settings = state->settings;
	struct dhcp_client_settings machine = {
		.retry_ns = settings->retry_ns,
		.wait_ns = settings->wait_ns,
		.lease_seconds = settings->lease_seconds,
	};
	if (settings->once && !settings->has_wait)
		machine.wait_ns = WAIT_ONCE_NS;
	if (getrandom(&machine.seed, sizeof(machine.seed), 0) < 0)
		return error_system(error, -errno, "cannot read random bytes");
	int status = open_sockets(state, error);
	if (status == 0)
		status = event_loop_open(&state->loop, state->packet, &callbacks, error);
	if (status < 0)
		return status;
	machine.mac = state->interface.mac;
	machine.interface = state->interface.index;
	dhcp_client_init(&state->client, &machine);
	struct dhcp_client_event start = {.kind = DHCP_CLIENT_START};
	step(state, &start);
	return event_loop_run(&state->loop, error);
}

static void state_release(struct client_program_state **state)
{
	if (!*state)
		return;
	event_loop_close(&(*state)->loop);
	interface_close(&(*state)->interface);
	close_fd(&(*state)->packet);
	close_fd(&(*state)->udp);
	free(*state);
}

int main(int argc, char **argv)
{
	struct error error;
	struct settings settings = {.interface = ""};
	log_open(program.name);
	if (options_read(&program, argc, argv, &settings, NULL, &error) < 0)
		return program_fail(&program, EXIT_MISUSE, &error);
	if (!*settings.interface)
		return program_fail(&program, EXIT_MISUSE,
			&(struct error){.code = -EINVAL, .text = "--interface IF is missing"});
	CLEANUP(state_release) struct client_program_state *state = calloc(1, sizeof(*state));
	if (!state)
		return program_fail(&program, EXIT_SYSTEM,
			&(struct error){.code = -ENOMEM, .text = "out of memory"});
	state->settings = &settings;
	state->packet = state->udp = -1;
	if (run(state, &error) < 0)
		return program_fail(&program, EXIT_SYSTEM, &error);
	return (int)state->status;
}
