/* ftp/client: what our client sends and does, as scripts of replies. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "ftp/client.h"
#include "unit.h"

static struct ftp_client_actions actions;

/* The actions in short: the line that is sent, or the action's name. */
static const char *shorten(void)
{
	static const char *const results[] = {
		"DONE", "REFUSED", "LOST", "LOCAL", "MISUSE", "LONGER", "IN_CLEAR", "ABORTED"};
	static char text[FTP_INPUT_LINE_MAX + 64];
	size_t used = 0;
	text[0] = '\0';
	for (size_t i = 0; i < actions.count; i++) {
		const struct ftp_client_action *action = &actions.list[i];
		char *at = text + used;
		size_t left = sizeof(text) - used;
		int put = i ? snprintf(at, left, " ") : 0;
		at += put;
		left -= (size_t)put;
		switch (action->kind) {
		case FTP_CLIENT_SEND:
			EXPECT(memcmp(action->text + action->length - 2, "\r\n", 2) == 0,
				"line end");
			put += snprintf(at, left, "%.*s", (int)action->length - 2, action->text);
			break;
		case FTP_CLIENT_SECURE:
			put += snprintf(at, left, "secure");
			break;
		case FTP_CLIENT_CONNECT:
			put += snprintf(at, left, "connect:%s", ENDPOINT_TEXT(&action->endpoint));
			break;
		case FTP_CLIENT_LISTEN:
			put += snprintf(at, left, "listen");
			break;
		case FTP_CLIENT_MOVE:
			put += snprintf(at, left, "move");
			break;
		case FTP_CLIENT_DROP_DATA:
			put += snprintf(at, left, "drop");
			break;
		case FTP_CLIENT_REPORT:
			put += snprintf(at, left, "%s", results[action->result]);
			break;
		}
		used += (size_t)put;
	}
	return text;
}

static const char *step(struct ftp_client *client, const struct ftp_client_event *event)
{
	ftp_client_step(client, event, 0, &actions);
	return shorten();
}

/*
 * An event in short: a digit begins a reply, "=N" answers with outcome N, ".N" ends the data with
 * it, "x" closes, "-" is a line within a reply, "!" gives the task up, and a verb with its argument is a task: behind "?" with
 * the wish to know the size, behind "N>" with the wish to resume and N local bytes. "a>b" is the
 * argument of a renaming.
 */
struct exchange {
	const char *event, *actions;
};

static void read_task(struct ftp_client_event *event, const char *text)
{
	static char first[FTP_INPUT_LINE_MAX];
	struct ftp_command command;
	char *end;
	event->kind = FTP_CLIENT_EVENT_TASK;
	event->ask_size = *text == '?';
	text += event->ask_size;
	event->local_bytes = strtoul(text, &end, 10);
	event->resume = end > text;
	text = event->resume ? end + 1 : text;
	EXPECT(ftp_command_parse(text, strlen(text), &command) == FTP_COMMAND_GOOD ||
			command.verb == FTP_CWD || command.verb == FTP_STOR,
		"'%s' is a task", text);
	event->task = command.verb;
	event->argument = command.argument;
	const char *second = strchr(command.argument, '>');
	if (second) {
		snprintf(first, sizeof(first), "%.*s", (int)(second - command.argument),
			command.argument);
		event->argument = first;
		event->second = second + 1;
	}
}

static const char *play(struct ftp_client *client, const char *text)
{
	struct ftp_client_event event = {
		.local = {.family = ENDPOINT_IPV4, .address = {192, 0, 2, 7}, .port = 50000}};
	bool resume = text[strspn(text, "0123456789")] == '>';
	if (*text >= '0' && *text <= '9' && !resume) {
		event.kind = FTP_CLIENT_EVENT_REPLY;
		event.code = (unsigned)strtoul(text, NULL, 10);
		event.text = text + 4;
		event.length = strlen(text + 4);
	} else if (*text == '=' || *text == '.') {
		event.kind = *text == '=' ? FTP_CLIENT_EVENT_ANSWER : FTP_CLIENT_EVENT_MOVED;
		event.outcome = (enum ftp_outcome)strtol(text + 1, NULL, 10);
	} else if (*text == 'x') {
		event.kind = FTP_CLIENT_EVENT_CLOSED;
	} else if (*text == '!') {
		event.kind = FTP_CLIENT_EVENT_ABORT;
	} else if (*text == '-') {
		event.kind = FTP_CLIENT_EVENT_LINE;
	} else {
		read_task(&event, text);
	}
	return step(client, &event);
}

