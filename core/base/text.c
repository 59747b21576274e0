#include "base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

static bool text_reserve(struct text *text, size_t more)
{
	if (text->failed)
		return false;
	size_t needed = text->length + more + 1;
	if (needed <= text->capacity)
		return true;
	size_t capacity = text->capacity ? text->capacity : 64;
	while (capacity < needed)
		capacity *= 2;
	char *bytes = realloc(text->bytes, capacity);
	if (!bytes) {
		text->failed = true;
		return false;
	}
	text->bytes = bytes;
	text->capacity = capacity;
	return true;
}

void text_append(struct text *text, const char *format, ...)
{
	va_list arguments, again;
	va_start(arguments, format);
	va_copy(again, arguments);
	int length = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	if (length >= 0 && text_reserve(text, (size_t)length)) {
		vsnprintf(text->bytes + text->length, (size_t)length + 1, format, again);
		text->length += (size_t)length;
	}
	va_end(again);
}

void text_append_bytes(struct text *text, const void *bytes, size_t length)
{
	if (!text_reserve(text, length))
		return;
	if (length)
		memcpy(text->bytes + text->length, bytes, length);
	text->length += length;
	text->bytes[text->length] = '\0';
}

const char *text_view(const struct text *text)
{
	return text->bytes ? text->bytes : "";
}

void text_clear(struct text *text)
{
	text->length = 0;
	if (text->bytes)
		text->bytes[0] = '\0';
}

void text_finish(struct text *text)
{
	free(text->bytes);
	*text = (struct text){0};
}

char *text_take(struct text *text)
{
	if (text->failed || !text_reserve(text, 0)) {
		text_finish(text);
		return NULL;
	}
	char *bytes = text->bytes;
	bytes[text->length] = '\0';
	*text = (struct text){0};
	return bytes;
}

char *text_format(const char *format, ...)
{
	char *result;
	va_list arguments;
	va_start(arguments, format);
	int length = vasprintf(&result, format, arguments);
	va_end(arguments);
	return length < 0 ? NULL : result;
}

/* Copies one word to *to, unquoted; returns where it ended, NULL in the middle of a quote. */
static const char *word_copy(const char *at, char **to)
{
	char quote = '\0';
	for (; *at; at++) {
		if (!quote && strchr(" \t\r\n", *at))
			break;
		if (*at == quote) {
			quote = '\0';
		} else if (!quote && (*at == '\'' || *at == '"')) {
			quote = *at;
		} else {
			if (*at == '\\' && quote != '\'' && at[1])
				at++;
			*(*to)++ = *at;
		}
	}
	*(*to)++ = '\0';
	return quote ? NULL : at;
}

int text_split_words(const char *text, struct words *ret_words, struct error *error)
{
	size_t length = strlen(text);
	size_t most = length / 2 + 2; /* words and the NULL behind them */
	char **list = malloc(most * sizeof(*list) + length + 1);
	if (!list)
		return error_set(error, -ENOMEM, "out of memory");
	char *to = (char *)(list + most);
	size_t count = 0;
	for (const char *at = text + strspn(text, " \t\r\n"); *at; at += strspn(at, " \t\r\n")) {
		list[count++] = to;
		at = word_copy(at, &to);
		if (!at) {
			free(list);
			return error_set(error, -EINVAL, "a quote is not closed in: %s", text);
		}
	}
	if (count == 0) {
		free(list);
		return error_set(error, -EINVAL, "the command is empty");
	}
	list[count] = NULL;
	*ret_words = (struct words){.count = count, .list = list};
	return 0;
}

void text_append_word(struct text *text, const char *word)
{
	bool plain = *word && !strpbrk(word, " \t\r\n'\"\\");
	text_append(text, "%s%s", text->length ? " " : "", plain ? word : "\"");
	for (; !plain && *word; word++)
		text_append(text, "%s%c", strchr("\"\\", *word) ? "\\" : "", *word);
	text_append(text, "%s", plain ? "" : "\"");
}

static size_t least_of(size_t a, size_t b)
{
	return a < b ? a : b;
}

/*
 * How many letters are added, missing, changed, or changed over with their neighbour; words longer
 * than the rows count as far away.
 */
