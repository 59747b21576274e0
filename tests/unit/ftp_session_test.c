/* ftp/session: what a server answers and does, as scripts of events. */
#include <stdlib.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "ftp/session.h"
#include "unit.h"

static const char *const action_names[] = {
	[FTP_ACTION_LOG_IN] = "login",
	[FTP_ACTION_LOG_OUT] = "logout",
	[FTP_ACTION_START_TLS] = "tls",
	[FTP_ACTION_CHECK_DIRECTORY] = "check",
	[FTP_ACTION_ASK_SIZE] = "size",
	[FTP_ACTION_ASK_FACTS] = "facts",
	[FTP_ACTION_ASK_LISTING] = "lines",
	[FTP_ACTION_SET_TIME] = "time",
	[FTP_ACTION_DELETE] = "delete",
	[FTP_ACTION_REMOVE_DIRECTORY] = "rmdir",
	[FTP_ACTION_MAKE_DIRECTORY] = "mkdir",
	[FTP_ACTION_RENAME] = "rename",
	[FTP_ACTION_LISTEN] = "listen",
	[FTP_ACTION_OPEN_SOURCE] = "source",
	[FTP_ACTION_OPEN_SINK] = "sink",
	[FTP_ACTION_OPEN_LISTING] = "listing",
	[FTP_ACTION_START] = "start",
	[FTP_ACTION_DROP_DATA] = "drop",
	[FTP_ACTION_CLOSE] = "close",
};

/* How a listing or a sink is to be, in short. */
static const char *marks(const struct ftp_action *action)
{
	static const char *const forms[] = {"", "(names)", "(facts)"};
	static const char *const sinks[] = {"", "(append)", "(resume)", "(unique)"};
	return action->kind == FTP_ACTION_OPEN_LISTING ? forms[action->form] : sinks[action->sink];
}

/*
 * The actions in short: a reply by its code (and '-' where it goes on), the rest by name and path.
 */
static const char *shorten(const struct ftp_actions *actions)
{
	static char text[1024];
	size_t used = 0;
	text[0] = '\0';
	for (size_t i = 0; i < actions->count; i++) {
		const struct ftp_action *action = &actions->list[i];
		const char *space = i ? " " : "";
		int put;
		if (action->kind == FTP_ACTION_REPLY) {
			EXPECT(action->length >= 6 &&
					memcmp(action->text + action->length - 2, "\r\n", 2) == 0,
				"a reply without a line end");
			put = snprintf(text + used, sizeof(text) - used, "%s%.*s", space,
				action->text[3] == '-' ? 4 : 3, action->text);
		} else {
			put = snprintf(text + used, sizeof(text) - used, "%s%s%s%s%s%s%s", space,
				action_names[action->kind], action->path ? ":" : "",
				action->path ? action->path : "", action->other ? ">" : "",
				action->other ? action->other : "", marks(action));
		}
		used += (size_t)put;
	}
	return text;
}

static struct ftp_actions actions;

static const char *step(struct ftp_session *session, const struct ftp_event *event, uint64_t now)
{
	ftp_session_step(session, event, now, &actions);
	return shorten(&actions);
}

static const char *say(struct ftp_session *session, const char *line)
{
	struct ftp_event event = {.kind = FTP_EVENT_LINE, .line = line, .length = strlen(line)};
	return step(session, &event, 0);
}

/* The bytes of the first reply of the last step. */
static const char *said(void)
{
	static char text[FTP_REPLY_SPACE];
	text[0] = '\0';
	for (size_t i = 0; i < actions.count; i++)
		if (actions.list[i].kind == FTP_ACTION_REPLY) {
			memcpy(text, actions.list[i].text, actions.list[i].length);
			text[actions.list[i].length] = '\0';
			break;
		}
	return text;
}

static struct endpoint client_address = {
	.family = ENDPOINT_IPV4, .address = {192, 0, 2, 7}, .port = 40000};

static struct ftp_session_settings settings;

