/*
 * dhcp-client: the edge around the pure machine of dhcp/client.h.
 *
 * It listens with a packet socket throughout, because before it has an address nothing else
 * hears, and afterwards the same ear will do. It sends frames until it has an address, and UDP to
 * its server from then on. The UDP socket also keeps the kernel from answering "port unreachable".
 * Time is CLOCK_BOOTTIME: a lease ages while the machine sleeps, and setting the clock changes
 * nothing.
 */
#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/log_limit.h"
#include "base/privilege.h"
#include "dhcp/client.h"
#include "programs/dhcp/arp_socket.h"
#include "programs/dhcp/client_apply.h"
#include "programs/dhcp/client_changes.h"
#include "programs/dhcp/client_settings.h"
#include "programs/dhcp/event_loop.h"
#include "programs/dhcp/interface.h"
#include "programs/dhcp/message_log.h"
#include "programs/dhcp/packet_socket.h"
#include "programs/dhcp/text_client.h"
#include "programs/dhcp/udp_socket.h"

#define DRAIN_STEP_NS (2 * NS_PER_MS)
#define DRAIN_MOST_NS NS_PER_SECOND

/* LINES, LINES_BURST: log lines a second, and at once, that other hosts can cause. */
enum { FRAME_SIZE_MAX = 65536, BATCH = 64, LINES = 10, LINES_BURST = 50 };

struct client_program_state {
	const struct client_settings *settings;
	struct dhcp_client client;
	struct interface interface;
	enum interface_state link;
	int packet, udp, arp;
	struct event_loop loop;
	struct event *arp_event, *link_event;
	struct client_changes changes;
	struct log_limit lines;
	struct dhcp_actions actions;
	unsigned next_action;
	uint64_t drain_until_ns; /* a DHCPRELEASE is on its way out until then; 0: none is */
	bool ending; /* it ends as soon as the hooks are done */
	enum exit_status status;
	uint8_t buffer[FRAME_SIZE_MAX];
};

/* Leave with that status; what the hooks still have to do is waited for. */
static void end(struct client_program_state *state, enum exit_status status)
{
	if (!state->ending)
		state->status = status;
	state->ending = true;
	if (!client_hook_busy(&state->changes.hook))
		event_loop_end(&state->loop);
}

static void on_hooks_idle(void *argument)
{
	struct client_program_state *state = argument;
	if (state->ending)
		event_loop_end(&state->loop);
}

/* Whether a line that another host has caused may be written. */
static bool may_log(struct client_program_state *state)
{
	bool may = log_limit_allows(&state->lines, clock_boottime_ns());
	if (!may)
		event_loop_tick(&state->loop);
	return may;
}

static void on_tick(void *argument)
{
	struct client_program_state *state = argument;
	log_line("%llu lines about what other hosts sent are kept back",
		(unsigned long long)log_limit_take(&state->lines));
}

static void fail(struct client_program_state *state, const struct error *error)
{
	log_line("%s", error->text);
	end(state, EXIT_SYSTEM);
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
		state->drain_until_ns = clock_boottime_ns() + DRAIN_MOST_NS;
}

static void send_arp(struct client_program_state *state, const struct dhcp_arp *arp)
{
	struct error error;
	struct arp_packet packet = {
		.sender_mac = state->interface.mac,
		.sender = arp->sender,
		.target = arp->target,
	};
	if (arp_socket_listen(state->arp, arp->target, &error) < 0 ||
		arp_socket_send(state->arp, state->interface.index, &packet, &error) < 0)
		log_line("%s", error.text);
}

static void configure(struct client_program_state *state, const struct dhcp_change *change)
{
	struct error error;
	if (client_changes_configure(&state->changes, change, clock_boottime_ns(), &error) < 0)
		fail(state, &error);
	else if (state->settings->once)
		end(state, EXIT_DONE);
}

static void finish(struct client_program_state *state)
{
	bool none = state->client.outcome == DHCP_CLIENT_NO_ADDRESS;
	if (none)
		client_changes_no_address(&state->changes, clock_boottime_ns());
	end(state, none ? EXIT_NO_ADDRESS : EXIT_DONE);
}

static void perform_one(struct client_program_state *state, const struct dhcp_action *action)
{
	uint64_t now_ns = clock_boottime_ns();
	switch (action->kind) {
	case DHCP_SEND:
		send_message(state, &action->destination);
		break;
	case DHCP_CONFIGURE:
		configure(state, &action->change);
		break;
	case DHCP_UNCONFIGURE:
		client_changes_unconfigure(&state->changes, &action->change, now_ns);
		break;
	case DHCP_NOTICE:
		client_changes_notice(&state->changes, &action->change, now_ns);
		break;
	case DHCP_ARP:
		send_arp(state, &action->arp);
		break;
	case DHCP_REPORT:
		if (may_log(state))
			message_log_report(&action->report);
		break;
	case DHCP_FINISH:
		finish(state);
		break;
	case DHCP_SAVE_LEASE:
	case DHCP_PROBE:
		break; /* the server's */
	}
}

