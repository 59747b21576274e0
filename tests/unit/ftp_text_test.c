/* ftp/text: what is a name, and what a client hears in its turn. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "ftp/text.h"
#include "unit.h"

#define MS UINT64_C(1000000)

/*
 * A script, played against an edge that has the files /a, /b c, /sub/d, /long and /ä. Its words:
 *	"text"	these bytes come (\n \r \0 \\ as in C)
 *	~N	nothing happens for N ms; a deadline that passes is stepped
 *	T	its turn; E: it ends its half; D: what is being sent is sent; X: that failed
 * In the transcript: G the greeting, <name> what is logged, ? not found, =path a file begins,
 * $ it was sent at once (all but /long are), . closed, ! reset.
 */
struct edge {
	struct ftp_text text;
	uint64_t now_ns;
	struct text heard;
};

static void edge_step(struct edge *edge, struct ftp_text_event event);

static bool is_there(const char *path)
{
	static const char *const files[] = {"/a", "/b c", "/sub/d", "/long", "/\xc3\xa4", "/end"};
	for (size_t i = 0; i < ARRAY_LENGTH(files); i++)
		if (strcmp(path, files[i]) == 0)
			return true;
	return false;
}

static void edge_act(struct edge *edge, const struct ftp_text_action *action)
{
	struct ftp_text_event answer = {.kind = FTP_TEXT_ANSWER};
	bool greets = action->text && strcmp(action->text, FTP_TEXT_GREETING) == 0;
	switch (action->kind) {
	case FTP_TEXT_SAY:
		text_append(&edge->heard, greets ? "G" : "?");
		EXPECT(greets || strcmp(action->text, "File not found") == 0, "other words");
		break;
	case FTP_TEXT_RECEIVED:
		EXPECT_NUMBER(action->length, strlen(action->text));
		text_append(&edge->heard, "<%.12s>", action->text);
		break;
	case FTP_TEXT_REFUSED:
		break;
	case FTP_TEXT_OPEN:
		answer.outcome = is_there(action->text) ? FTP_OUTCOME_DONE : FTP_OUTCOME_NOT_FOUND;
		if (is_there(action->text))
			text_append(&edge->heard, "=%s", action->text);
		edge_step(edge, answer);
		break;
	case FTP_TEXT_START:
		if (strcmp(edge->text.path, "/long") != 0) {
			text_append(&edge->heard, "$");
			edge_step(edge, (struct ftp_text_event){.kind = FTP_TEXT_SENT});
		}
		break;
	case FTP_TEXT_CLOSE:
		text_append(&edge->heard, ".");
		break;
	case FTP_TEXT_ABORT:
		text_append(&edge->heard, "!");
		break;
	}
}

static void edge_step(struct edge *edge, struct ftp_text_event event)
{
	struct ftp_text_actions actions;
	ftp_text_step(&edge->text, &event, edge->now_ns, &actions);
	EXPECT(actions.count <= FTP_TEXT_ACTIONS_MAX, "%zu actions", actions.count);
	for (size_t i = 0; i < actions.count; i++)
		edge_act(edge, &actions.list[i]);
	EXPECT(edge->text.held_length + ftp_text_room(&edge->text) == FTP_TEXT_HELD_MAX,
		"more is held than may be");
}

/* As the real edge does at the end of every event. */
static void edge_settle(struct edge *edge)
{
	while (ftp_text_has_name(&edge->text, edge->now_ns))
		edge_step(edge, (struct ftp_text_event){.kind = FTP_TEXT_TAKE});
}

static void edge_wait(struct edge *edge, uint64_t ms)
{
	uint64_t until_ns = edge->now_ns + ms * MS;
	while (edge->text.deadline_ns <= until_ns) {
		uint64_t before_ns = edge->text.deadline_ns;
		edge->now_ns = edge->text.deadline_ns;
		edge_step(edge, (struct ftp_text_event){.kind = FTP_TEXT_TIME});
		edge_settle(edge);
		EXPECT(edge->text.deadline_ns > before_ns, "a deadline that never passes");
		if (edge->text.deadline_ns <= before_ns)
			break;
	}
	edge->now_ns = until_ns;
}