static void connect_client(struct ftp_session *session)
{
	ftp_session_init(session, &settings, &client_address, 0);
}

static void begin(struct ftp_session *session)
{
	connect_client(session);
	EXPECT_TEXT(step(session, &(struct ftp_event){.kind = FTP_EVENT_TURN}, 0), "220");
}

#define ALL_RIGHTS (FTP_MAY_READ | FTP_MAY_ADD | FTP_MAY_CHANGE)

static const char *answer_login(struct ftp_session *session, enum ftp_outcome outcome)
{
	struct ftp_event event = {
		.kind = FTP_EVENT_ANSWER, .outcome = outcome, .rights = ALL_RIGHTS};
	return step(session, &event, 0);
}

static void log_in(struct ftp_session *session)
{
	begin(session);
	EXPECT_TEXT(say(session, "USER anonymous"), "331");
	EXPECT_TEXT(say(session, "PASS me@"), "login");
	EXPECT_TEXT(answer_login(session, FTP_OUTCOME_DONE), "230");
}

/*
 * What is said ("=" and an outcome's number answers, "." ends the transfer) and what comes of it.
 */
struct exchange {
	const char *line, *actions;
};

static void run(struct ftp_session *session, const struct exchange *exchanges, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *line = exchanges[i].line;
		struct ftp_event event = {.kind = FTP_EVENT_ANSWER,
			.size_bytes = 4242,
			.rights = ALL_RIGHTS,
			.entry = {.name = "x",
				.mode = S_IFREG | 0644,
				.size_bytes = 4242,
				.modified_seconds = 1795348861},
			.text = " line\r\n",
			.length = 7,
			.name = "file.1",
			.local = {
				.family = ENDPOINT_IPV4, .address = {192, 0, 2, 1}, .port = 50000}};
		const char *seen;
		if (*line == '=' || *line == '.') {
			event.kind = *line == '=' ? FTP_EVENT_ANSWER : FTP_EVENT_ENDED;
			event.outcome = (enum ftp_outcome)strtol(line + 1, NULL, 10);
			seen = step(session, &event, 0);
		} else {
			seen = say(session, line);
		}
		EXPECT(strcmp(seen, exchanges[i].actions) == 0,
			"[%zu] '%s': expected '%s', saw '%s'", i, line, exchanges[i].actions, seen);
	}
}

#define RUN(session, exchanges) run(session, exchanges, ARRAY_LENGTH(exchanges))

static void test_before_login(void)
{
	static const struct exchange exchanges[] = {
		{"PWD", "530"},
		{"RETR a", "530"},
		{"RETR", "530"},
		{"PASS x", "503"},
		{"NOOP", "200"},
		{"SYST", "215"},
		{"FEAT", "211-"},
		{"HELO you", "500"},
		{"", "500"},
		{"MLSD", "530"},
		{"ACCT x", "502"},
		{"HOST x", "502"},
		{"AUTH TLS", "502"},
		{"PBSZ 0", "503"},
		{"PROT P", "503"},
		{"USER", "501"},
		{"NOOP now", "501"},
		{"HELP", "214-"},
		{"HELP retr", "214"},
		{"HELP nix", "501"},
		{"OPTS UTF8 ON", "200"},
		{"USER joe", "331"},
		{"PASS secret", "login"},
		{"NOOP", ""}, /* waits until that is known */
		{"=17", "530"},
		{"PASS secret", "503"},
		{"USER FTP", "331"},
		{"PWD", "530"},
		{"PASS", "login"},
		{"=0", "230"},
		{"PWD", "257"},
		{"REIN", "drop logout 220"},
		{"PWD", "530"},
		{"USER ftp", "331"},
		{"PASS x", "login"},
		{"=7", "421 drop close"},
		{"NOOP", ""},
	};
	CLEANUP(ftp_session_finish) struct ftp_session session;
	begin(&session);
	RUN(&session, exchanges);
	EXPECT_NUMBER(session.state, FTP_SESSION_CLOSED);

	CLEANUP(ftp_session_finish) struct ftp_session guesser;
	begin(&guesser);
	for (unsigned i = 1; i < FTP_LOGIN_FAILURES; i++) {
		EXPECT_TEXT(say(&guesser, "USER root"), "331");
		EXPECT_TEXT(say(&guesser, "PASS guess"), "login");
		EXPECT_TEXT(answer_login(&guesser, FTP_OUTCOME_WRONG), "530");
	}
	EXPECT_TEXT(say(&guesser, "USER root"), "331");
	EXPECT_TEXT(say(&guesser, "PASS guess"), "login");
	EXPECT_TEXT(answer_login(&guesser, FTP_OUTCOME_WRONG), "421 drop close");

	/* What is asked of the edge: the name, and the password as it was sent. */
	CLEANUP(ftp_session_finish) struct ftp_session joe;
	begin(&joe);
	say(&joe, "USER joe");
	say(&joe, "PASS  open sesame ");
	EXPECT_TEXT(joe.name, "joe");
	EXPECT_TEXT(actions.list[0].text, " open sesame ");
	char name[200];
	memset(name, 'x', sizeof(name));
	memcpy(name, "USER ", 5);
	name[100] = '\0';
	answer_login(&joe, FTP_OUTCOME_WRONG);
	EXPECT_TEXT(say(&joe, name), "331");
	EXPECT_NUMBER(strlen(joe.name), FTP_NAME_MAX);
}

