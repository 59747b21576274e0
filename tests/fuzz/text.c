/*
 * Text from outside: what is shown on a terminal, words of a configuration, addresses and numbers.
 * Input: the text; beside the reader of UTF-8 stands one that computes the characters.
 */
#include "fuzz.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/endpoint.h"
#include "base/text.h"

/* The character at the beginning, and how many bytes it has; -1 where it is none (RFC 3629). */
static long character(const uint8_t *at, size_t left, size_t *ret_length)
{
	static const long least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t length = *at < 0x80 ? 1 : *at >> 5 == 6 ? 2 : *at >> 4 == 14 ? 3 : 4;
	long value = length == 1 ? *at : *at & (0xff >> (length + 1));
	*ret_length = 1;
	if (length > left || (length == 4 && *at >> 3 != 30))
		return -1;
	for (size_t i = 1; i < length; i++) {
		if (at[i] >> 6 != 2)
			return -1;
		value = value << 6 | (at[i] & 0x3f);
	}
	if (value < least[length] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
		return -1;
	*ret_length = length;
	return value;
}

/* Unicode's control characters: a terminal obeys those behind 127, too. */
static bool is_control(long value)
{
	return value < 0x20 || (value >= 0x7f && value < 0xa0);
}

static void check_shown(const uint8_t *bytes, size_t length)
{
	CLEANUP(free_pointer) char *shown = text_sanitize(bytes, length);
	HOLDS(shown);
	bool utf8 = true;
	size_t size, used = 0;
	for (size_t at = 0; at < length; at += size) {
		long value = character(bytes + at, length - at, &size);
		bool kept = value >= 0 && (!is_control(value) || value == '\n' || value == '\t');
		const char *wanted = kept ? (const char *)bytes + at : "\xef\xbf\xbd";
		size_t wanted_length = kept ? size : 3;
		utf8 &= value >= 0;
		HOLDS(strnlen(shown + used, wanted_length) == wanted_length);
		HOLDS(memcmp(shown + used, wanted, wanted_length) == 0);
		used += wanted_length;
	}
	HOLDS(shown[used] == '\0');
	HOLDS(text_is_utf8(bytes, length) == utf8 && text_is_utf8(shown, used));
}

/* Words can be quoted, and are the same words again. */
static void check_words(const char *text)
{
	CLEANUP(text_finish) struct text joined = {0};
	struct words words, again;
	if (text_split_words(text, &words, NULL) < 0)
		return;
	CLEANUP(free_pointer) char **list = words.list;
	HOLDS(words.count > 0 && !list[words.count]);
	for (size_t i = 0; i < words.count; i++) {
		TRACE("word %s", list[i]);
		text_append_word(&joined, list[i]);
	}
	HOLDS(text_split_words(text_view(&joined), &again, NULL) == 0);
	CLEANUP(free_pointer) char **other = again.list;
	HOLDS(again.count == words.count);
	for (size_t i = 0; i < words.count; i++)
		HOLDS(strcmp(list[i], other[i]) == 0);
}

static void check_endpoint(const char *text)
{
	static const struct endpoint untouched = {.port = 4711};
	struct endpoint endpoint = untouched, again;
	if (!endpoint_parse(text, 21, &endpoint)) {
		HOLDS(memcmp(&endpoint, &untouched, sizeof(endpoint)) == 0);
		return;
	}
	char shown[ENDPOINT_TEXT_SIZE];
	TRACE("endpoint %s", endpoint_format(&endpoint, shown));
	HOLDS(endpoint.port > 0 && endpoint.scope == 0);
	HOLDS(endpoint_parse(endpoint_format(&endpoint, shown), 0, &again));
	HOLDS(endpoint_same_host(&endpoint, &again) && endpoint.port == again.port);
}

static void check_numbers(const char *text)
{
	char shown[40];
	uint64_t number, ns;
	const char *digits = text + strspn(text, "0");
	if (text_parse_number(text, 0, UINT64_MAX, &number)) {
		snprintf(shown, sizeof(shown), "%llu", (unsigned long long)number);
		HOLDS(strcmp(shown, *digits ? digits : "0") == 0);
		HOLDS(text_parse_number(text, number, number, &number));
		HOLDS(!number || !text_parse_number(text, 0, number - 1, &number));
	}
	if (!text_parse_seconds(text, &ns))
		return;
	HOLDS(ns / NS_PER_SECOND <= (UINT64_C(1) << 32));
	snprintf(shown, sizeof(shown), "%llu.%09llu", (unsigned long long)(ns / NS_PER_SECOND),
		(unsigned long long)(ns % NS_PER_SECOND));
	HOLDS(text_parse_seconds(shown, &number) && number == ns);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static const char *const known[] = {"release", "renew", "run", "", "a"};
	check_shown(bytes, length);
	CLEANUP(free_pointer) char *text = strndup((const char *)bytes, length);
	HOLDS(text);
	check_words(text);
	check_endpoint(text);
	check_numbers(text);
	const char *nearest = text_nearest(text, known, ARRAY_LENGTH(known));
	HOLDS(strcmp(text, "release") != 0 || nearest == known[0]);
	return 0;
}
