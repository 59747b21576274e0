#include "results/drawing_words.h"

#include <ctype.h>
#include <string.h>

#include "results/html.h"

enum {
	LINE_GOOD = 14, /* from here on a name breaks behind - _ and . */
	LINE_MOST = 26, /* here it breaks */
	REST_LEAST = 4, /* not to leave a letter or two on a line */
	RUNS_SHOWN = 3,
};

static size_t larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

size_t drawing_name(const char *name, struct text *text)
{
	size_t line = 0, longest = 0, left = strlen(name);
	for (; *name; name++) {
		html_append_text(text, name, 1);
		longest = larger(longest, ++line);
		bool good = line >= LINE_GOOD && strchr("-_.", *name);
		if (--left < REST_LEAST || (!good && line < LINE_MOST))
			continue;
		text_append(text, "<br/>");
		line = 0;
	}
	return longest;
}

/* "pc07": the length of "pc", and 7; false where there is no number of up to nine digits. */
static bool split_number(const char *name, size_t *ret_before, unsigned long *ret_number)
{
	size_t before = strlen(name);
	while (before && isdigit((unsigned char)name[before - 1]))
		before--;
	uint64_t number;
	if (strlen(name + before) > 9 || !text_parse_number(name + before, 0, UINT32_MAX, &number))
		return false;
	*ret_before = before;
	*ret_number = (unsigned long)number;
	return true;
}

static bool follows(const char *name, const char *next)
{
	size_t before, next_before;
	unsigned long number, next_number;
	return split_number(name, &before, &number) &&
	       split_number(next, &next_before, &next_number) && before == next_before &&
	       strncmp(name, next, before) == 0 && next_number == number + 1;
}

size_t drawing_names(const char *const *names, size_t count, struct text *text)
{
	size_t longest = 0, runs = 0;
	for (size_t i = 0; i < count; runs++) {
		size_t length = 1;
		while (i + length < count && follows(names[i + length - 1], names[i + length]))
			length++;
		if (length == 2)
			length = 1;
		if (runs == RUNS_SHOWN && i + length < count) {
			text_append(text, "<br/>and %zu more", count - i);
			break;
		}
		text_append(text, "%s", runs ? ",<br/>" : "");
		size_t width = drawing_name(names[i], text);
		if (length > 1) {
			const char *last = names[i + length - 1];
			bool broken = width + strlen(last) > LINE_MOST;
			text_append(text, broken ? " …<br/>" : " … ");
			size_t end = drawing_name(last, text);
			width = broken ? larger(width + 2, end) : width + 3 + end;
		}
		longest = larger(longest, width);
		i += length;
	}
	return longest;
}

/* The lowest and the highest address of a family, and of how many. */
struct extent {
	struct ip_prefix first, last;
	size_t count;
};

static struct extent find_extent(
	const struct plan_interface *const *interfaces, size_t count, enum ip_family family)
{
	struct extent extent = {0};
	for (size_t i = 0; i < count; i++) {
		if (!plan_has_address(interfaces[i], family))
			continue;
		struct ip_prefix prefix = interfaces[i]->addresses[family];
		if (!extent.count || prefix.address.number < extent.first.address.number)
			extent.first = prefix;
		if (!extent.count || prefix.address.number > extent.last.address.number)
			extent.last = prefix;
		extent.count++;
	}
	return extent;
}

size_t drawing_addresses(
	const struct plan_interface *const *interfaces, size_t count, struct text *text)
{
	size_t longest = 0, lines = 0;
	for (size_t i = 0; i < IP_FAMILIES; i++) {
		struct extent extent = find_extent(interfaces, count, (enum ip_family)i);
		const char *last = IP_PREFIX_TEXT(extent.last);
		if (!extent.count)
			continue;
		text_append(text, "%s", lines++ ? "<br/>" : "");
		size_t width = strlen(last);
		if (extent.count > 1) {
			const char *first = IP_TEXT(extent.first.address);
			ip_number span = extent.last.address.number - extent.first.address.number;
			text_append(text, "%s %s ", first, span == extent.count - 1 ? "–" : "…");
			width += strlen(first) + 3;
		}
		text_append(text, "%s", last);
		longest = larger(longest, width);
	}
	return longest;
}
