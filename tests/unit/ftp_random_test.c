/* ftp/: bytes from nowhere, from a fixed seed, through every parser and both machines. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "ftp/client.h"
#include "ftp/reply.h"
#include "unit.h"

static uint64_t state = 0x2026112202261122;

static uint32_t chance(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 32) % below;
}

/* A line made of pieces that mean something, and of bytes that do not; exactly on the heap. */
static char *random_line(size_t *ret_length)
{
	static const char *const pieces[] = {"USER ", "anonymous", "PASS ", "RETR ", "STOR ",
		"APPE ", "STOU", "REST ", "MLSD", "MLST ", "MDTM ", "MFMT 20260101000000 ",
		"RNFR a", "RNTO ", "MKD ", "STAT", "HELP ", "AUTH TLS", "PBSZ 0", "PROT P", "LIST",
		"NLST ", "CWD ", "../", "CDUP", "PWD", "TYPE ", "A", "I", "PORT ",
		"192,0,2,7,200,1", "EPRT ", "|1|192.0.2.7|2000|", "|2|::1|9|", "EPSV", " ALL",
		"PASV", "ABOR", "QUIT", "SIZE ", "NOOP", "\r", "\xff\xf4", "%s%n",
		"227 (1,2,3,4,5,6)", "229 (|||7|)", "220-", "220 ", "421 ", "150 ", "226 ", "331 ",
		"230 ", " ", "\"", ",", "|", "65536"};
	char line[600];
	size_t length = 0;
	for (uint32_t count = chance(5); count > 0; count--) {
		const char *piece = pieces[chance(ARRAY_LENGTH(pieces))];
		memcpy(line + length, piece, strlen(piece));
		length += strlen(piece);
	}
	for (uint32_t count = chance(4) ? 0 : chance(300); count > 0; count--)
		line[length++] = (char)chance(256);
	char *copy = malloc(length ? length : 1);
	memcpy(copy, line, length);
	*ret_length = length;
	return copy;
}

static void feed_parsers(const char *line, size_t length)
{
	struct ftp_command command;
	struct ftp_reply_line reply;
	struct endpoint endpoint;
	uint16_t port;
	char text[64], path[FTP_PATH_SIZE];
	ftp_command_parse(line, length, &command);
	EXPECT(command.argument_length <= length, "an argument longer than its line");
	ftp_command_describe(&command, line, length, text, sizeof(text));
	EXPECT(strlen(text) < sizeof(text), "a description too long");
	ftp_reply_line_parse(line, length, &reply);
	EXPECT(reply.text_length <= length, "a text longer than its line");
	ftp_port_parse(line, length, &endpoint);
	ftp_eprt_parse(line, length, &endpoint);
	ftp_passive_parse(line, length, &endpoint);
	ftp_extended_passive_parse(line, length, &port);
	if (ftp_path_resolve("/a/b", line, length, path))
		EXPECT(path[0] == '/' && !strstr(path, "/../") && !strstr(path, "//"), "'%s'",
			path);
}

/* No reply may hold what a client could take for another: one line, or 211's many. */
static void check_replies(const struct ftp_actions *actions)
{
	EXPECT(actions->count <= FTP_ACTIONS_MAX, "too many actions");
	EXPECT(actions->used < FTP_REPLY_SPACE, "too much text");
	for (size_t i = 0; i < actions->count; i++) {
		const struct ftp_action *action = &actions->list[i];
		/* STAT's lines are the edge's own. */
		if (action->kind != FTP_ACTION_REPLY || action->text < actions->space ||
			action->text > actions->space + sizeof(actions->space))
			continue;
		struct ftp_reply_line line;
		const char *end = memchr(action->text, '\n', action->length);
		size_t first = end ? (size_t)(end - action->text) + 1 : 0;
		EXPECT(first && ftp_reply_line_parse(action->text, first, &line), "no reply");
		/* One line, or several whose middle ones begin with a space. */
		for (size_t at = first; at < action->length; at++)
			EXPECT(action->text[at - 1] != '\n' || action->text[at] == ' ' ||
					(memcmp(action->text + at, action->text, 3) == 0 &&
						action->text[at + 3] == ' '),
				"a reply that holds another");
	}
}

