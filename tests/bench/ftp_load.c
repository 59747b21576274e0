/*
 * ftp_load: many clients of an FTP server at once, from one thread. What they saw goes to standard
 * output as JSON; with --mode idle they stay logged in until standard input ends.
 *
 * Exit status 1 where a session ended early: an error reply, a broken connection.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "load_ftp.h"
#include "load_options.h"

enum { EXIT_BROKEN = 1, BYTES_DEFAULT = 1024, SESSIONS_DEFAULT = 1 };

static volatile int stop;

static void on_signal(int number)
{
	(void)number;
	stop = 1;
}

static const char *const mode_names[] = {
	[LOAD_FTP_GET] = "get",
	[LOAD_FTP_PUT] = "put",
	[LOAD_FTP_LOGIN] = "login",
	[LOAD_FTP_IDLE] = "idle",
};

static int accept_mode(void *target, const struct option_value *value, struct error *error)
{
	struct load_ftp_settings *settings = target;
	for (size_t i = 0; i < ARRAY_LENGTH(mode_names); i++) {
		if (strcmp(value->text, mode_names[i]) == 0) {
			settings->mode = (enum load_ftp_mode)i;
			return 0;
		}
	}
	return error_set(error, -EINVAL, "--mode '%s' is not get, put, login or idle", value->text);
}

static int accept_server(void *target, const struct option_value *value, struct error *error)
{
	return load_accept_address(value, &((struct load_ftp_settings *)target)->server, error);
}

static int accept_sessions(void *target, const struct option_value *value, struct error *error)
{
	uint64_t sessions = 0;
	int status = load_accept_number(value, 1, LOAD_FTP_SESSIONS_MOST, &sessions, error);
	((struct load_ftp_settings *)target)->sessions = (uint32_t)sessions;
	return status;
}

static int accept_count(void *target, const struct option_value *value, struct error *error)
{
	uint64_t *count = &((struct load_ftp_settings *)target)->count;
	return load_accept_number(value, 1, UINT64_C(1) << 32, count, error);
}

static int accept_seconds(void *target, const struct option_value *value, struct error *error)
{
	return load_accept_seconds(value, &((struct load_ftp_settings *)target)->seconds_ns, error);
}

static int accept_bytes(void *target, const struct option_value *value, struct error *error)
{
	uint64_t *bytes = &((struct load_ftp_settings *)target)->bytes;
	return load_accept_number(value, 1, UINT64_C(1) << 40, bytes, error);
}

static int accept_file(void *target, const struct option_value *value, struct error *error)
{
	return load_accept_path(value, &((struct load_ftp_settings *)target)->path, error);
}

static int accept_stalled(void *target, const struct option_value *value, struct error *error)
{
	return load_accept_path(value, &((struct load_ftp_settings *)target)->stalled, error);
}

static const struct option options[] = {
	{"server", "ADDR", "the server under load, at port 21", accept_server},
	{"mode", "MODE", "get, put, login or idle", accept_mode},
	{"sessions", "N", "clients at once; default: 1", accept_sessions},
	{"count", "N", "files or log-ins; default: as many as fit the time", accept_count},
	{"seconds", "S", "begin nothing after that time", accept_seconds},
	{"file", "PATH", "what to get; the beginning of the names to put", accept_file},
	{"bytes", "N", "of each file to put; default: 1024", accept_bytes},
	{"stalled", "PATH", "a client more, which gets that file and does not read",
		accept_stalled},
};

static const struct program program = {
	.name = "ftp_load",
	.synopsis = "--server ADDR --mode MODE (--count N | --seconds S) [...]",
	.purpose = "Be the clients of an FTP server; tell how it did.",
	.options = options,
	.option_count = ARRAY_LENGTH(options),
};

static int check(struct load_ftp_settings *settings, struct error *error)
{
	bool files = settings->mode == LOAD_FTP_GET || settings->mode == LOAD_FTP_PUT;
	if (ipv4_is_none(settings->server))
		return error_set(error, -EINVAL, "--server ADDR is needed");
	if (files && !settings->path)
		return error_set(error, -EINVAL, "--file PATH is needed");
	if (settings->mode != LOAD_FTP_IDLE && !settings->count && !settings->seconds_ns)
		return error_set(error, -EINVAL, "--count N or --seconds S is needed");
	if (settings->stalled && settings->mode != LOAD_FTP_GET)
		return error_set(error, -EINVAL, "--stalled PATH goes with --mode get");
	return 0;
}

static int print(const struct load_ftp *load, struct error *error)
{
	const struct load_ftp_result *result = &load->result;
	double seconds = (double)result->counted_ns / (double)NS_PER_SECOND;
	json_t *object = json_pack("{s:s, s:f, s:I, s:I, s:I, s:s, s:f, s:f}", "mode",
		mode_names[load->settings->mode], "seconds", seconds, "done",
		(json_int_t)result->done, "bytes", (json_int_t)result->bytes, "failed",
		(json_int_t)result->failed, "failure", result->failure, "p50_us",
		(double)histogram_percentile(&result->whole, 0.5) / 1e3, "p99_us",
		(double)histogram_percentile(&result->whole, 0.99) / 1e3);
	int status = json_write_line(object, stdout, error);
	fflush(stdout);
	return status;
}

static void wait_for_end(void)
{
	char byte;
	while (!stop && read(STDIN_FILENO, &byte, 1) > 0)
		;
}

static void raise_descriptor_limit(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int main(int argc, char **argv)
{
	struct error error;
	struct load_ftp_settings settings = {.sessions = SESSIONS_DEFAULT, .bytes = BYTES_DEFAULT};
	log_open(program.name);
	if (options_read(&program, argc, argv, &settings, NULL, &error) < 0 ||
		check(&settings, &error) < 0)
		return program_fail(&program, EXIT_MISUSE, &error);
	struct sigaction action = {.sa_handler = on_signal};
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	raise_descriptor_limit();
	static struct load_ftp load;
	int status = load_ftp_open(&load, &settings, &error);
	if (status == 0)
		status = load_ftp_run(&load, &stop, &error);
	if (status == 0)
		status = print(&load, &error);
	if (status == 0 && settings.mode == LOAD_FTP_IDLE)
		wait_for_end();
	bool failed = load.result.failed > 0;
	load_ftp_close(&load);
	if (status < 0)
		return program_fail(&program, EXIT_SYSTEM, &error);
	return failed ? EXIT_BROKEN : EXIT_DONE;
}
