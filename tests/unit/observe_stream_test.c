/* observe/: TCP streams put together from segments in any order. */
#include "observe/tcp_stream.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "unit.h"

/* What came out, in order; '|' for a gap. */
static void collect(void *argument, const uint8_t *bytes, size_t length)
{
	struct text *text = argument;
	if (bytes)
		text_append_bytes(text, bytes, length);
	else
		text_append(text, "|");
}

struct step {
	enum { SYN = 1, BYTES, ACKED } kind;
	uint32_t sequence;
	const char *bytes;
};

static const struct {
	const char *name;
	struct step steps[16];
	const char *expected;
} cases[] = {
	{"in order", {{SYN, 99, ""}, {BYTES, 100, "abc"}, {BYTES, 103, "def"}}, "abcdef"},
	{"sent again", {{SYN, 99, ""}, {BYTES, 100, "abc"}, {BYTES, 100, "abc"}, {BYTES, 103, "d"}},
		"abcd"},
	{"sent again together with more",
		{{SYN, 99, ""}, {BYTES, 100, "abc"}, {BYTES, 101, "bcde"}}, "abcde"},
	{"out of order",
		{{SYN, 99, ""}, {BYTES, 103, "def"}, {BYTES, 106, "g"}, {BYTES, 100, "abc"}},
		"abcdefg"},
	{"backwards",
		{{SYN, 99, ""}, {BYTES, 103, "d"}, {BYTES, 102, "c"}, {BYTES, 101, "b"},
			{BYTES, 100, "a"}},
		"abcd"},
	{"overlapping what is held",
		{{SYN, 99, ""}, {BYTES, 102, "cd"}, {BYTES, 103, "def"}, {BYTES, 100, "abc"}},
		"abcdef"},
	{"joined late", {{BYTES, 500, "tail\n"}, {BYTES, 505, "abc"}}, "|tail\nabc"},
	{"lost and acknowledged",
		{{SYN, 99, ""}, {BYTES, 100, "abc"}, {ACKED, 106, ""}, {BYTES, 106, "ghi"}},
		"abc|ghi"},
	{"lost, acknowledged, more held",
		{{SYN, 99, ""}, {BYTES, 103, "def"}, {ACKED, 106, ""}, {BYTES, 106, "g"}}, "|defg"},
	{"an acknowledgement of what is here",
		{{SYN, 99, ""}, {BYTES, 100, "abc"}, {ACKED, 103, ""}, {BYTES, 103, "d"}}, "abcd"},
	{"an acknowledged FIN is no gap", {{SYN, 99, ""}, {BYTES, 100, "abc"}, {ACKED, 104, ""}},
		"abc"},
	{"the number wraps",
		{{SYN, 0xfffffffd, ""}, {BYTES, 0xfffffffe, "abc"}, {BYTES, 2, "ef"},
			{BYTES, 1, "d"}},
		"abcdef"},
	{"the same SYN again",
		{{SYN, 99, ""}, {BYTES, 100, "abc"}, {SYN, 99, ""}, {BYTES, 103, "d"}}, "abcd"},
	{"a new connection",
		{{SYN, 99, ""}, {BYTES, 100, "abc"}, {SYN, 5000, ""}, {BYTES, 5001, "x"}}, "abcx"},
	{"bytes in the SYN", {{SYN, 99, "ab"}, {BYTES, 102, "c"}}, "abc"},
	{"far away",
		{{SYN, 99, ""}, {BYTES, 0x40000000, "x"}, {BYTES, 0xc0000000, "y"},
			{ACKED, 0x40000000, ""}, {BYTES, 100, "a"}},
		"a"},
	{"a hole that nobody fills",
		{{SYN, 99, ""}, {BYTES, 102, "1"}, {BYTES, 103, "2"}, {BYTES, 104, "3"},
			{BYTES, 105, "4"}, {BYTES, 106, "5"}, {BYTES, 107, "6"}, {BYTES, 108, "7"},
			{BYTES, 109, "8"}, {BYTES, 110, "9"}},
		"|123456789"},
	{"two holes",
		{{SYN, 99, ""}, {BYTES, 102, "1"}, {BYTES, 104, "2"}, {BYTES, 106, "3"},
			{BYTES, 108, "4"}, {BYTES, 110, "5"}, {BYTES, 112, "6"}, {BYTES, 114, "7"},
			{BYTES, 116, "8"}, {BYTES, 118, "9"}, {BYTES, 103, "x"}},
		"|1x2"},
};