static void test_parameters(void)
{
	static const struct exchange exchanges[] = {
		{"TYPE I", "200"},
		{"TYPE A", "200"},
		{"type a n", "200"},
		{"TYPE L 8", "200"},
		{"TYPE L 7", "501"},
		{"TYPE L 36", "504"},
		{"TYPE E", "504"},
		{"TYPE A T", "504"},
		{"TYPE X", "501"},
		{"TYPE", "501"},
		{"STRU F", "200"},
		{"STRU R", "504"},
		{"STRU X", "501"},
		{"MODE S", "200"},
		{"MODE B", "504"},
		{"MODE", "501"},
		{"SITE CHMOD 777 x", "504"},
		{"SITE HELP", "214"},
		{"ALLO 100", "200"},
		{"ALLO 100 R 10", "200"},
		{"ALLO x", "501"},
		{"REST x", "501"},
		{"REST 18446744073709551616", "501"},
		{"OPTS MLST size;", "200"},
		{"OPTS UTF8 OFF", "504"},
		{"OPTS", "501"},
		{"OPTS X", "501"},
		{"LANG", "200"},
		{"LANG en", "200"},
		{"LANG de", "504"},
		{"STAT", "211-"},
		{"SMNT x", "502"},
		{"ABOR", "drop 226"},
	};
	CLEANUP(ftp_session_finish) struct ftp_session session;
	log_in(&session);
	EXPECT_NUMBER(session.type, FTP_TYPE_ASCII);
	RUN(&session, exchanges);
	EXPECT_NUMBER(session.type, FTP_TYPE_IMAGE);
	struct ftp_event nul = {.kind = FTP_EVENT_LINE, .line = "CWD a\0b", .length = 7};
	EXPECT_TEXT(step(&session, &nul, 0), "501");
	struct ftp_event longer = {.kind = FTP_EVENT_LINE_TOO_LONG};
	EXPECT_TEXT(step(&session, &longer, 0), "500");
}