/*
 * Perform what is left of the last step. A DHCPRELEASE may have to wait for ARP, and the kernel
 * throws it away with the address: so what follows it waits until it has left.
 */
static void perform(struct client_program_state *state)
{
	uint64_t now_ns = clock_boottime_ns();
	while (state->next_action < state->actions.count && !state->ending) {
		if (state->drain_until_ns > now_ns && !udp_socket_drained(state->udp)) {
			event_loop_set_deadline(&state->loop, now_ns, now_ns + DRAIN_STEP_NS);
			return;
		}
		state->drain_until_ns = 0;
		perform_one(state, &state->actions.list[state->next_action++]);
		now_ns = clock_boottime_ns();
	}
	if (!state->ending)
		event_loop_set_deadline(&state->loop, now_ns, state->actions.deadline_ns);
}

static void step(struct client_program_state *state, const struct dhcp_client_event *event)
{
	if (state->ending || state->next_action < state->actions.count)
		return; /* it is leaving: nothing may come between */
	enum dhcp_client_state before = state->client.state;
	dhcp_client_step(&state->client, event, clock_boottime_ns(), &state->actions);
	client_changes_state(&state->changes, before, &state->client);
	state->next_action = 0;
	perform(state);
}

static void on_frame(struct client_program_state *state, const struct frame *frame)
{
	struct error error;
	struct dhcp_message message;
	struct dhcp_client_event event = {.kind = DHCP_CLIENT_MESSAGE, .message = &message};
	if (dhcp_message_parse(frame->payload, frame->payload_length, &message, &error) < 0) {
		if (may_log(state))
			log_line("not a DHCP message from %s: %s", IPV4_TEXT(frame->source),
				error.text);
	} else if (message.header.op == DHCP_OP_REPLY && message.header.xid == state->client.xid) {
		if (may_log(state))
			message_log_received(&message, IPV4_TEXT(frame->source));
		step(state, &event);
	}
}

static void on_readable(void *argument)
{
	struct client_program_state *state = argument;
	struct error error;
	struct frame frame;
	int received = 1;
	for (unsigned i = 0; i < BATCH && received > 0; i++) {
		received = packet_socket_receive(
			state->packet, state->buffer, sizeof(state->buffer), &frame, &error);
		if (received > 0)
			on_frame(state, &frame);
	}
	if (received < 0)
		fail(state, &error);
}

static void on_arp(evutil_socket_t fd, short what, void *argument)
{
	struct client_program_state *state = argument;
	struct error error;
	struct arp_packet packet;
	int received = 1;
	(void)what;
	for (unsigned i = 0; i < BATCH && received > 0; i++) {
		received = arp_socket_receive(fd, state->interface.mac, &packet, &error);
		struct dhcp_client_event event = {
			.kind = DHCP_CLIENT_HEARD_ARP,
			.arp = {packet.sender, packet.target},
		};
		if (received > 0)
			step(state, &event);
	}
	if (received < 0)
		fail(state, &error);
}

static void on_gone(struct client_program_state *state)
{
	struct error error;
	error_set(&error, -ENODEV, "interface '%s' is gone", state->interface.name);
	client_changes_gone(&state->changes, &state->client, clock_boottime_ns());
	fail(state, &error);
}