/* Bytes between quotes; returns behind the closing one. */
static const char *edge_hear(struct edge *edge, const char *script)
{
	CLEANUP(text_finish) struct text bytes = {0};
	for (; *script != '"'; script++) {
		char byte = *script;
		if (byte == '\\') {
			byte = *++script;
			byte = byte == 'n' ? '\n' : byte == 'r' ? '\r' : byte == '0' ? '\0' : byte;
		}
		text_append_bytes(&bytes, &byte, 1);
	}
	edge_step(edge,
		(struct ftp_text_event){
			.kind = FTP_TEXT_BYTES, .bytes = bytes.bytes, .length = bytes.length});
	return script + 1;
}

static void edge_play(struct edge *edge, const char *script)
{
	while (*script) {
		char word = *script++;
		char *end = NULL;
		if (word == '"')
			script = edge_hear(edge, script);
		else if (word == '~')
			edge_wait(edge, strtoul(script, &end, 10));
		else if (word == 'T')
			edge_step(edge, (struct ftp_text_event){.kind = FTP_TEXT_TURN});
		else if (word == 'E')
			edge_step(edge, (struct ftp_text_event){.kind = FTP_TEXT_ENDED});
		else if (word == 'D' || word == 'X')
			edge_step(edge, (struct ftp_text_event){.kind = FTP_TEXT_SENT,
						.outcome = word == 'D' ? FTP_OUTCOME_DONE
								       : FTP_OUTCOME_LOST});
		if (end)
			script = end;
		edge_settle(edge);
	}
}