static const struct endpoint server = {
	.family = ENDPOINT_IPV4, .address = {192, 0, 2, 1}, .port = 21};

static bool with_tls;

static void run(const char *title, bool active, const struct exchange *exchanges, size_t count)
{
	struct ftp_client client;
	ftp_client_init(&client, &server, "anonymous", "me@");
	client.active = active;
	client.tls = with_tls;
	for (size_t i = 0; i < count; i++) {
		const char *seen = play(&client, exchanges[i].event);
		EXPECT(strcmp(seen, exchanges[i].actions) == 0,
			"%s [%zu] '%s': expected '%s', saw '%s' (%s)", title, i, exchanges[i].event,
			exchanges[i].actions, seen, ftp_client_state_name(client.state));
	}
}

#define RUN(title, active, ...)                                                                    \
	do {                                                                                       \
		static const struct exchange exchanges_[] = {__VA_ARGS__};                         \
		run(title, active, exchanges_, ARRAY_LENGTH(exchanges_));                          \
	} while (0)

#define LOGIN                                                                                      \
	{"220 hi", "USER anonymous"}, {"331 pw", "PASS me@"},                                      \
	{                                                                                          \
		"230 in", "DONE"                                                                   \
	}

static void test_login(void)
{
	RUN("log-in", false, LOGIN, {"QUIT", "QUIT"}, {"221 bye", "drop DONE"}, {"x", ""});
	RUN("no password", false, {"220 hi", "USER anonymous"}, {"230 in", "DONE"});
	RUN("later", false, {"120 soon", ""}, {"220 hi", "USER anonymous"});
	RUN("full", false, {"421 full", "drop REFUSED"}, {"x", ""}, {"QUIT", ""});
	RUN("wrong", false, {"220 hi", "USER anonymous"}, {"331 pw", "PASS me@"},
		{"530 no", "drop REFUSED"});
	RUN("account", false, {"220 hi", "USER anonymous"}, {"332 acct", "drop REFUSED"});
	RUN("gone", false, {"220 hi", "USER anonymous"}, {"x", "drop LOST"});
	RUN("quit without reply", false, LOGIN, {"QUIT", "QUIT"}, {"x", "drop DONE"});
	RUN("shut down", false, LOGIN, {"421 down", "drop REFUSED"});
}

#define EXTENDED "229 ok (|||5000|)", "connect:192.0.2.1:5000"

