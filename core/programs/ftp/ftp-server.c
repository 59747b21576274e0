/*
 * ftp-server: serves the files below one directory over FTP to N clients at once and keeps M more
 * waiting in line. The protocol is ftp/session, the line is ftp/line; this file reads the options,
 * opens what needs privilege, gives privilege up, and runs the loop.
 */
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <string.h>
#include <sys/random.h>
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
	unsigned anonymous; /* its rights */
	bool keeps, tls_reuse;
	char *certificate, *key;
	struct ftp_session_settings session;
	struct accounts *accounts;
};

static void settings_finish(struct settings *settings)
{
	free(settings->root);
	free(settings->certificate);
	free(settings->key);
	accounts_release(&settings->accounts);
}

static int accept_listen(void *settings, const struct option_value *value, struct error *error)
{
	struct settings *all = settings;
	if (socket_parse_endpoint(value->text, &all->listen))
		return 0;
	return error_set(error, -EINVAL,
		"--listen wants ADDR:PORT (or ADDR, :PORT, [IPV6]:PORT), not '%s'", value->text);
}

static int accept_text(char **setting, const char *text, struct error *error)
{
	free(*setting);
	*setting = strdup(text);
	return *setting ? 0 : error_set(error, -ENOMEM, "out of memory");
}

static int accept_root(void *settings, const struct option_value *value, struct error *error)
{
	return accept_text(&((struct settings *)settings)->root, value->text, error);
}

/* `--tls`, or `--tls CERTIFICATE`, which holds the key too unless --tls-key says where it is. */
static int accept_tls(void *settings, const struct option_value *value, struct error *error)
{
	struct settings *all = settings;
	all->session.tls = true;
	return value->text ? accept_text(&all->certificate, value->text, error) : 0;
}

static int accept_tls_key(void *settings, const struct option_value *value, struct error *error)
{
	return accept_text(&((struct settings *)settings)->key, value->text, error);
}

static int accept_tls_required(
	void *settings, const struct option_value *value, struct error *error)
{
	(void)value, (void)error;
	((struct settings *)settings)->session.tls_required = true;
	return 0;
}

static int accept_tls_reuse(void *settings, const struct option_value *value, struct error *error)
{
	(void)value, (void)error;
	((struct settings *)settings)->tls_reuse = true;
	return 0;
}

static int accept_number(
	const struct option_value *value, uint64_t least, uint64_t *ret_number, struct error *error)
{
	if (text_parse_number(value->text, least, 1000000, ret_number))
		return 0;
	return error_set(error, -EINVAL, "--%s wants a number from %llu to 1000000, not '%s'",
		value->name, (unsigned long long)least, value->text);
}

static int accept_clients(void *settings, const struct option_value *value, struct error *error)
{
	return accept_number(value, 1, &((struct settings *)settings)->clients, error);
}

static int accept_waiting(void *settings, const struct option_value *value, struct error *error)
{
	return accept_number(value, 0, &((struct settings *)settings)->waiting, error);
}

static int accept_time(const struct option_value *value, uint64_t *ret_ns, struct error *error)
{
	uint64_t ns;
	if (!text_parse_seconds(value->text, &ns) || ns == 0)
		return error_set(error, -EINVAL,
			"--%s '%s' is no time: seconds above 0, with decimals if need be",
			value->name, value->text);
	*ret_ns = ns;
	return 0;
}

static int accept_wait_time(void *settings, const struct option_value *value, struct error *error)
{
	return accept_time(value, &((struct settings *)settings)->session.wait_ns, error);
}

static int accept_login_time(void *settings, const struct option_value *value, struct error *error)
{
	return accept_time(value, &((struct settings *)settings)->session.login_ns, error);
}

static int accept_idle_time(void *settings, const struct option_value *value, struct error *error)
{
	return accept_time(value, &((struct settings *)settings)->session.idle_ns, error);
}

static int accept_anonymous(void *settings, const struct option_value *value, struct error *error)
{
	struct settings *all = settings;
	if (rights_parse(value->text, &all->anonymous))
		return 0;
	return error_set(error, -EINVAL,
		"--anonymous wants 'none', 'all', or some of 'read,add,change', not '%s'",
		value->text);
}

static int accept_user(void *settings, const struct option_value *value, struct error *error)
{
	return accounts_add(((struct settings *)settings)->accounts, value->text, error);
}

static int accept_passwords(void *settings, const struct option_value *value, struct error *error)
{
	return accounts_read(((struct settings *)settings)->accounts, value->text, error);
}

static int accept_keep(void *settings, const struct option_value *value, struct error *error)
{
	(void)value, (void)error;
	((struct settings *)settings)->keeps = true;
	return 0;
}

static const struct option options[] = {
	{.help = "what is served"},
	{"root", "DIR", "the directory that clients see as /", accept_root},
	{"anonymous", "RIGHTS",
		"what anyone may do: none, all, or some of read,add,change; default: "
		"read",
		accept_anonymous},
	{"user", "ACCOUNT",
		"an account: NAME HASH [root=DIR] [rights=read,add,change]; may be\n"
		"repeated",
		accept_user},
	{"passwords", "FILE", "accounts, one a line as --user takes them", accept_passwords},
	{"keep-cut-off", NULL, "keep what came of an upload that was cut off: REST goes on with it",
		accept_keep},
	{.help = "to whom"},
	{"listen", "ADDR:PORT", "where to listen; default 0.0.0.0:21", accept_listen},
	{"clients", "N", "how many are served at once; default 10", accept_clients},
	{"waiting", "N", "how many more wait in line; default 0", accept_waiting},
	{"wait-time", "SECONDS", "how long one may wait in line; default: for ever",
		accept_wait_time},
	{"login-time", "SECONDS", "how long a log-in may take; default 60", accept_login_time},
	{"idle-time", "SECONDS", "how long one may be silent; default 300", accept_idle_time},
	{.help = "in TLS"},
	{"tls", "[CERTIFICATE]",
		"offer AUTH TLS with this PEM file; without one: by a certificate "
		"made\nfor this run",
		accept_tls},
	{"tls-key", "FILE", "the certificate's key, where it is in a file of its own",
		accept_tls_key},
	{"tls-required", NULL, "no log-in and no data in clear text", accept_tls_required},
	{"tls-reuse", NULL, "data connections must resume their control connection's TLS session",
		accept_tls_reuse},
};

