#include "topology/range.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "topology/model.h"

static int range_error(const char *text, struct error *error)
{
	return error_set(error, -EINVAL,
		"'%s' is no range: write it like client[1-25], first number not above the last",
		text);
}

static bool range_number(const char *at, size_t length, unsigned long *ret_number)
{
	char digits[10];
	uint64_t number;
	if (length == 0 || length >= sizeof(digits))
		return false;
	memcpy(digits, at, length);
	digits[length] = '\0';
	if (!text_parse_number(digits, 0, UINT32_MAX, &number))
		return false;
	*ret_number = number;
	return true;
}

int range_parse(const char *text, struct range *ret_range, struct error *error)
{
	struct range range = {.text = text, .before = strcspn(text, "[]")};
	const char *open = text + range.before;
	if (!*open) {
		range.single = true;
		*ret_range = range;
		return 0;
	}
	size_t first = strspn(open + 1, "0123456789");
	const char *dash = open + 1 + first;
	if (*open != '[' || *dash != '-')
		return range_error(text, error);
	size_t last = strspn(dash + 1, "0123456789");
	range.behind = dash + 1 + last + 1;
	if (dash[1 + last] != ']' || strpbrk(range.behind, "[]"))
		return range_error(text, error);
	if (!range_number(open + 1, first, &range.first) ||
		!range_number(dash + 1, last, &range.last) || range.first > range.last)
		return range_error(text, error);
	if (range.last - range.first >= TOPOLOGY_NODES_MOST)
		return error_set(error, -EINVAL, "'%s' stands for more than %d names", text,
			TOPOLOGY_NODES_MOST);
	range.width = open[1] == '0' ? (int)first : 1;
	*ret_range = range;
	return 0;
}

size_t range_length(const struct range *range)
{
	return range->single ? 1 : range->last - range->first + 1;
}

char *range_name(const struct range *range, size_t index)
{
	if (range->single)
		return strdup(range->text);
	return text_format("%.*s%0*lu%s", (int)range->before, range->text, range->width,
		range->first + index, range->behind);
}