static void test_passive(void)
{
	RUN("get, and again", false, LOGIN, {"RETR f", "TYPE I"}, {"200 ok", "EPSV"}, {EXTENDED},
		{"=0", "RETR f"}, {"150 here", "move"}, {".0", ""}, {"226 done", "DONE"},
		{"RETR g", "EPSV"}, {EXTENDED}, {"=0", "RETR g"}, {"150 here", "move"},
		{"226 done", ""}, {".0", "DONE"});
	RUN("no EPSV", false, LOGIN, {"STOR f", "TYPE I"}, {"200 ok", "EPSV"}, {"500 what", "PASV"},
		{"227 ok (10,9,8,7,19,136)", "connect:192.0.2.1:5000"}, {"=0", "STOR f"},
		{"125 here", "move"}, {".0", ""}, {"250 done", "DONE"}, {"STOR g", "PASV"});
	RUN("neither", false, LOGIN, {"RETR f", "TYPE I"}, {"200 ok", "EPSV"}, {"229 odd", "PASV"},
		{"227 odd", "drop REFUSED"}, {"PWD", "PWD"}, {"257 \"/\"", "DONE"});
	RUN("no such file", false, LOGIN, {"RETR f", "TYPE I"}, {"200 ok", "EPSV"}, {EXTENDED},
		{"=0", "RETR f"}, {"550 no", "drop REFUSED"}, {"RETR g", "EPSV"});
	RUN("no data connection", false, LOGIN, {"RETR f", "TYPE I"}, {"200 ok", "EPSV"},
		{EXTENDED}, {"=9", "drop LOST"});
	RUN("without 150", false, LOGIN, {"RETR f", "TYPE I"}, {"200 ok", "EPSV"}, {EXTENDED},
		{"=0", "RETR f"}, {"226 done", "move"}, {".0", "DONE"});
	RUN("server's disk", false, LOGIN, {"STOR f", "TYPE I"}, {"200 ok", "EPSV"}, {EXTENDED},
		{"=0", "STOR f"}, {"150 go", "move"}, {"452 full", "drop REFUSED"}, {".0", ""});
	RUN("our disk", false, LOGIN, {"RETR f", "TYPE I"}, {"200 ok", "EPSV"}, {EXTENDED},
		{"=0", "RETR f"}, {"150 go", "move"}, {".7", ""}, {"426 broken", "drop LOCAL"});
	RUN("our disk is full", false, LOGIN, {"RETR f", "TYPE I"}, {"200 ok", "EPSV"}, {EXTENDED},
		{"=0", "RETR f"}, {"150 go", "move"}, {".6", ""}, {"426 broken", "drop LOCAL"});
	RUN("our disk, calm server", false, LOGIN, {"RETR f", "TYPE I"}, {"200 ok", "EPSV"},
		{EXTENDED}, {"=0", "RETR f"}, {"150 go", "move"}, {"226 done", ""},
		{".6", "LOCAL"});
	RUN("data lost", false, LOGIN, {"RETR f", "TYPE I"}, {"200 ok", "EPSV"}, {EXTENDED},
		{"=0", "RETR f"}, {"150 go", "move"}, {".10", ""}, {"226 done", "LOST"});
	RUN("control lost", false, LOGIN, {"RETR f", "TYPE I"}, {"200 ok", "EPSV"}, {EXTENDED},
		{"=0", "RETR f"}, {"150 go", "move"}, {"x", ""}, {".0", "drop LOST"});
	RUN("control lost behind the data", false, LOGIN, {"RETR f", "TYPE I"}, {"200 ok", "EPSV"},
		{EXTENDED}, {"=0", "RETR f"}, {"150 go", "move"}, {".0", ""}, {"x", "drop LOST"});
	RUN("control lost behind the reply", false, LOGIN, {"RETR f", "TYPE I"}, {"200 ok", "EPSV"},
		{EXTENDED}, {"=0", "RETR f"}, {"150 go", "move"}, {"226 done", ""}, {"x", ""},
		{".0", "DONE"});
	RUN("control lost while sending", false, LOGIN, {"STOR f", "TYPE I"}, {"200 ok", "EPSV"},
		{EXTENDED}, {"=0", "STOR f"}, {"150 go", "move"}, {"x", "drop LOST"}, {".0", ""});
	RUN("list is text", false, LOGIN, {"RETR f", "TYPE I"}, {"500 no", "drop REFUSED"},
		{"LIST", "TYPE A"}, {"200 ok", "EPSV"}, {EXTENDED}, {"=0", "LIST"});
}

static void test_active(void)
{
	RUN("active", true, LOGIN, {"RETR f", "TYPE I"}, {"200 ok", "listen"},
		{"=0", "PORT 192,0,2,7,195,80"}, {"200 ok", "RETR f"}, {"150 here", "move"},
		{".0", ""}, {"226 done", "DONE"});
	RUN("active refused", true, LOGIN, {"LIST a b", "TYPE A"}, {"200 ok", "listen"},
		{"=0", "PORT 192,0,2,7,195,80"}, {"501 no", "drop REFUSED"});
	RUN("no port", true, LOGIN, {"LIST", "TYPE A"}, {"200 ok", "listen"}, {"=8", "drop LOCAL"});
}

