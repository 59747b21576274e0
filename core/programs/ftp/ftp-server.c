/*
 * ftp-server: serves the files below one directory over FTP to N clients at once and keeps M more
 * waiting in line. The protocol is ftp/session, the line is ftp/line; this file reads the options,
 * opens what needs privilege, gives privilege up, and runs the loop.
 */
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/privilege.h"
#include "base/text.h"
#include "programs/ftp/service.h"
#include "programs/ftp/socket.h"
#include "programs/shared/notify.h"
#include "programs/shared/options.h"

struct settings {
	struct ftp_endpoint listen;
	char *root;
	uint64_t clients, waiting;
};

static void settings_finish(struct settings *settings)
{
	free(settings->root);
}

static int accept_listen(void *settings, const struct option_value *value, struct error *error)
{
	struct settings *all = settings;
	if (socket_parse_endpoint(value->text, &all->listen))
		return 0;
	return error_set(error, -EINVAL,
		"--listen wants ADDR:PORT (or ADDR, :PORT, [IPV6]:PORT), not '%s'", value->text);
}

static int accept_root(void *settings, const struct option_value *value, struct error *error)
{
	struct settings *all = settings;
	free(all->root);
	all->root = strdup(value->text);
	return all->root ? 0 : error_set(error, -ENOMEM, "out of memory");
}

static int accept_clients(void *settings, const struct option_value *value, struct error *error)
{
	struct settings *all = settings;
	if (text_parse_number(value->text, 1, 1000000, &all->clients))
		return 0;
	return error_set(error, -EINVAL, "--clients wants a number from 1 to 1000000, not '%s'",
		value->text);
}

static int accept_waiting(void *settings, const struct option_value *value, struct error *error)
{
	struct settings *all = settings;
	if (text_parse_number(value->text, 0, 1000000, &all->waiting))
		return 0;
	return error_set(error, -EINVAL, "--waiting wants a number from 0 to 1000000, not '%s'",
		value->text);
}

static const struct option options[] = {
	{"listen", "ADDR:PORT", "where to listen; default 0.0.0.0:21", accept_listen},
	{"root", "DIR", "the directory that clients see as /", accept_root},
	{"clients", "N", "how many are served at once; default 10", accept_clients},
	{"waiting", "N", "how many more wait in line; default 0", accept_waiting},
};

static const struct program program = {
	.name = "ftp-server",
	.synopsis = "--root DIR [--listen ADDR:PORT] [--clients N] [--waiting N]",
	.purpose = "Serves the files below DIR over FTP. Clients log in as anonymous, may read and "
		   "store,\nand wait in line, first come first served, while N others are served.",
	.options = options,
	.option_count = ARRAY_LENGTH(options),
};

/* Every client is two or three descriptors: have as many as may be had. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static void end_on_signal(evutil_socket_t number, short what, void *argument)
{
	(void)what;
	log_line("ends on %s", strsignal((int)number));
	service_end(argument);
}

static void free_base(struct event_base **base)
{
	if (*base)
		event_base_free(*base);
}

/* Everything is open and privilege is gone: serve until a signal. */
static int serve(const struct settings *settings, struct store *store, int take_listener,
	struct error *error)
{
	static struct service service;
	CLEANUP(free_base) struct event_base *base = event_base_new();
	if (!base) {
		close(take_listener);
		return error_set(error, -ENOMEM, "cannot make an event loop");
	}
	service_init(&service, base, store, take_listener);
	ftp_line_init(&service.line, settings->clients, settings->waiting);

	struct event ends[2];
	static const int signals[] = {SIGTERM, SIGINT};
	for (size_t i = 0; i < ARRAY_LENGTH(signals); i++) {
		evsignal_assign(&ends[i], base, signals[i], end_on_signal, &service);
		evsignal_add(&ends[i], NULL);
	}
	service_start(&service);
	int status = notify_ready(error);
	if (status == 0)
		event_base_dispatch(base);
	service_finish(&service);
	for (size_t i = 0; i < ARRAY_LENGTH(signals); i++)
		evsignal_del(&ends[i]);
	return status;
}

int main(int argc, char **argv)
{
	CLEANUP(settings_finish)
	struct settings settings = {
		.listen = {.family = FTP_IPV4, .port = SOCKET_FTP_PORT}, .clients = 10};
	CLEANUP(store_close) struct store store = {.root = -1};
	struct error error;
	int listener;
	if (options_read(&program, argc, argv, &settings, NULL, &error) < 0)
		return program_fail(&program, EXIT_MISUSE, &error);
	if (!settings.root) {
		error_set(&error, -EINVAL, "--root DIR is missing: which files to serve");
		return program_fail(&program, EXIT_MISUSE, &error);
	}
	log_open(program.name);
	signal(SIGPIPE, SIG_IGN); /* sendfile() has no MSG_NOSIGNAL */
	signal(SIGXFSZ, SIG_IGN); /* a file that grew too large is an error, not an end */
	raise_descriptor_limit();
	if (store_open(&store, settings.root, &error) < 0 ||
		socket_listen(&settings.listen, SOMAXCONN, &listener, &error) < 0)
		return program_fail(&program, EXIT_SYSTEM, &error);
	if (privileges_keep(0, &error) < 0) {
		close(listener);
		return program_fail(&program, EXIT_SYSTEM, &error);
	}
	log_line("serves '%s' at %s, %llu clients at once and %llu in line", settings.root,
		FTP_ENDPOINT_TEXT(&settings.listen), (unsigned long long)settings.clients,
		(unsigned long long)settings.waiting);
	if (serve(&settings, &store, listener, &error) < 0)
		return program_fail(&program, EXIT_SYSTEM, &error);
	return EXIT_DONE;
}