static void test_directories(void)
{
	static const struct exchange exchanges[] = {
		{"CWD pub/a", "check:/pub/a"},
		{"=0", "250"},
		{"CWD ../../../..", "check:/"},
		{"=0", "250"},
		{"CWD nix", "check:/nix"},
		{"=1", "550"},
		{"CWD file", "check:/file"},
		{"=4", "550"},
		{"CWD /pub", "check:/pub"},
		{"=0", "250"},
		{"CDUP", "check:/"},
		{"=0", "200"},
		{"SIZE f", "size:/f"},
		{"=0", "213"},
		{"SIZE f", "size:/f"},
		{"=3", "550"},
		{"=0", ""},
		{"MDTM f", "facts:/f"},
		{"=0", "213"},
		{"MFMT 20260102030405 a b", "time:/a b"},
		{"=0", "213"},
		{"MFMT 20260231000000 a", "501"},
		{"MFMT 20260102030405", "501"},
		{"MLST", "facts:/"},
		{"=0", "250-"},
		{"MLST f", "facts:/f"},
		{"=1", "550"},
		{"DELE f", "delete:/f"},
		{"=0", "250"},
		{"DELE f", "delete:/f"},
		{"=2", "550"},
		{"RMD d", "rmdir:/d"},
		{"=13", "550"},
		{"MKD d", "mkdir:/d"},
		{"=0", "257"},
		{"MKD d", "mkdir:/d"},
		{"=12", "550"},
		{"RNTO b", "503"},
		{"RNFR a", "facts:/a"},
		{"=0", "350"},
		{"RNTO b", "rename:/a>/b"},
		{"=0", "250"},
		{"RNTO b", "503"},
		{"RNFR a", "facts:/a"},
		{"=0", "350"},
		{"NOOP", "200"},
		{"RNTO b", "503"},
		{"RNFR a", "facts:/a"},
		{"=0", "350"},
		{"NOPE", "500"},
		{"RNTO b", "503"},
		{"RNFR a", "facts:/a"},
		{"=0", "350"},
		{"RNTO b", "rename:/a>/b"},
		{"=2", "553"},
		{"STAT f", "lines:/f"},
		{"=0", "213-  li 213"},
		{"STAT f", "lines:/f"},
		{"=1", "450"},
	};
	CLEANUP(ftp_session_finish) struct ftp_session session;
	log_in(&session);
	RUN(&session, exchanges);

	EXPECT_TEXT(say(&session, "CWD say \"hi\"\r226 forged\x7f\xff"),
		"check:/say \"hi\"\r226 forged\x7f\xff");
	struct ftp_event yes = {.kind = FTP_EVENT_ANSWER};
	EXPECT_TEXT(step(&session, &yes, 0), "250");
	EXPECT_TEXT(say(&session, "PWD"), "257");
	EXPECT_TEXT(
		said(), "257 \"/say \"\"hi\"\"?226 forged?\xff\" is the working directory.\r\n");

	/* The longest path, all of it quotes, still gets its whole reply. */
	char line[4096];
	for (size_t i = 0; i < sizeof(line); i++)
		line[i] = i % 200 ? '"' : '/';
	memcpy(line, "CWD /", 5);
	line[4000] = '\0';
	say(&session, line);
	EXPECT_TEXT(step(&session, &yes, 0), "250");
	EXPECT_TEXT(say(&session, "PWD"), "257");
	EXPECT(strlen(said()) > 7900, "the reply has %zu bytes", strlen(said()));
}