static void test_rest(void)
{
	RUN("simple", false, LOGIN, {"CWD pub", "CWD pub"}, {"250 ok", "DONE"}, {"PWD", "PWD"},
		{"257 x", "DONE"}, {"RNFR f", "RNFR f"}, {"550 no", "REFUSED"}, {"200 odd", ""});
	RUN("size", false, LOGIN, {"LIST", "TYPE A"}, {"200 ok", "EPSV"}, {EXTENDED},
		{"=0", "LIST"}, {"150 here", "move"}, {".0", ""}, {"226 done", "DONE"},
		{"SIZE f", "TYPE I"}, {"200 ok", "SIZE f"}, {"213 5", "DONE"}, {"SIZE g", "SIZE g"},
		{"550 no", "REFUSED"}, {"RETR f", "EPSV"});
	RUN("size without TYPE", false, LOGIN, {"SIZE f", "TYPE I"}, {"500 no", "drop REFUSED"});
	RUN("change", false, LOGIN, {"MKD d", "MKD d"}, {"257 \"d\"", "DONE"}, {"RMD d", "RMD d"},
		{"250 ok", "DONE"}, {"DELE f", "DELE f"}, {"550 no", "REFUSED"});
	RUN("rename", false, LOGIN, {"RNFR a>b", "RNFR a"}, {"350 go", "RNTO b"},
		{"250 ok", "DONE"}, {"RNFR a>b", "RNFR a"}, {"550 no", "REFUSED"},
		{"RNFR a>b\nc", "RNFR a"}, {"350 go", "drop MISUSE"});
	RUN("listings", false, LOGIN, {"MLSD d", "TYPE A"}, {"200 ok", "EPSV"}, {EXTENDED},
		{"=0", "MLSD d"}, {"150 here", "move"}, {"226 done", ""}, {".0", "DONE"},
		{"NLST", "EPSV"}, {EXTENDED}, {"=0", "NLST"});
	RUN("Telnet's byte", false, LOGIN, {"CWD a\xff", "CWD a\xff\xff"}, {"250 done", "DONE"});
	RUN("line breaks", false, LOGIN, {"CWD a\r\nDELE b", "drop MISUSE"}, {"PWD", "PWD"});

	struct ftp_client client;
	ftp_client_init(&client, &server, "anonymous", "me@");
	client.peer.family = ENDPOINT_IPV6;
	static const struct exchange six[] = {
		LOGIN, {"RETR f", "TYPE I"}, {"200 ok", "EPSV"}, {"500 what", "drop REFUSED"}};
	for (size_t i = 0; i < ARRAY_LENGTH(six); i++)
		EXPECT_TEXT(play(&client, six[i].event), six[i].actions);

	/* No deadline while the server keeps us in line; one for every reply after that. */
	struct ftp_client_event time = {.kind = FTP_CLIENT_EVENT_TIME};
	ftp_client_init(&client, &server, "anonymous", "me@");
	ftp_client_step(&client, &time, 86400 * NS_PER_SECOND, &actions);
	EXPECT_TEXT(shorten(), "");
	EXPECT_TEXT(play(&client, "220 hi"), "USER anonymous");
	ftp_client_step(&client, &time, 119 * NS_PER_SECOND, &actions);
	EXPECT_TEXT(shorten(), "");
	ftp_client_step(&client, &time, 120 * NS_PER_SECOND, &actions);
	EXPECT_TEXT(shorten(), "drop LOST");

	ftp_client_init(&client, &server, "anonymous", "me@");
	static const struct exchange login[] = {LOGIN};
	for (size_t i = 0; i < ARRAY_LENGTH(login); i++)
		play(&client, login[i].event);
	static char name[FTP_INPUT_LINE_MAX + 100];
	memset(name, 'n', sizeof(name) - 1);
	struct ftp_client_event task = {
		.kind = FTP_CLIENT_EVENT_TASK, .task = FTP_CWD, .argument = name};
	EXPECT_TEXT(step(&client, &task), "drop MISUSE");
}

static void test_tls(void)
{
	with_tls = true;
#define SECURED                                                                                    \
	{"220 hi", "AUTH TLS"}, {"234 go", "secure"}, {"=0", "USER anonymous"},                    \
		{"331 pw", "PASS me@"}, {"230 in", "PBSZ 0"}, {"200 ok", "PROT P"},                \
		{"200 ok", "DONE"}
	RUN("log-in", false, SECURED, {"RETR f", "TYPE I"});
	RUN("no password", false, {"220 hi", "AUTH TLS"}, {"234 go", "secure"},
		{"=0", "USER anonymous"}, {"230 in", "PBSZ 0"});
	/* Nothing is said in clear text, least of all a name or a password. */
	RUN("no TLS", false, {"220 hi", "AUTH TLS"}, {"502 what", "drop IN_CLEAR"}, {"PWD", ""});
	RUN("another 2xx", false, {"220 hi", "AUTH TLS"}, {"200 ok", "drop IN_CLEAR"});
	RUN("handshake", false, {"220 hi", "AUTH TLS"}, {"234 go", "secure"}, {"=16", "drop LOST"});
	RUN("talks meanwhile", false, {"220 hi", "AUTH TLS"}, {"234 go", "secure"}, {"230 in", ""},
		{"=0", "USER anonymous"});
	RUN("PBSZ", false, {"220 hi", "AUTH TLS"}, {"234 go", "secure"}, {"=0", "USER anonymous"},
		{"230 in", "PBSZ 0"}, {"500 what", "drop IN_CLEAR"});
	RUN("PROT", false, {"220 hi", "AUTH TLS"}, {"234 go", "secure"}, {"=0", "USER anonymous"},
		{"230 in", "PBSZ 0"}, {"200 ok", "PROT P"}, {"536 no", "drop IN_CLEAR"});
	RUN("shut down", false, {"220 hi", "AUTH TLS"}, {"421 down", "drop REFUSED"});
	with_tls = false;
}

