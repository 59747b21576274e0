#include "programs/ftp/ftp_settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "ftp/text.h"
#include "programs/ftp/socket.h"
#include "programs/ftp/transfer.h"

static int accept_listen(void *settings, const struct option_value *value, struct error *error)
{
	struct ftp_settings *all = settings;
	return option_endpoint(&all->listen, 0, value, error);
}

static int accept_protocol(void *settings, const struct option_value *value, struct error *error)
{
	struct ftp_settings *all = settings;
	return option_protocol(&all->text, "ftp", value, error);
}

static int accept_text(char **setting, const char *text, struct error *error)
{
	free(*setting);
	*setting = strdup(text);
	return *setting ? 0 : error_set(error, -ENOMEM, "out of memory");
}

static int accept_root(void *settings, const struct option_value *value, struct error *error)
{
	return accept_text(&((struct ftp_settings *)settings)->root, value->text, error);
}

/* `--tls`, or `--tls CERTIFICATE`, which holds the key too unless --tls-key says where it is. */
static int accept_tls(void *settings, const struct option_value *value, struct error *error)
{
	struct ftp_settings *all = settings;
	all->session.tls = true;
	return value->text ? accept_text(&all->certificate, value->text, error) : 0;
}

static int accept_tls_key(void *settings, const struct option_value *value, struct error *error)
{
	return accept_text(&((struct ftp_settings *)settings)->key, value->text, error);
}

static int accept_tls_required(
	void *settings, const struct option_value *value, struct error *error)
{
	(void)value, (void)error;
	((struct ftp_settings *)settings)->session.tls_required = true;
	return 0;
}

static int accept_tls_reuse(void *settings, const struct option_value *value, struct error *error)
{
	(void)value, (void)error;
	((struct ftp_settings *)settings)->tls_reuse = true;
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
	return accept_number(value, 1, &((struct ftp_settings *)settings)->clients, error);
}

static int accept_waiting(void *settings, const struct option_value *value, struct error *error)
{
	return accept_number(value, 0, &((struct ftp_settings *)settings)->waiting, error);
}

static int accept_wait_time(void *settings, const struct option_value *value, struct error *error)
{
	return option_seconds(&((struct ftp_settings *)settings)->session.wait_ns, value, error);
}

static int accept_login_time(void *settings, const struct option_value *value, struct error *error)
{
	return option_seconds(&((struct ftp_settings *)settings)->session.login_ns, value, error);
}

static int accept_idle_time(void *settings, const struct option_value *value, struct error *error)
{
	return option_seconds(&((struct ftp_settings *)settings)->idle_ns, value, error);
}

static int accept_connect_time(
	void *settings, const struct option_value *value, struct error *error)
{
	return option_seconds(&((struct ftp_settings *)settings)->connect_ns, value, error);
}

static int accept_stall_time(void *settings, const struct option_value *value, struct error *error)
{
	return option_seconds(&((struct ftp_settings *)settings)->stall_ns, value, error);
}

static int accept_anonymous(void *settings, const struct option_value *value, struct error *error)
{
	struct ftp_settings *all = settings;
	if (rights_parse(value->text, &all->anonymous))
		return 0;
	return error_set(error, -EINVAL,
		"--anonymous wants 'none', 'all', or some of 'read,add,change', not '%s'",
		value->text);
}

static int accept_user(void *settings, const struct option_value *value, struct error *error)
{
	return accounts_add(((struct ftp_settings *)settings)->accounts, value->text, error);
}

static int accept_passwords(void *settings, const struct option_value *value, struct error *error)
{
	struct ftp_settings *all = settings;
	char **name = array_add(&all->read_again, &all->read_again_count);
	if (!name || !(*name = strdup(value->text)))
		return error_set(error, -ENOMEM, "out of memory");
	return accounts_read(all->accounts, value->text, error);
}

