/*
 * ftp-server: serves the files below one directory over FTP to N clients at once and keeps M more
 * waiting in line. The protocol is ftp/session, or the report's, ftp/text; the line is ftp/line.
 * This file opens what needs privilege, gives privilege up, and runs the loop.
 */
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/privilege.h"
#include "programs/ftp/control.h"
#include "programs/ftp/ftp_settings.h"
#include "programs/ftp/service.h"
#include "programs/ftp/service_status.h"
#include "programs/ftp/socket.h"
#include "programs/ftp/text_guest.h"
#include "programs/shared/confine.h"
#include "programs/shared/control_socket.h"
#include "programs/shared/notify.h"
#include "programs/shared/operator.h"

/* A password's check takes tens of milliseconds of a processor. */
enum { THREADS = 2, CONFINED_PATHS_MOST = 64 };

/* How the command line was given, for SIGHUP. */
struct reading {
	int argc;
	char **argv;
	struct service *service;
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

/* Who may log in from now on; whoever is logged in stays so. The rest needs a new start. */
static int read_again(const struct reading *reading, struct error *error)
{
	CLEANUP(ftp_settings_finish) struct ftp_settings settings = {0};
	if (ftp_settings_init(&settings, error) < 0 ||
		options_read(&ftp_server_program, reading->argc, reading->argv, &settings, NULL,
			error) < 0 ||
		ftp_settings_check(&settings, error) < 0 ||
		accounts_open(settings.accounts, error) < 0)
		return error->code;
	accounts_release(&reading->service->accounts);
	reading->service->accounts = accounts_hold(settings.accounts);
	return 0;
}

static void read_on_signal(evutil_socket_t number, short what, void *argument)
{
	struct error error;
	const struct reading *reading = argument;
	(void)number, (void)what;
	if (reading->service->kind == &text_guest_kind)
		log_line("nothing to read again: the text protocol has no accounts");
	else if (read_again(reading, &error) < 0)
		log_line("the accounts stay as they were: %s", error.text);
	else
		log_line("accounts read again: %zu", reading->service->accounts->count);
}

static void free_base(struct event_base **base)
{
	if (*base)
		event_base_free(*base);
}

static int serve(struct reading *reading, const struct ftp_settings *settings, struct error *error)
{
	struct service *service = reading->service;
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
	struct event events[ARRAY_LENGTH(signals)];
	for (size_t i = 0; i < ARRAY_LENGTH(signals); i++) {
		bool again = signals[i] == SIGHUP;
		evsignal_assign(&events[i], service->base, signals[i],
			again ? read_on_signal : end_on_signal,
			again ? (void *)reading : (void *)service);
		evsignal_add(&events[i], NULL);
	}
	log_line("serves '%s' at %s%s, %llu clients at once and %llu in line", settings->root,
		ENDPOINT_TEXT(&settings->listen), settings->text ? " by the text protocol" : "",
		(unsigned long long)settings->clients, (unsigned long long)settings->waiting);
	service_start(service);
	int status = notify_ready(error);
	if (status == 0)
		event_base_dispatch(service->base);
	for (size_t i = 0; i < ARRAY_LENGTH(signals); i++)
		evsignal_del(&events[i]);
	return status;
}

static int open_tls(const struct ftp_settings *settings, struct tls **ret_tls, struct error *error)
{
	const char *key = settings->key ? settings->key : settings->certificate;
	if (!settings->session.tls)
		return 0;
	if (tls_server_create(settings->certificate, key, ret_tls, error) < 0)
		return error->code;
	log_line("the certificate's SHA-256 is %s", tls_fingerprint(*ret_tls));
	return 0;
}

struct paths {
	struct confine_path list[CONFINED_PATHS_MOST]; /* each path is owned */
	size_t count;
	bool full;
};

static void paths_finish(struct paths *paths)
{
	for (size_t i = 0; i < paths->count; i++)
		free((char *)paths->list[i].path);
}

static void paths_add(struct paths *paths, const char *path, bool write)
{
	char *own = path && paths->count < CONFINED_PATHS_MOST ? strdup(path) : NULL;
	if (own)
		paths->list[paths->count++] = (struct confine_path){own, write};
	else if (path)
		paths->full = true;
}

/* The folder that a file is in: an editor puts a new file in its place, under the same name. */
static void paths_add_folder(struct paths *paths, const char *file, bool write)
{
	const char *slash = strrchr(file, '/');
	CLEANUP(free_pointer) char *folder = strndup(file, slash ? (size_t)(slash - file) + 1 : 0);
	paths_add(paths, folder && *folder ? folder : ".", write);
}

/* The files that `--config FILE` and `--config=FILE` name. */
static void paths_add_configuration(struct paths *paths, const struct reading *reading)
{
	static const char option[] = "--config";
	size_t length = strlen(option);
	for (int i = 1; i < reading->argc; i++) {
		const char *word = reading->argv[i];
		if (strcmp(word, option) == 0 && i + 1 < reading->argc)
			paths_add_folder(paths, reading->argv[++i], false);
		else if (strncmp(word, option, length) == 0 && word[length] == '=')
			paths_add_folder(paths, word + length + 1, false);
	}
}

/*
 * Of the file system nothing is left but the accounts' roots, the folders of what SIGHUP reads
 * again and of the control socket, and /proc, through which an upload gets its name.
 */
static int confine(
	const struct reading *reading, const struct ftp_settings *settings, struct error *error)
{
	CLEANUP(paths_finish) struct paths paths = {.count = 0};
	const struct accounts *accounts = settings->accounts;
	bool confined;
	paths_add_folder(&paths, settings->control ? settings->control : "/run/", true);
	paths_add(&paths, "/proc/self/fd", false);
	for (size_t i = 0; i < accounts->count; i++)
		paths_add(&paths, accounts->list[i].root, !settings->text);
	for (size_t i = 0; i < settings->read_again_count; i++)
		paths_add_folder(&paths, settings->read_again[i], false);
	paths_add_configuration(&paths, reading);
	/* Without it openat2(2) confines each client to its own root all the same. */
	if (paths.full)
		log_line("not confined by Landlock: there are more than %d roots and files",
			CONFINED_PATHS_MOST);
	else if (confine_files(paths.list, paths.count, &confined, error) < 0)
		return error->code;
	else if (!confined)
		log_line("not confined by Landlock: this kernel has none");
	return 0;
}

static int give_up_privilege(
	const struct reading *reading, const struct ftp_settings *settings, struct error *error)
{
	if (settings->run_as && confine_to_user(settings->run_as, error) < 0)
		return error->code;
	int status = privileges_keep(0, error);
	return status < 0 ? status : confine(reading, settings, error);
}

static void service_configure(struct service *service, const struct ftp_settings *settings)
{
	service->kind = settings->text ? &text_guest_kind : &control_kind;
	service->accounts = accounts_hold(settings->accounts);
	service->session_settings = settings->session;
	service->keeps = settings->keeps;
	service->tls_reuse = settings->tls_reuse;
	service->per_address = settings->per_address;
	service->ports = settings->ports;
	service->connect_ns = settings->connect_ns;
	service->stall_ns = settings->stall_ns;
	ftp_line_init(&service->line, settings->clients, settings->waiting);
}

/* Open what needs privilege, give privilege up, and serve until a signal. */
static int run(struct reading *reading, const struct ftp_settings *settings, struct error *error)
{
	int listener;
	struct service *service = reading->service;
	CLEANUP(free_base) struct event_base *base = event_base_new();
	CLEANUP(tls_destroy) struct tls *tls = NULL;
	CLEANUP(control_socket_close) struct control_socket *control = NULL;
	CLEANUP(worker_destroy) struct worker *checker = NULL;
	CLEANUP(worker_destroy) struct worker *worker = NULL;
	uint64_t seed;
	if (!base)
		return error_set(error, -ENOMEM, "cannot make an event loop");
	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		return error_system(error, -errno, "cannot read random bytes");
	if (open_tls(settings, &tls, error) < 0 || accounts_open(settings->accounts, error) < 0 ||
		transfer_log_open(&service->log, settings->xferlog, settings->json_log, error) <
			0 ||
		control_socket_open(ftp_server_program.name, settings->control, &control, error) <
			0 ||
		socket_listen(&settings->listen, SOMAXCONN, &listener, error) < 0)
		return error->code;
	if (!settings->text)
		socket_bound_controls(listener);
	service_configure(service, settings);
	service->tls = tls;
	service_init(service, base, listener, seed);
	struct control_socket_service answering = {.program = service, .answer = service_answer};
	int status = give_up_privilege(reading, settings, error);
	if (status == 0)
		status = worker_create(base, THREADS, &checker, error);
	if (status == 0)
		status = worker_create(base, THREADS, &worker, error);
	service->checker = checker;
	service->worker = worker;
	if (status == 0)
		status = control_socket_serve(control, base, &answering, error);
	if (status == 0)
		status = serve(reading, settings, error);
	service_finish(service);
	return status;
}

int main(int argc, char **argv)
{
	static struct service service = {.log = {.xferlog = -1, .json = -1}};
	CLEANUP(ftp_settings_finish) struct ftp_settings settings = {0};
	struct reading reading = {.argc = argc, .argv = argv, .service = &service};
	struct error error;
	int asked;
	if (operator_run(&ftp_server_operator, argc, argv, &asked))
		return asked;
	if (ftp_settings_init(&settings, &error) < 0)
		return program_fail(&ftp_server_program, EXIT_SYSTEM, &error);
	if (options_read(&ftp_server_program, argc, argv, &settings, NULL, &error) < 0 ||
		ftp_settings_check(&settings, &error) < 0)
		return program_fail(&ftp_server_program, EXIT_MISUSE, &error);
	log_open(ftp_server_program.name);
	signal(SIGPIPE, SIG_IGN); /* sendfile() has no MSG_NOSIGNAL */
	signal(SIGXFSZ, SIG_IGN); /* a file that grew too large is an error, not an end */
	raise_descriptor_limit();
	int status = run(&reading, &settings, &error);
	transfer_log_close(&service.log);
	return status < 0 ? program_fail(&ftp_server_program, EXIT_SYSTEM, &error) : EXIT_DONE;
}