static void test_resume(void)
{
	RUN("size", false, LOGIN, {"?RETR f", "TYPE I"}, {"200 ok", "SIZE f"}, {"213 12", "EPSV"},
		{EXTENDED}, {"=0", "RETR f"}, {"150 here", "move"}, {".0", ""},
		{"226 done", "DONE"}, {"?RETR g", "SIZE g"}, {"550 no", "EPSV"});
	RUN("get", false, LOGIN, {"5>RETR f", "TYPE I"}, {"200 ok", "SIZE f"}, {"213 12", "EPSV"},
		{EXTENDED}, {"=0", "REST 5"}, {"350 go", "RETR f"}, {"150 here", "move"},
		{".0", ""}, {"226 done", "DONE"}, {"RETR g", "EPSV"}, {EXTENDED}, {"=0", "RETR g"});
	RUN("get, active", true, LOGIN, {"5>RETR f", "TYPE I"}, {"200 ok", "SIZE f"},
		{"213 12", "listen"}, {"=0", "PORT 192,0,2,7,195,80"}, {"200 ok", "REST 5"},
		{"350 go", "RETR f"});
	RUN("get all", false, LOGIN, {"12>RETR f", "TYPE I"}, {"200 ok", "SIZE f"},
		{"213 12", "drop DONE"});
	RUN("get less", false, LOGIN, {"13>RETR f", "TYPE I"}, {"200 ok", "SIZE f"},
		{"213 12", "drop LONGER"});
	RUN("no REST", false, LOGIN, {"5>RETR f", "TYPE I"}, {"200 ok", "SIZE f"},
		{"500 -", "EPSV"}, {EXTENDED}, {"=0", "REST 5"}, {"502 no", "drop REFUSED"});
	RUN("put", false, LOGIN, {"12>STOR f", "TYPE I"}, {"200 ok", "SIZE f"}, {"213  7 ", "EPSV"},
		{EXTENDED}, {"=0", "REST 7"}, {"350 go", "STOR f"});
	RUN("put first", false, LOGIN, {"12>STOR f", "TYPE I"}, {"200 ok", "SIZE f"},
		{"550 none", "EPSV"}, {EXTENDED}, {"=0", "STOR f"});
	RUN("put all", false, LOGIN, {"12>STOR f", "TYPE I"}, {"200 ok", "SIZE f"},
		{"213 12", "drop DONE"});
	RUN("put longer", false, LOGIN, {"12>STOR f", "TYPE I"}, {"200 ok", "SIZE f"},
		{"213 13", "drop LONGER"});
	RUN("put nothing", false, LOGIN, {"0>STOR f", "TYPE I"}, {"200 ok", "SIZE f"},
		{"213 0", "EPSV"}, {EXTENDED}, {"=0", "STOR f"});
	RUN("odd sizes", false, LOGIN, {"?RETR f", "TYPE I"}, {"200 ok", "SIZE f"},
		{"213 1e9", "EPSV"}, {EXTENDED}, {"=0", "RETR f"});
	RUN("too large a size", false, LOGIN, {"5>RETR f", "TYPE I"}, {"200 ok", "SIZE f"},
		{"213 18446744073709551616", "EPSV"}, {EXTENDED}, {"=0", "REST 5"});
}