static size_t text_distance(const char *a, const char *b)
{
	enum { LONGEST = 64 };
	size_t rows[3][LONGEST + 1]; /* this one and the two before it, in turn */
	size_t length_a = strlen(a), length_b = strlen(b);
	if (length_a > LONGEST || length_b > LONGEST)
		return LONGEST;
	for (size_t j = 0; j <= length_b; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= length_a; i++) {
		size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *top = rows[(i + 1) % 3];
		row[0] = i;
		for (size_t j = 1; j <= length_b; j++) {
			row[j] = least_of(above[j - 1] + (a[i - 1] != b[j - 1]),
				least_of(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least_of(row[j], top[j - 2] + 1);
		}
	}
	return rows[length_a % 3][length_b];
}

const char *text_nearest(const char *word, const char *const *candidates, size_t count)
{
	const char *nearest = NULL;
	size_t length = strlen(word);
	size_t best = length < 3 ? length : length / 2 + 1; /* farther away is another word */
	for (size_t i = 0; i < count; i++) {
		size_t distance = text_distance(word, candidates[i]);
		if (distance < best) {
			best = distance;
			nearest = candidates[i];
		}
	}
	return nearest;
}

bool text_parse_number(const char *text, uint64_t minimum, uint64_t maximum, uint64_t *ret_value)
{
	uint64_t value = 0;
	if (!*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		if (__builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, (uint64_t)(*text - '0'), &value))
			return false;
	}
	if (value < minimum || value > maximum)
		return false;
	*ret_value = value;
	return true;
}

bool text_parse_seconds(const char *text, uint64_t *ret_ns)
{
	char whole[16];
	size_t digits = strcspn(text, ".");
	uint64_t seconds, ns = 0;
	if (digits >= sizeof(whole))
		return false;
	memcpy(whole, text, digits);
	whole[digits] = '\0';
	if (!text_parse_number(whole, 0, UINT64_C(1) << 32, &seconds))
		return false;
	if (text[digits] == '.') {
		const char *decimals = text + digits + 1;
		size_t count = strlen(decimals);
		if (count > 9 || !text_parse_number(decimals, 0, NS_PER_SECOND, &ns))
			return false;
		for (; count < 9; count++)
			ns *= 10;
	}
	*ret_ns = seconds * NS_PER_SECOND + ns;
	return true;
}

bool text_starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

/* Length of the valid UTF-8 sequence at `at` (RFC 3629), 0 where there is none. */
static size_t utf8_sequence(const unsigned char *at, size_t left)
{
	static const struct {
		unsigned char first, last, low, high; /* lead bytes, and what may follow at once */
		size_t length;
	} forms[] = {
		{0x00, 0x7f, 0, 0, 1},
		{0xc2, 0xdf, 0x80, 0xbf, 2},
		{0xe0, 0xe0, 0xa0, 0xbf, 3},
		{0xe1, 0xec, 0x80, 0xbf, 3},
		{0xed, 0xed, 0x80, 0x9f, 3},
		{0xee, 0xef, 0x80, 0xbf, 3},
		{0xf0, 0xf0, 0x90, 0xbf, 4},
		{0xf1, 0xf3, 0x80, 0xbf, 4},
		{0xf4, 0xf4, 0x80, 0x8f, 4},
	};
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (at[0] < forms[i].first || at[0] > forms[i].last)
			continue;
		size_t length = forms[i].length;
		if (length > left ||
			(length > 1 && (at[1] < forms[i].low || at[1] > forms[i].high)))
			return 0;
		for (size_t j = 2; j < length; j++)
			if (at[j] < 0x80 || at[j] > 0xbf)
				return 0;
		return length;
	}
	return 0;
}

bool text_is_utf8(const void *bytes, size_t length)
{
	const unsigned char *at = bytes;
	while (length > 0) {
		size_t sequence = utf8_sequence(at, length);
		if (sequence == 0)
			return false;
		at += sequence;
		length -= sequence;
	}
	return true;
}

/* Of a sequence of that length: U+0000..U+001F, and U+007F..U+009F, which terminals obey likewise. */
static bool is_control(const unsigned char *at, size_t sequence)
{
	if (sequence == 1)
		return (*at < 0x20 && *at != '\n' && *at != '\t') || *at == 0x7f;
	return sequence == 2 && at[0] == 0xc2 && at[1] < 0xa0;
}

char *text_sanitize(const void *bytes, size_t length)
{
	const unsigned char *at = bytes;
	struct text text = {0};
	while (length > 0) {
		size_t sequence = utf8_sequence(at, length);
		if (sequence == 0 || is_control(at, sequence))
			text_append_bytes(&text, "\xef\xbf\xbd", 3);
		else
			text_append_bytes(&text, at, sequence);
		size_t step = sequence ? sequence : 1;
		at += step;
		length -= step;
	}
	return text_take(&text);
}