static const struct program program = {
	.name = "ftp-server",
	.synopsis = "--root DIR [--listen ADDR:PORT] [--clients N] [--waiting N] [options]",
	.purpose = "Serves the files below DIR over FTP. Clients wait in line, first come, first "
		   "served,\nwhile N others are served.",
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

/* A password's check takes tens of milliseconds of a processor. */
enum { THREADS = 2 };

static int serve(struct service *service, const struct settings *settings, struct error *error)
{
	struct event ends[2];
	static const int signals[] = {SIGTERM, SIGINT};
	for (size_t i = 0; i < ARRAY_LENGTH(signals); i++) {
		evsignal_assign(&ends[i], service->base, signals[i], end_on_signal, service);
		evsignal_add(&ends[i], NULL);
	}
	log_line("serves '%s' at %s, %llu clients at once and %llu in line", settings->root,
		FTP_ENDPOINT_TEXT(&settings->listen), (unsigned long long)settings->clients,
		(unsigned long long)settings->waiting);
	service_start(service);
	int status = notify_ready(error);
	if (status == 0)
		event_base_dispatch(service->base);
	for (size_t i = 0; i < ARRAY_LENGTH(signals); i++)
		evsignal_del(&ends[i]);
	return status;
}

static int open_tls(const struct settings *settings, struct tls **ret_tls, struct error *error)
{
	const char *key = settings->key ? settings->key : settings->certificate;
	if (!settings->session.tls)
		return 0;
	if (tls_server_create(settings->certificate, key, ret_tls, error) < 0)
		return error->code;
	log_line("the certificate's SHA-256 is %s", tls_fingerprint(*ret_tls));
	return 0;
}

/* Open what needs privilege, give privilege up, and serve until a signal. */
static int run(struct settings *settings, struct error *error)
{
	static struct service service;
	int listener;
	CLEANUP(free_base) struct event_base *base = event_base_new();
	CLEANUP(tls_destroy) struct tls *tls = NULL;
	CLEANUP(worker_destroy) struct worker *worker = NULL;
	if (!base)
		return error_set(error, -ENOMEM, "cannot make an event loop");
	if (open_tls(settings, &tls, error) < 0 || accounts_open(settings->accounts, error) < 0 ||
		socket_listen(&settings->listen, SOMAXCONN, &listener, error) < 0)
		return error->code;
	if (privileges_keep(0, error) < 0 || worker_create(base, THREADS, &worker, error) < 0) {
		close(listener);
		return error->code;
	}
	service.accounts = accounts_hold(settings->accounts);
	service.worker = worker;
	service.session_settings = settings->session;
	service.keeps = settings->keeps;
	service.tls = tls;
	service.tls_reuse = settings->tls_reuse;
	if (getrandom(&service.guesses.key, sizeof(service.guesses.key), 0) < 0)
		service.guesses.key = (uintptr_t)&listener;
	service_init(&service, base, listener);
	ftp_line_init(&service.line, settings->clients, settings->waiting);
	int status = serve(&service, settings, error);
	service_finish(&service);
	return status;
}

int main(int argc, char **argv)
{
	CLEANUP(settings_finish)
	struct settings settings = {
		.listen = {.family = FTP_IPV4, .port = SOCKET_FTP_PORT},
		.clients = 10,
		.anonymous = FTP_MAY_READ,
		.session = FTP_SESSION_SETTINGS_DEFAULT,
		.accounts = accounts_create(),
	};
	struct error error;
	if (!settings.accounts) {
		error_set(&error, -ENOMEM, "out of memory");
		return program_fail(&program, EXIT_SYSTEM, &error);
	}
	if (options_read(&program, argc, argv, &settings, NULL, &error) < 0)
		return program_fail(&program, EXIT_MISUSE, &error);
	if (!settings.root) {
		error_set(&error, -EINVAL, "--root DIR is missing: which files to serve");
		return program_fail(&program, EXIT_MISUSE, &error);
	}
	if ((settings.session.tls_required || settings.tls_reuse || settings.key) &&
		!settings.session.tls) {
		error_set(&error, -EINVAL, "--tls is missing, of which other options speak");
		return program_fail(&program, EXIT_MISUSE, &error);
	}
	log_open(program.name);
	signal(SIGPIPE, SIG_IGN); /* sendfile() has no MSG_NOSIGNAL */
	signal(SIGXFSZ, SIG_IGN); /* a file that grew too large is an error, not an end */
	raise_descriptor_limit();
	if (accounts_add_anonymous(settings.accounts, settings.root, settings.anonymous, &error) <
			0 ||
		run(&settings, &error) < 0)
		return program_fail(&program, EXIT_SYSTEM, &error);
	return EXIT_DONE;
}