static int accept_per_address(void *settings, const struct option_value *value, struct error *error)
{
	return accept_number(value, 1, &((struct ftp_settings *)settings)->per_address, error);
}

static int accept_ports(void *settings, const struct option_value *value, struct error *error)
{
	struct ftp_settings *all = settings;
	CLEANUP(free_pointer) char *first = strdup(value->text);
	char *dash = first ? strchr(first, '-') : NULL;
	uint64_t low, high;
	if (dash)
		*dash = '\0';
	if (!dash || !text_parse_number(first, 1024, 65535, &low) ||
		!text_parse_number(dash + 1, low, 65535, &high))
		return error_set(error, -EINVAL,
			"--ports '%s' is no range of ports from 1024 to 65535; one looks like "
			"50000-50100",
			value->text);
	all->ports = (struct data_ports){.first = (uint16_t)low, .last = (uint16_t)high};
	return 0;
}

static int accept_run_as(void *settings, const struct option_value *value, struct error *error)
{
	return accept_text(&((struct ftp_settings *)settings)->run_as, value->text, error);
}

static int accept_xferlog(void *settings, const struct option_value *value, struct error *error)
{
	return accept_text(&((struct ftp_settings *)settings)->xferlog, value->text, error);
}

static int accept_json_log(void *settings, const struct option_value *value, struct error *error)
{
	return accept_text(&((struct ftp_settings *)settings)->json_log, value->text, error);
}

static int accept_control(void *settings, const struct option_value *value, struct error *error)
{
	return accept_text(&((struct ftp_settings *)settings)->control, value->text, error);
}

static int accept_keep(void *settings, const struct option_value *value, struct error *error)
{
	(void)value, (void)error;
	((struct ftp_settings *)settings)->keeps = true;
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
	{"protocol", "PROTOCOL",
		"ftp, or text: the report's, of one connection and bare file names;\n"
		"default: ftp",
		accept_protocol},
	{"listen", "ADDR:PORT", "where to listen; default: 0.0.0.0:21, in text 0.0.0.0:12345",
		accept_listen},
	{"clients", "N", "how many are served at once; default: 10, in text 3", accept_clients},
	{"waiting", "N", "how many more wait in line; default: 0, in text 2", accept_waiting},
	{"per-address", "N", "at most so many connections of one address; default: no limit",
		accept_per_address},
	{"ports", "FIRST-LAST", "where passive data connections are taken; default: any port",
		accept_ports},
	{"wait-time", "SECONDS", "how long one may wait in line; default: for ever",
		accept_wait_time},
	{"login-time", "SECONDS", "how long a log-in may take; default: 60", accept_login_time},
	{"idle-time", "SECONDS", "how long one may be silent; default: 300, in text for ever",
		accept_idle_time},
	{"connect-time", "SECONDS",
		"how long a data connection may take to come about; default: 30",
		accept_connect_time},
	{"stall-time", "SECONDS", "how long a transfer may stand still; default: 120",
		accept_stall_time},
	{.help = "TLS"},
	{"tls", "[CERTIFICATE]",
		"offer AUTH TLS with this PEM file; without one: by a certificate "
		"made\nfor this run",
		accept_tls},
	{"tls-key", "FILE", "the certificate's key, where it is in a file of its own",
		accept_tls_key},
	{"tls-required", NULL, "no log-in and no data in clear text", accept_tls_required},
	{"tls-reuse", NULL, "data connections must resume their control connection's TLS session",
		accept_tls_reuse},
	{.help = "the program itself"},
	{"run-as", "USER", "become this user once the port is open", accept_run_as},
	{"xferlog", "FILE", "append a line a transfer, as other servers do", accept_xferlog},
	{"json-log", "FILE", "the same as JSON Lines", accept_json_log},
	{"control", "PATH", "the control socket; default: /run/ftp-server.sock", accept_control},
};

static const struct option commands[] = {
	{"status", NULL, "who is served and who waits, transfers and counters", NULL},
};