static void test_ways(void)
{
	static const struct exchange exchanges[] = {
		{"PORT 192,0,2,7,200,1", "drop 200"},
		{"PORT 192,0,2,8,200,1", "501"},
		{"PORT 192,0,2,7,3,255", "501"},
		{"PORT 192,0,2,7,4,0", "drop 200"},
		{"PORT 1,2,3", "501"},
		{"EPRT |1|192.0.2.7|2000|", "drop 200"},
		{"EPRT |1|192.0.2.9|2000|", "501"},
		{"EPRT |1|192.0.2.7|21|", "501"},
		{"EPRT |2|::1|2000|", "501"},
		{"EPRT |9|x|2000|", "522"},
		{"EPRT x", "501"},
		{"PASV", "listen"},
		{"=0", "227"},
		{"PASV", "listen"},
		{"=8", "425"},
		{"LIST", "425"},
		{"EPSV", "listen"},
		{"=0", "229"},
		{"EPSV 1", "listen"},
		{"=0", "229"},
		{"EPSV 2", "522"},
		{"EPSV 3", "522"},
		{"EPSV x", "501"},
		{"EPSV ALL", "200"},
		{"PASV", "501"},
		{"PORT 192,0,2,7,200,1", "501"},
		{"EPRT |1|192.0.2.7|2000|", "501"},
		{"EPSV", "listen"},
		{"=0", "229"},
	};
	CLEANUP(ftp_session_finish) struct ftp_session session;
	log_in(&session);
	RUN(&session, exchanges);
	EXPECT_TEXT(said(), "229 Entering Extended Passive Mode (|||50000|)\r\n");

	CLEANUP(ftp_session_finish) struct ftp_session other;
	log_in(&other);
	static const struct exchange passive[] = {{"PASV", "listen"}, {"=0", "227"}};
	RUN(&other, passive);
	EXPECT_TEXT(said(), "227 Entering Passive Mode (192,0,2,1,195,80)\r\n");

	client_address.family = ENDPOINT_IPV6;
	CLEANUP(ftp_session_finish) struct ftp_session six;
	log_in(&six);
	static const struct exchange modern[] = {{"PASV", "425"}, {"EPSV 1", "522"},
		{"EPSV 2", "listen"}, {"=0", "229"}, {"PORT 192,0,2,7,200,1", "501"}};
	RUN(&six, modern);
	client_address.family = ENDPOINT_IPV4;
}

static void test_transfers(void)
{
	static const struct exchange exchanges[] = {
		{"RETR f", "425"},
		{"PORT 192,0,2,7,200,1", "drop 200"},
		{"RETR f", "source:/f"},
		{"=0", "150 start"},
		{"NOOP", "200"},
		{"STAT", "211"},
		{"PWD", ""}, /* waits in the edge's buffer */
		{"QUIT", ""},
		{".0", "drop 226"},
		{"RETR f", "425"}, /* each transfer wants its own */
		{"PORT 192,0,2,7,200,1", "drop 200"},
		{"RETR nix", "source:/nix"},
		{"=1", "drop 550"},
		{"PORT 192,0,2,7,200,1", "drop 200"},
		{"STOR up", "sink:/up"},
		{"=0", "150 start"},
		{".6", "drop 452"},
		{"PORT 192,0,2,7,200,1", "drop 200"},
		{"STOR up", "sink:/up"},
		{"=0", "150 start"},
		{".10", "drop 426"},
		{"PORT 192,0,2,7,200,1", "drop 200"},
		{"LIST -la pub", "listing:/pub"},
		{"=0", "150 start"},
		{".9", "drop 425"},
		{"PORT 192,0,2,7,200,1", "drop 200"},
		{"NLST -1", "listing:/(names)"},
		{"=0", "150 start"},
		{"ABOR", "drop 426 226"},
		{".0", ""}, /* too late: it was aborted */
		{"PORT 192,0,2,7,200,1", "drop 200"},
		{"STOR /", "sink:/"},
		{"=5", "drop 553"},
		{"REST 100", "350"},
		{"PORT 192,0,2,7,200,1", "drop 200"},
		{"STOR f", "sink:/f(resume)"},
		{"=14", "drop 554"},
		{"PORT 192,0,2,7,200,1", "drop 200"},
		{"STOR f", "sink:/f"}, /* REST counted once */
		{"=2", "drop 553"},
		{"PORT 192,0,2,7,200,1", "drop 200"},
		{"APPE f", "sink:/f(append)"},
		{"=0", "150 start"},
		{".0", "drop 226"},
		{"PORT 192,0,2,7,200,1", "drop 200"},
		{"STOU", "sink:/file(unique)"},
		{"=0", "150 start"},
		{".0", "drop 226"},
		{"PORT 192,0,2,7,200,1", "drop 200"},
		{"MLSD", "listing:/(facts)"},
		{"=4", "drop 501"},
		{"PORT 192,0,2,7,200,1", "drop 200"},
		{"LIST nix", "listing:/nix"},
		{"=1", "drop 450"},
		{"NOOP", "200"},
	};
	CLEANUP(ftp_session_finish) struct ftp_session session;
	log_in(&session);
	RUN(&session, exchanges);
}

