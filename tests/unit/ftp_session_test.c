/* ftp/session: what a server answers and does, as scripts of events. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "ftp/session.h"
#include "unit.h"

static const char *const action_names[] = {
	[FTP_ACTION_CHECK_DIRECTORY] = "check",
	[FTP_ACTION_ASK_SIZE] = "size",
	[FTP_ACTION_LISTEN] = "listen",
	[FTP_ACTION_OPEN_SOURCE] = "source",
	[FTP_ACTION_OPEN_SINK] = "sink",
	[FTP_ACTION_OPEN_LISTING] = "listing",
	[FTP_ACTION_START] = "start",
	[FTP_ACTION_DROP_DATA] = "drop",
	[FTP_ACTION_CLOSE] = "close",
};

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
			put = snprintf(text + used, sizeof(text) - used, "%s%s%s%s%s", space,
				action_names[action->kind], action->path ? ":" : "",
				action->path ? action->path : "",
				action->names_only ? "(names)" : "");
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

static struct ftp_endpoint client_address = {
	.family = FTP_IPV4, .address = {192, 0, 2, 7}, .port = 40000};

static void begin(struct ftp_session *session)
{
	ftp_session_init(session, &client_address);
	EXPECT_TEXT(step(session, &(struct ftp_event){.kind = FTP_EVENT_TURN}, 0), "220");
}

static void log_in(struct ftp_session *session)
{
	begin(session);
	EXPECT_TEXT(say(session, "USER anonymous"), "331");
	EXPECT_TEXT(say(session, "PASS me@"), "230");
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
			.local = {.family = FTP_IPV4, .address = {192, 0, 2, 1}, .port = 50000}};
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
		{"MLSD", "502"},
		{"AUTH TLS", "502"},
		{"USER", "501"},
		{"NOOP now", "501"},
		{"USER joe", "331"},
		{"PASS secret", "530"},
		{"PASS secret", "503"},
		{"USER FTP", "331"},
		{"PWD", "530"},
		{"PASS", "230"},
		{"PWD", "257"},
		{"QUIT", "221 drop close"},
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
		EXPECT_TEXT(say(&guesser, "PASS guess"), "530");
	}
	EXPECT_TEXT(say(&guesser, "USER root"), "331");
	EXPECT_TEXT(say(&guesser, "PASS guess"), "421 drop close");
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
		{"SITE CHMOD 777 x", "502"},
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
		{"SIZE f", "550"},
		{"TYPE I", "200"},
		{"SIZE f", "size:/f"},
		{"=0", "213"},
		{"SIZE f", "size:/f"},
		{"=3", "550"},
		{"=0", ""},
	};
	CLEANUP(ftp_session_finish) struct ftp_session session;
	log_in(&session);
	RUN(&session, exchanges);

	EXPECT_TEXT(say(&session, "CWD say \"hi\"\r226 forged\x7f\xff"),
		"check:/say \"hi\"\r226 forged\x7f\xff");
	struct ftp_event yes = {.kind = FTP_EVENT_ANSWER};
	EXPECT_TEXT(step(&session, &yes, 0), "250");
	EXPECT_TEXT(say(&session, "PWD"), "257");
	EXPECT_TEXT(said(),
		"257 \"/say \"\"hi\"\"?226 forged?\xff\xff\" is the working directory.\r\n");

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

	client_address.family = FTP_IPV6;
	CLEANUP(ftp_session_finish) struct ftp_session six;
	log_in(&six);
	static const struct exchange modern[] = {{"PASV", "425"}, {"EPSV 1", "522"},
		{"EPSV 2", "listen"}, {"=0", "229"}, {"PORT 192,0,2,7,200,1", "501"}};
	RUN(&six, modern);
	client_address.family = FTP_IPV4;
}

static void test_transfers(void)
{
	static const struct exchange exchanges[] = {
		{"RETR f", "425"},
		{"PORT 192,0,2,7,200,1", "drop 200"},
		{"RETR f", "source:/f"},
		{"=0", "150 start"},
		{"NOOP", ""}, /* waits in the edge's buffer */
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
		{"NOOP", "200"},
	};
	CLEANUP(ftp_session_finish) struct ftp_session session;
	log_in(&session);
	RUN(&session, exchanges);
}

static void test_line_and_time(void)
{
	CLEANUP(ftp_session_finish) struct ftp_session session;
	ftp_session_init(&session, &client_address);
	EXPECT(!ftp_session_takes(&session, "USER a", 6), "a line taken before the turn");
	struct ftp_event event = {.kind = FTP_EVENT_PLACE, .place = 2, .served = 3};
	EXPECT_TEXT(step(&session, &event, 0), "220-");
	EXPECT_TEXT(said(), "220-You are number 2 in line; 3 clients are being served.\r\n");
	event = (struct ftp_event){.kind = FTP_EVENT_PLACE, .place = 1, .served = 1};
	EXPECT_TEXT(step(&session, &event, 0), "220-");
	EXPECT_TEXT(said(), "220-You are number 1 in line; 1 client is being served.\r\n");
	CLEANUP(ftp_session_finish) struct ftp_session eager;
	struct ftp_event early = {.kind = FTP_EVENT_TOO_EARLY};
	ftp_session_init(&eager, &client_address);
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
	ftp_session_init(&late, &client_address);
	EXPECT_TEXT(step(&late, &end, 0), "220 421 drop close");
	EXPECT_TEXT(step(&late, &end, 0), "");
	ftp_session_init(&full, &client_address);
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
		{"USER joe", "drop 331"},
		{"PWD", "530"},
		{"PASS x", "530"},
		{"USER ftp", "331"},
		{"PASS x", "230"},
		{"PWD", "257"},
	};
	CLEANUP(ftp_session_finish) struct ftp_session session;
	log_in(&session);
	RUN(&session, exchanges);
	EXPECT_TEXT(said(), "257 \"/\" is the working directory.\r\n");
	EXPECT_NUMBER(session.type, FTP_TYPE_ASCII);
}

int main(void)
{
	test_before_login();
	test_parameters();
	test_directories();
	test_ways();
	test_transfers();
	test_line_and_time();
	test_login_again();
	return unit_finish();
}