const struct program ftp_server_program = {
	.name = "ftp-server",
	.synopsis = "--root DIR [--listen ADDR:PORT] [--clients N] [--waiting N] [options]",
	.purpose = "Serve the files below DIR by FTP, or by the report's text protocol. N clients "
		   "are\n"
		   "served at once, others wait in line: first come, first served.",
	.options = options,
	.option_count = ARRAY_LENGTH(options),
	.commands = commands,
	.command_count = ARRAY_LENGTH(commands),
};

int ftp_settings_init(struct ftp_settings *settings, struct error *error)
{
	*settings = (struct ftp_settings){
		.listen = {.family = ENDPOINT_IPV4},
		.clients = UINT64_MAX,
		.waiting = UINT64_MAX,
		.anonymous = FTP_MAY_READ,
		.session = FTP_SESSION_SETTINGS_DEFAULT,
		.connect_ns = DATA_CONNECT_NS,
		.stall_ns = TRANSFER_STALL_NS,
		.accounts = accounts_create(),
	};
	return settings->accounts ? 0 : error_set(error, -ENOMEM, "out of memory");
}

void ftp_settings_finish(struct ftp_settings *settings)
{
	free(settings->root);
	free(settings->certificate);
	free(settings->key);
	free(settings->run_as);
	free(settings->xferlog);
	free(settings->json_log);
	free(settings->control);
	for (size_t i = 0; i < settings->read_again_count; i++)
		free(settings->read_again[i]);
	free(settings->read_again);
	accounts_release(&settings->accounts);
}

/* The first option given that the text protocol has no use for; NULL where there is none. */
static const char *option_of_ftp(const struct ftp_settings *settings)
{
	const struct {
		bool given;
		const char *name;
	} rows[] = {
		{settings->anonymous != FTP_MAY_READ, "anonymous"},
		{settings->read_again_count > 0, "passwords"},
		{settings->accounts->count > 0, "user"},
		{settings->keeps, "keep-cut-off"},
		{settings->ports.first > 0, "ports"},
		{settings->session.login_ns != FTP_SESSION_SETTINGS_DEFAULT.login_ns, "login-time"},
		{settings->connect_ns != DATA_CONNECT_NS, "connect-time"},
		{settings->session.tls, "tls"},
		{settings->key != NULL, "tls-key"},
		{settings->session.tls_required, "tls-required"},
		{settings->tls_reuse, "tls-reuse"},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
		if (rows[i].given)
			return rows[i].name;
	return NULL;
}

/* What was not given, as the protocol has it. */
static void complete(struct ftp_settings *settings)
{
	bool text = settings->text;
	if (settings->listen.port == 0)
		settings->listen.port = text ? FTP_TEXT_PORT : SOCKET_FTP_PORT;
	if (settings->clients == UINT64_MAX)
		settings->clients = text ? 3 : 10;
	if (settings->waiting == UINT64_MAX)
		settings->waiting = text ? 2 : 0;
	if (settings->idle_ns)
		settings->session.idle_ns = settings->idle_ns;
	else if (text)
		settings->session.idle_ns = UINT64_MAX;
}

int ftp_settings_check(struct ftp_settings *settings, struct error *error)
{
	bool speaks_of_tls = settings->session.tls_required || settings->tls_reuse || settings->key;
	if (!settings->root)
		return error_set(error, -EINVAL, "--root DIR is missing: which files to serve");
	const char *foreign = settings->text ? option_of_ftp(settings) : NULL;
	if (foreign)
		return error_set(error, -EINVAL,
			"--%s is FTP's: --protocol text has no accounts, no TLS and no uploads",
			foreign);
	complete(settings);
	if (speaks_of_tls && !settings->session.tls)
		return error_set(error, -EINVAL, "--tls is missing, of which other options speak");
	return accounts_add_anonymous(
		settings->accounts, settings->root, settings->anonymous, error);
}
