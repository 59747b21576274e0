#include "programs/dhcp/server_control.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "programs/dhcp/server_status.h"
#include "programs/shared/control_socket.h"

struct server_control {
	struct server_control_program on;
	struct control_socket *socket;
	struct event *hangup;
	bool can_probe; /* its sockets were opened at the start */
	uint64_t started_utc_ns;
	unsigned reloads, failed_reloads;
	struct error last_failure; /* code 0: none */
	struct dhcp_actions actions;
};

static json_t *answer_status(
	struct server_control *control, const struct words *request, struct error *error);
static json_t *answer_leases(
	struct server_control *control, const struct words *request, struct error *error);
static json_t *answer_renewal(
	struct server_control *control, const struct words *request, struct error *error);

static const struct {
	const char *name;
	size_t words; /* with its name */
	json_t *(*answer)(
		struct server_control *control, const struct words *request, struct error *error);
} requests[] = {
	{"status", 1, answer_status},
	{"leases", 4, answer_leases},
	{"refuse-renewal", 2, answer_renewal},
	{"allow-renewal", 2, answer_renewal},
};

static json_t *answer(void *program, const struct words *request, struct error *error)
{
	const char *names[ARRAY_LENGTH(requests)];
	for (size_t i = 0; i < ARRAY_LENGTH(requests); i++) {
		names[i] = requests[i].name;
		if (strcmp(request->list[0], names[i]) != 0)
			continue;
		if (request->count != requests[i].words) {
			error_set(error, -EINVAL, "%s takes %zu words", names[i],
				requests[i].words - 1);
			return NULL;
		}
		error->code = 0;
		json_t *answered = requests[i].answer(program, request, error);
		if (!answered && !error->code)
			error_set(error, -ENOMEM, "out of memory");
		return answered;
	}
	const char *nearest = text_nearest(request->list[0], names, ARRAY_LENGTH(names));
	error_set(error, -EINVAL, "unknown request '%s'; did you mean '%s'?", request->list[0],
		nearest ? nearest : "status");
	return NULL;
}

static struct server_status_facts facts_of(const struct server_control *control)
{
	uint64_t now_ns = clock_boottime_ns();
	return (struct server_status_facts){
		.server = control->on.server,
		.text = control->on.text,
		.settings = control->on.settings,
		.counters = control->on.counters,
		.started_utc_ns = control->started_utc_ns,
		.now_ns = now_ns,
		.utc_less_ns = (int64_t)(clock_realtime_ns() - now_ns),
		.reloads = control->reloads,
		.failed_reloads = control->failed_reloads,
		.last_failure = control->last_failure.code ? control->last_failure.text : NULL,
	};
}

static json_t *answer_status(
	struct server_control *control, const struct words *request, struct error *error)
{
	struct server_status_facts facts = facts_of(control);
	(void)request, (void)error;
	return server_status(&facts);
}

static json_t *answer_leases(
	struct server_control *control, const struct words *request, struct error *error)
{
	struct server_status_facts facts = facts_of(control);
	uint64_t numbers[3];
	for (size_t i = 0; i < ARRAY_LENGTH(numbers); i++)
		if (!text_parse_number(request->list[i + 1], 0, UINT32_MAX, &numbers[i])) {
			error_set(error, -EINVAL, "'%s' is no number", request->list[i + 1]);
			return NULL;
		}
	return server_status_leases(&facts, numbers[0], numbers[1], numbers[2]);
}

/* Store what a mark has changed. */
static int store_actions(struct server_control *control, struct error *error)
{
	for (unsigned i = 0; i < control->actions.count; i++) {
		const struct dhcp_action *action = &control->actions.list[i];
		if (action->kind == DHCP_SAVE_LEASE &&
			lease_store_save(*control->on.store, &action->lease, error) < 0)
			return error->code;
	}
	return lease_store_commit(*control->on.store, error);
}

static json_t *answer_renewal(
	struct server_control *control, const struct words *request, struct error *error)
{
	const char *operand = request->list[1];
	bool refuse = strcmp(request->list[0], "refuse-renewal") == 0;
	struct prefix which = {.length = 32};
	if (!ipv4_parse(operand, &which.address) && !prefix_parse(operand, &which)) {
		error_set(error, -EINVAL,
			"'%s' is neither an address nor a subnet; one looks like 10.0.2.100 or "
			"10.0.2.0/24",
			operand);
		return NULL;
	}
	which.address = prefix_network(which);
	if (control->on.text) {
		error_set(error, -EINVAL, "the text protocol knows no renewal");
		return NULL;
	}
	if (dhcp_server_refuse_renewal(
		    control->on.server, which, refuse, &control->actions, error) < 0)
		return NULL;
	if (store_actions(control, error) < 0) {
		/* Not durable: as if nothing had been said. */
		struct error ignored;
		dhcp_server_refuse_renewal(
			control->on.server, which, !refuse, &control->actions, &ignored);
		return NULL;
	}
	const char *text = which.length == 32 ? IPV4_TEXT(which.address) : PREFIX_TEXT(which);
	log_line("the operator %s renewal of %s", refuse ? "refuses" : "allows", text);
	return json_pack("{s:s}", refuse ? "refused" : "allowed", text);
}