static void test_scripts(void)
{
	static const struct {
		const char *script, *heard;
	} rows[] = {
		/* how a name ends */
		{"T", "G"},
		{"T\"a\"", "G"}, /* it may go on */
		{"T\"a\"~49", "G"},
		{"T\"a\"~50", "G<a>=/a$"},
		{"T\"a\\n\"", "G<a>=/a$"},
		{"T\"a\\r\\n\"", "G<a>=/a$"},
		{"T\"a\\0\"", "G<a>=/a$"},
		{"T\"a\"E", "G<a>=/a$."},
		{"T\"b c\\n\"", "G<b c>=/b c$"},
		{"T\"\xc3\xa4\\n\"", "G<\xc3\xa4>=/\xc3\xa4$"},
		/* in pieces: each begins the wait anew */
		{"T\"su\"~49\"b/\"~49\"d\"~50", "G<sub/d>=/sub/d$"},
		{"T\"s\"~1\"ub/d\\n\"", "G<sub/d>=/sub/d$"},
		{"T\"su\"~60\"b/d\"~60", "G<su>?<b/d>?"}, /* these are two */
		/* a line end that comes late, or with NULs */
		{"T\"a\"~60\"\\n\"~60\"a\"~60", "G<a>=/a$<a>=/a$"},
		{"T\"a\"~60\"\\r\\n\"~60", "G<a>=/a$"},
		{"T\"a\\r\"~60\"\\n\"~60", "G<a>=/a$"},
		{"T\"a\"~60\"\\r\"~60\"\\n\"~60", "G<a>=/a$"}, /* in two halves */
		{"T\"a\"~60\"\\r\"~60E", "G<a>=/a$."},
		{"T\"a\\0\\r\"E", "G<a>=/a$."},
		{"T\"a\"~60\"\\r\"~60\"b\\n\"", "G<a>=/a$<\rb>?"},
		{"T\"a\"~60\"\\n\\n\"~60", "G<a>=/a$<>?"}, /* one, not two */
		{"T\"a\"~60\"\\na\\n\"", "G<a>=/a$<a>=/a$"},
		{"T\"a\\0\\0\\0\\0\"~60\"a\\0\"", "G<a>=/a$<a>=/a$"},
		{"T\"a\\n\\0\"~60", "G<a>=/a$"},
		{"T\"a\\0\\n\"~60", "G<a>=/a$"},
		{"T\"\\n\"", "G<>?"},
		{"T\"\\r\\n\"", "G<>?"},
		{"T\"\\0\"~60", "G"},
		/* several */
		{"T\"a\\nx\\nb c\\n\"", "G<a>=/a$<x>?<b c>=/b c$"},
		{"T\"a\\nx\\nb c\"E", "G<a>=/a$<x>?<b c>=/b c$."},
		{"T\"a\\nb\"", "G<a>=/a$"},
		/* one at a time */
		{"T\"long\\na\\n\"", "G<long>=/long"},
		{"T\"long\\na\\n\"D", "G<long>=/long<a>=/a$"},
		{"T\"long\\n\"\"a\"~60D", "G<long>=/long<a>=/a$"},
		{"T\"long\\n\"\"a\"D~60", "G<long>=/long<a>=/a$"},
		{"T\"long\"ED", "G<long>=/long."},
		{"T\"long\\na\"ED", "G<long>=/long<a>=/a$."},
		{"T\"long\\na\\n\"X", "G<long>=/long!"},
		/* the end */
		{"T\"end\\n\"", "G<end>."},
		{"T\"end\"~50", "G<end>."},
		{"T\"end\"E", "G<end>."},
		{"T\"end\\r\\n\"", "G<end>."},
		{"T\"end\\na\\n\"", "G<end>."},
		{"T\"END\\n\"", "G<END>?"},
		{"T\"end \\n\"", "G<end >?"},
		{"T\"./end\\n\"", "G<./end>=/end$"},
		{"TE", "G."},
		{"T\"x\\n\"E", "G<x>?."},
		{"T\"end\\n\"\"a\\n\"~60E", "G<end>."},
		/* in line: not a word, and nothing is lost */
		{"~1000", ""},
		{"\"a\\n\"~60", ""},
		{"\"a\"~60T", "G<a>=/a$"},
		{"\"a\\nend\\n\"T", "G<a>=/a$<end>."},
		{"E", "."},
		{"\"a\"E", ""}, /* it may read on */
		{"\"a\"E~1000T", "G<a>=/a$."},
		/* names that are none of ours */
		{"T\"..\\n\"", "G<..>?"},
		{"T\"../a\\n\"", "G<../a>?"},
		{"T\"/../a\\n\"", "G</../a>?"},
		{"T\"sub/../../a\\n\"", "G<sub/../../a>?"},
		{"T\"x/../a\\n\"", "G<x/../a>=/a$"},
		{"T\"./a\\n\"", "G<./a>=/a$"},
		{"T\"/a\\n\"", "G</a>=/a$"},
		{"T\"//a\\n\"", "G<//a>=/a$"},
		{"T\"\xff\\n\"", "G<\xff>?"},
		{"T\"a\\0b\\n\"", "G<a>=/a$<b>?"},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		struct edge edge = {.now_ns = 5 * MS};
		ftp_text_init(&edge.text, UINT64_MAX, UINT64_MAX, edge.now_ns);
		edge_play(&edge, rows[i].script);
		EXPECT(strcmp(text_view(&edge.heard), rows[i].heard) == 0, "%s: heard %s, not %s",
			rows[i].script, text_view(&edge.heard), rows[i].heard);
		ftp_text_finish(&edge.text);
		text_finish(&edge.heard);
	}
}

static void test_times(void)
{
	static const struct {
		uint64_t wait_ms, idle_ms;
		const char *script, *heard;
	} rows[] = {
		{100, 1000, "~99", ""},
		{100, 1000, "~100", "."},
		{100, 1000, "\"a\"~100", "."},
		{100, 1000, "~50T~999", "G"},
		{100, 1000, "T~1000", "G."},
		{100, 1000, "T~900\"a\\n\"~900", "G<a>=/a$"},
		{100, 1000, "T~900\"a\\n\"~1000", "G<a>=/a$."},
		{100, 1000, "T\"long\\n\"~5000", "G<long>=/long"}, /* the transfer has its own */
		{100, 1000, "T\"long\\n\"~5000D~999", "G<long>=/long"},
		{100, 1000, "T\"long\\n\"~5000D~1000", "G<long>=/long."},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		struct edge edge = {.now_ns = 5 * MS};
		ftp_text_init(&edge.text, rows[i].wait_ms * MS, rows[i].idle_ms * MS, edge.now_ns);
		edge_play(&edge, rows[i].script);
		EXPECT(strcmp(text_view(&edge.heard), rows[i].heard) == 0, "%s: heard %s, not %s",
			rows[i].script, text_view(&edge.heard), rows[i].heard);
		ftp_text_finish(&edge.text);
		text_finish(&edge.heard);
	}
}

