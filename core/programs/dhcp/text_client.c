#include "programs/dhcp/text_client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/log_limit.h"
#include "base/privilege.h"
#include "dhcp/text_client.h"
#include "programs/dhcp/client_status.h"
#include "programs/dhcp/event_loop.h"
#include "programs/shared/notify.h"

#define RETRY_NS (10 * NS_PER_SECOND)

/* DATAGRAM_SIZE: what is longer is cut; no answer is. BATCH: datagrams of one wake-up. */
enum { DATAGRAM_SIZE = 512, BATCH = 64, LINES = 10, LINES_BURST = 50, QUOTE_SIZE = 64 };

struct text_client {
	const struct client_settings *settings;
	struct dhcp_text_client client;
	int fd;
	struct event_loop loop;
	struct client_status status;
	struct log_limit lines; /* of what the server, or who pretends to be it, causes */
	struct dhcp_text_actions actions;
	bool announced;
};

static bool may_log(struct text_client *program)
{
	bool may = log_limit_allows(&program->lines, clock_boottime_ns());
	if (!may)
		event_loop_tick(&program->loop);
	return may;
}

static void on_tick(void *argument)
{
	struct text_client *program = argument;
	log_line("%llu lines about what the server sent are kept back",
		(unsigned long long)log_limit_take(&program->lines));
}

/* What cannot be sent is as good as lost: the machine asks again in time. */
static void send_text(struct text_client *program, const struct dhcp_text_action *action)
{
	if (may_log(program))
		log_line("'%.*s' sent to %s", (int)action->length, action->text,
			ENDPOINT_TEXT(&program->settings->server));
	if (send(program->fd, action->text, action->length, MSG_NOSIGNAL) < 0)
		log_line("cannot send to %s: %s", ENDPOINT_TEXT(&program->settings->server),
			strerror(errno));
}

static void go_online(struct text_client *program, struct ipv4 address)
{
	struct error error;
	log_line("online with %s", IPV4_TEXT(address));
	client_status_show(&program->status, "Online [IP: %s]", IPV4_TEXT(address));
	if (program->settings->once) {
		printf("%s\n", IPV4_TEXT(address));
		fflush(stdout);
	}
	if (!program->announced && notify_ready(&error) < 0)
		log_line("%s", error.text);
	program->announced = true;
}

static void go_offline(struct text_client *program, const struct dhcp_text_action *action)
{
	const char *why = dhcp_text_reason_text(action->reason);
	bool about = !ipv4_is_none(action->address);
	if (may_log(program))
		log_line("offline: %s%s%s", about ? IPV4_TEXT(action->address) : "",
			about ? " " : "", why);
	if (action->reason == DHCP_TEXT_GIVEN_BACK)
		client_status_show(&program->status, "Offline");
	else
		client_status_show(&program->status, "Offline [%s]", why);
}

static void report(struct text_client *program, const struct dhcp_text_action *action)
{
	const struct dhcp_text_message *message = &program->actions.message;
	const char *why = dhcp_text_reason_text(action->reason);
	char quoted[QUOTE_SIZE];
	if (!may_log(program))
		return;
	if (ipv4_is_none(action->address))
		log_line("'%s' from the server: %s",
			log_quote(message->text, message->length, quoted, sizeof(quoted)), why);
	else
		log_line("%s %s", IPV4_TEXT(action->address), why);
}

static void perform(struct text_client *program)
{
	for (unsigned i = 0; i < program->actions.count; i++) {
		const struct dhcp_text_action *action = &program->actions.list[i];
		switch (action->kind) {
		case DHCP_TEXT_SEND:
			send_text(program, action);
			break;
		case DHCP_TEXT_ONLINE:
			go_online(program, action->address);
			break;
		case DHCP_TEXT_OFFLINE:
			go_offline(program, action);
			break;
		case DHCP_TEXT_REPORT:
			report(program, action);
			break;
		case DHCP_TEXT_FINISH:
			event_loop_end(&program->loop);
			break;
		}
	}
}

