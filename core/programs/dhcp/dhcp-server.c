/* dhcp-server: the edge around the pure machine of dhcp/server.h. Here: start and end. */
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/privilege.h"
#include "base/text.h"
#include "programs/dhcp/server_batch.h"
#include "programs/dhcp/server_control.h"
#include "programs/dhcp/text_service.h"
#include "programs/shared/notify.h"

static void on_readable(void *program)
{
	server_batch_receive(program);
}

static void on_timer(void *program)
{
	server_batch_timer(program);
}

static void on_text_readable(void *program)
{
	text_service_receive(program);
}

/* Nothing of the text protocol ends by itself. */
static void on_text_timer(void *program)
{
	(void)program;
}

static void on_tick(void *program)
{
	server_program_tick(program);
}

static void on_in_use(void *program, struct ipv4 address)
{
	server_batch_in_use(program, address);
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
	size_t elsewhere; /* of subnets that are not served */
	uint64_t now_ns;
};

static bool restore_lease(void *target, const struct dhcp_lease_record *record)
{
	struct restored_leases *leases = target;
	leases->elsewhere += !dhcp_server_subnet(leases->server, record->address);
	return dhcp_server_restore(leases->server, record, leases->now_ns);
}

static int read_leases(
	struct server_program_state *state, struct lease_store_load *ret_load, struct error *error)
{
	uint64_t now_ns = clock_boottime_ns();
	struct restored_leases leases = {.server = &state->server, .now_ns = now_ns};
	*ret_load = (struct lease_store_load){
		.restore = restore_lease,
		.machine = &leases,
		.now_ns = now_ns,
	};
	int status = lease_store_load(state->store, ret_load, error);
	state->leases_elsewhere = leases.elsewhere;
	return status;
}

static void log_dropped(const struct lease_wal_loss *loss, const char *database)
{
	unsigned long long bytes = loss->bytes;
	if (loss->transactions > 1)
		log_line("error: the log of '%s' is damaged: %llu bytes with %u transactions are "
			 "lost, "
			 "and leases that clients were told of with them",
			database, bytes, loss->transactions);
	else if (bytes > 0)
		log_line("%llu bytes at the end of the log of '%s' were no whole transaction and "
			 "are dropped",
			bytes, database);
}

static int load_leases(struct server_program_state *state, const struct server_settings *settings,
	struct error *error)
{
	struct lease_store_load load;
	server_program_begin(state);
	if (!settings->database) {
		log_line("leases are kept in memory only; --database FILE keeps them over a "
			 "restart");
		return 0;
	}
	log_dropped(lease_store_dropped(state->store), settings->database);
	int status = read_leases(state, &load, error);
	if (status < 0)
		return status;
	log_line("%zu lease%s read from %s", load.restored, TEXT_PLURAL(load.restored),
		settings->database);
	if (load.left > 0)
		log_line("stored leases that have no place in this configuration: %zu", load.left);
	if (load.unreadable > 0)
		log_line("stored leases that cannot be understood and are left out: %zu",
			load.unreadable);
	return status;
}

/* A subnet that the last settings had not may be there again, and its clients with it. */
static void on_reload(void *program)
{
	struct server_program_state *state = program;
	struct lease_store_load load;
	struct error error;
	if (state->leases_elsewhere > 0 && read_leases(state, &load, &error) < 0)
		log_line("error: %s; leases of subnets that were not served are not known",
			error.text);
	if (!state->text_service)
		on_timer(program);
}

static int open_dhcp(struct server_program_state *state, struct error *error)
{
	const struct server_settings *settings = state->settings;
	for (size_t i = 0; i < settings->interface_count; i++)
		if (if_nametoindex(settings->interfaces[i]) == 0)
			return error_set(error, -ENODEV, "there is no interface '%s'",
				settings->interfaces[i]);
	/* One interface is the socket's; of several each datagram tells its own. */
	return transport_open(&state->transport,
		settings->interface_count == 1 ? settings->interfaces[0] : NULL, error);
}

