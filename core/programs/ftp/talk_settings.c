#include "programs/ftp/talk_settings.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"

enum { PASSWORD_MAX = 1024 };

static int set_text(
	char **setting, const char *name, const struct option_value *value, struct error *error)
{
	if (strpbrk(value->text, "\r\n"))
		return error_set(error, -EINVAL, "--%s holds a line break", name);
	free(*setting);
	*setting = strdup(value->text);
	return *setting ? 0 : error_set(error, -ENOMEM, "out of memory");
}

#define ACCEPT_TEXT(function, member)                                                              \
	static int function(void *settings, const struct option_value *value, struct error *error) \
	{                                                                                          \
		struct talk_settings *ours = settings;                                             \
		return set_text(&ours->member, value->name, value, error);                         \
	}

#define ACCEPT_FLAG(function, member)                                                              \
	static int function(void *settings, const struct option_value *value, struct error *error) \
	{                                                                                          \
		(void)value;                                                                       \
		(void)error;                                                                       \
		((struct talk_settings *)settings)->member = true;                                 \
		return 0;                                                                          \
	}

ACCEPT_TEXT(accept_server, server)
ACCEPT_TEXT(accept_user, user)
ACCEPT_TEXT(accept_password, password)
ACCEPT_TEXT(accept_password_file, password_file)
ACCEPT_TEXT(accept_authorities, tls_authorities)
ACCEPT_FLAG(accept_active, active)
ACCEPT_FLAG(accept_ascii, ascii)
ACCEPT_FLAG(accept_resume, resume)
ACCEPT_FLAG(accept_quiet, quiet)
ACCEPT_FLAG(accept_tls, tls)
ACCEPT_FLAG(accept_tls_any, tls_any)

#define ACCEPT_TIME(function, member)                                                              \
	static int function(void *settings, const struct option_value *value, struct error *error) \
	{                                                                                          \
		return option_seconds(&((struct talk_settings *)settings)->member, value, error);  \
	}

ACCEPT_TIME(accept_wait, wait_ns)
ACCEPT_TIME(accept_connect_time, connect_ns)
ACCEPT_TIME(accept_stall_time, stall_ns)

static int accept_protocol(void *settings, const struct option_value *value, struct error *error)
{
	struct talk_settings *ours = settings;
	return option_protocol(&ours->text, "ftp", value, error);
}

static const struct option options[] = {
	{.help = "who"},
	{"user", "NAME", "log in as NAME; default anonymous", accept_user},
	{"password", "TEXT",
		"with this password, which everybody can see in the list of processes:\n"
		"--password-file, or being asked, is better; of anonymous it is anonymous@",
		accept_password},
	{"password-file", "FILE", "with the password in the first line of FILE",
		accept_password_file},
	{"wait", "SECONDS", "give up when not served by then; default never", accept_wait},

	{.help = "how"},
	{"active", NULL, "let the server connect to us (PORT, EPRT)", accept_active},
	{"ascii", NULL, "transfer files as text (TYPE A)", accept_ascii},
	{"resume", NULL, "go on where an earlier get or put ended", accept_resume},
	{"connect-time", "SECONDS", "how long a connection may take to come about; default: 30",
		accept_connect_time},
	{"stall-time", "SECONDS", "how long a transfer may stand still; default: 120",
		accept_stall_time},
	{"quiet", NULL, "no progress bar, and of the server only what it refuses", accept_quiet},

	{.help = "the report's text protocol"},
	{"protocol", "PROTOCOL",
		"text: not FTP but the report's, of one connection and bare file names;\n"
		"'get' alone, or a prompt for names; default: ftp",
		accept_protocol},
	{"server", "ADDR:PORT", "the server of that protocol; default port 12345", accept_server},

	{.help = "TLS"},
	{"tls", NULL, "protect both connections; a server that cannot is left", accept_tls},
	{"tls-ca", "FILE", "believe the certificates in FILE instead of the system's; with --tls",
		accept_authorities},
	{"tls-any", NULL, "believe any certificate: no protection against an impostor",
		accept_tls_any},
};

const struct program talk_program = {
	.name = "ftp-client",
	.synopsis = "[OPTION...] HOST[:PORT] [COMMAND [ARGUMENT...]]\n"
		    "       ftp-client --protocol text --server ADDR:PORT [get NAME [LOCAL]]",
	.purpose = "Gets, puts and lists files over FTP:\n"
		   "  get REMOTE [LOCAL]      get [-r] [-o LOCAL|-] REMOTE...\n"
		   "  put LOCAL [REMOTE]      put [-r] [-o REMOTE] LOCAL...\n"
		   "  ls [PATH]               and cd pwd size mkdir rmdir rm mv help\n"
		   "Without a command it asks for them on a terminal, or reads them from standard\n"
		   "input, one a line. An IPv6 address is written [ADDR].",
	.options = options,
	.option_count = ARRAY_LENGTH(options),
	.exit_status = "0 done, 2 misuse, 3 the system refused, 5 the other side refused",
};

static const int enders[] = {SIGINT, SIGTERM, SIGHUP};

/* One of those came since a password is being asked for. */
static volatile sig_atomic_t interrupted;

static void note_interrupt(int number)
{
	(void)number;
	interrupted = true;
}