static void on_link(evutil_socket_t fd, short what, void *argument)
{
	struct client_program_state *state = argument;
	struct error error;
	enum interface_state link;
	bool was_down;
	(void)fd, (void)what;
	if (state->ending)
		return;
	if (interface_read_state(&state->interface, &link, &was_down, &error) < 0) {
		fail(state, &error);
		return;
	}
	if (link == INTERFACE_GONE) {
		on_gone(state);
		return;
	}
	if (state->link == INTERFACE_UP && (was_down || link == INTERFACE_DOWN))
		client_changes_link(&state->changes, &state->client, false);
	bool back = link == INTERFACE_UP && (was_down || state->link == INTERFACE_DOWN);
	state->link = link;
	if (!back)
		return;
	client_changes_link(&state->changes, &state->client, true);
	struct dhcp_client_event event = {.kind = DHCP_CLIENT_LINK_UP};
	step(state, &event);
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

/* A second time: at once, whatever the hooks do. */
static void on_stop(void *argument)
{
	struct client_program_state *state = argument;
	struct dhcp_client_event event = {
		.kind = DHCP_CLIENT_STOP,
		.release = state->settings->release,
	};
	if (state->ending)
		event_loop_end(&state->loop);
	else
		step(state, &event);
}

static int open_sockets(struct client_program_state *state, struct error *error)
{
	const struct client_settings *settings = state->settings;
	bool was_down;
	if (interface_open(settings->interface, &state->interface, error) < 0 ||
		interface_read_state(&state->interface, &state->link, &was_down, error) < 0 ||
		packet_socket_open(
			state->interface.index, DHCP_CLIENT_PORT, &state->packet, error) < 0 ||
		udp_socket_open(DHCP_CLIENT_PORT, settings->interface, &state->udp, error) < 0 ||
		udp_socket_deafen(state->udp, error) < 0)
		return error->code;
	if (settings->machine.probe &&
		arp_socket_open(state->interface.index, &state->arp, error) < 0)
		return error->code;
	return 0;
}

static int watch(struct client_program_state *state, struct error *error)
{
	struct event_base *base = state->loop.base;
	state->link_event = event_new(
		base, interface_watch_fd(&state->interface), EV_READ | EV_PERSIST, on_link, state);
	if (!state->link_event || event_add(state->link_event, NULL) < 0)
		return error_set(error, -ENOMEM, "out of memory");
	if (state->arp < 0)
		return 0;
	state->arp_event = event_new(base, state->arp, EV_READ | EV_PERSIST, on_arp, state);
	if (!state->arp_event || event_add(state->arp_event, NULL) < 0)
		return error_set(error, -ENOMEM, "out of memory");
	return 0;
}

static int start(struct client_program_state *state, struct error *error)
{
	struct dhcp_client_settings machine = state->settings->machine;
	struct dhcp_client_lease saved;
	struct dhcp_client_event event = {.kind = DHCP_CLIENT_START};
	machine.mac = state->interface.mac;
	machine.interface = state->interface.index;
	if (getrandom(&machine.seed, sizeof(machine.seed), 0) < 0)
		return error_system(error, -errno, "cannot read random bytes");
	if (state->settings->inform &&
		interface_find_address(&state->interface, &machine.inform, error) < 0)
		return error_prefix(error, "interface '%s': ", state->interface.name);
	if (client_changes_start(&state->changes, &saved, clock_boottime_ns()))
		event.saved = &saved;
	dhcp_client_init(&state->client, &machine);
	step(state, &event);
	return 0;
}

static int run(struct client_program_state *state, struct error *error)
{
	const struct event_loop_callbacks callbacks = {
		.program = state,
		.readable = on_readable,
		.timer = on_timer,
		.stop = on_stop,
		.tick = on_tick,
	};
	struct client_changes_setup setup = {
		.settings = state->settings,
		.interface = &state->interface,
		.program = state,
		.quit = on_stop,
		.hooks_idle = on_hooks_idle,
	};
	int status = open_sockets(state, error);
	if (status == 0)
		status = event_loop_open(&state->loop, state->packet, &callbacks, error);
	if (status == 0)
		status = client_changes_open(&state->changes, &setup, state->loop.base, error);
	if (status == 0)
		status = privileges_keep(CAPABILITY(CAP_NET_ADMIN), error);
	if (status == 0)
		status = watch(state, error);
	if (status == 0)
		status = start(state, error);
	if (status == 0)
		status = event_loop_run(&state->loop, error);
	return status;
}

static void state_release(struct client_program_state **state)
{
	if (!*state)
		return;
	client_changes_close(&(*state)->changes);
	if ((*state)->arp_event)
		event_free((*state)->arp_event);
	if ((*state)->link_event)
		event_free((*state)->link_event);
	event_loop_close(&(*state)->loop);
	interface_close(&(*state)->interface);
	close_fd(&(*state)->packet);
	close_fd(&(*state)->udp);
	close_fd(&(*state)->arp);
	free(*state);
}

int main(int argc, char **argv)
{
	struct error error;
	CLEANUP(client_settings_finish) struct client_settings settings = {.interface = ""};
	log_open(client_program.name);
	if (client_settings_read(argc, argv, &settings, &error) < 0)
		return program_fail(
			&client_program, error.code == -ENODEV ? EXIT_SYSTEM : EXIT_MISUSE, &error);
	if (settings.text) {
		int status = text_client_run(&settings, &error);
		return status < 0 ? program_fail(&client_program, EXIT_SYSTEM, &error) : status;
	}
	CLEANUP(state_release) struct client_program_state *state = calloc(1, sizeof(*state));
	if (!state)
		return program_fail(&client_program, EXIT_SYSTEM,
			&(struct error){.code = -ENOMEM, .text = "out of memory"});
	state->settings = &settings;
	state->packet = state->udp = state->arp = -1;
	state->lines = (struct log_limit){.rate = LINES, .burst = LINES_BURST};
	if (run(state, &error) < 0)
		return program_fail(&client_program, EXIT_SYSTEM, &error);
	client_changes_finished(&state->changes, &state->client, (int)state->status);
	return (int)state->status;
}