static void test_line_and_time(void)
{
	CLEANUP(ftp_session_finish) struct ftp_session session;
	connect_client(&session);
	EXPECT(!ftp_session_takes(&session, "USER a", 6), "a line taken before the turn");
	struct ftp_event event = {.kind = FTP_EVENT_PLACE, .place = 2, .served = 3};
	EXPECT_TEXT(step(&session, &event, 0), "220-");
	EXPECT_TEXT(said(), "220-You are number 2 in line; 3 clients are being served.\r\n");
	event = (struct ftp_event){.kind = FTP_EVENT_PLACE, .place = 1, .served = 1};
	EXPECT_TEXT(step(&session, &event, 0), "220-");
	EXPECT_TEXT(said(), "220-You are number 1 in line; 1 client is being served.\r\n");
	CLEANUP(ftp_session_finish) struct ftp_session eager;
	struct ftp_event early = {.kind = FTP_EVENT_TOO_EARLY};
	connect_client(&eager);
	EXPECT_TEXT(step(&eager, &early, 0), "220 421 drop close");
	struct ftp_event time = {.kind = FTP_EVENT_TIME};
	EXPECT_TEXT(step(&session, &time, 86400 * NS_PER_SECOND), ""); /* a day in line */
	event = (struct ftp_event){.kind = FTP_EVENT_TURN};
	uint64_t now = 86400 * NS_PER_SECOND;
	EXPECT_TEXT(step(&session, &event, now), "220");
	EXPECT(ftp_session_takes(&session, "USER a", 6), "a line not taken");

	/* The log-in's time is not prolonged by talk. */
	struct ftp_event noop = {.kind = FTP_EVENT_LINE, .line = "NOOP", .length = 4};
	EXPECT_TEXT(step(&session, &noop, now + 59 * NS_PER_SECOND), "200");
	EXPECT_TEXT(step(&session, &time, now + 59 * NS_PER_SECOND), "");
	EXPECT_TEXT(step(&session, &time, now + 60 * NS_PER_SECOND), "421 drop close");
	EXPECT_TEXT(step(&session, &time, now + 90 * NS_PER_SECOND), "");

	CLEANUP(ftp_session_finish) struct ftp_session idler;
	log_in(&idler);
	EXPECT_TEXT(step(&idler, &noop, 200 * NS_PER_SECOND), "200");
	EXPECT_TEXT(step(&idler, &time, 499 * NS_PER_SECOND), "");
	say(&idler, "PORT 192,0,2,7,200,1");
	say(&idler, "RETR f");
	EXPECT_TEXT(step(&idler, &(struct ftp_event){.kind = FTP_EVENT_ANSWER}, 0), "150 start");
	EXPECT_TEXT(step(&idler, &time, 9000 * NS_PER_SECOND), "");
	struct ftp_event ended = {.kind = FTP_EVENT_ENDED};
	EXPECT_TEXT(step(&idler, &ended, 9000 * NS_PER_SECOND), "drop 226");
	EXPECT_TEXT(step(&idler, &time, 9300 * NS_PER_SECOND), "421 drop close");

	CLEANUP(ftp_session_finish) struct ftp_session late, full;
	struct ftp_event end = {.kind = FTP_EVENT_SHUTDOWN}, no = {.kind = FTP_EVENT_FULL};
	connect_client(&late);
	EXPECT_TEXT(step(&late, &end, 0), "220 421 drop close");
	EXPECT_TEXT(step(&late, &end, 0), "");
	connect_client(&full);
	EXPECT_TEXT(step(&full, &no, 0), "421 drop close");
	ftp_session_finish(&full);
	log_in(&full);
	EXPECT_TEXT(step(&full, &end, 0), "421 drop close");
}