/* What is given up leaves a connection that can be used; each reply is its own command's. */
static void test_abort(void)
{
	RUN("transfer", false, LOGIN, {"RETR f", "TYPE I"}, {"200 ok", "EPSV"}, {EXTENDED},
		{"=0", "RETR f"}, {"150 here", "move"}, {"!", "drop ABOR"}, {"!", ""}, {".10", ""},
		{"426 broken", "PWD"}, {"226 aborted", ""}, {"257 \"/\"", "ABORTED"},
		{"RETR g", "EPSV"});
	RUN("one reply", false, LOGIN, {"RETR f", "TYPE I"}, {"200 ok", "EPSV"}, {EXTENDED},
		{"=0", "RETR f"}, {"150 here", "move"}, {"!", "drop ABOR"}, {"150 some", ""},
		{"226 aborted", "PWD"}, {"257 \"/\"", "ABORTED"}, {"RETR g", "EPSV"});
	RUN("no PWD", false, LOGIN, {"STOR f", "TYPE I"}, {"200 ok", "EPSV"}, {EXTENDED},
		{"=0", "STOR f"}, {"150 here", "move"}, {".0", ""}, {"!", "drop ABOR"},
		{"226 done", "PWD"}, {"225 nothing", ""}, {"550 lost", "ABORTED"});
	RUN("behind the reply", false, LOGIN, {"RETR f", "TYPE I"}, {"200 ok", "EPSV"}, {EXTENDED},
		{"=0", "RETR f"}, {"150 here", "move"}, {"226 done", ""}, {"!", "drop ABOR"},
		{"500 what", "PWD"}, {"257 \"/\"", "ABORTED"});
	RUN("before 150", false, LOGIN, {"STOR f", "TYPE I"}, {"200 ok", "EPSV"}, {EXTENDED},
		{"=0", "STOR f"}, {"!", "drop ABOR"}, {"150 here", ""}, {"426 broken", "PWD"},
		{"226 aborted", ""}, {"257 \"/\"", "ABORTED"}, {"PWD", "PWD"}, {"257 x", "DONE"});
	RUN("on the way", false, LOGIN, {"RETR f", "TYPE I"}, {"!", "drop"}, {"200 ok", "ABORTED"},
		{"RETR f", "TYPE I"}, {"200 ok", "EPSV"}, {EXTENDED}, {"!", "drop ABORTED"},
		{"=0", ""}, {"RETR f", "EPSV"}, {"!", "drop"}, {"229 ok", "ABORTED"});
	RUN("behind REST", false, LOGIN, {"5>RETR f", "TYPE I"}, {"200 ok", "SIZE f"},
		{"213 12", "EPSV"}, {EXTENDED}, {"=0", "REST 5"}, {"!", "drop"},
		{"350 go", "ABORTED"}, {"RETR g", "EPSV"}, {EXTENDED}, {"=0", "REST 0"},
		{"350 go", "RETR g"}, {"550 no", "drop REFUSED"}, {"RETR g", "EPSV"}, {EXTENDED},
		{"=0", "RETR g"});
	RUN("a command", false, LOGIN, {"RNFR a>b", "RNFR a"}, {"!", "drop"}, {"350 go", "ABORTED"},
		{"PWD", "PWD"}, {"!", "drop"}, {"421 down", "drop REFUSED"});
	RUN("closed", false, LOGIN, {"RETR f", "TYPE I"}, {"200 ok", "EPSV"}, {EXTENDED},
		{"=0", "RETR f"}, {"150 here", "move"}, {"x", ""}, {"!", "drop ABORTED"},
		{"PWD", ""});
	RUN("log-in", false, {"!", "drop ABORTED"}, {"220 hi", ""});
	RUN("nothing", false, LOGIN, {"!", ""}, {"PWD", "PWD"});

	struct ftp_client client;
	struct ftp_client_event time = {.kind = FTP_CLIENT_EVENT_TIME};
	static const struct exchange begin[] = {LOGIN, {"PWD", "PWD"}, {"!", "drop"}};
	ftp_client_init(&client, &server, "anonymous", "me@");
	for (size_t i = 0; i < ARRAY_LENGTH(begin); i++)
		EXPECT_TEXT(play(&client, begin[i].event), begin[i].actions);
	ftp_client_step(&client, &time, 9 * NS_PER_SECOND, &actions);
	EXPECT_TEXT(shorten(), "");
	ftp_client_step(&client, &time, 10 * NS_PER_SECOND, &actions);
	EXPECT_TEXT(shorten(), "drop LOST");
}