static void settings_free(struct server_settings **settings)
{
	if (*settings)
		server_settings_finish(*settings);
	free(*settings);
	*settings = NULL;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_interfaces(const struct server_settings *a, const struct server_settings *b)
{
	if (a->interface_count != b->interface_count)
		return false;
	for (size_t i = 0; i < a->interface_count; i++)
		if (strcmp(a->interfaces[i], b->interfaces[i]) != 0)
			return false;
	return true;
}

static void swap_texts(char ***a, size_t *a_count, char ***b, size_t *b_count)
{
	char **list = *a;
	size_t count = *a_count;
	*a = *b;
	*a_count = *b_count;
	*b = list;
	*b_count = count;
}

/* What is opened once stays what it was, and is told where it is another. */
static void keep_what_is_open(
	bool can_probe, struct server_settings *old, struct server_settings *fresh)
{
	const struct {
		const char *name;
		bool same;
	} opened[] = {
		{"interface", same_interfaces(old, fresh)},
		{"listen", endpoint_same_host(&old->listen, &fresh->listen) &&
				   old->listen.port == fresh->listen.port},
		{"database", same_text(old->database, fresh->database)},
		{"control", same_text(old->control, fresh->control)},
		{"probe", can_probe || fresh->machine.probe_ns == 0},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(opened); i++)
		if (!opened[i].same)
			log_line("'%s' is another now: it takes effect when the server is started "
				 "again",
				opened[i].name);
	char *database = fresh->database, *control = fresh->control;
	fresh->listen = old->listen;
	fresh->database = old->database;
	fresh->control = old->control;
	old->database = database;
	old->control = control;
	swap_texts(&old->interfaces, &old->interface_count, &fresh->interfaces,
		&fresh->interface_count);
}

static int reload(struct server_control *control, struct error *error)
{
	struct server_control_program *on = &control->on;
	CLEANUP(settings_free) struct server_settings *fresh = calloc(1, sizeof(*fresh));
	if (!fresh)
		return error_set(error, -ENOMEM, "out of memory");
	if (options_read(&server_program, on->argc, on->argv, fresh, NULL, error) < 0 ||
		server_settings_check(fresh, error) < 0)
		return error->code;
	if (fresh->text != on->settings->text)
		return error_set(error, -EINVAL,
			"'protocol' is another now: the server has to be started again");
	fresh->machine.seed = on->server->settings.seed;
	struct dhcp_server_settings machine = fresh->machine;
	if (!control->can_probe)
		machine.probe_ns = 0;
	int status = dhcp_server_configure(on->server, &machine, error);
	if (status < 0)
		return status;
	keep_what_is_open(control->can_probe, on->settings, fresh);
	fresh->machine.probe_ns = machine.probe_ns;
	struct server_settings old = *on->settings;
	*on->settings = *fresh;
	*fresh = old;
	server_settings_log(on->settings);
	struct error mirror;
	if (lease_store_mirror(*on->store, &on->settings->machine, &mirror) < 0)
		log_line("%s; the tables of the configuration there are the old ones", mirror.text);
	on->changed(on->program);
	return 0;
}

static void on_hangup(evutil_socket_t number, short what, void *argument)
{
	struct server_control *control = argument;
	struct error error;
	(void)number, (void)what;
	control->last_failure.code = 0;
	if (reload(control, &error) == 0) {
		control->reloads++;
		log_line("the configuration was read again");
		return;
	}
	control->failed_reloads++;
	control->last_failure = error;
	log_line("error: %s; the configuration stays as it was", error.text);
}

/* A SIGHUP that comes before the loop waits for it. */
static void hold_hangup(int how)
{
	sigset_t hangup;
	sigemptyset(&hangup);
	sigaddset(&hangup, SIGHUP);
	sigprocmask(how, &hangup, NULL);
}

int server_control_open(const struct server_control_program *program,
	struct server_control **ret_control, struct error *error)
{
	CLEANUP(server_control_close) struct server_control *control = calloc(1, sizeof(*control));
	if (!control)
		return error_set(error, -ENOMEM, "out of memory");
	hold_hangup(SIG_BLOCK);
	control->on = *program;
	control->can_probe = program->settings->machine.probe_ns > 0;
	control->started_utc_ns = clock_realtime_ns();
	int status = control_socket_open(
		server_program.name, program->settings->control, &control->socket, error);
	if (status == 0)
		*ret_control = TAKE(control);
	return status;
}

int server_control_serve(
	struct server_control *control, struct event_base *base, struct error *error)
{
	const struct control_socket_service service = {.program = control, .answer = answer};
	control->hangup = evsignal_new(base, SIGHUP, on_hangup, control);
	if (!control->hangup || event_add(control->hangup, NULL) < 0)
		return error_set(error, -ENOMEM, "cannot wait for SIGHUP");
	hold_hangup(SIG_UNBLOCK);
	return control_socket_serve(control->socket, base, &service, error);
}

void server_control_close(struct server_control **control)
{
	struct server_control *closing = TAKE(*control);
	if (!closing)
		return;
	if (closing->hangup)
		event_free(closing->hangup);
	control_socket_close(&closing->socket);
	free(closing);
}