/* The first line; ret_password is the caller's. */
static int read_password(int fd, const char *origin, char **ret_password, struct error *error)
{
	char line[PASSWORD_MAX + 1];
	size_t length = 0;
	const char *end = NULL;
	while (!end && length < sizeof(line)) {
		ssize_t got = read(fd, line + length, sizeof(line) - length);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return error_system(
				error, -errno, "cannot read the password from %s", origin);
		length += (size_t)got;
		end = got == 0 ? line + length : memchr(line, '\n', length);
	}
	if (!end)
		return error_set(error, -EINVAL, "the password from %s is too long", origin);
	length = (size_t)(end - line);
	if (length > 0 && line[length - 1] == '\r')
		length--;
	bool odd = memchr(line, '\0', length) || memchr(line, '\r', length);
	if (!odd)
		*ret_password = strndup(line, length);
	explicit_bzero(line, sizeof(line));
	if (odd)
		return error_set(error, -EINVAL,
			"the password from %s holds what no FTP command can carry", origin);
	return *ret_password ? 0 : error_set(error, -ENOMEM, "out of memory");
}

static int password_from_file(struct talk_settings *settings, struct error *error)
{
	char origin[300];
	CLEANUP(close_fd) int fd = open(settings->password_file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	snprintf(origin, sizeof(origin), "'%s'", settings->password_file);
	if (fd < 0)
		return error_system(error, -errno, "cannot read the password from %s", origin);
	return read_password(fd, origin, &settings->password, error);
}

/* Until a line is there, or one of the signals that `calm`, unlike ourselves, lets through. */
static int wait_for_line(int fd, const sigset_t *calm, struct error *error)
{
	struct pollfd line = {.fd = fd, .events = POLLIN};
	while (!interrupted && ppoll(&line, 1, NULL, calm) < 0 && errno == EINTR)
		;
	return interrupted ? error_set(error, -EINTR, "interrupted") : 0;
}

static int read_without_echo(int fd, const char *name, char **ret_password, struct error *error)
{
	sigset_t calm;
	struct termios before, silent;
	if (tcgetattr(fd, &before) < 0)
		return 0;
	silent = before;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	silent.c_lflag |= ICANON | ECHONL;
	/* In this order: what is typed at once must not be shown, and not be thrown away. */
	tcsetattr(fd, TCSAFLUSH, &silent);
	dprintf(fd, "password of %s: ", name);
	sigprocmask(SIG_SETMASK, NULL, &calm);
	for (size_t i = 0; i < ARRAY_LENGTH(enders); i++)
		sigdelset(&calm, enders[i]);
	int status = wait_for_line(fd, &calm, error);
	if (status == 0)
		status = read_password(fd, "the terminal", ret_password, error);
	tcsetattr(fd, TCSANOW, &before);
	return status;
}

/* Nobody at a terminal: then there is no password, as for anonymous. */
static int password_from_terminal(struct talk_settings *settings, struct error *error)
{
	struct sigaction noted = {.sa_handler = note_interrupt}, before[ARRAY_LENGTH(enders)];
	sigset_t held;
	CLEANUP(close_fd) int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 || !isatty(STDIN_FILENO))
		return 0;
	CLEANUP(free_pointer) char *name = text_sanitize(settings->user, strlen(settings->user));
	/* A terminal is not to be left without echo: what would end us ends the read instead. */
	sigemptyset(&held);
	for (size_t i = 0; i < ARRAY_LENGTH(enders); i++) {
		sigaddset(&held, enders[i]);
		sigaction(enders[i], &noted, &before[i]);
	}
	sigprocmask(SIG_BLOCK, &held, NULL);
	int status = read_without_echo(fd, name ? name : "?", &settings->password, error);
	sigprocmask(SIG_UNBLOCK, &held, NULL);
	for (size_t i = 0; i < ARRAY_LENGTH(enders); i++)
		sigaction(enders[i], &before[i], NULL);
	return status;
}

/* The first option given that the text protocol has no use for; NULL where there is none. */
static const char *option_of_ftp(const struct talk_settings *settings)
{
	const struct {
		bool given;
		const char *name;
	} rows[] = {
		{settings->user, "user"},
		{settings->password, "password"},
		{settings->password_file, "password-file"},
		{settings->active, "active"},
		{settings->ascii, "ascii"},
		{settings->resume, "resume"},
		{settings->tls_authorities, "tls-ca"},
		{settings->tls_any, "tls-any"},
		{settings->tls, "tls"},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
		if (rows[i].given)
			return rows[i].name;
	return NULL;
}

static int check_protocol(const struct talk_settings *settings, struct error *error)
{
	const char *foreign = settings->text ? option_of_ftp(settings) : NULL;
	if (foreign)
		return error_set(error, -EINVAL,
			"--%s is FTP's: --protocol text knows nothing of it", foreign);
	if (settings->text && !settings->server)
		return error_set(error, -EINVAL, "--server ADDR:PORT is missing");
	if (!settings->text && settings->server)
		return error_set(error, -EINVAL,
			"--server is of --protocol text; FTP's server is the first word");
	return 0;
}

int talk_settings_check(struct talk_settings *settings, struct error *error)
{
	if (check_protocol(settings, error) < 0)
		return error->code;
	settings->tls |= settings->tls_any || settings->tls_authorities;
	if (settings->tls_any && settings->tls_authorities)
		return error_set(error, -EINVAL,
			"--tls-any believes every certificate, so --tls-ca has no say");
	if (settings->password && settings->password_file)
		return error_set(error, -EINVAL, "--password and --password-file are one too many");
	if (settings->resume && settings->ascii)
		return error_set(
			error, -EINVAL, "--resume counts bytes, so it does not go with --ascii");
	return 0;
}

int talk_settings_complete(struct talk_settings *settings, struct error *error)
{
	if (settings->password_file)
		return password_from_file(settings, error);
	bool named = settings->user && strcmp(settings->user, "anonymous") != 0;
	if (named && !settings->password)
		return password_from_terminal(settings, error);
	return 0;
}

void talk_settings_finish(struct talk_settings *settings)
{
	if (settings->password)
		explicit_bzero(settings->password, strlen(settings->password));
	free(settings->server);
	free(settings->user);
	free(settings->password);
	free(settings->password_file);
	free(settings->tls_authorities);
}