/* A server that talks and talks is left. */
static void test_talkers(void)
{
	struct ftp_client client;
	static const struct exchange login[] = {LOGIN};
	unsigned count = 0;
	ftp_client_init(&client, &server, "anonymous", "me@");
	for (; count <= FTP_CLIENT_GREETING_LINES && !*play(&client, "-line"); count++)
		;
	EXPECT_NUMBER(count, FTP_CLIENT_GREETING_LINES);
	EXPECT_TEXT(shorten(), "drop LOST");

	ftp_client_init(&client, &server, "anonymous", "me@");
	EXPECT_TEXT(play(&client, "220 hi"), "USER anonymous");
	for (count = 0; count <= FTP_CLIENT_REPLY_LINES && !*play(&client, "-line"); count++)
		;
	EXPECT_NUMBER(count, FTP_CLIENT_REPLY_LINES);

	ftp_client_init(&client, &server, "anonymous", "me@");
	for (size_t i = 0; i < ARRAY_LENGTH(login); i++)
		play(&client, login[i].event);
	for (count = 0; count <= FTP_CLIENT_SURPLUS_MAX && !*play(&client, "200 ok"); count++)
		;
	EXPECT_NUMBER(count, FTP_CLIENT_SURPLUS_MAX);

	static const struct exchange begin[] = {LOGIN, {"RETR f", "TYPE I"}, {"200 ok", "EPSV"},
		{EXTENDED}, {"=0", "RETR f"}, {"150 here", "move"}};
	ftp_client_init(&client, &server, "anonymous", "me@");
	for (size_t i = 0; i < ARRAY_LENGTH(begin); i++)
		EXPECT_TEXT(play(&client, begin[i].event), begin[i].actions);
	for (count = 0; count <= FTP_CLIENT_SURPLUS_MAX && !*play(&client, "150 here"); count++)
		;
	EXPECT_NUMBER(count, FTP_CLIENT_SURPLUS_MAX);
}

/* A 1xx reply to what is done at once: the one behind it tells, and no later command is given it. */
static void test_preliminary(void)
{
	RUN("preliminary", false, LOGIN, {"DELE a", "DELE a"}, {"120 soon", ""},
		{"250 gone", "DONE"}, {"CWD b", "CWD b"}, {"150 look", ""}, {"550 none", "REFUSED"},
		{"QUIT", "QUIT"}, {"120 soon", ""}, {"221 bye", "drop DONE"});
}

/* A line is as long as a server like ours takes it, and no longer. */
static void test_longest_line(void)
{
	static const struct exchange login[] = {LOGIN};
	static char task[FTP_INPUT_LINE_MAX + 2];
	for (size_t length = FTP_INPUT_LINE_MAX; length <= FTP_INPUT_LINE_MAX + 1; length++) {
		struct ftp_client client;
		bool fits = length == FTP_INPUT_LINE_MAX;
		ftp_client_init(&client, &server, "anonymous", "me@");
		for (size_t i = 0; i < ARRAY_LENGTH(login); i++)
			play(&client, login[i].event);
		snprintf(task, sizeof(task), "DELE %*s", (int)length - 5, "x");
		EXPECT_TEXT(play(&client, task), fits ? task : "drop MISUSE");
	}
}

/* A silent server: no word at all is too little, a line in the greeting is enough. */
static void test_silence(void)
{
	struct ftp_client client;
	struct ftp_client_event made = {.kind = FTP_CLIENT_EVENT_MADE};
	struct ftp_client_event time = {.kind = FTP_CLIENT_EVENT_TIME};
	ftp_client_init(&client, &server, "anonymous", "me@");
	EXPECT_TEXT(step(&client, &made), "");
	ftp_client_step(&client, &time, 120 * NS_PER_SECOND, &actions);
	EXPECT_TEXT(shorten(), "drop LOST");

	ftp_client_init(&client, &server, "anonymous", "me@");
	step(&client, &made);
	EXPECT_TEXT(play(&client, "-you wait"), "");
	ftp_client_step(&client, &time, 86400 * NS_PER_SECOND, &actions);
	EXPECT_TEXT(shorten(), "");

	ftp_client_init(&client, &server, "anonymous", "me@");
	client.patient = true;
	step(&client, &made);
	ftp_client_step(&client, &time, 86400 * NS_PER_SECOND, &actions);
	EXPECT_TEXT(shorten(), "");
}

int main(void)
{
	test_login();
	test_tls();
	test_resume();
	test_abort();
	test_talkers();
	test_preliminary();
	test_longest_line();
	test_silence();
	test_passive();
	test_active();
	test_rest();
	return unit_finish();
}