static void step(struct text_client *program, const struct dhcp_text_event *event)
{
	uint64_t now_ns = clock_boottime_ns();
	dhcp_text_client_step(&program->client, event, now_ns, &program->actions);
	perform(program);
	event_loop_set_deadline(&program->loop, now_ns, program->actions.deadline_ns);
}

static void on_readable(void *argument)
{
	struct text_client *program = argument;
	char bytes[DATAGRAM_SIZE];
	for (unsigned i = 0; i < BATCH && program->client.state != DHCP_TEXT_CLIENT_DONE; i++) {
		ssize_t length = recv(program->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		if (length >= 0) {
			struct dhcp_text_event event = {
				.kind = DHCP_TEXT_EVENT_DATAGRAM,
				.bytes = bytes,
				.length = (size_t)length,
			};
			step(program, &event);
			continue;
		}
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			break;
		/* What became of something sent, by ICMP: nobody listens there yet, or no way. */
		if (errno != EINTR && may_log(program))
			log_line("%s: %s", ENDPOINT_TEXT(&program->settings->server),
				strerror(errno));
	}
}

static void on_timer(void *argument)
{
	const struct dhcp_text_event event = {.kind = DHCP_TEXT_EVENT_TIMER};
	step(argument, &event);
}

static void on_stop(void *argument)
{
	struct text_client *program = argument;
	const struct dhcp_text_event event = {
		.kind = DHCP_TEXT_EVENT_STOP,
		.release = program->settings->release,
	};
	step(program, &event);
}

/* `q`: it is typed to give the address back. */
static void on_quit(void *argument)
{
	const struct dhcp_text_event event = {.kind = DHCP_TEXT_EVENT_STOP, .release = true};
	step(argument, &event);
}

/* Connected: what others send is not heard, and an answer needs to come from whom was asked. */
static int open_socket(const struct endpoint *server, int *ret_fd, struct error *error)
{
	struct sockaddr_storage address;
	socklen_t length = endpoint_to_sockaddr(server, &address);
	CLEANUP(close_fd)
	int fd = socket(address.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_system(error, -errno, "cannot open a UDP socket");
	if (connect(fd, (struct sockaddr *)&address, length) < 0)
		return error_system(error, -errno, "cannot send to %s", ENDPOINT_TEXT(server));
	*ret_fd = take_fd(&fd);
	return 0;
}

static int run(struct text_client *program, struct error *error)
{
	const struct client_settings *settings = program->settings;
	const struct event_loop_callbacks callbacks = {
		.program = program,
		.readable = on_readable,
		.timer = on_timer,
		.stop = on_stop,
		.tick = on_tick,
	};
	const struct dhcp_text_client_settings machine = {
		.wait_ns = settings->machine.wait_ns,
		.retry_ns = settings->machine.retry_ns ? settings->machine.retry_ns : RETRY_NS,
		.once = settings->once,
	};
	const struct dhcp_text_event event = {.kind = DHCP_TEXT_EVENT_START};
	program->status.quit = on_quit;
	program->status.program = program;
	int status = open_socket(&settings->server, &program->fd, error);
	if (status == 0)
		status = event_loop_open(&program->loop, program->fd, &callbacks, error);
	if (status == 0)
		status = privileges_keep(0, error);
	if (status == 0 && !settings->once)
		status = client_status_open(&program->status, program->loop.base, error);
	if (status < 0)
		return status;
	client_status_show(&program->status, "Looking for an address ...");
	dhcp_text_client_init(&program->client, &machine);
	step(program, &event);
	return event_loop_run(&program->loop, error);
}

static void program_finish(struct text_client *program)
{
	client_status_close(&program->status);
	event_loop_close(&program->loop);
	close_fd(&program->fd);
}

int text_client_run(const struct client_settings *settings, struct error *error)
{
	CLEANUP(program_finish)
	struct text_client program = {
		.settings = settings,
		.fd = -1,
		.loop = {.timer_fd = -1},
		.lines = {.rate = LINES, .burst = LINES_BURST},
	};
	int status = run(&program, error);
	if (status < 0)
		return status;
	if (program.client.failed)
		client_status_show(&program.status, "Offline [no address to be had]");
	return program.client.failed ? EXIT_NO_ADDRESS : EXIT_DONE;
}