static void test_session(void)
{
	static struct ftp_actions actions;
	struct endpoint peer = {.family = ENDPOINT_IPV4, .address = {192, 0, 2, 7}, .port = 4000};
	struct ftp_session_settings settings = FTP_SESSION_SETTINGS_DEFAULT;
	struct ftp_session session;
	unsigned transfers = 0;
	uint64_t now = 0;
	settings.tls = true;
	ftp_session_init(&session, &settings, &peer, now);
	for (unsigned turn = 0; turn < 300000; turn++) {
		size_t length;
		CLEANUP(free_pointer) char *line = random_line(&length);
		struct ftp_event event = {.kind = (enum ftp_event_kind)chance(FTP_EVENT_SHUTDOWN),
			.outcome = (enum ftp_outcome)(chance(2) ? 0 : chance(FTP_OUTCOME_COUNT)),
			.place = chance(9),
			.line = line,
			.length = length,
			.size_bytes = state,
			.rights = 7,
			.text = " x\r\n",
			.name = "x",
			.entry = {.name = "x",
				.mode = (mode_t)state,
				.modified_seconds = (int64_t)state},
			.local = peer};
		if (event.kind == FTP_EVENT_FULL || event.kind == FTP_EVENT_TOO_EARLY ||
			(event.kind == FTP_EVENT_TIME && chance(50)))
			event.kind = FTP_EVENT_LINE;
		if (event.kind == FTP_EVENT_LINE && session.state == FTP_SESSION_USER &&
			chance(2)) {
			event.line = "USER ftp";
			event.length = 8;
		} else if (event.kind == FTP_EVENT_LINE && session.state == FTP_SESSION_PASSWORD) {
			event.line = "PASS x";
			event.length = 6;
		}
		if (event.kind == FTP_EVENT_LINE)
			feed_parsers(event.line, event.length);
		else
			event.length = 4; /* of `text` */
		now += chance(3) * NS_PER_SECOND;
		ftp_session_step(&session, &event, now, &actions);
		check_replies(&actions);
		transfers += session.state == FTP_SESSION_TRANSFER;
		if (session.state == FTP_SESSION_CLOSED) {
			ftp_session_finish(&session);
			ftp_session_init(&session, &settings, &peer, now);
		}
	}
	ftp_session_finish(&session);
	EXPECT(transfers > 500, "only %u steps within a transfer", transfers);
}

static void test_client(void)
{
	static struct ftp_client_actions actions;
	static const enum ftp_verb tasks[] = {FTP_RETR, FTP_STOR, FTP_LIST, FTP_CWD, FTP_QUIT};
	static const unsigned codes[] = {
		120, 150, 200, 220, 226, 227, 229, 230, 331, 421, 425, 500, 550};
	struct endpoint peer = {.family = ENDPOINT_IPV4, .address = {192, 0, 2, 1}, .port = 21};
	struct ftp_client client;
	unsigned transfers = 0;
	ftp_client_init(&client, &peer, "a", "b");
	for (unsigned turn = 0; turn < 300000; turn++) {
		size_t length;
		CLEANUP(free_pointer) char *line = random_line(&length);
		bool passive = chance(2);
		struct ftp_client_event event = {
			.kind = (enum ftp_client_event_kind)chance(FTP_CLIENT_EVENT_CLOSED),
			.code = codes[chance(ARRAY_LENGTH(codes))],
			.text = passive ? "(|||9|)" : line,
			.length = passive ? 7 : length,
			.task = tasks[chance(ARRAY_LENGTH(tasks))],
			.argument = "name",
			.outcome = (enum ftp_outcome)(chance(3) ? 0 : chance(FTP_OUTCOME_COUNT)),
			.local = peer};
		ftp_client_step(&client, &event, 0, &actions);
		EXPECT(actions.count <= FTP_CLIENT_ACTIONS_MAX, "too many actions");
		for (size_t i = 0; i < actions.count; i++)
			EXPECT(actions.list[i].kind != FTP_CLIENT_REPORT || i + 1 == actions.count,
				"a report that is not last");
		transfers += client.state == FTP_CLIENT_TRANSFER;
		if (client.state == FTP_CLIENT_ENDED) {
			ftp_client_init(&client, &peer, "a", "b");
			client.active = chance(2);
		}
	}
	EXPECT(transfers > 500, "only %u steps within a transfer", transfers);
}

/* A stream cut anywhere gives the same lines as the same stream whole. */
static void test_input(void)
{
	for (unsigned turn = 0; turn < 2000; turn++) {
		struct ftp_input whole = {0}, cut = {0};
		char bytes[2000];
		size_t length = 0;
		while (length < 1000) {
			size_t piece;
			CLEANUP(free_pointer) char *line = random_line(&piece);
			memcpy(bytes + length, line, piece);
			length += piece;
			bytes[length++] = '\n';
		}
		ftp_input_feed(&whole, bytes, length);
		for (size_t at = 0, piece; at < length; at += piece) {
			piece = 1 + chance(40);
			piece = piece < length - at ? piece : length - at;
			ftp_input_feed(&cut, bytes + at, piece);
		}
		for (enum ftp_input_kind kind = FTP_INPUT_LINE; kind == FTP_INPUT_LINE;) {
			const char *a = "", *b = "";
			size_t a_length = 0, b_length = 0;
			kind = ftp_input_peek(&whole, &a, &a_length);
			EXPECT(ftp_input_peek(&cut, &b, &b_length) == kind, "kinds differ");
			EXPECT_BYTES(a, a_length, b, b_length);
			ftp_input_take(&whole);
			ftp_input_take(&cut);
		}
		ftp_input_finish(&whole);
		ftp_input_finish(&cut);
	}
}

int main(void)
{
	test_session();
	test_client();
	test_input();
	return unit_finish();
}