static int open_protocol(struct server_program_state *state, struct error *error)
{
	return state->settings->text ? text_service_open(state, error) : open_dhcp(state, error);
}

/* What DHCP needs besides, once there is a machine. */
static int prepare_dhcp(struct server_program_state *state, struct error *error)
{
	int status = 0;
	if (state->server.settings.probe_ns > 0)
		status = prober_open(&state->prober, error);
	if (status == 0)
		status = server_batch_open(state, error);
	if (status == 0)
		server_batch_learn_addresses(state);
	return status;
}

static void begin(struct server_program_state *state)
{
	if (state->text_service) {
		text_service_log_start(state);
		return;
	}
	on_timer(state);
	server_settings_log(state->settings);
}

static int serve(struct server_program_state *state, struct error *error)
{
	const struct server_settings *settings = state->settings;
	const bool text = settings->text;
	const struct event_loop_callbacks callbacks = {
		.program = state,
		.readable = text ? on_text_readable : on_readable,
		.timer = text ? on_text_timer : on_timer,
		.stop = on_stop,
		.tick = on_tick,
	};
	const struct prober_listener listener = {.program = state, .in_use = on_in_use};
	int status = open_protocol(state, error);
	if (status == 0)
		status = open_machine(state, settings, error);
	if (status == 0 && !text)
		status = prepare_dhcp(state, error);
	if (status < 0)
		return status;
	int fd = text ? text_service_fd(state) : state->transport.udp;
	if (load_leases(state, settings, error) < 0 || privileges_keep(0, error) < 0 ||
		event_loop_open(&state->loop, fd, &callbacks, error) < 0 ||
		server_control_serve(state->control, state->loop.base, error) < 0 ||
		(state->prober &&
			prober_listen(state->prober, state->loop.base, &listener, error) < 0))
		return error->code;
	begin(state);
	if (notify_ready(error) < 0)
		return error->code;
	status = event_loop_run(&state->loop, error);
	if (text)
		text_service_log_end(state);
	return status;
}

static void state_release(struct server_program_state **state)
{
	if (!*state)
		return;
	server_control_close(&(*state)->control);
	prober_close(&(*state)->prober);
	event_loop_close(&(*state)->loop);
	server_batch_close(*state);
	text_service_close(*state);
	transport_close(&(*state)->transport);
	lease_store_close(&(*state)->store);
	dhcp_server_finish(&(*state)->server);
	free(*state);
}

int main(int argc, char **argv)
{
	int asked;
	struct error error;
	CLEANUP(server_settings_finish) struct server_settings settings = {0};
	log_open(server_program.name);
	if (operator_run(&server_operator, argc, argv, &asked))
		return asked;
	if (options_read(&server_program, argc, argv, &settings, NULL, &error) < 0 ||
		server_settings_check(&settings, &error) < 0)
		return program_fail(
			&server_program, error.code == -ENODEV ? EXIT_SYSTEM : EXIT_MISUSE, &error);
	CLEANUP(state_release) struct server_program_state *state = calloc(1, sizeof(*state));
	if (!state)
		return program_fail(&server_program, EXIT_SYSTEM,
			&(struct error){.code = -ENOMEM, .text = "out of memory"});
	server_program_init(state);
	state->settings = &settings;
	const struct server_control_program controlled = {
		.argc = argc,
		.argv = argv,
		.settings = &settings,
		.server = &state->server,
		.text = settings.text ? &state->text : NULL,
		.store = &state->store,
		.counters = &state->counters,
		.program = state,
		.changed = on_reload,
	};
	if (server_control_open(&controlled, &state->control, &error) < 0 ||
		serve(state, &error) < 0)
		return program_fail(&server_program, EXIT_SYSTEM, &error);
	return EXIT_DONE;
}