/* A new USER ends the log-in before it, with all its settings. */
static void test_login_again(void)
{
	static const struct exchange exchanges[] = {
		{"TYPE I", "200"},
		{"CWD pub", "check:/pub"},
		{"=0", "250"},
		{"USER joe", "drop logout 331"},
		{"PWD", "530"},
		{"PASS x", "login"},
		{"=17", "530"},
		{"USER ftp", "331"},
		{"PASS x", "login"},
		{"=0", "230"},
		{"PWD", "257"},
	};
	CLEANUP(ftp_session_finish) struct ftp_session session;
	log_in(&session);
	RUN(&session, exchanges);
	EXPECT_TEXT(said(), "257 \"/\" is the working directory.\r\n");
	EXPECT_NUMBER(session.type, FTP_TYPE_ASCII);
}

/* What an account may not do never reaches the edge. */
static void test_rights(void)
{
	static const struct {
		unsigned rights;
		const char *line, *actions;
	} cases[] = {
		{FTP_MAY_READ, "DELE f", "550"},
		{FTP_MAY_READ, "STOR f", "553"},
		{FTP_MAY_READ, "STOU", "553"},
		{FTP_MAY_READ, "APPE f", "550"},
		{FTP_MAY_READ, "MKD d", "550"},
		{FTP_MAY_READ, "RMD d", "550"},
		{FTP_MAY_READ, "RNFR f", "550"},
		{FTP_MAY_READ, "MFMT 20260102030405 f", "550"},
		{FTP_MAY_READ, "SIZE f", "size:/f"},
		{FTP_MAY_READ, "RETR f", "source:/f"},
		{FTP_MAY_READ | FTP_MAY_ADD, "STOR f", "sink:/f"},
		{FTP_MAY_READ | FTP_MAY_ADD, "DELE f", "550"},
		{FTP_MAY_ADD, "STOR f", "sink:/f"},
		{FTP_MAY_ADD, "RETR f", "550"},
		{FTP_MAY_ADD, "LIST", "450"},
		{FTP_MAY_ADD, "STAT /", "450"},
		{FTP_MAY_ADD, "STAT", "211-"},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		CLEANUP(ftp_session_finish) struct ftp_session session;
		log_in(&session);
		session.rights = cases[i].rights;
		say(&session, "PORT 192,0,2,7,200,1");
		const char *seen = say(&session, cases[i].line);
		EXPECT(strcmp(seen, cases[i].actions) == 0, "[%zu] %s: expected '%s', saw '%s'", i,
			cases[i].line, cases[i].actions, seen);
	}
}

/* RFC 4217: what is promised in clear text does not hold inside TLS, and the order is kept. */
static void test_tls(void)
{
	static const struct exchange exchanges[] = {
		{"USER joe", "534"},
		{"PBSZ 0", "503"},
		{"AUTH KERBEROS", "504"},
		{"AUTH tls", "234 tls"},
		{"AUTH TLS", "503"},
		{"PROT P", "503"},
		{"PBSZ x", "501"},
		{"PBSZ 0", "200"},
		{"PROT S", "536"},
		{"PROT X", "504"},
		{"PROT C", "534"},
		{"USER joe", "331"},
		{"PASS x", "login"},
		{"=0", "230"},
		{"PORT 192,0,2,7,200,1", "drop 200"},
		{"RETR f", "drop 521"},
		{"PROT P", "200"},
		{"PORT 192,0,2,7,200,1", "drop 200"},
		{"RETR f", "source:/f"},
		{"=0", "150 start"},
		{".16", "drop 425"},
		{"REIN", "502"},
	};
	struct ftp_session_settings before = settings;
	settings.tls = settings.tls_required = true;
	CLEANUP(ftp_session_finish) struct ftp_session session;
	begin(&session);
	RUN(&session, exchanges);
	EXPECT(session.secure && session.protect, "not in TLS");
	say(&session, "FEAT");
	EXPECT(strstr(said(), "\r\n AUTH TLS\r\n"), "FEAT does not tell of TLS: %s", said());
	settings = before;
}