static void test_cases(void)
{
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		CLEANUP(tcp_stream_finish) struct tcp_stream stream = {0};
		CLEANUP(text_finish) struct text seen = {0};
		for (const struct step *step = cases[i].steps; step->kind; step++) {
			struct tcp_segment segment = {
				.sequence = step->sequence,
				.opens = step->kind == SYN,
				.payload = (const uint8_t *)step->bytes,
				.length = strlen(step->bytes),
			};
			if (step->kind == ACKED)
				tcp_stream_acknowledged(&stream, step->sequence, collect, &seen);
			else
				tcp_stream_segment(&stream, &segment, collect, &seen);
		}
		EXPECT(strcmp(text_view(&seen), cases[i].expected) == 0,
			"%s: expected \"%s\", saw \"%s\"", cases[i].name, cases[i].expected,
			text_view(&seen));
	}
}

/* One text in random pieces, shuffled within a window and with repeats, comes out whole. */
static void test_shuffled(void)
{
	srandom(959);
	for (int round = 0; round < 200; round++) {
		char text[256];
		for (size_t i = 0; i < sizeof(text); i++)
			text[i] = (char)('a' + random() % 26);
		struct tcp_segment pieces[256];
		size_t count = 0, at = 0;
		while (at < sizeof(text)) {
			size_t length = 1 + (size_t)random() % 12;
			if (length > sizeof(text) - at)
				length = sizeof(text) - at;
			pieces[count++] = (struct tcp_segment){.sequence = (uint32_t)at + 7,
				.payload = (const uint8_t *)text + at,
				.length = length};
			at += length;
		}
		for (size_t i = 0; i + 4 < count; i++) {
			size_t other = i + (size_t)random() % 4;
			struct tcp_segment swapped = pieces[i];
			pieces[i] = pieces[other];
			pieces[other] = swapped;
		}
		CLEANUP(tcp_stream_finish) struct tcp_stream stream = {0};
		CLEANUP(text_finish) struct text seen = {0};
		struct tcp_segment syn = {.sequence = 6, .opens = true};
		tcp_stream_segment(&stream, &syn, collect, &seen);
		for (size_t i = 0; i < count; i++) {
			tcp_stream_segment(&stream, &pieces[i], collect, &seen);
			tcp_stream_segment(
				&stream, &pieces[(size_t)random() % (i + 1)], collect, &seen);
		}
		if (memchr(text_view(&seen), '|', seen.length))
			continue; /* displaced by more than is held */
		EXPECT_BYTES(text_view(&seen), seen.length, text, sizeof(text));
	}
}

static void test_bounded(void)
{
	CLEANUP(tcp_stream_finish) struct tcp_stream stream = {0};
	CLEANUP(text_finish) struct text seen = {0};
	static const uint8_t large[STREAM_SEGMENT_MAX + 1];
	struct tcp_segment syn = {.sequence = 0, .opens = true};
	tcp_stream_segment(&stream, &syn, collect, &seen);
	for (uint32_t i = 0; i < 100; i++) {
		struct tcp_segment segment = {
			.sequence = 2 + i * 8192, .payload = large, .length = sizeof(large)};
		tcp_stream_segment(&stream, &segment, collect, &seen);
		EXPECT(stream.held_count <= STREAM_HELD_MAX, "%zu held", stream.held_count);
	}
	EXPECT_NUMBER(stream.held_count, 0); /* too large to be kept */
}

int main(void)
{
	test_cases();
	test_shuffled();
	test_bounded();
	return unit_finish();
}