/* `count` letters in pieces of `piece`, then what is in `end`. */
static void feed_letters(struct edge *edge, size_t count, size_t piece, const char *end)
{
	char bytes[FTP_TEXT_HELD_MAX];
	memset(bytes, 'x', sizeof(bytes));
	while (count > 0) {
		size_t length = count < piece ? count : piece;
		size_t room = ftp_text_room(&edge->text);
		EXPECT(room > 0, "no room in the middle of a name");
		if (room == 0)
			return;
		length = length < room ? length : room;
		edge_step(edge, (struct ftp_text_event){
					.kind = FTP_TEXT_BYTES, .bytes = bytes, .length = length});
		edge_settle(edge);
		count -= length;
	}
	edge_play(edge, end);
}

/* However long a name is and however it comes, it is one, and what follows is not touched. */
static void test_long_names(void)
{
	static const size_t counts[] = {4000, FTP_TEXT_NAME_MAX, FTP_TEXT_NAME_MAX + 1,
		FTP_TEXT_HELD_MAX - 1, FTP_TEXT_HELD_MAX, FTP_TEXT_HELD_MAX + 1, 65536, 1000000};
	static const size_t pieces[] = {1000, 4095, 4096, 4097, FTP_TEXT_HELD_MAX};
	static const struct {
		const char *end, *heard;
	} ends[] = {
		{"~60\"a\\n\"", "?<a>=/a$"},
		{"\"\\na\\n\"", "?<a>=/a$"},
		{"\"\\r\\na\\n\"", "?<a>=/a$"},
		{"\"\\0a\\n\"", "?<a>=/a$"},
		{"E", "?."},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(counts) * ARRAY_LENGTH(pieces) * ARRAY_LENGTH(ends);
		i++) {
		size_t count = counts[i % ARRAY_LENGTH(counts)];
		size_t piece = pieces[i / ARRAY_LENGTH(counts) % ARRAY_LENGTH(pieces)];
		size_t end = i / ARRAY_LENGTH(counts) / ARRAY_LENGTH(pieces);
		struct edge edge = {.now_ns = 5 * MS};
		ftp_text_init(&edge.text, UINT64_MAX, UINT64_MAX, edge.now_ns);
		edge_play(&edge, "T");
		feed_letters(&edge, count, piece, ends[end].end);
		const char *answer = strchr(text_view(&edge.heard), '?');
		EXPECT(answer && strcmp(answer, ends[end].heard) == 0,
			"%zu in pieces of %zu, then %s: %s", count, piece, ends[end].end,
			text_view(&edge.heard));
		ftp_text_finish(&edge.text);
		text_finish(&edge.heard);
	}
	/* In line it is let go. */
	struct edge edge = {.now_ns = 5 * MS};
	ftp_text_init(&edge.text, UINT64_MAX, UINT64_MAX, edge.now_ns);
	feed_letters(&edge, 8000, 1000, "");
	EXPECT_TEXT(text_view(&edge.heard), ".");
	ftp_text_finish(&edge.text);
	text_finish(&edge.heard);
}

static void test_match(void)
{
	static const struct {
		const char *bytes;
		enum ftp_text_match match;
	} rows[] = {
		{"", FTP_TEXT_PART},
		{"File", FTP_TEXT_PART},
		{"File not found", FTP_TEXT_WHOLE},
		{"File not found\n", FTP_TEXT_OTHER},
		{"file not found", FTP_TEXT_OTHER},
		{"File not fount", FTP_TEXT_OTHER},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
		EXPECT(ftp_text_match(rows[i].bytes, strlen(rows[i].bytes), FTP_TEXT_NOT_FOUND) ==
				rows[i].match,
			"'%s'", rows[i].bytes);
	EXPECT_TEXT(FTP_TEXT_GREETING, "You are now connected to server.\n\tSend the name of the "
				       "file you want.\n\tSay end "
				       "to terminate the session.");
}

int main(void)
{
	test_scripts();
	test_times();
	test_long_names();
	test_match();
	return unit_finish();
}