/* The lines of FEAT, MLST and HELP as they go out. */
static void test_long_replies(void)
{
	CLEANUP(ftp_session_finish) struct ftp_session session;
	log_in(&session);
	say(&session, "OPTS MLST Type;size;nix;perm;");
	EXPECT_TEXT(said(), "200 MLST OPTS type;size;perm;\r\n");
	say(&session, "FEAT");
	EXPECT_TEXT(said(),
		"211-Features:\r\n CLNT\r\n EPRT\r\n EPSV\r\n LANG EN*\r\n MDTM\r\n MFMT\r\n"
		" MLST type*;size*;modify;perm*;unique;UNIX.mode;\r\n REST STREAM\r\n SIZE\r\n"
		" TVFS\r\n UTF8\r\n211 End.\r\n");
	say(&session, "MLST a");
	struct ftp_event answer = {
		.kind = FTP_EVENT_ANSWER, .entry = {.mode = S_IFREG | 0640, .size_bytes = 7}};
	step(&session, &answer, 0);
	EXPECT_TEXT(said(), "250-Listing:\r\n type=file;size=7;perm=adfrw; /a\r\n250 End.\r\n");
	say(&session, "MDTM a");
	answer.entry.modified_seconds = 1795348861;
	step(&session, &answer, 0);
	EXPECT_TEXT(said(), "213 20261122120101\r\n");
	say(&session, "HELP mfmt");
	EXPECT_TEXT(said(), "214 MFMT YYYYMMDDHHMMSS path\r\n");
	say(&session, "MKD a\"b");
	answer.outcome = FTP_OUTCOME_DONE;
	step(&session, &answer, 0);
	EXPECT_TEXT(said(), "257 \"/a\"\"b\" created.\r\n");
	say(&session, "STOU");
	say(&session, "EPSV");
	step(&session, &answer, 0);
	say(&session, "STOU");
	answer.name = "file.3";
	step(&session, &answer, 0);
	EXPECT_TEXT(said(), "150 FILE: file.3\r\n");
	step(&session, &(struct ftp_event){.kind = FTP_EVENT_ENDED}, 0);
	say(&session, "EPSV");
	step(&session, &answer, 0);
	say(&session, "STOU a\r226 forged");
	answer.name = "a\r226 forged.1";
	step(&session, &answer, 0);
	EXPECT_TEXT(said(), "150 FILE: a?226 forged.1\r\n");
}

/* RFC 959 section 5.4: 553 is for the name that a file is to have. */
static void test_names_too_long(void)
{
	static const struct {
		const char *verb, *reply;
	} verbs[] = {{"CWD", "550"}, {"RETR", "550"}, {"SIZE", "550"}, {"MDTM", "550"},
		{"DELE", "550"}, {"RMD", "550"}, {"MKD", "550"}, {"RNFR", "550"}, {"MLST", "550"},
		{"MLSD", "550"}, {"LIST", "450"}, {"NLST", "450"}, {"STAT", "450"}, {"STOR", "553"},
		{"STOU", "553"}, {"APPE", "553"}};
	char line[FTP_PATH_NAME_MAX + 16];
	for (size_t i = 0; i < ARRAY_LENGTH(verbs); i++) {
		CLEANUP(ftp_session_finish) struct ftp_session session;
		log_in(&session);
		say(&session, "PORT 192,0,2,7,200,1");
		snprintf(line, sizeof(line), "%s %0*d", verbs[i].verb, FTP_PATH_NAME_MAX + 1, 0);
		EXPECT_TEXT(say(&session, line), verbs[i].reply);
	}
}

int main(void)
{
	settings = FTP_SESSION_SETTINGS_DEFAULT;
	test_rights();
	test_tls();
	test_long_replies();
	test_before_login();
	test_parameters();
	test_directories();
	test_ways();
	test_transfers();
	test_line_and_time();
	test_login_again();
	test_names_too_long();
	return unit_finish();
}
